//! One message's way through a worker: an instance made for it, its turns, its end.
//!
//! Owns what the supervisor can change about a guest while it runs, and what is left of it
//! afterwards. What a guest can reach is the host's business, how it ended is judged in `end`.

use std::collections::BTreeMap;
use std::future::Future;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use atoll_sandbox_wasm::protocol::{
    CALLS_TOLD_MAX, GuestEnd, GuestLimits, GuestUsage, Notice, OutputStream, PIECE_BYTES_MAX, Run,
};
use atoll_types::LimitName;
use atoll_types::calls::{Call, CallAudit, CallCounts, CallRules};
use atoll_wasm_worker::parts::LIFTED_BYTES_MAX;
use bytes::Bytes;
use tokio::sync::Notify;
use wasmtime::component::Component;
use wasmtime::{Engine, Store, UpdateDeadline};
use wasmtime_wasi::p2::bindings::CommandPre;

use crate::clock::{Clock, Over};
use crate::end::End;
use crate::host::files::{FileLimits, Files, Leaving};
use crate::host::preview1::Delays;
use crate::host::streams::{Closed, Feed, Input, Output, OutputName, Sink};
use crate::host::{self, Hit, Parts};
use crate::limiter::{Bound, Budget, Limiter, Teller};
use crate::outbox::Outbox;
use crate::program::{Command, ENTRY, Interpreter, Program, RUN};
use crate::serve::{Brought, Worker};
use crate::stores::{Common, Stores};

pub(crate) use crate::host::Guest;

/// How long past its time a guest that waits for its host may go on; one that runs ends before.
const GRACE: Duration = Duration::from_millis(2);

/// How often the supervisor hears of a guest that goes on.
const PROGRESS_EVERY: Duration = Duration::from_millis(20);

/// Bytes of output in one notice.
const OUTPUT_BYTES: usize = 64 << 10;

/// What the supervisor can do to a guest that runs.
pub(crate) struct Control {
    pub(crate) clock: Arc<Clock>,
    pub(crate) bound: Arc<Bound>,
    pub(crate) feed: Option<Feed>,
    pub(crate) stop: Arc<Notify>,
}

impl Control {
    /// Hands standard input over.
    pub(crate) fn feed(&self, bytes: Vec<u8>, ends: bool) {
        if let Some(feed) = &self.feed {
            feed.push(Bytes::from(bytes));
            if ends {
                feed.end();
            }
        }
    }

    /// Ends the guest, whatever it does.
    pub(crate) fn stop(&self) {
        self.clock.stop();
        self.stop.notify_one();
    }
}

/// The files of a guest that has ended.
pub(crate) struct Kept {
    files: Vec<Leaving>,
}

impl Kept {
    /// Sends all of them.
    pub(crate) fn send(self, outbox: &Outbox, message: u64) {
        for file in self.files {
            outbox.push(&Notice::Left {
                message,
                path: file.path,
                bytes: Some(file.bytes.len() as u64),
            });
            for piece in file.bytes.chunks(OUTPUT_BYTES) {
                outbox.push(&Notice::LeftBytes {
                    message,
                    bytes: piece.to_vec(),
                });
            }
        }
    }
}

/// Sends a guest's output on.
pub(crate) struct Told {
    pub(crate) message: u64,
    pub(crate) outbox: Outbox,
}

impl Sink for Told {
    fn poll_room(&mut self, _: OutputName, _: &mut Context<'_>) -> Poll<Result<usize, Closed>> {
        // The outbox waits for the supervisor, which always reads.
        Poll::Ready(Ok(OUTPUT_BYTES))
    }

    fn put(&mut self, name: OutputName, bytes: &[u8]) {
        let stream = match name {
            OutputName::Output => OutputStream::Stdout,
            OutputName::Error => OutputStream::Stderr,
        };
        for piece in bytes.chunks(OUTPUT_BYTES) {
            self.outbox.push(&Notice::Output {
                message: self.message,
                stream,
                bytes: piece.to_vec(),
            });
        }
    }
}

