//! What the engine hears when a machine could not be made.

use std::io;

use atoll_jail::JailError;
use atoll_sandbox::CreateError;
use atoll_types::Level;

pub(crate) fn create_error(error: JailError) -> CreateError {
    match error {
        JailError::NotEnforceable(missing) => CreateError::NotEnforceable {
            level: Level::Vm,
            missing,
        },
        JailError::Helper(missing) => CreateError::Environment(missing.to_string()),
        JailError::Limit(limit) => CreateError::Environment(format!(
            "the {limit} limit is too small for a virtual machine; raise it in the policy"
        )),
        JailError::Program(attempt, source) | JailError::Internal(attempt, source) => {
            CreateError::Internal { attempt, source }
        }
    }
}

pub(crate) fn internal<E: Into<io::Error>>(attempt: &str) -> impl FnOnce(E) -> CreateError {
    let attempt = attempt.to_owned();
    move |source| CreateError::Internal {
        attempt,
        source: source.into(),
    }
}
