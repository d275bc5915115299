//! One sandbox of the `instance` level: a place for one message in a worker.

use std::collections::BTreeSet;
use std::io::{self, Cursor};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use atoll_jail::JailBeginning;
use atoll_sandbox::{
    DestroyError, Domain, Ending, InputEnd, Job, JobParts, Leaving, Leavings, LeavingsError,
    LeftFile, Lifecycle, OutputEnd, Sandbox, StartError, State, Streams, Tenancy, Terms,
};
use atoll_types::calls::CallAudit;
use atoll_types::{Enforcement, IoUsage, Layer, LimitName, Limits, SkipReason, Usage};
use tokio::sync::oneshot;

use crate::Level;
use crate::code::Code;
use crate::ending::{Conclusion, conclude};
use crate::error::{internal, start_error};
use crate::link::{Finished, Left, LoadError};
use crate::message::message;
use crate::protocol::{GuestLimits, GuestUsage, Order, Serve};
use crate::split::Plan;
use crate::worker::{Served, Streamed, Worker, own_limits};
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
    /// Processes of a split program besides its own.
    others: Vec<Other>,
    number: u64,
    usage: Arc<Mutex<GuestUsage>>,
    ended: Option<oneshot::Receiver<Finished>>,
    started: Instant,
    stopped: Option<Instant>,
    /// How it ended, until that is told.
    conclusion: Option<(Conclusion, Option<CallAudit>)>,
}

/// A process with parts of a program that runs in another.
struct Other {
    place: Place,
    served: Served,
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
                    let own = Workers::own(&self.limits, 1, &self.accept_missing, None);
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

    /// Runs a program that is split.
    async fn run_split(&mut self, job: Job, parts: JobParts) -> Result<Streamed, StartError> {
        if parts.split.groups.len() > 1 && !job.calls.is_empty() {
            let text = "rules for calls can only be held in one store, and it would have several";
            return Err(StartError::Program(text.to_owned()));
        }
        let (limits, accept) = (self.limits, self.accept_missing.clone());
        let planning = self.level.plan(&job.program, &parts, &limits, &accept);
        let Plan {
            program,
            processes,
            limits: share,
        } = planning.await?;
        let mut message = message(job, program.number, &share).map_err(StartError::Program)?;
        let mut processes = processes.into_iter();
        let first = processes.next().unwrap_or_default();
        // What a program with parts makes of its worker is its own affair: none is shared with
        // other messages. One that was made ahead has room for one store.
        if let Some(place) = self.place.take() {
            place.leave().await;
        }
        let own = Workers::own(&share, first.stores(true), &accept, None);
        let place = Place::own(own.await.map_err(start_error)?);
        for code in &first.codes {
            load(&place, code).await?;
        }
        let mut others = Vec::new();
        for process in processes {
            let own = Workers::own(&share, process.stores(false), &accept, None);
            let place = Place::own(own.await.map_err(start_error)?);
            for code in &process.codes {
                load(&place, code).await?;
            }
            others.push((place, process));
        }
        message.run.links = first.links;
        message.streams = first.streams;
        let program_place = place;
        let handed = program_place.worker.run_streamed(message);
        let mut streamed = handed.map_err(internal("send the message"))?;
        let mut running = Vec::with_capacity(others.len());
        for (place, process) in others {
            let serve = Serve {
                message: 0,
                limits: GuestLimits::of(&share),
                links: process.links,
            };
            let outputs = streamed.outputs.clone();
            let served = place.worker.serve(serve, process.streams, outputs);
            let served = served.map_err(internal("send the parts of the program"));
            if served.is_err() {
                program_place.worker.link.kill("its parts are gone");
            }
            running.push(Other {
                place,
                served: served?,
            });
        }
        self.enforcement = program_place.worker.enforcement.clone();
        self.running = Some(Running {
            place: program_place,
            others: running,
            number: streamed.number,
            usage: Arc::clone(&streamed.usage),
            ended: streamed.ended.take(),
            started: Instant::now(),
            stopped: None,
            conclusion: None,
        });
        Ok(streamed)
    }

