//! The conformance suite through an agent.

use atoll_sandbox::conformance::{Programs, accepted_by_environment, check};

use crate::behind::Behind;

#[test]
fn python_keeps_every_promise_behind_an_agent() {
    conforms(&Programs::python());
}

#[test]
fn javascript_keeps_every_promise_behind_an_agent() {
    conforms(&Programs::javascript());
}

#[test]
fn shell_keeps_every_promise_behind_an_agent() {
    conforms(&Programs::shell());
}

fn conforms(programs: &Programs) {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().build().unwrap();
    let accepted = accepted_by_environment();
    let broken = runtime.block_on(check(&Behind::default(), programs, &accepted));
    assert!(broken.is_empty(), "{broken:#?}");
}
