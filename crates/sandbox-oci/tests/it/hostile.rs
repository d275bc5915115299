//! Programs that attack what runs them, and what is left of it all.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use atoll_sandbox::{Backend as _, Ending};
use atoll_types::ProgramKind;

use crate::support::{finish, gvisor, job, run, spec};

#[test]
fn a_program_that_ends_all_it_can_ends_itself_only() {
    let ran = run(async {
        let text = "import os, signal\nprint('alive', flush=True)\n\
                    for target in (1, -1):\n    \
                        try: os.kill(target, signal.SIGKILL)\n    \
                        except OSError: pass\n\
                    print('left')";
        let job = job(ProgramKind::Python, "program.py", text);
        finish(&gvisor(), spec(ProgramKind::Python), job).await
    });
    assert!(ran.stdout.starts_with("alive\n"), "{ran:#?}");
    assert!(
        matches!(ran.ending, Ending::Exited(0) | Ending::Signalled(9)),
        "{ran:#?}"
    );
}

#[test]
fn programs_that_outlive_their_first_process_are_ended() {
    let ran = run(async {
        let text =
            "import os\nif os.fork() == 0:\n    os.setsid()\n    while True: pass\nprint('first')";
        let job = job(ProgramKind::Python, "program.py", text);
        finish(&gvisor(), spec(ProgramKind::Python), job).await
    });
    assert_eq!(ran.ending, Ending::Exited(0), "{ran:#?}");
    assert_eq!(ran.stdout, "first\n");
}

/// gVisor's kernel is one process on the host; whatever makes it crash ends the container.
#[test]
fn the_end_of_gvisors_kernel_is_told() {
    run(async {
        let id = "crash-of-the-kernel";
        let mut given = spec(ProgramKind::Shell);
        given.id = id.to_owned();
        let mut sandbox = gvisor().create(given).await.unwrap();
        let endless = job(ProgramKind::Shell, "program.sh", "while :; do :; done");
        let streams = sandbox.start(endless).await.unwrap();
        let kernels = processes_of(id).into_iter().filter(|process| {
            let line = fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
            line.split(|byte| *byte == 0).any(|part| part == b"boot")
        });
        let kernels: Vec<i32> = kernels.collect();
        assert!(
            !kernels.is_empty(),
            "no kernel among {:?}",
            processes_of(id)
        );
        for kernel in kernels {
            let process = rustix::process::Pid::from_raw(kernel).unwrap();
            let _ = rustix::process::kill_process(process, rustix::process::Signal::KILL);
        }
        let ending = sandbox.wait().await;
        assert!(matches!(ending, Ending::Lost(_)), "{ending:?}");
        assert_eq!(sandbox.limit_hit(), None);
        drop(streams);
        sandbox.destroy().await.unwrap();
    });
}

#[test]
fn nothing_is_left_however_a_sandbox_ends() {
    run(async {
        let backend = gvisor();
        let id = "nothing-is-left";
        let named = |kind| {
            let mut spec = spec(kind);
            spec.id = id.to_owned();
            spec
        };
        let (mounts, files) = (mounts(), temporary_files());
        // Never used.
        let unused = backend
            .create_warm(named(ProgramKind::Python))
            .await
            .unwrap();
        assert!(!processes_of(id).is_empty());
        unused.destroy().await.unwrap();
        assert_eq!(groups_of(id), Vec::<PathBuf>::new());
        // Dropped while it runs.
        let mut dropped = backend.create(named(ProgramKind::Shell)).await.unwrap();
        let endless = job(ProgramKind::Shell, "program.sh", "while :; do :; done");
        let streams = dropped.start(endless).await.unwrap();
        drop(dropped);
        drop(streams);
        wait_for_no_groups(id).await;
        // Dropped before it is built.
        let begun = backend
            .begin(id, &named(ProgramKind::Shell).environment)
            .unwrap();
        drop(begun);
        wait_for_no_groups(id).await;
        // Cancelled while it is built.
        let creating = backend.create(named(ProgramKind::Python));
        let cancelled = tokio::time::timeout(std::time::Duration::from_millis(60), creating).await;
        drop(cancelled);
        wait_for_no_groups(id).await;
        assert_eq!(self::mounts(), mounts);
        assert_eq!(temporary_files(), files);
    });
}

async fn wait_for_no_groups(id: &str) {
    for _ in 0..500 {
        if groups_of(id).is_empty() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!(
        "these are left: {:?}, with {:?}",
        groups_of(id),
        processes_of(id)
    );
}

/// Control groups that belong to sandboxes of a name.
fn groups_of(id: &str) -> Vec<PathBuf> {
    let slices = fs::read_dir("/sys/fs/cgroup").unwrap().flatten();
    let slices = slices.map(|hierarchy| hierarchy.path().join("atoll"));
    slices
        .chain([PathBuf::from("/sys/fs/cgroup/atoll")])
        .flat_map(|slice| fs::read_dir(slice).into_iter().flatten().flatten())
        .map(|group| group.path())
        .filter(|group| is_of(group, id))
        .collect()
}

fn is_of(group: &Path, id: &str) -> bool {
    let name = group.file_name().unwrap_or_default().to_string_lossy();
    name.split('.').next() == Some(id)
}

/// Processes of the host that are in such groups.
fn processes_of(id: &str) -> BTreeSet<i32> {
    let groups = groups_of(id).into_iter();
    groups
        .filter_map(|group| fs::read_to_string(group.join("cgroup.procs")).ok())
        .flat_map(|text| {
            text.lines()
                .filter_map(|line| line.parse().ok())
                .collect::<Vec<_>>()
        })
        .collect()
}

fn mounts() -> usize {
    fs::read_to_string("/proc/self/mountinfo")
        .unwrap()
        .lines()
        .count()
}

/// What runtimes and sandboxes would leave lying around.
fn temporary_files() -> BTreeSet<String> {
    let places = ["/run", "/var/run", "/run/runsc"];
    let found = places
        .iter()
        .flat_map(|place| fs::read_dir(place).into_iter().flatten().flatten());
    found
        .map(|entry| entry.path().display().to_string())
        .collect()
}
