//! Reads programs without running them: what they are, what they need, what they could do.
//!
//! Pure functions of the program's bytes: no input or output, no clock, no randomness. Programs
//! are hostile input, so every reader is bounded in memory, time and nesting, and what it does not
//! understand becomes [`Capability::Unanalyzed`](atoll_types::Capability::Unanalyzed) with a
//! problem that says where. This crate does not judge senders and does not decide anything.

mod base64;
mod class;
mod complexity;
mod findings;
mod flow;
mod graph;
mod javascript;
mod native;
mod python;
mod recognise;
mod said;
mod shell;
mod tree;
mod wasm;

use atoll_types::{Analysis, ProgramKind};

use crate::findings::Findings;
pub use crate::recognise::{PROGRAM_BYTES_MAX, UnknownKind, recognise};
pub use crate::said::is_possible;

/// What is known of other programs is not a text that somebody wrote.
const fn is_script(kind: ProgramKind) -> bool {
    matches!(
        kind,
        ProgramKind::Python | ProgramKind::JavaScript | ProgramKind::Shell
    )
}

/// Whether a module comes with Python, in any version that is known here.
#[must_use]
pub fn is_standard_python_module(name: &str) -> bool {
    python::is_standard_module(name)
}

/// Reads a program that was recognised as `kind`.
///
/// Never fails and never panics: what is not understood is listed in [`Analysis::problems`]. The
/// kind is taken at its word; bytes of another kind give problems, not errors.
#[must_use]
pub fn analyze(kind: ProgramKind, bytes: &[u8]) -> Analysis {
    let mut findings = Findings::default();
    match kind {
        ProgramKind::Python => python::analyze(bytes, &mut findings),
        ProgramKind::JavaScript => javascript::analyze(bytes, &mut findings),
        ProgramKind::Shell => shell::analyze(bytes, &mut findings),
        ProgramKind::Native => native::analyze(bytes, &mut findings),
        ProgramKind::WasmModule | ProgramKind::WasmComponent => {
            wasm::analyze(bytes, &mut findings);
        }
    }
    if is_script(kind) {
        findings.compare_with_text(bytes);
    }
    findings.close();
    judged(kind, bytes.len() as u64, findings)
}

/// The analysis of a program that nobody could read, for a reason: nothing is known of it but that.
#[must_use]
pub fn not_analyzed(kind: ProgramKind, code_bytes: u64, reason: &str) -> Analysis {
    let mut findings = Findings::default();
    findings.problem(None, reason);
    judged(kind, code_bytes, findings)
}

fn judged(kind: ProgramKind, code_bytes: u64, findings: Findings) -> Analysis {
    let execution_class = class::judge(kind, &findings);
    let complexity = complexity::score(code_bytes, &findings);
    findings.into_analysis(kind, code_bytes, execution_class, complexity)
}
