//! Estimates for a program without a history: a table by kind, imports and execution class.
//!
//! What a program imports fixes most of its memory; what it does with its data fixes the tail. So
//! the median is a sum of measured rows (the runtime, the modules, the declared memory), and the
//! upper quantiles are multiples of it that grow with the execution class. CPU time is an order
//! of magnitude harder to tell than memory, so its quantiles are wide; they size no limit by
//! themselves in the default policy.

mod io;
mod modules;

use atoll_types::{
    Analysis, Capability, Confidence, DependencySource, ExecutionClass, Literal, ProfileSource,
    ProgramKind, Quantiles, ResourceEstimate,
};

use crate::Estimates;
use crate::features::Given;
use crate::start::StartPart;
pub(crate) use io::io;
use modules::{Module, UNKNOWN_MODULE, modules_for};

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;

/// What a runtime needs to run an empty program: peak resident memory and CPU time.
///
/// Measured on Debian 12 with CPython 3.11, Node.js 20, dash and a statically and a dynamically
/// linked C program: medians of 11 runs of an empty program, started by a small C program that
/// reads `ru_maxrss`, `ru_utime` and `ru_stime` with `wait4`. Shell has room for two small
/// commands beside it. WebAssembly is an estimate: the worker with its compiled module.
const fn base(kind: ProgramKind) -> (u64, u64) {
    match kind {
        ProgramKind::Python => (8 * MIB, 7_500),
        ProgramKind::JavaScript => (40 * MIB, 46_000),
        ProgramKind::Shell => (4 * MIB, 3_000),
        ProgramKind::Native => (MIB, 500),
        ProgramKind::WasmModule | ProgramKind::WasmComponent => (24 * MIB, 20_000),
    }
}

/// How one execution class spreads: CPU time on top of the start, and factors on memory.
struct Spread {
    cpu_us: [u64; 3],
    memory_p90_tenths: u64,
    memory_p99_tenths: u64,
}

/// CPU times follow the orders of magnitude that define the classes. The memory factors follow
/// about 1,000 small Python programs from public collections, measured one by one: over all of
/// them p90 was 1.7 times and p99 10 times the median, and nearly all of that tail came from
/// programs with heavy loops.
const fn spread(class: ExecutionClass) -> Spread {
    match class {
        ExecutionClass::Trivial => Spread {
            cpu_us: [1_000, 5_000, 50_000],
            memory_p90_tenths: 12,
            memory_p99_tenths: 20,
        },
        ExecutionClass::Short => Spread {
            cpu_us: [20_000, 100_000, 1_000_000],
            memory_p90_tenths: 14,
            memory_p99_tenths: 30,
        },
        ExecutionClass::Medium => Spread {
            cpu_us: [500_000, 5_000_000, 20_000_000],
            memory_p90_tenths: 17,
            memory_p99_tenths: 60,
        },
        ExecutionClass::Long => Spread {
            cpu_us: [10_000_000, 60_000_000, 600_000_000],
            memory_p90_tenths: 20,
            memory_p99_tenths: 100,
        },
        // Many recursive programs that nobody can bound by reading are short all the same; the
        // median says so, the tail does not.
        ExecutionClass::Unbounded => Spread {
            cpu_us: [1_000_000, 60_000_000, 3_600_000_000],
            memory_p90_tenths: 20,
            memory_p99_tenths: 100,
        },
    }
}

/// A script's syntax tree and constants, per byte of source: CPython's compiler peaks at a few
/// tens of bytes for each byte it reads.
const SCRIPT_MEMORY_PER_CODE_BYTE: u64 = 30;

/// Bytes behind one element of a list, array or buffer that the program states the size of: the
/// pointer of a Python list. A lower bound, since the elements come on top.
const BYTES_PER_ALLOCATED_ELEMENT: u64 = 8;

/// Roles of literals that size an allocation rather than a loop.
const ALLOCATION_ROLES: [&str; 3] = ["repeat", "allocate", "allocation"];

/// Bytes written by a program that only prints, and by one that also writes files: p50, p90, p99.
/// Estimates: a screenful, a long listing, a small data file; a small, a usual and a large file.
const IO_PRINTING: [u64; 3] = [4 * KIB, 64 * KIB, 4 * MIB];
const IO_WRITING: [u64; 3] = [64 * KIB, 4 * MIB, 64 * MIB];

/// Estimates from the table.
pub(crate) fn estimates(analysis: &Analysis, given: &Given) -> Estimates {
    let picked = pick_modules(analysis);
    let spread = spread(analysis.execution_class);
    let confidence = if analysis.is_complete() && !picked.unknown {
        Confidence::Medium
    } else {
        Confidence::Low
    };
    let mut rows = vec![analysis.kind.name().to_owned()];
    rows.extend(picked.rows.iter().map(|module| module.name.to_owned()));
    rows.push(analysis.execution_class.name().to_owned());
    let estimate = |quantiles: Quantiles| ResourceEstimate {
        quantiles,
        confidence,
        source: ProfileSource::Table { rows: rows.clone() },
    };
    Estimates {
        cpu_us: estimate(cpu_us(analysis, &picked, &spread)),
        memory_bytes: estimate(memory_bytes(analysis, &picked, &spread)),
        written_bytes: estimate(written_bytes(analysis)),
        io: io(analysis, given),
    }
}

fn cpu_us(analysis: &Analysis, picked: &Picked, spread: &Spread) -> Quantiles {
    let (_, base_us) = base(analysis.kind);
    let modules_us: u64 = picked.rows.iter().map(|module| module.cpu_ms * 1000).sum();
    let start_us = base_us + modules_us;
    let [p50, p90, p99] = spread.cpu_us;
    Quantiles {
        p50: start_us + p50,
        p90: start_us + p90,
        p99: start_us + p99,
    }
}

