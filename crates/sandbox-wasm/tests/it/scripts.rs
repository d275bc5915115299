//! Scripts on interpreters, which are components for WASI 0.2 themselves: an honest one finds what
//! it needs, and what those find that try to get out is nothing. Nobody judges them first: what
//! they try is plain to see, and the engine would send them elsewhere.

use std::collections::BTreeMap;

use atoll_sandbox::conformance::limits;
use atoll_sandbox::{Backend, Domain, Ending, Tenancy};
use atoll_sandbox_wasm::WasmBackend;
use atoll_types::{LimitName, Limits, ProgramKind};

use crate::support::{Going, Ran, block_on, in_time, job, program};

/// Attempts in Python: each prints the kind of error, or what it got.
const PYTHON: &str = r#"
import json, os, sys

def attempt(name, action):
    try:
        seen = action()
        seen = seen if isinstance(seen, str) else "ok"
    except BaseException as error:
        seen = type(error).__name__
    print(json.dumps({name: seen}), flush=True)

def listed(path):
    return ",".join(sorted(os.listdir(path)))

def imported(name):
    __import__(name)

def modules(name):
    module = sys.modules.get(name) or __import__(name)
    return module

attempt("read passwd", lambda: open("/etc/passwd").read())
attempt("read own program's root", lambda: open("/proc/self/exe").read())
attempt("list processes", lambda: listed("/proc"))
attempt("leave by parents", lambda: open("../../../../etc/passwd").read())
attempt("link out", lambda: os.symlink("/etc", "out") or listed("out"))
attempt("fork", lambda: os.fork())
attempt("system", lambda: os.system("id"))
attempt("exec", lambda: os.execv("/bin/sh", ["sh"]))
attempt("kill", lambda: os.kill(1, 9))
attempt("ctypes", lambda: imported("c" + "types"))
attempt("subprocess", lambda: modules("sub" + "process").run(["id"]))
attempt("socket", lambda: modules("soc" + "ket").socket().connect(("127.0.0.1", 22)))
attempt("thread", lambda: modules("_thr" + "ead").start_new_thread(print, ()))
attempt("write outside", lambda: open("/etc/planted", "w").write("x"))
attempt("other descriptors", lambda: "ok" if [
    os.write(number, b"\x00\x01\x02") for number in range(7, 64)] else "none")
attempt("variables", lambda: ",".join(sorted(os.environ)))
attempt("hunt for classes", lambda: [
    one for one in object.__subclasses__() if one.__name__ == "Popen"][0](["id"]))
attempt("recursion", lambda: (lambda f: f(f))(lambda f: f(f)))
"#;

/// What an honest program needs of WASI 0.2: files, streams, clocks, randomness, its environment
/// and an exit code.
const HONEST: &str = r#"
import asyncio
import os
import random
import sys
import time

assert time.get_clock_info("monotonic").resolution <= 1e-3
assert asyncio.run(asyncio.sleep(0.001, "slept")) == "slept"
with open("a.txt", "x") as file:
    file.write("hello\nworld\n")
try:
    open("a.txt", "x")
    sys.exit("made twice")
except FileExistsError:
    pass
with open("a.txt", "r+b") as file:
    assert file.seek(-6, os.SEEK_END) == 6 and file.read() == b"world\n"
    file.seek(0)
    file.write(b"J")
    file.truncate(6)
with open("a.txt", "ab") as file:
    file.write(b"again\n")
assert open("a.txt").readlines() == ["Jello\n", "again\n"]
assert os.stat("a.txt").st_size == 12
os.makedirs("d/e")
os.rename("a.txt", "d/e/b.txt")
assert sorted(os.listdir("d")) == ["e"] and not os.path.exists("a.txt")
for name, action in [
    ("NotADirectoryError", lambda: os.listdir("d/e/b.txt")),
    ("FileNotFoundError", lambda: os.unlink("a.txt")),
    ("OSError", lambda: os.rmdir("d")),
    ("PermissionError", lambda: open("../outside", "w")),
]:
    try:
        action()
        sys.exit(f"{name} was not raised")
    except OSError as error:
        assert type(error).__name__ == name, (name, error)
os.unlink("d/e/b.txt")
os.removedirs("d/e")
assert os.listdir(".") == [os.path.basename(__file__)]
assert "all is well" in open(__file__).read()
with open("/tmp/other", "w") as file:
    file.write("x" * 100_000)
