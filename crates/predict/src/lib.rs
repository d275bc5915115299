//! Predicts what a program will need, before it runs.
//!
//! [`predict`] turns what analysis found and what earlier runs used into a [`Profile`]: quantiles
//! of CPU time, peak memory and bytes written, the security flags, and the dependencies. A program
//! with a history is judged by its history; any other by a table of measured figures.
//!
//! The crate is pure: no input or output, no clock, no randomness. It does not decide anything
//! with its predictions; policy does. A prediction may shape a limit, but never the isolation a
//! program needs.

mod flags;
mod history;
mod table;

use atoll_types::{Analysis, PastRun, Profile};

/// Predicts what a program will need.
///
/// `past` holds earlier runs of this very program, in any order; only those that really ran count.
/// With at least three of them the estimates come from history, else from the table, with the p99
/// raised to what fewer runs have shown. Times are milliseconds since the Unix epoch. CPU time is
/// in microseconds, memory and input/output in bytes.
#[must_use]
pub fn predict(analysis: &Analysis, past: &[PastRun], now_unix_ms: u64) -> Profile {
    let estimates = history::estimates(past, now_unix_ms).unwrap_or_else(|| {
        let mut estimates = table::estimates(analysis);
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

/// The three parts of a profile that are quantities.
#[derive(Debug, Clone, PartialEq)]
struct Estimates {
    cpu_us: atoll_types::ResourceEstimate,
    memory_bytes: atoll_types::ResourceEstimate,
    io_bytes: atoll_types::ResourceEstimate,
}

#[cfg(test)]
mod tests;
