//! Names that are there without being imported, and what they are good for.

use atoll_types::Capability::{
    self, DynamicCode, Introspection, Network, Randomness, SystemInformation, Threads, Time,
};

/// Names that the passes follow.
const GLOBALS: [&str; 32] = [
    "Array",
    "ArrayBuffer",
    "Atomics",
    "Buffer",
    "Date",
    "EventSource",
    "Function",
    "Math",
    "Object",
    "Proxy",
    "Reflect",
    "SharedArrayBuffer",
    "Symbol",
    "Temporal",
    "WebAssembly",
    "WebSocket",
    "Worker",
    "XMLHttpRequest",
    "arguments",
    "clearInterval",
    "crypto",
    "eval",
    "fetch",
    "module",
    "navigator",
    "performance",
    "process",
    "require",
    "setInterval",
    "setTimeout",
    "SharedWorker",
    "importScripts",
];

/// Whether the name means something of the host wherever it stands.
pub(super) fn is_global(name: &str) -> bool {
    GLOBALS.contains(&name) || is_global_object(name) || is_typed_array(name)
}

/// Whether the name is one of the global object itself.
pub(super) fn is_global_object(name: &str) -> bool {
    matches!(name, "globalThis" | "global" | "window" | "self")
}

/// Whether the name is a constructor of arrays of numbers.
pub(super) fn is_typed_array(name: &str) -> bool {
    let Some(element) = name.strip_suffix("Array") else {
        return false;
    };
    matches!(
        element,
        "Int8"
            | "Uint8"
            | "Uint8Clamped"
            | "Int16"
            | "Uint16"
            | "Int32"
            | "Uint32"
            | "Float16"
            | "Float32"
            | "Float64"
            | "BigInt64"
            | "BigUint64"
    )
}

/// What a global, or a member of it, is good for.
pub(super) fn capabilities(name: &str, path: &[&str]) -> &'static [Capability] {
    match (name, path) {
        ("eval" | "Function", []) | ("WebAssembly" | "importScripts", _) => &[DynamicCode],
        ("fetch" | "WebSocket" | "XMLHttpRequest" | "EventSource", _)
        | ("navigator", ["sendBeacon", ..]) => &[Network],
        ("Worker" | "SharedWorker" | "SharedArrayBuffer", _) => &[Threads],
        ("setTimeout" | "setInterval" | "performance", _)
        | ("Date", ["now", ..])
        | ("Temporal", ["Now", ..])
        | ("Atomics", ["wait" | "waitAsync", ..]) => &[Time],
        ("Math", ["random", ..])
        | ("crypto", ["getRandomValues" | "randomUUID" | "subtle", ..]) => &[Randomness],
        ("Proxy" | "Reflect", _)
        | ("Object", ["setPrototypeOf", ..])
        | ("arguments", ["callee" | "caller", ..])
        | ("require", ["cache" | "extensions", ..]) => &[Introspection],
        ("navigator", _) => &[SystemInformation],
        _ => &[],
    }
}
