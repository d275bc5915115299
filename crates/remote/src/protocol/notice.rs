//! What an agent tells.

use atoll_frame::tidy;
use atoll_types::{LayerReport, LimitName, SkipReason, Usage};
use serde::{Deserialize, Serialize};

/// What an agent tells its host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Notice {
    /// The agent runs.
    Hello(Hello),
    /// What was asked for is ready for a snapshot.
    Prepared,
    /// The sandbox is built.
    Ready {
        /// What is enforced behind the boundary.
        layers: Vec<LayerReport>,
    },
    /// The sandbox cannot be built, or nothing be prepared.
    Refused(Refusal),
    /// The rehearsal is over.
    Rehearsed,
    /// The program runs.
    Started,
    /// The program cannot run.
    NotStarted(Refusal),
    /// The program has taken the input so far.
    WantsInput,
    /// The program reads no input any more.
    InputClosed,
    /// The program wrote something.
    Output {
        /// Where to.
        stream: OutputStream,
        /// What.
        #[serde(with = "serde_bytes")]
        bytes: Vec<u8>,
    },
    /// What has been used so far.
    Progress {
        /// How much.
        usage: Usage,
        /// A limit that was hit.
        limit: Option<LimitName>,
    },
    /// Limits could not be changed.
    LimitsRefused {
        /// Why.
        reason: String,
    },
    /// The program has ended, nothing of it runs, and all of its output has been told.
    Ended(Ended),
    /// One thing that the program left.
    Left {
        /// Below the working directory, with `/` between the parts.
        #[serde(with = "serde_bytes")]
        path: Vec<u8>,
        /// A plain file, whose bytes follow, or why it is none that can be had.
        file: Result<LeftFile, SkipReason>,
    },
    /// A piece of the file that was named last.
    LeftBytes(#[serde(with = "serde_bytes")] Vec<u8>),
    /// That was all.
    Collected,
    /// The agent itself failed and ends.
    Failed {
        /// What failed.
        reason: String,
    },
}

/// What an agent says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// Its [`VERSION`](super::VERSION).
    pub version: u32,
    /// The kernel behind the boundary: its name and its release.
    pub kernel: String,
    /// Memory of that kernel, in bytes.
    pub memory_bytes: u64,
    /// Its processors.
    pub processors: u32,
}

/// Why an agent does not do what it was told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Refusal {
    /// Layers that are missing.
    NotEnforceable(Vec<LayerReport>),
    /// What the environment lacks.
    Environment(String),
    /// What is wrong with the program.
    Program(String),
    /// The program and its files do not fit.
    Limit(LimitName),
    /// Something failed that should not.
    Internal {
        /// What was tried, as a verb phrase.
        attempt: String,
        /// Why it failed.
        reason: String,
    },
}

/// How a program ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// How.
    pub end: ProgramEnd,
    /// What it used.
    pub usage: Usage,
    /// The limit that it hit.
    pub limit: Option<LimitName>,
}

/// How the first process of a program ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ProgramEnd {
    /// With this exit code.
    Exited(i32),
    /// By this signal.
    Signalled(i32),
    /// For a call that it made; the text says which.
    Violated(String),
    /// What held it ended; the text says why.
    Lost(String),
}

/// A plain file that was left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftFile {
    /// Its length.
    pub bytes: u64,
    /// Whether its owner may execute it.
    pub executable: bool,
    /// The same number for every name of the same file.
    pub shared: Option<u64>,
    /// Whether its bytes follow. Those of a file with several names come once.
    pub follows: bool,
}

/// One of a program's output streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum OutputStream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

impl Notice {
    /// The same, with its texts cut and cleaned.
    #[must_use]
    pub fn tidied(self) -> Self {
        match self {
            Self::Hello(hello) => Self::Hello(Hello {
                kernel: tidy(&hello.kernel),
                ..hello
            }),
            Self::Ready { layers } => Self::Ready {
                layers: tidy_layers(layers),
            },
            Self::Refused(refusal) => Self::Refused(refusal.tidied()),
            Self::NotStarted(refusal) => Self::NotStarted(refusal.tidied()),
            Self::LimitsRefused { reason } => Self::LimitsRefused {
                reason: tidy(&reason),
            },
            Self::Ended(ended) => Self::Ended(Ended {
                end: ended.end.tidied(),
                ..ended
            }),
            Self::Failed { reason } => Self::Failed {
                reason: tidy(&reason),
            },
            other => other,
        }
    }
}

impl Refusal {
    fn tidied(self) -> Self {
        match self {
            Self::NotEnforceable(missing) => Self::NotEnforceable(tidy_layers(missing)),
            Self::Environment(text) => Self::Environment(tidy(&text)),
            Self::Program(text) => Self::Program(tidy(&text)),
            Self::Limit(limit) => Self::Limit(limit),
            Self::Internal { attempt, reason } => Self::Internal {
                attempt: tidy(&attempt),
                reason: tidy(&reason),
            },
        }
    }
}

impl ProgramEnd {
    fn tidied(self) -> Self {
        match self {
            Self::Violated(text) => Self::Violated(tidy(&text)),
            Self::Lost(text) => Self::Lost(tidy(&text)),
            Self::Exited(_) | Self::Signalled(_) => self,
        }
    }
}

fn tidy_layers(layers: Vec<LayerReport>) -> Vec<LayerReport> {
    let tidied = |report: LayerReport| LayerReport {
        detail: tidy(&report.detail),
        ..report
    };
    layers.into_iter().map(tidied).collect()
}
