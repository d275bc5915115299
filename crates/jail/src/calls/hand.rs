//! The hand: a process inside the jail that carries out calls whose argument a rule has judged.
//!
//! It has what the program has and no more: user, namespaces, root, Landlock, cgroups, and no
//! capability. So what it opens, the program could have opened. It decides nothing; that is done
//! outside. It finds a path one step at a time and holds the directory it has come to, so that
//! what is judged afterwards is what is used, whoever changes links meanwhile.
//!
//! The program can end it, as it can end any process of its user. Then no call is carried out any
//! more, and the supervisor ends the program.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use rustix::fs::{
    self, Access, AtFlags, CWD, FileType, Gid, Mode, OFlags, RenameFlags, Timespec, Timestamps, Uid,
};
use rustix::io::Errno;
use rustix::process::DumpableBehavior;

use super::talk::{Ask, Change, Deed, Question, Route, Told};
use crate::control::{Receiver, send};
use crate::sys;

/// As many links as the kernel follows for one path.
const LINKS_MAX: u32 = 40;

/// Where the socket is put, so that everything above can be closed.
const SOCKET: i32 = 3;

/// The whole life of the hand. It ends when the supervisor's end of the socket closes.
pub(crate) fn serve(socket: &OwnedFd) -> ! {
    let _ = serve_until_closed(socket);
    sys::exit_now(0);
}

fn serve_until_closed(socket: &OwnedFd) -> io::Result<()> {
    // The program has the same user and must not look in here.
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    // Nor is it to be ended by accident, with the program's group of processes.
    rustix::process::setsid()?;
    // The program waits for it, and so does the supervisor.
    let _ = sys::wait_no_longer();
    sys::place_descriptor(socket.as_fd(), SOCKET)?;
    sys::close_from(SOCKET.unsigned_abs() + 1)?;
    for inherited in 0..SOCKET {
        drop(sys::take_descriptor(inherited));
    }
    let socket = sys::take_descriptor(SOCKET)?;
    let mut receiver = Receiver::default();
    let mut found = Vec::new();
    loop {
        let (asked, descriptors) = receiver.receive_blocking::<Ask>(socket.as_fd())?;
        let (told, opened): (Told, Option<OwnedFd>) = match asked {
            Ask::Find {
                routes,
                process,
                thread,
            } => {
                found.clear();
                (
                    find_all(&routes, descriptors, process, thread, &mut found),
                    None,
                )
            }
            Ask::Do(deed) => match act(&deed, &found) {
                Ok(Done::Opened(opened)) => (Told::Did(Vec::new()), Some(opened)),
                Ok(Done::Said(bytes)) => (Told::Did(bytes), None),
                Err(error) => (Told::Refused(error.raw_os_error()), None),
            },
        };
        let opened: Vec<BorrowedFd<'_>> = opened.iter().map(AsFd::as_fd).collect();
        send(socket.as_fd(), &told, &opened)?;
    }
}

fn find_all(
    routes: &[Route],
    bases: Vec<OwnedFd>,
    process: i32,
    thread: i32,
    found: &mut Vec<Place>,
) -> Told {
    for (route, base) in routes.iter().zip(bases) {
        match find(route, base, process, thread) {
            Ok(place) => found.push(place),
            Err(error) => return Told::Refused(error.raw_os_error()),
        }
    }
    Told::Found(found.iter().map(Place::path).collect())
}

/// Something that is or can be: a directory that is held, and a name in it.
struct Place {
    directory: OwnedFd,
    /// The path of the directory, without a slash at the end; empty for the root.
    path: Vec<u8>,
    name: Vec<u8>,
    /// Whether the name stood before a slash, so that it has to be a directory.
    is_directory: bool,
    /// Where the link of this name leads for the program, if that depends on who asks.
    own_target: Option<Vec<u8>>,
}

impl Place {
    fn path(&self) -> Vec<u8> {
        atoll_types::calls::normalized(&self.path, &self.name)
    }