/// A guest that can be started.
struct Ready {
    message: u64,
    program: u64,
    keeps_files: bool,
    name: String,
    script: Bytes,
    arguments: Vec<String>,
    limits: GuestLimits,
    delays: Delays,
    guest: Result<Guest, String>,
    stores: Stores,
    clock: Arc<Clock>,
    bound: Arc<Bound>,
    stop: Arc<Notify>,
}

impl Worker {
    /// Everything that happens to a message, and the clock that its turns are counted with.
    pub(crate) fn guest(
        self: &Rc<Self>,
        program: Option<Rc<Program>>,
        run: Run,
        brought: Brought,
    ) -> (impl Future<Output = ()> + 'static, Arc<Clock>) {
        let clock = Clock::start(&run.limits);
        let is_script = matches!(program.as_deref(), Some(Program::Interpreter(_)));
        let ready = self.ready(run, is_script, brought, &clock);
        let worker = Rc::clone(self);
        (worker.run(program, ready), clock)
    }

    fn ready(&self, run: Run, is_script: bool, brought: Brought, clock: &Arc<Clock>) -> Ready {
        let message = run.message;
        let bound = Bound::new(run.limits.memory_bytes);
        let budget = if run.links.is_empty() {
            Arc::clone(&self.budget)
        } else {
            Budget::within(&self.budget, &bound)
        };
        let stop = Arc::new(Notify::new());
        let (input, feed) = self.input(message, run.input, run.input_ends);
        let control = Control {
            clock: Arc::clone(clock),
            bound: Arc::clone(&bound),
            feed,
            stop: Arc::clone(&stop),
        };
        self.guests.borrow_mut().insert(message, control);
        let teller = Teller {
            message,
            outbox: self.outbox.clone(),
        };
        let told = Told {
            message,
            outbox: self.outbox.clone(),
        };
        // One byte more shows that there was more.
        let output_bytes = run.limits.output_bytes.saturating_add(1);
        let (output, error) = Output::pair(Box::new(told), output_bytes);
        let stores = Stores {
            links: run.links,
            streams: brought.streams,
            common: Common {
                limits: run.limits,
                clock: Arc::clone(clock),
                bound: Arc::clone(&bound),
                budget: Arc::clone(&budget),
                progress: Arc::new(Progress::new(message, &self.outbox)),
                output: output.clone(),
                error: error.clone(),
            },
        };
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let arguments: Vec<String> = run.arguments.iter().map(|bytes| text(bytes)).collect();
        let own_name = std::iter::once(run.name.clone());
        let environment = run.environment.iter();
        let script = Bytes::from(run.script);
        let file_name = run.name.rsplit('/').next().unwrap_or_default();
        let own_file = is_script.then(|| (file_name.as_bytes().to_vec(), script.clone()));
        let given = brought.files.into_iter();
        let given = given.map(|(name, bytes)| (name, Bytes::from(bytes)));
        let guest = given_files(&run.limits, own_file.into_iter().chain(given)).map(|files| {
            Guest::new(Parts {
                arguments: own_name.chain(arguments.iter().cloned()).collect(),
                environment: environment
                    .map(|(name, value)| (text(name), text(value)))
                    .collect(),
                files,
                input,
                output,
                error,
                calls_max: run.limits.host_calls,
                rules: &run.calls,
                limiter: Limiter::new(run.limits, Arc::clone(&bound), budget, Some(teller)),
            })
        });
        Ready {
            message,
            program: run.program,
            keeps_files: run.keeps_files,
            name: run.name,
            script,
            arguments,
            limits: run.limits,
            delays: Delays::of(&run.calls),
            guest,
            stores,
            clock: Arc::clone(clock),
            bound,
            stop,
        }
    }

    fn input(&self, message: u64, bytes: Vec<u8>, ends: bool) -> (Input, Option<Feed>) {
        if ends {
            return (Input::whole(Bytes::from(bytes)), None);
        }
        let outbox = self.outbox.clone();
        let (input, feed) = Input::new(move || outbox.push(&Notice::WantsInput { message }));
        if !bytes.is_empty() {
            feed.push(Bytes::from(bytes));
        }
        (input, Some(feed))
    }

