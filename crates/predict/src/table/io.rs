//! How often a program without a history reads and writes, and how much it reads.

use atoll_types::{
    Analysis, Capability, Confidence, ProfileSource, ProgramKind, Quantiles, ResourceEstimate,
};

use super::KIB;
use crate::features::Given;
use crate::{IoEstimates, imports};

/// What starting an empty program takes: calls, and bytes read.
const fn start(kind: ProgramKind) -> (u64, u64) {
    match kind {
        ProgramKind::Python => (60, 600 * KIB),
        ProgramKind::JavaScript => (60, 100 * KIB),
        ProgramKind::Shell => (12, 8 * KIB),
        ProgramKind::Native => (4, 2 * KIB),
        ProgramKind::WasmModule | ProgramKind::WasmComponent => (1, 0),
    }
}

/// What a module of Python's takes to import.
const MODULE: (u64, u64) = (3, 20 * KIB);

/// From the table, with what the message brings. It is a default of a class: whether and how often
/// a program reads what it is given, its text hardly says.
pub(crate) fn io(analysis: &Analysis, given: &Given) -> IoEstimates {
    let (calls, bytes) = start(analysis.kind);
    let modules = imports::loaded(analysis).modules;
    let calls = calls.saturating_add(modules.saturating_mul(MODULE.0));
    let bytes = bytes.saturating_add(modules.saturating_mul(MODULE.1));
    let given = given.input_bytes.saturating_add(given.file_bytes);
    let reads = bytes.saturating_add(given);
    let files = [Capability::FilesRead, Capability::FilesWrite]
        .iter()
        .any(|capability| analysis.capabilities.contains(capability));
    let times = if files { 4 } else { 1 };
    let estimate = |quantiles| ResourceEstimate {
        quantiles,
        confidence: Confidence::Low,
        source: ProfileSource::Table {
            rows: vec![analysis.kind.name().to_owned()],
        },
    };
    IoEstimates {
        operations: estimate(Quantiles {
            p50: calls,
            p90: calls * 2 * times,
            p99: calls * 20 * times,
        }),
        read_bytes: estimate(Quantiles {
            p50: reads,
            p90: reads * 2 * times,
            p99: reads * 10 * times,
        }),
    }
}