    /// The name as the kernel is to see it, where no link is followed at the end.
    fn name(&self) -> Vec<u8> {
        let slash: &[u8] = if self.is_directory { b"/" } else { b"" };
        [&self.name, slash].concat()
    }
}

/// One part of a path, and whether another one stood behind it.
type Part = (Vec<u8>, bool);

fn parts(path: &[u8]) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    for part in path.split(|byte| *byte == b'/') {
        if part.is_empty() {
            if let Some(last) = parts.last_mut() {
                last.1 = true;
            }
        } else {
            if let Some(last) = parts.last_mut() {
                last.1 = true;
            }
            parts.push((part.to_vec(), false));
        }
    }
    parts
}

/// Goes along a path, step by step.
fn find(route: &Route, base: OwnedFd, process: i32, thread: i32) -> Result<Place, Errno> {
    let mut directory = base;
    let mut path = match route.base.as_slice() {
        b"/" => Vec::new(),
        base => base.to_vec(),
    };
    if route.path.is_empty() {
        if !route.may_be_empty {
            return Err(Errno::NOENT);
        }
        return Ok(Place {
            directory,
            path,
            name: Vec::new(),
            is_directory: false,
            own_target: None,
        });
    }
    if route.path.first() == Some(&b'/') {
        (directory, path) = (root()?, Vec::new());
    }
    let mut ahead: VecDeque<Part> = parts(&route.path).into();
    let mut links = 0;
    while let Some((name, more)) = ahead.pop_front() {
        let is_last = ahead.is_empty();
        let own = own_process(directory.as_fd(), &path, &name, process, thread);
        let (name, own_target) = match own {
            Some(own) if is_last && !route.follows => (name, Some(own)),
            own => (own.unwrap_or(name), None),
        };
        let special = matches!(name.as_slice(), b"." | b"..");
        if is_last && !(route.follows && special) {
            let target = match route.follows {
                true => link_target(directory.as_fd(), &name)?,
                false => None,
            };
            let Some(target) = target else {
                return Ok(Place {
                    directory,
                    path,
                    name,
                    is_directory: more,
                    own_target,
                });
            };
            follow(&target, more, &mut ahead, &mut links)?;
            if target.first() == Some(&b'/') {
                (directory, path) = (root()?, Vec::new());
            }
            continue;
        }
        if let Some(target) = link_target(directory.as_fd(), &name)? {
            follow(&target, more, &mut ahead, &mut links)?;
            if target.first() == Some(&b'/') {
                (directory, path) = (root()?, Vec::new());
            }
            continue;
        }
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        directory = fs::openat(&directory, &name, flags, Mode::empty())?;
        path = match atoll_types::calls::normalized(&path, &name).as_slice() {
            b"/" => Vec::new(),
            path => path.to_vec(),
        };
    }
    Ok(Place {
        directory,
        path,
        name: b".".to_vec(),
        is_directory: false,
        own_target: None,
    })
}

/// Puts what a link leads to before what is still ahead.
fn follow(
    target: &[u8],
    more: bool,
    ahead: &mut VecDeque<Part>,
    links: &mut u32,
) -> Result<(), Errno> {
    *links += 1;
    if *links > LINKS_MAX {
        return Err(Errno::LOOP);
    }
    let mut target = parts(target);
    if let Some(last) = target.last_mut() {
        last.1 |= more;
    }
    for part in target.into_iter().rev() {
        ahead.push_front(part);
    }
    Ok(())
}

fn root() -> Result<OwnedFd, Errno> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    fs::openat(CWD, "/", flags, Mode::empty())
}

/// Where a name leads, if it is a link. What is not there is none.
fn link_target(directory: BorrowedFd<'_>, name: &[u8]) -> Result<Option<Vec<u8>>, Errno> {
    match fs::readlinkat(directory, name, Vec::new()) {
        Ok(target) if target.is_empty() => Err(Errno::NOENT),
        Ok(target) => Ok(Some(target.into_bytes())),
        Err(Errno::INVAL | Errno::NOENT) => Ok(None),
        Err(error) => Err(error),
    }
}

