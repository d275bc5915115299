mod guessing;

use std::collections::BTreeSet;

use atoll_types::Capability::{
    self, DynamicCode, Environment, FilesRead, FilesWrite, Introspection, NativeCode, Network,
    Processes, Randomness, SystemInformation, Threads, Time, Unanalyzed,
};
use atoll_types::{Analysis, DependencySource, ExecutionClass, ProgramKind};
use proptest::prelude::*;

fn read(text: &str) -> Analysis {
    crate::analyze(ProgramKind::JavaScript, text.as_bytes())
}

fn capabilities(text: &str) -> Vec<Capability> {
    read(text).capabilities.into_iter().collect()
}

fn literals(text: &str) -> Vec<(String, u64)> {
    let literals = read(text).literals.into_iter();
    literals
        .map(|literal| (literal.role, literal.value))
        .collect()
}

#[test]
fn an_ordinary_filter_is_understood_in_full() {
    let analysis = read(include_str!(
        "../../../../examples/json-transform/transform.js"
    ));
    assert_eq!(analysis.problems, []);
    assert_eq!(analysis.capabilities, BTreeSet::new());
    assert_eq!(analysis.dependencies, []);
    assert!(!analysis.recursion);
    assert_eq!(analysis.lines, 67);
    assert_eq!(analysis.functions, 20);
    assert_eq!(analysis.loops, 12);
    assert_eq!(analysis.loop_nesting_max, 2);
    assert_ne!(analysis.execution_class, ExecutionClass::Unbounded);
}

#[test]
fn reading_and_writing_files_are_told_apart_however_they_are_spelled() {
    for text in [
        "const fs = require('fs'); fs.readFileSync(name)",
        "const { readFileSync: load } = require('node:fs'); load(name)",
        "require('fs').promises.readFile(name)",
        "require('fs')['read' + 'FileSync'](name)",
        "import * as files from 'fs/promises'; await files.readFile(name)",
        "import { readFile as r } from 'node:fs/promises'; r(name)",
        "import fs from 'fs'; fs?.readdirSync(name)",
        "const { promises: { stat } } = require('fs'); stat(name)",
        "const load = require('fs').readFileSync; const alias = load; alias(name)",
        "const { stat } = await import('fs'); stat(name)",
        "let fs; fs = require('fs'); fs.readFileSync(name)",
        "globalThis.process.getBuiltinModule; require('fs').existsSync(name)",
    ] {
        assert_eq!(capabilities(text), [FilesRead], "{text}");
    }
    for text in [
        "require('fs').writeFileSync(name, data)",
        "const { createWriteStream } = require('fs'); createWriteStream(name)",
        "import { rm } from 'fs/promises'; rm(name)",
    ] {
        assert_eq!(capabilities(text), [FilesWrite], "{text}");
    }
}

#[test]
fn a_module_that_is_handed_around_counts_as_a_whole() {
    for text in [
        "const fs = require('fs'); use(fs)",
        "module.exports = require('fs')",
        "use((await import('fs')))",
        "const fs = require('fs'); fs[method](name)",
        "const fs = require('fs'); module.exports = { fs }",
        "this.fs = require('fs')",
        "const { [method]: f } = require('fs'); f(name)",
        "export * from 'fs'",
    ] {
        let found = capabilities(text);
        assert!(
            found.contains(&FilesRead) && found.contains(&FilesWrite),
            "{text}"
        );
    }
    // Asking for it alone does nothing.
    assert_eq!(capabilities("const fs = require('fs')"), []);
}

#[test]
fn standard_streams_are_not_files() {
    for text in [
        "require('fs').readFileSync(0)",
        "require('fs').readFileSync('/dev/stdin', 'utf8')",
        "const fs = require('fs'); fs.writeSync(1, text)",
        "require('fs').readFileSync(process.stdin.fd)",
        "process.stdin.on('data', (chunk) => process.stdout.write(chunk))",
    ] {
        assert_eq!(capabilities(text), [], "{text}");
    }
}

