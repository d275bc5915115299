//! The conformance suite, once for each kind of program.

use atoll_sandbox::Backend;
use atoll_sandbox::conformance::{Programs, accepted_by_environment, check};
use atoll_sandbox_vm::VmBackend;
use atoll_types::ProgramKind;

use crate::support::{backend, runtime};

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
    let error = VmBackend::new()
        .supports(ProgramKind::WasmModule)
        .unwrap_err();
    assert!(error.contains("instance"), "{error}");
}

fn conforms(programs: &Programs) {
    let Some(backend) = backend() else { return };
    let accepted = accepted_by_environment();
    let broken = runtime().block_on(check(&backend, programs, &accepted));
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}
