//! The guest's one directory, and the ways that must not lead out of it.

use atoll_sandbox_wasm::protocol::GuestEnd;
use atoll_types::LimitName;

use crate::fixtures::{self, Open, PRINT_FILE};
use crate::harness::{Outcome, Run, Worker};

const ERRNO_LOOP: i32 = 32;
const ERRNO_NOENT: i32 = 44;
const ERRNO_PERM: i32 = 63;

fn read(path: &str) -> Open<'_> {
    Open {
        directory: 3,
        path,
        follow: true,
        flags: 0,
    }
}

fn open(how: &Open<'_>, prepare: impl FnOnce(Run) -> Run) -> Outcome {
    prepare(Run::module(&fixtures::open(how, PRINT_FILE))).finish()
}

#[test]
fn a_file_is_read_through_every_name_of_the_directory() {
    for directory in 3..6 {
        let how = Open {
            directory,
            ..read("input.txt")
        };
        let outcome = open(&how, |run| run.file("input.txt", b"what was sent"));
        outcome.assert_exited(0);
        assert_eq!(outcome.stdout, b"what was sent");
        let sent = ("input.txt".to_owned(), b"what was sent".to_vec());
        assert_eq!(outcome.files, [sent]);
    }
}

#[test]
fn a_file_that_came_in_pieces_is_whole() {
    let bytes: Vec<u8> = (0..300_000_u32).flat_map(u32::to_le_bytes).collect();
    let copy = "(loop $more
      (i32.store (i32.const 0) (i32.const 1000))
      (i32.store (i32.const 4) (i32.const 60000))
      (drop (call $fd_read (local.get $n) (i32.const 0) (i32.const 1) (i32.const 8)))
      (if (i32.load (i32.const 8)) (then
        (drop (call $write (i32.const 1) (i32.const 1000) (i32.load (i32.const 8))))
        (br $more))))";
    let run = Run::module(&fixtures::open(&read("input.txt"), copy));
    let outcome = run.file("input.txt", &bytes).file("empty", b"").finish();
    outcome.assert_exited(0);
    assert!(outcome.stdout == bytes, "{}", outcome.stdout.len());
}

#[test]
fn the_directory_has_three_names_beside_the_one_for_temporary_files() {
    let text = fixtures::command(
        "",
        "(local.set $n (i32.const 3))
         (loop $more
           (br_if $more (block $name (result i32)
             (if (call $prestat_name (local.get $n) (i32.const 1000) (i32.const 64))
               (then (br $name (i32.const 0))))
             (drop (call $write (i32.const 1) (i32.const 1000) (i32.const 8)))
             (i64.store (i32.const 1000) (i64.const 0))
             (local.set $n (i32.add (local.get $n) (i32.const 1)))
             (i32.const 1))))",
    );
    let text = text.replacen(
        "(module",
        r#"(module (import "wasi_snapshot_preview1" "fd_prestat_dir_name"
          (func $prestat_name (param i32 i32 i32) (result i32)))"#,
        1,
    );
    let outcome = Run::module(&text).finish();
    outcome.assert_exited(0);
    assert_eq!(
        outcome.stdout,
        b"/\0\0\0\0\0\0\0/work\0\0\0.\0\0\0\0\0\0\0/tmp\0\0\0\0"
    );
}

#[test]
fn a_file_is_written_and_left() {
    let how = Open {
        flags: 1 | 8,
        ..read("output.txt")
    };
    let write = "(drop (call $write (local.get $n) (i32.const 16) (i32.const 10)))";
    let outcome = Run::module(&fixtures::open(&how, write)).finish();
    outcome.assert_exited(0);
    // The fixture's own path is what it writes.
    let expected = ("output.txt".to_owned(), b"output.txt".to_vec());
    assert_eq!(outcome.files, [expected]);
    assert!(outcome.usage.disk_bytes >= 10, "{outcome:?}");
    let io = outcome.usage.io;
    assert_eq!((io.reads, io.read_bytes), (0, 0));
    assert_eq!((io.writes, io.written_bytes), (1, 10));
}

#[test]
fn what_is_read_and_written_is_counted() {
    let input = vec![b'x'; 130_000];
    let outcome = Run::module(&fixtures::echo()).stdin(&input).finish();
    outcome.assert_exited(0);
    let io = outcome.usage.io;
    assert_eq!((io.read_bytes, io.written_bytes), (130_000, 130_000));
    // Of 60,000 bytes at most, and one at the end; as many as it takes.
    assert!((3..=60).contains(&io.writes), "{io:?}");
    assert!(io.reads > io.writes && io.reads <= 61, "{io:?}");
    // What it only has takes neither.
    let outcome = Run::module(&fixtures::exit(0)).finish();
    assert_eq!(outcome.usage.io, atoll_types::IoUsage::default());
}

#[test]
fn what_one_message_leaves_the_next_does_not_find() {
    let how = Open {
        flags: 1 | 8,
        ..read("secret")
    };
    let write = "(drop (call $write (local.get $n) (i32.const 16) (i32.const 6)))";
    let writes = Run::module(&fixtures::open(&how, write));
    let reads = Run::module(&fixtures::open(&read("secret"), PRINT_FILE));
    let mut worker = Worker::start();
    worker.run(writes.clone()).assert_exited(0);
    let outcome = worker.run(reads);
    outcome.assert_exited(ERRNO_NOENT);
    assert_eq!(outcome.stdout, b"");
    // Files are taken once, and only those of messages that want theirs kept.
    let mut forgets = writes;
    forgets.run.keeps_files = false;
    let outcome = worker.run(forgets);
    outcome.assert_exited(0);
    assert_eq!(outcome.files, []);
    assert_eq!(worker.close().code(), Some(0));
}

