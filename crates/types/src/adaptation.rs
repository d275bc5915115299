//! How a program's environment was fitted to it: before it started, and while it ran.

use serde::{Deserialize, Serialize};

/// What was set aside for a program, what was changed, and what it did that was not foreseen.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Adaptation {
    /// Memory of the node that was set aside before the program started, in bytes.
    pub reserved_bytes: u64,
    /// The most that was set aside at any time, in bytes.
    pub reserved_peak_bytes: u64,
    /// What was set aside over the time that the program ran, on average, in bytes; where it was
    /// seen to use more than that, what it used.
    pub reserved_mean_bytes: u64,
    /// What the program used over the same time, on average, in bytes.
    pub used_mean_bytes: u64,
    /// How long the message waited until the node had as much to set aside, in microseconds.
    pub waited_us: u64,
    /// How long the program was held back because the node had no more, in microseconds.
    pub held_back_us: u64,
    /// What was changed while it ran, in order; the first 64.
    pub adjustments: Vec<Adjustment>,
    /// How many more there were.
    pub adjustments_more: u64,
    /// What was not foreseen; each kind once.
    pub deviations: Vec<Deviation>,
}

/// One change while a program ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Adjustment {
    /// When, in microseconds since the program's start.
    pub at_us: u64,
    /// What was changed.
    pub what: Adjusted,
    /// Its value before: bytes, percent of a core, or a count.
    pub from: u64,
    /// Its value from then on.
    pub to: u64,
}

/// What can be changed while a program runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Adjusted {
    /// Memory of the node that is set aside for it.
    ReservedMemory,
    /// Its share of the processors.
    CpuShare,
    /// How many processes and threads it may have.
    Processes,
}

impl Adjusted {
    /// The name used in JSON and in output.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ReservedMemory => "reserved-memory",
            Self::CpuShare => "cpu-share",
            Self::Processes => "processes",
        }
    }
}

/// A difference between what a program was expected to do and what it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deviation {
    /// When it was seen, in microseconds since the program's start.
    pub at_us: u64,
    /// What differs.
    pub kind: DeviationKind,
    /// The most that was expected: microseconds, bytes, or a count.
    pub predicted: u64,
    /// What was seen.
    pub observed: u64,
    /// What was done about it.
    pub action: DeviationAction,
}

/// What can differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeviationKind {
    /// It computes for longer than any such program.
    CpuTime,
    /// It needs more memory than any such program.
    Memory,
    /// It writes more than any such program.
    Output,
    /// It reads and writes more often than any such program.
    Io,
    /// It starts processes or threads, although nothing in it does so.
    Processes,
}

impl DeviationKind {
    /// The name used in JSON and in output.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::CpuTime => "cpu-time",
            Self::Memory => "memory",
            Self::Output => "output",
            Self::Io => "io",
            Self::Processes => "processes",
        }
    }

    /// Whether it says something about what the program may be up to, and not only of its size.
    #[must_use]
    pub const fn concerns_security(self) -> bool {
        match self {
            Self::Processes => true,
            Self::CpuTime | Self::Memory | Self::Output | Self::Io => false,
        }
    }
}

/// What is done about a deviation. Nothing is ever loosened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeviationAction {
    /// It was written down.
    Noted,
    /// It may do no more of it.
    Tightened,
}

/// Something that happens while a program runs, told as it happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "event")]
pub enum RunEvent {
    /// Its environment is changed.
    Adjustment(Adjustment),
    /// It does what was not foreseen.
    Deviation(Deviation),
}
