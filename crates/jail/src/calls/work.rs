//! What a call is to do, read once from its arguments and from the program's memory.

use std::io;
use std::os::fd::OwnedFd;

use atoll_types::calls::{Call, normalized};

use super::table::{ChangeHow, Hooked, OpenFlags, PathAt, Shape, StatHow, Times};
use super::talk::{Change, Deed, Question, Route};
use super::target;
use crate::sys::Asked;

/// A call that Atoll carries out itself, with everything read from the program's memory once.
#[derive(Debug)]
pub(super) struct Work {
    pub(super) call: Call,
    pub(super) routes: Vec<(Route, OwnedFd)>,
    pub(super) deed: Deed,
    pub(super) process: i32,
    pub(super) thread: i32,
    pub(super) closes_on_exec: bool,
    /// Whether the kernel carries it out all the same: a descriptor that is only a place cannot be
    /// given to another process. Nothing can be read or written through one, and a path that begins
    /// at one is judged by where it leads.
    pub(super) goes_on: bool,
    /// Where the program wants to be told what came of it.
    pub(super) output: Option<Output>,
}

/// A place in the program's memory.
#[derive(Debug, Clone, Copy)]
pub(super) struct Output {
    pub(super) pointer: u64,
    /// Bytes that there is room for.
    pub(super) room: usize,
    /// Whether the call returns how many bytes it wrote.
    pub(super) says_length: bool,
}

impl Work {
    /// The paths as they are written, where nobody can say where they lead.
    pub(super) fn written(&self) -> Vec<Vec<u8>> {
        let routes = self.routes.iter();
        routes
            .map(|(route, _)| normalized(&route.base, &route.path))
            .collect()
    }
}

/// Whether a call has no path and is about a descriptor that the program has: such a change is not
/// one by a path.
pub(super) fn goes_by_descriptor(hooked: &Hooked, asked: &Asked) -> bool {
    matches!(hooked.shape, Shape::Change(at, ChangeHow::Times(..)) if register(asked, at.path) == 0)
}

/// The argument as far as it can be told, for the audit of a call that goes on in the kernel.
pub(super) fn argument(hooked: &Hooked, asked: &Asked) -> Option<Vec<u8>> {
    let at = match hooked.shape {
        Shape::Plain => return None,
        Shape::Address(pointer, length) => {
            let (pointer, length) = (register(asked, pointer), register(asked, length));
            return target::address(asked.thread, pointer, length);
        }
        Shape::Path(at)
        | Shape::Open(at, _)
        | Shape::Remove(at, _)
        | Shape::MakeDirectory(at, _)
        | Shape::Rename(at, ..)
        | Shape::Link(at, ..)
        | Shape::SymbolicLink(_, at)
        | Shape::Stat(at, _)
        | Shape::Access(at, ..)
        | Shape::ReadLink(at, ..)
        | Shape::Change(at, _) => at,
    };
    let path = target::text(asked.thread, register(asked, at.path)).ok()?;
    if path.first() == Some(&b'/') {
        return Some(normalized(b"/", &path));
    }
    let directory = at.directory.map(|directory| register(asked, directory));
    let base = target::base(asked.thread, directory).ok()?;
    Some(normalized(&base.path, &path))
}

fn register(asked: &Asked, index: usize) -> u64 {
    asked.arguments.get(index).copied().unwrap_or(0)
}

/// Arguments of type `int` are in the lower half.
fn int(asked: &Asked, index: usize) -> i32 {
    (register(asked, index) & 0xffff_ffff) as u32 as i32
}

