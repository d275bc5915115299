//! The same programs at every level that runs them, compared: what a program does, how it ends and
//! what it leaves must not depend on where it runs.
//!
//! The level `vm` needs a guest (`make guest`), the level `gvisor` runsc. Without
//! `ATOLL_GUEST_REQUIRED` a level that this host does not have is left out, and the test says so.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test ends at the first surprise"
)]

#[allow(dead_code, reason = "the cases of bad input use the rest")]
mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use atoll_acceptance::{Report, built_examples, finish};
use support::{Case, write};

/// The levels that face another kernel than the host's.
const OWN_KERNEL: [&str; 2] = ["gvisor", "vm"];

/// One program and what it is given.
struct Program {
    path: PathBuf,
    options: Vec<String>,
    arguments: Vec<&'static str>,
    stdin: &'static [u8],
}

/// What can be seen of a run.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    status: String,
    exit_code: Option<i32>,
    signal: Option<i32>,
    limit: Option<String>,
    stdout: String,
    stderr: String,
    files: Vec<(String, String)>,
}

impl Seen {
    /// What both ways of looking have: neither the error stream nor files.
    fn of(report: &Report) -> Self {
        Self {
            status: report.status.clone(),
            exit_code: report.exit_code,
            signal: report.signal,
            limit: report.limit.as_ref().map(|limit| limit.name.clone()),
            stdout: text(&report.stdout()),
            stderr: String::new(),
            files: Vec::new(),
        }
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn run(case: &Case, level: &str, program: &Program) -> (Seen, Report) {
    let out = tempfile::tempdir_in(case.directory()).unwrap();
    let mut command = case.atoll.command();
    command.args(["run", "--json", "--level", level, "--output"]);
    command.arg(out.path()).args(&program.options);
    command.arg(&program.path).args(&program.arguments);
    let report = reported(command, program);
    let seen = Seen {
        stderr: text(&report.stderr()),
        files: collected(out.path()),
        ..Seen::of(&report)
    };
    (seen, report)
}

fn reported(command: Command, program: &Program) -> Report {
    let finished = finish(command, program.stdin).unwrap();
    Report::parse(&finished.stdout)
        .unwrap_or_else(|problem| panic!("{problem}: {}", finished.stderr_text()))
}

fn collected(directory: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let name = text(path.file_name().unwrap().as_encoded_bytes());
            found.push((name, text(&fs::read(&path).unwrap())));
        }
    }
    found.sort();
    found
}

/// The levels of a kernel of one's own that this host has.
fn levels(case: &Case) -> Vec<&'static str> {
    let hello = Program::new(write(case, "hello.py", b"print('hello')\n"));
    let has = |level: &&str| {
        let (seen, report) = run(case, level, &hello);
        if seen.status == "refused" {
            let reason = report.reason.unwrap_or_default();
            let required = std::env::var_os("ATOLL_GUEST_REQUIRED").is_some();
            assert!(!required, "{level}: {reason}");
            println!("{level} is left out: {reason}");
        }
        seen.status != "refused"
    };
    OWN_KERNEL.into_iter().filter(has).collect()
}

impl Program {
    fn new(path: PathBuf) -> Self {
        Self {
            path,
            options: Vec::new(),
            arguments: Vec::new(),
            stdin: b"",
        }
    }

    fn with(self, options: &[&str]) -> Self {
        let options = options.iter().map(|option| (*option).to_owned()).collect();
        Self { options, ..self }
    }
}

/// Does a bit of everything, and tells what came of it.
const EVERYTHING: &[u8] = br#"
import os, subprocess, sys, threading
print(sys.argv, os.getcwd(), os.environ["COLOR"], sys.stdin.read())
print(open("given.txt").read().strip(), sorted(os.listdir(".")))
os.mkdir("below")
open("left.txt", "w").write("left behind")
print("to stderr", file=sys.stderr)
print(subprocess.run(["sh", "-c", "echo child; exit 3"], capture_output=True, text=True))
worker = threading.Thread(target=lambda: print("thread"))
worker.start(); worker.join()
for path in ["/etc/shadow", "/root", "/nowhere"]:
    try:
        os.listdir(path) if path == "/root" else open(path)
    except OSError as error:
        print(path, type(error).__name__)
