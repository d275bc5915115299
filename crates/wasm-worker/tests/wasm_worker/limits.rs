//! Bounds that the runtime holds, and endings from outside.

use std::os::unix::process::ExitStatusExt;

use atoll_sandbox_wasm::protocol::Status;
use atoll_types::LimitName;

use crate::fixtures;
use crate::harness::Run;

/// Grows memory page by page until it is refused, then exits with the number of pages that came.
const GROW: &str = "
  (loop $more
    (br_if $more (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))
  (call $exit (memory.size))";

#[test]
fn memory_grows_to_its_limit_and_no_further() {
    let run = Run::module(&fixtures::command("", GROW)).limits(|limits| {
        limits.memory_bytes = 100 * 65536 + 65535;
    });
    let outcome = run.finish();
    outcome.assert_exited(100);
    let expected = Status::Exited {
        code: 100,
        limit: Some(LimitName::Memory),
    };
    assert_eq!(outcome.end(), &expected);
}

#[test]
fn a_good_end_after_a_refused_growth_is_only_an_end() {
    let text = fixtures::command("", "(drop (memory.grow (i32.const 60000)))");
    let outcome = Run::module(&text).finish();
    let expected = Status::Exited {
        code: 0,
        limit: None,
    };
    assert_eq!(outcome.end(), &expected);
}

#[test]
fn giving_up_after_a_refused_growth_is_the_memory_limit() {
    let text = fixtures::command("", "(drop (memory.grow (i32.const 4096))) unreachable");
    let outcome = Run::module(&text).finish();
    let (text, limit) = outcome.trap();
    assert_eq!(text, "wasm trap: wasm `unreachable` instruction executed");
    assert_eq!(limit, Some(LimitName::Memory));
    assert!(
        outcome
            .stderr
            .contains("asked for 268435456 more; its limit is 67108864 bytes"),
        "{outcome:?}"
    );
}

#[test]
fn a_trap_after_a_growth_past_the_guests_own_maximum_is_only_a_trap() {
    let text = r#"(module (memory 1 2)
      (func (export "_start") (drop (memory.grow (i32.const 4096))) unreachable))"#;
    assert_eq!(Run::module(text).finish().trap().1, None);
}

#[test]
fn a_first_memory_past_the_limit_is_the_memory_limit() {
    let text = r#"(module (memory (export "memory") 2000) (func (export "_start")))"#;
    let outcome = Run::module(text).finish();
    let (text, limit) = outcome.trap();
    assert_eq!(
        text,
        "the program held 0 bytes of memory and asked for 131072000 more; \
         its limit is 67108864 bytes"
    );
    assert_eq!(limit, Some(LimitName::Memory));
}

#[test]
fn several_memories_share_the_limit() {
    let text = r#"(module (memory 600) (memory 600) (func (export "_start")))"#;
    assert_eq!(Run::module(text).finish().trap().1, Some(LimitName::Memory));
}

#[test]
fn a_huge_first_table_is_the_memory_limit() {
    for elements in ["5000000", "4294967295"] {
        let text = format!("(module (table {elements} funcref) (func (export \"_start\")))");
        let outcome = Run::module(&text).finish();
        assert_eq!(outcome.trap().1, Some(LimitName::Memory), "{outcome:?}");
    }
}

#[test]
fn a_table_grows_to_its_limit_and_no_further() {
    let text = fixtures::command(
        "(table $t 0 funcref)",
        "(drop (table.grow $t (ref.null func) (i32.const 1000)))
         (if (i32.ne (table.grow $t (ref.null func) (i32.const 1)) (i32.const -1))
           (then (call $exit (i32.const 1))))
         (call $exit (i32.shr_u (table.size $t) (i32.const 3)))",
    );
    let run = Run::module(&text).limits(|limits| limits.table_elements = 1000);
    run.finish().assert_exited(125);
}

#[test]
fn sixty_five_memories_are_too_many() {
    let memories = "(memory 0)".repeat(65);
    let text = format!("(module {memories} (func (export \"_start\")))");
    let outcome = Run::module(&text).finish();
    assert!(
        outcome.trap().0.contains("memory count too high at 65"),
        "{outcome:?}"
    );
}