/// Reads what a call is to do.
///
/// # Errors
/// What the kernel would answer.
pub(super) fn work(hooked: &Hooked, asked: &Asked) -> io::Result<Work> {
    let ids = target::ids(asked.thread)?;
    let mask = ids.mask;
    let (mut closes_on_exec, mut goes_on, mut output) = (false, false, None);
    let (routes, deed) = match hooked.shape {
        Shape::Open(at, flags) => {
            let (flags, mode) = open_flags(asked, flags)?;
            closes_on_exec = flags & libc::O_CLOEXEC != 0;
            goes_on = flags & libc::O_PATH != 0;
            let exclusive = libc::O_CREAT | libc::O_EXCL;
            let mut route = route(asked, at, flags & libc::O_NOFOLLOW == 0)?;
            // What stands before a slash is followed, and what must not be there is not.
            route.0.follows |= route.0.path.ends_with(b"/");
            route.0.follows &= flags & exclusive != exclusive;
            (vec![route], Deed::Open { flags, mode, mask })
        }
        Shape::Remove(at, flags) => {
            let flags = flags.map_or_else(|flags| flags, |index| int(asked, index));
            (vec![route(asked, at, false)?], Deed::Remove { flags })
        }
        Shape::MakeDirectory(at, mode) => {
            let mode = int(asked, mode).cast_unsigned() & 0o1777;
            let deed = Deed::MakeDirectory { mode, mask };
            (vec![route(asked, at, false)?], deed)
        }
        Shape::Rename(from, to, flags) => {
            let flags = flags.map_or(0, |index| int(asked, index).cast_unsigned());
            let routes = vec![route(asked, from, false)?, route(asked, to, false)?];
            (routes, Deed::Rename { flags })
        }
        Shape::Link(from, to, flags) => {
            let flags = flags.map_or(0, |index| int(asked, index));
            let follows = flags & libc::AT_SYMLINK_FOLLOW != 0;
            let routes = vec![route(asked, from, follows)?, route(asked, to, false)?];
            (routes, Deed::Link { flags })
        }
        Shape::SymbolicLink(text, at) => {
            let target = target::text(asked.thread, register(asked, text))?;
            (
                vec![route(asked, at, false)?],
                Deed::SymbolicLink { target },
            )
        }
        Shape::Stat(at, how) => {
            let (deed, flags, pointer) = stat(asked, how);
            output = Some(Output {
                pointer,
                room: usize::MAX,
                says_length: false,
            });
            (vec![question(asked, at, flags)?], deed)
        }
        Shape::Access(at, mode, flags) => {
            let flags = flags.map_or(0, |index| int(asked, index));
            let mode = int(asked, mode).cast_unsigned();
            let deed = Deed::Ask(Question::Access { mode, flags });
            (vec![question(asked, at, flags)?], deed)
        }
        Shape::ReadLink(at, pointer, room) => {
            let room = usize::try_from(int(asked, room)).unwrap_or(0);
            if room == 0 {
                return Err(io::Error::from_raw_os_error(libc::EINVAL));
            }
            output = Some(Output {
                pointer: register(asked, pointer),
                room,
                says_length: true,
            });
            let flags = libc::AT_SYMLINK_NOFOLLOW | libc::AT_EMPTY_PATH;
            let mut route = question(asked, at, flags)?;
            // Only with a directory of its own may the path be empty.
            route.0.may_be_empty &= at.directory.is_some();
            (vec![route], Deed::Ask(Question::ReadLink))
        }
        Shape::Change(at, how) => {
            let (deed, flags) = change(asked, how)?;
            (vec![question(asked, at, flags)?], deed)
        }
        Shape::Plain | Shape::Path(_) | Shape::Address(..) => {
            return Err(io::Error::from_raw_os_error(libc::ENOSYS));
        }
    };
    Ok(Work {
        call: hooked.call,
        routes,
        deed,
        process: ids.process,
        thread: ids.thread,
        closes_on_exec,
        goes_on,
        output,
    })
}

/// What asks for properties, and the flags and the place of the answer.
fn stat(asked: &Asked, how: StatHow) -> (Deed, i32, u64) {
    match how {
        StatHow::Plain(pointer, flags) => {
            let flags = flags.map_or_else(|flags| flags, |index| int(asked, index));
            (
                Deed::Ask(Question::Stat { flags }),
                flags,
                register(asked, pointer),
            )
        }
        StatHow::More(flags, mask, pointer) => {
            let (flags, mask) = (int(asked, flags), int(asked, mask).cast_unsigned());
            let deed = Deed::Ask(Question::StatMore { flags, mask });
            (deed, flags, register(asked, pointer))
        }
    }
}

/// What changes something, and its flags.
fn change(asked: &Asked, how: ChangeHow) -> io::Result<(Deed, i32)> {
    let word = |index| int(asked, index).cast_unsigned();
    Ok(match how {
        ChangeHow::Mode(mode) => {
            let mode = word(mode) & 0o7777;
            (Deed::Change(Change::Mode { mode }), 0)
        }
        ChangeHow::Owner(user, group, flags) => {
            let flags = flags.map_or_else(|flags| flags, |index| int(asked, index));
            let (user, group) = (word(user), word(group));
            (Deed::Change(Change::Owner { user, group, flags }), flags)
        }
        ChangeHow::Times(pointer, kind, flags) => {
            let flags = flags.map_or(0, |index| int(asked, index));
            let times = times(asked.thread, register(asked, pointer), kind)?;
            (Deed::Change(Change::Times { times, flags }), flags)
        }
        ChangeHow::Length(length) => {
            let length = register(asked, length);
            (Deed::Change(Change::Length { length }), 0)
        }
    })
}

