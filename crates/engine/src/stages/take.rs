//! A sandbox of the decided level, or the reason why there is none.

use atoll_sandbox::{CreateError, Environment, Sandbox, SandboxSpec};
use atoll_types::{Decision, Message};

use crate::Engine;
use crate::stages::provide::able_backend;
use crate::way::Halt;

/// Builds a fresh sandbox. It never falls back to a weaker level.
pub(crate) async fn take(
    engine: &Engine,
    message: &Message,
    decision: &Decision,
    environment: Environment,
) -> Result<Box<dyn Sandbox>, Halt> {
    let backend = able_backend(engine, decision.level, environment.kind)?;
    let spec = SandboxSpec {
        id: message.id.to_string(),
        limits: decision.limits,
        environment,
    };
    backend.create(spec).await.map_err(|error| match error {
        CreateError::NotEnforceable { .. } => Halt::refused(format!(
            "{error}; `atoll doctor` says what to install or enable"
        )),
        CreateError::Environment(_) => Halt::refused(error.to_string()),
        CreateError::Internal { .. } => Halt::failed(&error),
    })
}
