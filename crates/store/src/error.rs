//! What can go wrong with the store, and what the user can do about it.
//!
//! This module owns the mapping from SQLite's and the system's error codes to [`StoreError`]; no
//! other module looks at codes.

use std::io;
use std::path::{Path, PathBuf};

use atoll_types::MessageId;

/// Why an operation on the store did not happen. Nothing was changed then.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// A part of the path to the store is a file.
    #[error(
        "failed to use {} as the state directory: it, or a part of its path, is not a directory; \
         choose another path", .path.display()
    )]
    NotADirectory {
        /// The directory that was asked for.
        path: PathBuf,
    },
    /// Something that is not a regular file stands where the store should be.
    #[error(
        "failed to open the store {}: it is not a regular file; move it away or choose another \
         path", .path.display()
    )]
    NotAFile {
        /// The store.
        path: PathBuf,
    },
    /// SQLite takes paths in UTF-8 only.
    #[error(
        "failed to open the store {}: the path is not valid UTF-8; choose another path",
        .path.display()
    )]
    BadPath {
        /// The store.
        path: PathBuf,
    },
    /// Somebody else could change what Atoll remembers.
    #[error(
        "failed to trust the store: other users may write to {}; run `chmod go-w` on it, or choose \
         a path that only you can write to", .path.display()
    )]
    Exposed {
        /// The file or directory that is open to others.
        path: PathBuf,
    },
    /// The store belongs to another user.
    #[error(
        "failed to trust the store: {} belongs to user id {owner}, but Atoll runs as user id \
         {user}; run Atoll as that user or choose another path", .path.display()
    )]
    OtherOwner {
        /// The file or directory.
        path: PathBuf,
        /// Whose it is.
        owner: u32,
        /// Who runs Atoll.
        user: u32,
    },
    /// The system does not let this user at the store.
    #[error(
        "failed to open the store {}: permission denied; give this user read and write permission \
         for it and its directory, or choose another path", .path.display()
    )]
    PermissionDenied {
        /// The file or directory.
        path: PathBuf,
    },
    /// The file system, or the directory, cannot be written to.
    #[error(
        "failed to {attempt} in {}: it is on a read-only file system; make it writable or choose \
         another path", .path.display()
    )]
    ReadOnly {
        /// What was tried, as a verb phrase.
        attempt: &'static str,
        /// The store.
        path: PathBuf,
    },
    /// There is no space left.
    #[error(
        "failed to {attempt} in {}: its disk is full; free some space and try again",
        .path.display()
    )]
    Full {
        /// What was tried, as a verb phrase.
        attempt: &'static str,
        /// The store.
        path: PathBuf,
    },
    /// Another process kept the store locked for the whole waiting time.
    #[error(
        "failed to {attempt} in {}: another process keeps it locked; end that process (`fuser` \
         names it) or try again", .path.display()
    )]
    Locked {
        /// What was tried, as a verb phrase.
        attempt: &'static str,
        /// The store.
        path: PathBuf,
    },
    /// The file is not a SQLite database at all.
    #[error(
        "failed to open the store {}: it is not a database; move it away and Atoll makes a new \
         one", .path.display()
    )]
    NotADatabase {
        /// The store.
        path: PathBuf,
    },
    /// The file is a database of another program.
    #[error(
        "failed to open the store {}: it is a database of another program; choose another path",
        .path.display()
    )]
    Foreign {
        /// The store.
        path: PathBuf,
    },
    /// The database is broken.
    #[error(
        "failed to {attempt} in {}: the file is damaged; restore a backup, or move it away (with \
         its -wal and -shm files) and Atoll makes a new one", .path.display()
    )]
    Damaged {
        /// What was tried, as a verb phrase.
        attempt: &'static str,
        /// The store.
        path: PathBuf,
        /// What SQLite said.
        source: BoxError,
    },
    /// A newer Atoll made the store.
    #[error(
        "failed to open the store {}: it has version {found}, and this Atoll knows versions up to \
         {known}; update Atoll or choose another path", .path.display()
    )]
    NewerVersion {
        /// The store.
        path: PathBuf,
        /// The version of the file.
        found: i64,
        /// The newest version this program can read.
        known: i64,
    },
    /// The message is in the store already.
    #[error("failed to accept message {id}: it was accepted before; give each message its own id")]
    AlreadyAccepted {
        /// The message.
        id: MessageId,
    },
    /// The message has its outcome already. The first outcome stands.
    #[error("failed to record an outcome of message {id}: it has one already, which stands")]
    AlreadyFinished {
        /// The message.
        id: MessageId,
    },
    /// The message is not in the store.
    #[error(
        "failed to find message {id}: it was never accepted, or its record is older than the \
         store keeps"
    )]
    UnknownMessage {
        /// The message.
        id: MessageId,
    },
    /// The system failed in a way that has no advice of its own.
    #[error("failed to {attempt} in {}", .path.display())]
    Io {
        /// What was tried, as a verb phrase.
        attempt: &'static str,
        /// The store, its file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// SQLite failed in a way that has no advice of its own.
    #[error("failed to {attempt} in {}", .path.display())]
    Database {
        /// What was tried, as a verb phrase.
        attempt: &'static str,
        /// The store.
        path: PathBuf,
        /// What SQLite said.
        source: BoxError,
    },
}

