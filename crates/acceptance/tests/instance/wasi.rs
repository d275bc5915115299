//! What WASI preview 1 promises to ordinary programs, call by call, with the answers that a file
//! system gives.

use crate::attempts::Argument::{Number as N, Opened, Text as T};
use crate::attempts::{Attempt, FREE, LETTERS, OPENED, ROOM, SCRATCH, SUBSCRIPTION, module};
use crate::case::Attack;

const ANSWER: crate::attempts::Argument = N(SCRATCH);

/// Every right.
const ALL: crate::attempts::Argument = N(-1);

/// A call, its arguments, and what must come of it.
type Row = (Attempt, &'static [&'static str]);

/// Longer than a name can be.
const LONG: &str = "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn";

const OK: &[&str] = &["ok"];

macro_rules! row {
    ($name:literal, $function:literal, [$($argument:expr),*], $errors:expr) => {
        (Attempt::new($name, $function, &[$($argument),*]), $errors)
    };
    ($name:literal, $function:literal, [$($argument:expr),*] gives $answer:literal) => {
        (Attempt::new($name, $function, &[$($argument),*]).gives($answer), OK)
    };
}

macro_rules! open {
    ($name:literal, $path:literal, $how:literal, $errors:expr) => {
        row!(
            $name,
            "path_open",
            [N(3), N(1), T($path), N($how), ALL, ALL, N(0), N(OPENED)],
            $errors
        )
    };
}

#[track_caller]
fn hold(name: &str, rows: &[Row]) {
    let attempts: Vec<Attempt> = rows.iter().map(|(attempt, _)| *attempt).collect();
    let expected: Vec<_> = rows
        .iter()
        .map(|(attempt, errors)| (attempt.name, *errors))
        .collect();
    Attack::new(name, module(&attempts)).must_be_answered(&expected);
}

const FILES: &[Row] = &[
    open!("open what is not there", "a", 0, &["ENOENT"]),
    open!("make", "a", 1, OK),
    row!("write", "fd_write", [Opened, N(LETTERS), N(1), ANSWER] gives 5),
    row!("tell", "fd_tell", [Opened, ANSWER] gives 5),
    row!("seek back", "fd_seek", [Opened, N(-2), N(1), ANSWER] gives 3),
    row!("read the rest", "fd_read", [Opened, N(ROOM), N(1), ANSWER] gives 2),
    row!("read at the end", "fd_read", [Opened, N(ROOM), N(1), ANSWER] gives 0),
    row!(
        "seek before the start",
        "fd_seek",
        [Opened, N(-1), N(0), ANSWER],
        &["EINVAL"]
    ),
    row!("seek past the end", "fd_seek", [Opened, N(10), N(2), ANSWER] gives 15),
    row!(
        "no such way to seek",
        "fd_seek",
        [Opened, N(0), N(9), ANSWER],
        &["EINVAL"]
    ),
    row!("read at", "fd_pread", [Opened, N(ROOM), N(1), N(1), ANSWER] gives 4),
    row!("write at", "fd_pwrite", [Opened, N(LETTERS), N(1), N(8), ANSWER] gives 5),
    row!("reading at moves nothing", "fd_tell", [Opened, ANSWER] gives 15),
    row!("properties", "fd_filestat_get", [Opened, N(FREE)], OK),
    row!("shorten", "fd_filestat_set_size", [Opened, N(4)], OK),
    row!("read what is left", "fd_pread", [Opened, N(ROOM), N(1), N(0), ANSWER] gives 4),
    row!("lengthen", "fd_filestat_set_size", [Opened, N(100)], OK),
    row!("read zeros", "fd_pread", [Opened, N(ROOM), N(1), N(50), ANSWER] gives 50),
    row!(
        "append from now on",
        "fd_fdstat_set_flags",
        [Opened, N(1)],
        OK
    ),
    row!("append", "fd_write", [Opened, N(LETTERS), N(1), ANSWER] gives 5),
    row!("tell after appending", "fd_tell", [Opened, ANSWER] gives 105),
    row!(
        "times",
        "fd_filestat_set_times",
        [Opened, N(7), N(9), N(5)],
        OK
    ),
    row!(
        "two times at once",
        "fd_filestat_set_times",
        [Opened, N(7), N(9), N(3)],
        &["EINVAL"]
    ),
    row!("sync", "fd_sync", [Opened], OK),
    row!("sync of data", "fd_datasync", [Opened], OK),
    row!("advice", "fd_advise", [Opened, N(0), N(10), N(0)], OK),
    row!(
        "nonsense for advice",
        "fd_advise",
        [Opened, N(0), N(10), N(99)],
        &["EINVAL"]
    ),
    row!("close", "fd_close", [Opened], OK),
    row!("close twice", "fd_close", [Opened], &["EBADF"]),
    row!(
        "read what is closed",
        "fd_read",
        [Opened, N(ROOM), N(1), ANSWER],
        &["EBADF"]
    ),
    open!("make what must not be there", "a", 5, &["EEXIST"]),
    open!("empty it", "a", 8, OK),
    row!("nothing is in it", "fd_read", [Opened, N(ROOM), N(1), ANSWER] gives 0),
    row!("onto another number", "fd_renumber", [Opened, Opened], OK),
];

