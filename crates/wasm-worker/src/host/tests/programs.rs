//! Programs in C, with the C library that most toolchains share.

use std::path::Path;
use std::process::Command;

use super::guest::{Ran, Run};

/// Builds a program of this directory for preview 1. Without a compiler for it there is nothing to
/// test, and the test says so; where everything has to be tested, it fails instead.
fn built(name: &str) -> Option<Vec<u8>> {
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

fn files(program: Vec<u8>) -> Ran {
    let mut run = Run::program(program)
        .arguments(&["one", ""])
        .input_file("input.txt", "what was sent\n")
        .stdin("first\nsecond\n");
    run.environment = vec![("COLOUR".to_owned(), "blue".to_owned())];
    run.run()
}

#[test]
fn a_c_library_finds_what_it_expects() {
    let Some(program) = built("files.c") else {
        return;
    };
    let ran = files(program);
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
