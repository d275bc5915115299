//! The conformance suite, once for each kind of program.

use atoll_sandbox::Backend;
use atoll_sandbox::conformance::{Programs, accepted_by_environment, check};
use atoll_sandbox_vm::VmBackend;
use atoll_types::{Program, ProgramHash, ProgramKind};

use crate::support::{backend, runtime};

#[test]
fn python_keeps_every_promise() {
    conforms(ProgramKind::Python, |what| match what {
        "hello" => "import sys\nprint('hello')\nprint('oops', file=sys.stderr)\nsys.exit(7)",
        "copy" => "import shutil, sys\nshutil.copyfileobj(sys.stdin.buffer, sys.stdout.buffer)",
        "show" => {
            "import os, sys\nfor a in sys.argv[1:]: print(a)\nprint(os.environ['COLOUR'])\n\
             print(open('input.txt').read(), end='')"
        }
        "leave" => "open('out.txt', 'w').write('kept\\n')",
        "endless" => "while True: pass",
        "greedy" => "b = []\nwhile True: b.append(bytearray(1 << 20))",
        _ => "import os\nos.abort()",
    });
}

#[test]
fn javascript_keeps_every_promise() {
    conforms(ProgramKind::JavaScript, |what| match what {
        "hello" => "console.log('hello'); console.error('oops'); process.exitCode = 7",
        "copy" => "process.stdin.pipe(process.stdout)",
        "show" => {
            "for (const a of process.argv.slice(2)) console.log(a);\n\
             console.log(process.env.COLOUR);\n\
             process.stdout.write(require('fs').readFileSync('input.txt'))"
        }
        "leave" => "require('fs').writeFileSync('out.txt', 'kept\\n')",
        "endless" => "for (;;) {}",
        "greedy" => "const b = []; for (;;) b.push(Buffer.alloc(1 << 20, 1))",
        _ => "process.abort()",
    });
}

#[test]
fn shell_keeps_every_promise() {
    conforms(ProgramKind::Shell, |what| match what {
        "hello" => "#!/bin/sh\necho hello; echo oops >&2; exit 7",
        "copy" => "cat",
        "show" => {
            "#!/bin/bash\nfor a in \"$@\"; do echo \"$a\"; done; echo \"$COLOUR\"; cat input.txt"
        }
        "leave" => "echo kept > out.txt",
        "endless" => "while :; do :; done",
        "greedy" => {
            "head -c 400000000 /dev/zero > /dev/shm/x || cat /dev/zero > /tmp/y\n\
             x=x; while :; do x=$x$x; done"
        }
        _ => "kill -SEGV $$",
    });
}

#[test]
fn an_unsupported_kind_is_refused_with_a_hint() {
    let error = VmBackend::new()
        .supports(ProgramKind::WasmModule)
        .unwrap_err();
    assert!(error.contains("instance"), "{error}");
}

fn conforms(kind: ProgramKind, text: impl Fn(&str) -> &'static str) {
    let Some(backend) = backend() else { return };
    let program = |what: &str| {
        let bytes = text(what).as_bytes();
        Program {
            name: "program".to_owned(),
            kind,
            bytes: bytes.into(),
            hash: ProgramHash::of(bytes),
        }
    };
    let programs = Programs {
        hello: program("hello"),
        copy: program("copy"),
        show: program("show"),
        leave: program("leave"),
        endless: program("endless"),
        greedy: program("greedy"),
        crash: program("crash"),
    };
    let accepted = accepted_by_environment();
    let broken = runtime().block_on(check(&backend, &programs, &accepted));
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}
