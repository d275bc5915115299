//! How much the sender of a message is trusted, and why.

use serde::{Deserialize, Serialize};

use crate::{LimitName, ProgramHash};

/// A judgement of who sent a message and what they did before.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Risk {
    /// From 0 (nothing speaks against it) to 1 (expect an attack).
    pub score: f64,
    /// What the score is made of. Parts combine as `1 - product(1 - value)`.
    pub parts: Vec<RiskPart>,
}

/// One part of [`Risk`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RiskPart {
    /// Which part: `origin`, `history of the tenant`, `history of the program`, `novelty`,
    /// `bursts`, `analysis`.
    pub name: String,
    /// Its value in [0, 1].
    pub value: f64,
    /// What it was judged from, in plain words.
    pub because: String,
}

/// How well a tenant is known. Ordered from least to most trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trust {
    /// Nobody vouched for it.
    Unknown,
    /// Named in the policy, or has finished messages without incident before.
    Known,
    /// Vouched for by the operator in the policy.
    Trusted,
}

impl Trust {
    /// The name used in JSON, policy files and output.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Known => "known",
            Self::Trusted => "trusted",
        }
    }
}

/// What the store remembers about a sender, as far as risk needs it. Newest first, bounded by the
/// store; times are milliseconds since the Unix epoch.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct SenderHistory {
    /// Messages of this tenant that reached an outcome, ever.
    pub messages: u64,
    /// Messages of this tenant with this very program, ever.
    pub program_messages: u64,
    /// Messages of any tenant with this very program, ever.
    pub program_messages_anyone: u64,
    /// Incidents of this tenant, and of this program under any tenant.
    pub events: Vec<Event>,
    /// Arrival times of this tenant's latest messages, newest first.
    pub arrivals_unix_ms: Vec<u64>,
}

/// Something that speaks against a sender or a program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// What happened.
    pub kind: EventKind,
    /// When.
    pub unix_ms: u64,
    /// Which program did it.
    pub program: ProgramHash,
    /// Whether the tenant being judged sent it.
    pub by_tenant: bool,
}

/// The kinds of incident that history keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EventKind {
    /// The program tried something its sandbox forbids and was caught (a forbidden system call,
    /// a trap set for it).
    Violation,
    /// Atoll ended the program at a limit.
    Limit(LimitName),
    /// The program died of a signal that was not Atoll's.
    Crash,
    /// The program behaved far outside its profile.
    Deviation,
}
