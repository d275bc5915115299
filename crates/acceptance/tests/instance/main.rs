//! Programs that attack their sandbox at the level `instance`, each with the outcome it must have.
//!
//! Most are WebAssembly written for one attack: a table of calls to the host, each with the errors
//! it may answer, or a module that takes too much of something. All run as a user would run them;
//! after each one the host is looked at, and a next job must work. `--nocapture` shows every case
//! with what was observed.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test ends at the first surprise"
)]

mod attempts;
mod bombs;
mod case;
mod files;
#[path = "../escape/host.rs"]
mod host;
mod hostile;
mod wasi;