assert os.path.getsize("/tmp/other") == 100_000
before = time.monotonic()
time.sleep(0.02)
assert time.monotonic() - before >= 0.02 and time.time() > 1_700_000_000
assert os.urandom(16) != os.urandom(16) and random.random() != random.random()
assert os.environ["COLOUR"] == "blue" and sys.argv[1:] == ["one", ""]
assert sys.stdin.read() == "sent\n"
print("to errors", file=sys.stderr)
print("all is well")
sys.exit(7)
"#;

/// Attempts in JavaScript, likewise.
const JAVASCRIPT: &str = r#"
function attempt(name, action) {
  let seen;
  try {
    seen = action();
    seen = typeof seen === "string" ? seen : "ok";
  } catch (error) {
    seen = error instanceof Error ? error.name : String(error);
  }
  console.log(JSON.stringify({ [name]: seen }));
}
const hidden = (name) => globalThis[name];
attempt("read passwd", () => hidden("require")("fs").readFileSync("/etc/passwd", "utf8"));
attempt("leave by parents", () =>
  hidden("require")("fs").readFileSync("../../../etc/passwd", "utf8"));
attempt("processes", () => hidden("require")("child" + "_process").execSync("id").toString());
attempt("the engine's own modules", () => Object.keys(hidden("std")).join());
attempt("the engine's system", () => Object.keys(hidden("os")).join());
attempt("code from text", () => String(new Function("return typeof process?.binding")()));
attempt("net", () => hidden("require")("net").connect(22, "127.0.0.1"));
attempt("exit of the host", () => process.kill(1, 9));
attempt("recursion", () => { const f = () => f() + 1; return f(); });
attempt("memory of the engine", () => new ArrayBuffer(2 ** 40));
"#;

/// Errors of Python for what does not exist there, or may not be done.
const NO: &[&str] = &[
    "FileNotFoundError",
    "PermissionError",
    "OSError",
    "AttributeError",
    "ModuleNotFoundError",
    "ImportError",
    "NotImplementedError",
];

const PYTHON_EXPECTED: [(&str, &[&str]); 18] = [
    ("read passwd", NO),
    ("read own program's root", NO),
    ("list processes", NO),
    ("leave by parents", NO),
    ("link out", NO),
    ("fork", NO),
    ("system", NO),
    ("exec", NO),
    ("kill", NO),
    ("ctypes", NO),
    ("subprocess", NO),
    ("socket", NO),
    (
        "thread",
        &["AttributeError", "ModuleNotFoundError", "RuntimeError"],
    ),
    ("write outside", NO),
    ("other descriptors", NO),
    ("variables", &["HOME,LANG"]),
    (
        "hunt for classes",
        &["IndexError", "OSError", "AttributeError", "TypeError"],
    ),
    ("recursion", &["RecursionError"]),
];

/// Errors of JavaScript, and what there is of what does not exist.
const NOTHING: &[&str] = &["TypeError", "ReferenceError", "Error", "undefined"];

const JAVASCRIPT_EXPECTED: [(&str, &[&str]); 10] = [
    ("read passwd", NOTHING),
    ("leave by parents", NOTHING),
    ("processes", NOTHING),
    ("the engine's own modules", NOTHING),
    ("the engine's system", NOTHING),
    ("code from text", NOTHING),
    ("net", NOTHING),
    ("exit of the host", NOTHING),
    ("recursion", &["InternalError", "RangeError"]),
    (
        "memory of the engine",
        &["RangeError", "InternalError", "TypeError"],
    ),
];

/// Programs without end, and how their limits end them.
const BOMBS: [(ProgramKind, &str, LimitName); 8] = [
    (ProgramKind::Python, "while True: pass", LimitName::WallTime),
    (
        ProgramKind::Python,
        "held = []\nwhile True: held.append('x' * 1000000)",
        LimitName::Memory,
    ),
    (
        ProgramKind::Python,
        "while True: print('x' * 10000)",
        LimitName::Output,
    ),
    (ProgramKind::Python, "bytearray(1 << 30)", LimitName::Memory),
    (ProgramKind::JavaScript, "for (;;) ;", LimitName::WallTime),
    (
        ProgramKind::JavaScript,
        "const held = []; for (;;) held.push(new Uint8Array(1000000).fill(1));",
        LimitName::Memory,
    ),
    (
        ProgramKind::JavaScript,
        "for (;;) console.log('x'.repeat(10000));",
        LimitName::Output,
    ),
    (
        ProgramKind::JavaScript,
        "/(a+)+$/.test('a'.repeat(60) + 'b')",
        LimitName::WallTime,
    ),
];

