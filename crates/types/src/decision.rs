//! How strongly a message is isolated, and why.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::calls::CallRules;
use crate::{InvalidId, Layer, Limits, Split};

/// What policy decided for one message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// The boundary around the program.
    pub level: Level,
    /// Who else may use the same boundary.
    pub sharing: Sharing,
    /// Messages one sandbox may serve before it is destroyed; 1 when `sharing` is
    /// [`Sharing::Message`].
    pub messages_max: u32,
    /// What the program may use at most.
    pub limits: Limits,
    /// Which system calls the program may make at the level `process`.
    #[serde(default = "before_there_was_a_choice")]
    pub system_calls: SystemCalls,
    /// What of a network the program is granted; empty means no network at all.
    pub network: Vec<NetworkGrant>,
    /// What becomes of the calls that the program makes of its host.
    #[serde(default)]
    pub calls: CallRules,
    /// Layers that the message may run without, where the host cannot enforce them; only such as
    /// are in [`Layer::DISPENSABLE`]. Without any other layer of the level it is refused.
    #[serde(default)]
    pub accept_missing: BTreeSet<Layer>,
    /// How long short runs on part of the input may take before the program runs, in milliseconds;
    /// 0 when there are none.
    #[serde(default)]
    pub trial_ms: u64,
    /// How a program made of several components is split; `None` for all others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub split: Option<Split>,
    /// The id of the policy rule that matched.
    pub rule: String,
    /// Why, in the order in which the reasons took effect.
    pub reasons: Vec<Reason>,
}

/// What a decision that was recorded without the field had decided.
const fn before_there_was_a_choice() -> SystemCalls {
    SystemCalls::Processes
}

/// One reason of a decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// What the reason changed: `rule`, `program`, `floor`, `request`, `limit`, `missing`,
    /// `parts`, `sandbox`, `calls`, `trial`.
    pub from: String,
    /// The reason in plain words.
    pub text: String,
}

/// A boundary. Ordered from weakest to strongest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// A Wasm instance inside a worker process that is itself jailed.
    Instance,
    /// A Linux process in its own jail.
    Process,
    /// A user-space kernel (gVisor), or another OCI runtime of declared strength.
    Gvisor,
    /// A virtual machine with its own kernel.
    Vm,
}

impl Level {
    /// Every level, weakest first.
    pub const ALL: [Self; 4] = [Self::Instance, Self::Process, Self::Gvisor, Self::Vm];

    /// The name used in JSON, policy files and the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Instance => "instance",
            Self::Process => "process",
            Self::Gvisor => "gvisor",
            Self::Vm => "vm",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Level {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|level| level.name() == text)
            .ok_or(InvalidId {
                what: "level",
                rule: "one of instance, process, gvisor, vm",
            })
    }
}

/// Who may use the same boundary. Ordered from most shared to least.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sharing {
    /// Messages of several tenants of the same trust class.
    Shared,
    /// Messages of one tenant.
    Tenant,
    /// One message, then the sandbox is destroyed.
    Message,
}

impl Sharing {
    /// The name used in JSON and policy files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Shared => "shared",
            Self::Tenant => "tenant",
            Self::Message => "message",
        }
    }
}

/// Which system calls a program of the level `process` may make. Ordered from most to least.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SystemCalls {
    /// Also those for threads, child processes and sockets inside the sandbox.
    Processes,
    /// Those of one process with one thread that computes and works on files.
    Strict,
}

impl SystemCalls {
    /// Every choice, the widest first.
    pub const ALL: [Self; 2] = [Self::Processes, Self::Strict];

    /// The name used in JSON and policy files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Processes => "processes",
            Self::Strict => "strict",
        }
    }
}

/// One thing of a network that a decision grants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworkGrant {
    /// A host name or address.
    pub host: String,
    /// A TCP port.
    pub port: u16,
}
