//! One sandbox of the `instance` level: a place for one message in a worker.

use std::collections::BTreeSet;
use std::io::{self, Cursor};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use atoll_jail::JailBeginning;
use atoll_sandbox::{
    DestroyError, Domain, Ending, InputEnd, Job, Leaving, Leavings, LeavingsError, LeftFile,
    Lifecycle, OutputEnd, Sandbox, StartError, State, Streams, Tenancy, Terms,
};
use atoll_types::calls::CallAudit;
use atoll_types::{Enforcement, Layer, LimitName, Limits, SkipReason, Usage};
use tokio::sync::oneshot;

use crate::Level;
use crate::code::Code;
use crate::ending::{Conclusion, conclude};
use crate::error::{internal, start_error};
use crate::link::{Finished, Left, LoadError};
use crate::message::message;
use crate::protocol::{GuestUsage, Order};
use crate::worker::{Streamed, Worker, own_limits};
use crate::workers::{Workers, is_gone};

/// How long a guest that is told to stop may take until its worker is ended.
const STOP_TIME: Duration = Duration::from_millis(250);

/// How often a message looks for a worker that takes it, while workers are replaced.
const TRIES_MAX: u32 = 8;

/// A place for one message, and how it went.
pub(crate) struct WasmSandbox {
    level: Arc<Level>,
    limits: Limits,
    accept_missing: BTreeSet<Layer>,
    tenancy: Tenancy,
    enforcement: Enforcement,
    lifecycle: Lifecycle,
    /// Taken when the message starts.
    place: Option<Place>,
    /// A jail that was begun for a compiler.
    compiler: Option<JailBeginning>,
    running: Option<Running>,
    conclusion: Option<Conclusion>,
    /// What it has called, once it has ended.
    calls: Option<CallAudit>,
}

/// Jails that are being built while the message is judged.
#[derive(Default)]
pub(crate) struct Ahead {
    pub(crate) worker: Option<JailBeginning>,
    pub(crate) compiler: Option<JailBeginning>,
}

/// The worker that a message goes to. One of its own ends with it.
pub(crate) struct Place {
    worker: Arc<Worker>,
    is_own: bool,
}

impl Place {
    /// A worker for this message alone.
    pub(crate) const fn own(worker: Arc<Worker>) -> Self {
        Self {
            worker,
            is_own: true,
        }
    }

    /// A worker that others use, too.
    pub(crate) const fn shared(worker: Arc<Worker>) -> Self {
        Self {
            worker,
            is_own: false,
        }
    }

    /// Lets go of the worker, and waits until nothing of it is left.
    async fn leave(self) {
        if self.is_own {
            self.worker.link.close();
            self.worker.link.gone().await;
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.is_own {
            self.worker.link.close();
        }
    }
}

struct Running {
    place: Place,
    number: u64,
    usage: Arc<Mutex<GuestUsage>>,
    ended: Option<oneshot::Receiver<Finished>>,
    started: Instant,
    stopped: Option<Instant>,
}

impl WasmSandbox {
    pub(crate) fn new(
        level: Arc<Level>,
        terms: Terms<'_>,
        place: Place,
        compiler: Option<JailBeginning>,
    ) -> Self {
        Self {
            level,
            limits: terms.limits,
            accept_missing: terms.accept_missing.clone(),
            tenancy: terms.tenancy.clone(),
            enforcement: place.worker.enforcement.clone(),
            lifecycle: Lifecycle::default(),
            place: Some(place),
            compiler,
            running: None,
            conclusion: None,
            calls: None,
        }
    }