#[test]
fn capabilities_are_found() {
    let cases: &[(&str, &[Capability])] = &[
        ("fetch('http://x')", &[Network]),
        ("new WebSocket(address)", &[Network]),
        (
            "const http = require('http'); http.createServer(f).listen(80)",
            &[Network],
        ),
        ("import net from 'node:net'; net.connect(1)", &[Network]),
        ("require('dgram').createSocket('udp4')", &[Network]),
        ("require('http').STATUS_CODES[404]", &[]),
        ("require('child_process').execSync('ls')", &[Processes]),
        (
            "const { spawn } = require('child_process'); spawn('ls')",
            &[Processes],
        ),
        ("process.kill(1)", &[Processes]),
        (
            "const { Worker } = require('worker_threads'); new Worker(file)",
            &[Threads],
        ),
        ("process.env.HOME", &[Environment]),
        ("const { env } = process; env[name]", &[Environment]),
        ("process.env[name]", &[Environment]),
        ("process.dlopen(module, name)", &[NativeCode]),
        ("Date.now()", &[Time]),
        ("new Date()", &[Time]),
        ("new Date(0); Date.parse(text)", &[]),
        ("performance.now()", &[Time]),
        ("setTimeout(() => {}, 5)", &[Time]),
        ("Math.random()", &[Randomness]),
        ("require('crypto').randomBytes(8)", &[Randomness]),
        ("require('crypto').createHash('sha256')", &[]),
        ("crypto.randomUUID()", &[Randomness]),
        ("require('os').cpus()", &[SystemInformation]),
        ("require('os').EOL", &[]),
        ("process.platform", &[SystemInformation]),
        ("use('/proc/self/maps')", &[SystemInformation]),
        ("process.setuid(0)", &[Capability::SystemChange]),
        (
            "require('v8').deserialize(data)",
            &[Capability::UnsafeDeserialization],
        ),
        ("new Proxy({}, {})", &[Introspection]),
        ("Reflect.ownKeys(x)", &[Introspection]),
        ("({}).__proto__.x = 1", &[Introspection]),
        ("WebAssembly.instantiate(bytes)", &[DynamicCode]),
        ("require('./build/addon.node').run()", &[NativeCode]),
        ("require('ffi-napi')", &[NativeCode]),
        ("require('axios').get(url)", &[Network]),
        ("console.log(process.argv[2], process.exit)", &[]),
        (
            "typeof process !== 'undefined' && x instanceof Function",
            &[],
        ),
        ("require.main === module", &[]),
    ];
    for (text, expected) in cases {
        assert_eq!(capabilities(text), *expected, "{text}");
    }
}

#[test]
fn code_made_at_run_time_is_not_understood() {
    for text in [
        "eval(text)",
        "new Function('a', body)",
        "Function(body)()",
        "(0, eval)(text)",
        "const run = eval; run(text)",
        "use(eval)",
        "globalThis.eval(text)",
        "const { eval: e } = globalThis; e(text)",
        "const { global: { eval: e } } = globalThis; e(text)",
        "globalThis[name](text)",
        "globalThis['ev' + 'al'](text)",
        "[]['constructor']['constructor'](text)()",
        "(() => {}).constructor(text)",
        "({}).constructor.constructor",
        "require('vm').runInNewContext(text)",
        "new (require('vm').Script)(text)",
        "require(name)",
        "require('a' + name)",
        "import(name)",
        "use(require)",
        "const load = require; load(name)",
        "module.require(name)",
        "process.getBuiltinModule(name)",
        "process[name]",
        "setTimeout('tick(' + n + ')', 5), eval(n)",
        "import('https://example.com/code.js')",
    ] {
        let found = capabilities(text);
        assert!(found.contains(&DynamicCode), "{text}: {found:?}");
        assert!(found.contains(&Unanalyzed), "{text}: {found:?}");
    }
}