#[test]
fn unreachable_traps_with_a_backtrace() {
    let text = fixtures::command("(func $deep unreachable)", "(call $deep)");
    let outcome = Run::module(&text).finish();
    assert_eq!(
        outcome.trap(),
        ("wasm trap: wasm `unreachable` instruction executed", None)
    );
    for part in [
        "atoll: the program was stopped: wasm trap: wasm `unreachable` instruction executed",
        "wasm backtrace:",
        "deep",
        "_start",
    ] {
        assert!(
            outcome.stderr.contains(part),
            "{part} is missing: {}",
            outcome.stderr
        );
    }
}

#[test]
fn every_ordinary_trap_is_named() {
    let cases = [
        (
            "(drop (i32.load (i32.const -4)))",
            "out of bounds memory access",
        ),
        (
            "(drop (i32.div_u (i32.const 1) (i32.const 0)))",
            "integer divide by zero",
        ),
        ("(call_indirect $t (i32.const 9))", "undefined element"),
    ];
    for (body, expected) in cases {
        let text = fixtures::command("(table $t 1 funcref)", body);
        let outcome = Run::module(&text).finish();
        let (text, limit) = outcome.trap();
        assert!(text.contains(expected), "{text}");
        assert_eq!(limit, None);
    }
}

#[test]
fn endless_recursion_traps() {
    let text = fixtures::command("(func $again (call $again))", "(call $again)");
    let outcome = Run::module(&text).finish();
    let (text, limit) = outcome.trap();
    assert_eq!(text, "wasm trap: call stack exhausted");
    assert_eq!(limit, None);
}

#[test]
fn an_endless_loop_ends_at_its_deadline_with_a_backtrace() {
    let text = fixtures::command("(func $spin (loop $again (br $again)))", "(call $spin)");
    let outcome = Run::module(&text)
        .limits(|limits| limits.run_time_ms = 50)
        .finish();
    assert_eq!(
        outcome.trap(),
        ("wasm trap: interrupt", Some(LimitName::WallTime))
    );
    assert!(outcome.stderr.contains("spin"), "{outcome:?}");
}

#[test]
fn an_endless_loop_in_a_start_function_ends_as_well() {
    let text = r#"(module (func $spin (loop $again (br $again))) (start $spin)
      (func (export "_start")))"#;
    let outcome = Run::module(text)
        .limits(|limits| limits.run_time_ms = 50)
        .finish();
    assert_eq!(outcome.trap().1, Some(LimitName::WallTime));
}

#[test]
fn without_a_deadline_a_loop_runs_until_it_is_killed() {
    let text = fixtures::command("", "(loop $again (br $again))");
    let mut running = Run::module(&text)
        .limits(|limits| limits.run_time_ms = 0)
        .start();
    running.wait_started();
    assert!(running.child.try_wait().unwrap().is_none());
    running.child.kill().unwrap();
    assert_eq!(running.child.wait().unwrap().signal(), Some(9));
    assert_eq!(running.statuses().len(), 2);
}

#[test]
fn a_guest_that_waits_for_input_is_killed_from_outside() {
    let mut running = Run::module(&fixtures::echo()).start();
    running.wait_started();
    running.child.kill().unwrap();
    assert_eq!(running.child.wait().unwrap().signal(), Some(9));
}

#[test]
fn a_running_guest_sits_behind_the_workers_own_filter() {
    let text = fixtures::command("", "(loop $again (br $again))");
    let mut running = Run::module(&text).start();
    running.wait_started();
    let threads = std::fs::read_dir(format!("/proc/{}/task", running.child.id())).unwrap();
    let mut seen = 0;
    for thread in threads {
        let path = thread.unwrap().path().join("status");
        let status = std::fs::read_to_string(path).unwrap();
        assert!(status.contains("\nNoNewPrivs:\t1\n"), "{status}");
        assert!(status.contains("\nSeccomp:\t2\n"), "{status}");
        seen += 1;
    }
    running.child.kill().unwrap();
    running.child.wait().unwrap();
    // The guest's thread and the deadline's.
    assert_eq!(seen, 2);
}
