//! What can go wrong around a message. What goes wrong on its way is an outcome, not an error.

use std::path::PathBuf;

use atoll_policy::Diagnostic;
use atoll_sandbox::{DestroyError, LeavingsError};
use atoll_store::StoreError;

/// Why the engine could not begin. The message has not run and has no outcome.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The state cannot be used, so that the message could not be recorded.
    #[error(transparent)]
    State(#[from] StoreError),
    /// The policy has errors.
    #[error("failed to read the policy {name}: it has errors; `atoll policy check` lists them all")]
    Policy {
        /// The file, or `built-in`.
        name: String,
        /// What is wrong, with line and column.
        diagnostics: Vec<Diagnostic>,
    },
    /// The system does not say who this process is, which the record of a message needs.
    #[error("failed to identify this process; mount /proc")]
    Identity(#[source] std::io::Error),
}

/// Something that went wrong after the program had run. The outcome stands.
#[derive(Debug, thiserror::Error)]
pub enum Warning {
    /// The outcome reached the caller but not the store.
    #[error("the outcome could not be recorded; history and prediction will miss it")]
    NotRecorded(#[source] StoreError),
    /// None of the files that the program left could be had.
    #[error("the files the program left could not be collected; they are lost")]
    NotCollected(#[source] LeavingsError),
    /// Some files could not be written to the output directory; the outcome names them.
    #[error(
        "not every file could be written to {}; make room or name another directory, and run the \
         program again",
        .path.display()
    )]
    NotWritten {
        /// The output directory.
        path: PathBuf,
        /// The first failure.
        source: std::io::Error,
    },
    /// Something of the sandbox is still there.
    #[error("the sandbox could not be removed in full; remove what is named by hand")]
    LeftBehind(#[source] DestroyError),
}
