//! The guest's one directory, and the ways that must not lead out of it.

use std::fs;
use std::os::unix::fs::symlink;

use crate::fixtures::{self, Open, PRINT_FILE};
use crate::harness::{Outcome, Run};

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

fn open(how: &Open<'_>, prepare: impl FnOnce(&Run)) -> Outcome {
    let run = Run::module(&fixtures::open(how, PRINT_FILE));
    prepare(&run);
    run.finish()
}

#[test]
fn a_file_is_read_through_every_name_of_the_directory() {
    for directory in 3..6 {
        let how = Open {
            directory,
            ..read("input.txt")
        };
        let outcome = open(&how, |run| {
            fs::write(run.work().join("input.txt"), "what was sent").unwrap();
        });
        outcome.assert_exited(0);
        assert_eq!(outcome.stdout, b"what was sent");
    }
}

#[test]
fn the_directory_has_three_names_and_there_is_no_fourth() {
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
    assert_eq!(outcome.stdout, b"/\0\0\0\0\0\0\0/work\0\0\0.\0\0\0\0\0\0\0");
}

#[test]
fn a_file_is_written() {
    let how = Open {
        flags: 1 | 8,
        ..read("output.txt")
    };
    let write = "(drop (call $write (local.get $n) (i32.const 16) (i32.const 10)))";
    let run = Run::module(&fixtures::open(&how, write));
    let path = run.work().join("output.txt");
    let running = run.start();
    let mut child = running.child;
    assert_eq!(child.wait().unwrap().code(), Some(0));
    // The fixture's own path is what it writes.
    assert_eq!(fs::read(path).unwrap(), b"output.txt");
}

#[test]
fn a_missing_file_is_missing() {
    open(&read("nothing"), |_| {}).assert_exited(ERRNO_NOENT);
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
            let outcome = open(&how, |run| fs::create_dir(run.work().join("sub")).unwrap());
            outcome.assert_exited(ERRNO_PERM);
            assert_eq!(outcome.stdout, b"", "{path}");
        }
    }
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
        let outcome = open(&read(path), |run| {
            symlink(target, run.work().join("link")).unwrap()
        });
        outcome.assert_exited(ERRNO_PERM);
        assert_eq!(outcome.stdout, b"", "{target}");
    }
}

#[test]
fn a_guest_cannot_make_a_link_and_walk_out_through_it() {
    let text = fixtures::open(&read("link/etc/passwd"), PRINT_FILE).replacen(
        "(local $n i32)",
        "(local $n i32)
         (i32.store8 (i32.const 500) (i32.const 0x2f))
         (i32.store (i32.const 504) (i32.const 0x6b6e696c))
         (drop (call $symlink (i32.const 500) (i32.const 1) (i32.const 3) (i32.const 504)
           (i32.const 4)))",
        1,
    );
    let text = text.replacen(
        "(module",
        r#"(module (import "wasi_snapshot_preview1" "path_symlink"
          (func $symlink (param i32 i32 i32 i32 i32) (result i32)))"#,
        1,
    );
    let outcome = Run::module(&text).finish();
    assert!(
        matches!(outcome.exit.code(), Some(ERRNO_PERM | ERRNO_NOENT)),
        "{outcome:?}"
    );
    assert_eq!(outcome.stdout, b"");
}

#[test]
fn links_inside_the_directory_work() {
    let outcome = open(&read("link"), |run| {
        fs::write(run.work().join("input.txt"), "inside").unwrap();
        symlink("input.txt", run.work().join("link")).unwrap();
    });
    outcome.assert_exited(0);
    assert_eq!(outcome.stdout, b"inside");
}

#[test]
fn the_workers_own_descriptors_are_not_the_guests() {
    // 0 to 2 are streams and 3 to 5 the directory; everything else must be a bad descriptor (8).
    let text = fixtures::command(
        "",
        "(local.set $n (i32.const 6))
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
