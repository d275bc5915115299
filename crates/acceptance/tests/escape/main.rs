//! Programs that attack their sandbox at the level `process`, each with the outcome it must have.
//! `make attacks` has them attack `gvisor` and `vm` as well.
//!
//! Every program of `programs/` tries one thing and says in JSON what came of each attempt; the
//! tables here say what must have come of it. After each one the host is looked at: it must be as
//! it was. `--nocapture` shows every case with its expectation and what was observed.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test ends at the first surprise"
)]

mod case;
mod differences;
mod filesystem;
mod groups;
mod host;
mod identity;
mod information;
mod kernel;
mod network;
mod processes;
mod protocol;
mod resources;

/// A program that no table names would be an attack that nobody makes.
#[test]
fn every_program_is_run() {
    let tables = [
        include_str!("case.rs"),
        include_str!("filesystem.rs"),
        include_str!("groups.rs"),
        include_str!("identity.rs"),
        include_str!("information.rs"),
        include_str!("kernel.rs"),
        include_str!("network.rs"),
        include_str!("processes.rs"),
        include_str!("protocol.rs"),
        include_str!("resources.rs"),
    ];
    let mut count = 0;
    for entry in std::fs::read_dir(case::programs()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let quoted = format!("\"{name}\"");
        assert!(tables.iter().any(|table| table.contains(&quoted)), "{name}");
        count += 1;
    }
    assert!(count > 50, "only {count} programs were found");
}
