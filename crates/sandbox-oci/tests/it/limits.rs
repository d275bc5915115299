//! Every limit holds in a container, and is told as at the level `process`.

use atoll_sandbox::Ending;
use atoll_sandbox::conformance::limits;
use atoll_types::{LimitName, Limits, ProgramKind};

use crate::support::{Ran, finish, gvisor, job, run, spec};

fn python_with(limits: Limits, text: &str) -> Ran {
    run(async {
        let job = job(ProgramKind::Python, "program.py", text);
        let mut spec = spec(ProgramKind::Python);
        spec.limits = limits;
        finish(&gvisor(), spec, job).await
    })
}

#[test]
fn bytes_of_files() {
    let ran = python_with(
        limits(),
        "for n in range(9):\n    open(f'/tmp/{n}', 'wb').write(bytes(8 << 20))",
    );
    assert_eq!(ran.ending, Ending::Exited(1), "{ran:#?}");
    assert_eq!(ran.limit, Some(LimitName::Disk), "{ran:#?}");
    assert!(ran.stderr.contains("No space left"), "{ran:#?}");
    assert!(
        ran.usage.disk_bytes <= limits().disk_bytes + (1 << 20),
        "{ran:#?}"
    );
}

#[test]
fn bytes_of_one_file() {
    let ran = python_with(
        limits(),
        "open('x', 'wb').truncate(64 << 20)\nprint('more')",
    );
    assert_eq!(ran.stdout, "", "{ran:#?}");
}

#[test]
fn number_of_files() {
    let ran = python_with(limits(), "for n in range(1000):\n    open(str(n), 'w')");
    assert_eq!(ran.ending, Ending::Exited(1), "{ran:#?}");
    assert_eq!(ran.limit, Some(LimitName::Disk), "{ran:#?}");
}

#[test]
fn open_files() {
    let ran = python_with(
        limits(),
        "import os\ntry:\n    while True: n = os.dup(0)\nexcept OSError: print(n)",
    );
    assert_eq!(
        ran.stdout,
        format!("{}\n", limits().open_files - 1),
        "{ran:#?}"
    );
}

#[test]
fn processes() {
    let ran = python_with(
        limits(),
        "import os, time\nwhile True:\n    if os.fork() == 0:\n        time.sleep(60)",
    );
    assert_eq!(ran.limit, Some(LimitName::Processes), "{ran:#?}");
}

#[test]
fn processor_time() {
    let limits = Limits {
        cpu_time_ms: 1000,
        ..limits()
    };
    // Whoever watches a sandbox ends it sooner; this is the second line.
    let ran = python_with(limits, "while True: pass");
    assert!(matches!(ran.ending, Ending::Signalled(_)), "{ran:#?}");
    assert!(ran.usage.cpu_time_us > 1_000_000, "{ran:#?}");
}

#[test]
fn memory() {
    let ran = python_with(limits(), "b = []\nwhile True: b.append(bytearray(8 << 20))");
    assert_eq!(ran.limit, Some(LimitName::Memory), "{ran:#?}");
    assert!(
        ran.usage.memory_peak_bytes <= limits().memory_bytes,
        "{ran:#?}"
    );
    // What fits into the limit fits beside gVisor's own memory.
    let ran = python_with(limits(), "b = bytearray(160 << 20)\nprint(len(b) >> 20)");
    assert_eq!(
        (ran.stdout.as_str(), ran.limit),
        ("160\n", None),
        "{ran:#?}"
    );
    assert!(ran.usage.memory_peak_bytes > 160 << 20, "{ran:#?}");
}

#[test]
fn memory_that_is_raised_while_it_runs() {
    run(async {
        let backend = gvisor();
        use atoll_sandbox::Backend as _;
        let mut sandbox = backend
            .create_warm(spec(ProgramKind::Python))
            .await
            .unwrap();
        let larger = Limits {
            memory_bytes: limits().memory_bytes * 2,
            ..limits()
        };
        sandbox.set_limits(&larger).unwrap();
        let job = job(
            ProgramKind::Python,
            "program.py",
            "b = bytearray(320 << 20)\nprint(len(b) >> 20)",
        );
        let ran = crate::support::finish_in(sandbox, job).await;
        assert_eq!(
            (ran.stdout.as_str(), ran.limit),
            ("320\n", None),
            "{ran:#?}"
        );
    });
}

#[test]
fn memory_is_as_large_as_its_limit() {
    let ran = python_with(
        limits(),
        "import os\n\
         total = open('/proc/meminfo').readline().split()\n\
         print(total[0], int(total[1]) << 10)\n\
         print(os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE'))",
    );
    let bytes = limits().memory_bytes;
    assert_eq!(
        ran.stdout,
        format!("MemTotal: {bytes}\n{bytes}\n"),
        "{ran:#?}"
    );
}