/// A lower error, whichever library it comes from.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The free space below which an input or output error is taken for a full disk: SQLite reports a
/// failure to extend its index of the write-ahead log (32 KiB at a time) that way.
const FREE_BYTES_MIN: u64 = 64 << 10;

impl StoreError {
    /// Turns an error of SQLite into advice. `attempt` is a verb phrase such as
    /// `record an outcome`.
    pub(crate) fn from_sqlx(attempt: &'static str, path: &Path, error: sqlx::Error) -> Self {
        let path = path.to_owned();
        let Some(code) = sqlite_code(&error) else {
            return Self::without_code(attempt, path, error);
        };
        // The low byte is the primary result code, see <https://www.sqlite.org/rescode.html>.
        match code & 0xff {
            3 | 23 => Self::PermissionDenied { path },
            5 | 6 => Self::Locked { attempt, path },
            8 => Self::ReadOnly { attempt, path },
            13 => Self::Full { attempt, path },
            11 => Self::Damaged {
                attempt,
                path,
                source: error.into(),
            },
            26 => Self::NotADatabase { path },
            10 | 14 if is_full(&path) => Self::Full { attempt, path },
            _ => Self::Database {
                attempt,
                path,
                source: error.into(),
            },
        }
    }

    fn without_code(attempt: &'static str, path: PathBuf, error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::Io(source) => Self::from_io(attempt, &path, source),
            // A value of the wrong type or range: this program never writes such a row.
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => Self::Damaged {
                attempt,
                path,
                source: error.into(),
            },
            _ => Self::Database {
                attempt,
                path,
                source: error.into(),
            },
        }
    }

    /// Turns an error of the system into advice.
    pub(crate) fn from_io(attempt: &'static str, path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::NotADirectory => Self::NotADirectory { path },
            io::ErrorKind::PermissionDenied => Self::PermissionDenied { path },
            io::ErrorKind::ReadOnlyFilesystem => Self::ReadOnly { attempt, path },
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                Self::Full { attempt, path }
            }
            _ => Self::Io {
                attempt,
                path,
                source,
            },
        }
    }

    /// A stored value that cannot be what this program wrote.
    pub(crate) fn bad_value(attempt: &'static str, path: &Path, what: String) -> Self {
        Self::Damaged {
            attempt,
            path: path.to_owned(),
            source: what.into(),
        }
    }
}

/// SQLite's extended result code, when SQLite is where the error came from.
pub(crate) fn sqlite_code(error: &sqlx::Error) -> Option<i32> {
    error.as_database_error()?.code()?.parse().ok()
}

fn is_full(path: &Path) -> bool {
    let directory = path.parent().unwrap_or(path);
    rustix::fs::statvfs(directory)
        .is_ok_and(|space| space.f_bavail.saturating_mul(space.f_frsize) < FREE_BYTES_MIN)
}
