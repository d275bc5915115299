//! Programs that are split: several stores, and perhaps several workers, for one message.
//!
//! Owns the way from a [`Split`] to what compilers and workers are told. Where each part goes was
//! decided before. All of its workers serve this message alone, and end with it.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use atoll_sandbox::{JobParts, StartError};
use atoll_types::{Crossing, Group, Layer, Limits, Program, Split};
use blake3::Hash;

use crate::Level;
use crate::code::{Code, Wanted};
use crate::error::internal;
use crate::protocol::{
    Bundle, BundleExport, BundleJoint, BundlePiece, CallOut, CallTarget, Caller, GuestKind, Links,
    PartStore,
};
use crate::worker::sockets;

/// The share of a message's time that one call of a part may take: the rest is for its caller to
/// do something about it.
const CALL_TIME_SHARE: u64 = 2;

/// What one process of a split program is told.
#[derive(Default)]
pub(crate) struct Process {
    /// What is compiled for it.
    pub(crate) codes: Vec<Arc<Code>>,
    pub(crate) links: Links,
    pub(crate) streams: Vec<Arc<OwnedFd>>,
}

impl Process {
    /// Stores it has, with the program's own if that is there.
    pub(crate) fn stores(&self, has_program: bool) -> u32 {
        let stores = u32::try_from(self.links.stores.len()).unwrap_or(u32::MAX);
        stores.saturating_add(u32::from(has_program))
    }
}

/// A program that is split.
pub(crate) struct Plan {
    /// The code that runs first.
    pub(crate) program: Arc<Code>,
    /// The program's process, and all others.
    pub(crate) processes: Vec<Process>,
    /// The limits of each of them.
    pub(crate) limits: Limits,
}

impl Level {
    /// Compiles every store of a program, and says what each process is told.
    ///
    /// # Errors
    /// When a part cannot be compiled, or the split makes no sense.
    pub(crate) async fn plan(
        &self,
        program: &Program,
        parts: &JobParts,
        limits: &Limits,
        accept_missing: &BTreeSet<Layer>,
    ) -> Result<Plan, StartError> {
        let split = &parts.split;
        let mut codes = Vec::with_capacity(split.groups.len());
        for (number, group) in split.groups.iter().enumerate() {
            let bundle = bundle(program, parts, group, number == 0)?;
            let bytes = bundle.encode().map_err(internal("prepare a part"))?;
            let hash: Hash = blake3::hash(&bytes);
            let wanted = Wanted {
                kind: GuestKind::Parts,
                hash: hash.as_bytes(),
                program: &bytes,
                limits,
                accept_missing,
            };
            codes.push(self.programs.get(wanted, None).await?);
        }
        let [program, ..] = codes.as_slice() else {
            return Err(senseless("it has no stores"));
        };
        let program = Arc::clone(program);
        let processes = processes(split, &codes, limits)?;
        // Together they may have what one program could.
        let count = processes.len().max(1) as u64;
        let limits = Limits {
            memory_bytes: limits.memory_bytes / count,
            ..*limits
        };
        Ok(Plan {
            program,
            processes,
            limits,
        })
    }
}

fn senseless(what: &str) -> StartError {
    internal("split the program")(io::Error::other(what.to_owned()))
}

/// The components of a store, and how they are put together.
fn bundle(
    program: &Program,
    parts: &JobParts,
    group: &Group,
    has_program: bool,
) -> Result<Bundle, StartError> {
    let number = |name: &str| {
        let found = group.parts.iter().position(|part| part == name);
        let found = found.and_then(|found| u32::try_from(found).ok());
        found.ok_or_else(|| senseless(&format!("{name} is not in its store")))
    };
    let mut bundle = Bundle::default();
    for name in &group.parts {
        let part = parts.programs.iter().find(|part| part.name == *name);
        let component = part.unwrap_or(program);
        bundle.pieces.push(BundlePiece {
            name: name.clone(),
            bytes: component.bytes.to_vec(),
        });
    }
    for crossing in parts.split.inside(group) {
        bundle.joints.push(BundleJoint {
            importer: number(&crossing.caller)?,
            import: crossing.interface.clone(),
            provider: number(&crossing.callee)?,
            export: crossing.exported_as.clone(),
        });
    }
    let entered = parts.split.entered(group);
    let mut entered: Vec<(&str, &str)> = entered.into_iter().collect();
    if has_program && let Some(entry) = &parts.split.entry {
        entered.push((program.part_name(), entry));
    }
    for (part, name) in entered {
        bundle.exports.push(BundleExport {
            piece: number(part)?,
            name: name.to_owned(),
        });
    }
    Ok(bundle)
}

