//! What a preview 1 command gets and gives.

use crate::fixtures;
use crate::harness::Run;

use atoll_sandbox_wasm::protocol::Status;

#[test]
fn hello() {
    let outcome = Run::module(&fixtures::hello()).finish();
    outcome.assert_exited(0);
    assert_eq!(outcome.stdout, b"hello\n");
    assert_eq!(outcome.stderr, "");
    let [
        Status::Ready { .. },
        Status::Started { compile_us },
        Status::Exited {
            code: 0,
            limit: None,
        },
    ] = outcome.statuses.as_slice()
    else {
        panic!("{outcome:?}");
    };
    assert!(*compile_us > 0);
}

#[test]
fn exit_codes_of_all_sizes() {
    for code in [0, 1, 42, 124, 126, 255, 256, -1] {
        Run::module(&fixtures::exit(code))
            .finish()
            .assert_exited(code);
    }
}

#[test]
fn arguments_and_environment_and_nothing_of_the_hosts() {
    let mut run = Run::module(&fixtures::arguments_and_environment()).arguments(&[
        "one",
        "",
        "zwei drei",
        "ünï",
    ]);
    run.request.environment = vec![
        (b"LANG".to_vec(), b"C.UTF-8".to_vec()),
        (b"EMPTY".to_vec(), Vec::new()),
    ];
    let outcome = run.finish();
    outcome.assert_exited(0);
    assert_eq!(
        String::from_utf8(outcome.stdout).unwrap(),
        "test.wasm\0one\0\0zwei drei\0ünï\0LANG=C.UTF-8\0EMPTY=\0"
    );
}

#[test]
fn arguments_that_are_not_text_are_refused() {
    let mut run = Run::module(&fixtures::hello());
    run.request.arguments = vec![b"fine".to_vec(), vec![0xff]];
    assert_eq!(
        run.finish().refusal(),
        "argument 2 is not valid UTF-8, which WebAssembly programs require"
    );
}

#[test]
fn standard_input_is_echoed_to_its_end() {
    let bytes: Vec<u8> = (0..500_000_u32).flat_map(u32::to_le_bytes).collect();
    let outcome = Run::module(&fixtures::echo()).stdin(&bytes).finish();
    outcome.assert_exited(0);
    assert!(
        outcome.stdout == bytes,
        "{} bytes came back",
        outcome.stdout.len()
    );
}

#[test]
fn an_end_of_input_is_an_end() {
    let outcome = Run::module(&fixtures::echo()).finish();
    outcome.assert_exited(0);
    assert_eq!(outcome.stdout, b"");
}

#[test]
fn a_closed_output_is_an_error_for_the_guest_and_not_for_the_worker() {
    let text = fixtures::command(
        "",
        "(loop $more
           (local.set $n (call $write (i32.const 1) (i32.const 16) (i32.const 60000)))
           (br_if $more (i32.eqz (local.get $n))))
         (call $exit (local.get $n))",
    );
    let mut running = Run::module(&text).start();
    drop(running.child.stdout.take());
    let exit = running.child.wait().unwrap();
    // 64 is EPIPE in preview 1.
    assert_eq!(exit.code(), Some(64), "{:?}", running.statuses());
}

#[test]
fn clocks_and_sleep() {
    let text = fixtures::command(
        r#"(import "wasi_snapshot_preview1" "poll_oneoff"
             (func $poll (param i32 i32 i32 i32) (result i32)))"#,
        // One subscription to the monotonic clock, 5 ms from now.
        "(i64.store (i32.const 1000) (i64.const 7))
         (i32.store8 (i32.const 1008) (i32.const 0))
         (i32.store (i32.const 1016) (i32.const 1))
         (i64.store (i32.const 1024) (i64.const 5000000))
         (local.set $n (call $poll (i32.const 1000) (i32.const 2000) (i32.const 1)
           (i32.const 8)))
         (if (i32.eqz (local.get $n)) (then (call $exit (i32.load (i32.const 8)))))
         (call $exit (i32.const 99))",
    );
    // Imports come before definitions in the text format.
    let text = reorder(&text);
    Run::module(&text).finish().assert_exited(1);
}

#[test]
fn randomness_differs_between_runs() {
    let text = reorder(&fixtures::command(
        r#"(import "wasi_snapshot_preview1" "random_get"
             (func $random (param i32 i32) (result i32)))"#,
        "(drop (call $random (i32.const 1000) (i32.const 32)))
         (drop (call $write (i32.const 1) (i32.const 1000) (i32.const 32)))",
    ));
    let first = Run::module(&text).finish();
    let second = Run::module(&text).finish();
    assert_eq!(first.stdout.len(), 32);
    assert_ne!(first.stdout, second.stdout);
}

/// Moves the one import that a fixture added in front of everything else.
fn reorder(text: &str) -> String {
    let start = text.rfind("(import").unwrap();
    let end = start + text[start..].find("))").unwrap() + 3;
    let import = &text[start..end];
    let rest = format!("{}{}", &text[..start], &text[end..]);
    rest.replacen("(module", &format!("(module {import}"), 1)
}
