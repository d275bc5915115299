//! How a program made of several components is split.

use serde::{Deserialize, Serialize};

/// Which part of a program goes where, and how the parts call each other.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Split {
    /// The stores; the first holds the application.
    pub groups: Vec<Group>,
    /// Every import that a part provides, and how it is called.
    pub crossings: Vec<Crossing>,
    /// What calls between parts are expected to cost in one run, in microseconds.
    pub cost_us_per_run: f64,
    /// The same as a share of the whole run, in [0, 1].
    pub share_of_run: f64,
    /// The interface by which the application is run; `None` when it is not a command.
    pub entry: Option<String>,
}

impl Split {
    /// The calls between parts of a store: what is joined when it is composed.
    pub fn inside(&self, group: &Group) -> impl Iterator<Item = &Crossing> {
        self.crossings
            .iter()
            .filter(|edge| group.has(&edge.caller) && group.has(&edge.callee))
    }

    /// The calls out of a store: what needs a proxy there. Two parts may leave by the same
    /// interface; it is the same part that they call then.
    pub fn leaving(&self, group: &Group) -> impl Iterator<Item = &Crossing> {
        self.crossings
            .iter()
            .filter(|edge| group.has(&edge.caller) && !group.has(&edge.callee))
    }

    /// What other stores call in a store: parts, and the interfaces as they export them, each
    /// once.
    #[must_use]
    pub fn entered(&self, group: &Group) -> Vec<(&str, &str)> {
        let calls = self.crossings.iter();
        let calls = calls.filter(|edge| !group.has(&edge.caller) && group.has(&edge.callee));
        let mut entered: Vec<_> = calls
            .map(|edge| (edge.callee.as_str(), edge.exported_as.as_str()))
            .collect();
        entered.sort_unstable();
        entered.dedup();
        entered
    }
}

impl Group {
    /// Whether a part is in it.
    #[must_use]
    pub fn has(&self, part: &str) -> bool {
        self.parts.iter().any(|name| name == part)
    }
}

/// Parts that share a store.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// Their names. A part comes after those that it imports.
    pub parts: Vec<String>,
    /// Which process the store is in, counted from 0; the application's is 0.
    pub process: usize,
    /// The worst risk of its parts.
    pub risk: f64,
    /// Who its parts come from.
    pub sources: Vec<String>,
}

/// An import of one part that another provides.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Crossing {
    /// The part that calls.
    pub caller: String,
    /// The part that is called.
    pub callee: String,
    /// The interface, as the caller names it.
    pub interface: String,
    /// The interface, as the callee names it: the same, or a later compatible version.
    pub exported_as: String,
    /// How it is called.
    pub means: Means,
    /// Calls expected in one run.
    pub calls_per_run: f64,
    /// Where that number comes from.
    pub basis: Basis,
    /// What they cost, in microseconds.
    pub cost_us_per_run: f64,
}

/// How one part calls another, from least isolated to most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Means {
    /// Directly: both are in one store and share a fate.
    Linked,
    /// Through a proxy into another store of the same process.
    OtherStore,
    /// Through a proxy into another process.
    OtherProcess,
}

impl Means {
    /// The name used in JSON and output.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Linked => "linked",
            Self::OtherStore => "other-store",
            Self::OtherProcess => "other-process",
        }
    }
}

/// Where a number of calls comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Basis {
    /// Counted in earlier runs.
    Measured,
    /// Read from the caller's code.
    Predicted,
    /// Nothing is known; one call is assumed for each run of the caller.
    Assumed,
}

impl Basis {
    /// The name used in JSON and output.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Measured => "measured",
            Self::Predicted => "predicted",
            Self::Assumed => "assumed",
        }
    }
}
