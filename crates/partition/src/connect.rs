//! Finds for every import of every part who provides it.
//!
//! Owns the edges between parts and the calls expected on them. What it gives has no cycles, and
//! every import that no host provides has exactly one provider.

use atoll_types::Basis;

use crate::interface::{Import, Obstacle, name_fits, same_base};
use crate::outcome::{HostImport, PartitionError};
use crate::program::{PARTS_MAX, Program};

/// Calls of an import whose caller's code does not tell.
const CALLS_ASSUMED: f64 = 1.0;

/// No edge is taken to have more calls than this for one run.
const CALLS_MAX: f64 = 1e12;

/// Why the parts do not fit together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConnectError {
    /// Nobody provides an import.
    #[error(
        "`{importer}` imports {interface}, which no part exports and the host does not provide; \
         give the part that exports it"
    )]
    Missing {
        /// The part that imports.
        importer: String,
        /// What it imports.
        interface: String,
    },
    /// The import exists in another version only.
    #[error(
        "`{importer}` imports {interface}, and `{provider}` exports {offered}, which is not \
         compatible; give a part with the same or a later compatible version"
    )]
    Version {
        /// The part that imports.
        importer: String,
        /// What it imports.
        interface: String,
        /// The part that exports another version.
        provider: String,
        /// What that part exports.
        offered: String,
    },
    /// Several parts export it.
    #[error(
        "`{importer}` imports {interface}, which several parts export: {}; choose one",
        list(.providers)
    )]
    SeveralProviders {
        /// The part that imports.
        importer: String,
        /// What it imports.
        interface: String,
        /// The parts that export it.
        providers: Vec<String>,
    },
    /// A choice names a part that does not provide the import.
    #[error(
        "`{provider}` was chosen to provide {interface} to `{importer}`, and does not export it"
    )]
    BadChoice {
        /// The part that imports.
        importer: String,
        /// What it imports.
        interface: String,
        /// The part that was chosen.
        provider: String,
    },
    /// The names fit, and the types do not.
    #[error(
        "`{importer}` imports {interface}, and what `{provider}` exports by that name does not \
         fit: {why}; build both against the same interface"
    )]
    Misfit {
        /// The part that imports.
        importer: String,
        /// What it imports.
        interface: String,
        /// The part that exports it.
        provider: String,
        /// What does not fit.
        why: String,
    },
    /// Parts import each other.
    #[error(
        "parts import each other in a circle: {}; a component can only be made after what it \
         imports",
        circle(.0)
    )]
    Cycle(Vec<String>),
}

fn list(names: &[String]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}

fn circle(names: &[String]) -> String {
    let first = names.first().cloned().unwrap_or_default();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    format!("{} -> {first}", names.join(" -> "))
}

/// An import of one part that another provides.
#[derive(Debug, Clone)]
pub(crate) struct Edge {
    pub(crate) caller: usize,
    pub(crate) callee: usize,
    /// As the caller names it.
    pub(crate) interface: String,
    /// As the callee names it.
    pub(crate) exported_as: String,
    pub(crate) calls_per_run: f64,
    pub(crate) basis: Basis,
    pub(crate) obstacle: Option<Obstacle>,
}

/// The parts with everything between them.
#[derive(Debug)]
pub(crate) struct Connected {
    pub(crate) edges: Vec<Edge>,
    pub(crate) host_imports: Vec<HostImport>,
    /// For every part, a bit for each part that can be reached by calls from it.
    pub(crate) reach: Vec<u64>,
}

pub(crate) const fn bit(part: usize) -> u64 {
    1 << part
}

/// The numbers of the bits that are set.
pub(crate) fn bits(set: u64) -> impl Iterator<Item = usize> {
    (0..PARTS_MAX).filter(move |index| set & bit(*index) != 0)
}

/// Connects every import.
pub(crate) fn connect(program: &Program) -> Result<Connected, PartitionError> {
    let mut edges = Vec::new();
    let mut host_imports = Vec::new();
    for choice in &program.choices {
        program.part(&choice.importer)?;
        program.part(&choice.provider)?;
    }
    for measured in &program.history {
        program.part(&measured.caller)?;
    }
    for (caller, part) in program.parts.iter().enumerate() {
        for import in &part.shape.imports {
            match provider(program, caller, import)? {
                Some(edge) => edges.push(edge),
                None => host_imports.push(HostImport {
                    part: part.name.clone(),
                    interface: import.interface.name.clone(),
                }),
            }
        }
    }
    let reach = reach(program.parts.len(), &edges);
    if let Some(first) = (0..reach.len()).find(|part| reaches(&reach, *part, *part)) {
        let circle = circle_of(program, &edges, first);
        return Err(ConnectError::Cycle(circle).into());
    }
    carry_calls(program, &mut edges, &reach);
    Ok(Connected {
        edges,
        host_imports,
        reach,
    })
}