#[test]
fn a_missing_file_is_missing() {
    open(&read("nothing"), |run| run).assert_exited(ERRNO_NOENT);
}

#[test]
fn no_path_leads_out_of_the_directory() {
    let paths = [
        "..",
        "../request",
        "sub/../../request",
        "/etc/passwd",
        "//etc/passwd",
        "/work/../../etc/passwd",
        "../../../../../../../../etc/passwd",
    ];
    for path in paths {
        for follow in [false, true] {
            let how = Open {
                follow,
                ..read(path)
            };
            let outcome = open(&how, |run| run.file("sub/file", b"below"));
            outcome.assert_exited(ERRNO_PERM);
            assert_eq!(outcome.stdout, b"", "{path}");
        }
    }
}

/// A command that makes a symbolic link `link` first, and then opens a path.
fn link_and_open(target: &str, path: &str) -> Outcome {
    let length = target.len();
    let text = fixtures::open(&read(path), PRINT_FILE)
        .replacen(
            "(local $n i32)",
            &format!(
                "(local $n i32)
                 (drop (call $symlink (i32.const 500) (i32.const {length}) (i32.const 3)
                   (i32.const 600) (i32.const 4)))"
            ),
            1,
        )
        .replacen(
            "(data",
            &format!(r#"(data (i32.const 500) "{target}") (data (i32.const 600) "link") (data"#),
            1,
        )
        .replacen(
            "(module",
            r#"(module (import "wasi_snapshot_preview1" "path_symlink"
              (func $symlink (param i32 i32 i32 i32 i32) (result i32)))"#,
            1,
        );
    Run::module(&text).file("input.txt", b"inside").finish()
}

#[test]
fn no_symbolic_link_leads_out_of_the_directory() {
    for (target, path) in [
        ("/etc/passwd", "link"),
        ("../request", "link"),
        ("/", "link/etc/passwd"),
        ("..", "link/request"),
        ("/proc/self/fd/0", "link"),
        ("/proc/self/root", "link/etc/passwd"),
    ] {
        let outcome = link_and_open(target, path);
        assert!(
            matches!(
                outcome.end(),
                GuestEnd::Exited {
                    code: ERRNO_PERM | ERRNO_NOENT,
                    ..
                }
            ),
            "{target}: {outcome:?}"
        );
        assert_eq!(outcome.stdout, b"", "{target}");
    }
}

#[test]
fn links_inside_the_directory_work() {
    let outcome = link_and_open("input.txt", "link");
    outcome.assert_exited(0);
    assert_eq!(outcome.stdout, b"inside");
}

#[test]
fn a_link_to_itself_is_an_error() {
    let outcome = link_and_open("link", "link");
    outcome.assert_exited(ERRNO_LOOP);
}

#[test]
fn files_have_limits_of_their_own() {
    let how = Open {
        flags: 1,
        ..read("big")
    };
    let fill = "(loop $more
      (i32.store (i32.const 0) (i32.const 1000))
      (i32.store (i32.const 4) (i32.const 60000))
      (if (call $fd_write (local.get $n) (i32.const 0) (i32.const 1) (i32.const 8))
        (then (call $exit (i32.const 6))))
      (br $more))";
    let run = Run::module(&fixtures::open(&how, fill));
    let outcome = run.limits(|limits| limits.disk_bytes = 1 << 20).finish();
    let expected = GuestEnd::Exited {
        code: 6,
        limit: Some(LimitName::Disk),
    };
    assert_eq!(outcome.end(), &expected);
    let left: usize = outcome.files.iter().map(|(_, bytes)| bytes.len()).sum();
    assert!(left <= 1 << 20, "{left}");
}

#[test]
fn files_that_do_not_fit_are_a_refusal() {
    let run = Run::module(&fixtures::hello()).file("input.txt", &[7; 2000]);
    let outcome = run.limits(|limits| limits.disk_bytes = 1000).finish();
    let reason = outcome.refusal();
    assert!(reason.contains("\"input.txt\""), "{reason}");
    for name in ["..", "../up", "a/../../b", ""] {
        let outcome = Run::module(&fixtures::hello()).file(name, b"").finish();
        let reason = outcome.refusal();
        assert!(reason.contains("cannot be placed"), "{name}: {reason}");
    }
}

#[test]
fn the_workers_own_descriptors_are_not_the_guests() {
    // 0 to 2 are streams and 3 to 6 directories; everything else must be a bad descriptor (8).
    let text = fixtures::command(
        "",
        "(local.set $n (i32.const 7))
         (loop $more
           (i32.store (i32.const 0) (i32.const 1000))
           (i32.store (i32.const 4) (i32.const 10))
           (if (i32.ne (i32.const 8) (call $fd_read (local.get $n) (i32.const 0) (i32.const 1)
                 (i32.const 8)))
             (then (call $exit (local.get $n))))
           (if (i32.ne (i32.const 8) (call $write (local.get $n) (i32.const 16) (i32.const 1)))
             (then (call $exit (local.get $n))))
           (local.set $n (i32.add (local.get $n) (i32.const 1)))
           (br_if $more (i32.lt_u (local.get $n) (i32.const 100))))",
    );
    Run::module(&text).finish().assert_exited(0);
}
