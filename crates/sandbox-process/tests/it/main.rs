//! The conformance suite at the `process` level, once for each kind of program. Needs root.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod copies;
mod imports;
mod io;
mod strict;
mod warm;

use atoll_sandbox::conformance::{Programs, accepted_by_environment, check};
use atoll_sandbox_process::ProcessBackend;
use atoll_types::ProgramKind;

#[test]
fn python_keeps_every_promise() {
    conforms(&Programs::python());
}

#[test]
fn javascript_keeps_every_promise() {
    conforms(&Programs::javascript());
}

#[test]
fn shell_keeps_every_promise() {
    conforms(&Programs::shell_that_fills_directories());
}

#[test]
fn an_unsupported_kind_is_refused_with_a_hint() {
    use atoll_sandbox::Backend;
    let error = ProcessBackend::new()
        .supports(ProgramKind::WasmModule)
        .unwrap_err();
    assert!(error.contains("instance"), "{error}");
}

fn conforms(programs: &Programs) {
    let backend = ProcessBackend::new();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let broken = runtime.block_on(check(&backend, programs, &accepted_by_environment()));
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}
