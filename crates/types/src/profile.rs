//! What a program is expected to need and do: the behaviour profile.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{Capability, Dependency};

/// The behaviour profile of one message: five parts, each with where it came from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    /// CPU time, in microseconds.
    pub cpu_demand: ResourceEstimate,
    /// Peak memory of the whole sandbox, in bytes.
    pub memory_footprint: ResourceEstimate,
    /// Bytes written to standard output, standard error and files.
    pub io_intensity: ResourceEstimate,
    /// What the program may do, and combinations that deserve attention.
    pub security_flags: Vec<SecurityFlag>,
    /// What the program needs to be there.
    pub dependencies: BTreeSet<Dependency>,
    /// What is written down of this prediction, for later ones.
    #[serde(skip)]
    pub lesson: Lesson,
}

/// What later predictions learn from how this one fares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Lesson {
    /// How much the message brings: the largest number among its arguments, or the bytes of its
    /// input and files where there are more of them.
    pub input: u64,
    /// The bound of memory, in bytes, where models told it.
    pub memory: Option<Told>,
    /// The bound of CPU time, in microseconds, likewise.
    pub cpu: Option<Told>,
}

/// A bound that nine runs in ten should stay below.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    /// As models say for everybody.
    pub plain: u64,
    /// As it was given, corrected by how earlier ones of the same tenant fared.
    pub given: u64,
}

/// Quantiles of one quantity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ResourceEstimate {
    /// The estimate itself.
    pub quantiles: Quantiles,
    /// How far to trust it.
    pub confidence: Confidence,
    /// Where it came from.
    pub source: ProfileSource,
}

/// Three quantiles; `p50 <= p90 <= p99`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quantiles {
    /// Half of all runs stay below.
    pub p50: u64,
    /// Nine runs in ten stay below.
    pub p90: u64,
    /// 99 runs in 100 stay below.
    pub p99: u64,
}

/// How far an estimate is to be trusted. Ordered from least to most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Confidence {
    /// A default for the class; the program could not be read in full.
    Low,
    /// Judged from what the program contains, or from a few runs.
    Medium,
    /// At least 20 runs of this very program.
    High,
}

/// Where an estimate came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "from")]
pub enum ProfileSource {
    /// Earlier runs of the same program.
    History {
        /// How many runs were used.
        runs: u64,
    },
    /// Short runs of the same program on less input.
    Trial {
        /// How many runs were used.
        runs: u64,
    },
    /// Models learned from runs of other programs.
    Model,
    /// A table by kind and imports.
    Table {
        /// The rows that were added up, such as `python` and `numpy`.
        rows: Vec<String>,
    },
}

/// A capability, or a combination of capabilities, that deserves attention.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecurityFlag {
    /// A stable name, such as `network-and-files-read`.
    pub name: String,
    /// The capabilities behind it.
    pub capabilities: BTreeSet<Capability>,
    /// Why it matters, in plain words.
    pub because: String,
}
