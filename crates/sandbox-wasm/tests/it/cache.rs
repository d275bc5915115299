//! Compiled programs that outlive the process that had them compiled.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use atoll_sandbox::conformance::{accepted_by_environment, limits};
use atoll_sandbox::{Backend, Ending};
use atoll_sandbox_wasm::WasmBackend;
use atoll_types::Program;

use crate::fixtures;
use crate::support::{Going, block_on, in_time, job, module, tenant};

/// Runs a program as a process does that has just begun, and answers what it wrote.
fn run(directory: &Path, program: &Program) -> (Ending, String) {
    block_on(async {
        let backend = WasmBackend::new();
        backend.keep_in(directory);
        let going = Going::start(&backend, job(program.clone()), &tenant("a")).await;
        let ran = going.end().await;
        in_time(backend.close()).await;
        (ran.ending, ran.stdout)
    })
}

fn says(text: &str) -> Program {
    module(&fixtures::hello().replace("hello", text))
}

/// The compiled programs in a cache, by when they were written.
fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory.join("compiled")).unwrap();
    let mut files: Vec<_> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|found| found == "compiled"))
        .collect();
    files.sort_by_key(|path| fs::metadata(path).unwrap().ino());
    files
}

/// The program's file after it was run for the first time. As long as this one is open, what is
/// written later has another number.
fn cached(directory: &Path, program: &Program, text: &str) -> (PathBuf, Vec<u8>, fs::File) {
    let before = files(directory);
    run_good(directory, program, text);
    let path = files(directory)
        .into_iter()
        .find(|path| !before.contains(path))
        .unwrap();
    let file = fs::File::open(&path).unwrap();
    (path.clone(), fs::read(path).unwrap(), file)
}

fn run_good(directory: &Path, program: &Program, text: &str) {
    let expected = (Ending::Exited(7), format!("{text}\n"));
    assert_eq!(run(directory, program), expected);
}

fn place() -> tempfile::TempDir {
    let place = tempfile::tempdir().unwrap();
    fs::DirBuilder::new()
        .create(place.path().join("compiled"))
        .unwrap();
    let own = fs::Permissions::from_mode(0o700);
    fs::set_permissions(place.path().join("compiled"), own).unwrap();
    place
}

#[test]
fn a_program_is_compiled_once_for_two_processes() {
    let place = place();
    let program = says("hello");
    let (path, _, file) = cached(place.path(), &program, "hello");
    run_good(place.path(), &program, "hello");
    let written = fs::metadata(path).unwrap().ino();
    assert_eq!(written, file.metadata().unwrap().ino());
    assert_eq!(files(place.path()).len(), 1);
}

#[test]
fn a_file_that_was_tampered_with_is_compiled_again() {
    let place = place();
    let program = says("hello");
    let (path, whole, file) = cached(place.path(), &program, "hello");
    let middle = whole.len() / 2;
    let flipped = |at: usize| {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x10;
        bytes
    };
    for bytes in [
        flipped(0),
        flipped(20),
        flipped(60),
        flipped(middle),
        flipped(whole.len() - 1),
        whole[..middle].to_vec(),
        Vec::new(),
        [whole.as_slice(), b"more"].concat(),
        vec![0x90; whole.len()],
    ] {
        fs::write(&path, bytes).unwrap();
        run_good(place.path(), &program, "hello");
        assert!(fs::read(&path).unwrap() == whole, "it was compiled again");
    }
    drop(file);
}

#[test]
fn files_that_change_places_are_not_loaded() {
    let place = place();
    let (one, two) = (says("hello"), says("salve"));
    let (first, first_bytes, _) = cached(place.path(), &one, "hello");
    let (second, second_bytes, _) = cached(place.path(), &two, "salve");
    assert!(first != second && first_bytes != second_bytes);
    fs::write(&first, &second_bytes).unwrap();
    fs::write(&second, &first_bytes).unwrap();
    run_good(place.path(), &one, "hello");
    run_good(place.path(), &two, "salve");
    assert!(fs::read(first).unwrap() == first_bytes);
    assert!(fs::read(second).unwrap() == second_bytes);
}

#[test]
fn files_under_another_key_are_not_loaded() {
    let place = place();
    let program = says("hello");
    let (path, whole, _) = cached(place.path(), &program, "hello");
    fs::write(place.path().join("compiled/key"), [7; 32]).unwrap();
    run_good(place.path(), &program, "hello");
    assert!(fs::read(path).unwrap() != whole, "under the other key");
}

#[test]
fn a_directory_that_others_can_read_is_not_used() {
    let place = place();
    let program = says("hello");
    let (path, _, _) = cached(place.path(), &program, "hello");
    let before = fs::metadata(&path).unwrap();
    let open = fs::Permissions::from_mode(0o755);
    fs::set_permissions(place.path().join("compiled"), open).unwrap();
    run_good(place.path(), &program, "hello");
    run_good(place.path(), &says("salve"), "salve");
    assert_eq!(files(place.path()), std::slice::from_ref(&path));
    // Whoever reads one says so by its time.
    let after = fs::metadata(path).unwrap();
    assert_eq!(before.modified().unwrap(), after.modified().unwrap());
    assert_eq!(before.ino(), after.ino());
}

#[test]
fn a_place_that_cannot_be_written_costs_only_the_cache() {
    let place = tempfile::tempdir().unwrap();
    fs::write(place.path().join("compiled"), "in the way").unwrap();
    run_good(place.path(), &says("hello"), "hello");
}

#[test]
fn first_messages_at_the_same_time_compile_once() {
    if !crate::support::alone("cache::first_messages_at_the_same_time_compile_once") {
        return;
    }
    block_on(async {
        let backend = WasmBackend::new();
        // Long enough to be asked for again meanwhile, also where a processor is emulated.
        let bytes = fixtures::with_functions(500);
        let program = crate::support::program(atoll_types::ProgramKind::WasmModule, bytes);
        let limits = atoll_types::Limits {
            cpu_time_ms: 120_000,
            wall_time_ms: 120_000,
            ..limits()
        };
        let mut asked = tokio::task::JoinSet::new();
        for _ in 0..8 {
            let (backend, program) = (backend.clone(), job(program.clone()));
            asked.spawn(async move {
                backend
                    .prepare(program, &limits, &accepted_by_environment())
                    .await
                    .unwrap()
            });
        }
        let mut compilers = std::collections::BTreeSet::new();
        let mut bytes = std::collections::BTreeSet::new();
        while !asked.is_empty() {
            compilers.extend(crate::support::processes("compile"));
            while let Some(done) = asked.try_join_next() {
                bytes.insert(done.unwrap().code_bytes());
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        assert_eq!(compilers.len(), 1, "{compilers:?}");
        assert_eq!(bytes.len(), 1, "{bytes:?}");
    });
}
