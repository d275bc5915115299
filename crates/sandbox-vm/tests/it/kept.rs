//! Snapshots that later processes find.

use std::fs;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

use atoll_cache::{Cache, Kind};
use atoll_sandbox::{Backend, Ending};
use atoll_sandbox_vm::VmBackend;
use atoll_types::ProgramKind;
use blake3::Hash;
use serde_json::Value;

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
    let (path, third) = run_in_new_process(state_dir.path());
    assert_ne!(third, first, "a snapshot that was changed was used");
    let (spoiled, _file) = spoil(&path);
    let (_, fourth) = run_in_new_process(state_dir.path());
    assert_ne!(
        fourth, spoiled,
        "a snapshot of which no clone comes up was kept"
    );
}

/// Replaces a snapshot by one that Atoll could have written, and that no machine can begin with:
/// the state of its devices is nothing but zeros. Answers with its number, and with the file, which
/// has that number as long as it is open.
fn spoil(path: &Path) -> (u64, fs::File) {
    let kind = Kind {
        magic: b"atoll snapshot 1",
        extension: "snapshot",
        file_bytes_max: 1 << 30,
        bytes_max: 1 << 30,
    };
    let cache = Cache::new(path.parent().unwrap().to_owned(), kind);
    let name = path.file_stem().unwrap().to_str().unwrap();
    let name = Hash::from_hex(name).unwrap();
    let mut content = cache.read(&name).unwrap();
    let head_bytes = u64::from_le_bytes(content[..8].try_into().unwrap());
    let state = 8 + usize::try_from(head_bytes).unwrap();
    let head: Value = serde_json::from_slice(&content[8..state]).unwrap();
    let state_bytes = usize::try_from(head["state_bytes"].as_u64().unwrap()).unwrap();
    content[state..state + state_bytes].fill(0);
    cache.write(&name, &[&content]).unwrap();
    let file = fs::File::open(path).unwrap();
    (file.metadata().unwrap().ino(), file)
}
