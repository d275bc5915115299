//! Bounds that the runtime holds, and endings from outside.

use std::time::Instant;

use atoll_sandbox_wasm::protocol::{GuestEnd, Order, Settings};
use atoll_types::LimitName;

use crate::fixtures;
use crate::harness::{Run, Worker};

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
    let expected = GuestEnd::Exited {
        code: 100,
        limit: Some(LimitName::Memory),
    };
    assert_eq!(outcome.end(), &expected);
}

#[test]
fn a_good_end_after_a_refused_growth_is_only_an_end() {
    let text = fixtures::command("", "(drop (memory.grow (i32.const 60000)))");
    let outcome = Run::module(&text).finish();
    let expected = GuestEnd::Exited {
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
fn a_huge_first_table_is_refused() {
    for elements in ["5000000", "4294967295"] {
        let text = format!("(module (table {elements} funcref) (func (export \"_start\")))");
        let outcome = Run::module(&text).finish();
        let reason = outcome.refusal();
        assert!(reason.contains("exceeds the limit of 1048576"), "{reason}");
    }
}

#[test]
fn a_first_table_past_the_limit_is_the_memory_limit() {
    let text = r#"(module (table 1001 funcref) (func (export "_start")))"#;
    let run = Run::module(text).limits(|limits| limits.table_elements = 1000);
    assert_eq!(run.finish().trap().1, Some(LimitName::Memory));
    let run = Run::module(text).limits(|limits| limits.memory_bytes = 1001 * 16 - 1);
    assert_eq!(run.finish().trap().1, Some(LimitName::Memory));
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
fn a_module_has_sixteen_memories_at_most() {
    let text = |count: usize| {
        let memories = "(memory 0)".repeat(count);
        format!("(module {memories} (func (export \"_start\")))")
    };
    Run::module(&text(16)).finish().assert_exited(0);
    let outcome = Run::module(&text(17)).finish();
    let reason = outcome.refusal();
    assert!(reason.contains("memories count of 17"), "{reason}");
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
        .limits(|limits| limits.wall_time_us = 50_000)
        .finish();
    assert_eq!(
        outcome.trap(),
        ("the wall-time limit was reached", Some(LimitName::WallTime))
    );
    assert!(outcome.stderr.contains("spin"), "{outcome:?}");
}

#[test]
fn an_endless_loop_in_a_start_function_ends_as_well() {
    let text = r#"(module (func $spin (loop $again (br $again))) (start $spin)
      (func (export "_start")))"#;
    let outcome = Run::module(text)
        .limits(|limits| limits.wall_time_us = 50_000)
        .finish();
    assert_eq!(outcome.trap().1, Some(LimitName::WallTime));
}

#[test]
fn an_endless_loop_ends_at_its_cpu_limit() {
    let text = fixtures::command("", "(loop $again (br $again))");
    let outcome = Run::module(&text)
        .limits(|limits| limits.cpu_time_us = 30_000)
        .finish();
    assert_eq!(outcome.trap().1, Some(LimitName::CpuTime));
    assert!(outcome.usage.cpu_time_us >= 30_000, "{outcome:?}");
}

#[test]
fn a_guest_that_waits_for_input_ends_at_its_deadline_without_cpu_time() {
    let mut worker = Worker::start();
    let mut run = Run::module(&fixtures::echo()).limits(|limits| {
        limits.wall_time_us = 100_000;
        limits.cpu_time_us = 50_000;
    });
    run.run.input_ends = false;
    let message = worker.start_run(&run).unwrap();
    worker.wait_for_question(message);
    let outcome = worker.finish(message, None);
    assert_eq!(outcome.trap().1, Some(LimitName::WallTime));
    assert!(outcome.usage.wall_time_us >= 100_000, "{outcome:?}");
    assert!(outcome.usage.cpu_time_us < 50_000, "{outcome:?}");
}

#[test]
fn output_ends_at_its_limit() {
    let text = fixtures::command(
        "",
        "(loop $more
           (local.set $n (call $write (i32.const 1) (i32.const 16) (i32.const 60000)))
           (br_if $more (i32.eqz (local.get $n))))
         (call $exit (i32.const 9))",
    );
    let outcome = Run::module(&text)
        .limits(|limits| limits.output_bytes = 1 << 20)
        .finish();
    let limit = match outcome.end() {
        GuestEnd::Exited { limit, .. } | GuestEnd::Trapped { limit, .. } => *limit,
        other => panic!("{other:?}"),
    };
    assert_eq!(limit, Some(LimitName::Output), "{:?}", outcome.end());
    // One byte more shows that there was more.
    assert_eq!(outcome.stdout.len(), (1 << 20) + 1);
}

#[test]
fn a_guest_is_stopped_whatever_it_does() {
    let mut worker = Worker::start();
    let endless = Run::module(&fixtures::command("", "(loop $again (br $again))"));
    let message = worker.start_run(&endless).unwrap();
    worker.wait_for_progress(message);
    worker.order(&Order::Stop { message });
    assert_eq!(worker.finish(message, None).end(), &GuestEnd::Stopped);
    let mut waits = Run::module(&fixtures::echo());
    waits.run.input_ends = false;
    let message = worker.start_run(&waits).unwrap();
    worker.wait_for_question(message);
    worker.order(&Order::Stop { message });
    assert_eq!(worker.finish(message, None).end(), &GuestEnd::Stopped);
    worker.run(Run::module(&fixtures::hello())).assert_exited(0);
}

#[test]
fn messages_beyond_the_places_wait_their_turn() {
    let mut worker = Worker::with(Settings {
        guests_max: 2,
        memory_bytes: 1 << 30,
        reserves: true,
    });
    let mut run = Run::module(&fixtures::echo());
    run.run.input_ends = false;
    let first = worker.start_run(&run).unwrap();
    let program = first - 1;
    let others = [(); 4].map(|()| worker.start_loaded(&run, program));
    // One that waits can be stopped before it has begun.
    let last = others[3];
    worker.order(&Order::Stop { message: last });
    assert_eq!(worker.finish(last, None).end(), &GuestEnd::Stopped);
    for message in [first, others[0], others[1], others[2]] {
        worker.wait_for_question(message);
        worker.order(&Order::Input {
            message,
            bytes: message.to_le_bytes().to_vec(),
            ends: true,
        });
        let outcome = worker.finish(message, None);
        outcome.assert_exited(0);
        assert_eq!(outcome.stdout, message.to_le_bytes());
    }
}

#[test]
fn guests_take_turns() {
    let mut worker = Worker::start();
    let spin = Run::module(&fixtures::command("", "(loop $again (br $again))"))
        .limits(|limits| limits.wall_time_us = 2_000_000);
    let spins = [(); 3].map(|()| worker.start_run(&spin).unwrap());
    for message in spins {
        worker.wait_for_progress(message);
    }
    let began = Instant::now();
    let outcome = worker.run(Run::module(&fixtures::hello()));
    outcome.assert_exited(0);
    assert!(began.elapsed().as_millis() < 1900, "{:?}", began.elapsed());
    let mut cpu_us = 0;
    for message in spins {
        let outcome = worker.finish(message, None);
        assert_eq!(outcome.trap().1, Some(LimitName::WallTime));
        cpu_us += outcome.usage.cpu_time_us;
        // Nobody had all of it.
        assert!(outcome.usage.cpu_time_us < 1_500_000, "{outcome:?}");
    }
    assert!(cpu_us < 2_500_000, "one thread has no more than its time");
}

#[test]
fn memory_is_raised_while_a_guest_waits_for_it() {
    let text = fixtures::command(
        "",
        "(if (i32.eq (memory.grow (i32.const 100)) (i32.const -1))
           (then (call $exit (i32.const 1))))
         (call $exit (memory.size))",
    );
    let run = Run::module(&text).limits(|limits| {
        limits.memory_bytes = 10 * 65536;
        limits.memory_patience_us = 20_000_000;
    });
    let mut worker = Worker::start();
    let message = worker.start_run(&run).unwrap();
    assert_eq!(worker.wait_for_wish(message), 102 * 65536);
    // Not enough yet, and said so again.
    worker.order(&Order::Memory {
        message,
        bytes: 20 * 65536,
    });
    assert_eq!(worker.wait_for_wish(message), 102 * 65536);
    // Others go on meanwhile.
    worker.run(Run::module(&fixtures::hello())).assert_exited(0);
    worker.order(&Order::Memory {
        message,
        bytes: 102 * 65536,
    });
    let outcome = worker.finish(message, None);
    outcome.assert_exited(102);
    assert_eq!(outcome.usage.memory_peak_bytes, 102 * 65536);
}

