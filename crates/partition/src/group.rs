//! Which parts share a store.
//!
//! Two things tie parts together whatever their trust: an interface that cannot cross, and an
//! override. What lies on a way of calls between tied parts is tied too, because a store that waits
//! for an answer cannot be entered again. Beyond that, parts of the same trust share a store, as
//! far as no part outside is called by one of them and not by another: then, too, a store could be
//! entered while it waits.
//!
//! Ties do not depend on risk, and every other rule only separates when risk rises. So more risk
//! never means less isolation, for any pair of parts.

use std::collections::BTreeMap;

use atoll_types::Basis;

use crate::connect::{Connected, bit, bits, close, reaches};
use crate::outcome::{PartitionError, Tie, TieCause};
use crate::program::{Override, Program, Rules, Uncrossable, same_trust};

/// Sets of parts, as bits.
#[derive(Debug)]
pub(crate) struct Grouped {
    /// Parts that are tied together; every part is in one set.
    pub(crate) tied: Vec<u64>,
    /// Parts that share a store; every part is in one set.
    pub(crate) stores: Vec<u64>,
    /// Parts that may share a process because their trust is the same, as one number; `None` for
    /// parts that share with nobody for that reason.
    pub(crate) class: Vec<Option<usize>>,
    pub(crate) ties: Vec<Tie>,
}

impl Grouped {
    /// The set of `sets` that `part` is in.
    pub(crate) fn of(sets: &[u64], part: usize) -> u64 {
        let mut sets = sets.iter().copied();
        sets.find(|set| set & bit(part) != 0).unwrap_or_default()
    }
}

pub(crate) fn group(
    program: &Program,
    rules: &Rules,
    connected: &Connected,
) -> Result<Grouped, PartitionError> {
    let (tied, ties) = tie(program, connected)?;
    check_overrides(program, &tied, &ties)?;
    check_trust(program, rules, &tied, &ties)?;
    let class = classes(program, rules, &tied);
    let stores = stores(program, rules, connected, &tied, &class);
    Ok(Grouped {
        tied,
        stores,
        class,
        ties,
    })
}

/// Sets that can be joined.
struct Sets(Vec<u64>);

impl Sets {
    fn join(&mut self, one: usize, other: usize) -> bool {
        let (a, b) = (Grouped::of(&self.0, one), Grouped::of(&self.0, other));
        if a == b {
            return false;
        }
        self.0.retain(|set| *set != a && *set != b);
        self.0.push(a | b);
        true
    }

    /// The sets in the order of their first parts.
    fn sorted(mut self) -> Vec<u64> {
        self.0.sort_by_key(|set| set.trailing_zeros());
        self.0
    }
}

fn singles(parts: usize) -> Sets {
    Sets((0..parts).map(bit).collect())
}

fn tie(program: &Program, connected: &Connected) -> Result<(Vec<u64>, Vec<Tie>), PartitionError> {
    let parts = program.parts.len();
    let mut sets = singles(parts);
    let mut ties = Vec::new();
    let mut note = |one: usize, other: usize, cause: TieCause| {
        ties.push(Tie {
            one: program.name(one).to_owned(),
            other: program.name(other).to_owned(),
            cause,
        });
    };
    for edge in &connected.edges {
        if let Some(obstacle) = &edge.obstacle {
            sets.join(edge.caller, edge.callee);
            note(
                edge.caller,
                edge.callee,
                TieCause::Interface {
                    interface: edge.interface.clone(),
                    obstacle: obstacle.clone(),
                },
            );
        }
    }
    for demand in &program.overrides {
        if let Override::Together(one, other) = demand {
            let (one, other) = (program.part(one)?, program.part(other)?);
            sets.join(one, other);
            note(one, other, TieCause::Override);
        }
    }
    while let Some((inside, between)) = find_between(&sets, connected, parts) {
        sets.join(inside, between);
        note(inside, between, TieCause::Between);
    }
    Ok((sets.sorted(), ties))
}

/// A part outside of a set that is called from it and calls into it, with a part of the set.
fn find_between(sets: &Sets, connected: &Connected, parts: usize) -> Option<(usize, usize)> {
    for set in sets.0.iter().filter(|set| set.count_ones() > 1) {
        for between in (0..parts).filter(|part| set & bit(*part) == 0) {
            let from = bits(*set).find(|inside| reaches(&connected.reach, *inside, between));
            let back = bits(*set).any(|inside| reaches(&connected.reach, between, inside));
            if let Some(inside) = from.filter(|_| back) {
                return Some((inside, between));
            }
        }
    }
    None
}

/// The part that an override wants alone.
fn wants_alone(demand: &Override) -> Option<&str> {
    match demand {
        Override::OwnStore(part) | Override::OwnProcess(part) => Some(part),
        Override::Together(..) => None,
    }
}

fn check_overrides(program: &Program, tied: &[u64], ties: &[Tie]) -> Result<(), PartitionError> {
    for name in program.overrides.iter().filter_map(wants_alone) {
        let part = program.part(name)?;
        if Grouped::of(tied, part).count_ones() > 1 {
            let tie = ties
                .iter()
                .find(|tie| tie.one == *name || tie.other == *name);
            return Err(PartitionError::CannotBeAlone {
                part: name.to_owned(),
                because: tie.map(Tie::sentence).unwrap_or_default(),
            });
        }
    }
    Ok(())
}

