//! What a program left in its working directory, looked at from outside once it is dead.
//!
//! The program chose every name and every kind of file here, so nothing is opened that has not
//! been looked at first, no name is resolved beyond one step below a directory that is already
//! held open, and no link, mount or special file is entered. Owns the bounds on entries, depth and
//! length of paths; how many bytes are read is the caller's business.

use std::ffi::{CStr, CString};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::vec;

use atoll_types::SkipReason;
use rustix::fs::{
    Access, AtFlags, Dir, FileType, Mode, OFlags, ResolveFlags, Stat, accessat, chmod, fstat,
    openat2, statat,
};
use rustix::io::Errno;

use crate::ablation::{self, Part};

/// Directories within each other that are followed; each holds a descriptor while it is open.
const DEPTH_MAX: usize = 64;

/// Bytes of a path, as the kernel itself takes them (`PATH_MAX`).
const PATH_BYTES_MAX: usize = 4096;

/// Entries besides the program's own that one look may find.
const ENTRIES_SPARE: u64 = 16;

/// One step below a directory: no link of any kind, no way up, no other mount.
const ONE_STEP: ResolveFlags = ResolveFlags::BENEATH
    .union(ResolveFlags::NO_SYMLINKS)
    .union(ResolveFlags::NO_MAGICLINKS)
    .union(ResolveFlags::NO_XDEV);

/// One thing that a program left.
#[derive(Debug)]
pub struct Leaving {
    /// Its path below the working directory.
    pub path: Vec<u8>,
    /// A plain file, or why it is none that can be had.
    pub file: Result<LeftFile, SkipReason>,
}

/// A plain file that a program left, open for reading.
#[derive(Debug)]
pub struct LeftFile {
    /// Its length; a sparse file takes less.
    pub bytes: u64,
    /// Whether its owner may execute it.
    pub executable: bool,
    /// Its inode, when it has other names.
    pub shared: Option<u64>,
    /// The file.
    pub content: File,
}

/// Walks what a program left: depth first, names in the order of their bytes.
#[derive(Debug)]
pub struct Leavings {
    open: Vec<Directory>,
    /// The path of the directory opened last, with a `/` at its end unless it is empty.
    path: Vec<u8>,
    entries_left: u64,
}

/// A directory on the way down, and what is still to be looked at in it.
#[derive(Debug)]
struct Directory {
    directory: OwnedFd,
    names: vec::IntoIter<CString>,
    /// Whether there was more than could be listed.
    cut: bool,
    path_bytes: usize,
}

/// What one entry turned out to be.
enum Entry {
    Directory(OwnedFd),
    File(LeftFile),
}

impl Leavings {
    /// Begins below `work`, which nobody writes to any more, and lists about `entries_max` entries
    /// at most.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn below(work: BorrowedFd<'_>, entries_max: u64) -> io::Result<Self> {
        let mut leavings = Self {
            open: Vec::new(),
            path: Vec::new(),
            entries_left: entries_max.saturating_add(ENTRIES_SPARE),
        };
        if let Err(Errno::ACCESS) = accessat(work, c".", Access::EXEC_OK, AtFlags::EACCESS) {
            allow_owner(work)?;
        }
        let directory = open(work, c".", OFlags::DIRECTORY)?;
        leavings.enter(directory)?;
        Ok(leavings)
    }

    fn enter(&mut self, directory: OwnedFd) -> io::Result<()> {
        let (names, cut) = list(directory.as_fd(), &mut self.entries_left)?;
        self.open.push(Directory {
            directory,
            names: names.into_iter(),
            cut,
            path_bytes: self.path.len(),
        });
        Ok(())
    }

    /// The path of an entry of the directory opened last.
    fn path_of(&self, name: &CStr) -> Vec<u8> {
        [self.path.as_slice(), name.to_bytes()].concat()
    }

    /// Goes down into a directory; answers when that cannot be done.
    fn descend(&mut self, name: &CStr, directory: OwnedFd) -> Option<Leaving> {
        let path = self.path_of(name);
        if self.open.len() >= DEPTH_MAX || path.len() >= PATH_BYTES_MAX {
            return Some(skipped(path, SkipReason::TooDeep));
        }
        let before = std::mem::replace(&mut self.path, path);
        self.path.push(b'/');
        match self.enter(directory) {
            Ok(()) => None,
            Err(_) => {
                let mut path = std::mem::replace(&mut self.path, before);
                path.pop();
                Some(skipped(path, SkipReason::NotRead))
            }
        }
    }

    /// Leaves the directory opened last; answers when not all of it was seen.
    fn ascend(&mut self, left: &Directory) -> Option<Leaving> {
        let mut path = std::mem::take(&mut self.path);
        if let Some(above) = self.open.last() {
            self.path = path.get(..above.path_bytes).unwrap_or_default().to_vec();
        }
        path.pop();
        left.cut.then(|| skipped(path, SkipReason::TooMany))
    }
}

