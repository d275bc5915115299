//! Short runs of a program on less input, before it runs on all of it.

use serde::{Deserialize, Serialize};

/// What short runs told of a program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trial {
    /// How much input the program itself will get, in bytes.
    pub input_bytes: u64,
    /// Whether the inputs were pieces of a sample that came with the message, not of its own input.
    pub from_sample: bool,
    /// The runs, in order; each on more input than the one before.
    pub runs: Vec<TrialRun>,
    /// Why there are no more.
    pub ended: TrialEnd,
    /// Whether the profile was changed by what was seen.
    pub told: bool,
}

/// One short run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrialRun {
    /// How large its input was: bytes, or what the caller called its size.
    pub size: u64,
    /// From its start to its end, in microseconds.
    pub wall_time_us: u64,
    /// CPU time of the whole tree, in microseconds.
    pub cpu_time_us: u64,
    /// Peak memory of the whole tree, in bytes.
    pub memory_peak_bytes: u64,
    /// Bytes it wrote: output and files.
    pub written_bytes: u64,
    /// What it read and wrote by calls, where somebody counted.
    #[serde(default)]
    pub io: Option<crate::IoUsage>,
}

/// Why no more short runs were made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TrialEnd {
    /// What grows with the input stood clear of what wavers.
    Clear,
    /// The time for trials was over.
    Budget,
    /// The next one would have been about the run itself.
    Whole,
    /// The program did not come to a good end on part of its input.
    Failed,
}

impl TrialEnd {
    /// The name used in JSON and in output.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Clear => "clear",
            Self::Budget => "budget",
            Self::Whole => "whole",
            Self::Failed => "failed",
        }
    }
}