    async fn run(&mut self, mut job: Job) -> Result<Streamed, StartError> {
        if let Some(parts) = job.parts.take() {
            return self.run_split(job, *parts).await;
        }
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
                        others: Vec::new(),
                        number: streamed.number,
                        usage: Arc::clone(&streamed.usage),
                        ended: streamed.ended.take(),
                        started: Instant::now(),
                        stopped: None,
                        conclusion: None,
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
        let processes = self.running.as_ref().map_or(1, Running::processes);
        let share = Limits {
            memory_bytes: limits.memory_bytes / u64::from(processes),
            ..*limits
        };
        if let Some(running) = self.running.as_ref().filter(|_| memory_changes) {
            running.order_memory(share.memory_bytes)?;
        }
        let running = self.running.iter().flat_map(Running::places);
        for place in running.chain(&self.place).filter(|place| place.is_own) {
            if !self.enforcement.is_enforced(Layer::MemoryLimit) {
                return Err(io::ErrorKind::Unsupported.into());
            }
            place.worker.link.set_limits(own_limits(&share));
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
        let used = running.used();
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
            processes_peak: running.processes(),
            io: Some(used.io),
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

/// Makes sure that a worker has a part.
async fn load(place: &Place, code: &Code) -> Result<(), StartError> {
    match place.worker.load(code).await {
        Ok(()) => Ok(()),
        Err(LoadError::Unusable(reason)) => Err(StartError::Program(reason)),
        Err(LoadError::Gone) => {
            let text = "a worker ended before it had the parts of the program";
            Err(internal("load a part")(io::Error::other(text)))
        }
    }
}

impl Running {
    fn places(&self) -> impl Iterator<Item = &Place> {
        let others = self.others.iter().map(|other| &other.place);
        std::iter::once(&self.place).chain(others)
    }

    fn processes(&self) -> u32 {
        let others = u32::try_from(self.others.len()).unwrap_or(u32::MAX);
        others.saturating_add(1)
    }

    /// Changes how much memory each process may have.
    fn order_memory(&self, bytes: u64) -> io::Result<()> {
        let others = self.others.iter();
        let others = others.map(|other| (&other.place, other.served.number));
        for (place, message) in std::iter::once((&self.place, self.number)).chain(others) {
            let order = Order::Memory { message, bytes };
            place.worker.link.order(&order)?;
        }
        Ok(())
    }

    /// What all processes have used so far.
    fn used(&self) -> GuestUsage {
        let others = self.others.iter().map(|other| &other.served.usage);
        let elapsed_us = u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX);
        let mut sum = GuestUsage::default();
        for usage in std::iter::once(&self.usage).chain(others) {
            let mut used = *usage.lock().unwrap_or_else(PoisonError::into_inner);
            // One thread of each computes; a process that says otherwise has been taken over.
            used.cpu_time_us = used.cpu_time_us.min(elapsed_us);
            sum.wall_time_us = sum.wall_time_us.max(used.wall_time_us);
            sum.cpu_time_us = sum.cpu_time_us.saturating_add(used.cpu_time_us);
            sum.memory_peak_bytes = sum.memory_peak_bytes.saturating_add(used.memory_peak_bytes);
            sum.disk_bytes = sum.disk_bytes.saturating_add(used.disk_bytes);
            sum.io = sum.io.plus(&used.io.min(&IoUsage::possible_in(elapsed_us)));
        }
        sum
    }

    /// Ends the processes of parts, whose program has ended, and hears what they have used.
    async fn end_others(&mut self) {
        let going = |other: &&mut Other| other.served.ended.is_some();
        for other in self.others.iter_mut().filter(going) {
            let message = other.served.number;
            // One that is gone has stopped.
            let _ = other.place.worker.link.order(&Order::Stop { message });
        }
        for other in &mut self.others {
            let Some(ended) = &mut other.served.ended else {
                continue;
            };
            if tokio::time::timeout(STOP_TIME, ended).await.is_err() {
                let link = &other.place.worker.link;
                link.kill("the parts of a program did not stop in time");
            }
            other.served.ended = None;
        }
    }

    /// Lets go of what the worker has of the message, which has ended.
    async fn leave(mut self) {
        self.release();
        for place in self.places().filter(|place| place.is_own) {
            place.worker.link.gone().await;
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
        for place in self.places().filter(|place| place.is_own) {
            place.worker.link.close();
        }
    }

    /// Waits for the message's end. Cancelling loses nothing.
    async fn wait(&mut self) -> (Conclusion, Option<CallAudit>) {
        if let Some(ended) = &mut self.ended {
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
            self.conclusion = Some(match finished {
                Ok(finished) => (conclude(finished.end, self.place.is_own), finished.calls),
                Err(_) => (Conclusion::lost("the WebAssembly worker is gone"), None),
            });
        }
        self.end_others().await;
        let told = || (Conclusion::lost("its end has been told before"), None);
        self.conclusion.take().unwrap_or_else(told)
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
