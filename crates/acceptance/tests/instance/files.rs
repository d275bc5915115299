//! W-09: ways out of the directories that a guest has, and rights it was never given.

use crate::attempts::Argument::{Number as N, Opened, Text as T};
use crate::attempts::{Attempt, OPENED, SCRATCH, module};
use crate::case::Attack;

const ANSWER: crate::attempts::Argument = N(SCRATCH);

/// A path that leads out.
const OUT: &[&str] = &["EPERM", "ENOTCAPABLE"];
/// It is not there: what the host has under that name is not what the guest sees.
const INVISIBLE: &[&str] = &["ENOENT"];
const OK: &[&str] = &["ok"];

/// Opens a path below the first directory.
macro_rules! open {
    ($name:literal, $path:literal) => {
        open!($name, $path, 0)
    };
    ($name:literal, $path:literal, $how:literal) => {
        Attempt::new(
            $name,
            "path_open",
            &[N(3), N(1), T($path), N($how), N(-1), N(-1), N(0), N(OPENED)],
        )
    };
}

const WAYS_OUT: [Attempt; 26] = [
    open!("absolute", "/etc/passwd"),
    open!("root", "/"),
    open!("parent", ".."),
    open!("parents", "../../../../../../etc/passwd"),
    open!("parent behind a name", "work/../../etc/passwd"),
    open!(
        "parent behind what is not there",
        "nothing/../../etc/passwd"
    ),
    open!("parent with slashes", "..//..//etc//passwd"),
    open!("this and parent", "./.././../etc/passwd"),
    open!("own processes", "proc/self/root/etc/passwd"),
    open!("devices", "dev/mem"),
    open!("a host's file", "etc/passwd"),
    open!("make above", "../made", 1),
    open!("make absolute", "/made", 1),
    Attempt::new(
        "list above",
        "path_open",
        &[N(3), N(1), T(".."), N(2), N(-1), N(-1), N(0), N(OPENED)],
    ),
    Attempt::new(
        "directory above",
        "path_create_directory",
        &[N(3), T("../made")],
    ),
    Attempt::new(
        "look above",
        "path_filestat_get",
        &[N(3), N(1), T("../etc"), ANSWER],
    ),
    Attempt::new(
        "remove above",
        "path_unlink_file",
        &[N(3), T("../etc/passwd")],
    ),
    Attempt::new("remove the root", "path_remove_directory", &[N(3), T("..")]),
    Attempt::new(
        "touch above",
        "path_filestat_set_times",
        &[N(3), N(1), T("../etc/passwd"), N(0), N(0), N(10)],
    ),
    open!("a file of its own", "own", 1),
    Attempt::new("write", "fd_pwrite", &[Opened, N(0), N(0), N(0), ANSWER]),
    Attempt::new(
        "rename out",
        "path_rename",
        &[N(3), T("own"), N(3), T("../own")],
    ),
    Attempt::new(
        "rename to absolute",
        "path_rename",
        &[N(3), T("own"), N(3), T("/own")],
    ),
    Attempt::new(
        "rename in",
        "path_rename",
        &[N(3), T("../etc/passwd"), N(3), T("own")],
    ),
    Attempt::new(
        "link out",
        "path_link",
        &[N(3), N(0), T("own"), N(3), T("../own")],
    ),
    Attempt::new(
        "link in",
        "path_link",
        &[N(3), N(0), T("../etc/passwd"), N(3), T("other")],
    ),
];

#[test]
fn no_path_leads_out() {
    Attack::new("ways out", module(&WAYS_OUT)).must_be_answered(&[
        ("absolute", OUT),
        ("root", OUT),
        ("parent", OUT),
        ("parents", OUT),
        ("parent behind a name", &["EPERM", "ENOTCAPABLE", "ENOENT"]),
        (
            "parent behind what is not there",
            &["EPERM", "ENOTCAPABLE", "ENOENT"],
        ),
        ("parent with slashes", OUT),
        ("this and parent", OUT),
        ("own processes", INVISIBLE),
        ("devices", INVISIBLE),
        ("a host's file", INVISIBLE),
        ("make above", OUT),
        ("make absolute", OUT),
        ("list above", OUT),
        ("directory above", OUT),
        ("look above", OUT),
        ("remove above", OUT),
        ("remove the root", OUT),
        ("touch above", OUT),
        ("a file of its own", OK),
        ("write", OK),
        ("rename out", OUT),
        ("rename to absolute", OUT),
        ("rename in", OUT),
        ("link out", OUT),
        ("link in", OUT),
    ]);
}

