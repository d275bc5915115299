//! The suite's programs in the languages that most levels run.

use atoll_types::{Program, ProgramHash, ProgramKind};

use super::Programs;

impl Programs {
    /// Programs of one kind: `bytes` answers with the program for `hello`, `copy`, `show`, `leave`,
    /// `endless`, `greedy` and `crash`.
    pub fn of<B: AsRef<[u8]>>(kind: ProgramKind, name: &str, bytes: impl Fn(&str) -> B) -> Self {
        let program = |what: &str| {
            let bytes = bytes(what);
            let bytes = bytes.as_ref();
            Program {
                name: name.to_owned(),
                kind,
                bytes: bytes.into(),
                hash: ProgramHash::of(bytes),
            }
        };
        Self {
            hello: program("hello"),
            copy: program("copy"),
            show: program("show"),
            leave: program("leave"),
            endless: program("endless"),
            greedy: program("greedy"),
            crash: program("crash"),
        }
    }

    /// In Python.
    #[must_use]
    pub fn python() -> Self {
        Self::of(ProgramKind::Python, "program.py", |what| match what {
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
        })
    }

    /// In JavaScript, with what node has.
    #[must_use]
    pub fn javascript() -> Self {
        Self::of(ProgramKind::JavaScript, "program.js", |what| match what {
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
        })
    }

    /// For a shell, `bash` or `sh` as their first lines say. The greedy one grows a string.
    #[must_use]
    pub fn shell() -> Self {
        Self::of(ProgramKind::Shell, "program.sh", |what| match what {
            "hello" => "#!/bin/sh\necho hello; echo oops >&2; exit 7",
            "copy" => "cat",
            "show" => {
                "#!/bin/bash\nfor a in \"$@\"; do echo \"$a\"; done; echo \"$COLOUR\"; cat input.txt"
            }
            "leave" => "echo kept > out.txt",
            "endless" => "while :; do :; done",
            "greedy" => "x=x; while :; do x=$x$x; done",
            _ => "kill -SEGV $$",
        })
    }

    /// As [`Self::shell`], but the greedy one also fills the directories that are memory.
    #[must_use]
    pub fn shell_that_fills_directories() -> Self {
        let greedy = "head -c 400000000 /dev/zero > /dev/shm/x || cat /dev/zero > /tmp/y\n\
                      x=x; while :; do x=$x$x; done";
        let greedy = Self::of(ProgramKind::Shell, "program.sh", |_| greedy).greedy;
        Self {
            greedy,
            ..Self::shell()
        }
    }
}