fn memory_bytes(analysis: &Analysis, picked: &Picked, spread: &Spread) -> Quantiles {
    let (base_bytes, _) = base(analysis.kind);
    let modules: u64 = picked
        .rows
        .iter()
        .map(|module| module.memory_kib * KIB)
        .sum();
    let fixed = base_bytes
        .saturating_add(modules)
        .saturating_add(code_memory(analysis))
        .saturating_add(analysis.declared_memory_bytes.unwrap_or(0));
    let allocated = allocated_bytes(analysis);
    let scaled = |tenths: u64| {
        (fixed / 10)
            .saturating_mul(tenths)
            .saturating_add(allocated)
            .max(fixed)
    };
    Quantiles {
        p50: fixed,
        p90: scaled(spread.memory_p90_tenths),
        p99: scaled(spread.memory_p99_tenths),
    }
}

/// Memory that the program's own text or code takes up once it is loaded.
fn code_memory(analysis: &Analysis) -> u64 {
    match analysis.kind {
        ProgramKind::Python | ProgramKind::JavaScript | ProgramKind::Shell => analysis
            .code_bytes
            .saturating_mul(SCRIPT_MEMORY_PER_CODE_BYTE),
        ProgramKind::Native => analysis.code_bytes,
        // Machine code is a few times larger than the Wasm it is compiled from.
        ProgramKind::WasmModule | ProgramKind::WasmComponent => {
            analysis.code_bytes.saturating_mul(4)
        }
    }
}

/// Whether a number in the program sizes an allocation rather than a loop.
pub(crate) fn sizes_allocation(literal: &Literal) -> bool {
    ALLOCATION_ROLES.contains(&literal.role.as_str())
}

/// What a program's imports add to an empty one.
pub(crate) struct Modules {
    pub(crate) memory_kib: u64,
    pub(crate) cpu_ms: u64,
    /// Whether one of them has no row.
    pub(crate) unknown: bool,
}

/// By the table.
pub(crate) fn modules(analysis: &Analysis) -> Modules {
    let picked = pick_modules(analysis);
    Modules {
        memory_kib: picked.rows.iter().map(|module| module.memory_kib).sum(),
        cpu_ms: picked.rows.iter().map(|module| module.cpu_ms).sum(),
        unknown: picked.unknown,
    }
}

/// An empty program of the kind, and what each import adds to it.
pub(crate) fn parts(analysis: &Analysis) -> (StartPart, Vec<StartPart>) {
    let part = |name: &str, (memory_bytes, cpu_us)| StartPart {
        name: name.to_owned(),
        memory_bytes,
        cpu_us,
    };
    let modules = pick_modules(analysis).rows.into_iter().map(|module| {
        let memory_bytes = module.memory_kib.saturating_mul(KIB);
        let cpu_us = module.cpu_ms.saturating_mul(1000);
        part(module.name, (memory_bytes, cpu_us))
    });
    let runtime = part(analysis.kind.name(), base(analysis.kind));
    (runtime, modules.collect())
}

/// What the row of one module says: memory in KiB and CPU time in milliseconds.
pub(crate) fn row_of(kind: ProgramKind, name: &str) -> Option<(u64, u64)> {
    let table = modules_for(kind);
    let index = table
        .binary_search_by(|module| module.name.cmp(name))
        .ok()?;
    let module = table.get(index)?;
    Some((module.memory_kib, module.cpu_ms))
}

/// The largest allocation that the program states as a number.
fn allocated_bytes(analysis: &Analysis) -> u64 {
    analysis
        .literals
        .iter()
        .filter(|literal| sizes_allocation(literal))
        .map(|literal| literal.value.saturating_mul(BYTES_PER_ALLOCATED_ELEMENT))
        .max()
        .unwrap_or(0)
}

fn written_bytes(analysis: &Analysis) -> Quantiles {
    let writes = [Capability::FilesWrite, Capability::Unanalyzed]
        .iter()
        .any(|capability| analysis.capabilities.contains(capability));
    let [p50, p90, p99] = if writes { IO_WRITING } else { IO_PRINTING };
    Quantiles { p50, p90, p99 }
}

/// The rows of the module table that apply to a program.
struct Picked {
    rows: Vec<&'static Module>,
    /// Whether the program imports a third-party module that has no row.
    unknown: bool,
}

/// Picks each imported module's row once. A module that another picked one loads anyway adds
/// nothing; all third-party modules without a row together count as one [`UNKNOWN_MODULE`].
fn pick_modules(analysis: &Analysis) -> Picked {
    let table = modules_for(analysis.kind);
    let has_modules = !table.is_empty();
    let mut rows: Vec<&'static Module> = Vec::new();
    let mut unknown = false;
    for dependency in &analysis.dependencies {
        match table.binary_search_by(|module| module.name.cmp(&dependency.name)) {
            Ok(index) => rows.extend(table.get(index)),
            Err(_) => {
                unknown |= has_modules && dependency.source == DependencySource::ThirdParty;
            }
        }
    }
    rows.sort_by_key(|module| module.name);
    rows.dedup_by_key(|module| module.name);
    let included: Vec<&str> = rows
        .iter()
        .flat_map(|module| module.includes.iter().copied())
        .collect();
    rows.retain(|module| !included.contains(&module.name));
    if unknown {
        rows.push(&UNKNOWN_MODULE);
    }
    Picked { rows, unknown }
}

#[cfg(test)]
mod tests;