    /// A worker that has the program: the one that was found before, or another.
    async fn place(&mut self, code: &Code) -> Result<Place, StartError> {
        for _ in 0..TRIES_MAX {
            let place = match (self.place.take(), &self.tenancy.domain) {
                (Some(place), _) => place,
                (None, Domain::Message) => {
                    let own = Workers::own(&self.limits, &self.accept_missing, None);
                    Place::own(own.await.map_err(start_error)?)
                }
                (None, domain @ (Domain::Class(_) | Domain::Tenant(_))) => {
                    let max = self.tenancy.messages_max;
                    let shared = self.level.workers.get(domain, max, &self.accept_missing);
                    Place::shared(shared.await.map_err(start_error)?)
                }
            };
            match place.worker.load(code).await {
                Ok(()) => return Ok(place),
                Err(LoadError::Unusable(reason)) => {
                    place.leave().await;
                    return Err(StartError::Program(reason));
                }
                Err(LoadError::Gone) => {}
            }
        }
        let text = "workers end as soon as they are started";
        Err(internal("find a worker")(io::Error::other(text)))
    }

    async fn run(&mut self, job: Job) -> Result<Streamed, StartError> {
        let compiler = self.compiler.take();
        let (limits, accept) = (&self.limits, &self.accept_missing);
        let code = self
            .level
            .code(&job.program, limits, accept, compiler)
            .await?;
        let message = message(job, code.number, &self.limits).map_err(StartError::Program)?;
        for _ in 0..TRIES_MAX {
            let place = self.place(&code).await?;
            match place.worker.run_streamed(message.clone()) {
                Ok(mut streamed) => {
                    self.enforcement = place.worker.enforcement.clone();
                    self.running = Some(Running {
                        place,
                        number: streamed.number,
                        usage: Arc::clone(&streamed.usage),
                        ended: streamed.ended.take(),
                        started: Instant::now(),
                        stopped: None,
                    });
                    return Ok(streamed);
                }
                Err(error) if is_gone(&error) => {}
                Err(error) if error.kind() == io::ErrorKind::InvalidInput => {
                    return Err(StartError::Program(error.to_string()));
                }
                Err(error) => return Err(internal("send the message")(error)),
            }
        }
        let text = "workers are replaced as soon as they are found";
        Err(internal("find a worker")(io::Error::other(text)))
    }
}

#[async_trait]
impl Sandbox for WasmSandbox {
    fn state(&self) -> State {
        self.lifecycle.state()
    }

    fn enforcement(&self) -> &Enforcement {
        &self.enforcement
    }

    fn set_limits(&mut self, limits: &Limits) -> io::Result<()> {
        let memory_changes = limits.memory_bytes != self.limits.memory_bytes;
        if let Some(running) = self.running.as_ref().filter(|_| memory_changes) {
            running.place.worker.link.order(&Order::Memory {
                message: running.number,
                bytes: limits.memory_bytes,
            })?;
        }
        let place = self.running.as_ref().map(|running| &running.place);
        let own = place.or(self.place.as_ref()).filter(|place| place.is_own);
        if let Some(place) = own {
            if !self.enforcement.is_enforced(Layer::MemoryLimit) {
                return Err(io::ErrorKind::Unsupported.into());
            }
            place.worker.link.set_limits(own_limits(limits));
        }
        self.limits = *limits;
        Ok(())
    }

    async fn start(&mut self, job: Job) -> Result<Streams, StartError> {
        self.lifecycle
            .advance(State::Running)
            .map_err(|error| internal("start a job in a sandbox")(io::Error::other(error)))?;
        let streamed = self.run(job).await?;
        Ok(Streams {
            stdin: InputEnd::Pieces(streamed.stdin),
            stdout: OutputEnd::Pieces(streamed.stdout),
            stderr: OutputEnd::Pieces(streamed.stderr),
        })
    }

    fn usage(&self) -> Usage {
        let Some(running) = &self.running else {
            return Usage::default();
        };
        let used = *running.usage.lock().unwrap_or_else(PoisonError::into_inner);
        let elapsed_us = u64::try_from(running.started.elapsed().as_micros()).unwrap_or(u64::MAX);
        Usage {
            wall_time_us: if self.conclusion.is_some() {
                used.wall_time_us
            } else {
                elapsed_us
            },
            cpu_time_us: used.cpu_time_us,
            memory_peak_bytes: used.memory_peak_bytes,
            output_bytes: 0,
            disk_bytes: used.disk_bytes,
            processes_peak: 1,
        }
    }

