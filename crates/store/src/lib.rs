//! Durable state: outcomes, history and usage in SQLite.
//!
//! This crate owns the file in which a node remembers: one row for each accepted message, the
//! outcome it ended in, incidents, and totals by tenant and program. It does not know what the
//! engine does with that, and it has no clock: times are passed in. What a program printed is not
//! stored, only how much.
//!
//! A message is accepted once and finished once:
//!
//! ```text
//!            accept / arrive              finish
//!   (none) ------------------> unfinished ------> finished   (never changes again)
//!                                  |                 ^
//!                                  +-----------------+
//!                                   recover, when its process died
//! ```
//!
//! One [`Store`] is one connection with one worker thread; calls queue up. Several stores, in one
//! process or in many, may use the same file at the same time.

mod arrive;
mod codes;
mod details;
mod error;
mod finish;
mod history;
mod list;
mod owner;
mod place;
mod row;
mod schema;
#[cfg(test)]
mod tests;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicI64;
use std::time::Duration;

use sqlx::{Connection as _, SqliteConnection};
use tokio::sync::{Mutex, MutexGuard};

pub use arrive::{Accepted, Arrival};
pub use details::Details;
pub use error::{BoxError, StoreError};
pub use finish::INTERRUPTED;
pub use list::{Filter, Progress, TenantSummary, Totals};
pub use owner::Owner;
pub use row::{Record, Row};

/// How long an operation waits for another process that is writing.
pub const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Reading a log of this size when the store is opened takes less than flushing the disk does.
const LEFT_BYTES_MAX: u64 = 1 << 20;

/// The open store.
pub struct Store {
    path: PathBuf,
    connection: Mutex<SqliteConnection>,
    /// The number of an accepted message after which old records are looked for; 0 for none.
    tidy_due: AtomicI64,
}

impl Store {
    /// Opens the store, makes it if it does not exist (directory mode 0700, file mode 0600), and
    /// waits up to [`BUSY_TIMEOUT`] for other processes, now and in every later operation.
    ///
    /// # Errors
    /// Each way in which the path, its permissions, its disk or its content cannot be used has a
    /// [`StoreError`] of its own.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        Self::open_with(path, BUSY_TIMEOUT).await
    }

    /// Like [`Store::open`], with another time to wait for other processes; zero does not wait.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub async fn open_with(path: &Path, busy_timeout: Duration) -> Result<Self, StoreError> {
        // More than SQLite can count (24 days) means as long as it can.
        let busy_timeout = busy_timeout.min(Duration::from_millis(i32::MAX.unsigned_abs().into()));
        let path = place::prepare(path)?;
        let connection = schema::connect(&path, busy_timeout).await?;
        Ok(Self {
            path,
            connection: Mutex::new(connection),
            tidy_due: AtomicI64::new(0),
        })
    }

    /// The file, as an absolute path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Closes the file. The last to close it merges the write-ahead log into it, which flushes
    /// the disk; nothing that was recorded depends on it. Dropping the store does the same in the
    /// background, if the process lives long enough. A process that handles one message and ends is
    /// faster with [`Store::leave`].
    pub async fn close(self) {
        // The only failure is a worker that is gone already, and then the file is closed.
        let _ = self.connection.into_inner().close().await;
    }

    /// Ends the use of the store in a process that is about to end, without flushing the disk:
    /// what was recorded stays in the write-ahead log, where the next to open the store finds it.
    /// Only when the log has grown beyond 1 MiB it is merged, as in [`Store::close`]. In a process
    /// that goes on, this would leave a thread and an open file behind.
    pub async fn leave(self) {
        let mut log = self.path.clone().into_os_string();
        log.push("-wal");
        let is_short = std::fs::metadata(log).is_ok_and(|log| log.len() <= LEFT_BYTES_MAX);
        if is_short {
            // Dropping would close the file in the background, racing with the process's end.
            std::mem::forget(self.connection);
        } else {
            self.close().await;
        }
    }

    async fn lock(&self) -> MutexGuard<'_, SqliteConnection> {
        self.connection.lock().await
    }

    fn fail(&self, attempt: &'static str) -> impl Fn(sqlx::Error) -> StoreError + '_ {
        move |error| StoreError::from_sqlx(attempt, &self.path, error)
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}
