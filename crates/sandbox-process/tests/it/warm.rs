//! A program cannot tell whether its interpreter started before it was known.

use std::collections::BTreeSet;

use atoll_sandbox::{
    Backend as _, Ending, Environment, Job, OutputEnd, Sandbox, SandboxSpec, Tenancy, conformance,
};
use atoll_sandbox_process::ProcessBackend;
use atoll_types::{
    InputFile, LimitName, Limits, Program, ProgramHash, ProgramKind, SystemCalls, TenantId,
};

/// What a run shows to the outside.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Shown {
    pub(crate) ending: Ending,
    limit: Option<LimitName>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Each prints what it sees, or ends in its own way.
const SCRIPTS: &[&str] = &[
    "import sys\nprint(sys.argv, sys.path, sys.orig_argv, sys.flags, sys.stdin, sys.stdout)",
    "print(__name__, __file__, __package__, __spec__, __doc__, __builtins__, __loader__.__class__)",
    "import __main__\nx = 1\nprint(__main__.x, sorted(vars(__main__)), __annotations__)",
    "'about'\nprint(__doc__)",
    "import os\nprint(os.getcwd(), sorted(os.environ.items()), os.listdir('.'), os.getpid())",
    "import os\nprint(os.getuid(), os.getgid(), sorted(os.listdir('/proc/self/fd')))",
    "import resource\nprint([resource.getrlimit(n) for n in range(16)])",
    "import signal\nprint([signal.getsignal(n) for n in signal.valid_signals()])",
    "import sys\nsys.exit('a message')",
    "import sys\nsys.exit(9)",
    "raise SystemExit",
    "def f():\n    1 / 0\nf()",
    "try:\n    {}['a']\nexcept KeyError as e:\n    raise ValueError('again') from e",
    "class E(BaseException): pass\nraise E('own')",
    "raise ExceptionGroup('two', [ValueError(1), OSError(2, 'x')])",
    "x = = 1",
    "if True:\nprint(1)",
    "# coding: latin-1\nprint(len('\u{e9}'))",
    "\u{feff}print('after a mark')",
    "print('\u{e9}\u{1f30a}')",
    "import warnings\nwarnings.warn('look')\nimport asyncio\nasyncio.run(asyncio.sleep(0))\nprint('ok')",
    "import atexit, threading, time\natexit.register(print, 'last')\n\
     threading.Thread(target=lambda: (time.sleep(0.05), print('thread'))).start()\nprint('first')",
    "import os\nos.write(1, b'raw\\n')\nprint('buffered')\nos._exit(3)",
    "import os\nos.abort()",
    "import os, signal\nos.kill(os.getpid(), signal.SIGTERM)",
    "import ctypes\nctypes.string_at(0)",
    "import sys\nsys.setrecursionlimit(10**6)\ndef f(): f()\ntry:\n    f()\nexcept RecursionError:\n    pass",
    "import pickle\nclass A:\n    pass\nprint(pickle.loads(pickle.dumps(A())).__class__)",
    "from dataclasses import dataclass\n@dataclass\nclass P:\n    x: int\nprint(P(1))",
    "import inspect\ndef f():\n    return 1\nprint(inspect.getsource(f), inspect.getfile(f))",
    "import multiprocessing as m\ndef f(x): return x * x\n\
     if __name__ == '__main__':\n    c = m.get_context('fork')\n    q = c.SimpleQueue()\n    \
     p = c.Process(target=lambda: q.put(f(7)))\n    p.start(); print(q.get()); p.join()",
    "import subprocess\nprint(subprocess.run(['echo', 'child'], capture_output=True, text=True).stdout)",
    "import subprocess, sys\nprint(subprocess.run([sys.executable, '-c', 'print(6*7)'], \
     capture_output=True, text=True))",
    "import sys\nprint(sys.stdin.read())",
    "input()",
    "import helper\nprint(helper.VALUE)",
    "import sys\nprint(sorted(n for n in sys.modules if not n.startswith('_')))",
    "import sys, traceback\ntry:\n    1 / 0\nexcept ZeroDivisionError:\n    traceback.print_exc()",
    "import sys\nsys.stdout.close()\nsys.stderr.write('closed\\n')",
    "import gc\nprint(gc.isenabled(), gc.get_threshold())",
    "import os\nopen('/work/big', 'wb').write(b'x' * (64 << 20))",
    "import threading\nprint(threading.current_thread().name, threading.active_count())",
    "print(globals().keys())",
    "class A:\n    def __del__(self): print('gone')\na = A()\nb = [a]\nb.append(b)",
    "class A:\n    def __init__(self, n): self.n = n\n    def __del__(self): print(self.n, len)\n\
     one = A(1)\n_two = A(2)\ndef f():\n    three = A(3)\n    1 / 0\nf()",
    "f = open('left', 'w')\nf.write('not flushed')\nimport atexit\n\
     atexit.register(lambda: print(open('left').read(), 'at exit'))",
    "import atexit\nclass Bad:\n    def __call__(self): 1 / 0\n    def __repr__(self): return 'bad'\n\
     atexit.register(print, 'runs')\natexit.register(Bad())",
    "import weakref\nclass A: pass\na = A()\nweakref.finalize(a, print, 'finalized')",
    "import tempfile\nd = tempfile.TemporaryDirectory()\nprint('left to itself')",
    "import sys\nsys.exit(-1)",
    "import sys\nsys.exit(2 ** 80)",
    "import sys\nsys.exit((1, 'two'))",
    "import sys\nsys.exit(True)",
    "import os\nprint('lost')\nos.close(1)",
    "import sys\nsys.stdout = None\nsys.exit('no output')",
    "import threading, time\nthreading.Thread(target=time.sleep, args=(9,), daemon=True).start()\nprint(1)",
    "import decimal, hashlib, json\nprint(json.dumps({'a': 1}), hashlib.sha256(b'a').hexdigest())",
    "import logging\nlogging.basicConfig(filename='log')\nlogging.error('kept')\nprint(open('log').read())",
    "import helper\nclass A:\n    def __del__(self): print('from a module')\nhelper.held = A()",
    "import concurrent.futures as c\nwith c.ThreadPoolExecutor(2) as p: print(sum(p.map(abs, [-1, -2])))",
    "def f():\n    try:\n        yield 1\n    finally:\n        print('closed')\ng = f()\nnext(g)",
    "raise KeyboardInterrupt",
    "import locale, sys\nprint(locale.getlocale(), sys.getfilesystemencoding(), sys.getdefaultencoding())",
];

