//! One program that runs plainly.

use std::io::{self, ErrorKind};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use atoll_jail::seccomp::Profile;
use atoll_jail::{Command, Leavings as LeftBehind, ProgramEnd, Running};
use atoll_sandbox::{
    DestroyError, Ending, InputEnd, Job, Leavings, LeavingsError, Lifecycle, OutputEnd, Sandbox,
    StartError, State, Streams, content_bytes,
};
use atoll_sandbox_process::{CommandLine, Ends, Handed, NotStarted, Waiting, leaving};
use atoll_types::{Enforcement, Layer, LayerReport, LayerState, Level, LimitName, Limits, Usage};
use rustix::fs::{Mode, OFlags};
use rustix::process::Signal;
use tokio::signal::unix::Signal as Signals;
use tokio::time::timeout;

use crate::processes::{self, Processes};
use crate::{Place, start};

/// How often the program's processes are counted. One that forks for ever has all that it may have
/// for longer than this, because each of them then fails in its own time.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// A place for one program.
pub(crate) struct PlainSandbox {
    place: Place,
    command: CommandLine,
    pub(crate) limits: Limits,
    enforcement: Enforcement,
    lifecycle: Lifecycle,
    /// An interpreter that waits for its program.
    waiting: Option<Waiting>,
    handed: Option<Handed>,
    processes: Option<Processes>,
    started: Option<Instant>,
    /// The most processes and threads that were seen at once.
    processes_peak: AtomicU32,
}

impl PlainSandbox {
    pub(crate) fn new(place: Place, command: CommandLine, limits: Limits) -> Self {
        let filter = place.filters.then(|| command.profile());
        Self {
            place,
            command,
            limits,
            enforcement: Enforcement {
                level: Level::Process,
                layers: layers(filter),
            },
            lifecycle: Lifecycle::default(),
            waiting: None,
            handed: None,
            processes: None,
            started: None,
            processes_peak: AtomicU32::new(0),
        }
    }

    /// Starts an interpreter that waits for its program.
    pub(crate) async fn start_interpreter(&mut self) -> io::Result<()> {
        let mut ends = Ends::new()?;
        let Some(command) = self.command.waiting(ends.take_inner()) else {
            return Ok(());
        };
        let running = self.spawn(&command, processes::hear()?)?;
        // Its own ends of what it was given would keep them open.
        drop(command);
        self.waiting = Some(ends.ready(running).await?);
        Ok(())
    }

    fn spawn(&mut self, command: &Command, signals: Signals) -> io::Result<Running> {
        let (process, running) = start::start(&self.place, command, &self.limits)?;
        self.processes = Some(Processes::new(process, signals)?);
        Ok(running)
    }

    async fn start_waiting(
        &mut self,
        waiting: Waiting,
        command: Command,
    ) -> Result<Running, StartError> {
        let handed = waiting.hand_over(&command);
        let (running, handed) = handed.map_err(not_started)?;
        self.handed = Some(handed);
        Ok(running)
    }

    fn start_new(&mut self, command: &Command) -> Result<Running, StartError> {
        let placed = start::place_files(&self.place, &command.files);
        placed.map_err(|error| not_started(NotStarted::Files(error)))?;
        let signals = processes::hear().map_err(internal("listen for the program's end"))?;
        self.spawn(command, signals).map_err(|error| {
            let path = String::from_utf8_lossy(&command.path);
            StartError::Program(format!("failed to execute {path}: {error}"))
        })
    }

    /// Processes and threads that were seen at once, the ones of now included.
    fn processes_peak(&self) -> u32 {
        let processes = self.processes.as_ref().map_or(0, Processes::count);
        let before = self.processes_peak.fetch_max(processes, Ordering::Relaxed);
        before.max(processes)
    }

    /// Whether the program, which has ended, had all the processes that it may have: it is one of
    /// them.
    fn had_all_processes(&self) -> bool {
        let at_once = self.processes.as_ref().map_or(0, Processes::at_once_max);
        let at_once = at_once.saturating_add(1);
        at_once.max(self.processes_peak()) >= self.limits.processes
    }

    /// Bytes in private files, and whether there is no room for more.
    fn disk(&self) -> (u64, bool) {
        let Ok(files) = rustix::fs::statfs(&self.place.work) else {
            return (0, false);
        };
        let used = files.f_blocks.saturating_sub(files.f_bfree);
        let block_bytes = u64::try_from(files.f_bsize).unwrap_or(0);
        let is_full = files.f_bfree == 0 || (files.f_files > 0 && files.f_ffree == 0);
        (used.saturating_mul(block_bytes), is_full)
    }
}

#[async_trait]
impl Sandbox for PlainSandbox {
    fn state(&self) -> State {
        self.lifecycle.state()
    }

    fn enforcement(&self) -> &Enforcement {
        &self.enforcement
    }

    /// Whoever owns the boundary holds them.
    fn set_limits(&mut self, limits: &Limits) -> io::Result<()> {
        self.limits = *limits;
        Ok(())
    }

    async fn rehearse(&mut self) -> io::Result<()> {
        match &self.waiting {
            Some(waiting) => waiting.rehearse(&self.command.rehearsal()).await,
            None => Ok(()),
        }
    }