#[test]
fn patience_for_memory_ends() {
    let text = fixtures::command("", GROW);
    let run = Run::module(&text).limits(|limits| {
        limits.memory_bytes = 10 * 65536;
        limits.memory_patience_us = 50_000;
    });
    let outcome = run.finish();
    outcome.assert_exited(10);
    assert!(outcome.usage.wall_time_us >= 50_000, "{outcome:?}");
}

#[test]
fn all_guests_together_have_a_bound_and_give_back_what_they_had() {
    let mut worker = Worker::with(Settings {
        guests_max: 4,
        memory_bytes: 100 * 65536,
        reserves: true,
    });
    let mut run = Run::module(&fixtures::command(
        "",
        "(loop $more
           (br_if $more (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))
         (i32.store (i32.const 4) (i32.const 10))
         (drop (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
         (call $exit (memory.size))",
    ));
    run.run.input_ends = false;
    for _ in 0..3 {
        let first = worker.start_run(&run).unwrap();
        worker.wait_for_question(first);
        // The first has it all; not even a first memory is left for another.
        let second = worker.start_loaded(&run, first - 1);
        let outcome = worker.finish(second, None);
        assert_eq!(outcome.trap().1, Some(LimitName::Memory), "{outcome:?}");
        worker.order(&Order::Stop { message: first });
        assert_eq!(worker.finish(first, None).end(), &GuestEnd::Stopped);
    }
}

#[test]
fn a_running_guest_sits_behind_the_workers_own_filter() {
    let text = fixtures::command("", "(loop $again (br $again))");
    let mut worker = Worker::start();
    let message = worker.start_run(&Run::module(&text)).unwrap();
    worker.wait_for_progress(message);
    let threads = std::fs::read_dir(format!("/proc/{}/task", worker.child.id())).unwrap();
    let mut seen = 0;
    for thread in threads {
        let path = thread.unwrap().path().join("status");
        let status = std::fs::read_to_string(path).unwrap();
        assert!(status.contains("\nNoNewPrivs:\t1\n"), "{status}");
        assert!(status.contains("\nSeccomp:\t2\n"), "{status}");
        seen += 1;
    }
    // With another thread, each change of the address space would interrupt a second processor.
    assert_eq!(seen, 1);
}