sys.exit(7)
"#;

const SHELL: &[u8] =
    b"#!/bin/sh\nprintf '%s\\n' \"$@\" | sort > sorted.txt\ncat sorted.txt\nexit 5\n";

const NODE: &[u8] = br#"
const fs = require("fs");
fs.writeFileSync("left.json", JSON.stringify({ arguments: process.argv.slice(2) }));
console.log([3, 1, 2].sort().join());
console.error("oops");
process.exitCode = 4;
"#;

/// Tells where Pillow is found, whose code is compiled, and what can be done to it.
const MODULES: &[u8] = br#"
import os, sys
from PIL import Image, _imaging
print(sys.path[1], os.environ["PYTHONPATH"], os.environ["NODE_PATH"], _imaging.__file__)
Image.new("RGB", (3, 2), (9, 8, 7)).save("left.ppm")
for top, directories, files in sorted(os.walk("/dependencies")):
    found = [os.stat(os.path.join(top, name)) for name in sorted(files)]
    print(top, sorted(directories), sorted(files))
    print([(it.st_size, oct(it.st_mode), int(it.st_mtime)) for it in found])
try:
    os.mkdir("/dependencies/new")
except OSError as error:
    print(error)
"#;

/// Finds a package of its own in `node_modules`.
const NODE_MODULES: &[u8] = br#"
const found = require("greets");
console.log(found.greet("you"), require.resolve("greets"), process.env.NODE_PATH);
"#;

/// A directory of modules that a program of Node's is shown.
fn node_modules(case: &Case) -> String {
    let package = case.directory().join("for-node/node_modules/greets");
    fs::create_dir_all(&package).unwrap();
    let text = "exports.greet = (name) => `hello ${name}`;\n";
    fs::write(package.join("index.js"), text).unwrap();
    case.directory().join("for-node").display().to_string()
}

fn programs(case: &Case) -> Vec<Program> {
    let modules = built_examples().join("pillow").display().to_string();
    let file = |name: &str, bytes: &[u8]| Program::new(write(case, name, bytes));
    let given = write(case, "given.txt", b"given\n");
    let given = format!("{}=given.txt", given.display());
    vec![
        Program {
            arguments: vec!["one", "two words", ""],
            stdin: b"from stdin",
            ..file("everything.py", EVERYTHING).with(&["--input", &given, "--env", "COLOR=green"])
        },
        file(
            "raises.py",
            b"def fails():\n    return {}['key']\nfails()\n",
        ),
        file("killed.py", b"import os\nos.kill(os.getpid(), 9)\n"),
        file("endless.py", b"while True: pass\n").with(&["--timeout", "2s"]),
        file("floods.py", b"while True: print('x' * 65536)\n"),
        Program {
            arguments: vec!["pear", "apple"],
            ..file("sorts.sh", SHELL)
        },
        Program {
            arguments: vec!["--flag"],
            ..file("program.js", NODE)
        },
        file("modules.py", MODULES).with(&["--dependencies", &modules]),
        file("modules.js", NODE_MODULES).with(&["--dependencies", &node_modules(case)]),
        Program {
            arguments: vec!["60", "20", "40"],
            ..Program::new(built_examples().join("mandelbrot"))
        },
    ]
}

#[test]
fn a_program_does_the_same_at_every_level() {
    let case = Case::new();
    let levels = levels(&case);
    for program in programs(&case) {
        let name = program.path.display();
        let (expected, _) = run(&case, "process", &program);
        assert_ne!(expected.status, "refused", "{name}");
        assert_ne!(expected.status, "failed", "{name}");
        for level in &levels {
            let (seen, report) = run(&case, level, &program);
            let reason = report.reason.unwrap_or_default();
            // How much of a flood was kept is the same; where it was cut is, too.
            assert_eq!(seen, expected, "{name} at {level}: {reason}");
        }
    }
}

