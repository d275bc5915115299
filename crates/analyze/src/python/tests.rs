//! What is read from Python programs, and what hostile ones do to the reader: nothing.

mod certainty;
mod hostile;
mod meaning;
mod structure;

use std::collections::BTreeSet;

use atoll_types::{Analysis, Capability, ProgramKind};

/// The analysis of a program.
fn read(text: impl AsRef<[u8]>) -> Analysis {
    crate::analyze(ProgramKind::Python, text.as_ref())
}

/// The analysis of a program that must be understood in full.
fn understood(text: &str) -> Analysis {
    let analysis = read(text);
    assert_eq!(analysis.problems, [], "{text}");
    analysis
}

fn capabilities(text: &str) -> BTreeSet<Capability> {
    read(text).capabilities
}

fn host_calls(text: &str) -> Vec<String> {
    read(text).host_calls.into_iter().collect()
}

/// The first problem of a program: its line and message.
fn first_problem(text: impl AsRef<[u8]>) -> (Option<u64>, String) {
    let analysis = read(text);
    assert!(!analysis.is_complete());
    let problem = analysis.problems.into_iter().next().unwrap();
    (problem.line, problem.message)
}
