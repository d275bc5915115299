//! Limits hold for the whole tree of processes and are reported by name.

use atoll_jail::{JailError, JailFile, ProgramEnd};
use atoll_types::{LimitName, Limits};

use crate::support::{LIMITS, block_on, create, python, run, shell, spec};

#[test]
fn memory_is_bounded_for_all_processes_together() {
    let script = "import os\nfor _ in range(4):\n    if os.fork() == 0:\n        \
                  b = bytearray(40 << 20); import time; time.sleep(5); os._exit(0)\n\
                  import time; time.sleep(5)";
    let finished = run("memory", LIMITS, python(script));
    assert_eq!(finished.limit, Some(LimitName::Memory), "{finished:?}");
    assert!(finished.usage.memory_peak_bytes <= LIMITS.memory_bytes);
}

#[test]
fn files_in_memory_count_as_memory() {
    let limits = Limits {
        disk_bytes: 1 << 30,
        ..LIMITS
    };
    let finished = run(
        "tmpfs",
        limits,
        shell("head -c 300000000 /dev/zero > /tmp/big; echo $?; exit 1"),
    );
    assert_eq!(finished.limit, Some(LimitName::Memory), "{finished:?}");
}

#[test]
fn processes_are_bounded() {
    let script = "import os, time\nn = 0\ntry:\n    while True:\n        \
                  if os.fork() == 0:\n            time.sleep(10); os._exit(0)\n        n += 1\n\
                  except OSError as e:\n    print(n, e.errno, flush=True)\n    os._exit(1)";
    let finished = run("processes", LIMITS, python(script));
    assert_eq!(finished.stdout, "15 11\n", "{finished:?}");
    assert_eq!(finished.limit, Some(LimitName::Processes), "{finished:?}");
}

#[test]
fn a_program_that_copes_with_a_refusal_is_not_blamed() {
    let script = "import os, time\ntry:\n    while True:\n        \
                  if os.fork() == 0:\n            time.sleep(10); os._exit(0)\n\
                  except OSError as e:\n    pass";
    let finished = run("copes", LIMITS, python(script));
    assert_eq!(
        (finished.end, finished.limit),
        (Some(ProgramEnd::Exited(0)), None)
    );
}

#[test]
fn disk_is_bounded_in_bytes_and_in_files() {
    let full = "head -c 20000000 /dev/zero > /work/big || exit 3";
    let finished = run(
        "disk",
        Limits {
            disk_bytes: 1 << 20,
            ..LIMITS
        },
        shell(full),
    );
    assert_eq!(finished.limit, Some(LimitName::Disk), "{finished:?}");
    let many = "for i in $(seq 1000); do echo > /tmp/$i || exit 3; done";
    let finished = run("files", LIMITS, shell(many));
    assert_eq!(finished.limit, Some(LimitName::Disk), "{finished:?}");
    assert_eq!(finished.end, Some(ProgramEnd::Exited(3)));
}

#[test]
fn files_that_do_not_fit_are_refused_before_the_start() {
    let limits = Limits {
        disk_bytes: 1 << 16,
        ..LIMITS
    };
    block_on(async {
        let mut jail = create(&spec("fit"), limits).await.unwrap();
        let mut command = shell("true");
        let content = vec![0; 1 << 17].into();
        command.files.push(JailFile {
            name: b"big".to_vec(),
            content,
            executable: false,
        });
        let error = jail.start(command).await.unwrap_err();
        assert!(
            matches!(error, JailError::Limit(LimitName::Disk)),
            "{error}"
        );
        jail.destroy().await.unwrap();
    });
}

#[test]
fn cpu_share_is_bounded() {
    let limits = Limits {
        cpu_percent: 20,
        ..LIMITS
    };
    let script = "import time\nend = time.monotonic() + 1.0\nwhile time.monotonic() < end: pass";
    let finished = run("cpu", limits, python(script));
    let share = finished.usage.cpu_time_us as f64 / finished.usage.wall_time_us as f64;
    assert!(
        share < 0.5,
        "a fifth of a core was granted, {share:.2} were used"
    );
}

#[test]
fn limits_change_while_the_program_runs() {
    let script = "import sys\nsys.stdin.readline()\nb = bytearray(100 << 20)\nprint(len(b))";
    let tight = Limits {
        memory_bytes: 64 << 20,
        ..LIMITS
    };
    let end = block_on(async {
        let mut jail = create(&spec("live"), tight).await.unwrap();
        let streams = jail.start(python(script)).await.unwrap();
        jail.set_limits(LIMITS).unwrap();
        rustix::io::write(&streams.stdin, b"go\n").unwrap();
        let end = jail.wait().await;
        jail.destroy().await.unwrap();
        end
    });
    assert_eq!(end, Some(ProgramEnd::Exited(0)));
}

#[test]
fn limits_change_down_to_what_is_in_use_and_no_further() {
    let script = "import os, sys\nb = bytearray(60 << 20)\nprint(len(b), flush=True)\n\
                  sys.stdin.readline()\nfor n in range(20):\n    try:\n        \
                  if os.fork() == 0: sys.stdin.readline(); os._exit(0)\n    \
                  except OSError: break\nprint(n, flush=True)";
    block_on(async {
        let mut jail = create(&spec("shrink"), LIMITS).await.unwrap();
        let streams = jail.start(python(script)).await.unwrap();
        rustix::io::ioctl_fionbio(&streams.stdout, false).unwrap();
        let mut line = [0; 64];
        let read = rustix::io::read(&streams.stdout, &mut line).unwrap();
        assert_eq!(line[..read], *b"62914560\n");
        let with = |memory_mib: u64, processes| Limits {
            memory_bytes: memory_mib << 20,
            processes,
            cpu_percent: 150,
            ..LIMITS
        };
        let refused = jail.set_limits(with(16, 16)).unwrap_err();
        assert_eq!(
            refused.kind(),
            std::io::ErrorKind::ResourceBusy,
            "{refused}"
        );
        // Less than before, and enough for what is in use.
        jail.set_limits(with(96, 4)).unwrap();
        rustix::io::write(&streams.stdin, b"go\n").unwrap();
        let read = rustix::io::read(&streams.stdout, &mut line).unwrap();
        assert_eq!(
            line[..read],
            *b"3\n",
            "four processes, the program among them"
        );
        drop(streams.stdin);
        assert_eq!(jail.wait().await, Some(ProgramEnd::Exited(0)));
        assert_ne!(jail.limit_hit(), Some(LimitName::Memory));
        jail.destroy().await.unwrap();
    });
}

#[test]
fn many_jails_at_once_do_not_disturb_each_other() {
    let threads: Vec<_> = (0..8)
        .map(|n| {
            std::thread::spawn(move || {
                for _ in 0..5 {
                    let name = format!("many-{n}");
                    let finished = run(&name, LIMITS, shell(&format!("echo {n}; exit {n}")));
                    assert_eq!(finished.stdout, format!("{n}\n"));
                    assert_eq!(finished.end, Some(ProgramEnd::Exited(n)));
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    block_on(async { drop(create(&spec("create"), LIMITS).await.unwrap()) });
}
