//! What is going on while something is provided, for whoever shows it.

/// A step of the work, told as it begins or moves on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Progress {
    /// Another process makes the same layer, and this one waits for it.
    Waiting,
    /// The tool looks for versions that fit each other.
    Resolving {
        /// How many requirements were given.
        requirements: usize,
    },
    /// The tool fetches packages. Told at most a few times each second.
    Downloading {
        /// Packages that are there, as far as the tool has said.
        done: usize,
        /// All packages of the lock.
        total: usize,
        /// Bytes that have come from the registry, as they travelled: encrypted and compressed.
        bytes: u64,
    },
    /// The tool has ended, and what it left is taken over into a layer.
    Installing {
        /// All packages of the lock.
        total: usize,
    },
    /// The content of a layer that is there is compared with what was written down of it.
    Verifying {
        /// Files to be read.
        files: u64,
    },
}

/// Is told of progress. Called from whichever thread works, and must not block it.
pub trait Observer: Send + Sync {
    /// A step has begun or moved on.
    fn progress(&self, progress: Progress);
}

/// Is told and does nothing.
impl Observer for () {
    fn progress(&self, _: Progress) {}
}

impl<F: Fn(Progress) + Send + Sync> Observer for F {
    fn progress(&self, progress: Progress) {
        self(progress);
    }
}