impl Iterator for Leavings {
    type Item = Leaving;

    fn next(&mut self) -> Option<Leaving> {
        loop {
            let current = self.open.last_mut()?;
            let Some(name) = current.names.next() else {
                let left = self.open.pop()?;
                match self.ascend(&left) {
                    Some(leaving) => return Some(leaving),
                    None => continue,
                }
            };
            match look(current.directory.as_fd(), &name) {
                Ok(Entry::Directory(directory)) => {
                    if let Some(leaving) = self.descend(&name, directory) {
                        return Some(leaving);
                    }
                }
                Ok(Entry::File(file)) => {
                    let path = self.path_of(&name);
                    if path.len() > PATH_BYTES_MAX {
                        return Some(skipped(path, SkipReason::TooDeep));
                    }
                    return Some(Leaving {
                        path,
                        file: Ok(file),
                    });
                }
                Err(reason) => return Some(skipped(self.path_of(&name), reason)),
            }
        }
    }
}

fn skipped(path: Vec<u8>, reason: SkipReason) -> Leaving {
    Leaving {
        path,
        file: Err(reason),
    }
}

/// Opens one step below `directory` for reading. Root may read whatever the program left; an
/// ordinary user is its owner, and may after lifting what the program forbade its owner.
/// `NONBLOCK` is for what must not happen: that something else than a file or directory stands
/// there by now.
fn open(directory: BorrowedFd<'_>, name: &CStr, flags: OFlags) -> io::Result<OwnedFd> {
    if ablation::is_off(Part::CollectedLinks) {
        let flags = flags | OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        return Ok(rustix::fs::openat(directory, name, flags, Mode::empty())?);
    }
    let step = |flags| openat2(directory, name, flags, Mode::empty(), ONE_STEP);
    let common = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let reading = common | OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY;
    match step(reading) {
        Err(Errno::ACCESS) => {
            allow_owner(step(common | OFlags::PATH)?.as_fd())?;
            Ok(step(reading)?)
        }
        opened => Ok(opened?),
    }
}

/// Lets the owner of a file or directory read it. Nothing that runs has it open any more.
fn allow_owner(entry: BorrowedFd<'_>) -> io::Result<()> {
    let stat = fstat(entry)?;
    let reading = match FileType::from_raw_mode(stat.st_mode) {
        FileType::Directory => Mode::RUSR | Mode::XUSR,
        _ => Mode::RUSR,
    };
    // The kernel's own link to what is open: a path would have to be followed again.
    let path = format!("/proc/self/fd/{}", entry.as_raw_fd());
    Ok(chmod(path, Mode::from_raw_mode(stat.st_mode) | reading)?)
}

/// The names in a directory, in the order of their bytes, and whether there were more.
fn list(directory: BorrowedFd<'_>, entries_left: &mut u64) -> io::Result<(Vec<CString>, bool)> {
    let mut names = Vec::new();
    for entry in Dir::read_from(directory)? {
        let entry = entry?;
        let name = entry.file_name();
        if name == c"." || name == c".." {
            continue;
        }
        if *entries_left == 0 {
            names.sort_unstable();
            return Ok((names, true));
        }
        *entries_left -= 1;
        names.push(name.to_owned());
    }
    names.sort_unstable();
    Ok((names, false))
}

