//! W-10, W-15, D-01: floods of calls, calls that ask for very much, and output that pretends to be
//! something else. Pointers out of bounds are tried in the tests of the level itself.

use crate::attempts::head;
use crate::case::Attack;
use crate::case::Ending::{Exited, Limit, OneOf, Trapped};

/// A module that calls one function without end.
fn flood(function: &str, arguments: &str) -> String {
    format!(
        "{}(func (export \"_start\")
             (loop $again (drop (call ${function}{arguments})) (br $again))))",
        head(3)
    )
}

/// W-10: calls that cost the host much are made as often as the time lasts, and no longer.
#[test]
fn floods_of_calls_end_with_the_guests_time() {
    for (function, arguments) in [
        ("sched_yield", ""),
        (
            "clock_time_get",
            " (i32.const 1) (i64.const 0) (i32.const 512)",
        ),
        ("random_get", " (i32.const 0) (i32.const 65536)"),
        ("fd_fdstat_get", " (i32.const 3) (i32.const 512)"),
        (
            "path_open",
            " (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)
            (i64.const 0) (i64.const 0) (i32.const 0) (i32.const 512)",
        ),
    ] {
        let attack = Attack::text(&format!("flood of {function}"), &flood(function, arguments));
        let observed = attack
            .options(&["--timeout", "400ms"])
            .must(Limit("wall-time"));
        // Clocks of the worker and of who watches it begin at slightly different moments, and a
        // busy host is late; but it was let run, and did not go on.
        let lived_us = observed.report.usage["wall_time_us"];
        assert!(
            (200_000..10_000_000).contains(&lived_us),
            "{function}: {lived_us}"
        );
    }
}

/// W-10: one call that asks for very much at once.
#[test]
fn large_requests_are_bounded() {
    for (name, call, ending) in [
        // 4 GiB of randomness into a memory of 4 GiB, of which there is none.
        (
            "random",
            "$random_get (i32.const 0) (i32.const -1)",
            Exited(0),
        ),
        (
            "many subscriptions",
            "$poll_oneoff (i32.const 0) (i32.const 0) (i32.const 1000000) (i32.const 512)",
            Exited(0),
        ),
        (
            "all subscriptions",
            "$poll_oneoff (i32.const 0) (i32.const 0) (i32.const -1) (i32.const 512)",
            Exited(0),
        ),
        (
            "many buffers",
            "$fd_write (i32.const 1) (i32.const 0) (i32.const -1) (i32.const 512)",
            Exited(0),
        ),
        (
            "largest file",
            "$fd_filestat_set_size (i32.const 3) (i64.const -1)",
            Exited(0),
        ),
    ] {
        let text = format!(
            "{}(func (export \"_start\") (drop (call {call}))))",
            head(3)
        );
        Attack::text(name, &text).must(ending);
    }
    // In a memory that is large enough for what is asked.
    let text = format!(
        "{}(func (export \"_start\")
             (drop (call $poll_oneoff
                 (i32.const 0) (i32.const 0) (i32.const 300000) (i32.const 8))))
         )",
        head(400)
    );
    Attack::text("subscriptions in memory", &text).must(OneOf(&[Exited(0), Limit("wall-time")]));
}

/// W-10: descriptors, files and their names are bounded, and the guest is told.
#[test]
fn descriptors_and_files_run_out() {
    const OPEN: &str = "(call $path_open (i32.const 3) (i32.const 0) (i32.const 1024) (i32.const 4)
        (i32.const 1) (i64.const -1) (i64.const -1) (i32.const 0) (i32.const 512))";
    const MAKE: &str = "(call $name (local.get $made))
        (call $path_create_directory (i32.const 3) (i32.const 1024) (i32.const 4))";
    const TOO_MANY_OPEN: u32 = 33;
    const NO_SPACE: u32 = 51;
    for (name, call, error) in [
        ("open files", OPEN, TOO_MANY_OPEN),
        ("files", MAKE, NO_SPACE),
    ] {
        let text = format!(
            r#"{}(data (i32.const 1024) "same")
            ;; Four letters for a number.
            (func $name (param $number i32) (local $at i32)
              (loop $next
                (i32.store8 offset=1024 (local.get $at)
                  (i32.add (i32.const 97) (i32.and (local.get $number) (i32.const 15))))
                (local.set $number (i32.shr_u (local.get $number) (i32.const 4)))
                (local.set $at (i32.add (local.get $at) (i32.const 1)))
                (br_if $next (i32.lt_u (local.get $at) (i32.const 4)))))
            (func (export "_start") (local $made i32) (local $error i32)
              (loop $again
                (local.set $error {call})
                (local.set $made (i32.add (local.get $made) (i32.const 1)))
                (br_if $again (i32.and
                  (i32.eqz (local.get $error))
                  (i32.lt_u (local.get $made) (i32.const 60000)))))
              (if (i32.ne (local.get $error) (i32.const {error})) (then
                (call $proc_exit (i32.add (local.get $error) (i32.const 100)))))))"#,
            head(3),
        );
        Attack::text(name, &text).must(Exited(0));
    }
}

