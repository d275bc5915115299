//! What a worker tells.

use std::collections::BTreeMap;

use atoll_types::calls::{Call, CallCounts, CallRecord};
use atoll_types::{IoUsage, LimitName};
use serde::{Deserialize, Serialize};

use super::tidy;

/// The most calls that one [`Notice::Called`] tells of.
pub const CALLS_TOLD_MAX: usize = 128;

/// What a worker tells its supervisor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Notice {
    /// The worker has closed itself in; nothing of any guest has been read yet.
    Confined {
        /// System calls that are left to the worker; 0 when only the jail's own filter holds.
        system_calls: u32,
    },
    /// A program is ready to run.
    Loaded {
        /// Which one.
        program: u64,
    },
    /// A program cannot run.
    Unusable {
        /// Which one.
        program: u64,
        /// A sentence for the user.
        reason: String,
    },
    /// So many instances of an interpreter wait now, as many as were wanted or as fit.
    Waiting {
        /// Which one.
        program: u64,
        /// How many.
        instances: u32,
    },
    /// A guest wrote something.
    Output {
        /// Which one.
        message: u64,
        /// Where to.
        stream: OutputStream,
        /// What.
        #[serde(with = "serde_bytes")]
        bytes: Vec<u8>,
    },
    /// A guest waits for standard input.
    WantsInput {
        /// Which one.
        message: u64,
    },
    /// A guest waits for more memory than it may have.
    WantsMemory {
        /// Which one.
        message: u64,
        /// What it would have then, in bytes.
        bytes: u64,
    },
    /// What a guest that goes on has used so far.
    Progress {
        /// Which one.
        message: u64,
        /// How much.
        usage: GuestUsage,
    },
    /// Some of the first calls of a message whose calls are taken down, in their order. They come
    /// before its end, at most [`CALLS_TOLD_MAX`] at once.
    Called {
        /// Which one.
        message: u64,
        /// The calls.
        records: Vec<CallRecord>,
    },
    /// A message has come to its end.
    Ended {
        /// Which one.
        message: u64,
        /// How.
        end: GuestEnd,
        /// What it used.
        usage: GuestUsage,
        /// What it called how often, if its calls are taken down.
        calls: Option<BTreeMap<Call, CallCounts>>,
    },
    /// One of the files that were asked for; its bytes follow in pieces.
    Left {
        /// Whose.
        message: u64,
        /// Below the working directory, with `/` between names.
        #[serde(with = "serde_bytes")]
        path: Vec<u8>,
        /// Its length; `None` for a symbolic link.
        bytes: Option<u64>,
    },
    /// A piece of the file that was named last.
    LeftBytes {
        /// Whose.
        message: u64,
        /// The piece.
        #[serde(with = "serde_bytes")]
        bytes: Vec<u8>,
    },
    /// No more files follow.
    Collected {
        /// Whose.
        message: u64,
    },
    /// The worker itself failed and ends.
    Failed {
        /// What failed.
        reason: String,
    },
}

impl Notice {
    /// The same, with its texts cut and cleaned: names in them are the guests' own.
    #[must_use]
    pub fn tidied(self) -> Self {
        match self {
            Self::Unusable { program, reason } => Self::Unusable {
                program,
                reason: tidy(&reason),
            },
            Self::Ended {
                message,
                end,
                usage,
                calls,
            } => Self::Ended {
                message,
                end: end.tidied(),
                usage,
                calls,
            },
            Self::Failed { reason } => Self::Failed {
                reason: tidy(&reason),
            },
            other => other,
        }
    }
}

/// One of a guest's output streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum OutputStream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// How a guest ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum GuestEnd {
    /// By itself.
    Exited {
        /// Its exit code.
        code: i32,
        /// The limit it ran into before it gave up with a code other than 0.
        limit: Option<LimitName>,
    },
    /// The runtime stopped it.
    Trapped {
        /// Names the trap.
        text: String,
        /// The limit behind it, when there is one.
        limit: Option<LimitName>,
    },
    /// A rule for calls ended it.
    Violated {
        /// A sentence that says for which call.
        text: String,
    },
    /// The supervisor stopped it.
    Stopped,
    /// It could not be started.
    Refused {
        /// A sentence for the user.
        reason: String,
    },
}

impl GuestEnd {
    fn tidied(self) -> Self {
        match self {
            Self::Trapped { text, limit } => Self::Trapped {
                text: tidy(&text),
                limit,
            },
            Self::Violated { text } => Self::Violated { text: tidy(&text) },
            Self::Refused { reason } => Self::Refused {
                reason: tidy(&reason),
            },
            Self::Exited { .. } | Self::Stopped => self,
        }
    }
}

/// What a guest has used, as the runtime counts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct GuestUsage {
    /// From its start, in microseconds.
    pub wall_time_us: u64,
    /// CPU time, in microseconds.
    pub cpu_time_us: u64,
    /// Most bytes of memories, tables and files at one time.
    pub memory_peak_bytes: u64,
    /// Bytes in its files.
    pub disk_bytes: u64,
    /// What it read and wrote by calls of its host.
    pub io: IoUsage,
}