#[test]
fn files_are_opened_read_written_and_placed() {
    hold("files", FILES);
}

const DIRECTORIES: &[Row] = &[
    open!("make a file", "a", 1, OK),
    row!(
        "make a directory",
        "path_create_directory",
        [N(3), T("d")],
        OK
    ),
    row!(
        "make it again",
        "path_create_directory",
        [N(3), T("d")],
        &["EEXIST"]
    ),
    row!(
        "make below nothing",
        "path_create_directory",
        [N(3), T("x/y")],
        &["ENOENT"]
    ),
    row!(
        "make below a file",
        "path_create_directory",
        [N(3), T("a/b")],
        &["ENOTDIR"]
    ),
    row!(
        "a long name",
        "path_create_directory",
        [N(3), T(LONG)],
        &["ENAMETOOLONG"]
    ),
    row!(
        "no name",
        "path_create_directory",
        [N(3), T("")],
        &["ENOENT"]
    ),
    row!(
        "a NUL in a name",
        "path_create_directory",
        [N(3), T("a\0b")],
        &["EINVAL", "EILSEQ"]
    ),
    open!("a file as a directory", "a", 2, &["ENOTDIR"]),
    open!("a file with a slash", "a/", 0, &["ENOTDIR"]),
    open!("make a directory by opening", "d", 1, &["EISDIR"]),
    row!(
        "list",
        "fd_readdir",
        [N(3), N(FREE), N(200), N(0), ANSWER],
        OK
    ),
    row!("list a little", "fd_readdir", [N(3), N(FREE), N(10), N(0), ANSWER] gives 10),
    row!("list from far away", "fd_readdir", [N(3), N(FREE), N(200), N(99), ANSWER] gives 0),
    row!("move", "path_rename", [N(3), T("a"), N(3), T("d/a")], OK),
    row!(
        "move what is gone",
        "path_rename",
        [N(3), T("a"), N(3), T("b")],
        &["ENOENT"]
    ),
    row!(
        "move into itself",
        "path_rename",
        [N(3), T("d"), N(3), T("d/e")],
        &["EINVAL"]
    ),
    row!(
        "look",
        "path_filestat_get",
        [N(3), N(1), T("d/a"), N(FREE)],
        OK
    ),
    row!(
        "link",
        "path_link",
        [N(3), N(0), T("d/a"), N(3), T("b")],
        OK
    ),
    row!(
        "link onto it",
        "path_link",
        [N(3), N(0), T("d/a"), N(3), T("b")],
        &["EEXIST"]
    ),
    row!(
        "remove what is full",
        "path_remove_directory",
        [N(3), T("d")],
        &["ENOTEMPTY"]
    ),
    row!(
        "unlink a directory",
        "path_unlink_file",
        [N(3), T("d")],
        &["EISDIR", "EPERM"]
    ),
    row!(
        "remove a file",
        "path_remove_directory",
        [N(3), T("b")],
        &["ENOTDIR"]
    ),
    row!("unlink", "path_unlink_file", [N(3), T("d/a")], OK),
    row!(
        "unlink it again",
        "path_unlink_file",
        [N(3), T("d/a")],
        &["ENOENT"]
    ),
    row!(
        "the other name",
        "path_filestat_get",
        [N(3), N(1), T("b"), N(FREE)],
        OK
    ),
    row!("remove", "path_remove_directory", [N(3), T("d")], OK),
    row!(
        "symbolic link",
        "path_symlink",
        [T("target"), N(3), T("link")],
        OK
    ),
    row!("read a link", "path_readlink", [N(3), T("link"), N(FREE), N(100), ANSWER] gives 6),
    row!("read a little", "path_readlink", [N(3), T("link"), N(FREE), N(2), ANSWER] gives 2),
    row!(
        "read a file as a link",
        "path_readlink",
        [N(3), T("b"), N(FREE), N(100), ANSWER],
        &["EINVAL"]
    ),
    open!("follow it nowhere", "link", 0, &["ENOENT"]),
    row!(
        "open the link itself",
        "path_open",
        [N(3), N(0), T("link"), N(0), ALL, ALL, N(0), N(OPENED)],
        &["ELOOP"]
    ),
    row!(
        "look at the link itself",
        "path_filestat_get",
        [N(3), N(0), T("link"), N(FREE)],
        OK
    ),
    row!("unlink the link", "path_unlink_file", [N(3), T("link")], OK),
    row!(
        "in the other directory",
        "path_create_directory",
        [N(6), T("temporary")],
        OK
    ),
    row!(
        "not in this one",
        "path_filestat_get",
        [N(3), N(1), T("temporary"), N(FREE)],
        &["ENOENT"]
    ),
];