/// R-06: output past its limit ends the guest, whatever it is cut into.
#[test]
fn floods_of_output_are_cut() {
    for (name, stream, length) in [
        ("large pieces", 1, 131_072),
        ("on the other stream", 2, 131_072),
        ("small pieces", 1, 100),
    ] {
        let text = format!(
            "{}(func (export \"_start\")
                 (i32.store (i32.const 0) (i32.const 64)) (i32.store (i32.const 4)
                   (i32.const {length}))
                 (loop $again
                   (drop (call $fd_write (i32.const {stream}) (i32.const 0) (i32.const 1)
                     (i32.const 512)))
                   (br $again))))",
            head(3)
        );
        let observed = Attack::text(name, &text).must(Limit("output"));
        assert!(observed.report.truncated, "{name}");
        let sent = observed.report.stdout().len() + observed.report.stderr().len();
        assert!(sent <= 17 << 20, "{name}: {sent}");
    }
}

/// D-01: what looks like a frame, a result or an end of the worker's is output, byte for byte.
#[test]
fn output_that_looks_like_frames_is_only_output() {
    let mut sent: Vec<u8> = Vec::new();
    // Frames begin with their length; what follows are the numbers of notices, with messages.
    for length in [1_u32, 4, 16, 0xffff, u32::MAX, 0] {
        sent.extend(length.to_le_bytes());
        sent.extend(0..=40_u8);
    }
    sent.extend(b"\", \"status\": \"exited\", \"exit_code\": 0}\n\x1b[2J\r\n\0\xff\xfe");
    let escaped: String = sent.iter().map(|byte| format!("\\{byte:02x}")).collect();
    let text = format!(
        r#"{}(data (i32.const 1024) "{escaped}")
        (func (export "_start")
          (i32.store (i32.const 0) (i32.const 1024)) (i32.store (i32.const 4) (i32.const {length}))
          (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 512)))
          (drop (call $fd_write (i32.const 2) (i32.const 0) (i32.const 1) (i32.const 512)))
          unreachable))"#,
        head(3),
        length = sent.len()
    );
    let observed = Attack::text("false frames", &text).must(Trapped("unreachable"));
    assert_eq!(observed.report.stdout(), sent);
    assert!(observed.report.stderr().starts_with(&sent));
}

/// W-15: nothing of the caller is in a guest's variables, and its arguments are those it was sent.
#[test]
fn variables_of_the_caller_are_invisible() {
    let text = format!(
        r#"{}(func (export "_start")
          (drop (call $environ_sizes_get (i32.const 0) (i32.const 4)))
          (drop (call $environ_get (i32.const 4096) (i32.const 8192)))
          (i32.store (i32.const 8) (i32.const 8192))
          (i32.store (i32.const 12) (i32.load (i32.const 4)))
          (drop (call $fd_write (i32.const 1) (i32.const 8) (i32.const 1) (i32.const 512)))))"#,
        head(3)
    );
    let observed = Attack::text("variables", &text).must(Exited(0));
    let found = observed.report.stdout();
    let found: Vec<&[u8]> = found.split(|byte| *byte == 0).collect();
    let expected: [&[u8]; 3] = [b"HOME=/work", b"LANG=C.UTF-8", b""];
    assert_eq!(found, expected);
}
