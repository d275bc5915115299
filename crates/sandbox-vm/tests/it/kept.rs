//! Snapshots that later processes find.

use std::fs;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

use atoll_sandbox::{Backend, Ending};
use atoll_sandbox_vm::VmBackend;
use atoll_types::ProgramKind;

use crate::support::{backend, run, runtime};

/// Runs a program as a process does that has just begun, and answers with the snapshot that is kept
/// then, and its number.
fn run_in_new_process(state_dir: &Path) -> (PathBuf, u64) {
    runtime().block_on(async {
        let backend = VmBackend::new();
        backend.keep_in(state_dir);
        let ran = run(&backend, ProgramKind::Shell, "echo hello").await;
        assert_eq!(ran.ending, Ending::Exited(0), "{ran:?}");
        assert_eq!(ran.stdout, "hello\n");
        backend.close().await;
    });
    let entries = fs::read_dir(state_dir.join("snapshots")).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let mut kept = paths.filter(|path| path.extension().is_some_and(|found| found == "snapshot"));
    let path = kept.next().unwrap();
    assert_eq!(kept.next(), None);
    // One that replaced another has another number, as long as that one is open.
    let number = fs::metadata(&path).unwrap().ino();
    (path, number)
}

#[test]
fn later_processes_begin_with_the_snapshot_of_an_earlier_one_unless_it_was_changed() {
    if backend().is_none() {
        return;
    }
    let state_dir = tempfile::tempdir().unwrap();
    let (path, first) = run_in_new_process(state_dir.path());
    let file = fs::File::options()
        .read(true)
        .write(true)
        .open(&path)
        .unwrap();
    assert_eq!(file.metadata().unwrap().mode() & 0o777, 0o600);
    let (_, second) = run_in_new_process(state_dir.path());
    assert_eq!(second, first, "it was taken again");
    let middle = file.metadata().unwrap().len() / 2;
    let mut byte = [0];
    file.read_exact_at(&mut byte, middle).unwrap();
    file.write_all_at(&[!byte[0]], middle).unwrap();
    let (_, third) = run_in_new_process(state_dir.path());
    assert_ne!(third, first, "a snapshot that was changed was used");
}
