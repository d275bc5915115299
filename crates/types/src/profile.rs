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
    /// Operations and bytes.
    pub io_intensity: IoIntensity,
    /// What the program may do, and combinations that deserve attention.
    pub security_flags: Vec<SecurityFlag>,
    /// What the program needs to be there.
    pub dependencies: BTreeSet<Dependency>,
    /// What is written down of this prediction, for later ones.
    #[serde(skip)]
    pub lesson: Lesson,
}

/// How much a program reads and writes, by quantity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct IoIntensity {
    /// Calls that read or write files, pipes and standard streams: [`IoUsage::operations`].
    ///
    /// [`IoUsage::operations`]: crate::IoUsage::operations
    pub operations: ResourceEstimate,
    /// Bytes that such calls read.
    pub read_bytes: ResourceEstimate,
    /// Bytes of standard output, standard error and the files that are there in the end: what the
    /// limits on output and disk are about.
    pub written_bytes: ResourceEstimate,
    /// What goes over the network.
    pub network: NetworkIntensity,
}

impl IoIntensity {
    /// Of a program that has no network.
    #[must_use]
    pub fn without_network(
        operations: ResourceEstimate,
        read_bytes: ResourceEstimate,
        written_bytes: ResourceEstimate,
    ) -> Self {
        Self {
            operations,
            read_bytes,
            written_bytes,
            network: NetworkIntensity::none_granted(),
        }
    }
}

/// What is expected over the network. It is no estimate: what is not granted cannot happen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworkIntensity {
    /// Calls that send or receive.
    pub operations: u64,
    /// Bytes in both directions.
    pub bytes: u64,
    /// Why it is known.
    pub because: String,
}

impl NetworkIntensity {
    /// No level grants any network.
    #[must_use]
    pub fn none_granted() -> Self {
        Self {
            operations: 0,
            bytes: 0,
            because: "no network is granted".to_owned(),
        }
    }
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