#[test]
fn directories_and_names_are_changed() {
    hold("directories", DIRECTORIES);
}

const STREAMS: &[Row] = &[
    row!("end of input", "fd_read", [N(0), N(ROOM), N(1), ANSWER] gives 0),
    row!(
        "write to input",
        "fd_write",
        [N(0), N(LETTERS), N(1), ANSWER],
        &["EBADF"]
    ),
    row!(
        "read from output",
        "fd_read",
        [N(1), N(ROOM), N(1), ANSWER],
        &["EBADF"]
    ),
    row!("write to errors", "fd_write", [N(2), N(LETTERS), N(1), ANSWER] gives 5),
    row!(
        "seek in output",
        "fd_seek",
        [N(1), N(0), N(1), ANSWER],
        &["ESPIPE"]
    ),
    row!("what output is", "fd_fdstat_get", [N(1), N(FREE)], OK),
    row!("first directory", "fd_prestat_get", [N(3), N(FREE)], OK),
    row!("its name", "fd_prestat_dir_name", [N(3), N(FREE), N(1)], OK),
    row!(
        "its name in less room",
        "fd_prestat_dir_name",
        [N(4), N(FREE), N(1)],
        &["ENAMETOOLONG", "EINVAL"]
    ),
    row!("last directory", "fd_prestat_get", [N(6), N(FREE)], OK),
    row!(
        "no more directories",
        "fd_prestat_get",
        [N(7), N(FREE)],
        &["EBADF"]
    ),
    row!("arguments", "args_sizes_get", [N(FREE), N(FREE + 8)], OK),
    row!("variables", "environ_sizes_get", [ANSWER, N(FREE)] gives 2),
    row!("time of day", "clock_time_get", [N(0), N(0), N(FREE)], OK),
    row!("time since", "clock_time_get", [N(1), N(0), N(FREE)], OK),
    row!("resolution", "clock_res_get", [N(1), N(FREE)], OK),
    row!(
        "no such clock",
        "clock_time_get",
        [N(9), N(0), N(FREE)],
        &["EINVAL"]
    ),
    row!("randomness", "random_get", [N(FREE), N(64)], OK),
    row!("no randomness", "random_get", [N(FREE), N(0)], OK),
    row!("wait", "poll_oneoff", [N(SUBSCRIPTION), N(FREE), N(1), ANSWER] gives 1),
    row!(
        "wait for nothing",
        "poll_oneoff",
        [N(SUBSCRIPTION), N(FREE), N(0), ANSWER],
        &["EINVAL"]
    ),
    row!("let others go on", "sched_yield", [], OK),
    row!("no socket", "sock_shutdown", [N(1), N(0)], &["ENOTSOCK"]),
    row!("no descriptor", "sock_shutdown", [N(77), N(0)], &["EBADF"]),
];

#[test]
fn streams_clocks_and_randomness_answer() {
    hold("streams", STREAMS);
}
