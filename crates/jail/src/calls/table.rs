//! Which system calls are which calls of a rule, and where their arguments are.

use atoll_types::calls::{ArgumentKind, Call, CallSet};
use libc::c_long;

/// A system call that rules can be about.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hooked {
    pub(super) number: c_long,
    pub(super) call: Call,
    pub(super) shape: Shape,
}

/// A path among the arguments: the argument that holds the directory it is relative to, if there
/// is one, and the argument that points to it.
#[derive(Debug, Clone, Copy)]
pub(super) struct PathAt {
    pub(super) directory: Option<usize>,
    pub(super) path: usize,
}

/// Where the flags of an open are.
#[derive(Debug, Clone, Copy)]
pub(super) enum OpenFlags {
    /// In these arguments: flags and mode.
    Arguments(usize, usize),
    /// creat(2) has none but the mode.
    Create(usize),
    /// Behind this pointer: openat2(2).
    Behind(usize),
}

/// What there is to look at, and whether Atoll can carry the call out itself.
#[derive(Debug, Clone, Copy)]
pub(super) enum Shape {
    /// Nothing.
    Plain,
    /// A path, for the audit.
    Path(PathAt),
    /// The address of a socket, for the audit: where it points, and its length.
    Address(usize, usize),
    /// Opens a path.
    Open(PathAt, OpenFlags),
    /// Removes a path, with the flags of unlinkat(2) in an argument or as they are.
    Remove(PathAt, Result<usize, i32>),
    /// Makes a directory, with this mode.
    MakeDirectory(PathAt, usize),
    /// Renames the first path to the second, with flags.
    Rename(PathAt, PathAt, Option<usize>),
    /// Links the first path to the second, with flags.
    Link(PathAt, PathAt, Option<usize>),
    /// Makes a link to the text behind the first pointer.
    SymbolicLink(usize, PathAt),
    /// Asks for the properties of a path.
    Stat(PathAt, StatHow),
    /// Asks whether a path may be used, with mode and flags.
    Access(PathAt, usize, Option<usize>),
    /// Asks where a link leads: buffer and its length.
    ReadLink(PathAt, usize, usize),
    /// Changes something of a path.
    Change(PathAt, ChangeHow),
}

/// How properties are asked for.
#[derive(Debug, Clone, Copy)]
pub(super) enum StatHow {
    /// Into this buffer, with flags in an argument or as they are.
    Plain(usize, Result<usize, i32>),
    /// statx(2): flags, mask and buffer.
    More(usize, usize, usize),
}

/// What is changed, and where that is.
#[derive(Debug, Clone, Copy)]
pub(super) enum ChangeHow {
    Mode(usize),
    /// User and group, and flags in an argument or as they are.
    Owner(usize, usize, Result<usize, i32>),
    /// Two times behind this pointer, of this kind, and flags if there are any.
    Times(usize, Times, Option<usize>),
    Length(usize),
}

/// How times are written.
#[derive(Debug, Clone, Copy)]
pub(super) enum Times {
    /// Two whole numbers of seconds.
    #[cfg(target_arch = "x86_64")]
    Seconds,
    /// Two pairs of seconds and microseconds.
    #[cfg(target_arch = "x86_64")]
    Microseconds,
    /// Two pairs of seconds and nanoseconds.
    Nanoseconds,
}

const fn path(path: usize) -> PathAt {
    PathAt {
        directory: None,
        path,
    }
}

const fn at(directory: usize) -> PathAt {
    PathAt {
        directory: Some(directory),
        path: directory + 1,
    }
}

const fn hooked(number: c_long, call: Call, shape: Shape) -> Hooked {
    Hooked {
        number,
        call,
        shape,
    }
}

