//! The part of risk that comes from what the program could do.
//!
//! Static analysis is a hint, never proof: obfuscation hides what a program does, and honest
//! programs use every capability there is. So this part weighs combinations that attacks need, and
//! is bounded: the worst program from an otherwise clean, known sender stays below 0.8, and runs
//! in a jail rather than not at all.

use atoll_types::{Analysis, Capability};

use super::{Judged, combine};

use Capability::{
    DynamicCode, FilesRead, FilesWrite, Introspection, NativeCode, Network, Processes,
    SystemChange, Unanalyzed, UnsafeDeserialization,
};

/// A sign of danger: what a program with all of these capabilities adds to the risk.
struct Sign {
    needs: &'static [Capability],
    value: f64,
    because: &'static str,
}

/// What could not be understood weighs most: it may be anything, and hiding is what an attacker
/// would do. The rest are the steps of known attacks, such as the escapes from language sandboxes
/// that go through introspection and dynamic code. All together give 0.61.
const SIGNS: [Sign; 8] = [
    Sign {
        needs: &[Unanalyzed],
        value: 0.25,
        because: "part of it could not be understood",
    },
    Sign {
        needs: &[Introspection, DynamicCode],
        value: 0.12,
        because: "it rewrites itself and builds code",
    },
    Sign {
        needs: &[SystemChange],
        value: 0.12,
        because: "it tries to change the system",
    },
    Sign {
        needs: &[Network, DynamicCode],
        value: 0.10,
        because: "it could download code and run it",
    },
    Sign {
        needs: &[Network, UnsafeDeserialization],
        value: 0.10,
        because: "it could take code for data from the network",
    },
    Sign {
        needs: &[Network, FilesRead],
        value: 0.08,
        because: "it could read files and send them away",
    },
    Sign {
        needs: &[NativeCode],
        value: 0.05,
        because: "it can run machine code",
    },
    Sign {
        needs: &[Processes, FilesWrite],
        value: 0.05,
        because: "it could write a program and start it",
    },
];

/// Judges what the program could do. Another capability can only add signs.
pub(super) fn analysis(analysis: &Analysis) -> Judged {
    let present: Vec<&Sign> = SIGNS
        .iter()
        .filter(|sign| {
            sign.needs
                .iter()
                .all(|need| analysis.capabilities.contains(need))
        })
        .collect();
    let because = if present.is_empty() {
        "nothing in the program stands out".to_owned()
    } else {
        let reasons: Vec<&str> = present.iter().map(|sign| sign.because).collect();
        reasons.join("; ")
    };
    Judged {
        value: combine(present.iter().map(|sign| sign.value)),
        because,
    }
}