#[test]
fn a_program_cannot_tell_whether_its_interpreter_waited_for_it() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let differences: Vec<String> = SCRIPTS
        .iter()
        .filter_map(|script| {
            let cold = runtime.block_on(run(script, false, SystemCalls::Processes));
            let warm = runtime.block_on(run(script, true, SystemCalls::Processes));
            (warm != cold).then(|| format!("{script}\n  cold {cold:#?}\n  warm {warm:#?}\n"))
        })
        .collect();
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn what_only_an_interpreter_that_starts_can_see_is_told_apart() {
    let backend = ProcessBackend::new();
    for (script, suits) in [
        ("print(1)", true),
        ("# about encoding, and more\nprint(1)", true),
        ("# coding: latin-1", false),
        ("#!/usr/bin/python3\n# -*- coding: utf-8 -*-", false),
        ("print(1)\0", false),
    ] {
        assert_eq!(backend.suits_warm(&job(script)), suits, "{script:?}");
    }
    let mut seeded = job("print(1)");
    let variable = (b"PYTHONHASHSEED".to_vec(), b"0".to_vec());
    seeded.environment.push(variable);
    assert!(!backend.suits_warm(&seeded));
}

#[test]
fn hash_seeds_and_random_numbers_differ_between_interpreters_that_fork() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let script = "import random, uuid\nprint(hash('a'), random.random(), uuid.uuid4())";
    let one = runtime
        .block_on(run(script, true, SystemCalls::Processes))
        .stdout;
    let other = runtime
        .block_on(run(script, true, SystemCalls::Processes))
        .stdout;
    for (one, other) in one.split(' ').zip(other.split(' ')) {
        assert_ne!(one, other);
    }
}

pub(crate) async fn run(script: &str, warm: bool, system_calls: SystemCalls) -> Shown {
    let backend = ProcessBackend::new();
    let spec = specification(system_calls);
    let created = match warm {
        true => backend.create_warm(spec).await,
        false => backend.create(spec).await,
    };
    let mut sandbox = created.unwrap();
    if warm {
        sandbox.rehearse().await.unwrap();
    }
    finish(sandbox, script).await
}

pub(crate) fn specification(system_calls: SystemCalls) -> SandboxSpec {
    let limits = Limits {
        // Emulated processors take long for the largest of these programs, and its end by one of
        // these would say nothing of how it began.
        wall_time_ms: 120_000,
        cpu_time_ms: 120_000,
        disk_bytes: 16 << 20,
        ..conformance::limits()
    };
    SandboxSpec {
        id: "warm-and-cold".to_owned(),
        limits,
        system_calls,
        accept_missing: conformance::accepted_by_environment(),
        environment: Environment {
            kind: ProgramKind::Python,
            dependencies: None,
            modules: BTreeSet::new(),
            tenant: TenantId::local(),
        },
        renews: false,
        tenancy: Tenancy::own(),
    }
}

pub(crate) async fn finish(sandbox: Box<dyn Sandbox>, script: &str) -> Shown {
    finish_job(sandbox, job(script)).await
}

pub(crate) async fn finish_job(mut sandbox: Box<dyn Sandbox>, job: Job) -> Shown {
    let streams = sandbox.start(job).await.unwrap();
    // It may have ended without reading.
    let stdin = streams.stdin;
    let _ = std::thread::spawn(|| stdin.write_all(b"typed\n")).join();
    let readers =
        [streams.stdout, streams.stderr].map(|stream| std::thread::spawn(|| read_all(stream)));
    let ending = sandbox.wait().await;
    let limit = sandbox.limit_hit();
    sandbox.destroy().await.unwrap();
    let [stdout, stderr] = readers.map(|reader| reader.join().unwrap());
    Shown {
        ending,
        limit,
        stdout,
        stderr,
    }
}

pub(crate) fn job(script: &str) -> Job {
    let bytes = script.as_bytes();
    Job {
        program: Program {
            name: "a script.py".to_owned(),
            kind: ProgramKind::Python,
            bytes: bytes.into(),
            hash: ProgramHash::of(bytes),
        },
        arguments: vec![b"one".to_vec(), b"\xff\xfe".to_vec(), Vec::new()],
        files: vec![InputFile {
            name: b"helper.py".to_vec(),
            content: b"VALUE = 'imported'\n"[..].into(),
        }],
        environment: vec![(b"COLOUR".to_vec(), b"blue=\xe9".to_vec())],
        parts: None,
        calls: Default::default(),
    }
}

fn read_all(stream: OutputEnd) -> String {
    let bytes = stream.read_to_end().unwrap();
    String::from_utf8_lossy(&bytes).into_owned()
}