    async fn start(&mut self, job: Job) -> Result<Streams, StartError> {
        self.lifecycle
            .advance(State::Running)
            .map_err(|error| internal("start a job in a sandbox")(io::Error::other(error)))?;
        if content_bytes(&job.program.bytes, &job.files) > self.limits.disk_bytes {
            return Err(StartError::Limit(LimitName::Disk));
        }
        let command = self.command.command(job);
        self.started = Some(Instant::now());
        let running = match self.waiting.take() {
            Some(waiting) => self.start_waiting(waiting, command).await?,
            None => self.start_new(&command)?,
        };
        Ok(Streams {
            stdin: InputEnd::Pipe(running.stdin),
            stdout: OutputEnd::Pipe(running.stdout),
            stderr: OutputEnd::Pipe(running.stderr),
        })
    }

    /// Memory and processors are counted from outside.
    fn usage(&self) -> Usage {
        let Some(started) = self.started else {
            return Usage::default();
        };
        Usage {
            wall_time_us: u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX),
            disk_bytes: self.disk().0,
            processes_peak: self.processes_peak(),
            ..Usage::default()
        }
    }

    /// Running out of files is for the program to handle; it counts only once that has failed.
    fn limit_hit(&self) -> Option<LimitName> {
        let signalled = |signal: Signal| ProgramEnd::Signalled(signal.as_raw());
        let ended = self.processes.as_ref().and_then(Processes::ended)?;
        if ended == signalled(Signal::XFSZ) {
            Some(LimitName::Disk)
        } else if ended == signalled(Signal::XCPU) {
            Some(LimitName::CpuTime)
        } else if ended != ProgramEnd::Exited(0) && self.disk().1 {
            Some(LimitName::Disk)
        } else if ended != ProgramEnd::Exited(0) && self.had_all_processes() {
            Some(LimitName::Processes)
        } else {
            None
        }
    }

    async fn wait(&mut self) -> Ending {
        let Some(processes) = &mut self.processes else {
            return Ending::Lost("the program was never started".to_owned());
        };
        let ended = loop {
            match timeout(LOOK_EVERY, processes.wait()).await {
                Ok(ended) => break ended,
                // Waiting can be cancelled, and goes on with the next round.
                Err(_) if processes.may_have_more() => {
                    let count = processes.count();
                    self.processes_peak.fetch_max(count, Ordering::Relaxed);
                }
                Err(_) => {}
            }
        };
        // A second wait finds the state already moved on.
        let _ = self.lifecycle.advance(State::Ended);
        // Whatever the interpreter has said of the start was said before its end.
        if let Some(handed) = &mut self.handed
            && let Err(error) = handed.started().await
        {
            return Ending::Lost(not_started(error).to_string());
        }
        match ended {
            ProgramEnd::Exited(code) => Ending::Exited(code),
            ProgramEnd::Signalled(signal) => Ending::Signalled(signal),
        }
    }

    fn stop(&mut self) {
        if let Some(processes) = &self.processes {
            processes.kill();
        }
    }

    async fn leavings(&mut self) -> Result<Leavings, LeavingsError> {
        if self.lifecycle.state() != State::Ended {
            return Err(LeavingsError::NotEnded);
        }
        if let Some(processes) = &mut self.processes {
            processes.gone().await;
        }
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let work = rustix::fs::open(&self.place.work, flags, Mode::empty());
        let left = work.map_err(io::Error::from);
        let left = left.and_then(|work| {
            LeftBehind::below(std::os::fd::AsFd::as_fd(&work), self.limits.disk_files)
        });
        let left = left.map_err(|source| LeavingsError::Internal {
            attempt: "look at the files the program left".to_owned(),
            source,
        })?;
        Ok(Box::new(left.map(leaving)))
    }

    async fn destroy(mut self: Box<Self>) -> Result<(), DestroyError> {
        let _ = self.lifecycle.advance(State::Destroyed);
        if let Some(processes) = &mut self.processes {
            processes.gone().await;
        }
        Ok(())
    }
}

impl Drop for PlainSandbox {
    fn drop(&mut self) {
        if self.lifecycle.state() != State::Destroyed {
            self.stop();
        }
    }
}

/// What is in force here, with such a filter of system calls.
pub(crate) fn layers(filter: Option<Profile>) -> Vec<LayerReport> {
    let layers = [
        (
            Layer::NoCapabilities,
            "the program is not root, and starts without any",
        ),
        (Layer::ResourceLimits, "of the program's processes"),
        (
            Layer::ClosedDescriptors,
            "only its standard streams are open",
        ),
    ];
    let layers = layers.map(|(layer, detail)| (layer, detail.to_owned()));
    let filter = filter.map(|profile| (Layer::Seccomp, profile.describe()));
    let enforced = |(layer, detail)| LayerReport {
        layer,
        state: LayerState::Enforced,
        detail,
    };
    layers.into_iter().chain(filter).map(enforced).collect()
}

fn not_started(error: NotStarted) -> StartError {
    match error {
        NotStarted::Files(error) if error.kind() == ErrorKind::StorageFull => {
            StartError::Limit(LimitName::Disk)
        }
        NotStarted::Files(source) => internal("place the files")(source),
        NotStarted::Lost(source) => internal("hand the job to the interpreter")(source),
    }
}

fn internal(attempt: &str) -> impl FnOnce(io::Error) -> StartError {
    let attempt = attempt.to_owned();
    move |source| StartError::Internal { attempt, source }
}
