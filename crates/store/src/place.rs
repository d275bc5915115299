//! The directory and the file the store lives in: made if missing, checked before use.
//!
//! History decides how much a sender is trusted, so nobody else may be able to write it. SQLite
//! also replays whatever write-ahead log lies next to the file, so the directory counts as much
//! as the file. This module knows nothing of SQL.

use std::fs::{self, DirBuilder, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use rustix::fs::Access;

use crate::StoreError;

const ATTEMPT: &str = "open the store";
const WRITABLE_BY_OTHERS: u32 = 0o022;

/// Makes the parent directory (mode 0700) and the file (mode 0600) if they are missing, checks
/// both, and returns the absolute path of the file.
pub(crate) fn prepare(path: &Path) -> Result<PathBuf, StoreError> {
    // Absolute also keeps SQLite from reading a name that starts with `file:` as a URI.
    let path =
        std::path::absolute(path).map_err(|source| StoreError::from_io(ATTEMPT, path, source))?;
    if path.to_str().is_none() {
        return Err(StoreError::BadPath { path });
    }
    let Some(directory) = path.parent() else {
        return Err(StoreError::NotAFile { path });
    };
    prepare_directory(directory)?;
    prepare_file(&path)?;
    Ok(path)
}

fn prepare_directory(directory: &Path) -> Result<(), StoreError> {
    let metadata = match fs::metadata(directory) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            create_directory(directory)?;
            fs::metadata(directory)
                .map_err(|source| StoreError::from_io(ATTEMPT, directory, source))?
        }
        Err(source) => return Err(StoreError::from_io(ATTEMPT, directory, source)),
    };
    if !metadata.is_dir() {
        return Err(StoreError::NotADirectory {
            path: directory.to_owned(),
        });
    }
    // Directories of the system belong to root, who can write everywhere anyway.
    if metadata.uid() != 0 {
        check_owner(directory, &metadata)?;
    }
    check_not_exposed(directory, &metadata)?;
    check_access(
        directory,
        Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK,
    )
}

fn create_directory(directory: &Path) -> Result<(), StoreError> {
    let created = DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory);
    created.map_err(|source| match source.kind() {
        // A dangling symbolic link: it cannot be followed, and it is in the way.
        io::ErrorKind::AlreadyExists => StoreError::NotADirectory {
            path: directory.to_owned(),
        },
        _ => StoreError::from_io(ATTEMPT, directory, source),
    })
}

fn prepare_file(path: &Path) -> Result<(), StoreError> {
    create_file(path)?;
    // A symbolic link is not followed: the checks of the directory would be about another one.
    let metadata =
        fs::symlink_metadata(path).map_err(|source| StoreError::from_io(ATTEMPT, path, source))?;
    if !metadata.is_file() {
        return Err(StoreError::NotAFile {
            path: path.to_owned(),
        });
    }
    check_owner(path, &metadata)?;
    check_not_exposed(path, &metadata)?;
    check_access(path, Access::READ_OK | Access::WRITE_OK)
}

/// Creates the file if there is none. An existing file is not even opened: closing a descriptor
/// of it would drop the locks of every other SQLite connection in this process, as POSIX has it.
/// The mutex covers the same danger between creating a file and closing it again.
fn create_file(path: &Path) -> Result<(), StoreError> {
    static CREATING: Mutex<()> = Mutex::new(());
    let _creating = CREATING.lock().unwrap_or_else(PoisonError::into_inner);
    let created = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path);
    match created {
        Ok(_closed_here) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(source) => Err(StoreError::from_io(ATTEMPT, path, source)),
    }
}

fn check_owner(path: &Path, metadata: &Metadata) -> Result<(), StoreError> {
    let user = rustix::process::geteuid().as_raw();
    if metadata.uid() == user {
        return Ok(());
    }
    Err(StoreError::OtherOwner {
        path: path.to_owned(),
        owner: metadata.uid(),
        user,
    })
}

fn check_not_exposed(path: &Path, metadata: &Metadata) -> Result<(), StoreError> {
    if metadata.mode() & WRITABLE_BY_OTHERS == 0 {
        return Ok(());
    }
    Err(StoreError::Exposed {
        path: path.to_owned(),
    })
}

fn check_access(path: &Path, access: Access) -> Result<(), StoreError> {
    rustix::fs::access(path, access)
        .map_err(|errno| StoreError::from_io(ATTEMPT, path, errno.into()))
}
