//! How often a program without a history reads and writes, and how much it reads.
//!
//! What an interpreter takes to start, and its program to import, can be told; what the program
//! does with its files, hardly. So the median is that start with what the message brings, and the
//! upper quantiles are multiples of it. For Python, both follow 252 programs of the corpus that
//! `docs/prediction.md` is about, at the level `process`: half of them made between 0.8 and 1.1
//! times as many calls as the median here and nine in ten at most 2.1 times, and read at most 2.0
//! times as much.

use atoll_types::{
    Analysis, Capability, Confidence, ProfileSource, ProgramKind, Quantiles, ResourceEstimate,
};

use super::KIB;
use crate::features::Given;
use crate::{IoEstimates, imports};

/// What starting an empty program takes, measured on Debian 12: calls, and bytes read. WebAssembly
/// is an estimate; what its host does to start it is not counted.
const fn start(kind: ProgramKind) -> (u64, u64) {
    match kind {
        ProgramKind::Python => (33, 42 * KIB),
        ProgramKind::JavaScript => (90, 245 * KIB),
        ProgramKind::Shell | ProgramKind::Native => (10, 4 * KIB),
        ProgramKind::WasmModule | ProgramKind::WasmComponent => (1, 0),
    }
}

/// Each module that Python loads is looked for and read in about five calls for two modules. A
/// package is one line of the table, whatever it is made of: its calls go by its memory.
const CALLS_FOR_TWO_MODULES: u64 = 5;
const KIB_FOR_A_CALL: u64 = 32;

/// Bytes read for each KiB of memory that imports add.
const READ_FOR_A_KIB: u64 = 435;

/// How many bytes one call takes of what the message brings: half of all programs read in pieces
/// like this, nine in ten in no smaller ones, and hardly any in smaller ones than the last.
const PIECE_BYTES: [u64; 3] = [64 * KIB, 8 * KIB, 64];

/// What the quantiles are, in multiples of the median: of calls, and of bytes read.
const CALLS_TENTHS: [u64; 3] = [10, 25, 120];
const READ_TENTHS: [u64; 3] = [10, 30, 300];

/// So many times more where a program opens files itself.
const FILES_TIMES: u64 = 3;

/// From the table, with what the message brings. It is a default of a class: whether and how often
/// a program reads what it is given, its text hardly says.
pub(crate) fn io(analysis: &Analysis, given: &Given) -> IoEstimates {
    let (calls, read) = start(analysis.kind);
    let loaded = imports::loaded(analysis);
    let by_modules = loaded.modules.saturating_mul(CALLS_FOR_TWO_MODULES) / 2;
    let calls = calls.saturating_add(by_modules.max(loaded.memory_kib / KIB_FOR_A_CALL));
    let read = read.saturating_add(loaded.memory_kib.saturating_mul(READ_FOR_A_KIB));
    let given = given.input_bytes.saturating_add(given.file_bytes);
    let opens = [Capability::FilesRead, Capability::FilesWrite]
        .iter()
        .any(|capability| analysis.capabilities.contains(capability));
    let files = |quantile: usize| {
        if opens && quantile > 0 {
            FILES_TIMES
        } else {
            1
        }
    };
    let of = |amount: u64, tenths: u64, quantile: usize| {
        let times = tenths.saturating_mul(files(quantile));
        (amount / 10).saturating_mul(times).max(amount)
    };
    let [calls_p50, calls_p90, calls_p99] = CALLS_TENTHS;
    let [read_p50, read_p90, read_p99] = READ_TENTHS;
    let [piece_p50, piece_p90, piece_p99] = PIECE_BYTES;
    let operations = |tenths: u64, piece: u64, quantile: usize| {
        of(calls, tenths, quantile).saturating_add(given.div_ceil(piece))
    };
    let bytes = |tenths: u64, quantile: usize| of(read, tenths, quantile).saturating_add(given);
    let estimate = |quantiles: Quantiles| ResourceEstimate {
        quantiles,
        confidence: Confidence::Low,
        source: ProfileSource::Table {
            rows: vec![analysis.kind.name().to_owned()],
        },
    };
    IoEstimates {
        operations: estimate(Quantiles {
            p50: operations(calls_p50, piece_p50, 0),
            p90: operations(calls_p90, piece_p90, 1),
            p99: operations(calls_p99, piece_p99, 2),
        }),
        read_bytes: estimate(Quantiles {
            p50: bytes(read_p50, 0),
            p90: bytes(read_p90, 1),
            p99: bytes(read_p99, 2),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::script;

    #[test]
    fn what_is_given_and_what_is_imported_is_read() {
        let with = |input_bytes: u64| {
            let given = Given {
                input_bytes,
                ..Given::default()
            };
            io(&script(), &given)
        };
        let (nothing, much) = (with(0), with(100 << 20));
        let read = |estimates: &IoEstimates| estimates.read_bytes.quantiles.p50;
        assert_eq!(read(&much) - read(&nothing), 100 << 20);
        let calls = |estimates: &IoEstimates| estimates.operations.quantiles.p90;
        assert_eq!(calls(&much) - calls(&nothing), (100 << 20) / (8 << 10));
        assert_eq!(much.operations.confidence, Confidence::Low);
        let mut empty = script();
        empty.dependencies.clear();
        assert!(read(&io(&empty, &Given::default())) <= read(&nothing));
    }
}