/// Refuses what the rules say must not be tied together.
fn check_trust(
    program: &Program,
    rules: &Rules,
    tied: &[u64],
    ties: &[Tie],
) -> Result<(), PartitionError> {
    if rules.uncrossable == Uncrossable::Link {
        return Ok(());
    }
    let refused = ties.iter().find(|tie| {
        let set = program.part(&tie.one).map(|part| Grouped::of(tied, part));
        let mixed = set.is_ok_and(|set| !is_pure(program, rules, set));
        mixed && tie.cause != TieCause::Override
    });
    match refused {
        Some(tie) => Err(PartitionError::Refused {
            because: tie.sentence(),
        }),
        None => Ok(()),
    }
}

/// Whether every two parts of a set have the same trust, and each may be linked at all.
pub(crate) fn is_pure(program: &Program, rules: &Rules, set: u64) -> bool {
    let mut parts = bits(set).filter_map(|part| program.trust(part));
    let Some(first) = parts.next() else {
        return true;
    };
    parts.all(|trust| same_trust(rules, first, trust))
}

/// Numbers those sets of parts that may share with others of the same trust.
fn classes(program: &Program, rules: &Rules, tied: &[u64]) -> Vec<Option<usize>> {
    let mut numbers: BTreeMap<&str, usize> = BTreeMap::new();
    let class_of = |part: usize, numbers: &mut BTreeMap<_, _>| {
        let set = Grouped::of(tied, part);
        let trust = program.trust(part)?;
        let is_low = trust.risk <= rules.risk_alone;
        if !is_low || !is_pure(program, rules, set) {
            return None;
        }
        let next = numbers.len();
        Some(*numbers.entry(trust.source.as_str()).or_insert(next))
    };
    (0..program.parts.len())
        .map(|part| class_of(part, &mut numbers))
        .collect()
}

/// Joins tied sets of the same trust into stores.
fn stores(
    program: &Program,
    rules: &Rules,
    connected: &Connected,
    tied: &[u64],
    class: &[Option<usize>],
) -> Vec<u64> {
    let called = called_by(connected, tied, program.parts.len());
    let class_of = |part: usize| class.get(part).copied().flatten();
    let joins = |set: u64| {
        let first = set.trailing_zeros() as usize;
        let in_circle = called.get(first).is_some_and(|callers| callers & set != 0);
        let alone = bits(set).any(|part| stays_alone(program, rules, connected, part));
        class_of(first).filter(|_| !in_circle && !alone)
    };
    let mut members: BTreeMap<usize, u64> = BTreeMap::new();
    for set in tied {
        if let Some(class) = joins(*set) {
            *members.entry(class).or_default() |= set;
        }
    }
    let mut sets = Sets(tied.to_vec());
    let mut firsts: BTreeMap<(usize, u64), usize> = BTreeMap::new();
    for set in tied {
        let first = set.trailing_zeros() as usize;
        if let Some(class) = joins(*set) {
            let inside = members.get(&class).copied().unwrap_or_default();
            let callers = called.get(first).copied().unwrap_or_default();
            let key = (class, callers & !inside);
            let joined = *firsts.entry(key).or_insert(first);
            sets.join(joined, first);
        }
    }
    sets.sorted()
}

/// For every part, all parts that call its tied set, in any number of steps; tied parts count as
/// one.
fn called_by(connected: &Connected, tied: &[u64], parts: usize) -> Vec<u64> {
    let mut reach = vec![0_u64; parts];
    for edge in &connected.edges {
        let (from, to) = (
            Grouped::of(tied, edge.caller),
            Grouped::of(tied, edge.callee),
        );
        if from != to {
            for part in bits(from) {
                if let Some(set) = reach.get_mut(part) {
                    *set |= to;
                }
            }
        }
    }
    close(&mut reach);
    (0..parts)
        .map(|callee| {
            let callers = (0..parts).filter(|caller| reaches(&reach, *caller, callee));
            callers.fold(0, |set, caller| set | bit(caller))
        })
        .collect()
}

/// Whether a part has a store of its own although others have its trust.
fn stays_alone(program: &Program, rules: &Rules, connected: &Connected, part: usize) -> bool {
    let name = program.name(part);
    let mut demands = program.overrides.iter().filter_map(wants_alone);
    demands.any(|demand| demand == name) || native_alone(program, rules, connected, part)
}

/// Whether a part is likely to trap, and calls to and from it are rare enough for a store of its
/// own. Calls that are only assumed do not count as rare.
pub(crate) fn native_alone(
    program: &Program,
    rules: &Rules,
    connected: &Connected,
    part: usize,
) -> bool {
    let touches = |caller: usize, callee: usize| caller == part || callee == part;
    let mut edges = connected
        .edges
        .iter()
        .filter(|edge| touches(edge.caller, edge.callee));
    if edges.clone().any(|edge| edge.basis == Basis::Assumed) {
        return false;
    }
    let calls: f64 = edges.by_ref().map(|edge| edge.calls_per_run).sum();
    let is_native = program
        .parts
        .get(part)
        .is_some_and(|part| part.native_heavy);
    let run_ns = run_ns(program);
    is_native && part != 0 && calls * rules.costs.other_store_ns <= rules.native_share_max * run_ns
}

/// The time of a run without crossings, in nanoseconds.
pub(crate) fn run_ns(program: &Program) -> f64 {
    // Times beyond 2^53 microseconds do not occur; rounding them is harmless.
    program.run_time_us.max(1) as f64 * 1_000.0
}
