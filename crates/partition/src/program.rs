//! What a partition is decided from: the parts, what is known about them, and the rules.

use serde::{Deserialize, Serialize};

use crate::interface::Shape;
use crate::outcome::PartitionError;

/// Parts of one program.
pub const PARTS_MAX: usize = 64;

/// A program made of several components.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Program {
    /// The parts; the first is the application, which is what runs.
    pub parts: Vec<Part>,
    /// What the host provides: names of interfaces, or what they begin with when it ends in `:` or
    /// `/`, such as `wasi:`.
    pub host: Vec<String>,
    /// Who provides an import, where several parts could.
    pub choices: Vec<Choice>,
    /// What the user demands.
    pub overrides: Vec<Override>,
    /// Calls of earlier runs. They count more than any prediction.
    pub history: Vec<Measured>,
    /// Time that one run is expected to take without crossings, in microseconds. 0 counts as 1.
    pub run_time_us: u64,
}

/// One component of a program.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// What the user calls it; no two parts have the same name.
    pub name: String,
    /// What it imports and exports; see [`crate::read`].
    pub shape: Shape,
    /// Who it comes from and what speaks against it.
    pub trust: Trust,
    /// Whether most of it is compiled from a language that does not protect its own memory, so
    /// that it ends in a trap more often than others.
    pub native_heavy: bool,
}

/// How far a part is trusted.
#[derive(Debug, Clone, PartialEq)]
pub struct Trust {
    /// Who answers for the part: a tenant, a publisher, a registry.
    pub source: String,
    /// From 0 (nothing speaks against it) to 1 (expect an attack).
    pub risk: f64,
}

/// Names the part that provides an import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// The part that imports.
    pub importer: String,
    /// What it imports, as it names it.
    pub interface: String,
    /// The part that provides it.
    pub provider: String,
}

/// What a user demands, whatever risk and cost say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Override {
    /// Two parts share a store.
    Together(String, String),
    /// A part shares its store with no other.
    OwnStore(String),
    /// A part shares its process with no other.
    OwnProcess(String),
}

/// Calls that were counted in earlier runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// The part that calls.
    pub caller: String,
    /// What it calls, as it names it.
    pub interface: String,
    /// Calls for one run.
    pub calls_per_run: f64,
}

/// How the decision is made.
#[derive(Debug, Clone, PartialEq)]
pub struct Rules {
    /// What a call costs.
    pub costs: Costs,
    /// A part with more risk than this shares its process with no part of another trust, whatever
    /// that costs. In [0, 1].
    pub risk_alone: f64,
    /// The share of a run that a native-heavy part may cost to have a store of its own.
    pub native_share_max: f64,
    /// What happens when an interface that cannot cross ties different trust together.
    pub uncrossable: Uncrossable,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            costs: Costs::default(),
            risk_alone: 0.5,
            native_share_max: 0.05,
            uncrossable: Uncrossable::Link,
        }
    }
}

/// What happens when an interface that cannot cross ties different trust together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Uncrossable {
    /// Both sides share a store, and the partition says so.
    Link,
    /// The program is refused.
    Refuse,
}

/// What one call costs, in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Costs {
    /// Between parts of one store.
    pub linked_ns: f64,
    /// Between stores of one process.
    pub other_store_ns: f64,
    /// Between processes.
    pub other_process_ns: f64,
}

impl Default for Costs {
    /// Measured with two numbers as arguments; `docs/partitioning.md` says how.
    fn default() -> Self {
        Self {
            linked_ns: 10.0,
            other_store_ns: 1_000.0,
            other_process_ns: 20_000.0,
        }
    }
}

/// Whether two parts have the same trust: they come from the same source, and nothing in
/// particular speaks against either.
pub(crate) fn same_trust(rules: &Rules, one: &Trust, other: &Trust) -> bool {
    one.source == other.source && one.risk.max(other.risk) <= rules.risk_alone
}

/// What is wrong with a number that should be in a range.
fn is_in(value: f64, max: f64) -> bool {
    (0.0..=max).contains(&value)
}

impl Program {
    /// Checks what can be said about each input alone.
    pub(crate) fn check(&self, rules: &Rules) -> Result<(), PartitionError> {
        let invalid = |text: String| Err(PartitionError::Invalid(text));
        if self.parts.is_empty() || self.parts.len() > PARTS_MAX {
            let count = self.parts.len();
            return invalid(format!(
                "a program has 1 to {PARTS_MAX} parts, and this one has {count}"
            ));
        }
        for (index, part) in self.parts.iter().enumerate() {
            let name = &part.name;
            let mut before = self.parts.iter().take(index);
            if before.any(|other| other.name == *name) {
                return invalid(format!("two parts are called `{name}`; rename one"));
            }
            if !is_in(part.trust.risk, 1.0) {
                return invalid(format!("the risk of `{name}` is not between 0 and 1"));
            }
            let mut predicted = part.shape.imports.iter().filter_map(|i| i.calls_predicted);
            if predicted.any(|calls| !is_in(calls, f64::MAX)) {
                return invalid(format!(
                    "predicted calls of `{name}` are not a number of calls"
                ));
            }
        }
        let calls = self.history.iter().map(|measured| measured.calls_per_run);
        if calls.into_iter().any(|calls| !is_in(calls, f64::MAX)) {
            return invalid("measured calls are not a number of calls".to_owned());
        }
        let costs = rules.costs;
        let rising = [
            0.0,
            costs.linked_ns,
            costs.other_store_ns,
            costs.other_process_ns,
            f64::MAX,
        ];
        if !rising.is_sorted() {
            return invalid(
                "costs must not be negative, and a store must not cost more than a process"
                    .to_owned(),
            );
        }
        if !is_in(rules.risk_alone, 1.0) || !is_in(rules.native_share_max, 1.0) {
            return invalid("the thresholds of the rules are not between 0 and 1".to_owned());
        }
        Ok(())
    }

    /// The number of the part with this name.
    pub(crate) fn part(&self, name: &str) -> Result<usize, PartitionError> {
        let found = self.parts.iter().position(|part| part.name == name);
        found.ok_or_else(|| PartitionError::UnknownPart {
            name: name.to_owned(),
            known: self.parts.iter().map(|part| part.name.clone()).collect(),
        })
    }

    /// The name of a part by its number.
    pub(crate) fn name(&self, part: usize) -> &str {
        self.parts.get(part).map_or("", |part| part.name.as_str())
    }

    /// The trust of a part by its number.
    pub(crate) fn trust(&self, part: usize) -> Option<&Trust> {
        self.parts.get(part).map(|part| &part.trust)
    }

    /// Whether the host provides an interface.
    pub(crate) fn is_host(&self, interface: &str) -> bool {
        self.host.iter().any(|provided| {
            let is_prefix = provided.ends_with([':', '/']);
            interface == provided || (is_prefix && interface.starts_with(provided.as_str()))
        })
    }
}
