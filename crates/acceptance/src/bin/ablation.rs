//! Switches off one layer of the sandbox at a time and shows which attacks notice. Meant to be
//! started by `scripts/ablation.sh`, which builds Atoll so that it can be done and puts a wall
//! around it.

use std::io::{self, Write};
use std::process::ExitCode;

fn main() -> ExitCode {
    match atoll_acceptance::ablate(&mut io::stdout().lock()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(problem) => {
            drop(writeln!(io::stderr(), "atoll-ablation: {problem}"));
            ExitCode::FAILURE
        }
    }
}
