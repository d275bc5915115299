//! Every accepted message is written down before it runs, and gets exactly one outcome.

use atoll_store::{Accepted, Arrival, StoreError};
use atoll_types::{EventKind, Message, Outcome};

use crate::stages::PAST_RUNS_MAX;
use crate::{Engine, EngineError, now_unix_ms};

/// Accepts a message, and brings what is remembered of its sender and its program.
pub(crate) async fn accept(engine: &Engine, message: &Message) -> Result<Arrival, EngineError> {
    let accepted = Accepted {
        id: message.id,
        tenant: message.tenant.clone(),
        origin: message.origin,
        program: message.program.hash,
        program_name: message.program.name.clone(),
        kind: message.program.kind,
        received_unix_ms: message.received_unix_ms,
        owner: engine.owner().await?.clone(),
    };
    let store = engine.store().await?;
    Ok(store.arrive(&accepted, PAST_RUNS_MAX).await?)
}

/// Records the outcome.
pub(crate) async fn finish(
    engine: &Engine,
    outcome: &Outcome,
    events: &[EventKind],
) -> Result<(), StoreError> {
    match engine.store().await {
        Ok(store) => store.finish(outcome, events, now_unix_ms()).await,
        // The store was open when the message was accepted and stays so.
        Err(_) => Err(StoreError::UnknownMessage { id: outcome.id }),
    }
}
