// What a program written for node finds around it, made of the functions in runner.c.
//
// There is: console, process, timers, promises, require and import of files and of the modules in
// `builtins`, Buffer, TextEncoder and TextDecoder, structuredClone. There is no network, no worker,
// no child process, no Intl, no WebAssembly, and nothing of npm's that is not among the files.
(function (host) {
"use strict";

const files = { wrapped: {} };
const MAIN = "__atoll_main";
const HEAD = `(function ${MAIN} (exports, require, module, __filename, __dirname) { `;
const encoder = { encode: (text) => utf8(String(text)) };

function utf8(text) {
  const binary = unescape(encodeURIComponent(text.toWellFormed()));
  const bytes = new Uint8Array(binary.length);
  for (let at = 0; at < binary.length; at++) bytes[at] = binary.charCodeAt(at);
  return bytes;
}

function text(bytes) {
  let out = "";
  let at = 0;
  const chunk = [];
  const put = (code) => {
    if (code > 0xffff) { code -= 0x10000; chunk.push(0xd800 | code >> 10, 0xdc00 | code & 0x3ff); }
    else chunk.push(code);
    if (chunk.length > 4096) { out += String.fromCharCode.apply(null, chunk); chunk.length = 0; }
  };
  while (at < bytes.length) {
    const first = bytes[at++];
    if (first < 0x80) { put(first); continue; }
    let more = first >= 0xc2 && first < 0xe0 ? 1 : first >= 0xe0 && first < 0xf0 ? 2
      : first >= 0xf0 && first < 0xf5 ? 3 : 0;
    if (!more) { put(0xfffd); continue; }
    let low = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
    let high = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
    let code = first & (0x3f >> more);
    while (more && at < bytes.length && bytes[at] >= low && bytes[at] <= high) {
      code = code << 6 | bytes[at++] & 0x3f;
      low = 0x80; high = 0xbf; more--;
    }
    put(more ? 0xfffd : code);
  }
  return out + String.fromCharCode.apply(null, chunk);
}

// ---- util.inspect, after node's lib/internal/util/inspect.js

const custom = Symbol.for("nodejs.util.inspect.custom");
const identifier = /^[a-zA-Z_][a-zA-Z_0-9]*$/;

function quote(value) {
  const mark = !value.includes("'") ? "'" : !value.includes('"') ? '"'
    : !value.includes("`") && !value.includes("${") ? "`" : "'";
  const names = { "\n": "\\n", "\t": "\\t", "\r": "\\r", "\b": "\\b", "\f": "\\f", "\v": "\\v", "\\": "\\\\" };
  const body = value.replace(/[\x00-\x1f\x7f-\x9f\\]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g,
    (c) => names[c] ?? (c.charCodeAt(0) < 256 ? "\\x" + c.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")
      : "\\u" + c.charCodeAt(0).toString(16).toUpperCase()));
  return mark + (mark === "'" ? body.replace(/'/g, "\\'") : body) + mark;
}

function primitive(value, context) {
  switch (typeof value) {
    case "string": {
      if (context.compact !== true && value.length > 16 && value.length > context.breakLength - context.indentation - 4)
        return value.split(/(?<=\n)/).map(quote).join(" +\n" + " ".repeat(context.indentation + 2));
      return quote(value);
    }
    case "number": return Object.is(value, -0) ? "-0" : `${value}`;
    case "bigint": return `${value}n`;
    case "symbol": return value.toString();
    default: return String(value);
  }
}

function constructorName(value) {
  for (let of = value; of; of = Object.getPrototypeOf(of)) {
    const found = Object.getOwnPropertyDescriptor(of, "constructor");
    if (found && typeof found.value === "function" && found.value.name && value instanceof found.value)
      return found.value.name;
  }
  return null;
}

function prefixOf(name, tag, fallback, size = "") {
  if (name === null) return tag && tag !== fallback ? `[${fallback}${size}: null prototype] [${tag}] ` : `[${fallback}${size}: null prototype] `;
  return tag && tag !== name ? `${name}${size} [${tag}] ` : `${name}${size} `;
}

function keyText(key) {
  if (typeof key === "symbol") return `[${key.toString()}]`;
  if (key === "__proto__") return "['__proto__']";
  return identifier.test(key) ? key : quote(key);
}

function property(context, value, key, depth, array) {
  const found = Object.getOwnPropertyDescriptor(value, key) ?? { value: value[key], enumerable: true };
  let shown;
  if (found.value !== undefined || !(found.get || found.set)) {
    const wider = array ? 2 : context.compact !== 3 ? 2 : 2;
    context.indentation += wider;
    shown = format(context, found.value, depth);
    context.indentation -= wider;
  } else shown = found.get ? (found.set ? "[Getter/Setter]" : "[Getter]") : "[Setter]";
  if (array) return shown;
  const name = keyText(key);
  return `${found.enumerable === false ? `[${String(key)}]` : name}: ${shown}`;
}

function errorText(error, context) {
  const name = error.name ?? "Error";
  let head = error.message === "" || error.message === undefined ? String(name) : `${name}: ${error.message}`;
  const own = constructorName(error);
  if (own && !String(name).includes(own) && String(name) === "Error" && own !== "Error") head = head.replace(/^Error/, own);
  let stack = typeof error.stack === "string" ? error.stack : "";
  // The name may have been given after the stack was taken.
  if (name !== "Error" && stack.startsWith("Error") && !stack.includes(name)) stack = stack.replace(/^Error/, name);
  if (!stack) return `[${head}]`;
  let out = stack;
  if (context.indentation) out = out.replaceAll("\n", "\n" + " ".repeat(context.indentation));
  return out;
}

function format(context, value, depth = 0, typed = false) {
  if (value === null || (typeof value !== "object" && typeof value !== "function")) return primitive(value, context);
  const own = value[custom];
  if (typeof own === "function" && own !== inspect && context.customInspect !== false) {
    const left = context.depth === null ? null : context.depth - depth;
    const result = own.call(value, left, { ...context, stylize: (t) => String(t) }, inspect);
    if (result !== value) return typeof result === "string"
      ? result.replaceAll("\n", "\n" + " ".repeat(context.indentation)) : format(context, result, depth);
  }
  if (context.seen.includes(value)) {
    if (!context.circular.has(value)) context.circular.set(value, context.circular.size + 1);
    return `[Circular *${context.circular.get(value)}]`;
  }
  return raw(context, value, depth);
}

function raw(context, value, depth) {
  const name = constructorName(value);
  let tag = value[Symbol.toStringTag];
  if (typeof tag !== "string" || tag === "" || tag === name) tag = "";
  let keys = Object.keys(value);
  const symbols = Object.getOwnPropertySymbols(value).filter((s) => Object.prototype.propertyIsEnumerable.call(value, s));
  let braces = ["{", "}"], base = "", entries = null, array = false;
  const plural = (size) => `(${size})`;
  if (Array.isArray(value)) {
    keys = keys.filter((k) => !/^(0|[1-9]\d*)$/.test(k));
    const prefix = name !== "Array" || tag ? prefixOf(name, tag, "Array", plural(value.length)) : "";
    braces = [`${prefix}[`, "]"]; array = true;
    entries = (inner) => arrayEntries(context, value, inner);
    if (value.length === 0 && keys.length + symbols.length === 0) return `${braces[0]}]`;
  } else if (value instanceof Set) {
    braces[0] = `${prefixOf(name, tag, "Set", plural(value.size))}{`;
    entries = (inner) => { context.indentation += 2; const out = [...value].map((v) => format(context, v, inner)); context.indentation -= 2; return out; };
    if (value.size === 0 && !keys.length) return `${braces[0]}}`;
  } else if (value instanceof Map) {
    braces[0] = `${prefixOf(name, tag, "Map", plural(value.size))}{`;
    entries = (inner) => { context.indentation += 2; const out = [...value].map(([k, v]) => `${format(context, k, inner)} => ${format(context, v, inner)}`); context.indentation -= 2; return out; };
    if (value.size === 0 && !keys.length) return `${braces[0]}}`;
  } else if (ArrayBuffer.isView(value) && !(value instanceof DataView)) {
    keys = keys.filter((k) => !/^(0|[1-9]\d*)$/.test(k));
    braces = [`${prefixOf(name, tag === name ? "" : tag && tag !== name && name === "Buffer" ? "" : tag, "Uint8Array", plural(value.length))}[`, "]"]; array = true;
    entries = () => { const shown = Array.from(value.subarray(0, 100), (v) => primitive(v, context)); if (value.length > 100) shown.push(more(value.length - 100)); return shown; };
    if (value.length === 0 && !keys.length) return `${braces[0]}]`;
  } else if (value instanceof ArrayBuffer) {
    const bytes = Array.from(new Uint8Array(value, 0, Math.min(50, value.byteLength)), (b) => b.toString(16).padStart(2, "0")).join(" ");
    braces[0] = `${prefixOf(name, "", "ArrayBuffer")}{`;
    entries = () => [`[Uint8Contents]: <${bytes}${value.byteLength > 50 ? ` ... ${value.byteLength - 50} more bytes` : ""}>`, `byteLength: ${value.byteLength}`];
  } else if (typeof value === "function") {
    const source = Function.prototype.toString.call(value);
    if (source.startsWith("class")) {
      const parent = Object.getPrototypeOf(value)?.name;
      base = `[class ${value.name || "(anonymous)"}${parent ? ` extends ${parent}` : ""}]`;
    } else {
      const kind = value.constructor?.name === "AsyncFunction" ? "AsyncFunction" : value.constructor?.name === "GeneratorFunction" ? "GeneratorFunction"
        : value.constructor?.name === "AsyncGeneratorFunction" ? "AsyncGeneratorFunction" : "Function";
      base = `[${kind}${value.name ? `: ${value.name}` : " (anonymous)"}]`;
    }
    if (!keys.length && !symbols.length) return base;
  } else if (value instanceof RegExp) {
    base = RegExp.prototype.toString.call(value);
    if (!keys.length) return base;
  } else if (value instanceof Date) {
    base = Number.isNaN(value.getTime()) ? "Invalid Date" : value.toISOString();
    if (!keys.length) return base;
  } else if (value instanceof Error) {
    keys = keys.filter((k) => !["stack", "message", "name"].includes(k) || !String(value.stack).includes(String(value[k])));
    base = errorText(value, context);
    if ("cause" in value && !keys.includes("cause")) keys.push("cause");
    if (Array.isArray(value.errors) && !keys.includes("errors")) keys.push("errors");
    if (!keys.length && !symbols.length) return base;
  } else if (value instanceof Promise) {
    braces[0] = `${prefixOf(name, tag === "Promise" ? "" : tag, "Promise")}{`;
    entries = () => [states.get(value) ?? "<pending>"];
  } else if (value instanceof WeakSet || value instanceof WeakMap) {
    braces[0] = `${name} {`; entries = () => ["<items unknown>"];
  } else if (value instanceof Number || value instanceof String || value instanceof Boolean) {
    base = `[${name}: ${primitive(value.valueOf(), { ...context, compact: true })}]`;
    if (value instanceof String) keys = keys.filter((k) => !/^\d+$/.test(k));
    if (!keys.length) return base;
  } else if (tag === "Generator" || tag === "AsyncGenerator") {
    braces[0] = `Object [${tag}] {`;
    if (!keys.length) return `${braces[0]}}`;
  } else if (Object.prototype.toString.call(value) === "[object Arguments]") {
    braces = ["[Arguments] [", "]"]; array = true;
    keys = []; entries = (inner) => Array.from(value, (v) => format(context, v, inner));
  } else if (name === "Object" && !tag) {
    if (!keys.length && !symbols.length) return "{}";
  } else {
    braces[0] = `${prefixOf(name, tag, "Object")}{`;
    if (!keys.length && !symbols.length) return `${braces[0]}}`;
  }
  if (context.depth !== null && depth > context.depth)
    return array ? "[Array]" : `[${prefixOf(name, tag, "Object").trimEnd()}]`;
  context.seen.push(value);
  context.currentDepth = depth;
  const inner = depth + 1;
  let output = entries ? entries(inner) : [];
  for (const key of keys) output.push(property(context, value, key, inner, false));
  for (const key of symbols) output.push(property(context, value, key, inner, false));
  if (value instanceof Error && keys.includes("cause")) output = output.map((o) => o.replace(/^cause: /, "[cause]: ").replace(/^errors: /, "[errors]: "));
  context.seen.pop();
  const mark = context.circular.get(value);
  if (mark !== undefined) {
    if (base) base = `<ref *${mark}> ${base}`; else braces[0] = `<ref *${mark}> ${braces[0]}`;
  }
  if (context.sorted) output.sort();
  return reduce(context, output, base, braces, array, depth, value);
}

const more = (count) => `... ${count} more item${count > 1 ? "s" : ""}`;

function arrayEntries(context, value, depth) {
  const out = [];
  const max = Math.min(context.maxArrayLength ?? Infinity, value.length);
  let holes = 0;
  const flush = () => { if (holes) out.push(`<${holes} empty item${holes > 1 ? "s" : ""}>`); holes = 0; };
  let at = 0;
  for (; at < value.length && out.length < max; at++) {
    if (!Object.prototype.hasOwnProperty.call(value, at)) { holes++; continue; }
    flush();
    if (out.length < max) out.push(property(context, value, String(at), depth, true)); else break;
  }
  flush();
  if (at < value.length) out.push(more(value.length - at));
  return out;
}

function reduce(context, output, base, braces, array, depth, value) {
  if (context.compact === true) return `${base ? `${base} ` : ""}${braces[0]} ${output.join(", ")} ${braces[1]}`;
  const entries = output.length;
  if (array && entries > 6) output = group(context, output, value);
  if (context.currentDepth - depth < context.compact && entries === output.length) {
    const start = output.length + context.indentation + braces[0].length + base.length + 10;
    let total = output.length + start;
    for (const one of output) total += one.length;
    if (total <= context.breakLength && (base === "" || !base.includes("\n"))) {
      const joined = output.join(", ");
      if (!joined.includes("\n")) return `${base ? `${base} ` : ""}${braces[0]} ${joined} ${braces[1]}`;
    }
  }
  const indentation = `\n${" ".repeat(context.indentation)}`;
  return `${base ? `${base} ` : ""}${braces[0]}${indentation}  ${output.join(`,${indentation}  `)}${indentation}${braces[1]}`;
}

function group(context, output, value) {
  let total = 0, longest = 0, at = 0;
  let length = output.length;
  if (length > 0 && /^\.\.\. \d+ more items?$/.test(output[length - 1])) length--;
  const lengths = [];
  for (; at < length; at++) {
    lengths[at] = output[at].length;
    total += lengths[at] + 2;
    if (longest < lengths[at]) longest = lengths[at];
  }
  const actual = longest + 2;
  if (actual * 3 + context.indentation < context.breakLength && (total / actual > 5 || longest <= 6)) {
    const bias = Math.sqrt(actual - total / output.length);
    const biased = Math.max(actual - 3 - bias, 1);
    const columns = Math.min(Math.round(Math.sqrt(2.5 * biased * length) / biased), Math.floor((context.breakLength - context.indentation) / actual), 3 * 4, 15);
    if (columns <= 1) return output;
    const grouped = [], widths = [];
    for (let i = 0; i < columns; i++) {
      let width = 0;
      for (let j = i; j < length; j += columns) if (lengths[j] > width) width = lengths[j];
      widths.push(width + 2);
    }
    const pad = value !== undefined && Array.from(value).slice(0, length).every((v) => typeof v === "number" || typeof v === "bigint") ? "padStart" : "padEnd";
    for (let i = 0; i < length; i += columns) {
      const max = Math.min(i + columns, length);
      let line = "", j = i;
      for (; j < max - 1; j++) line += `${output[j]}, `[pad](widths[j - i]);
      line += pad === "padStart" ? output[j].padStart(widths[j - i] - 2) : output[j];
      grouped.push(line);
    }
    if (length < output.length) grouped.push(output[length]);
    return grouped;
  }
  return output;
}

function inspect(value, options = {}) {
  if (typeof options === "boolean") options = {};
  const context = {
    depth: 2, breakLength: 80, compact: 3, maxArrayLength: 100, sorted: false, ...options,
    indentation: 0, seen: [], circular: new Map(), currentDepth: 0,
  };
  if (context.depth === Infinity) context.depth = null;
  return format(context, value, 0);
}
inspect.custom = custom;
inspect.defaultOptions = {};

function formatText(...values) {
  const options = values[0] !== null && typeof values[0] === "object" && values.withOptions;
  let out = "", at = 0;
  if (typeof values[0] === "string" && values.length > 1) {
    at = 1;
    out = values[0].replace(/%[sdifjoOc%]/g, (mark) => {
      if (mark === "%%") return "%";
      if (at >= values.length) return mark;
      const value = values[at++];
      switch (mark) {
        case "%s": return typeof value === "string" ? value : typeof value === "bigint" ? `${value}n`
          : typeof value === "object" && value !== null ? (hasOwnToString(value) ? String(value) : inspect(value, { depth: 0, compact: 3 }))
          : Object.is(value, -0) ? "-0" : String(value);
        case "%d": return typeof value === "bigint" ? `${value}n` : typeof value === "symbol" ? "NaN" : inspect(Number(value));
        case "%i": return typeof value === "bigint" ? `${value}n` : inspect(parseInt(value));
        case "%f": return inspect(parseFloat(value));
        case "%j": try { return JSON.stringify(value); } catch { return "[Circular]"; }
        case "%o": return inspect(value, { depth: 4 });
        case "%O": return inspect(value);
        default: return "";
      }
    });
  } else if (typeof values[0] === "string") { out = values[0]; at = 1; }
  else if (values.length) { out = inspect(values[0]); at = 1; }
  for (; at < values.length; at++) out += ` ${typeof values[at] === "string" ? values[at] : inspect(values[at])}`;
  return out;
}

function hasOwnToString(value) {
  if (value instanceof Error || value instanceof Date) return true;
  const found = value.toString;
  return typeof found === "function" && found !== Object.prototype.toString && found !== Array.prototype.toString
    && !/\[native code\]/.test(Function.prototype.toString.call(found));
}

// ---- console

let indent = "";
const counts = new Map(), clocks = new Map();
const say = (descriptor, values) => {
  let line = formatText(...values);
  if (indent) line = indent + line.replaceAll("\n", "\n" + indent);
  host.print(descriptor, whole(line) + "\n");
};
const whole = (value) => value.isWellFormed() ? value : value.toWellFormed();
const console = {
  log: (...values) => say(1, values), info: (...values) => say(1, values), debug: (...values) => say(1, values),
  error: (...values) => say(2, values), warn: (...values) => say(2, values),
  trace: (...values) => say(2, [`Trace${values.length ? ": " + formatText(...values) : ""}`]),
  dir: (value, options) => host.print(1, indent + inspect(value, { customInspect: false, ...options }) + "\n"),
  assert: (good, ...values) => { if (!good) say(2, values.length ? (typeof values[0] === "string" ? [`Assertion failed: ${values[0]}`, ...values.slice(1)] : ["Assertion failed", ...values]) : ["Assertion failed"]); },
  count: (label = "default") => { counts.set(label, (counts.get(label) ?? 0) + 1); say(1, [`${label}: ${counts.get(label)}`]); },
  countReset: (label = "default") => { counts.delete(label); },
  group: (...values) => { if (values.length) say(1, values); indent += "  "; },
  groupCollapsed: (...values) => console.group(...values),
  groupEnd: () => { indent = indent.slice(2); },
  time: (label = "default") => { clocks.set(label, host.now()); },
  timeEnd: (label = "default") => { say(1, [`${label}: ${took(host.now() - clocks.get(label))}`]); clocks.delete(label); },
  timeLog: (label = "default", ...values) => say(1, [`${label}: ${took(host.now() - clocks.get(label))}`, ...values]),
  table: (data, columns) => host.print(1, table(data, columns) + "\n"),
};
const took = (ms) => ms >= 1000 ? `${(ms / 1000).toFixed(3)}s` : `${Number(ms.toFixed(3))}ms`;

function table(data, wanted) {
  if (data === null || typeof data !== "object") return formatText(data);
  const rows = data instanceof Map ? [...data] : data instanceof Set ? [...data].map((v, i) => [i, v]) : Object.entries(data);
  const columns = [], cell = (v) => inspect(v, { depth: v !== null && typeof v === "object" && !Array.isArray(v) && Object.keys(v).length > 2 ? -1 : 0, maxArrayLength: 3, breakLength: Infinity });
  let values = false;
  const body = rows.map(([index, row]) => {
    const line = new Map();
    if (row !== null && typeof row === "object") for (const [key, v] of Object.entries(row)) { if (wanted && !wanted.includes(key)) continue; if (!columns.includes(key)) columns.push(key); line.set(key, cell(v)); }
    else { values = true; line.set(rows, cell(row)); }
    return [String(index), line];
  });
  const heads = ["(index)", ...(wanted ?? columns), ...(values ? ["Values"] : [])];
  const lines = body.map(([index, line]) => [index, ...(wanted ?? columns).map((c) => line.get(c) ?? ""), ...(values ? [line.get(rows) ?? ""] : [])]);
  const widths = heads.map((h, i) => Math.max(h.length, ...lines.map((l) => l[i].length)) + 2);
  const show = (cells) => `│${cells.map((c, i) => ` ${c}${" ".repeat(widths[i] - c.length - 1)}`).join("│")}│`;
  const rule = (a, b, c) => a + widths.map((w) => "─".repeat(w)).join(b) + c;
  return [rule("┌", "┬", "┐"), show(heads), rule("├", "┼", "┤"), ...lines.map(show), rule("└", "┴", "┘")].join("\n");
}

// ---- Buffer

class Buffer extends Uint8Array {
  static from(value, encoding, length) {
    if (typeof value === "string") return Buffer.own(decodeText(value, encoding));
    if (value instanceof ArrayBuffer) return new Buffer(value, encoding, length);
    return Buffer.own(Uint8Array.from(value));
  }
  static own(bytes) { return new Buffer(bytes.buffer, bytes.byteOffset, bytes.length); }
  static alloc(size, fill) { const made = new Buffer(size); return fill === undefined ? made : made.fill(typeof fill === "string" ? fill.charCodeAt(0) : fill); }
  static allocUnsafe(size) { return new Buffer(size); }
  static concat(list) { const made = new Buffer(list.reduce((n, b) => n + b.length, 0)); let at = 0; for (const b of list) { made.set(b, at); at += b.length; } return made; }
  static isBuffer(value) { return value instanceof Buffer; }
  static byteLength(value) { return typeof value === "string" ? utf8(value).length : value.byteLength; }
  static compare(a, b) { return a.compare(b); }
  toString(encoding = "utf8", from = 0, to = this.length) { return encodeBytes(this.subarray(from, to), encoding); }
  toJSON() { return { type: "Buffer", data: Array.from(this) }; }
  slice(from, to) { return this.subarray(from, to); }
  equals(other) { return this.compare(other) === 0; }
  compare(other) { for (let i = 0; i < Math.min(this.length, other.length); i++) if (this[i] !== other[i]) return this[i] < other[i] ? -1 : 1; return Math.sign(this.length - other.length); }
  write(value, at = 0) { const bytes = utf8(value).subarray(0, this.length - at); this.set(bytes, at); return bytes.length; }
  copy(to, at = 0, from = 0, end = this.length) { to.set(this.subarray(from, end), at); return end - from; }
  [custom]() { return `<Buffer${Array.from(this.subarray(0, 50), (b) => " " + b.toString(16).padStart(2, "0")).join("")}${this.length > 50 ? ` ... ${this.length - 50} more byte${this.length > 51 ? "s" : ""}` : ""}>`; }
}
for (const [name, method, size] of [["UInt8", "Uint8", 1], ["Int8", "Int8", 1], ["UInt16", "Uint16", 2], ["Int16", "Int16", 2], ["UInt32", "Uint32", 4], ["Int32", "Int32", 4], ["Float", "Float32", 4], ["Double", "Float64", 8], ["BigUInt64", "BigUint64", 8], ["BigInt64", "BigInt64", 8]])
  for (const end of size === 1 ? [""] : ["LE", "BE"]) {
    const view = (b) => new DataView(b.buffer, b.byteOffset, b.length);
    Buffer.prototype[`read${name}${end}`] = function (at = 0) { return view(this)[`get${method}`](at, end === "LE"); };
    Buffer.prototype[`write${name}${end}`] = function (value, at = 0) { view(this)[`set${method}`](at, value, end === "LE"); return at + size; };
  }

function decodeText(value, encoding = "utf8") {
  switch (String(encoding).toLowerCase()) {
    case "hex": return Uint8Array.from(value.match(/[0-9a-f]{2}/gi) ?? [], (h) => parseInt(h, 16));
    case "base64": case "base64url": return Uint8Array.from(atob(value.replace(/-/g, "+").replace(/_/g, "/").replace(/[^A-Za-z0-9+/]/g, "")), (c) => c.charCodeAt(0));
    case "latin1": case "binary": case "ascii": return Uint8Array.from(value, (c) => c.charCodeAt(0));
    default: return utf8(value);
  }
}

function encodeBytes(bytes, encoding) {
  const binary = () => Array.from(bytes, (b) => String.fromCharCode(b)).join("");
  switch (String(encoding).toLowerCase()) {
    case "hex": return Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
    case "base64": return btoa(binary());
    case "base64url": return btoa(binary()).replace(/\+/g, "-").replace(/\//g, "_").replace(/=/g, "");
    case "latin1": case "binary": return binary();
    case "ascii": return binary().replace(/[\x80-\xff]/g, (c) => String.fromCharCode(c.charCodeAt(0) & 127));
    default: return text(bytes);
  }
}

class TextEncoder { get encoding() { return "utf-8"; } encode(value = "") { return utf8(String(value)); } }
class TextDecoder { constructor() { this.encoding = "utf-8"; } decode(bytes = new Uint8Array()) { const all = ArrayBuffer.isView(bytes) ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength) : new Uint8Array(bytes); return text(all).replace(/^\ufeff/, ""); } }

// ---- files

// The numbers of wasi-libc, and what Linux calls them.
const errors = { 2: ["EACCES", "permission denied", -13], 20: ["EEXIST", "file already exists", -17], 31: ["EISDIR", "illegal operation on a directory", -21], 44: ["ENOENT", "no such file or directory", -2], 54: ["ENOTDIR", "not a directory", -20], 55: ["ENOTEMPTY", "directory not empty", -39], 63: ["EPERM", "operation not permitted", -1], 76: ["EPERM", "operation not permitted", -1], 8: ["EBADF", "bad file descriptor", -9], 51: ["ENOSPC", "no space left on device", -28] };
function attempt(call, path, what, other) {
  try { return what(); } catch (error) {
    if (error.errno === undefined) throw error;
    const [code, message, errno] = errors[error.errno] ?? [`E${error.errno}`, error.message, -error.errno];
    const paths = path === undefined ? "" : ` '${path}'${other ? ` -> '${other}'` : ""}`;
    throw Object.assign(new Error(`${code}: ${message}, ${call}${paths}`), { errno, code, syscall: call, ...(path === undefined ? {} : { path }) });
  }
}
const at = (path) => { const p = String(path); return p.startsWith("/") ? p : resolve(process.cwd(), p); };
const encodingOf = (options) => typeof options === "string" ? options : options?.encoding;
function readAll(descriptor) {
  const parts = [];
  for (;;) { const part = host.read(descriptor, 65536); if (!part.length) break; parts.push(part); }
  return Buffer.concat(parts);
}
const bytesOf = (data, options) => typeof data === "string" ? decodeText(data, encodingOf(options)) : ArrayBuffer.isView(data) ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : utf8(String(data));
function store(path, data, options, mode) {
  const flag = options?.flag ?? mode;
  if (typeof path === "number") { host.write(path, bytesOf(data, options)); return; }
  const descriptor = attempt("open", path, () => host.open(at(path), flag));
  try { host.write(descriptor, bytesOf(data, options)); } finally { host.close(descriptor); }
}
function stats(path, follow, call) {
  const [file, directory, link, size, modified, ino, nlink] = attempt(call, path, () => host.stat(at(path), follow));
  return { size, mtimeMs: modified, mtime: new Date(modified), ino, nlink, isFile: () => !!file, isDirectory: () => !!directory, isSymbolicLink: () => !!link };
}
const fs = {
  readFileSync(path, options) {
    const encoding = encodingOf(options);
    let all;
    if (path === 0 || path === "/dev/stdin") all = readAll(0);
    else if (typeof path === "number") all = readAll(path);
    else {
      const descriptor = attempt("open", path, () => host.open(at(path), "r"));
      try { all = attempt("read", undefined, () => readAll(descriptor)); } finally { host.close(descriptor); }
    }
    return encoding ? encodeBytes(all, encoding) : all;
  },
  writeFileSync: (path, data, options) => store(path, data, options, "w"),
  appendFileSync: (path, data, options) => store(path, data, options, "a"),
  existsSync: (path) => { try { host.stat(at(path), true); return true; } catch { return false; } },
  accessSync: (path) => { stats(path, true, "access"); },
  statSync: (path, options) => { if (options?.throwIfNoEntry === false && !fs.existsSync(path)) return undefined; return stats(path, true, "stat"); },
  lstatSync: (path) => stats(path, false, "lstat"),
  readdirSync(path, options) {
    const names = attempt("scandir", path, () => host.list(at(path))).sort();
    if (!options?.withFileTypes) return names;
    return names.map((name) => ({ name, parentPath: path, ...pick(stats(`${path}/${name}`, false, "lstat")) }));
  },
  mkdirSync(path, options) {
    if (!options?.recursive) { attempt("mkdir", path, () => host.makeDirectory(at(path))); return; }
    let done = "";
    for (const part of at(path).split("/").slice(1)) { done += `/${part}`; if (!fs.existsSync(done)) attempt("mkdir", path, () => host.makeDirectory(done)); }
  },
  unlinkSync: (path) => { attempt("unlink", path, () => host.removeFile(at(path))); },
  rmdirSync: (path) => { attempt("rmdir", path, () => host.removeDirectory(at(path))); },
  rmSync(path, options) {
    if (!fs.existsSync(path)) { if (options?.force) return; stats(path, false, "rm"); }
    if (!fs.lstatSync(path).isDirectory()) return fs.unlinkSync(path);
    for (const name of fs.readdirSync(path)) fs.rmSync(`${path}/${name}`, options);
    fs.rmdirSync(path);
  },
  renameSync: (from, to) => { attempt("rename", from, () => host.rename(at(from), at(to)), to); },
  copyFileSync: (from, to) => { fs.writeFileSync(to, fs.readFileSync(from)); },
  openSync: (path, mode = "r") => attempt("open", path, () => host.open(at(path), mode)),
  closeSync: (descriptor) => { host.close(descriptor); },
  readSync(descriptor, buffer, offset = 0, length = buffer.length - offset) { const part = host.read(descriptor, length); buffer.set(part, offset); return part.length; },
  writeSync(descriptor, data) { const bytes = bytesOf(data); host.write(descriptor, bytes); return bytes.length; },
  constants: { F_OK: 0, R_OK: 4, W_OK: 2, X_OK: 1 },
};
const pick = (s) => ({ isFile: s.isFile, isDirectory: s.isDirectory, isSymbolicLink: s.isSymbolicLink });
fs.promises = {};
for (const name of Object.keys(fs).filter((n) => n.endsWith("Sync"))) {
  const short = name.slice(0, -4);
  fs.promises[short] = async (...values) => fs[name](...values);
  fs[short] ??= (...values) => {
    const done = values.pop();
    let error = null, result;
    try { result = fs[name](...values); } catch (caught) { error = caught; }
    setImmediate(() => short === "exists" ? done(result) : error ? done(error) : done(null, result));
  };
}

function normalizePath(path) {
  const absolute = path.startsWith("/"), out = [];
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    if (part === ".." && out.length && out.at(-1) !== "..") out.pop();
    else if (part !== ".." || !absolute) out.push(part);
  }
  const joined = out.join("/") + (path.endsWith("/") && out.length ? "/" : "");
  return absolute ? `/${joined}` : joined || ".";
}
function resolve(...parts) {
  let path = "";
  for (const part of parts.reverse()) { if (!part) continue; path = path ? `${part}/${path}` : part; if (part.startsWith("/")) break; }
  if (!path.startsWith("/")) path = `${process.cwd()}/${path}`;
  path = normalizePath(path);
  return path.length > 1 && path.endsWith("/") ? path.slice(0, -1) : path;
}
const path = {
  sep: "/", delimiter: ":", normalize: normalizePath, resolve,
  join: (...parts) => normalizePath(parts.filter((p) => p).join("/") || "."),
  isAbsolute: (p) => p.startsWith("/"),
  dirname: (p) => { const m = p.replace(/(.)\/+$/, "$1").match(/^(.*?)\/+[^/]*$/s); return m ? m[1] || "/" : "."; },
  basename: (p, end = "") => { const b = p.replace(/\/+$/, "").split("/").at(-1); return end && b !== end && b.endsWith(end) ? b.slice(0, -end.length) : b; },
  extname: (p) => { const b = path.basename(p), i = b.lastIndexOf("."); return i > 0 ? b.slice(i) : ""; },
  parse: (p) => { const base = path.basename(p), ext = path.extname(p), root = p.startsWith("/") ? "/" : ""; const dir = path.dirname(p); return { root, dir: dir === "." && !p.startsWith(".") ? "" : dir, base, ext, name: ext ? base.slice(0, -ext.length) : base }; },
  format: (o) => (o.dir ? `${o.dir === o.root ? o.root : `${o.dir}/`}` : o.root ?? "") + (o.base ?? (o.name ?? "") + (o.ext ?? "")),
  relative: (from, to) => { const a = resolve(from).split("/"), b = resolve(to).split("/"); while (a.length && b.length && a[0] === b[0]) { a.shift(); b.shift(); } return [...a.filter(Boolean).map(() => ".."), ...b].join("/"); },
};
path.posix = path;

// ---- events, util, assert and others

class EventEmitter {
  on(name, listener) { ((this._events ??= Object.create(null))[name] ??= []).push(listener); return this; }
  addListener(name, listener) { return this.on(name, listener); }
  prependListener(name, listener) { ((this._events ??= Object.create(null))[name] ??= []).unshift(listener); return this; }
  once(name, listener) { const once = (...values) => { this.off(name, once); return listener.apply(this, values); }; once.listener = listener; return this.on(name, once); }
  off(name, listener) { const list = this._events?.[name]; if (list) this._events[name] = list.filter((l) => l !== listener && l.listener !== listener); return this; }
  removeListener(name, listener) { return this.off(name, listener); }
  removeAllListeners(name) { if (this._events) { if (name === undefined) this._events = undefined; else delete this._events[name]; } return this; }
  emit(name, ...values) {
    const list = this._events?.[name];
    if (!list?.length) { if (name === "error") throw values[0] instanceof Error ? values[0] : new Error(`Unhandled error. (${inspect(values[0])})`); return false; }
    for (const listener of [...list]) listener.apply(this, values);
    return true;
  }
  listenerCount(name) { return this._events?.[name]?.length ?? 0; }
  listeners(name) { return (this._events?.[name] ?? []).map((l) => l.listener ?? l); }
  eventNames() { return Reflect.ownKeys(this._events ?? {}).filter((n) => this._events[n].length); }
  setMaxListeners() { return this; }
}
EventEmitter.EventEmitter = EventEmitter;
EventEmitter.once = (emitter, name) => new Promise((done, fail) => { emitter.once(name, (...values) => done(values)); if (name !== "error") emitter.once("error", fail); });

function same(a, b, strict) {
  if (strict ? Object.is(a, b) : a == b || (a !== a && b !== b)) return true;
  if (a === null || b === null || typeof a !== "object" || typeof b !== "object") return false;
  if (strict && Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false;
  if (a instanceof Date && b instanceof Date) return a.getTime() === b.getTime();
  if (a instanceof RegExp && b instanceof RegExp) return String(a) === String(b);
  if (a instanceof Error && (a.message !== b.message || a.name !== b.name)) return false;
  if (a instanceof Map) return b instanceof Map && a.size === b.size && [...a].every(([k, v]) => b.has(k) && same(v, b.get(k), strict));
  if (a instanceof Set) return b instanceof Set && a.size === b.size && [...a].every((v) => b.has(v) || [...b].some((w) => same(v, w, strict)));
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((k) => Object.hasOwn(b, k) && same(a[k], b[k], strict));
}
class AssertionError extends Error {
  constructor({ message, actual, expected, operator }) { super(message); this.name = "AssertionError"; this.code = "ERR_ASSERTION"; this.generatedMessage = false; Object.assign(this, { actual, expected, operator }); }
}
const check = (good, message, actual, expected, operator, text) => { if (good) return; if (message instanceof Error) throw message; throw new AssertionError({ message: message ?? text, actual, expected, operator }); };
const assert = (value, message) => check(value, message, value, true, "==", "The expression evaluated to a falsy value");
Object.assign(assert, {
  ok: assert, AssertionError,
  equal: (a, b, m) => check(a == b || (a !== a && b !== b), m, a, b, "==", `${inspect(a)} == ${inspect(b)}`),
  notEqual: (a, b, m) => check(a != b, m, a, b, "!=", `${inspect(a)} != ${inspect(b)}`),
  strictEqual: (a, b, m) => check(Object.is(a, b), m, a, b, "strictEqual", `Expected values to be strictly equal:\n\n${inspect(a)} !== ${inspect(b)}\n`),
  notStrictEqual: (a, b, m) => check(!Object.is(a, b), m, a, b, "notStrictEqual", `Expected "actual" to be strictly unequal to: ${inspect(b)}`),
  deepEqual: (a, b, m) => check(same(a, b, false), m, a, b, "deepEqual", `Expected values to be loosely deep-equal:\n\n${inspect(a)}\n\nshould loosely deep-equal\n\n${inspect(b)}`),
  deepStrictEqual: (a, b, m) => check(same(a, b, true), m, a, b, "deepStrictEqual", `Expected values to be strictly deep-equal:\n\n${inspect(a)}\n\nshould equal\n\n${inspect(b)}`),
  throws: (what, expected, m) => { try { what(); } catch (error) { if (expected instanceof RegExp && !expected.test(String(error))) throw error; if (typeof expected === "function" && expected.prototype !== undefined && !(error instanceof expected)) throw error; return; } check(false, typeof expected === "string" ? expected : m, undefined, expected, "throws", "Missing expected exception."); },
  doesNotThrow: (what) => what(),
  rejects: async (what, expected) => { try { await (typeof what === "function" ? what() : what); } catch (error) { if (expected instanceof RegExp && !expected.test(String(error))) throw error; return; } check(false, undefined, undefined, expected, "rejects", "Missing expected rejection."); },
  fail: (m) => check(false, m ?? "Failed", undefined, undefined, "fail"),
  match: (t, r, m) => check(r.test(t), m, t, r, "match", `The input did not match the regular expression ${r}. Input:\n\n${inspect(t)}\n`),
});
assert.strict = assert;

const util = {
  inspect, format: formatText, TextEncoder, TextDecoder,
  promisify: (what) => (...values) => new Promise((done, fail) => what(...values, (error, value) => error ? fail(error) : done(value))),
  inherits: (child, parent) => { Object.setPrototypeOf(child.prototype, parent.prototype); },
  isDeepStrictEqual: (a, b) => same(a, b, true), deprecate: (what) => what,
  types: { isPromise: (v) => v instanceof Promise, isDate: (v) => v instanceof Date, isRegExp: (v) => v instanceof RegExp },
};
const os = { EOL: "\n", platform: () => "linux", tmpdir: () => "/tmp", homedir: () => process.env.HOME ?? "/", cpus: () => [], type: () => "Linux", arch: () => "x64", hostname: () => "localhost" };
// FIPS 180-4 and RFC 1321, over whole messages: enough for checksums of what is in memory.
const K256 = [], H256 = [];
for (let n = 2; K256.length < 64; n++) {
  let prime = true;
  for (let d = 2; d * d <= n; d++) if (n % d === 0) { prime = false; break; }
  if (!prime) continue;
  if (H256.length < 8) H256.push((n ** 0.5 % 1) * 2 ** 32 | 0);
  K256.push((Math.cbrt(n) % 1) * 2 ** 32 | 0);
}
const rotl = (x, n) => x << n | x >>> 32 - n, rotr = (x, n) => x >>> n | x << 32 - n;
function padded(bytes, little) {
  const all = new Uint8Array((bytes.length + 8 >> 6) + 1 << 6), view = new DataView(all.buffer);
  all.set(bytes); all[bytes.length] = 0x80;
  view.setBigUint64(all.length - 8, BigInt(bytes.length) * 8n, little);
  return view;
}
const HASHES = {
  sha256(bytes) {
    const h = H256.slice(), view = padded(bytes, false), w = new Int32Array(64);
    for (let at = 0; at < view.byteLength; at += 64) {
      for (let i = 0; i < 64; i++) w[i] = i < 16 ? view.getInt32(at + 4 * i)
        : (rotr(w[i - 2], 17) ^ rotr(w[i - 2], 19) ^ w[i - 2] >>> 10) + w[i - 7] + (rotr(w[i - 15], 7) ^ rotr(w[i - 15], 18) ^ w[i - 15] >>> 3) + w[i - 16];
      let [a, b, c, d, e, f, g, k] = h;
      for (let i = 0; i < 64; i++) {
        const t = k + (rotr(e, 6) ^ rotr(e, 11) ^ rotr(e, 25)) + (e & f ^ ~e & g) + K256[i] + w[i] | 0;
        const u = (rotr(a, 2) ^ rotr(a, 13) ^ rotr(a, 22)) + (a & b ^ a & c ^ b & c) | 0;
        k = g; g = f; f = e; e = d + t | 0; d = c; c = b; b = a; a = t + u | 0;
      }
      [a, b, c, d, e, f, g, k].forEach((v, i) => { h[i] = h[i] + v | 0; });
    }
    return words(h, false);
  },
  sha1(bytes) {
    const h = [0x67452301, 0xefcdab89 | 0, 0x98badcfe | 0, 0x10325476, 0xc3d2e1f0 | 0], view = padded(bytes, false), w = new Int32Array(80);
    for (let at = 0; at < view.byteLength; at += 64) {
      for (let i = 0; i < 80; i++) w[i] = i < 16 ? view.getInt32(at + 4 * i) : rotl(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
      let [a, b, c, d, e] = h;
      for (let i = 0; i < 80; i++) {
        const f = i < 20 ? (b & c | ~b & d) + 0x5a827999 : i < 40 ? (b ^ c ^ d) + 0x6ed9eba1 : i < 60 ? (b & c | b & d | c & d) + 0x8f1bbcdc : (b ^ c ^ d) + 0xca62c1d6;
        const t = rotl(a, 5) + f + e + w[i] | 0;
        e = d; d = c; c = rotl(b, 30); b = a; a = t;
      }
      [a, b, c, d, e].forEach((v, i) => { h[i] = h[i] + v | 0; });
    }
    return words(h, false);
  },
  md5(bytes) {
    const h = [0x67452301, 0xefcdab89 | 0, 0x98badcfe | 0, 0x10325476], view = padded(bytes, true);
    const turns = [[7, 12, 17, 22], [5, 9, 14, 20], [4, 11, 16, 23], [6, 10, 15, 21]];
    for (let at = 0; at < view.byteLength; at += 64) {
      let [a, b, c, d] = h;
      for (let i = 0; i < 64; i++) {
        const round = i >> 4;
        const f = [b & c | ~b & d, d & b | ~d & c, b ^ c ^ d, c ^ (b | ~d)][round], g = [i, 5 * i + 1, 3 * i + 5, 7 * i][round] % 16;
        const t = a + f + Math.floor(Math.abs(Math.sin(i + 1)) * 2 ** 32) + view.getInt32(at + 4 * g, true) | 0;
        a = d; d = c; c = b; b = b + rotl(t, turns[round][i % 4]) | 0;
      }
      [a, b, c, d].forEach((v, i) => { h[i] = h[i] + v | 0; });
    }
    return words(h, true);
  },
};
function words(list, little) { const view = new DataView(new ArrayBuffer(4 * list.length)); list.forEach((v, i) => view.setInt32(4 * i, v, little)); return new Uint8Array(view.buffer); }
function createHash(name) {
  const hash = HASHES[String(name).toLowerCase()];
  if (!hash) throw Object.assign(new Error("Digest method not supported"), { code: "ERR_CRYPTO_INVALID_DIGEST" });
  const parts = [];
  return { update(data, encoding) { parts.push(bytesOf(data, encoding)); return this; }, digest(encoding) { const out = Buffer.own(hash(Buffer.concat(parts))); return encoding ? out.toString(encoding) : out; } };
}
const uuid = () => { const b = host.random(16); b[6] = b[6] & 15 | 64; b[8] = b[8] & 63 | 128; return encodeBytes(b, "hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5"); };
const crypto = {
  createHash,
  randomUUID: uuid, randomBytes: (n) => Buffer.own(host.random(n)),
  getRandomValues: (view) => { new Uint8Array(view.buffer, view.byteOffset, view.byteLength).set(host.random(view.byteLength)); return view; },
  randomInt: (low, high) => { if (high === undefined) [low, high] = [0, low]; return low + Math.floor(Math.random() * (high - low)); },
};
const readline = {
  createInterface() {
    const made = new EventEmitter();
    const lines = () => { const all = fs.readFileSync(0, "utf8"); const list = all.split(/\r?\n/); if (list.at(-1) === "") list.pop(); return list; };
    let used = false, closed = false;
    made.close = () => { if (!closed) { closed = true; made.emit("close"); } };
    made.question = (query, done) => { host.print(1, query); const pending = made.pending ??= lines(); used = true; setImmediate(() => { if (pending.length) done(pending.shift()); }); };
    made.prompt = () => {}; made.setPrompt = () => {};
    made[Symbol.asyncIterator] = async function* () { used = true; yield* lines(); };
    setImmediate(() => { if (used) return; for (const line of lines()) { if (closed) break; made.emit("line", line); } made.close(); });
    return made;
  },
};

// ---- process, timers

// The engine's own `performance` counts from when the engine was made.
let began = 0, beganAt = 0;
const performance = {
  now: () => host.now() - began,
  get timeOrigin() { return beganAt; },
  toJSON() { return { timeOrigin: beganAt }; },
};
const unhandled = new Map(), states = new WeakMap(), ticks = [];
let timers = [], immediates = [], serial = 0;
class Exit { constructor(code) { this.code = code; } }
const process = Object.assign(new EventEmitter(), {
  argv: [], argv0: "node", execPath: "/usr/bin/node", execArgv: [], env: {}, pid: 1, ppid: 0, platform: "linux", arch: "x64", title: "node",
  version: "v20.0.0", versions: { node: "20.0.0", quickjs: "0.16.2" }, release: { name: "node" }, exitCode: undefined, features: {},
  cwd: () => files.directory, chdir: (to) => { files.directory = resolve(to); },
  exit: (code) => { leave(code ?? process.exitCode ?? 0); },
  nextTick: (what, ...values) => { ticks.push(() => what(...values)); },
  hrtime: Object.assign((since) => { const now = host.now(), s = Math.floor(now / 1e3), n = Math.round(now % 1e3 * 1e6); return since ? [s - since[0] - (n < since[1] ? 1 : 0), (n - since[1] + 1e9) % 1e9] : [s, n]; }, { bigint: () => BigInt(Math.round(host.now() * 1e6)) }),
  uptime: () => (host.now() - began) / 1e3, memoryUsage: () => ({ rss: 0, heapTotal: 0, heapUsed: 0, external: 0, arrayBuffers: 0 }), umask: () => 18,
  emitWarning: (w) => host.print(2, `(node:1) ${w.name ?? "Warning"}: ${w.message ?? w}\n`), getuid: () => 0,
  stdout: out(1), stderr: out(2),
});
function out(descriptor) {
  return Object.assign(new EventEmitter(), { fd: descriptor, isTTY: undefined, writable: true,
    write(data, ...rest) { typeof data === "string" ? host.print(descriptor, whole(data)) : host.write(descriptor, data); const done = rest.at(-1); if (typeof done === "function") process.nextTick(done); return true; },
    end(data) { if (data !== undefined) this.write(data); } });
}
process.stdin = Object.assign(new EventEmitter(), {
  fd: 0, isTTY: undefined, setEncoding(name) { this.encoding = name; return this; }, resume() { this.begin(); return this; }, pause() { return this; },
  begin() { if (this.begun) return; this.begun = true; setImmediate(() => { const all = readAll(0); if (all.length) this.emit("data", this.encoding ? all.toString(this.encoding) : all); this.emit("end"); this.emit("close"); }); },
  on(name, listener) { EventEmitter.prototype.on.call(this, name, listener); if (name === "data" || name === "readable") this.begin(); return this; },
  async *[Symbol.asyncIterator]() { const all = readAll(0); if (all.length) yield this.encoding ? all.toString(this.encoding) : all; },
});
function leave(code) {
  process.exitCode = code;
  if (!process.exiting) { process.exiting = true; process.emit("exit", code); }
  host.exit(Number(process.exitCode) | 0);
}

class Timeout { constructor(id) { this.id = id; } ref() { return this; } unref() { this.idle = true; return this; } hasRef() { return !this.idle; } refresh() { this.due = host.now() + this.every; return this; } [Symbol.toPrimitive]() { return this.id; } close() { clearTimeout(this); return this; } }
function later(what, delay, values, repeat) {
  if (typeof what !== "function") throw Object.assign(new TypeError(`The "callback" argument must be of type function. Received ${inspect(what)}`), { code: "ERR_INVALID_ARG_TYPE" });
  delay = Number(delay); if (!(delay >= 1 && delay <= 0x7fffffff)) delay = 1; delay = Math.trunc(delay);
  const timer = Object.assign(new Timeout(++serial), { what, values, every: delay, repeat, due: host.now() + delay });
  timers.push(timer);
  return timer;
}
const setTimeout = (what, delay, ...values) => later(what, delay, values, false);
const setInterval = (what, delay, ...values) => later(what, delay, values, true);
const clearTimeout = (timer) => { const id = typeof timer === "object" ? timer?.id : Number(timer); timers = timers.filter((t) => t.id !== id); };
const setImmediate = (what, ...values) => { const made = { what, values }; immediates.push(made); return made; };
const clearImmediate = (made) => { if (made) made.gone = true; };

function settle() {
  do {
    while (ticks.length) guard(ticks.shift());
    let jobs = true;
    while (jobs) { try { jobs = host.job(); } catch (error) { fatal(error); } }
  } while (ticks.length);
  for (const [promise, reason] of unhandled) {
    unhandled.delete(promise);
    if (process.listenerCount("unhandledRejection")) { guard(() => process.emit("unhandledRejection", reason, promise)); continue; }
    fatal(reason, true);
  }
  if (ticks.length) settle();
}
function guard(what) { try { what(); } catch (error) { fatal(error); } }

function loop() {
  for (;;) {
    settle();
    // Clocks of loops count whole milliseconds.
    const now = host.now() + 1;
    for (const timer of timers.filter((t) => t.due <= now).sort((a, b) => a.due - b.due || a.id - b.id)) {
      if (!timers.includes(timer)) continue;
      if (timer.repeat) timer.due = host.now() + timer.every; else timers.splice(timers.indexOf(timer), 1);
      guard(() => timer.what(...timer.values)); settle();
    }
    const due = immediates; immediates = [];
    for (const one of due) if (!one.gone) { guard(() => one.what(...one.values)); settle(); }
    if (immediates.length) continue;
    const waiting = timers.filter((t) => !t.idle);
    if (!waiting.length) {
      const before = serial;
      if (!files.over) { files.over = true; guard(() => process.emit("beforeExit", process.exitCode ?? 0)); settle(); if (serial !== before || immediates.length) { files.over = false; continue; } }
      return;
    }
    const wait = Math.min(...waiting.map((t) => t.due)) - host.now();
    if (wait > 0) host.sleep(wait);
  }
}

function fatal(error, promise = false) {
  if (process.listenerCount("uncaughtException") && !files.dying) { files.dying = true; try { process.emit("uncaughtException", error, promise ? "unhandledRejection" : "uncaughtException"); files.dying = false; return; } catch (second) { error = second; } }
  let head = "";
  const isError = error instanceof Error;
  const place = isError && /(\/[^\s()]+):(\d+):(\d+)\)?$/m.exec(error.stack ?? "");
  if (place && typeof files[place[1]] === "string") {
    const line = files[place[1]].split("\n")[place[2] - 1] ?? "";
    head = `${place[1]}:${place[2]}\n${line}\n${" ".repeat(Math.max(0, place[3] - 1))}^\n\n`;
  }
  if (isError) host.print(2, `${head}${inspect(error)}\n\nNode.js ${process.version}\n`);
  else if (promise) host.print(2, `node:internal/process/promises\n\n[UnhandledPromiseRejection: This error originated either by throwing inside of an async function without a catch block, or by rejecting a promise which was not handled with .catch(). The promise rejected with the reason "${typeof error === "string" ? error : inspect(error)}".] {\n  code: 'ERR_UNHANDLED_REJECTION'\n}\n\nNode.js ${process.version}\n`);
  else host.print(2, `Uncaught:\n${inspect(error)}\n(Use \`node --trace-uncaught ...\` to show where the exception was thrown)\n\nNode.js ${process.version}\n`);
  process.exitCode = 1;
  leave(1);
}

// ---- modules

const builtins = { fs, path, util, os, events: EventEmitter, assert, crypto, readline, process, console, buffer: { Buffer }, timers: { setTimeout, setInterval, setImmediate, clearTimeout, clearInterval: clearTimeout, clearImmediate }, perf_hooks: { performance }, url: {}, string_decoder: {}, "fs/promises": fs.promises, "path/posix": path, "assert/strict": assert, "timers/promises": { setTimeout: (delay, value) => new Promise((done) => setTimeout(done, delay, value)), setImmediate: (value) => new Promise((done) => setImmediate(done, value)) }, "util/types": util.types };
delete builtins.url; delete builtins.string_decoder;
builtins.readline.promises = { createInterface: () => { const made = readline.createInterface(); const ask = made.question; made.question = (query) => new Promise((done) => ask(query, done)); return made; } };
builtins["readline/promises"] = builtins.readline.promises;
const cache = {};
const strip = (name) => name.replace(/^node:/, "");
const missing = (name, from) => Object.assign(new Error(`Cannot find module '${name}'\nRequire stack:\n- ${from}`), { code: "MODULE_NOT_FOUND", requireStack: [from] });

function locate(name, directory, from) {
  const tries = (base) => [base, `${base}.js`, `${base}.json`, `${base}.cjs`, `${base}.mjs`, `${base}/index.js`].find((p) => { try { return host.stat(p, true)[0]; } catch { return false; } });
  if (/^\.{0,2}\//.test(name) || name === "." || name === "..") { const found = tries(resolve(directory, name)); if (found) return found; throw missing(name, from); }
  for (let up = directory; ; up = path.dirname(up)) {
    const base = `${up === "/" ? "" : up}/node_modules/${name}`;
    let main; try { main = JSON.parse(text(readFile(`${base}/package.json`))).main; } catch {}
    const found = (main && tries(resolve(base, main))) || tries(base);
    if (found) return found;
    if (up === "/") throw missing(name, from);
  }
}
const readFile = (name) => { const d = host.open(name, "r"); try { return readAll(d); } finally { host.close(d); } };

function requireFor(from) {
  const require = (name) => {
    if (Object.hasOwn(builtins, strip(name))) return builtins[strip(name)];
    const file = locate(name, path.dirname(from), from);
    return (cache[file] ?? load(file, text(readFile(file)))).exports;
  };
  require.resolve = (name) => Object.hasOwn(builtins, strip(name)) ? name : locate(name, path.dirname(from), from);
  require.cache = cache; require.main = files.main;
  return require;
}
function load(file, source) {
  const module = { id: file, filename: file, path: path.dirname(file), exports: {}, loaded: false, children: [], paths: [] };
  if (!files.main) { files.main = module; module.id = "."; }
  cache[file] = module;
  if (file.endsWith(".json")) { module.exports = JSON.parse(source); return module; }
  files[file] = source;
  try {
    // On the line of the program's first, so that lines stay what they are.
    files.wrapped[file] = true;
    const wrapped = host.evaluate(`${HEAD}${source.replace(/^\ufeff/, "").replace(/^#!/, "//")}\n})`, file, 1, false);
    const require = requireFor(file); require.main = files.main; module.require = require;
    wrapped.call(module.exports, module.exports, require, module, file, path.dirname(file));
  } catch (error) { delete cache[file]; throw error; }
  module.loaded = true;
  return module;
}

const isModule = (name, source) => name.endsWith(".mjs") || (!name.endsWith(".cjs") && /^\s*(import\s*[\w{*"']|export\s+(default|const|let|var|function|class|async|\{|\*))/m.test(source));

Object.assign(process.versions, {});
for (const [name, value] of Object.entries({
  console, process, performance, Buffer, TextEncoder, TextDecoder, setTimeout, setInterval, setImmediate, clearTimeout, clearInterval: clearTimeout, clearImmediate, crypto,
  global: globalThis, structuredClone: (value) => clone(value, new Map()),
})) Object.defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: false });

// Without Intl: what American English would say, for plain numbers.
Number.prototype.toLocaleString = function (locale, options = {}) {
  if (!Number.isFinite(+this)) return String(this).replace("Infinity", "∞");
  const least = options.minimumFractionDigits ?? 0, most = options.maximumFractionDigits ?? Math.max(least, 3);
  let [whole, part = ""] = Math.abs(this).toFixed(most).split(".");
  while (part.length > least && part.endsWith("0")) part = part.slice(0, -1);
  return (this < 0 ? "-" : "") + whole.replace(/\B(?=(\d{3})+$)/g, ",") + (part ? `.${part}` : "");
};

function clone(value, seen) {
  if (value === null || typeof value !== "object") { if (typeof value === "function" || typeof value === "symbol") throw new DOMException(`${String(value)} could not be cloned.`, "DataCloneError"); return value; }
  if (seen.has(value)) return seen.get(value);
  const keep = (made) => { seen.set(value, made); return made; };
  if (value instanceof Date) return keep(new Date(value.getTime()));
  if (value instanceof RegExp) return keep(new RegExp(value.source, value.flags));
  if (value instanceof Map) { const made = keep(new Map()); for (const [k, v] of value) made.set(clone(k, seen), clone(v, seen)); return made; }
  if (value instanceof Set) { const made = keep(new Set()); for (const v of value) made.add(clone(v, seen)); return made; }
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return keep(value.slice());
  if (value instanceof Error) { const made = keep(new (globalThis[value.name] ?? Error)(value.message)); made.stack = value.stack; return made; }
  const made = keep(Array.isArray(value) ? new Array(value.length) : {});
  for (const key of Object.keys(value)) made[key] = clone(value[key], seen);
  return made;
}

// Programs look at some messages, and people know them.
const REWORDED = [
  [/^cannot read property '(.*)' of (null|undefined)$/, (_, key, of) => `Cannot read properties of ${of} (reading '${key}')`],
  [/^cannot set property '(.*)' of (null|undefined)$/, (_, key, of) => `Cannot set properties of ${of} (setting '${key}')`],
  [/^'(.*)' is read-only$/, () => "Assignment to constant variable."],
];
function reword(error) {
  if (!(error instanceof TypeError) || typeof error.message !== "string") return;
  for (const [pattern, words] of REWORDED)
    if (pattern.test(error.message)) { error.message = error.message.replace(pattern, words); return; }
}

// Node's stacks begin with the error itself, and show nothing of what is around the program.
Error.prepareStackTrace = (error, sites) => {
  let name, message;
  reword(error);
  try { name = error.name ?? "Error"; message = error.message ?? ""; } catch { name = "Error"; message = ""; }
  let out = name === "" ? String(message) : message === "" ? String(name) : `${name}: ${message}`;
  for (const site of sites) {
    const file = site.getFileName();
    if (!file || file === "native" || file.startsWith("node:") || site.isNative()) continue;
    const line = site.getLineNumber(), column = site.getColumnNumber() - (line === 1 && site.getFileName() in files.wrapped ? HEAD.length : 0);
    const own = site.getFunctionName();
    const shown = own === MAIN ? "Object.<anonymous>" : own === "<anonymous>" || own === "<eval>" ? "" : own;
    out += `\n    at ${shown ? `${shown} (${file}:${line}:${column})` : `${file}:${line}:${column}`}`;
  }
  return out;
};

// The least program with output: what it touches, an instance that waits has touched. A longer one
// would make a run sooner still, and what waits larger. Nothing of it stays.
const REHEARSAL = 'console.log("");';
function rehearse() {
  const file = "/rehearsal.js";
  files.directory = "/";
  load(file, REHEARSAL);
  delete cache[file]; delete files[file]; delete files.wrapped[file];
  files.main = undefined; files.over = false;
  return 0;
}

return {
  rehearse,
  run(source, name, values) {
    began = host.now(); beganAt = Date.now() - (host.now() - began);
    files.directory = fs.existsSync("/work") ? "/work" : "/";
    for (const entry of host.environment()) { const cut = entry.indexOf("="); process.env[entry.slice(0, cut)] = entry.slice(cut + 1); }
    const file = resolve(name);
    process.argv = ["/usr/bin/node", file, ...values];
    try {
      if (isModule(name, source)) { files[file] = source; host.evaluate(source.replace(/^#!/, "//"), file, 1, true).catch((error) => fatal(error)); }
      else load(file, source);
    } catch (error) { fatal(error); }
    loop();
    if (!process.exiting) { process.exiting = true; process.emit("exit", process.exitCode ?? 0); }
    return Number(process.exitCode ?? 0) | 0;
  },
  rejected(promise, reason, handled) { if (handled) unhandled.delete(promise); else unhandled.set(promise, reason); },
  resolve(base, name) { return Object.hasOwn(builtins, strip(name)) ? `node:${strip(name)}` : locate(name, path.dirname(base), base); },
  builtin(name) {
    if (name.startsWith("node:")) return builtins[strip(name)];
    const source = text(readFile(name));
    if (isModule(name, source)) { files[name] = source; return source; }
    const exports = load(name, source).exports;
    return exports !== null && (typeof exports === "object" || typeof exports === "function") ? exports : { default: exports };
  },
};
})