#[test]
fn no_link_leads_out() {
    let attempts = [
        Attempt::new(
            "absolute",
            "path_symlink",
            &[T("/etc/passwd"), N(3), T("absolute")],
        ),
        Attempt::new("above", "path_symlink", &[T("../../etc"), N(3), T("above")]),
        Attempt::new("to itself", "path_symlink", &[T("loop"), N(3), T("loop")]),
        Attempt::new(
            "nowhere",
            "path_symlink",
            &[T("nowhere"), N(3), T("dangling")],
        ),
        Attempt::new(
            "place above",
            "path_symlink",
            &[T("x"), N(3), T("../planted")],
        ),
        open!("open absolute", "absolute"),
        open!("open above", "above/passwd"),
        open!("open loop", "loop"),
        open!("open with a slash", "above/"),
        open!("make through a link", "above/made", 1),
        Attempt::new(
            "to a name above",
            "path_symlink",
            &[T("../planted"), N(3), T("upward")],
        ),
        open!("make at a link's end", "upward", 1),
        Attempt::new(
            "look",
            "path_filestat_get",
            &[N(3), N(1), T("upward"), ANSWER],
        ),
        Attempt::new(
            "remove through",
            "path_unlink_file",
            &[N(3), T("above/passwd")],
        ),
        Attempt::new(
            "rename through",
            "path_rename",
            &[N(3), T("dangling"), N(3), T("above/planted")],
        ),
        Attempt::new(
            "hard link followed",
            "path_link",
            &[N(3), N(1), T("upward"), N(3), T("hard")],
        ),
    ];
    const REFUSED: &[&str] = &["EPERM", "ENOTCAPABLE", "ENOENT", "ENOTDIR", "ELOOP"];
    Attack::new("links", module(&attempts)).must_be_answered(&[
        ("absolute", OUT),
        ("above", OK),
        ("to a name above", OK),
        ("to itself", &["ok"]),
        ("nowhere", &["ok"]),
        ("place above", OUT),
        ("open absolute", REFUSED),
        ("open above", REFUSED),
        ("open loop", &["ELOOP"]),
        ("open with a slash", REFUSED),
        ("make through a link", REFUSED),
        ("make at a link's end", REFUSED),
        ("look", REFUSED),
        ("remove through", REFUSED),
        ("rename through", REFUSED),
        (
            "hard link followed",
            &["EPERM", "ENOTCAPABLE", "ENOENT", "EINVAL"],
        ),
    ]);
}

#[test]
fn descriptors_give_no_more_than_they_were_opened_for() {
    let read_only = Attempt::new(
        "open to read",
        "path_open",
        // Only the right to read.
        &[
            N(3),
            N(1),
            T("attempt.txt"),
            N(1),
            N(2),
            N(0),
            N(0),
            N(OPENED),
        ],
    );
    let attempts = [
        Attempt::new("own process", "fd_fdstat_get", &[N(9), ANSWER]),
        Attempt::new(
            "descriptor of the host",
            "fd_read",
            &[N(9), N(0), N(0), ANSWER],
        ),
        Attempt::new(
            "the worker's socket",
            "fd_write",
            &[N(10), N(0), N(0), ANSWER],
        ),
        Attempt::new(
            "far descriptor",
            "fd_filestat_get",
            &[N(0x7fff_ffff), ANSWER],
        ),
        Attempt::new("last descriptor", "fd_close", &[N(-1)]),
        Attempt::new("onto the last", "fd_renumber", &[N(3), N(-1)]),
        Attempt::new("onto one that is not open", "fd_renumber", &[N(3), N(4000)]),
        read_only,
        Attempt::new("write to it", "fd_write", &[Opened, N(0), N(0), ANSWER]),
        Attempt::new("lengthen it", "fd_filestat_set_size", &[Opened, N(100)]),
        Attempt::new("allocate", "fd_allocate", &[Opened, N(0), N(100)]),
        Attempt::new(
            "give itself rights",
            "fd_fdstat_set_rights",
            &[Opened, N(-1), N(-1)],
        ),
        Attempt::new(
            "write afterwards",
            "fd_write",
            &[Opened, N(0), N(0), ANSWER],
        ),
        Attempt::new(
            "read a directory as a file",
            "fd_read",
            &[N(3), N(0), N(0), ANSWER],
        ),
        Attempt::new("accept", "sock_accept", &[N(3), N(0), ANSWER]),
        Attempt::new("send", "sock_send", &[N(1), N(0), N(0), N(0), ANSWER]),
        Attempt::new(
            "receive",
            "sock_recv",
            &[N(0), N(0), N(0), N(0), ANSWER, ANSWER],
        ),
        Attempt::new("no such clock", "clock_time_get", &[N(99), N(0), ANSWER]),
    ];
    const NOT_OPEN: &[&str] = &["EBADF"];
    const NO_RIGHT: &[&str] = &["EBADF", "ENOTCAPABLE", "EPERM"];
    const NO_SOCKET: &[&str] = &["ENOTSOCK", "ENOTSUP", "EBADF", "ENOSYS"];
    Attack::new("descriptors", module(&attempts)).must_be_answered(&[
        ("own process", NOT_OPEN),
        ("descriptor of the host", NOT_OPEN),
        ("the worker's socket", NOT_OPEN),
        ("far descriptor", NOT_OPEN),
        ("last descriptor", NOT_OPEN),
        ("onto the last", NOT_OPEN),
        ("onto one that is not open", NOT_OPEN),
        ("open to read", OK),
        ("write to it", NO_RIGHT),
        ("lengthen it", &["EBADF", "ENOTCAPABLE", "EPERM", "EINVAL"]),
        ("allocate", &["EBADF", "ENOTCAPABLE", "EPERM", "ENOTSUP"]),
        (
            "give itself rights",
            &["ENOTCAPABLE", "ENOTSUP", "EPERM", "ENOSYS"],
        ),
        ("write afterwards", NO_RIGHT),
        (
            "read a directory as a file",
            &["EISDIR", "EBADF", "ENOTCAPABLE"],
        ),
        ("accept", NO_SOCKET),
        ("send", NO_SOCKET),
        ("receive", NO_SOCKET),
        ("no such clock", &["EINVAL"]),
    ]);
}