/// The one part that provides an import, or `None` when the host does.
fn provider(
    program: &Program,
    caller: usize,
    import: &Import,
) -> Result<Option<Edge>, PartitionError> {
    let wanted = &import.interface;
    let importer = || program.name(caller).to_owned();
    let interface = || wanted.name.clone();
    let others = || {
        let parts = program.parts.iter().enumerate();
        parts
            .filter(|(part, _)| *part != caller)
            .flat_map(|(part, described)| {
                described
                    .shape
                    .exports
                    .iter()
                    .map(move |export| (part, export))
            })
    };
    let mut fitting: Vec<_> = others()
        .filter(|(_, export)| name_fits(&wanted.name, &export.name))
        .collect();
    let mut choices = program.choices.iter();
    let choice =
        choices.find(|choice| choice.importer == importer() && choice.interface == wanted.name);
    if let Some(choice) = choice {
        let provider = program.part(&choice.provider)?;
        fitting.retain(|(part, _)| *part == provider);
        if fitting.is_empty() {
            return Err(PartitionError::Connect(ConnectError::BadChoice {
                importer: importer(),
                interface: interface(),
                provider: choice.provider.clone(),
            }));
        }
    }
    // A part may export several compatible versions; the one that is meant is the nearest name.
    fitting.sort_by_key(|(part, export)| (*part, export.name != wanted.name));
    fitting.dedup_by_key(|(part, _)| *part);
    match fitting.as_slice() {
        [] if program.is_host(&wanted.name) => Ok(None),
        [] => {
            let near = others().find(|(_, export)| same_base(&wanted.name, &export.name));
            Err(PartitionError::Connect(match near {
                Some((provider, export)) => ConnectError::Version {
                    importer: importer(),
                    interface: interface(),
                    provider: program.name(provider).to_owned(),
                    offered: export.name.clone(),
                },
                None => ConnectError::Missing {
                    importer: importer(),
                    interface: interface(),
                },
            }))
        }
        [(callee, export)] => {
            if let Some(why) = wanted.misfit(export) {
                return Err(PartitionError::Connect(ConnectError::Misfit {
                    importer: importer(),
                    interface: interface(),
                    provider: program.name(*callee).to_owned(),
                    why,
                }));
            }
            let (calls_per_run, basis) = calls(program, caller, import);
            Ok(Some(Edge {
                caller,
                callee: *callee,
                interface: interface(),
                exported_as: export.name.clone(),
                calls_per_run,
                basis,
                obstacle: wanted.obstacle.clone(),
            }))
        }
        several => Err(PartitionError::Connect(ConnectError::SeveralProviders {
            importer: importer(),
            interface: interface(),
            providers: several
                .iter()
                .map(|(part, _)| program.name(*part).to_owned())
                .collect(),
        })),
    }
}

/// Calls for one run of the caller, or of the program when they were measured.
fn calls(program: &Program, caller: usize, import: &Import) -> (f64, Basis) {
    let name = &import.interface.name;
    let mut history = program.history.iter().rev();
    let measured = history
        .find(|measured| measured.caller == program.name(caller) && measured.interface == *name);
    match (measured, import.calls_predicted) {
        (Some(measured), _) => (measured.calls_per_run.min(CALLS_MAX), Basis::Measured),
        (None, Some(calls)) => (calls.min(CALLS_MAX), Basis::Predicted),
        (None, None) => (CALLS_ASSUMED, Basis::Assumed),
    }
}

/// For every part, what can be reached from it in one step or more.
fn reach(parts: usize, edges: &[Edge]) -> Vec<u64> {
    let mut reach = vec![0_u64; parts];
    for edge in edges {
        if let Some(set) = reach.get_mut(edge.caller) {
            *set |= bit(edge.callee);
        }
    }
    close(&mut reach);
    reach
}

/// Extends "in one step" to "in any number of steps" (Warshall's algorithm).
pub(crate) fn close(reach: &mut [u64]) {
    for middle in 0..reach.len() {
        let beyond = reach.get(middle).copied().unwrap_or_default();
        for set in reach.iter_mut() {
            if *set & bit(middle) != 0 {
                *set |= beyond;
            }
        }
    }
}

pub(crate) fn reaches(reach: &[u64], from: usize, to: usize) -> bool {
    reach.get(from).is_some_and(|set| set & bit(to) != 0)
}

/// The parts of a shortest circle through `first`, in the order of their calls.
fn circle_of(program: &Program, edges: &[Edge], first: usize) -> Vec<String> {
    let mut ways = vec![vec![first]];
    let mut seen = 0_u64;
    while let Some(way) = (!ways.is_empty()).then(|| ways.remove(0)) {
        let at = way.last().copied().unwrap_or(first);
        for edge in edges.iter().filter(|edge| edge.caller == at) {
            if edge.callee == first {
                return way
                    .iter()
                    .map(|part| program.name(*part).to_owned())
                    .collect();
            }
            if seen & bit(edge.callee) == 0 {
                seen |= bit(edge.callee);
                ways.push(way.iter().copied().chain([edge.callee]).collect());
            }
        }
    }
    vec![program.name(first).to_owned()]
}

/// A part that is called often calls others often: predictions for one run of the caller become
/// predictions for one run of the program.
fn carry_calls(program: &Program, edges: &mut [Edge], reach: &[u64]) {
    // Callers come before what they call, since they reach more.
    let mut order: Vec<usize> = (0..program.parts.len()).collect();
    order.sort_by_key(|part| {
        let set = reach.get(*part).copied().unwrap_or_default();
        (std::cmp::Reverse(set.count_ones()), *part)
    });
    for part in order {
        let into = edges.iter().filter(|edge| edge.callee == part);
        let runs: f64 = into.map(|edge| edge.calls_per_run).sum();
        let runs = runs.max(1.0);
        for edge in edges.iter_mut().filter(|edge| edge.caller == part) {
            if edge.basis != Basis::Measured {
                edge.calls_per_run = (edge.calls_per_run * runs).min(CALLS_MAX);
            }
        }
    }
}