    async fn run(self: Rc<Self>, program: Option<Rc<Program>>, ready: Ready) {
        let running = self.ticker.run();
        let (message, keeps_files) = (ready.message, ready.keeps_files);
        let number = ready.program;
        let clock = Arc::clone(&ready.clock);
        let ended = match program.as_deref() {
            None => Err("the program is not in this worker".to_owned()),
            Some(Program::Module(module)) => self.run_module(module, ready).await,
            Some(Program::Component(command)) => self.run_component(command, ready).await,
            Some(Program::Parts(component)) => self.run_parts(component, ready).await,
            Some(Program::Interpreter(interpreter)) => {
                let ended = self.run_script(interpreter, ready).await;
                if let Some(program) = &program {
                    program.fill(&self, number);
                }
                ended
            }
        };
        let ended = ended.unwrap_or_else(Ended::refused);
        drop(running);
        self.guests.borrow_mut().remove(&message);
        if let Some(details) = ended.end.details {
            self.outbox.push(&Notice::Output {
                message,
                stream: OutputStream::Stderr,
                bytes: cut(details),
            });
        }
        if keeps_files && !ended.files.is_empty() {
            let files = ended.files;
            self.kept.borrow_mut().insert(message, Kept { files });
        }
        let calls = ended.calls.map(|audit| self.tell_calls(message, audit));
        self.outbox.push(&Notice::Ended {
            message,
            end: ended.end.end,
            calls,
            usage: GuestUsage {
                wall_time_us: clock.wall_us(),
                cpu_time_us: clock.cpu_us(),
                ..ended.usage
            },
        });
        if let Some(store) = ended.store {
            // An error means that nobody reads any more, which the worker's loop finds out, too.
            let _ = self.outbox.send_all();
            drop(store);
        }
        self.start_waiting();
    }

    /// Tells of the first calls one by one, and answers with how often each was made.
    fn tell_calls(&self, message: u64, audit: CallAudit) -> BTreeMap<Call, CallCounts> {
        for records in audit.records.chunks(CALLS_TOLD_MAX) {
            let records = records.to_vec();
            self.outbox.push(&Notice::Called { message, records });
        }
        audit.counts
    }

    async fn run_parts(
        self: &Rc<Self>,
        component: &Component,
        mut ready: Ready,
    ) -> Result<Ended, String> {
        let stores = ready.stores.take();
        let budget = Arc::clone(&stores.common.budget);
        let command = self.join(stores, component)?;
        let mut ended = self.run_component(&command, ready).await?;
        ended.usage.memory_peak_bytes = budget.peak_bytes();
        Ok(ended)
    }

    async fn run_module(&self, module: &Command, ready: Ready) -> Result<Ended, String> {
        let [engine, _] = &self.engines;
        let module = module.linked(self, ready.delays)?;
        let (guest, turn) = ready.split()?;
        let mut store = self.store(engine, guest, &turn);
        let called = turn
            .limited(async {
                let instance = module.instantiate_async(&mut store).await?;
                let entry = instance.get_typed_func::<(), ()>(&mut store, ENTRY)?;
                entry.call_async(&mut store, ()).await
            })
            .await;
        let called = called.map(|()| 0);
        Ok(Ended::of(called, store.data_mut(), turn.keeps_files))
    }

    async fn run_component(
        &self,
        command: &CommandPre<Guest>,
        ready: Ready,
    ) -> Result<Ended, String> {
        let [engine, _] = &self.engines;
        let (guest, turn) = ready.split()?;
        let mut store = self.store(engine, guest, &turn);
        let called = turn
            .limited(async {
                let command = command.instantiate_async(&mut store).await?;
                command.wasi_cli_run().call_run(&mut store).await
            })
            .await;
        // `run` has only one way to say that something went wrong.
        let code = called.map(|result| i32::from(result.is_err()));
        Ok(Ended::of(code, store.data_mut(), turn.keeps_files))
    }