/// What each process is told: its stores, and the streams between it and others.
fn processes(
    split: &Split,
    codes: &[Arc<Code>],
    limits: &Limits,
) -> Result<Vec<Process>, StartError> {
    let last = split.groups.iter().map(|group| group.process).max();
    let count = last.unwrap_or(0).saturating_add(1);
    let call_time_us = limits.wall_time_ms.saturating_mul(1000) / CALL_TIME_SHARE;
    let mut processes: Vec<Process> = (0..count).map(|_| Process::default()).collect();
    for process in &mut processes {
        process.links.call_time_us = call_time_us;
    }
    let mut ways = Ways::new(split, &mut processes)?;
    for number in callees_first(split)? {
        let (Some(group), Some(code)) = (split.groups.get(number), codes.get(number)) else {
            return Err(senseless("it has more stores than programs"));
        };
        let calls = ways.calls(split, number)?;
        let process = processes.get_mut(group.process);
        let process = process.ok_or_else(|| senseless("a store has no process"))?;
        process.codes.push(Arc::clone(code));
        if number == 0 {
            process.links.calls = calls;
            continue;
        }
        let place = u32::try_from(process.links.stores.len()).unwrap_or(u32::MAX);
        ways.stores.insert(number, place);
        process.links.stores.push(PartStore {
            program: code.number,
            name: group.parts.join(", "),
            calls,
            callers: ways.callers_of(number),
        });
    }
    Ok(processes)
}

/// Numbers of a split's stores; one that calls another comes after it.
fn callees_first(split: &Split) -> Result<Vec<usize>, StartError> {
    let mut order: Vec<usize> = Vec::with_capacity(split.groups.len());
    while order.len() < split.groups.len() {
        let is_next = |number: &usize| {
            let callees = split.groups.get(*number).into_iter();
            let mut callees = callees
                .flat_map(|group| split.leaving(group))
                .filter_map(|crossing| store_of(split, &crossing.callee));
            !order.contains(number) && callees.all(|callee| order.contains(&callee))
        };
        let next = (0..split.groups.len()).find(is_next);
        order.push(next.ok_or_else(|| senseless("its stores call each other in a circle"))?);
    }
    Ok(order)
}

fn store_of(split: &Split, part: &str) -> Option<usize> {
    split.groups.iter().position(|group| group.has(part))
}

/// How stores reach each other.
struct Ways {
    /// Where a store is in its process.
    stores: BTreeMap<usize, u32>,
    /// Streams between stores of different processes, by their number on the caller's side.
    streams: BTreeMap<(usize, usize), u32>,
    /// Who calls a store of another process, and what; by both stores, the callee first.
    served: BTreeMap<(usize, usize), Caller>,
}

impl Ways {
    /// Makes the streams between all processes.
    fn new(split: &Split, processes: &mut [Process]) -> Result<Self, StartError> {
        let mut ways = Self {
            stores: BTreeMap::new(),
            streams: BTreeMap::new(),
            served: BTreeMap::new(),
        };
        for crossing in &split.crossings {
            let (caller, callee) = ends(split, crossing)?;
            let process = |number: usize| split.groups.get(number).map(|group| group.process);
            let (from, to) = (process(caller), process(callee));
            if from == to {
                continue;
            }
            let interface = crossing.exported_as.clone();
            if let Some(served) = ways.served.get_mut(&(callee, caller)) {
                served.interfaces.push(interface);
                continue;
            }
            let (ours, theirs) =
                sockets().map_err(|error| internal("connect two parts")(io::Error::from(error)))?;
            let mut give = |process: Option<usize>, end: OwnedFd| {
                let process = process.and_then(|number| processes.get_mut(number));
                let process = process.ok_or_else(|| senseless("a store has no process"))?;
                process.streams.push(Arc::new(end));
                let number = process.streams.len().saturating_sub(1);
                u32::try_from(number).map_err(|_| senseless("it has too many streams"))
            };
            let number = give(from, ours)?;
            ways.streams.insert((caller, callee), number);
            let number = give(to, theirs)?;
            let served = Caller {
                stream: number,
                interfaces: vec![interface],
            };
            ways.served.insert((callee, caller), served);
        }
        Ok(ways)
    }

    /// Who calls a store from another process.
    fn callers_of(&self, store: usize) -> Vec<Caller> {
        let callers = self.served.range((store, 0)..=(store, usize::MAX));
        callers.map(|(_, caller)| caller.clone()).collect()
    }

    /// What a store calls outside itself, each interface once.
    fn calls(&self, split: &Split, store: usize) -> Result<Vec<CallOut>, StartError> {
        let group = split.groups.get(store);
        let group = group.ok_or_else(|| senseless("a store is missing"))?;
        let mut calls: Vec<CallOut> = Vec::new();
        for crossing in split.leaving(group) {
            if calls
                .iter()
                .any(|call| call.interface == crossing.interface)
            {
                continue;
            }
            let (caller, callee) = ends(split, crossing)?;
            let stream = self.streams.get(&(caller, callee));
            let to = match (stream, self.stores.get(&callee)) {
                (Some(stream), _) => CallTarget::Stream(*stream),
                (None, Some(store)) => CallTarget::Store(*store),
                (None, None) => return Err(senseless("a part calls the program itself")),
            };
            calls.push(CallOut {
                interface: crossing.interface.clone(),
                exported_as: crossing.exported_as.clone(),
                to,
            });
        }
        Ok(calls)
    }
}

/// The stores of both ends.
fn ends(split: &Split, crossing: &Crossing) -> Result<(usize, usize), StartError> {
    let caller = store_of(split, &crossing.caller);
    let callee = store_of(split, &crossing.callee);
    caller
        .zip(callee)
        .ok_or_else(|| senseless("a part has no store"))
}