/// Looks at an entry without opening it, and opens it when it is a directory or a plain file.
fn look(directory: BorrowedFd<'_>, name: &CStr) -> Result<Entry, SkipReason> {
    let not_read = |_| SkipReason::NotRead;
    let kind = |stat: &Stat| FileType::from_raw_mode(stat.st_mode);
    let followed = if ablation::is_off(Part::CollectedLinks) {
        AtFlags::empty()
    } else {
        AtFlags::SYMLINK_NOFOLLOW
    };
    let seen = statat(directory, name, followed).map_err(|_| SkipReason::NotRead)?;
    match kind(&seen) {
        FileType::Directory => open(directory, name, OFlags::DIRECTORY)
            .map(Entry::Directory)
            .map_err(not_read),
        FileType::RegularFile => {
            let content = open(directory, name, OFlags::empty()).map_err(not_read)?;
            // Only what is really open counts.
            let found = fstat(&content).map_err(|_| SkipReason::NotRead)?;
            if kind(&found) != FileType::RegularFile || found.st_ino != seen.st_ino {
                return Err(SkipReason::NotRead);
            }
            Ok(Entry::File(LeftFile {
                bytes: u64::try_from(found.st_size).map_err(|_| SkipReason::NotRead)?,
                executable: Mode::from_raw_mode(found.st_mode).contains(Mode::XUSR),
                shared: (found.st_nlink > 1).then_some(found.st_ino),
                content: content.into(),
            }))
        }
        FileType::Symlink => Err(SkipReason::SymbolicLink),
        FileType::Fifo => Err(SkipReason::Pipe),
        FileType::Socket => Err(SkipReason::Socket),
        FileType::CharacterDevice | FileType::BlockDevice | FileType::Unknown => {
            Err(SkipReason::Device)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;
    use std::path::Path;

    use rustix::fs::{CWD, mkfifoat, mknodat};

    use super::*;

    fn walk(directory: &Path, entries_max: u64) -> Vec<(String, Option<SkipReason>)> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let work = rustix::fs::open(directory, flags, Mode::empty()).unwrap();
        let left = Leavings::below(work.as_fd(), entries_max).unwrap();
        left.map(|one| (String::from_utf8(one.path).unwrap(), one.file.err()))
            .collect()
    }

    /// More than a program can make: its system calls allow neither pipes with names nor devices.
    #[test]
    fn special_files_are_told_apart_and_never_opened() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        mkfifoat(CWD, path("a-pipe"), Mode::RWXU).unwrap();
        let _listener = UnixListener::bind(path("a-socket")).unwrap();
        symlink("/dev/tty", path("a-link")).unwrap();
        let null = rustix::fs::makedev(1, 3);
        mknodat(
            CWD,
            path("a-device"),
            FileType::CharacterDevice,
            Mode::RWXU,
            null,
        )
        .unwrap();
        std::fs::write(path("b-file"), "").unwrap();
        let expected = [
            ("a-device", Some(SkipReason::Device)),
            ("a-link", Some(SkipReason::SymbolicLink)),
            ("a-pipe", Some(SkipReason::Pipe)),
            ("a-socket", Some(SkipReason::Socket)),
            ("b-file", None),
        ];
        let expected = expected.map(|(name, reason)| (name.to_owned(), reason));
        assert_eq!(walk(directory.path(), 100), expected);
    }

    /// Harder than what a sandbox allows, where nothing runs any more: a name changes between a
    /// file and links while it is looked at.
    #[test]
    fn a_name_that_changes_while_it_is_looked_at_is_never_followed() {
        let place = tempfile::tempdir().unwrap();
        let work = place.path().join("work");
        std::fs::create_dir_all(work.join("d")).unwrap();
        std::fs::write(place.path().join("canary"), "canary").unwrap();
        let racing = std::sync::atomic::AtomicBool::new(true);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let to = |target: &str| {
                    symlink(target, work.join("new")).unwrap();
                    std::fs::rename(work.join("new"), work.join("taken")).unwrap();
                };
                while racing.load(std::sync::atomic::Ordering::Relaxed) {
                    to("../canary");
                    to("/proc/self/cwd");
                    std::fs::write(work.join("new"), "own").unwrap();
                    std::fs::rename(work.join("new"), work.join("taken")).unwrap();
                    std::fs::rename(work.join("d"), work.join("e")).unwrap();
                    symlink("..", work.join("d")).unwrap();
                    std::fs::remove_file(work.join("d")).unwrap();
                    std::fs::rename(work.join("e"), work.join("d")).unwrap();
                }
            });
            let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
            let work = rustix::fs::open(&work, flags, Mode::empty()).unwrap();
            let mut own = 0;
            // On a busy machine the other thread may not get its turn for thousands of rounds.
            for round in 0..1_000_000 {
                if round >= 5_000 && own > 0 {
                    break;
                }
                for left in Leavings::below(work.as_fd(), 100).unwrap() {
                    assert!(!left.path.ends_with(b"canary"), "{left:?}");
                    let Ok(file) = left.file else { continue };
                    let text = std::io::read_to_string(file.content).unwrap();
                    assert!(["", "own"].contains(&text.as_str()), "{text}");
                    own += 1;
                }
            }
            racing.store(false, std::sync::atomic::Ordering::Relaxed);
            assert!(own > 0, "the file was never there");
        });
    }

    #[test]
    fn entries_are_bounded_and_the_cut_is_told() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::create_dir(directory.path().join("a")).unwrap();
        for number in 0..40 {
            std::fs::write(directory.path().join("a").join(number.to_string()), "").unwrap();
        }
        let found = walk(directory.path(), 9);
        // One entry for the directory itself.
        let files = 9 + usize::try_from(ENTRIES_SPARE).unwrap() - 1;
        assert_eq!(found.len(), files + 1);
        assert_eq!(
            found.last().unwrap(),
            &("a".to_owned(), Some(SkipReason::TooMany))
        );
    }
}
