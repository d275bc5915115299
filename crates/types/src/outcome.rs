//! What came out: exactly one outcome for each accepted message.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::calls::CallAudit;
use crate::{
    Adaptation, Analysis, Collection, Decision, Enforcement, Lesson, Level, LimitHit, MessageId,
    Profile, ProgramHash, Risk, TenantId, Trial, Usage,
};

/// The end of a message's way. Parts that were not reached are `None`.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The message this belongs to.
    pub id: MessageId,
    /// Who sent it.
    pub tenant: TenantId,
    /// Identity of the program.
    pub program: ProgramHash,
    /// The name the program came under.
    pub program_name: String,
    /// How it ended.
    pub status: Status,
    /// The program's exit code, when it exited by itself.
    pub exit_code: Option<i32>,
    /// The signal that ended the program, when one did.
    pub signal: Option<i32>,
    /// The limit that ended the program, when one did.
    pub limit: Option<LimitHit>,
    /// Why, in plain words, for every status but a plain exit.
    pub reason: Option<String>,
    /// Which message of its sandbox this was: 1 for the first. `None` when it had none.
    pub sandbox_message: Option<u32>,
    /// Standard output, up to the output limit. Empty when it was streamed and not kept.
    pub stdout: Vec<u8>,
    /// Standard error, likewise.
    pub stderr: Vec<u8>,
    /// Whether output was cut at the output limit.
    pub truncated: bool,
    /// What became of the files the program left, when they were asked for and it had run.
    pub collection: Option<Collection>,
    /// What analysis found.
    pub analysis: Option<Analysis>,
    /// What risk assessment found.
    pub risk: Option<Risk>,
    /// What was predicted.
    pub profile: Option<Profile>,
    /// What was decided.
    pub decision: Option<Decision>,
    /// What was enforced.
    pub enforcement: Option<Enforcement>,
    /// What the program called, when the decision wants that taken down and it had run.
    pub calls: Option<CallAudit>,
    /// How its environment was fitted to it, when it had run.
    pub adaptation: Option<Adaptation>,
    /// What was used.
    pub usage: Usage,
    /// What short runs on part of the input told; `None` when there were none.
    pub trial: Option<Trial>,
    /// How long each stage of the way took.
    pub timings_us: Timings,
}

/// How a message ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// The program ended by itself, with an exit code.
    Exited,
    /// The program died of a signal that was not Atoll's.
    Signalled,
    /// Atoll ended the program at a limit.
    Limit,
    /// The program was not run, because policy forbids it or this host cannot enforce the decision.
    Refused,
    /// Atoll itself, or the way to the program, failed.
    Failed,
}

impl Status {
    /// The name used in JSON and the store.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Exited => "exited",
            Self::Signalled => "signalled",
            Self::Limit => "limit",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }
}

/// Microseconds for each stage, and `total`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Timings {
    /// Stage name to microseconds: `analyze`, `risk`, `predict`, `decide`, `trial`, `take`, `run`,
    /// `collect`, `destroy`, `record`.
    #[serde(flatten)]
    pub stages: BTreeMap<String, u64>,
    /// The whole way.
    pub total: u64,
}

/// What the store remembers of an earlier run of a program; newest first where there are several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastRun {
    /// What it used.
    pub usage: Usage,
    /// How it ended. One that was refused was no run, and one that failed after it had begun needed
    /// at least what it had used.
    pub status: Status,
    /// The limit that ended it, when one did: the true need is then at least that.
    pub limit: Option<LimitHit>,
    /// When it ended, in milliseconds since the Unix epoch.
    pub unix_ms: u64,
    /// The boundary that it ran behind, where that was written down: elsewhere it needs something
    /// else.
    pub level: Option<Level>,
    /// How much it was given, where that was written down; see [`Lesson::input`].
    pub input: Option<u64>,
}

/// How the bounds that were predicted for an earlier run of a tenant fared, of whichever program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PastBounds {
    /// The boundary that it ran behind.
    pub level: Option<Level>,
    /// What was predicted.
    pub lesson: Lesson,
    /// Peak memory that it used, in bytes.
    pub memory_bytes: u64,
    /// CPU time that it used, in microseconds.
    pub cpu_us: u64,
    /// Whether it was cut short, so that it would have needed at least that.
    pub at_least: bool,
}

/// What is remembered for a prediction; newest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Past {
    /// Of the program.
    pub runs: Vec<PastRun>,
    /// Of the tenant.
    pub bounds: Vec<PastBounds>,
}