#[test]
fn a_kernel_of_its_own_is_enforced_and_seen() {
    let case = Case::new();
    let program = Program::new(write(&case, "kernel.sh", b"#!/bin/sh\nuname -r\n"));
    let (host, _) = run(&case, "process", &program);
    for level in levels(&case) {
        let (seen, report) = run(&case, level, &program);
        assert_eq!(seen.exit_code, Some(0), "{level}: {seen:?}");
        assert_ne!(seen.stdout, host.stdout, "{level}");
        let layers = report.enforcement["layers"].as_array().unwrap();
        let own = layers.iter().find(|layer| layer["layer"] == "own-kernel");
        let own = own.unwrap_or_else(|| panic!("{level}: {layers:?}"));
        assert_eq!(own["state"], "enforced", "{level}");
    }
}

/// Plain scripts, as strangers send them.
const PLAIN: [(&str, &str); 4] = [
    (
        "words.py",
        "import sys\nimport re\nimport collections\n\
         words = collections.Counter(re.findall(r'\\w+', sys.stdin.read()))\n\
         print(words.most_common(3), sys.argv[1:])\nsys.exit(3)\n",
    ),
    (
        "numbers.py",
        "import json\nimport sys\n\
         primes = [n for n in range(2, 200) if all(n % m for m in range(2, n))]\n\
         print(json.dumps({'primes': primes, 'ratio': primes[-1] / 7}))\n\
         print(1 / 3, 2 ** 100, sorted('banana'), file=sys.stderr)\n",
    ),
    (
        "fails.py",
        "def half(number):\n    return number / 0\nprint('before')\nhalf(3)\n",
    ),
    (
        "table.js",
        "const rows = [[3, 'c'], [1, 'a']].sort((x, y) => x[0] - y[0]);\n\
         console.log(rows, new Map(rows), 1 / 3);\nprocess.exitCode = 4;\n",
    ),
];

/// What a tenant sees of a script, and what was decided.
fn run_as(case: &Case, tenant: &str, options: &[&str], path: &Path) -> (Seen, Report) {
    let program = Program {
        arguments: vec!["one", "two"],
        stdin: b"a rose is a rose is a rose",
        ..Program::new(path.to_owned()).with(options)
    };
    let mut command = case.atoll.command();
    command.args(["run", "--json", "--tenant", tenant]);
    command
        .args(&program.options)
        .arg(path)
        .args(&program.arguments);
    let report = reported(command, &program);
    (Seen::of(&report), report)
}

/// A stranger's plain script goes to WebAssembly once its interpreter is compiled, and does what it
/// does in the host's. Before that, and without interpreters, it runs where it always ran.
#[test]
fn a_plain_script_of_a_stranger_does_the_same_on_webassembly() {
    let case = Case::new();
    let level = |report: &Report| report.decision.as_ref().unwrap().level.clone();
    let paths = PLAIN.map(|(name, source)| write(&case, name, source.as_bytes()));
    let expected: Vec<Seen> = paths
        .iter()
        .map(|path| {
            let (seen, report) = run_as(&case, "early", &[], path);
            assert_eq!(level(&report), "process", "{}", path.display());
            assert_eq!(seen.status, "exited", "{}", path.display());
            seen
        })
        .collect();
    for script in [&paths[1], &paths[3]] {
        let (_, report) = run_as(&case, "local", &["--level", "instance"], script);
        if level(&report) != "instance" {
            let reasons = format!("{:?}", report.decision.unwrap().reasons);
            assert!(reasons.contains("make runtimes"), "{reasons}");
            println!("left out: no interpreters are installed (`make runtimes`)");
            return;
        }
    }
    for (path, expected) in paths.iter().zip(expected) {
        let (seen, report) = run_as(&case, "stranger", &[], path);
        let decision = report.decision.as_ref().unwrap();
        assert_eq!(
            decision.level,
            "instance",
            "{}: {decision:?}",
            path.display()
        );
        assert_eq!(decision.rule, "plain-script-from-strangers");
        assert_eq!(seen, expected, "{}", path.display());
        // Who is known does not wait for it, and who asks for a stronger level gets it.
        let (_, known) = run_as(&case, "local", &[], path);
        assert_eq!(level(&known), "process");
        let (_, asked) = run_as(&case, "stranger", &["--level", "process"], path);
        assert_eq!(level(&asked), "process");
    }
}
