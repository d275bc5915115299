//! What the engine hears when something of this level could not be made or started.

use std::io;

use atoll_jail::JailError;
use atoll_sandbox::{CreateError, StartError};
use atoll_types::Level;

pub(crate) fn create_error(error: JailError) -> CreateError {
    match error {
        JailError::NotEnforceable(missing) => CreateError::NotEnforceable {
            level: Level::Instance,
            missing,
        },
        JailError::Helper(missing) => CreateError::Environment(missing.to_string()),
        JailError::Limit(limit) => CreateError::Environment(format!(
            "the {limit} limit is too small for a sandbox; raise it in the policy"
        )),
        JailError::Program(attempt, source) | JailError::Internal(attempt, source) => {
            CreateError::Internal { attempt, source }
        }
    }
}

/// The same error, for something that was made while a message was started.
pub(crate) fn start_error(error: CreateError) -> StartError {
    match error {
        CreateError::NotEnforceable { level, missing } => {
            StartError::NotEnforceable { level, missing }
        }
        CreateError::Environment(text) => internal("set up WebAssembly")(io::Error::other(text)),
        CreateError::Internal { attempt, source } => StartError::Internal { attempt, source },
    }
}

pub(crate) fn internal<E: Into<io::Error>>(attempt: &str) -> impl FnOnce(E) -> StartError {
    let attempt = attempt.to_owned();
    move |source| StartError::Internal {
        attempt,
        source: source.into(),
    }
}

pub(crate) fn internal_create<E: Into<io::Error>>(attempt: &str) -> impl FnOnce(E) -> CreateError {
    let attempt = attempt.to_owned();
    move |source| CreateError::Internal {
        attempt,
        source: source.into(),
    }
}
