//! The program runs, watched, under its limits.

use std::pin::pin;

use atoll_monitor::{Observer, Plan, Watched, watch};
use atoll_sandbox::{Job, JobParts, Sandbox, StartError, Streams};
use atoll_store::Owner;
use atoll_types::calls::CallRules;
use atoll_types::{LimitHit, Limits, Message, Split};

use crate::way::{Halt, Stop};
use crate::{Engine, now_unix_ms};

/// What a sandbox is given of a message, whose program may be split, with the rules for its calls.
pub(crate) fn job(message: &Message, calls: &CallRules, split: Option<&Split>) -> Job {
    let parts = &message.parts.parts;
    Job {
        program: message.program.clone(),
        arguments: message.arguments.clone(),
        files: message.files.clone(),
        environment: message.environment.clone(),
        parts: split.map(|split| {
            Box::new(JobParts {
                programs: parts.iter().map(|part| part.program.clone()).collect(),
                split: split.clone(),
            })
        }),
        calls: calls.clone(),
    }
}

/// Watches a program that has started to its end. The caller destroys the sandbox in any case.
pub(crate) async fn run(
    engine: &Engine,
    sandbox: &mut dyn Sandbox,
    streams: Streams,
    plan: Plan<'_>,
    observer: &mut (dyn Observer + '_),
    stop: Stop<'_>,
) -> Result<Watched, Halt> {
    let watching = pin!(watch(sandbox, streams, plan, observer, stop));
    with_recovery(engine, watching)
        .await
        .map_err(|error| Halt::failed(&error))
}

/// Waits for a run, and uses the time to close the books on messages whose process has died: that
/// costs this message nothing, and nobody waits for it to finish.
async fn with_recovery<T>(engine: &Engine, mut running: impl Future<Output = T> + Unpin) -> T {
    let mut recovery = pin!(async {
        if let Ok(store) = engine.store().await {
            // A later run, or `atoll history`, will try again.
            let _ = store.recover(Owner::is_alive, now_unix_ms()).await;
        }
    });
    let mut recovered = false;
    loop {
        tokio::select! {
            biased;
            result = &mut running => return result,
            () = &mut recovery, if !recovered => recovered = true,
        }
    }
}

/// Why a program did not start, for its outcome.
pub(crate) fn not_started(error: &StartError, limits: &Limits) -> Halt {
    match error {
        StartError::NotEnforceable { .. } => Halt::refused(format!(
            "{error}; `atoll doctor` says what to install or enable"
        )),
        StartError::Limit(name) => Halt {
            limit: Some(LimitHit::of(*name, limits)),
            ..Halt::refused(error.to_string())
        },
        StartError::Program(_) | StartError::Internal { .. } => Halt::failed(error),
    }
}
