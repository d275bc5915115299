//! The conformance suite in containers, once for each kind of program.

use std::process::Command;

use atoll_sandbox::conformance::{Programs, accepted_by_environment, check};
use atoll_sandbox_oci::OciBackend;
use atoll_types::{Level, Program, ProgramHash, ProgramKind};

use crate::support::{gvisor, run};

#[test]
fn python_keeps_every_promise() {
    conforms(&gvisor(), &python());
}

#[test]
fn javascript_keeps_every_promise() {
    conforms(&gvisor(), &javascript());
}

#[test]
fn shell_keeps_every_promise() {
    conforms(&gvisor(), &shell());
}

#[test]
fn machine_code_keeps_every_promise() {
    conforms(&gvisor(), &native());
}

/// The same code drives other runtimes.
#[test]
fn containers_of_crun_keep_every_promise() {
    let crun = OciBackend::configured("crun", Level::Process);
    conforms(&crun, &python());
    conforms(&crun, &native());
}

#[test]
fn containers_of_runc_keep_every_promise() {
    let runc = OciBackend::configured("runc", Level::Process);
    conforms(&runc, &shell());
    conforms(&runc, &javascript());
}

fn python() -> Programs {
    programs(ProgramKind::Python, "program.py", |what| {
        let text = match what {
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
        };
        text.into()
    })
}

fn javascript() -> Programs {
    programs(ProgramKind::JavaScript, "program.js", |what| {
        let text = match what {
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
        };
        text.into()
    })
}

fn shell() -> Programs {
    programs(ProgramKind::Shell, "program.sh", |what| {
        let text = match what {
            "hello" => "#!/bin/sh\necho hello; echo oops >&2; exit 7",
            "copy" => "cat",
            "show" => {
                "#!/bin/bash\nfor a in \"$@\"; do echo \"$a\"; done\n\
                 echo \"$COLOUR\"; cat input.txt"
            }
            "leave" => "echo kept > out.txt",
            "endless" => "while :; do :; done",
            "greedy" => "x=x; while :; do x=$x$x; done",
            _ => "kill -SEGV $$",
        };
        text.into()
    })
}

fn native() -> Programs {
    programs(ProgramKind::Native, "program", |what| {
        compile(match what {
            "hello" => "puts(\"hello\"); fputs(\"oops\\n\", stderr); return 7;",
            "copy" => "int c; while ((c = getchar()) != EOF) putchar(c); return 0;",
            "show" => {
                "for (int i = 1; i < count; i++) puts(arguments[i]);\
                 puts(getenv(\"COLOUR\"));\
                 FILE *f = fopen(\"input.txt\", \"r\");\
                 int c; while ((c = getc(f)) != EOF) putchar(c); return 0;"
            }
            "leave" => {
                "FILE *f = fopen(\"out.txt\", \"w\"); fputs(\"kept\\n\", f); return fclose(f);"
            }
            "endless" => "for (;;) ;",
            "greedy" => "for (;;) memset(malloc(1 << 20), 1, 1 << 20);",
            _ => "abort();",
        })
    })
}

/// A static executable of a few lines of C.
fn compile(body: &str) -> Vec<u8> {
    let directory = tempfile::tempdir().unwrap();
    let (source, program) = (
        directory.path().join("program.c"),
        directory.path().join("program"),
    );
    let text = format!(
        "#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n\
         int main(int count, char **arguments) {{ {body} }}\n"
    );
    std::fs::write(&source, text).unwrap();
    let mut compiler = Command::new("gcc");
    compiler
        .args(["-O0", "-static", "-o"])
        .arg(&program)
        .arg(&source);
    assert!(compiler.status().unwrap().success());
    std::fs::read(program).unwrap()
}

fn programs(kind: ProgramKind, name: &str, text: impl Fn(&str) -> Vec<u8>) -> Programs {
    let program = |what: &str| {
        let bytes = text(what);
        Program {
            name: name.to_owned(),
            kind,
            hash: ProgramHash::of(&bytes),
            bytes: bytes.into(),
        }
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

fn conforms(backend: &OciBackend, programs: &Programs) {
    let accepted = accepted_by_environment();
    let broken = run(async { check(backend, programs, &accepted).await });
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}
