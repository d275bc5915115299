//! Which stores share a process.
//!
//! Stores of the same trust do. Stores of different trust do only where a process would cost more
//! than its risk is worth: the share of the run that is paid for a process rises with the risk of
//! the parts on both sides, and has no bound from [`Rules::risk_alone`] on.

use atoll_types::Means;

use crate::connect::{Connected, Edge, bit, bits};
use crate::group::{Grouped, run_ns};
use crate::program::{Override, Program, Rules};

/// The stores of every process, as numbers into [`Grouped::stores`].
#[derive(Debug)]
pub(crate) struct Placed {
    /// For every store, the number of its process.
    pub(crate) process: Vec<usize>,
}

impl Placed {
    /// How an edge is called.
    pub(crate) fn means(&self, grouped: &Grouped, edge: &Edge) -> Means {
        let store = |part| store_of(grouped, part);
        let process = |part| self.process.get(store(part));
        if store(edge.caller) == store(edge.callee) {
            Means::Linked
        } else if process(edge.caller) == process(edge.callee) {
            Means::OtherStore
        } else {
            Means::OtherProcess
        }
    }
}

/// The number of the store that a part is in.
pub(crate) fn store_of(grouped: &Grouped, part: usize) -> usize {
    let mut stores = grouped.stores.iter();
    stores.position(|set| set & bit(part) != 0).unwrap_or(0)
}

pub(crate) fn place(
    program: &Program,
    rules: &Rules,
    connected: &Connected,
    grouped: &Grouped,
) -> Placed {
    let stores = grouped.stores.len();
    let mut process: Vec<usize> = (0..stores).collect();
    let mut join = |one: usize, other: usize| {
        let number = |part| process.get(store_of(grouped, part)).copied().unwrap_or(0);
        let (a, b) = (number(one), number(other));
        for number in &mut process {
            if *number == a.max(b) {
                *number = a.min(b);
            }
        }
    };
    let may_share = |part| may_share(program, rules, grouped, part);
    let parts = program.parts.len();
    for one in (0..parts).filter(|part| may_share(*part)) {
        let class = grouped.class.get(one).copied().flatten();
        let alike = (one..parts).filter(|part| may_share(*part));
        for other in alike {
            if class.is_some() && grouped.class.get(other).copied().flatten() == class {
                join(one, other);
            }
        }
    }
    for edge in &connected.edges {
        let both = may_share(edge.caller) && may_share(edge.callee);
        if both && costs_too_much(program, rules, grouped, edge) {
            join(edge.caller, edge.callee);
        }
    }
    // Processes are numbered by their first store.
    let mut numbers: Vec<usize> = process.clone();
    numbers.sort_unstable();
    numbers.dedup();
    let process = process
        .iter()
        .map(|number| {
            numbers
                .iter()
                .position(|known| known == number)
                .unwrap_or(0)
        })
        .collect();
    Placed { process }
}

/// The worst risk of a part and of what it is tied to. It rises with the risk of any part.
pub(crate) fn risk_of(program: &Program, set: u64) -> f64 {
    let risks = bits(set).filter_map(|part| program.trust(part));
    risks.map(|trust| trust.risk).fold(0.0, f64::max)
}

/// Whether a part may share its process with another store at all.
fn may_share(program: &Program, rules: &Rules, grouped: &Grouped, part: usize) -> bool {
    let tied = Grouped::of(&grouped.tied, part);
    let demanded = program.overrides.iter().any(|demand| {
        matches!(demand, Override::OwnProcess(name) if bits(tied).any(|p| program.name(p) == name))
    });
    !demanded && risk_of(program, tied) <= rules.risk_alone
}

/// The cost of an edge between processes, as a multiple of the run.
pub(crate) fn process_cost(program: &Program, rules: &Rules, edge: &Edge) -> f64 {
    edge.calls_per_run * rules.costs.other_process_ns / run_ns(program)
}

/// What a process is worth at a risk, as a multiple of the run: nothing at 0, a quarter of it at
/// a fifth of the threshold, all of it at half the threshold, and everything at the threshold.
pub(crate) fn worth(rules: &Rules, risk: f64) -> f64 {
    if risk >= rules.risk_alone {
        f64::INFINITY
    } else {
        risk / (rules.risk_alone - risk)
    }
}

/// Whether a process between both sides costs more than their risk is worth.
pub(crate) fn costs_too_much(
    program: &Program,
    rules: &Rules,
    grouped: &Grouped,
    edge: &Edge,
) -> bool {
    let side = |part| risk_of(program, Grouped::of(&grouped.tied, part));
    let risk = side(edge.caller).max(side(edge.callee));
    process_cost(program, rules, edge) > worth(rules, risk)
}
