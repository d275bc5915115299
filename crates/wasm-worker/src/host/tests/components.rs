//! Components that call WASI 0.2.

use atoll_types::calls::Call;

use super::guest::{Kept, Run};
use super::programs;
use crate::host::Hit;
use crate::host::enter::Ended;

/// Prints a text through `wasi:cli/stdout`, and answers failure when that fails.
pub(super) const HELLO: &str = include_str!("programs/hello.component.wat");

#[test]
fn hello() {
    let ran = Run::text(HELLO).run();
    assert_eq!(ran.code(), 0);
    assert_eq!(ran.output, "hello from a component\n");
}

#[test]
fn the_answer_of_run_is_the_exit_code() {
    for answer in [0, 1] {
        let text = format!(
            r#"(component
              (core module $main (func (export "run") (result i32) (i32.const {answer})))
              (core instance $main (instantiate $main))
              (func $run (result (result)) (canon lift (core func $main "run")))
              (instance (export "wasi:cli/run@0.2.0") (export "run" (func $run))))"#
        );
        assert_eq!(Run::text(&text).run().code(), answer);
    }
}

#[test]
fn a_denied_stream_is_an_error_and_a_denied_call_that_cannot_fail_is_an_end() {
    let ran = Run::text(HELLO).rules(&["deny=EIO stream.write"]).run();
    assert_eq!((ran.code(), ran.output.as_str()), (1, ""));
    let ran = Run::text(HELLO).rules(&["deny=EIO host.other"]).run();
    assert_eq!(ran.ended(), Ended::Denied(Call::HostOther));
    let ran = Run::text(HELLO).rules(&["trap stream.write"]).run();
    assert_eq!(ran.ended(), Ended::Rule(Call::StreamWrite, None));
    let ran = Run::text(HELLO).rules(&["delay=5ms *"]).run();
    assert_eq!(
        (ran.code(), ran.output.as_str()),
        (0, "hello from a component\n")
    );
}

#[test]
fn limits_hold_for_components() {
    let mut run = Run::text(HELLO);
    run.output_bytes_max = 5;
    let ran = run.run();
    assert_eq!((ran.ended(), ran.hit), (Ended::Output, Some(Hit::Output)));
    assert_eq!(ran.output, "hello");
    let mut run = Run::text(HELLO);
    run.calls_max = 1;
    assert_eq!(run.run().ended(), Ended::Calls);
    let run = Run::text(HELLO);
    run.sink.0.lock().unwrap().closed = true;
    assert_eq!(run.run().code(), 1);
}

#[test]
fn a_component_waits_for_room() {
    let mut run = Run::text(HELLO);
    run.sink = Kept::with_room(3);
    let sink = run.sink.clone();
    let ran = super::guest::block_on(run.run_beside(async move {
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        sink.make_room(4);
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        sink.make_room(100);
    }));
    assert_eq!(
        (ran.code(), ran.output.as_str()),
        (0, "hello from a component\n")
    );
}

/// Makes `out.txt`, and answers failure when it cannot be opened or written.
const FILES: &str = include_str!("programs/files.component.wat");

#[test]
fn files_are_made_within_rules_and_limits() {
    let ran = Run::text(FILES).run();
    assert_eq!(ran.code(), 0);
    assert_eq!(ran.left("out.txt"), Some(b"kept".as_slice()));
    for rule in [
        "deny=EACCES file.open /work/out.txt",
        "deny=EIO file.write /work/*.txt",
    ] {
        assert_eq!(Run::text(FILES).rules(&[rule]).run().code(), 1, "{rule}");
    }
    let ran = Run::text(FILES).rules(&["trap file.write"]).run();
    assert_eq!(ran.ended(), Ended::Rule(Call::FileWrite, None));
    let mut run = Run::text(FILES);
    run.limits.bytes_max = 0;
    let ran = run.run();
    assert_eq!((ran.code(), ran.hit), (1, Some(Hit::Disk)));
    let mut run = Run::text(FILES);
    // The four directories that are given, and one file.
    run.limits.open_max = 5;
    assert_eq!(run.run().code(), 0);
    let mut run = Run::text(FILES);
    run.limits.open_max = 4;
    let ran = run.run();
    assert_eq!((ran.code(), ran.hit), (1, Some(Hit::OpenFiles)));
}

/// The program in C as a component, under rules as well.
#[test]
fn a_c_library_finds_what_it_expects() {
    let Some(program) = programs::built_component("files.c") else {
        return;
    };
    let ran = programs::files(Run::program(program.clone())).run();
    assert_eq!(ran.code(), 0, "{}", ran.error);
    assert_eq!(ran.output, "all is well\n");
    assert_eq!(ran.left("a"), Some(b"Jelly".as_slice()));
    assert_eq!(ran.leavings.len(), 303);

    let mut run = programs::files(Run::program(program.clone()));
    run.rules.audit = true;
    let ran = run.run();
    assert_eq!(ran.code(), 0, "{}", ran.error);
    let audit = ran.audit.unwrap();
    for call in [
        Call::FileRead,
        Call::FileWrite,
        Call::FileOpen,
        Call::StreamRead,
    ] {
        assert!(audit.counts[&call].allowed > 0, "{call}");
    }
    let write = audit
        .records
        .iter()
        .find(|record| record.call == Call::FileWrite);
    let argument = write.unwrap().argument.as_ref().unwrap().decode();
    assert_eq!(argument, Some(b"/work/a".to_vec()));

    for rule in [
        "deny=EACCES file.write /work/a",
        "deny=EIO file.read /work/input.txt",
    ] {
        let ran = programs::files(Run::program(program.clone()))
            .rules(&[rule])
            .run();
        assert_eq!(ran.code(), 1, "{rule}");
        assert!(ran.error.starts_with("line "), "{}", ran.error);
    }
}

#[test]
fn sockets_are_denied() {
    for rules in [&[][..], &["deny=EACCES network.*"], &["allow network.*"]] {
        assert_eq!(Run::text(SOCKET).rules(rules).run().code(), 1);
    }
    // A rule's error is another one; nothing is made all the same.
    let ran = Run::text(SOCKET)
        .rules(&["deny=EOPNOTSUPP network.open"])
        .run();
    assert_eq!(ran.code(), 0);
    let ran = Run::text(SOCKET).rules(&["trap network.open"]).run();
    assert_eq!(ran.ended(), Ended::Rule(Call::NetworkOpen, None));
}

/// Asks for a TCP socket and answers failure when it gets "access-denied".
const SOCKET: &str = include_str!("programs/socket.component.wat");
