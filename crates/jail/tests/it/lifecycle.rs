//! A program starts, ends, is reported, and leaves nothing.

use std::os::fd::AsFd;
use std::time::Duration;

use atoll_jail::{Jail, JailError, ProgramEnd};

use crate::support::{LIMITS, block_on, create, python, read_all, run, shell, spec};

#[test]
fn output_and_exit_code_come_back() {
    let finished = run(
        "hello",
        LIMITS,
        python("import sys\nprint('out'); sys.exit(7)"),
    );
    assert_eq!(finished.end, Some(ProgramEnd::Exited(7)), "{finished:?}");
    assert_eq!(finished.stdout, "out\n");
    assert_eq!(finished.stderr, "");
    assert_eq!(finished.limit, None);
    assert!(finished.usage.memory_peak_bytes > 1 << 20, "{finished:?}");
    assert!(finished.usage.cpu_time_us > 0, "{finished:?}");
}

#[test]
fn signals_are_reported_as_they_were() {
    for (signal, number) in [("SEGV", 11), ("TERM", 15), ("ABRT", 6)] {
        let finished = run("signal", LIMITS, shell(&format!("kill -{signal} $$")));
        assert_eq!(
            finished.end,
            Some(ProgramEnd::Signalled(number)),
            "{finished:?}"
        );
    }
}

#[test]
fn a_closed_pipe_ends_the_program_as_in_a_shell() {
    let end = block_on(async {
        let mut jail = create(&spec("pipe"), LIMITS).await.unwrap();
        let streams = jail.start(shell("while :; do echo y; done")).await.unwrap();
        drop(streams.stdout);
        let end = jail.wait().await;
        jail.destroy().await.unwrap();
        end
    });
    assert_eq!(end, Some(ProgramEnd::Signalled(13)));
}

#[test]
fn standard_input_reaches_the_program() {
    let text = block_on(async {
        let mut jail = create(&spec("stdin"), LIMITS).await.unwrap();
        let streams = jail.start(shell("cat")).await.unwrap();
        rustix::io::write(&streams.stdin, b"through").unwrap();
        drop(streams.stdin);
        jail.wait().await.unwrap();
        jail.destroy().await.unwrap();
        read_all(streams.stdout)
    });
    assert_eq!(text, "through");
}

#[test]
fn a_program_that_cannot_be_executed_is_reported() {
    block_on(async {
        let mut jail = create(&spec("noexec"), LIMITS).await.unwrap();
        let mut command = shell("");
        command.path = b"/work/missing".to_vec();
        let error = jail.start(command).await.unwrap_err();
        assert!(matches!(&error, JailError::Program(attempt, _) if attempt.contains("missing")));
        jail.destroy().await.unwrap();
    });
}

#[test]
fn leftover_processes_end_with_the_program() {
    let marker = format!("jail-leftover-{}", std::process::id());
    let script = format!(
        "import os, sys, time\n\
         if os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n        \
         os.execv('/bin/sleep', ['{marker}', '1000'])\n    os._exit(0)\n\
         os.wait(); time.sleep(0.2); print('parent ends')"
    );
    let finished = run("daemon", LIMITS, python(&script));
    assert_eq!(finished.stdout, "parent ends\n", "{finished:?}");
    assert!(
        !process_exists(&marker),
        "a daemonised child outlived its jail"
    );
}

#[test]
fn an_abandoned_jail_is_removed_with_everything_in_it() {
    let marker = format!("jail-abandoned-{}", std::process::id());
    block_on(async {
        let mut jail = create(&spec("drop"), LIMITS).await.unwrap();
        let script = format!("exec -a {marker} sleep 1000");
        let mut command = shell(&script);
        command.path = b"/bin/bash".to_vec();
        let streams = jail.start(command).await.unwrap();
        // It takes its name when it is executed, which may take a while on a busy host.
        for _ in 0..1000 {
            if process_exists(&marker) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert!(process_exists(&marker));
        assert!(streams.stdout.as_fd().try_clone_to_owned().is_ok());
        drop(jail);
    });
    assert!(!process_exists(&marker));
}

fn process_exists(name: &str) -> bool {
    std::fs::read_dir("/proc").unwrap().flatten().any(|entry| {
        std::fs::read(entry.path().join("cmdline"))
            .is_ok_and(|line| line.starts_with(name.as_bytes()))
    })
}

#[test]
fn extra_descriptors_arrive_in_order() {
    let mut command = shell("for n in 3 4 5 6 7 8 9; do cat <&$n; done; ls /proc/self/fd | wc -l");
    for n in 3..=9 {
        let (read, write) = rustix::pipe::pipe().unwrap();
        rustix::io::write(&write, n.to_string().as_bytes()).unwrap();
        command.descriptors.push(read);
    }
    let finished = run("descriptors", LIMITS, command);
    // Those of `ls`: three streams, the seven, and the directory it lists.
    assert_eq!(finished.stdout, "345678911\n", "{finished:?}");
}

#[test]
fn a_beginning_that_is_dropped_leaves_nothing() {
    block_on(async {
        // At once, and when the first process waits for its program.
        for pause_ms in [0, 1, 5, 200] {
            let beginning = Jail::begin(&spec("begun")).unwrap();
            tokio::time::sleep(Duration::from_millis(pause_ms)).await;
            drop(beginning);
            // A group can only be removed when no process is in it.
            assert_eq!(groups_named("begun"), 0, "after {pause_ms} ms");
        }
    });
}

fn groups_named(name: &str) -> usize {
    let root = std::path::PathBuf::from("/sys/fs/cgroup");
    let below = std::fs::read_dir(&root).unwrap().flatten();
    let hierarchies = below.map(|entry| entry.path()).chain([root]);
    let slices = hierarchies.filter_map(|path| std::fs::read_dir(path.join("atoll")).ok());
    let groups = slices.flatten().flatten();
    let prefix = format!("{name}.");
    groups
        .filter(|group| group.file_name().to_string_lossy().starts_with(&prefix))
        .count()
}
