//! What a `wasi:cli/command` component gets and gives.

use crate::fixtures;
use crate::harness::{Run, Worker};

#[test]
fn hello() {
    let outcome = Run::component(&fixtures::hello_component()).finish();
    outcome.assert_exited(0);
    assert_eq!(outcome.stdout, b"hello from a component\n");
}

#[test]
fn the_answer_of_run_is_the_exit_code() {
    Run::component(&fixtures::component("", 0))
        .finish()
        .assert_exited(0);
    Run::component(&fixtures::component("", 1))
        .finish()
        .assert_exited(1);
}

#[test]
fn exit_is_the_exit_code() {
    Run::component(&fixtures::exit_component(0))
        .finish()
        .assert_exited(0);
    Run::component(&fixtures::exit_component(1))
        .finish()
        .assert_exited(1);
}

#[test]
fn a_trap_inside_is_a_trap() {
    let outcome = Run::component(&fixtures::component("unreachable", 0)).finish();
    let (text, limit) = outcome.trap();
    assert_eq!(text, "wasm trap: wasm `unreachable` instruction executed");
    assert_eq!(limit, None);
    assert!(outcome.stderr.contains("wasm backtrace:"), "{outcome:?}");
}

#[test]
fn sockets_are_denied() {
    // The fixture answers failure when the error is "access-denied".
    Run::component(&fixtures::socket_component())
        .finish()
        .assert_exited(1);
}

#[test]
fn a_component_without_run_is_refused() {
    let outcome = Run::component("(component)").finish();
    let reason = outcome.refusal();
    assert!(
        reason.starts_with("the component is not a command (wasi:cli/command): "),
        "{reason}"
    );
}

#[test]
fn an_unknown_import_is_refused_by_name() {
    let outcome = Run::component(
        r#"(component (import "acme:secrets/vault@1.0.0" (instance (export "open" (func)))))"#,
    )
    .finish();
    let reason = outcome.refusal();
    assert!(
        reason.starts_with("the component needs something that nothing provides here: ")
            && reason.contains("acme:secrets/vault@1.0.0"),
        "{reason}"
    );
}

#[test]
fn instances_are_bounded() {
    let many: String = (0..600)
        .map(|_| "(core instance (instantiate $m))")
        .collect();
    let text = format!("(component (core module $m) {many})");
    let reason = Run::component(&text).finish().refusal().to_owned();
    assert!(reason.contains("600 core module instances"), "{reason}");
    let few: String = (0..100)
        .map(|_| "(core instance (instantiate $m))")
        .collect();
    let text = fixtures::component("", 0).replace(
        "(core instance $main",
        &format!("(core module $m) {few} (core instance $main"),
    );
    Run::component(&text).finish().assert_exited(0);
}

/// More than the runtime's random numbers last for without new ones from the kernel.
#[test]
fn a_worker_lives_through_very_many_components() {
    let run = Run::component(&fixtures::hello_component());
    let mut worker = Worker::start();
    let first = worker.start_run(&run).unwrap();
    worker.finish(first, None).assert_exited(0);
    for _ in 0..2000 {
        let message = worker.start_loaded(&run, first - 1);
        let outcome = worker.finish(message, None);
        outcome.assert_exited(0);
        assert_eq!(outcome.stdout, b"hello from a component\n");
    }
    assert_eq!(worker.close().code(), Some(0));
}
