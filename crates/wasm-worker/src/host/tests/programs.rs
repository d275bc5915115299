//! Programs in C, with the C library that most toolchains share.

use std::path::Path;
use std::process::Command;

use super::guest::Run;

/// Builds a program of this directory for preview 1. Without a compiler for it there is nothing to
/// test, and the test says so; where everything has to be tested, it fails instead.
pub(super) fn built(name: &str) -> Option<Vec<u8>> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/host/tests/programs");
    let place = tempfile::tempdir().unwrap();
    let program = place.path().join("program.wasm");
    let built = Command::new("clang")
        .args(["--target=wasm32-wasi", "--sysroot=/usr", "-O2", "-s", "-o"])
        .arg(&program)
        .arg(directory.join(name))
        .output();
    match built {
        Ok(built) if built.status.success() => Some(std::fs::read(program).unwrap()),
        failed => {
            assert!(
                std::env::var_os("CI").is_none(),
                "building {name} needs clang, lld, wasi-libc and libclang-rt-dev-wasm32: {failed:?}"
            );
            eprintln!("skipped: {name} needs clang, lld, wasi-libc and libclang-rt-dev-wasm32");
            None
        }
    }
}

/// A program of this directory as a component, from the directory that `ATOLL_TEST_COMPONENTS`
/// names: `files.c` as `files.wasm`. Making one takes the adapter for preview 1, which cannot be
/// linked into this test without building the runtime anew.
pub(super) fn built_component(name: &str) -> Option<Vec<u8>> {
    let Some(directory) = std::env::var_os("ATOLL_TEST_COMPONENTS") else {
        eprintln!("skipped: ATOLL_TEST_COMPONENTS does not name a directory with {name} built");
        return None;
    };
    let path = Path::new(&directory).join(name).with_extension("wasm");
    Some(std::fs::read(path).unwrap())
}

/// What `files.c` expects.
pub(super) fn files(run: Run) -> Run {
    let mut run = run
        .arguments(&["one", ""])
        .input_file("input.txt", "what was sent\n")
        .stdin("first\nsecond\n");
    run.environment = vec![("COLOUR".to_owned(), "blue".to_owned())];
    run
}

#[test]
fn a_c_library_finds_what_it_expects() {
    let Some(program) = built("files.c") else {
        return;
    };
    for rules in [&[][..], &["allow file.*", "delay=1ms clock.read"]] {
        let ran = files(Run::program(program.clone())).rules(rules).run();
        assert_eq!(ran.code(), 0, "{}", ran.error);
        assert_eq!(ran.output, "all is well\n");
        assert_eq!(ran.left("a"), Some(b"Jelly".as_slice()));
        assert_eq!(
            ran.left("many/entry-299"),
            Some(b"many/entry-299".as_slice())
        );
        assert_eq!(ran.leavings.iter().filter(|left| !left.changed).count(), 1);
        assert_eq!(ran.leavings.len(), 303);
    }
}
