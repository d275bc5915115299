//! Predicts what a program will need, before it runs.
//!
//! [`predict`] turns what analysis found and what earlier runs used into a [`Profile`]: quantiles
//! of CPU time, peak memory, reads and writes, the security flags, and the dependencies. A program
//! with a history is judged by its history; a Python program without one by models that were
//! learned from real programs, corrected by how earlier predictions for its tenant fared; any other
//! by a table of measured figures.
//!
//! The crate is pure: no input or output, no clock, no randomness. It does not decide anything
//! with its predictions; policy does. A prediction may shape a limit, but never the isolation a
//! program needs.

mod features;
mod flags;
mod history;
mod imports;
mod learned;
mod start;
mod table;
mod tenant;
mod tried;

pub use atoll_trees::rank_correlation;
pub use features::{FAMILIES, FAMILY, Given, beginnings, feature_names, features};
pub use start::{StartPart, start};
pub use tenant::{BOUNDS_MAX, follow};
pub use tried::{Quantity, is_clear, law, tried};

use atoll_types::{Analysis, IoIntensity, Lesson, Past, Profile};

/// Predicts what a program will need.
///
/// `past` holds earlier runs of this very program, and how earlier predictions for the same tenant
/// fared, both newest first. Of runs, those count that really ran, at the level of the newest. With
/// at least three of them the estimates come from history, else from models learned from other
/// programs, corrected for the tenant, or, for kinds without, from the table, with the p99 raised
/// to what fewer runs have shown. Times are milliseconds since the Unix epoch. CPU time is in
/// microseconds, memory and input/output in bytes.
#[must_use]
pub fn predict(analysis: &Analysis, given: &Given, past: &Past, now_unix_ms: u64) -> Profile {
    let mut lesson = Lesson {
        input: given.size(),
        ..Lesson::default()
    };
    let in_table = || table::io(analysis, given);
    let known = history::estimates(&past.runs, lesson.input, now_unix_ms, in_table);
    let estimates = known.unwrap_or_else(|| {
        let mut estimates = table::estimates(analysis, given);
        if let Some((cpu_us, memory_bytes)) = learned::estimates(analysis, given) {
            estimates.cpu_us = cpu_us;
            estimates.memory_bytes = memory_bytes;
            let memory = &mut estimates.memory_bytes.quantiles;
            lesson.memory = Some(tenant::correct(memory, tenant::Bound::Memory, &past.bounds));
            let cpu = &mut estimates.cpu_us.quantiles;
            lesson.cpu = Some(tenant::correct(cpu, tenant::Bound::Cpu, &past.bounds));
        }
        history::raise(&mut estimates, &past.runs);
        estimates
    });
    Profile {
        cpu_demand: estimates.cpu_us,
        memory_footprint: estimates.memory_bytes,
        io_intensity: IoIntensity::without_network(
            estimates.io.operations,
            estimates.io.read_bytes,
            estimates.written_bytes,
        ),
        security_flags: flags::security_flags(&analysis.capabilities),
        dependencies: analysis.dependencies.iter().cloned().collect(),
        lesson,
    }
}

/// The medians of CPU time and peak memory that the table alone has for a program: what models are
/// compared with.
#[must_use]
pub fn by_table(analysis: &Analysis) -> (u64, u64) {
    let estimates = table::estimates(analysis, &Given::default());
    (
        estimates.cpu_us.quantiles.p50,
        estimates.memory_bytes.quantiles.p50,
    )
}

/// The parts of a profile that are quantities.
#[derive(Debug, Clone, PartialEq)]
struct Estimates {
    cpu_us: atoll_types::ResourceEstimate,
    memory_bytes: atoll_types::ResourceEstimate,
    written_bytes: atoll_types::ResourceEstimate,
    io: IoEstimates,
}

/// What is counted of reads and writes besides what they leave.
#[derive(Debug, Clone, PartialEq)]
struct IoEstimates {
    operations: atoll_types::ResourceEstimate,
    read_bytes: atoll_types::ResourceEstimate,
}

#[cfg(test)]
mod tests;