    async fn run_script(&self, interpreter: &Interpreter, ready: Ready) -> Result<Ended, String> {
        let (name, script) = (ready.name.clone(), ready.script.clone());
        let arguments = ready.arguments.clone();
        let (mut guest, turn) = ready.split()?;
        let waiting = match interpreter.take() {
            Some(waiting) => Ok(waiting),
            None => turn.limited(interpreter.make(self)).await,
        };
        let mut waiting = match waiting {
            Ok(waiting) => waiting,
            Err(error) => return Ok(Ended::of(Err(error), &mut guest, turn.keeps_files)),
        };
        waiting.store.data_mut().hand_over(guest, |limiter| {
            let teller = Teller {
                message: turn.message,
                outbox: self.outbox.clone(),
            };
            limiter.hand_over(turn.limits, Arc::clone(&turn.bound), Some(teller));
        });
        self.watch(&mut waiting.store, &turn);
        let (store, instance) = (&mut waiting.store, waiting.instance);
        let called = turn
            .limited(async {
                type Arguments<'a> = (&'a [u8], &'a str, &'a [String]);
                let run = instance.get_typed_func::<Arguments<'_>, (u8,)>(&mut *store, RUN)?;
                let (code,) = run
                    .call_async(&mut *store, (&script, &name, &arguments))
                    .await?;
                Ok(i32::from(code))
            })
            .await;
        let ended = Ended::of(called, waiting.store.data_mut(), turn.keeps_files);
        Ok(Ended {
            store: Some(waiting.store),
            ..ended
        })
    }

    /// A store whose guest may run until its time is over.
    fn store(&self, engine: &Engine, guest: Guest, turn: &Turn) -> Store<Guest> {
        let mut store = Store::new(engine, guest);
        store.limiter_async(|guest| &mut guest.limiter);
        store.set_hostcall_fuel(LIFTED_BYTES_MAX);
        self.watch(&mut store, turn);
        store
    }

    /// Looks at the guest's time at every tick, and lets others have a turn.
    fn watch(&self, store: &mut Store<Guest>, turn: &Turn) {
        let clock = Arc::clone(&turn.clock);
        let progress = Progress::new(turn.message, &self.outbox);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(move |context| {
            if let Some(over) = clock.over() {
                return Err(over.into());
            }
            progress.tell(&clock, || used(context.data()));
            Ok(UpdateDeadline::Yield(1))
        });
    }

    /// A store for an instance that waits: it has nothing, and may take its time.
    pub(crate) fn blank_store(&self, limits: &GuestLimits) -> Store<Guest> {
        let [_, engine] = &self.engines;
        let told = Told {
            message: 0,
            outbox: self.outbox.clone(),
        };
        let (output, error) = Output::pair(Box::new(told), 0);
        let guest = Guest::new(Parts {
            arguments: Vec::new(),
            environment: Vec::new(),
            files: Files::new(file_limits(limits), host::wall_clock),
            input: Input::whole(Bytes::new()),
            output,
            error,
            calls_max: u64::MAX,
            rules: &CallRules::default(),
            limiter: Limiter::new(
                *limits,
                Bound::new(limits.memory_bytes),
                Arc::clone(&self.budget),
                None,
            ),
        });
        let mut store = Store::new(engine, guest);
        store.limiter_async(|guest| &mut guest.limiter);
        let clock = Clock::start(limits);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(move |_| match clock.over() {
            Some(over) => Err(over.into()),
            None => Ok(UpdateDeadline::Yield(1)),
        });
        store
    }
}

/// Tells the supervisor from time to time how far a guest is.
pub(crate) struct Progress {
    message: u64,
    outbox: Outbox,
    told_us: AtomicU64,
}

impl Progress {
    pub(crate) fn new(message: u64, outbox: &Outbox) -> Self {
        Self {
            message,
            outbox: outbox.clone(),
            told_us: AtomicU64::new(0),
        }
    }

    /// Tells what the guest has used, unless that was told a moment ago.
    pub(crate) fn tell(&self, clock: &Clock, used: impl FnOnce() -> GuestUsage) {
        let wall_time_us = clock.wall_us();
        let since_us = wall_time_us.saturating_sub(self.told_us.load(Ordering::Relaxed));
        if u128::from(since_us) < PROGRESS_EVERY.as_micros() {
            return;
        }
        self.told_us.store(wall_time_us, Ordering::Relaxed);
        let usage = GuestUsage {
            wall_time_us,
            cpu_time_us: clock.cpu_us(),
            ..used()
        };
        self.outbox.push(&Notice::Progress {
            message: self.message,
            usage,
        });
    }
}