/// Two times, as pairs of seconds and nanoseconds; no pointer stands for now.
fn times(thread: i32, pointer: u64, kind: Times) -> io::Result<[i64; 4]> {
    if pointer == 0 {
        return Ok([0, libc::UTIME_NOW, 0, libc::UTIME_NOW]);
    }
    match kind {
        #[cfg(target_arch = "x86_64")]
        Times::Seconds => {
            let [accessed, modified] = words(target::bytes::<16>(thread, pointer)?)?;
            Ok([accessed, 0, modified, 0])
        }
        #[cfg(target_arch = "x86_64")]
        Times::Microseconds => {
            let [accessed, after, modified, later] = words(target::bytes::<32>(thread, pointer)?)?;
            if [after, later].iter().any(|it| !(0..1_000_000).contains(it)) {
                return Err(io::Error::from_raw_os_error(libc::EINVAL));
            }
            Ok([accessed, after * 1000, modified, later * 1000])
        }
        Times::Nanoseconds => words(target::bytes::<32>(thread, pointer)?),
    }
}

fn words<const BYTES: usize, const WORDS: usize>(bytes: [u8; BYTES]) -> io::Result<[i64; WORDS]> {
    let (chunks, _) = bytes.as_chunks::<8>();
    let words: Vec<i64> = chunks
        .iter()
        .map(|word| i64::from_ne_bytes(*word))
        .collect();
    words
        .try_into()
        .map_err(|_| io::ErrorKind::InvalidData.into())
}

/// A path that is asked about or changed, with flags like those of fstatat(2).
fn question(asked: &Asked, at: PathAt, flags: i32) -> io::Result<(Route, OwnedFd)> {
    let mut route = route(asked, at, flags & libc::AT_SYMLINK_NOFOLLOW == 0)?;
    route.0.follows |= route.0.path.ends_with(b"/");
    route.0.may_be_empty = flags & libc::AT_EMPTY_PATH != 0;
    Ok(route)
}

fn route(asked: &Asked, at: PathAt, follows: bool) -> io::Result<(Route, OwnedFd)> {
    let path = target::text(asked.thread, register(asked, at.path))?;
    let directory = at.directory.map(|directory| register(asked, directory));
    // An absolute path does not look at the directory, which may be anything.
    let directory = directory.filter(|_| path.first() != Some(&b'/'));
    let base = target::base(asked.thread, directory)?;
    let route = Route {
        path,
        base: base.path,
        follows,
        may_be_empty: false,
    };
    Ok((route, base.directory))
}

/// Flags and mode of an open.
fn open_flags(asked: &Asked, flags: OpenFlags) -> io::Result<(i32, u32)> {
    let mode = |index| int(asked, index).cast_unsigned() & 0o7777;
    Ok(match flags {
        OpenFlags::Arguments(flags, mode_at) => {
            let flags = int(asked, flags);
            let creates = flags & (libc::O_CREAT | libc::O_TMPFILE) != 0;
            (flags, if creates { mode(mode_at) } else { 0 })
        }
        OpenFlags::Create(mode_at) => (
            libc::O_CREAT | libc::O_WRONLY | libc::O_TRUNC,
            mode(mode_at),
        ),
        OpenFlags::Behind(pointer) => {
            // struct open_how: flags, mode and ways to resolve, 64 bits each.
            let how: [u8; 24] = target::bytes(asked.thread, register(asked, pointer))?;
            let (words, _) = how.as_chunks::<8>();
            let [flags, mode, resolve] = words else {
                return Err(io::ErrorKind::InvalidData.into());
            };
            let is_place = u64::from_ne_bytes(*flags) & u64::from(libc::O_PATH.unsigned_abs()) != 0;
            if u64::from_ne_bytes(*resolve) != 0 || is_place {
                // Neither can be done for another process, nor be left to the kernel, which reads
                // this memory again. Libraries do without openat2(2) where there is none.
                return Err(io::Error::from_raw_os_error(libc::ENOSYS));
            }
            let flags = i32::try_from(u64::from_ne_bytes(*flags));
            let mode = u32::try_from(u64::from_ne_bytes(*mode));
            match (flags, mode) {
                (Ok(flags), Ok(mode)) => (flags, mode & 0o7777),
                _ => return Err(io::Error::from_raw_os_error(libc::EINVAL)),
            }
        }
    })
}
