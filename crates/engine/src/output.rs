//! The host's directory into which a program's files go.
//!
//! Owns every step below that directory. Names come from a program nobody trusts: each part is
//! resolved by itself, below a directory that is held open, and no link is followed. Nothing that
//! exists is ever opened for writing. Which files go here is not decided here.

use std::ffi::OsStr;
use std::fs::{DirBuilder, File};
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{
    Access, AtFlags, Dir, Mode, OFlags, ResolveFlags, accessat, mkdirat, open, openat2, unlinkat,
};
use rustix::io::Errno;
use rustix::process::{Resource, getrlimit};

const DIRECTORY_MODE: u32 = 0o755;
const FILE_MODE: u32 = 0o644;
const EXECUTABLE_MODE: u32 = 0o755;

/// One step below a directory, which is no link.
const ONE_STEP: ResolveFlags = ResolveFlags::BENEATH
    .union(ResolveFlags::NO_SYMLINKS)
    .union(ResolveFlags::NO_MAGICLINKS);

/// An empty directory that takes the files a program leaves.
///
/// It has to be empty because the program chooses the names: among other files, a name such as
/// `.git/hooks/post-commit` or `.envrc` would make whoever uses them run the program's code.
#[derive(Debug)]
pub struct OutputDirectory {
    path: PathBuf,
    directory: OwnedFd,
    /// Writing more to one file would end Atoll itself, by SIGXFSZ (setrlimit(2)).
    file_bytes_max: Option<u64>,
}

/// Why a directory cannot take a program's files.
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    /// It is not there and cannot be made.
    #[error("failed to make the output directory {}; its parent must exist", .path.display())]
    Make {
        /// The path as it was given.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It cannot be opened, for instance because it is a file.
    #[error("failed to open the output directory {}; name a directory", .path.display())]
    Open {
        /// The path as it was given.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Something is in it.
    #[error(
        "failed to use the output directory {}: it is not empty; name a new or an empty one, so \
         that the program's files do not mix with others",
        .path.display()
    )]
    NotEmpty {
        /// The path as it was given.
        path: PathBuf,
    },
    /// Nothing can be written to it.
    #[error("failed to write to the output directory {}; name another", .path.display())]
    NotWritable {
        /// The path as it was given.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// A file that is being written. Unless it is [kept](Self::keep) it is removed again.
pub(crate) struct NewFile {
    pub(crate) file: File,
    /// What holds it, and its name there, until it is kept.
    place: Option<(OwnedFd, Vec<u8>)>,
}

impl NewFile {
    /// The file is complete.
    pub(crate) fn keep(mut self) {
        self.place = None;
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if let Some((directory, name)) = self.place.take() {
            // Where the disk is full or gone there may be nothing more that can be done.
            let _ = unlinkat(&directory, OsStr::from_bytes(&name), AtFlags::empty());
        }
    }
}

impl OutputDirectory {
    /// Opens `path`, or makes it when it is not there.
    ///
    /// # Errors
    /// [`OutputError`] when it cannot be made, is no empty directory, or cannot be written to.
    pub fn open(path: &Path) -> Result<Self, OutputError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let opened = match open(path, flags, Mode::empty()) {
            Err(Errno::NOENT) => {
                let made = DirBuilder::new().mode(DIRECTORY_MODE).create(path);
                made.map_err(|source| OutputError::Make {
                    path: path.to_owned(),
                    source,
                })?;
                open(path, flags, Mode::empty())
            }
            opened => opened,
        };
        let failed = |source: Errno| OutputError::Open {
            path: path.to_owned(),
            source: source.into(),
        };
        let directory = opened.map_err(failed)?;
        if !is_empty(&directory).map_err(failed)? {
            let path = path.to_owned();
            return Err(OutputError::NotEmpty { path });
        }
        accessat(
            &directory,
            ".",
            Access::WRITE_OK | Access::EXEC_OK,
            AtFlags::EACCESS,
        )
        .map_err(|source| OutputError::NotWritable {
            path: path.to_owned(),
            source: source.into(),
        })?;
        Ok(Self {
            path: path.to_owned(),
            directory,
            file_bytes_max: getrlimit(Resource::Fsize).current,
        })
    }

    /// The path as it was given.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Makes a new file for this many bytes, and the directories on the way to it.
    ///
    /// # Errors
    /// [`io::ErrorKind::AlreadyExists`] when something else is there or on the way, and
    /// [`io::ErrorKind::InvalidInput`] for a path that is no plain way down, and
    /// [`io::ErrorKind::FileTooLarge`] when this process may not write that much; otherwise what
    /// the system says.
    pub(crate) fn create(&self, path: &[u8], executable: bool, bytes: u64) -> io::Result<NewFile> {
        if self.file_bytes_max.is_some_and(|most| bytes > most) {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let mut parts = path.split(|byte| *byte == b'/').peekable();
        let mut holder: Option<OwnedFd> = None;
        while let Some(part) = parts.next() {
            if matches!(part, b"" | b"." | b"..") {
                return Err(io::ErrorKind::InvalidInput.into());
            }
            let at = holder.as_ref().unwrap_or(&self.directory).as_fd();
            if parts.peek().is_some() {
                holder = Some(enter(at, part).map_err(in_the_way)?);
                continue;
            }
            let mode = if executable {
                EXECUTABLE_MODE
            } else {
                FILE_MODE
            };
            let flags = OFlags::WRONLY
                | OFlags::CREATE
                | OFlags::EXCL
                | OFlags::NOFOLLOW
                | OFlags::NONBLOCK
                | OFlags::CLOEXEC;
            let name = OsStr::from_bytes(part);
            let file = openat2(at, name, flags, Mode::from_raw_mode(mode), ONE_STEP)
                .map_err(in_the_way)?;
            let place = (at.try_clone_to_owned()?, part.to_vec());
            return Ok(NewFile {
                file: file.into(),
                place: Some(place),
            });
        }
        Err(io::ErrorKind::InvalidInput.into())
    }
}

/// Whether nothing but `.` and `..` is in a directory.
fn is_empty(directory: &OwnedFd) -> rustix::io::Result<bool> {
    for entry in Dir::read_from(directory)? {
        let entry = entry?;
        if ![c".", c".."].contains(&entry.file_name()) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Opens a directory below another, and makes it when it is not there.
fn enter(at: std::os::fd::BorrowedFd<'_>, name: &[u8]) -> rustix::io::Result<OwnedFd> {
    let name = OsStr::from_bytes(name);
    match mkdirat(at, name, Mode::from_raw_mode(DIRECTORY_MODE)) {
        // Most often it was made for the file before this one.
        Ok(()) | Err(Errno::EXIST) => {}
        Err(error) => return Err(error),
    }
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    openat2(at, name, flags, Mode::empty(), ONE_STEP)
}

/// A link or a file in the place of a directory is something that exists.
fn in_the_way(error: Errno) -> io::Error {
    match error {
        Errno::LOOP | Errno::NOTDIR | Errno::EXIST => io::ErrorKind::AlreadyExists.into(),
        error => error.into(),
    }
}

#[cfg(test)]
mod tests;
