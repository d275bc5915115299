//! Modules that call preview 1.

use atoll_types::calls::Call;
use std::time::{Duration, Instant};

use super::guest::{Kept, Ran, Run, block_on};
use crate::host::Hit;
use crate::host::enter::Ended;
use crate::host::streams::Input;

/// A command that imports all that tests need; `body` is what it does. Scratch memory is from 0 to
/// 1000, data from 1000 on.
fn command(data: &str, body: &str) -> String {
    format!(
        r#"(module
  (import "wasi_snapshot_preview1" "fd_write"
    (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read"
    (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_close" (func $close (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_prestat_dir_name"
    (func $name (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open"
    (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_symlink"
    (func $symlink (param i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_unlink_file"
    (func $unlink (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "clock_time_get"
    (func $clock (param i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "poll_oneoff"
    (func $poll (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))
  (import "wasi_snapshot_preview1" "sock_shutdown"
    (func $shutdown (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_sizes_get"
    (func $args_sizes (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_get" (func $args (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_sizes_get"
    (func $environ_sizes (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_get" (func $environ (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 16)
  {data}
  ;; Ends with the error, if there is one.
  (func $check (param $errno i32)
    (if (local.get $errno) (then (call $exit (local.get $errno)))))
  ;; Writes to a descriptor.
  (func $put (param $fd i32) (param $at i32) (param $length i32)
    (i32.store (i32.const 0) (local.get $at))
    (i32.store (i32.const 4) (local.get $length))
    (call $check (call $write (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 8))))
  ;; Reads up to so many bytes to an address, and says how many.
  (func $get (param $fd i32) (param $at i32) (param $length i32) (result i32)
    (i32.store (i32.const 0) (local.get $at))
    (i32.store (i32.const 4) (local.get $length))
    (call $check (call $read (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 8)))
    (i32.load (i32.const 8)))
  ;; Opens a path below a directory, following links, for reading and writing.
  (func $file (param $directory i32) (param $at i32) (param $length i32) (param $how i32)
    (result i32)
    (call $check (call $open (local.get $directory) (i32.const 1) (local.get $at)
      (local.get $length) (local.get $how) (i64.const 0x42) (i64.const 0x42) (i32.const 0)
      (i32.const 12)))
    (i32.load (i32.const 12)))
  (func (export "_start") (local $n i32) {body}))"#
    )
}

fn run(data: &str, body: &str) -> Ran {
    Run::text(&command(data, body)).run()
}

#[test]
fn hello() {
    let ran = run(
        r#"(data (i32.const 1000) "hello\noops\n")"#,
        "(call $put (i32.const 1) (i32.const 1000) (i32.const 6))
         (call $put (i32.const 2) (i32.const 1006) (i32.const 5))",
    );
    assert_eq!(ran.code(), 0);
    assert_eq!(
        (ran.output.as_str(), ran.error.as_str()),
        ("hello\n", "oops\n")
    );
    assert_eq!(ran.hit, None);
}

#[test]
fn exit_codes_of_all_sizes_reach_the_caller() {
    for code in [0, 1, 42, 126, 255, 256, -1] {
        let ran = run("", &format!("(call $exit (i32.const {code}))"));
        assert_eq!(ran.code(), code);
    }
}

#[test]
fn arguments_and_variables() {
    let text = command(
        "",
        "(call $check (call $args_sizes (i32.const 16) (i32.const 20)))
         (call $check (call $args (i32.const 100) (i32.const 2000)))
         (call $put (i32.const 1) (i32.load (i32.const 100)) (i32.load (i32.const 20)))
         (call $check (call $environ_sizes (i32.const 16) (i32.const 20)))
         (call $check (call $environ (i32.const 100) (i32.const 2000)))
         (call $put (i32.const 1) (i32.load (i32.const 104))
           (i32.sub (i32.load (i32.const 20)) (i32.const 13)))
         (call $exit (i32.load (i32.const 16)))",
    );
    let mut run = Run::text(&text).arguments(&["one", "", "ünï"]);
    run.environment = vec![
        ("LANG".to_owned(), "C.UTF-8".to_owned()),
        ("EMPTY".to_owned(), String::new()),
    ];
    let ran = run.run();
    assert_eq!(ran.code(), 2);
    assert_eq!(ran.output, "test.wasm\0one\0\0ünï\0EMPTY=\0");
}

#[test]
fn the_directories_have_their_names_and_there_is_no_other() {
    let ran = run(
        "",
        "(local.set $n (i32.const 3))
         (loop $more
           (i64.store (i32.const 1000) (i64.const 0))
           (if (i32.eqz (call $name (local.get $n) (i32.const 1000) (i32.const 64))) (then
             (call $put (i32.const 1) (i32.const 1000) (i32.const 8))
             (local.set $n (i32.add (local.get $n) (i32.const 1)))
             (br $more))))
         (call $exit (local.get $n))",
    );
    assert_eq!(ran.code(), 7);
    assert_eq!(
        ran.output,
        "/\0\0\0\0\0\0\0/work\0\0\0.\0\0\0\0\0\0\0/tmp\0\0\0\0"
    );
}

#[test]
fn an_input_file_is_read_by_every_name_of_its_directory() {
    let text = command(
        r#"(data (i32.const 1000) "sub/in.txt")"#,
        "(loop $more
           (local.set $n (call $get (call $file (call $digit) (i32.const 1000) (i32.const 10)
             (i32.const 0)) (i32.const 2000) (i32.const 100)))
           (call $put (i32.const 1) (i32.const 2000) (local.get $n)))",
    );
    for directory in 3..6 {
        let text = text.replace("(call $digit)", &format!("(i32.const {directory})"));
        let ran = Run::text(&text)
            .input_file("sub/in.txt", "what was sent")
            .run();
        assert_eq!(ran.code(), 0);
        assert_eq!(ran.output, "what was sent");
        assert_eq!(ran.leavings.len(), 1);
        assert!(!ran.leavings[0].changed);
    }
}

#[test]
fn what_is_written_is_left_and_temporary_files_are_not() {
    let ran = run(
        r#"(data (i32.const 1000) "out.txtkept\n")"#,
        "(call $put (call $file (i32.const 3) (i32.const 1000) (i32.const 7) (i32.const 1))
           (i32.const 1007) (i32.const 5))
         (call $put (call $file (i32.const 6) (i32.const 1000) (i32.const 3) (i32.const 1))
           (i32.const 1007) (i32.const 5))",
    );
    assert_eq!(ran.code(), 0);
    assert_eq!(ran.left("out.txt"), Some(b"kept\n".as_slice()));
    assert_eq!(ran.leavings.len(), 1);
}

#[test]
fn no_path_and_no_link_leads_out() {
    for path in [
        "..",
        "a/../..",
        "/etc/passwd",
        "//x",
        "link",
        "link/x",
        "up",
        "up/x",
    ] {
        let text = command(
            &format!(r#"(data (i32.const 1000) "{path}") (data (i32.const 1100) "../..link/up")"#),
            &format!(
                r#"(drop (call $symlink (i32.const 1100) (i32.const 5) (i32.const 3)
                     (i32.const 1105) (i32.const 4)))
                   (drop (call $symlink (i32.const 1100) (i32.const 2) (i32.const 3)
                     (i32.const 1110) (i32.const 2)))
                   (drop (call $file (i32.const 3) (i32.const 1000) (i32.const {})
                     (i32.const 0)))"#,
                path.len()
            ),
        );
        let ran = Run::text(&text).input_file("a/b", "").run();
        assert_eq!(ran.code(), 63, "{path}");
    }
}

#[test]
fn input_is_read_to_its_end() {
    let echo = command(
        "",
        "(loop $more
           (local.set $n (call $get (i32.const 0) (i32.const 2000) (i32.const 30000)))
           (if (local.get $n) (then
             (call $put (i32.const 1) (i32.const 2000) (local.get $n))
             (br $more))))",
    );
    let long: String = (0..50_000).map(|number| format!("{number} ")).collect();
    let ran = Run::text(&echo).stdin(&long).run();
    assert_eq!(ran.code(), 0);
    assert!(ran.output == long);

    // And input that comes while the guest waits for it, written where there is little room.
    let (input, feed) = Input::new(|| ());
    let mut run = Run::text(&echo);
    run.input = input;
    run.sink = Kept::with_room(1);
    let sink = run.sink.clone();
    let ran = block_on(run.run_beside(async move {
        for part in ["one ", "two ", "three"] {
            tokio::time::sleep(Duration::from_millis(2)).await;
            feed.push(part.into());
            tokio::time::sleep(Duration::from_millis(2)).await;
            sink.make_room(2);
        }
        sink.make_room(100);
        feed.end();
    }));
    assert_eq!(ran.code(), 0);
    assert_eq!(ran.output, "one two three");
}

#[test]
fn output_past_its_limit_ends_the_guest() {
    let mut run = Run::text(&command(
        "",
        "(loop $more
           (call $put (i32.const 1) (i32.const 2000) (i32.const 300))
           (call $put (i32.const 2) (i32.const 2000) (i32.const 300))
           (br $more))",
    ));
    run.output_bytes_max = 1000;
    let ran = run.run();
    assert_eq!(ran.ended(), Ended::Output);
    assert_eq!(ran.hit, Some(Hit::Output));
    assert_eq!((ran.output.len(), ran.error.len()), (600, 400));
}

#[test]
fn output_that_nobody_takes_is_a_broken_pipe() {
    let run = Run::text(&command(
        "",
        "(call $put (i32.const 1) (i32.const 2000) (i32.const 300))",
    ));
    run.sink.0.lock().unwrap().closed = true;
    assert_eq!(run.run().code(), 64);
}

#[test]
fn calls_are_bounded() {
    let mut run = Run::text(&command("", "(loop $more (drop (call $yield)) (br $more))"));
    run.calls_max = 1000;
    assert_eq!(run.run().ended(), Ended::Calls);
}

#[test]
fn a_pointer_out_of_memory_ends_the_guest() {
    let ran = run(
        "",
        "(drop (call $random (i32.const 1048570) (i32.const 100)))",
    );
    let text = format!("{:?}", ran.result.unwrap_err());
    assert!(
        text.contains("the program gave random_get a pointer that leads out of its memory"),
        "{text}"
    );
}

#[test]
fn randomness_fills_all_of_a_large_buffer() {
    let ran = run(
        "",
        "(call $check (call $random (i32.const 2000) (i32.const 700000)))
         (call $put (i32.const 1) (i32.const 2000) (i32.const 16))
         (call $put (i32.const 1) (i32.const 701984) (i32.const 16))",
    );
    assert_eq!(ran.code(), 0);
    assert_ne!(ran.output.as_bytes()[..16], [0; 16]);
    assert!(!ran.output.ends_with("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"));
}

/// One subscription to a clock or a stream, at 1000.
const SUBSCRIBE: &str = "(i64.store (i32.const 1000) (i64.const 7))";

#[test]
fn sleeping_takes_as_long_as_it_should() {
    let text = command(
        "",
        &format!(
            "{SUBSCRIBE}
             (i32.store (i32.const 1016) (i32.const 1))
             (i64.store (i32.const 1024) (i64.const 20000000))
             (call $check (call $poll (i32.const 1000) (i32.const 2000) (i32.const 1)
               (i32.const 8)))
             (call $exit (i32.add (i32.load (i32.const 8)) (i32.load (i32.const 2000))))"
        ),
    );
    let began = Instant::now();
    let ran = Run::text(&text).run();
    assert_eq!(ran.code(), 8);
    let took = began.elapsed();
    assert!(took >= Duration::from_millis(20), "{took:?}");
}

#[test]
fn waiting_for_input_ends_when_it_comes() {
    let text = command(
        "",
        &format!(
            "{SUBSCRIBE}
             (i32.store8 (i32.const 1008) (i32.const 1))
             (i64.store (i32.const 1048) (i64.const 9))
             (i32.store (i32.const 1064) (i32.const 1))
             (i64.store (i32.const 1072) (i64.const 60000000000))
             (call $check (call $poll (i32.const 1000) (i32.const 2000) (i32.const 2)
               (i32.const 8)))
             (call $check (i32.sub (i32.load (i32.const 8)) (i32.const 1)))
             (call $exit (i32.add (i32.load (i32.const 2000)) (i32.load (i32.const 2016))))"
        ),
    );
    let (input, feed) = Input::new(|| ());
    let mut run = Run::text(&text);
    run.input = input;
    let ran = block_on(run.run_beside(async move {
        tokio::time::sleep(Duration::from_millis(5)).await;
        feed.push("abc".into());
    }));
    // The userdata of the stream, and three bytes.
    assert_eq!(ran.code(), 7 + 3);
}

#[test]
fn sockets_are_none() {
    let ran = run(
        "",
        "(call $check (call $shutdown (i32.const 3) (i32.const 0)))",
    );
    assert_eq!(ran.code(), 57);
    let ran = run(
        "",
        "(call $check (call $shutdown (i32.const 30) (i32.const 0)))",
    );
    assert_eq!(ran.code(), 8);
}

const OPEN_AND_REMOVE: &str = "(drop (call $file (i32.const 3) (i32.const 1000) (i32.const 6)
       (i32.const 1)))
     (call $check (call $unlink (i32.const 3) (i32.const 1000) (i32.const 6)))
     (call $check (call $clock (i32.const 1) (i64.const 0) (i32.const 16)))";

fn ruled(rules: &[&str]) -> Run {
    let text = command(r#"(data (i32.const 1000) "secret")"#, OPEN_AND_REMOVE);
    Run::text(&text).rules(rules)
}

#[test]
fn rules_deny_with_their_error_and_let_the_rest_through() {
    assert_eq!(
        ruled(&["deny=EACCES file.open /work/secret"]).run().code(),
        2
    );
    assert_eq!(
        ruled(&["deny=EACCES file.open /work/other"]).run().code(),
        0
    );
    assert_eq!(ruled(&["deny=EIO file.remove"]).run().code(), 29);
    assert_eq!(ruled(&["deny=EPERM clock.read"]).run().code(), 63);
}

#[test]
fn a_rule_that_traps_ends_the_guest() {
    let ran = ruled(&["trap file.remove"]).run();
    assert_eq!(ran.ended(), Ended::Rule(Call::FileRemove, None));
    assert_eq!(ran.left("secret"), Some(b"".as_slice()));
}

#[test]
fn a_rule_delays_any_call_and_it_happens_once() {
    let began = Instant::now();
    let mut run = ruled(&["delay=20ms file.*", "delay=20ms clock.read"]);
    run.rules.audit = true;
    let ran = run.run();
    assert_eq!(ran.code(), 0);
    assert!(began.elapsed() >= Duration::from_millis(60));
    let audit = ran.audit.unwrap();
    assert_eq!(audit.total(), 3);
    assert_eq!(audit.counts[&Call::FileOpen].delayed, 1);
    let argument = audit.records[0].argument.as_ref().unwrap().decode();
    assert_eq!(argument, Some(b"/work/secret".to_vec()));
}

#[test]
fn no_link_leads_around_a_rule() {
    let text = command(
        r#"(data (i32.const 1000) "secretlink")"#,
        "(call $check (call $symlink (i32.const 1000) (i32.const 6) (i32.const 3)
           (i32.const 1006) (i32.const 4)))
         (drop (call $file (i32.const 3) (i32.const 1006) (i32.const 4) (i32.const 0)))",
    );
    let run = || Run::text(&text).input_file("secret", "");
    let rule = "deny=EACCES file.open /work/secret";
    assert_eq!(run().rules(&[rule]).run().code(), 2);
    let others = "deny=EACCES file.open";
    // Who allows it names where the link leads, and the link alone is not enough.
    let rules = ["allow file.open /work/secret", others];
    assert_eq!(run().rules(&rules).run().code(), 0);
    let rules = ["allow file.open /work/link", others];
    assert_eq!(run().rules(&rules).run().code(), 2);
    // Who holds up the link need not know where it leads.
    let rule = "deny=EACCES file.open /work/link";
    assert_eq!(run().rules(&[rule]).run().code(), 2);
    let rule = "deny=EACCES file.link /work/secret";
    assert_eq!(run().rules(&[rule]).run().code(), 2);
    assert_eq!(run().run().code(), 0);
}

#[test]
fn full_files_are_an_error_for_the_guest_and_a_limit_for_the_outcome() {
    let mut run = Run::text(&command(
        r#"(data (i32.const 1000) "big")"#,
        "(local.set $n (call $file (i32.const 3) (i32.const 1000) (i32.const 3) (i32.const 1)))
         (loop $more
           (call $put (local.get $n) (i32.const 2000) (i32.const 60000))
           (br $more))",
    ));
    run.limits.bytes_max = 1 << 20;
    let ran = run.run();
    assert_eq!((ran.code(), ran.hit), (51, Some(Hit::Disk)));
    assert_eq!(ran.left("big").unwrap().len(), 1 << 20);
}

#[test]
fn open_files_are_bounded() {
    let mut run = Run::text(&command(
        r#"(data (i32.const 1000) "big")"#,
        "(loop $more
           (drop (call $file (i32.const 3) (i32.const 1000) (i32.const 3) (i32.const 1)))
           (br $more))",
    ));
    run.limits.open_max = 10;
    let ran = run.run();
    assert_eq!((ran.code(), ran.hit), (33, Some(Hit::OpenFiles)));
}
