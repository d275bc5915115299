//! Predicts what a program will need, before it runs.
//!
//! [`predict`] turns what analysis found and what earlier runs used into a [`Profile`]: quantiles
//! of CPU time, peak memory and bytes written, the security flags, and the dependencies. A program
//! with a history is judged by its history; a Python program without one by models that were
//! learned from real programs; any other by a table of measured figures.
//!
//! The crate is pure: no input or output, no clock, no randomness. It does not decide anything
//! with its predictions; policy does. A prediction may shape a limit, but never the isolation a
//! program needs.

mod features;
mod flags;
mod history;
mod imports;
mod learned;
mod table;
mod tried;

pub use features::{FAMILIES, FAMILY, Given, beginnings, feature_names, features};
pub use tried::{Quantity, is_clear, law, tried};

use atoll_types::{Analysis, PastRun, Profile};

/// Predicts what a program will need.
///
/// `past` holds earlier runs of this very program, in any order; only those that really ran count.
/// With at least three of them the estimates come from history, else from models learned from other
/// programs or, for kinds without, from the table, with the p99 raised to what fewer runs have
/// shown. Times are milliseconds since the Unix epoch. CPU time is
/// in microseconds, memory and input/output in bytes.
#[must_use]
pub fn predict(analysis: &Analysis, given: &Given, past: &[PastRun], now_unix_ms: u64) -> Profile {
    let estimates = history::estimates(past, now_unix_ms).unwrap_or_else(|| {
        let mut estimates = table::estimates(analysis);
        if let Some((cpu_us, memory_bytes)) = learned::estimates(analysis, given) {
            estimates.cpu_us = cpu_us;
            estimates.memory_bytes = memory_bytes;
        }
        history::raise(&mut estimates, past);
        estimates
    });
    Profile {
        cpu_demand: estimates.cpu_us,
        memory_footprint: estimates.memory_bytes,
        io_intensity: estimates.io_bytes,
        security_flags: flags::security_flags(&analysis.capabilities),
        dependencies: analysis.dependencies.iter().cloned().collect(),
    }
}

/// The medians of CPU time and peak memory that the table alone has for a program: what models are
/// compared with.
#[must_use]
pub fn by_table(analysis: &Analysis) -> (u64, u64) {
    let estimates = table::estimates(analysis);
    (
        estimates.cpu_us.quantiles.p50,
        estimates.memory_bytes.quantiles.p50,
    )
}

/// The three parts of a profile that are quantities.
#[derive(Debug, Clone, PartialEq)]
struct Estimates {
    cpu_us: atoll_types::ResourceEstimate,
    memory_bytes: atoll_types::ResourceEstimate,
    io_bytes: atoll_types::ResourceEstimate,
}

#[cfg(test)]
mod tests;
