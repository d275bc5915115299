//! What a run really used.

use serde::{Deserialize, Serialize};

/// Measured by the kernel (or the Wasm runtime), never reported by the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Usage {
    /// From the program's start to its end, in microseconds.
    pub wall_time_us: u64,
    /// CPU time of the whole tree, in microseconds.
    pub cpu_time_us: u64,
    /// Peak memory of the whole tree and its files, in bytes.
    pub memory_peak_bytes: u64,
    /// Bytes the program wrote to standard output and standard error, kept or not.
    pub output_bytes: u64,
    /// Bytes in the program's private files when it ended.
    pub disk_bytes: u64,
    /// Most processes and threads at one time, as far as it was observed.
    pub processes_peak: u32,
    /// What it read and wrote; `None` where nobody counted.
    pub io: Option<IoUsage>,
}

/// Reads and writes of files, pipes and standard streams, failed ones included: system calls of the
/// whole tree as the kernel counts them, or calls of a Wasm program's host. What a program does to
/// memory that it has mapped is not among them, nor is anything over sockets.
///
/// Where a program was ended by force, this is what was seen of it last. The kernel drops what a
/// child did that nobody waits for because its parent ignores the signal of its end, so a program
/// can do more than this, but never less.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct IoUsage {
    /// Calls that read.
    pub reads: u64,
    /// Calls that write.
    pub writes: u64,
    /// Bytes that were read, from wherever.
    pub read_bytes: u64,
    /// Bytes that were written, however often over one another.
    pub written_bytes: u64,
}

impl IoUsage {
    /// More than a processor gets done in so much time: 20 calls and 100 KB in a microsecond. Where
    /// whoever counts may have been taken over, it is not believed beyond that.
    #[must_use]
    pub const fn possible_in(time_us: u64) -> Self {
        let (calls, bytes) = (time_us.saturating_mul(20), time_us.saturating_mul(100_000));
        Self {
            reads: calls,
            writes: calls,
            read_bytes: bytes,
            written_bytes: bytes,
        }
    }

    /// Reads and writes together.
    #[must_use]
    pub const fn operations(&self) -> u64 {
        self.reads.saturating_add(self.writes)
    }

    /// What was done beyond an earlier count.
    #[must_use]
    pub fn since(&self, before: &Self) -> Self {
        self.with(before, u64::saturating_sub)
    }

    /// Both together.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        self.with(other, u64::saturating_add)
    }

    /// The larger of each number.
    #[must_use]
    pub fn max(&self, other: &Self) -> Self {
        self.with(other, Ord::max)
    }

    /// The smaller of each number.
    #[must_use]
    pub fn min(&self, other: &Self) -> Self {
        self.with(other, Ord::min)
    }

    fn with(&self, other: &Self, combine: impl Fn(u64, u64) -> u64) -> Self {
        Self {
            reads: combine(self.reads, other.reads),
            writes: combine(self.writes, other.writes),
            read_bytes: combine(self.read_bytes, other.read_bytes),
            written_bytes: combine(self.written_bytes, other.written_bytes),
        }
    }
}
