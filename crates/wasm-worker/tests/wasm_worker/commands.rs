//! What a preview 1 command gets and gives.

use atoll_sandbox_wasm::protocol::GuestEnd;

use crate::fixtures;
use crate::harness::{Run, Worker};

#[test]
fn hello() {
    let outcome = Run::module(&fixtures::hello()).finish();
    outcome.assert_exited(0);
    assert_eq!(outcome.stdout, b"hello\n");
    assert_eq!(outcome.stderr, "");
    let expected = GuestEnd::Exited {
        code: 0,
        limit: None,
    };
    assert_eq!(outcome.end(), &expected);
    assert!(outcome.usage.cpu_time_us > 0, "{outcome:?}");
    assert!(outcome.usage.memory_peak_bytes >= 2 * 65536, "{outcome:?}");
    assert_eq!(outcome.files, []);
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
    run.run.environment = vec![
        (b"LANG".to_vec().into(), b"C.UTF-8".to_vec().into()),
        (b"EMPTY".to_vec().into(), Vec::new().into()),
    ];
    let outcome = run.finish();
    outcome.assert_exited(0);
    assert_eq!(
        String::from_utf8(outcome.stdout).unwrap(),
        "test.wasm\0one\0\0zwei drei\0ünï\0LANG=C.UTF-8\0EMPTY=\0"
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
fn input_that_came_with_the_message_is_there_at_once() {
    let mut run = Run::module(&fixtures::echo());
    run.run.input = b"all of it".to_vec();
    let outcome = run.finish();
    outcome.assert_exited(0);
    assert_eq!(outcome.stdout, b"all of it");
}

#[test]
fn a_program_that_ends_before_its_input_does_not_wait_for_it() {
    let mut run = Run::module(&fixtures::hello());
    run.run.input_ends = false;
    run.finish().assert_exited(0);
}

#[test]
fn output_keeps_its_order_between_the_streams() {
    let text = fixtures::command(
        r#"(data (i32.const 16) "ab")"#,
        "(loop $more
           (drop (call $write (i32.const 1) (i32.const 16) (i32.const 1)))
           (drop (call $write (i32.const 2) (i32.const 17) (i32.const 1)))
           (local.set $n (i32.add (local.get $n) (i32.const 1)))
           (br_if $more (i32.lt_u (local.get $n) (i32.const 1000))))",
    );
    let outcome = Run::module(&text).finish();
    outcome.assert_exited(0);
    assert_eq!(outcome.stdout, b"a".repeat(1000));
    assert_eq!(outcome.stderr, "b".repeat(1000));
}

#[test]
fn a_worker_whose_supervisor_goes_away_ends_whatever_its_guests_do() {
    for text in [
        fixtures::echo(),
        fixtures::command("", "(loop $again (br $again))"),
        fixtures::command(
            "",
            "(loop $more
               (drop (call $write (i32.const 1) (i32.const 16) (i32.const 60000)))
               (br $more))",
        ),
    ] {
        let mut worker = Worker::start();
        let mut run = Run::module(&text);
        run.run.input_ends = false;
        run.run.limits.output_bytes = u64::MAX;
        worker.start_run(&run).unwrap();
        worker.hear();
        worker.close();
    }
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
