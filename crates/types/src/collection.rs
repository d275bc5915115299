//! The files a program leaves behind: which were collected, and which were not, and why.

use serde::{Deserialize, Serialize};

/// What became of the files in a program's working directory. Names are paths relative to that
/// directory, with `/` between their parts; the parts may hold any other bytes but NUL.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Collection {
    /// Files that were copied in full, in the order of their names within each directory.
    pub files: Vec<CollectedFile>,
    /// What was left out.
    pub skipped: Vec<SkippedFile>,
    /// How many more were left out than `skipped` names, because the names of all would be too
    /// much.
    pub skipped_unnamed: u64,
}

impl Collection {
    /// How many were left out.
    #[must_use]
    pub fn skipped_count(&self) -> u64 {
        self.skipped_unnamed
            .saturating_add(self.skipped.len() as u64)
    }
}

/// A file that was copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CollectedFile {
    /// Its path.
    pub name: Vec<u8>,
    /// Its length.
    pub bytes: u64,
}

/// Something that was not copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkippedFile {
    /// Its path.
    pub name: Vec<u8>,
    /// Why.
    pub reason: SkipReason,
}

/// Why something that a program left was not collected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SkipReason {
    /// It is a symbolic link; what it names was not looked at.
    SymbolicLink,
    /// It is another name of a file that was collected under its first one.
    HardLink,
    /// It is a named pipe.
    Pipe,
    /// It is a socket.
    Socket,
    /// It is a device, or something unknown.
    Device,
    /// It lies deeper, or has a longer path, than is followed.
    TooDeep,
    /// Its length is more than what is left of the limit on disk bytes.
    TooLarge,
    /// As many files as the limit allows were collected before it.
    TooMany,
    /// The time for collecting was over, or the caller wanted to leave.
    NoTime,
    /// The output directory holds something under this name already.
    Exists,
    /// It could not be read.
    NotRead,
    /// It could not be written to the output directory.
    NotWritten,
}

impl SkipReason {
    /// The name used in JSON and output.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SymbolicLink => "symbolic-link",
            Self::HardLink => "hard-link",
            Self::Pipe => "pipe",
            Self::Socket => "socket",
            Self::Device => "device",
            Self::TooDeep => "too-deep",
            Self::TooLarge => "too-large",
            Self::TooMany => "too-many",
            Self::NoTime => "no-time",
            Self::Exists => "exists",
            Self::NotRead => "not-read",
            Self::NotWritten => "not-written",
        }
    }
}
