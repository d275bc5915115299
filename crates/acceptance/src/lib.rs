//! Runs the built `atoll` command as a user would and compares what it says with what is promised.
//!
//! This crate knows the command line, its exit codes and its JSON, and nothing of the crates
//! behind them: it must stay able to find fault with all of them. The examples with their
//! `expect.toml` are read here, both for the tests and for `atoll-demo`.

mod ablation;
mod command;
mod example;
mod invariants;
mod report;
mod third_party;
mod traces;
mod verdicts;
mod wasi_testsuite;

use std::path::{Path, PathBuf};

pub use ablation::{
    COPY_LAYERS, COPY_NEVER_OFF, COPY_TRIALS, LAYERS, NEVER_OFF, TRIALS, Trial, UNTRIED, ablate,
};
pub use command::{Atoll, Finished, finish};
pub use example::{Example, Expect, Run, all_examples};
pub use invariants::{appearance, made_inside, settings};
pub use report::{Decision, Limit, Reason, Report};
pub use third_party::third_party;
pub use traces::{Descendants, leftovers};
pub use wasi_testsuite::wasi_testsuite;

/// A policy that judges nobody: every program runs at the level `process` under the default limits.
pub const ISOLATION_POLICY: &str = include_str!("isolation.toml");

/// [`ISOLATION_POLICY`], which accepts that layers are missing that are named in
/// `ATOLL_TEST_ACCEPT_MISSING`, separated by commas, and none where it says nothing.
#[must_use]
pub fn isolation_policy() -> String {
    let names = std::env::var("ATOLL_TEST_ACCEPT_MISSING").unwrap_or_default();
    accepting(&names)
}

fn accepting(names: &str) -> String {
    let names = names.split(',').map(str::trim);
    let quoted: Vec<String> = names
        .filter(|name| !name.is_empty())
        .map(|name| format!("\"{name}\""))
        .collect();
    if quoted.is_empty() {
        return ISOLATION_POLICY.to_owned();
    }
    let accepted = quoted.join(", ");
    format!("[defaults]\naccept_missing = [{accepted}]\n{ISOLATION_POLICY}")
}

/// Exit codes of `atoll run` that are not the program's own.
pub mod exit_code {
    /// The command line itself was wrong.
    pub const USAGE: i32 = 2;
    /// A limit ended the program.
    pub const LIMIT: i32 = 124;
    /// Atoll, or the way to the program, failed.
    pub const FAILED: i32 = 125;
    /// The program was not run: policy forbids it, or this host cannot enforce the decision.
    pub const REFUSED: i32 = 126;
    /// A signal ended the program; the signal's number is added.
    pub const SIGNALLED: i32 = 128;
}

/// The root of the repository.
#[must_use]
pub fn repository() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_path_buf()
}

/// Where `make examples` puts what has to be built: native programs, Wasm, installed libraries.
#[must_use]
pub fn built_examples() -> PathBuf {
    std::env::var_os("ATOLL_EXAMPLES").map_or_else(
        || repository().join("target").join("examples"),
        PathBuf::from,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_accepts_what_the_environment_names() {
        assert_eq!(accepting(""), ISOLATION_POLICY);
        let accepted = accepting("landlock, own-user");
        let (first, rest) = accepted.split_once(ISOLATION_POLICY).unwrap();
        assert_eq!(rest, "");
        assert_eq!(
            first,
            "[defaults]\naccept_missing = [\"landlock\", \"own-user\"]\n"
        );
    }
}