/// Every system call that a rule can be about.
pub(super) const TABLE: &[Hooked] = &[
    hooked(
        libc::SYS_openat,
        Call::FileOpen,
        Shape::Open(at(0), OpenFlags::Arguments(2, 3)),
    ),
    hooked(
        libc::SYS_openat2,
        Call::FileOpen,
        Shape::Open(at(0), OpenFlags::Behind(2)),
    ),
    hooked(
        libc::SYS_newfstatat,
        Call::FileStat,
        Shape::Stat(at(0), StatHow::Plain(2, Ok(3))),
    ),
    hooked(
        libc::SYS_statx,
        Call::FileStat,
        Shape::Stat(at(0), StatHow::More(2, 3, 4)),
    ),
    hooked(
        libc::SYS_faccessat,
        Call::FileStat,
        Shape::Access(at(0), 2, None),
    ),
    hooked(
        libc::SYS_faccessat2,
        Call::FileStat,
        Shape::Access(at(0), 2, Some(3)),
    ),
    hooked(
        libc::SYS_readlinkat,
        Call::FileStat,
        Shape::ReadLink(at(0), 2, 3),
    ),
    hooked(
        libc::SYS_fchmodat,
        Call::FileChange,
        Shape::Change(at(0), ChangeHow::Mode(2)),
    ),
    hooked(
        libc::SYS_fchownat,
        Call::FileChange,
        Shape::Change(at(0), ChangeHow::Owner(2, 3, Ok(4))),
    ),
    hooked(
        libc::SYS_utimensat,
        Call::FileChange,
        Shape::Change(at(0), ChangeHow::Times(2, Times::Nanoseconds, Some(3))),
    ),
    hooked(
        libc::SYS_truncate,
        Call::FileChange,
        Shape::Change(path(0), ChangeHow::Length(1)),
    ),
    hooked(
        libc::SYS_unlinkat,
        Call::FileRemove,
        Shape::Remove(at(0), Ok(2)),
    ),
    hooked(
        libc::SYS_mkdirat,
        Call::FileMakeDirectory,
        Shape::MakeDirectory(at(0), 2),
    ),
    hooked(
        libc::SYS_renameat,
        Call::FileRename,
        Shape::Rename(at(0), at(2), None),
    ),
    hooked(
        libc::SYS_renameat2,
        Call::FileRename,
        Shape::Rename(at(0), at(2), Some(4)),
    ),
    hooked(
        libc::SYS_linkat,
        Call::FileLink,
        Shape::Link(at(0), at(2), Some(4)),
    ),
    hooked(
        libc::SYS_symlinkat,
        Call::FileLink,
        Shape::SymbolicLink(0, at(1)),
    ),
    hooked(libc::SYS_socket, Call::NetworkOpen, Shape::Plain),
    hooked(libc::SYS_socketpair, Call::NetworkOpen, Shape::Plain),
    hooked(
        libc::SYS_connect,
        Call::NetworkConnect,
        Shape::Address(1, 2),
    ),
    hooked(libc::SYS_bind, Call::NetworkBind, Shape::Address(1, 2)),
    hooked(libc::SYS_listen, Call::NetworkListen, Shape::Plain),
    hooked(libc::SYS_accept, Call::NetworkAccept, Shape::Plain),
    hooked(libc::SYS_accept4, Call::NetworkAccept, Shape::Plain),
    hooked(libc::SYS_execve, Call::ProgramExecute, Shape::Path(path(0))),
    hooked(libc::SYS_execveat, Call::ProgramExecute, Shape::Path(at(0))),
    hooked(libc::SYS_clone, Call::ProcessStart, Shape::Plain),
    hooked(libc::SYS_kill, Call::ProcessSignal, Shape::Plain),
    hooked(libc::SYS_tkill, Call::ProcessSignal, Shape::Plain),
    hooked(libc::SYS_tgkill, Call::ProcessSignal, Shape::Plain),
    hooked(libc::SYS_rt_sigqueueinfo, Call::ProcessSignal, Shape::Plain),
    hooked(
        libc::SYS_rt_tgsigqueueinfo,
        Call::ProcessSignal,
        Shape::Plain,
    ),
    hooked(
        libc::SYS_pidfd_send_signal,
        Call::ProcessSignal,
        Shape::Plain,
    ),
];

