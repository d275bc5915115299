//! The conformance suite through an agent.

use atoll_sandbox::conformance::{Programs, accepted_by_environment, check};
use atoll_types::{Program, ProgramHash, ProgramKind};

use crate::behind::Behind;

#[test]
fn python_keeps_every_promise_behind_an_agent() {
    conforms(programs(
        ProgramKind::Python,
        "program.py",
        |what| match what {
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
        },
    ));
}

#[test]
fn javascript_keeps_every_promise_behind_an_agent() {
    conforms(programs(
        ProgramKind::JavaScript,
        "program.js",
        |what| match what {
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
        },
    ));
}

#[test]
fn shell_keeps_every_promise_behind_an_agent() {
    conforms(programs(
        ProgramKind::Shell,
        "program.sh",
        |what| match what {
            "hello" => "echo hello; echo oops >&2; exit 7",
            "copy" => "cat",
            "show" => "for a in \"$@\"; do echo \"$a\"; done; echo \"$COLOUR\"; cat input.txt",
            "leave" => "echo kept > out.txt",
            "endless" => "while :; do :; done",
            "greedy" => "x=x; while :; do x=$x$x; done",
            _ => "kill -SEGV $$",
        },
    ));
}

fn programs(kind: ProgramKind, name: &str, text: impl Fn(&str) -> &'static str) -> Programs {
    let program = |what: &str| Program {
        name: name.to_owned(),
        kind,
        hash: ProgramHash::of(text(what).as_bytes()),
        bytes: text(what).as_bytes().into(),
    };
    Programs {
        hello: program("hello"),
        copy: program("copy"),
        show: program("show"),
        leave: program("leave"),
        endless: program("endless"),
        greedy: program("greedy"),
        crash: program("crash"),
    }
}

fn conforms(programs: Programs) {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().build().unwrap();
    let accepted = accepted_by_environment();
    let broken = runtime.block_on(check(&Behind::default(), &programs, &accepted));
    assert!(broken.is_empty(), "{broken:#?}");
}
