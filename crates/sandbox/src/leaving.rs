//! What a program leaves in its working directory, handed out of a sandbox that has ended.

use std::fmt;
use std::io::Read;

use atoll_types::SkipReason;

/// Everything that was left, one after the other, directories left out. Nothing is read before it
/// is asked for; a caller that reads must not be one that others wait for.
pub type Leavings = Box<dyn Iterator<Item = Leaving> + Send>;

/// One thing that a program left.
#[derive(Debug)]
pub struct Leaving {
    /// Its path below the working directory, with `/` between the parts. No part is empty, `.` or
    /// `..`; beyond that the program chose the bytes.
    pub path: Vec<u8>,
    /// A plain file, or why it is none that can be had.
    pub file: Result<LeftFile, SkipReason>,
}

/// A plain file that a program left.
pub struct LeftFile {
    /// Its length, which need not be backed by as many bytes of memory or disk.
    pub bytes: u64,
    /// Whether its owner may execute it.
    pub executable: bool,
    /// The same number for every name of the same file; none when it has only one name.
    pub shared: Option<u64>,
    /// Its content.
    pub content: Box<dyn Read + Send>,
}

impl fmt::Debug for LeftFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LeftFile")
            .field("bytes", &self.bytes)
            .field("executable", &self.executable)
            .field("shared", &self.shared)
            .finish_non_exhaustive()
    }
}

/// Why what a program left cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum LeavingsError {
    /// The program has not been started, may still run, or is destroyed.
    #[error("failed to collect the program's files: it has not come to its end")]
    NotEnded,
    /// An operation failed that should not.
    #[error("failed to {attempt}")]
    Internal {
        /// What was tried, as a verb phrase.
        attempt: String,
        /// Why it failed.
        source: std::io::Error,
    },
}
