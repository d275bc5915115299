//! Few system calls: no script that gets by with them can tell, and nothing else gets them.

use atoll_sandbox::Ending;
use atoll_types::SystemCalls;

use crate::warm::{Shown, run};

/// Programs that use what a script commonly uses; each prints what it has seen.
const SCRIPTS: [(&str, &str); 7] = [
    ("text", include_str!("../strict/text.py")),
    ("numbers", include_str!("../strict/numbers.py")),
    ("files", include_str!("../strict/files.py")),
    ("time", include_str!("../strict/time.py")),
    ("system", include_str!("../strict/system.py")),
    ("database", include_str!("../strict/database.py")),
    ("ends", include_str!("../strict/ends.py")),
];

fn ran(script: &str, warm: bool, system_calls: SystemCalls) -> Shown {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(run(script, warm, system_calls))
}

#[test]
fn ordinary_scripts_find_no_difference_between_strict_and_processes() {
    for (name, script) in SCRIPTS {
        let wide = ran(script, false, SystemCalls::Processes);
        let code = i32::from(name == "ends");
        assert_eq!(wide.ending, Ending::Exited(code), "{name}: {wide:#?}");
        assert!(!wide.stdout.is_empty(), "{name}");
        for warm in [false, true] {
            let strict = ran(script, warm, SystemCalls::Strict);
            assert_eq!(strict, wide, "{name}, waiting: {warm}");
        }
    }
}

/// Each prints the errors it meets.
const REFUSED: [(&str, &str, &str); 10] = [
    (
        "a thread",
        "import threading\n\
         try:\n    t = threading.Thread(target=print); t.start(); t.join()\n\
         except RuntimeError as e:\n    print(e)",
        "can't start new thread",
    ),
    (
        "a child",
        "import os\ntry:\n    (os.fork() or os._exit(0), os.wait())\n\
         except OSError as e:\n    print(e.errno)",
        "1",
    ),
    (
        "a program in a child",
        "import subprocess\ntry:\n    subprocess.run(['/bin/true'])\n\
         except OSError as e:\n    print(e.errno)",
        "1",
    ),
    (
        "another program",
        "import os\ntry:\n    os.execv('/bin/echo', ['echo', 'ran'])\n\
         except OSError as e:\n    print(e.errno)",
        "1",
    ),
    (
        "another program through a descriptor",
        "import os\nf = os.open('/bin/echo', os.O_RDONLY)\n\
         try:\n    os.execve(f, ['echo', 'ran'], {})\n\
         except OSError as e:\n    print(e.errno)",
        "1",
    ),
    (
        "local sockets",
        "import socket\n\
         for make in (socket.socketpair, lambda: socket.socket(socket.AF_UNIX)):\n    \
         try:\n        make(); print('made')\n    \
         except OSError as e:\n        print(e.errno)",
        "97\n97",
    ),
    (
        "memory that is writable and executable",
        "import mmap\nfor way in (mmap.PROT_READ, mmap.PROT_WRITE):\n    \
         try:\n        mmap.mmap(-1, 4096, prot=way | mmap.PROT_EXEC); print('made')\n    \
         except OSError as e:\n        print(e.errno)",
        "made\n1",
    ),
    (
        "memory without a name",
        "import os\ntry:\n    os.memfd_create('a'); print('made')\n\
         except OSError as e:\n    print(e.errno)",
        "1",
    ),
    (
        "memory that only the launcher may execute from",
        "import ctypes\nc = ctypes.CDLL(None, use_errno=True)\nc.mmap.restype = ctypes.c_long\n\
         for address, flags in ((0, 0x32), (16, 0x22), (4095, 0x32)):\n    \
         made = c.mmap(ctypes.c_void_p(address), 4096, 3, flags, -1, 0)\n    \
         print('made' if 0 <= made < 4096 else 'kept away')",
        "kept away\nkept away\nkept away",
    ),
    (
        "a signal to another process",
        "import os\ntry:\n    os.kill(1, 0); print('sent')\n\
         except OSError as e:\n    print(e.errno)",
        "1",
    ),
];

#[test]
fn strict_refuses_threads_children_programs_sockets_and_writable_code() {
    let is_root = rustix::process::geteuid().is_root();
    for (what, script, expected) in REFUSED {
        if !is_root && what.starts_with("another program") {
            // Only root can keep a program from becoming another; the layer's detail says so.
            continue;
        }
        for warm in [false, true] {
            let strict = ran(script, warm, SystemCalls::Strict);
            assert_eq!(strict.stdout.trim_end(), expected, "{what}: {strict:#?}");
            assert_eq!(strict.ending, Ending::Exited(0), "{what}: {strict:#?}");
        }
        // With more system calls the same script meets another end, so it does try.
        if !what.starts_with("memory that") && !what.starts_with("a signal") {
            let wide = ran(script, false, SystemCalls::Processes);
            assert_ne!(wide.stdout.trim_end(), expected, "{what}: {wide:#?}");
        }
    }
}
