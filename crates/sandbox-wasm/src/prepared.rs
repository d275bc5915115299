//! Programs that are run many times: compiled once, then handed to a worker by their number.
//!
//! For callers that have no use for streams and limits that change: they give everything a message
//! needs at once and get everything it answers at its end.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use atoll_sandbox::{Job, StartError, Tenancy};
use atoll_types::{Layer, Limits};

use crate::WasmBackend;
use crate::code::Code;
use crate::compile::next_name;
use crate::error::{internal, start_error};
use crate::link::{Finished, LoadError};
use crate::message::message;
use crate::worker::{Making, Message, Worker, begin_jail};
use crate::workers::is_gone;

/// How often a message looks for a worker that takes it, while workers are replaced.
const TRIES_MAX: u32 = 8;

/// A program that is compiled.
#[derive(Debug, Clone)]
pub struct Prepared {
    code: Arc<Code>,
    accept_missing: BTreeSet<Layer>,
    run: Message,
}

impl Prepared {
    /// Bytes of compiled code.
    #[must_use]
    pub fn code_bytes(&self) -> u64 {
        self.code.bytes()
    }
}

impl WasmBackend {
    /// Compiles a program, or finds it compiled. The layers that may be missing are those of its
    /// runs, too.
    ///
    /// # Errors
    /// When it cannot be compiled within these limits.
    pub async fn prepare(
        &self,
        job: Job,
        limits: &Limits,
        accept_missing: &BTreeSet<Layer>,
    ) -> Result<Prepared, StartError> {
        let level = &self.level;
        let code = level
            .code(&job.program, limits, accept_missing, None)
            .await?;
        let mut run = message(job, code.number, limits).map_err(StartError::Program)?;
        run.run.input_ends = true;
        run.run.keeps_files = false;
        Ok(Prepared {
            code,
            accept_missing: accept_missing.clone(),
            run,
        })
    }

    /// What so many instances that wait for scripts take of memory, in a worker of their own.
    ///
    /// # Errors
    /// When there is no such worker, or the program is no script.
    pub async fn memory_of_waiting(
        &self,
        prepared: &Prepared,
        count: u32,
    ) -> Result<WaitingMemory, StartError> {
        let (code, accept) = (&prepared.code, &prepared.accept_missing);
        let making = Making::shared(MEASURED_BYTES, count.saturating_add(2 * WARM), accept);
        let beginning = begin_jail(&next_name()).map_err(start_error)?;
        let worker = Worker::start(beginning, &making).await;
        let worker = worker.map_err(start_error)?;
        let measured = measure(&worker, code, count).await;
        worker.link.close();
        worker.link.gone().await;
        measured
    }

    /// Runs a prepared program once, in an instance of its own, with this standard input.
    ///
    /// # Errors
    /// When no worker takes it. How it ends, and whether its worker ends before it, is in the
    /// answer.
    pub async fn run(
        &self,
        prepared: &Prepared,
        input: &[u8],
        tenancy: &Tenancy,
    ) -> Result<Finished, StartError> {
        let accept = &prepared.accept_missing;
        for _ in 0..TRIES_MAX {
            let workers = &self.level.workers;
            let (domain, max) = (&tenancy.domain, tenancy.messages_max);
            let found = workers.get(domain, max, accept).await;
            let found = found.map_err(start_error)?;
            match found.load(&prepared.code).await {
                Ok(()) => {}
                Err(LoadError::Unusable(reason)) => return Err(StartError::Program(reason)),
                Err(LoadError::Gone) => continue,
            }
            match hand_in(&found, prepared, input) {
                Ok(ended) => {
                    let lost = |_| internal("hear from a worker")(gone());
                    return ended.await.map_err(lost);
                }
                Err(error) if is_gone(&error) => {}
                Err(error) => return Err(StartError::Program(error.to_string())),
            }
        }
        Err(internal("find a worker")(gone()))
    }
}

async fn measure(worker: &Worker, code: &Code, count: u32) -> Result<WaitingMemory, StartError> {
    let failed = |what: &str| internal("measure a worker")(std::io::Error::other(what.to_owned()));
    let loaded = worker.load(code).await;
    loaded.map_err(|_| failed("the program is not loaded"))?;
    let mut before = 0;
    // The first ones also take what all of them share.
    for instances in [WARM, count.saturating_add(WARM)] {
        let asked = worker.link.keep(code.number, instances);
        asked.map_err(internal("ask a worker"))?;
        let began = Instant::now();
        while worker.link.waiting(code.number) < instances {
            if began.elapsed() > PATIENCE {
                return Err(failed("not as many instances as were wanted wait"));
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let memory = worker.link.memory_bytes().await;
        let memory = memory.ok_or_else(|| failed("it is gone"))?;
        if instances == WARM {
            before = memory;
        } else {
            let bytes = memory.saturating_sub(before);
            return Ok(WaitingMemory {
                count,
                bytes,
                bytes_each: bytes / u64::from(count.max(1)),
            });
        }
    }
    Err(failed("no instances were wanted"))
}

/// What instances that wait take of memory, as the kernel counts it for their worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WaitingMemory {
    /// How many wait.
    pub count: u32,
    /// Bytes of all of them.
    pub bytes: u64,
    /// Bytes of each.
    pub bytes_each: u64,
}

/// Instances that wait before memory is looked at for the first time.
const WARM: u32 = 4;

/// Memory that instances may have when it is measured what they take, in bytes: their linear
/// memories count in full, most of which they never touch.
const MEASURED_BYTES: u64 = 1 << 40;

/// How long it may take until so many instances wait.
const PATIENCE: Duration = Duration::from_secs(120);

fn hand_in(
    worker: &Worker,
    prepared: &Prepared,
    input: &[u8],
) -> std::io::Result<tokio::sync::oneshot::Receiver<Finished>> {
    let mut message = prepared.run.clone();
    message.run.input = input.to_vec();
    worker.run(message)
}

fn gone() -> std::io::Error {
    std::io::ErrorKind::NotConnected.into()
}