#[test]
fn constant_code_is_read_like_the_rest() {
    assert_eq!(capabilities("eval('1 + 1')"), [DynamicCode]);
    assert_eq!(capabilities("eval(\"fetch('x')\")"), [Network, DynamicCode]);
    assert_eq!(
        capabilities("new Function('return process.env')()"),
        [DynamicCode, Environment]
    );
    assert_eq!(
        capabilities(r#"eval("eval('eval(\\'eval(1)\\')')")"#),
        [DynamicCode, Unanalyzed]
    );
}

#[test]
fn dependencies_are_told_apart() {
    let analysis = read(
        "import x from 'node:path';
         const y = require('lodash/fp');
         const z = require('@acme/tool/part');
         const own = require('./own');
         import('left-pad');
         export { a } from '../other.js';",
    );
    let found: Vec<_> = analysis
        .dependencies
        .iter()
        .map(|found| (found.name.as_str(), found.source))
        .collect();
    assert_eq!(
        found,
        [
            ("../other.js", DependencySource::Local),
            ("./own", DependencySource::Local),
            ("@acme/tool", DependencySource::ThirdParty),
            ("left-pad", DependencySource::ThirdParty),
            ("lodash", DependencySource::ThirdParty),
            ("path", DependencySource::StandardLibrary),
        ]
    );
    assert!(analysis.is_complete());
}

#[test]
fn host_calls_are_listed_by_their_full_name() {
    let analysis = read(
        "const { readFileSync: r } = require('node:fs'); r(name);
         require('fs/promises').writeFile(name);
         const cp = require('child_process'); cp.execSync(command);
         fetch(url); process.env.HOME; console.log(1); require('path').join(a);",
    );
    let calls: Vec<_> = analysis.host_calls.iter().map(String::as_str).collect();
    assert_eq!(
        calls,
        [
            "child_process.execSync",
            "fetch",
            "fs.promises.writeFile",
            "fs.readFileSync",
            "process.env.HOME"
        ]
    );
}

#[test]
fn loops_and_their_nesting_are_counted() {
    let shape = |text: &str| {
        let analysis = read(text);
        (
            analysis.functions,
            analysis.loops,
            analysis.loop_nesting_max,
        )
    };
    assert_eq!(
        shape("for (;a;) { while (b) { do { c } while (d) } }"),
        (0, 3, 3)
    );
    assert_eq!(
        shape("for (const a of b) { for (const c in d) {} }"),
        (0, 2, 2)
    );
    assert_eq!(
        shape("a.map((b) => b.filter((c) => c.d.some(e)))"),
        (2, 3, 3)
    );
    assert_eq!(shape("while (a) { f(() => { while (b) {} }) }"), (1, 2, 1));
    assert_eq!(
        shape("function f() { while (a) {} } while (b) { f() }"),
        (1, 2, 1)
    );
    assert_eq!(
        shape("class A { m() {} get x() { return 1 } static { f() } }"),
        (2, 0, 0)
    );
    assert_eq!(shape("a.sort(); a.map('x')"), (0, 0, 0));
}

#[test]
fn recursion_is_found_by_name() {
    for text in [
        "function f(n) { return n ? f(n - 1) : 0 }",
        "const f = (n) => f(n - 1)",
        "const a = () => b(); function b() { a() }",
        "class A { walk(n) { n.children.forEach((c) => this.walk(c)) } }",
        "const o = { go() { this.go() } }",
        "exports.f = function () { exports.f() }",
        "function tick() { setTimeout(tick, 10) }",
        "(function again() { again() })()",
        "function f() { arguments.callee() }",
    ] {
        assert!(read(text).recursion, "{text}");
    }
    for text in [
        "function f() {} f()",
        "class A { get(k) { return this.map.get(k) } }",
        "function a() { b() } function b() {}",
        "const f = () => g.f()",
    ] {
        assert!(!read(text).recursion, "{text}");
    }
}

#[test]
fn endless_loops_are_unbounded_and_others_are_not() {
    for text in [
        "while (true) {}",
        "while (1) f()",
        "for (;;) { g(); }",
        "do { x++ } while (true)",
        "while (!0) { switch (a) { case 1: break } }",
        "while (true) { while (b) { break } }",
        "while (true) { f(() => { return 1 }) }",
        "for (let i = 0; ; i++) { continue }",
        "setInterval(() => f(), 10)",
        "a: while (true) { while (true) { continue a } }",
        "while (true) { try { throw 1 } catch {} }",
        "while (true) { try { switch (a) { case 1: break } } catch { b() } }",
    ] {
        assert_eq!(
            read(text).execution_class,
            ExecutionClass::Unbounded,
            "{text}"
        );
    }
    for text in [
        "while (a) {}",
        "while (true) { if (a) break }",
        "for (;;) { if (a) { b(); process.exit(0) } }",
        "function f() { while (true) { if (a) return } }",
        "function* g() { while (true) yield 1 }",
        "while (true) { throw a }",
        "while (true) { try { throw a } finally { b() } }",
        "while (true) { try { a() } catch { throw b } }",
        "while (true) { try { if (a) break } catch {} }",
        "try { while (true) { throw a } } catch {}",
        "a: while (true) { while (true) { break a } }",
        "while (false) {}",
        "const t = setInterval(f, 5); setTimeout(() => clearInterval(t), 50)",
    ] {
        assert_ne!(
            read(text).execution_class,
            ExecutionClass::Unbounded,
            "{text}"
        );
    }
}

#[test]
fn numbers_that_size_work_are_found() {
    let cases: &[(&str, &str, u64)] = &[
        ("for (let i = 0; i < 1e6; i++) {}", "range", 1_000_000),
        (
            "const N = 1_000 * 1000; for (let i = 0; i < N; i++) {}",
            "range",
            1_000_000,
        ),
        ("for (let i = 500; i > 0; i--) {}", "range", 500),
        ("for (let i = 500; i--;) {}", "range", 500),
        ("let i = 0; while (i < 70 && ok) i++", "range", 70),
        ("new Array(1 << 20)", "array", 1 << 20),
        ("Array.from({ length: 2 ** 10 }, f)", "array", 1024),
        ("new Uint8Array(0x100)", "array", 256),
        ("Buffer.alloc(1024 * 1024)", "bytes", 1_048_576),
        ("'x'.repeat(5e8)", "repeat", 500_000_000),
        ("setTimeout(f, 60_000)", "sleep.milliseconds", 60_000),
        (
            "require('crypto').pbkdf2Sync(p, s, 100000, 64, 'sha512')",
            "rounds",
            100_000,
        ),
        ("'x'.repeat(10n ** 30n)", "repeat", u64::MAX),
    ];
    for (text, role, value) in cases {
        assert_eq!(literals(text), [((*role).to_owned(), *value)], "{text}");
    }
    for text in [
        "let n = 5; n = 7; 'x'.repeat(n)",
        "let n = 5; n++; 'x'.repeat(n)",
        "'x'.repeat(-5)",
        "new Array(1, 2, 3)",
        "if (a < 1000) {}",
    ] {
        assert_eq!(literals(text), [], "{text}");
    }
}

#[test]
fn syntax_errors_have_their_line() {
    let analysis = read("let a = 1;\nlet b = ;\nfetch(a)\n");
    assert_eq!(analysis.problems[0].line, Some(2));
    assert!(analysis.capabilities.contains(&Network));
}

#[test]
fn hostile_nesting_is_survived() {
    let pairs = [
        ("[", "]"),
        ("(", ")"),
        ("{", "}"),
        ("f(", ")"),
        ("if(a)", ""),
        ("await ", "x"),
        ("!", "x"),
        ("a.b", ""),
        ("x=>", "1"),
        ("`${", "}`"),
        ("a?b:", "c"),
        ("while(1)", ";"),
        ("function f(){", "}"),
    ];
    for (open, close) in pairs {
        let closed = format!("x = 1;\n{}1{}", open.repeat(10_000), close.repeat(10_000));
        read(&closed);
        read(&open.repeat(10_000));
    }
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(!read(&deep).is_complete());
    let chain = format!("process{}", ".a".repeat(100_000));
    assert!(!read(&chain).is_complete());
    let chain = format!("let x = {}require('fs')", "await ".repeat(100_000));
    read(&chain);
}

#[test]
fn lists_stay_short() {
    let many: String = (0..5000)
        .map(|number| format!("require('p{number}').f{number}(); new Array({number});\n"))
        .collect();
    let analysis = read(&many);
    assert!(analysis.dependencies.len() <= 256 && analysis.literals.len() <= 256);
    assert!(!analysis.is_complete());
}

fn programs() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "require('fs')",
        "process",
        ".env",
        "eval",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        "'x'",
        "1e9",
        "=>",
        "=",
        ";",
        "\n",
        "for(;;)",
        "while(true)",
        "break ",
        "return ",
        "function f",
        "f",
        "const ",
        "async ",
        "await ",
        "import ",
        "from ",
        ".",
        "...",
        "`${",
        "}`",
        "a:",
        "switch(a)",
        "case 1:",
        "class A ",
        "new ",
        "constructor",
        "this",
        ",",
        "<",
        "yield ",
        "\\u0061",
        "é",
    ]);
    prop::collection::vec(pieces, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_program_is_read(text in programs()) {
        let analysis = read(&text);
        prop_assert_eq!(analysis.is_complete(), analysis.problems.is_empty());
    }

    #[test]
    fn any_bytes_are_read(bytes: Vec<u8>) {
        let analysis = crate::analyze(ProgramKind::JavaScript, &bytes);
        prop_assert_eq!(analysis.is_complete(), analysis.problems.is_empty());
    }
}
