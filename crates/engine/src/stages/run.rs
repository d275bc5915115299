//! The program runs, watched, under its limits.

use std::pin::pin;

use atoll_monitor::{Input, Observer, Plan, Watched, watch};
use atoll_sandbox::{Job, Sandbox, StartError};
use atoll_store::Owner;
use atoll_types::{LimitHit, Limits, Message};

use crate::way::{Halt, Stop};
use crate::{Engine, now_unix_ms};

/// What one run is given.
pub(crate) struct RunJob<'a> {
    pub(crate) message: Message,
    pub(crate) input: Input,
    pub(crate) limits: &'a Limits,
    pub(crate) keep_output: bool,
}

/// Starts the program and watches it to its end. The caller destroys the sandbox in any case.
pub(crate) async fn run(
    engine: &Engine,
    sandbox: &mut dyn Sandbox,
    job: RunJob<'_>,
    observer: &mut (dyn Observer + '_),
    stop: Stop<'_>,
) -> Result<Watched, Halt> {
    let message = job.message;
    let started = sandbox
        .start(Job {
            program: message.program,
            arguments: message.arguments,
            files: message.files,
            environment: message.environment,
        })
        .await;
    let streams = started.map_err(|error| not_started(&error, job.limits))?;
    let plan = Plan {
        limits: job.limits,
        input: job.input,
        keep_output: job.keep_output,
    };
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

fn not_started(error: &StartError, limits: &Limits) -> Halt {
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