    /// Known at its end. What a program called whose worker is gone went with the worker.
    fn calls(&self) -> Option<CallAudit> {
        self.calls.clone()
    }

    fn limit_hit(&self) -> Option<LimitName> {
        self.conclusion
            .as_ref()
            .and_then(|conclusion| conclusion.limit)
    }

    async fn wait(&mut self) -> Ending {
        if let Some(conclusion) = &self.conclusion {
            return conclusion.ending.clone();
        }
        let (conclusion, calls) = match &mut self.running {
            None => (Conclusion::lost("the program was never started"), None),
            Some(running) => running.wait().await,
        };
        self.calls = calls;
        // Only the first wait finds the sandbox running.
        let _ = self.lifecycle.advance(State::Ended);
        self.conclusion.insert(conclusion).ending.clone()
    }

    fn stop(&mut self) {
        let Some(running) = &mut self.running else {
            return;
        };
        if self.conclusion.is_none() && running.stopped.is_none() {
            running.stopped = Some(Instant::now());
            let message = running.number;
            // One that is gone has ended its messages.
            let _ = running.place.worker.link.order(&Order::Stop { message });
        }
    }

    async fn leavings(&mut self) -> Result<Leavings, LeavingsError> {
        let running = match &self.running {
            Some(running) if self.lifecycle.state() == State::Ended => running,
            _ => return Err(LeavingsError::NotEnded),
        };
        let link = &running.place.worker.link;
        let (bytes, files) = (self.limits.disk_bytes, self.limits.disk_files);
        let left = link.collect(running.number, bytes, files).await;
        let left = left.map_err(|source| LeavingsError::Internal {
            attempt: "look at the files the program left".to_owned(),
            source,
        })?;
        Ok(Box::new(left.into_iter().map(leaving)))
    }

    async fn destroy(mut self: Box<Self>) -> Result<(), DestroyError> {
        let is_running = self.lifecycle.state() == State::Running;
        if is_running && self.running.is_some() {
            self.stop();
            let _ = self.wait().await;
        }
        let _ = self.lifecycle.advance(State::Destroyed);
        if let Some(running) = self.running.take() {
            running.leave().await;
        }
        if let Some(place) = self.place.take() {
            place.leave().await;
        }
        Ok(())
    }
}

impl Running {
    /// Lets go of what the worker has of the message, which has ended.
    async fn leave(mut self) {
        self.release();
        if self.place.is_own {
            self.place.worker.link.gone().await;
        }
    }

    fn release(&mut self) {
        let message = self.number;
        let link = &self.place.worker.link;
        // A worker that is gone has nothing left.
        if self.ended.take().is_some() {
            let _ = link.order(&Order::Stop { message });
        }
        link.release(message);
        if self.place.is_own {
            link.close();
        }
    }

    /// Waits for the message's end. Cancelling loses nothing.
    async fn wait(&mut self) -> (Conclusion, Option<CallAudit>) {
        let Some(ended) = &mut self.ended else {
            return (Conclusion::lost("its end has been told before"), None);
        };
        let finished = match self.stopped {
            None => ended.await,
            Some(stopped) => {
                let patience = STOP_TIME.saturating_sub(stopped.elapsed());
                match tokio::time::timeout(patience, &mut *ended).await {
                    Ok(finished) => finished,
                    Err(_) => {
                        self.place.worker.link.kill("a guest did not stop in time");
                        ended.await
                    }
                }
            }
        };
        self.ended = None;
        match finished {
            Ok(finished) => (conclude(finished.end, self.place.is_own), finished.calls),
            Err(_) => (Conclusion::lost("the WebAssembly worker is gone"), None),
        }
    }
}

fn leaving(left: Left) -> Leaving {
    Leaving {
        path: left.path,
        file: match left.bytes {
            None => Err(SkipReason::SymbolicLink),
            Some(bytes) => Ok(LeftFile {
                bytes: bytes.len() as u64,
                executable: false,
                shared: None,
                content: Box::new(Cursor::new(bytes)),
            }),
        },
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.release();
    }
}
