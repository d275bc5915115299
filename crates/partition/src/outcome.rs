//! The answer: how the program is split, what calls cost, and why.

use atoll_types::{Crossing, Group, Means, Split};
use serde::{Deserialize, Serialize};

use crate::connect::{ConnectError, Connected, Edge, bits};
use crate::explain;
use crate::group::{Grouped, run_ns};
use crate::interface::Obstacle;
use crate::place::{Placed, risk_of, store_of};
use crate::program::{Program, Rules};

/// How a program is split, and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Partition {
    /// Which part goes where, and how they call each other.
    pub split: Split,
    /// Every import that the host provides.
    pub host_imports: Vec<HostImport>,
    /// What had to stay together, and why.
    pub kept_together: Vec<Tie>,
    /// Why it is split like this, in sentences.
    pub reasons: Vec<String>,
}

/// An import that the host provides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostImport {
    /// The part that imports.
    pub part: String,
    /// What it imports.
    pub interface: String,
}

/// Two parts that must share a store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tie {
    /// One of them: the caller, where there is one.
    pub one: String,
    /// The other.
    pub other: String,
    /// Why.
    pub cause: TieCause,
}

/// What ties two parts together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum TieCause {
    /// An interface between them cannot cross.
    Interface {
        /// The interface.
        interface: String,
        /// Why it cannot.
        obstacle: Obstacle,
    },
    /// The user wants it.
    Override,
    /// The other lies on a way of calls that leaves the store and comes back.
    Between,
}

impl Tie {
    /// The tie in a sentence.
    #[must_use]
    pub fn sentence(&self) -> String {
        let (one, other) = (&self.one, &self.other);
        match &self.cause {
            TieCause::Interface {
                interface,
                obstacle,
            } => format!(
                "`{one}` and `{other}` share a store because {interface} cannot be called across \
                 stores: {obstacle}"
            ),
            TieCause::Override => format!("`{one}` and `{other}` share a store as demanded"),
            TieCause::Between => format!(
                "`{other}` shares the store of `{one}` because it is called from it and calls \
                 back into it, and a store that waits for an answer cannot be entered again"
            ),
        }
    }
}

/// Why a program cannot be split.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum PartitionError {
    /// An input is out of range.
    #[error("{0}")]
    Invalid(String),
    /// A name belongs to no part.
    #[error("there is no part `{name}`; the parts are {}", .known.join(", "))]
    UnknownPart {
        /// The name.
        name: String,
        /// The parts that exist.
        known: Vec<String>,
    },
    /// The parts do not fit together.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// An override cannot be kept.
    #[error("`{part}` cannot be alone: {because}; drop one of the demands or change the interface")]
    CannotBeAlone {
        /// The part that was to be alone.
        part: String,
        /// What ties it to another.
        because: String,
    },
    /// Two parts of a store want different providers of one import, which a store has once.
    #[error(
        "`{one}` and `{other}` share a store and import {interface} from different parts; choose \
         the same for both, or give one of them a store of its own"
    )]
    SharedImport {
        /// One of the parts.
        one: String,
        /// The other.
        other: String,
        /// What both import.
        interface: String,
    },
    /// An interface that cannot cross ties different trust together.
    #[error(
        "parts of different trust would share a store, which the rules refuse: {because}; allow \
         it, or change the interface to plain values"
    )]
    Refused {
        /// What ties them together.
        because: String,
    },
}

/// Checks that a store has one provider of every interface that it imports from outside.
pub(crate) fn check_imports(
    program: &Program,
    connected: &Connected,
    grouped: &Grouped,
) -> Result<(), PartitionError> {
    let store = |part| store_of(grouped, part);
    let leaves = |edge: &&Edge| store(edge.caller) != store(edge.callee);
    let leaving: Vec<&Edge> = connected.edges.iter().filter(leaves).collect();
    for (number, edge) in leaving.iter().enumerate() {
        let mut before = leaving.iter().take(number);
        let other = before.find(|other| {
            store(other.caller) == store(edge.caller)
                && other.interface == edge.interface
                && other.callee != edge.callee
        });
        if let Some(other) = other {
            return Err(PartitionError::SharedImport {
                one: program.name(other.caller).to_owned(),
                other: program.name(edge.caller).to_owned(),
                interface: edge.interface.clone(),
            });
        }
    }
    Ok(())
}

/// Puts the answer together.
pub(crate) fn report(
    program: &Program,
    rules: &Rules,
    connected: Connected,
    grouped: &Grouped,
    placed: &Placed,
) -> Partition {
    let crossings: Vec<Crossing> = connected
        .edges
        .iter()
        .map(|edge| {
            let means = placed.means(grouped, edge);
            let call_ns = match means {
                Means::Linked => rules.costs.linked_ns,
                Means::OtherStore => rules.costs.other_store_ns,
                Means::OtherProcess => rules.costs.other_process_ns,
            };
            Crossing {
                caller: program.name(edge.caller).to_owned(),
                callee: program.name(edge.callee).to_owned(),
                interface: edge.interface.clone(),
                exported_as: edge.exported_as.clone(),
                means,
                calls_per_run: edge.calls_per_run,
                basis: edge.basis,
                cost_us_per_run: edge.calls_per_run * call_ns / 1_000.0,
            }
        })
        .collect();
    let cost_us_per_run: f64 = crossings.iter().map(|edge| edge.cost_us_per_run).sum();
    let run_us = run_ns(program) / 1_000.0;
    let groups = grouped.stores.iter();
    let groups = groups
        .map(|store| group(program, &connected, placed, grouped, *store))
        .collect();
    Partition {
        split: Split {
            groups,
            crossings,
            cost_us_per_run,
            share_of_run: (cost_us_per_run / (cost_us_per_run + run_us)).clamp(0.0, 1.0),
            entry: entry(program),
        },
        kept_together: grouped.ties.clone(),
        reasons: explain::reasons(program, rules, &connected, grouped, placed),
        host_imports: connected.host_imports,
    }
}

/// What a command exports, whatever its version (`wasi:cli`, world `command`).
const ENTRY: &str = "wasi:cli/run@";

fn entry(program: &Program) -> Option<String> {
    let application = program.parts.first()?;
    let exports = application.shape.exports.iter();
    let mut names = exports.map(|interface| &interface.name);
    names.find(|name| name.starts_with(ENTRY)).cloned()
}

fn group(
    program: &Program,
    connected: &Connected,
    placed: &Placed,
    grouped: &Grouped,
    store: u64,
) -> Group {
    let mut parts: Vec<usize> = bits(store).collect();
    // What is imported reaches less than what imports it.
    parts.sort_by_key(|part| {
        let reach = connected.reach.get(*part).copied().unwrap_or_default();
        (reach.count_ones(), *part)
    });
    let mut sources: Vec<String> = bits(store)
        .filter_map(|part| program.trust(part))
        .map(|trust| trust.source.clone())
        .collect();
    sources.sort();
    sources.dedup();
    let number = store_of(grouped, store.trailing_zeros() as usize);
    Group {
        parts: parts
            .iter()
            .map(|part| program.name(*part).to_owned())
            .collect(),
        process: placed.process.get(number).copied().unwrap_or(0),
        risk: risk_of(program, store),
        sources,
    }
}