/// What a guest's turns are held to.
pub(crate) struct Turn {
    pub(crate) message: u64,
    pub(crate) keeps_files: bool,
    pub(crate) limits: GuestLimits,
    pub(crate) clock: Arc<Clock>,
    pub(crate) bound: Arc<Bound>,
    pub(crate) stop: Arc<Notify>,
}

impl Ready {
    fn split(self) -> Result<(Guest, Turn), String> {
        let turn = Turn {
            message: self.message,
            keeps_files: self.keeps_files,
            limits: self.limits,
            clock: self.clock,
            bound: self.bound,
            stop: self.stop,
        };
        Ok((self.guest?, turn))
    }
}

impl Turn {
    /// Waits for a call's end, its time's, or the supervisor's wish. A guest that runs finds out by
    /// itself; this is for one that waits.
    pub(crate) async fn limited<T>(
        &self,
        call: impl Future<Output = wasmtime::Result<T>>,
    ) -> wasmtime::Result<T> {
        let until = self.clock.deadline().and_then(|at| at.checked_add(GRACE));
        let until = until.map(tokio::time::Instant::from_std);
        let over = async {
            match until {
                Some(until) => tokio::time::sleep_until(until).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            called = call => called,
            () = self.stop.notified() => Err(Over::Stopped.into()),
            () = over => Err(Over::Limit(LimitName::WallTime).into()),
        }
    }
}

/// A guest's end, and what is left of it.
struct Ended {
    end: End,
    usage: GuestUsage,
    files: Vec<Leaving>,
    /// What it called, if that was to be taken down.
    calls: Option<CallAudit>,
    /// What is left to take apart, where that takes so long that nobody should wait for it.
    store: Option<Store<Guest>>,
}

impl Ended {
    fn refused(reason: String) -> Self {
        Self {
            end: End {
                end: GuestEnd::Refused { reason },
                details: None,
            },
            usage: GuestUsage::default(),
            files: Vec::new(),
            calls: None,
            store: None,
        }
    }

    fn of(called: wasmtime::Result<i32>, guest: &mut Guest, keeps_files: bool) -> Self {
        let refused = guest.hit().and_then(|hit| match hit {
            Hit::Disk => Some(LimitName::Disk),
            Hit::Output => Some(LimitName::Output),
            // The guest is told of it, and there is no limit by which it ends.
            Hit::OpenFiles => None,
        });
        let end = match called {
            Ok(code) => End::exited(code, &guest.limiter, refused),
            Err(error) => End::of_error(&error, &guest.limiter, refused),
        };
        let usage = used(guest);
        let files = if keeps_files {
            guest.leavings()
        } else {
            Vec::new()
        };
        Self {
            end,
            usage,
            files,
            calls: guest.take_audit(),
            store: None,
        }
    }
}

/// What a guest has used, but for its time.
fn used(guest: &Guest) -> GuestUsage {
    let disk_bytes = guest.file_bytes();
    GuestUsage {
        memory_peak_bytes: guest.limiter.peak_bytes(),
        disk_bytes,
        io: guest.io(),
        ..GuestUsage::default()
    }
}

pub(crate) const fn file_limits(limits: &GuestLimits) -> FileLimits {
    FileLimits {
        bytes_max: limits.disk_bytes,
        files_max: limits.disk_files,
        open_max: limits.open_files as u64,
    }
}

/// The files that a guest begins with.
fn given_files(
    limits: &GuestLimits,
    given: impl Iterator<Item = (Vec<u8>, Bytes)>,
) -> Result<Files, String> {
    let mut files = Files::new(file_limits(limits), host::wall_clock);
    for (name, bytes) in given {
        files.add(&name, bytes).map_err(|_| {
            let name = String::from_utf8_lossy(&name);
            format!("the file {name:?} cannot be placed where the program finds it")
        })?;
    }
    Ok(files)
}

/// As much of a text as fits into one notice.
fn cut(text: String) -> Vec<u8> {
    let mut bytes = text.into_bytes();
    bytes.truncate(PIECE_BYTES_MAX.min(OUTPUT_BYTES));
    bytes
}