async fn run(backend: &WasmBackend, kind: ProgramKind, text: &str) -> Ran {
    let limits = Limits {
        wall_time_ms: 3_000,
        cpu_time_ms: 30_000,
        ..limits()
    };
    // One worker for all: a script that breaks out of its instance would meet the next one.
    let tenancy = Tenancy {
        domain: Domain::Tenant(atoll_types::TenantId::local()),
        messages_max: 1_000_000,
    };
    let sent = job(program(kind, text.as_bytes().to_vec()));
    let going = Going::with(backend, sent, &tenancy, limits).await;
    going.end().await
}

async fn an_honest_program_finds_what_it_needs(backend: &WasmBackend) {
    let mut sent = job(program(ProgramKind::Python, HONEST.as_bytes().to_vec()));
    sent.arguments = vec![b"one".to_vec(), Vec::new()];
    sent.environment = vec![(b"COLOUR".to_vec(), b"blue".to_vec())];
    let going = Going::with(backend, sent, &Tenancy::own(), limits()).await;
    going.write(b"sent\n").await;
    let ran = going.end().await;
    assert_eq!(ran.ending, Ending::Exited(7), "{ran:?}");
    assert_eq!(ran.stdout, "all is well\n");
    assert_eq!(ran.stderr, "to errors\n");
}

async fn a_script_finds_its_own_file(backend: &WasmBackend) {
    let text = "const fs = require('fs'), path = require('path');
        const [own] = fs.readdirSync('.');
        console.log(own === path.basename(__filename), fs.readFileSync(own, 'utf8').length);";
    let sent = job(program(ProgramKind::JavaScript, text.as_bytes().to_vec()));
    let going = Going::start(backend, sent, &Tenancy::own()).await;
    let ran = going.end().await;
    assert_eq!(ran.stdout, format!("true {}\n", text.len()), "{ran:?}");
}

/// What a script says of its attempts.
fn attempts(ran: &Ran) -> BTreeMap<String, String> {
    let lines = ran.stdout.lines();
    let said = lines.filter_map(|line| serde_json::from_str::<BTreeMap<String, String>>(line).ok());
    said.flatten().collect()
}

/// In one test, because compiling an interpreter takes long.
#[test]
fn scripts_find_nothing_behind_their_interpreters_and_are_held_to_limits() {
    let backend = WasmBackend::new();
    if let Err(why) = backend.supports(ProgramKind::Python) {
        assert!(why.contains("make runtimes"), "{why}");
        println!("skipped: {why}");
        return;
    }
    let mut faults = Vec::new();
    block_on(async {
        an_honest_program_finds_what_it_needs(&backend).await;
        a_script_finds_its_own_file(&backend).await;
        for (kind, text, expected) in [
            (ProgramKind::Python, PYTHON, &PYTHON_EXPECTED[..]),
            (
                ProgramKind::JavaScript,
                JAVASCRIPT,
                &JAVASCRIPT_EXPECTED[..],
            ),
        ] {
            let ran = run(&backend, kind, text).await;
            assert_eq!(ran.ending, Ending::Exited(0), "{ran:?}");
            let found = attempts(&ran);
            for (name, errors) in expected {
                let seen = found.get(*name).map_or("never tried", String::as_str);
                println!("{kind} {name}: {seen}");
                if !errors.contains(&seen) {
                    faults.push(format!(
                        "{kind} {name}: must be one of {errors:?}, was {seen}"
                    ));
                }
            }
        }
        for (kind, text, limit) in BOMBS {
            let ran = run(&backend, kind, text).await;
            println!("{kind} {text}: {:?} {:?}", ran.ending, ran.limit);
            if ran.limit != Some(limit) {
                faults.push(format!(
                    "{kind} {text}: must end by {limit}, was {:?}",
                    ran.ending
                ));
            }
        }
        let ran = run(&backend, ProgramKind::Python, "print('well')").await;
        assert_eq!(
            (ran.ending, ran.stdout.as_str()),
            (Ending::Exited(0), "well\n")
        );
        in_time(backend.close()).await;
    });
    assert!(faults.is_empty(), "{faults:#?}");
}