/// From linux/magic.h.
const PROC_MAGIC: fs::FsWord = 0x9fa0;

/// Who `self` and `thread-self` are depends on who asks.
fn own_process(
    directory: BorrowedFd<'_>,
    path: &[u8],
    name: &[u8],
    process: i32,
    thread: i32,
) -> Option<Vec<u8>> {
    if path != b"/proc" || !matches!(name, b"self" | b"thread-self") {
        return None;
    }
    let files = fs::fstatfs(directory).ok()?;
    if files.f_type != PROC_MAGIC {
        return None;
    }
    Some(match name {
        b"self" => process.to_string().into_bytes(),
        _ => format!("{process}/task/{thread}").into_bytes(),
    })
}

/// What came of a deed.
enum Done {
    /// A descriptor.
    Opened(OwnedFd),
    /// What the program asked to be told, if anything.
    Said(Vec<u8>),
}

const NOTHING: Done = Done::Said(Vec::new());

fn act(deed: &Deed, found: &[Place]) -> Result<Done, Errno> {
    let mut found = found.iter();
    let mut place = || found.next().ok_or(Errno::INVAL);
    match deed {
        Deed::Open { flags, mode, mask } => open(place()?, *flags, *mode, *mask).map(Done::Opened),
        Deed::Remove { flags } => {
            let place = place()?;
            fs::unlinkat(&place.directory, place.name(), at_flags(*flags)).map(|()| NOTHING)
        }
        Deed::Ask(question) => ask(question, place()?),
        Deed::Change(change) => alter(change, place()?).map(|()| NOTHING),
        Deed::MakeDirectory { mode, mask } => {
            let place = place()?;
            rustix::process::umask(Mode::from_raw_mode(*mask));
            let mode = Mode::from_raw_mode(*mode);
            fs::mkdirat(&place.directory, place.name(), mode).map(|()| NOTHING)
        }
        Deed::Rename { flags } => {
            let (from, to) = (place()?, place()?);
            let flags = RenameFlags::from_bits_retain(*flags);
            let (old, new) = (from.name(), to.name());
            let renamed = if flags.is_empty() {
                fs::renameat(&from.directory, old, &to.directory, new)
            } else {
                fs::renameat_with(&from.directory, old, &to.directory, new, flags)
            };
            renamed.map(|()| NOTHING)
        }
        Deed::Link { flags } => {
            let (from, to) = (place()?, place()?);
            // Links were followed when it was found, if they are to be.
            let flags = at_flags(*flags) - AtFlags::SYMLINK_FOLLOW;
            let (old, new) = (from.name(), to.name());
            fs::linkat(&from.directory, old, &to.directory, new, flags).map(|()| NOTHING)
        }
        Deed::SymbolicLink { target } => {
            let place = place()?;
            fs::symlinkat(target.as_slice(), &place.directory, place.name()).map(|()| NOTHING)
        }
    }
}

/// Finds out what the program wants to know. Links were followed already.
fn ask(question: &Question, place: &Place) -> Result<Done, Errno> {
    match question {
        Question::Stat { flags } => {
            let flags = *flags | libc::AT_SYMLINK_NOFOLLOW;
            told(sys::stat_bytes(
                place.directory.as_fd(),
                &place.name(),
                flags,
            ))
        }
        Question::StatMore { flags, mask } => {
            let flags = *flags | libc::AT_SYMLINK_NOFOLLOW;
            told(sys::statx_bytes(
                place.directory.as_fd(),
                &place.name(),
                flags,
                *mask,
            ))
        }
        Question::Access { mode, flags } => {
            let access = Access::from_bits_retain(*mode);
            let flags = at_flags(*flags) | AtFlags::SYMLINK_NOFOLLOW;
            fs::accessat(&place.directory, place.name(), access, flags).map(|()| NOTHING)
        }
        Question::ReadLink => {
            if let Some(own) = &place.own_target {
                return Ok(Done::Said(own.clone()));
            }
            let target = fs::readlinkat(&place.directory, place.name(), Vec::new())?;
            Ok(Done::Said(target.into_bytes()))
        }
    }
}