/// Those that newer architectures do not have.
#[cfg(target_arch = "x86_64")]
pub(super) const LEGACY: &[Hooked] = &[
    hooked(
        libc::SYS_open,
        Call::FileOpen,
        Shape::Open(path(0), OpenFlags::Arguments(1, 2)),
    ),
    hooked(
        libc::SYS_creat,
        Call::FileOpen,
        Shape::Open(path(0), OpenFlags::Create(1)),
    ),
    hooked(
        libc::SYS_stat,
        Call::FileStat,
        Shape::Stat(path(0), StatHow::Plain(1, Err(0))),
    ),
    hooked(
        libc::SYS_lstat,
        Call::FileStat,
        Shape::Stat(path(0), StatHow::Plain(1, Err(libc::AT_SYMLINK_NOFOLLOW))),
    ),
    hooked(
        libc::SYS_access,
        Call::FileStat,
        Shape::Access(path(0), 1, None),
    ),
    hooked(
        libc::SYS_readlink,
        Call::FileStat,
        Shape::ReadLink(path(0), 1, 2),
    ),
    hooked(
        libc::SYS_chmod,
        Call::FileChange,
        Shape::Change(path(0), ChangeHow::Mode(1)),
    ),
    hooked(
        libc::SYS_chown,
        Call::FileChange,
        Shape::Change(path(0), ChangeHow::Owner(1, 2, Err(0))),
    ),
    hooked(
        libc::SYS_lchown,
        Call::FileChange,
        Shape::Change(
            path(0),
            ChangeHow::Owner(1, 2, Err(libc::AT_SYMLINK_NOFOLLOW)),
        ),
    ),
    hooked(
        libc::SYS_utime,
        Call::FileChange,
        Shape::Change(path(0), ChangeHow::Times(1, Times::Seconds, None)),
    ),
    hooked(
        libc::SYS_utimes,
        Call::FileChange,
        Shape::Change(path(0), ChangeHow::Times(1, Times::Microseconds, None)),
    ),
    hooked(
        libc::SYS_futimesat,
        Call::FileChange,
        Shape::Change(at(0), ChangeHow::Times(2, Times::Microseconds, None)),
    ),
    hooked(
        libc::SYS_unlink,
        Call::FileRemove,
        Shape::Remove(path(0), Err(0)),
    ),
    hooked(
        libc::SYS_rmdir,
        Call::FileRemove,
        Shape::Remove(path(0), Err(libc::AT_REMOVEDIR)),
    ),
    hooked(
        libc::SYS_mkdir,
        Call::FileMakeDirectory,
        Shape::MakeDirectory(path(0), 1),
    ),
    hooked(
        libc::SYS_rename,
        Call::FileRename,
        Shape::Rename(path(0), path(1), None),
    ),
    hooked(
        libc::SYS_link,
        Call::FileLink,
        Shape::Link(path(0), path(1), None),
    ),
    hooked(
        libc::SYS_symlink,
        Call::FileLink,
        Shape::SymbolicLink(0, path(1)),
    ),
    hooked(libc::SYS_fork, Call::ProcessStart, Shape::Plain),
    hooked(libc::SYS_vfork, Call::ProcessStart, Shape::Plain),
];

#[cfg(not(target_arch = "x86_64"))]
pub(super) const LEGACY: &[Hooked] = &[];

/// Every one of them.
pub(super) fn all() -> impl Iterator<Item = &'static Hooked> {
    TABLE.iter().chain(LEGACY)
}

/// What a system call is, if rules can be about it.
pub(super) fn of_number(number: c_long) -> Option<&'static Hooked> {
    all().find(|hooked| hooked.number == number)
}

/// The calls that can be seen.
pub(super) fn visible() -> CallSet {
    all().map(|hooked| hooked.call).collect()
}

/// Whether the argument of a call is the address of a socket.
pub(super) fn is_address(call: Call) -> bool {
    matches!(call.argument(), ArgumentKind::Address)
}

/// The calls that Atoll carries out itself where a rule depends on the argument: between a look at
/// a path in the program's memory and the kernel's own look at it, another thread can change it.
pub(super) fn carried_out() -> CallSet {
    [
        Call::FileOpen,
        Call::FileRemove,
        Call::FileRename,
        Call::FileLink,
        Call::FileMakeDirectory,
        Call::FileStat,
        Call::FileChange,
    ]
    .into_iter()
    .collect()
}
