//! Files of the state directory: written whole or not at all, and locks on them.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

/// Makes a directory for this user alone, and those above it.
pub(crate) fn make_private(directory: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true).mode(0o700).create(directory)
}

/// Makes a directory that others can go through, but not list: a sandbox goes through it to the
/// layer that it was told of.
pub(crate) fn make_passable(directory: &Path) -> io::Result<()> {
    make_private(directory)?;
    fs::set_permissions(directory, fs::Permissions::from_mode(0o711))
}

/// Makes the state directory, and holds it to be this user's alone to write to: what is read from
/// it runs in sandboxes of others.
pub(crate) fn make_own(directory: &Path) -> io::Result<()> {
    let found = match fs::metadata(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            make_passable(directory)?;
            fs::metadata(directory)?
        }
        found => found?,
    };
    let own = found.uid() == rustix::process::geteuid().as_raw();
    if own && found.mode() & 0o022 == 0 {
        return Ok(());
    }
    let problem = "it belongs to somebody else, or others can write to it";
    Err(io::Error::new(io::ErrorKind::PermissionDenied, problem))
}

/// Writes a file that appears under its name when it is whole.
pub(crate) fn write_whole(path: &Path, content: &[u8]) -> io::Result<()> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let own = format!("new-{}-{count}", std::process::id());
    let temporary = path.with_extension(own);
    let written = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&temporary)
        .and_then(|mut file| file.write_all(content))
        .and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    written
}

/// How a file is locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hold {
    /// By one alone.
    Alone,
    /// By any number, and by nobody alone.
    Together,
}

/// Locks the file at a path, which is made; `None` while somebody else holds it.
pub(crate) fn try_lock(path: &Path, hold: Hold) -> io::Result<Option<File>> {
    loop {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path)?;
        let locked = match hold {
            Hold::Alone => file.try_lock(),
            Hold::Together => file.try_lock_shared(),
        };
        match locked {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        // Whoever removes the file holds it alone, so one that still has its name will keep it.
        match fs::metadata(path) {
            Ok(named) if named.ino() == file.metadata()?.ino() => return Ok(Some(file)),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_alone_or_many_together() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.lock");
        let alone = try_lock(&path, Hold::Alone).unwrap().unwrap();
        assert!(try_lock(&path, Hold::Together).unwrap().is_none());
        drop(alone);
        let together = try_lock(&path, Hold::Together).unwrap().unwrap();
        assert!(try_lock(&path, Hold::Together).unwrap().is_some());
        assert!(try_lock(&path, Hold::Alone).unwrap().is_none());
        drop(together);
    }

    #[test]
    fn a_directory_that_others_can_write_to_is_not_used() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        let own = directory.path().join("a/b");
        make_own(&own).unwrap();
        make_own(&own).unwrap();
        fs::set_permissions(&own, fs::Permissions::from_mode(0o777)).unwrap();
        assert!(make_own(&own).is_err());
    }

    #[test]
    fn what_is_written_whole_leaves_nothing_else() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.json");
        write_whole(&path, b"one").unwrap();
        write_whole(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
        assert!(write_whole(&directory.path().join("no/such"), b"").is_err());
    }
}