/// Changes something of what was found.
fn alter(change: &Change, place: &Place) -> Result<(), Errno> {
    match change {
        Change::Mode { mode } => {
            let (directory, name) = (place.directory.as_fd(), place.name());
            match sys::change_mode(directory, &name, *mode) {
                Err(error) if error.raw_os_error() == Some(libc::ENOSYS) => {
                    change_mode_of_held(place, *mode)
                }
                changed => changed.map_err(|error| number(&error)),
            }
        }
        Change::Owner { user, group, flags } => {
            let flags = at_flags(*flags) | AtFlags::SYMLINK_NOFOLLOW;
            // All ones leave it as it is.
            let user = (*user != u32::MAX).then(|| Uid::from_raw(*user));
            let group = (*group != u32::MAX).then(|| Gid::from_raw(*group));
            fs::chownat(&place.directory, place.name(), user, group, flags)
        }
        Change::Times { times, flags } => {
            let flags = at_flags(*flags) | AtFlags::SYMLINK_NOFOLLOW;
            let time = |tv_sec, tv_nsec| Timespec { tv_sec, tv_nsec };
            let [accessed, accessed_ns, modified, modified_ns] = *times;
            let times = Timestamps {
                last_access: time(accessed, accessed_ns),
                last_modification: time(modified, modified_ns),
            };
            fs::utimensat(&place.directory, place.name(), &times, flags)
        }
        Change::Length { length } => {
            let held = hold(place)?;
            // Which of several reasons not to do it counts is the kernel's to say.
            sys::change_length(&way_to(&held), *length).map_err(|error| number(&error))
        }
    }
}

fn at_flags(flags: i32) -> AtFlags {
    AtFlags::from_bits_retain(flags.cast_unsigned())
}

fn told(bytes: io::Result<Vec<u8>>) -> Result<Done, Errno> {
    bytes.map(Done::Said).map_err(|error| number(&error))
}

/// Changes the mode of a file that is held by then, where the kernel cannot do so without following
/// links.
fn change_mode_of_held(place: &Place, mode: u32) -> Result<(), Errno> {
    let held = hold(place)?;
    fs::chmodat(
        CWD,
        way_to(&held),
        Mode::from_raw_mode(mode),
        AtFlags::empty(),
    )
}

/// Holds what was found, for calls that know paths only. A link that has taken its place since is
/// not followed.
fn hold(place: &Place) -> Result<OwnedFd, Errno> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let held = fs::openat(&place.directory, place.name(), flags, Mode::empty())?;
    if FileType::from_raw_mode(fs::fstat(&held)?.st_mode) == FileType::Symlink {
        return Err(Errno::LOOP);
    }
    Ok(held)
}

/// The path of what is held.
fn way_to(held: &OwnedFd) -> String {
    format!("/proc/self/fd/{}", held.as_raw_fd())
}

fn number(error: &io::Error) -> Errno {
    Errno::from_io_error(error).unwrap_or(Errno::IO)
}

/// Opens what was found. A link that has taken its place since is not followed.
fn open(place: &Place, flags: i32, mode: u32, mask: u32) -> Result<OwnedFd, Errno> {
    let mut flags = OFlags::from_bits_retain(flags.cast_unsigned());
    flags |= OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NOCTTY;
    if place.is_directory {
        if flags.contains(OFlags::CREATE) {
            return Err(Errno::ISDIR);
        }
        flags |= OFlags::DIRECTORY;
    }
    // Nobody waits here for the other end of a pipe; there are no files like that to be made.
    if let Ok(there) = fs::statat(&place.directory, &place.name, AtFlags::SYMLINK_NOFOLLOW)
        && FileType::from_raw_mode(there.st_mode) == FileType::Fifo
    {
        return Err(Errno::NXIO);
    }
    rustix::process::umask(Mode::from_raw_mode(mask));
    let mode = Mode::from_raw_mode(mode);
    fs::openat(&place.directory, &place.name, flags, mode)
}
