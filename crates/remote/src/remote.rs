//! A sandbox behind a boundary.

use std::io;
use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use atoll_sandbox::{
    DestroyError, Ending, InputEnd, Job, Leaving, Leavings, LeavingsError, Lifecycle, OutputEnd,
    Sandbox, StartError, State, Streams, content_bytes,
};
use atoll_types::{Enforcement, IoUsage, LimitName, Limits, Usage};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use crate::agent::Agent;
use crate::driver::{Command, Conclusion, Driver, Ends, Shared};
use crate::outside::Outside;
use crate::protocol::{Hello, Order};

/// Pieces of input that wait to be sent.
const INPUT_PIECES: usize = 2;

/// A sandbox made of an agent and of what its boundary's owner does from outside.
pub struct Remote {
    outside: Arc<dyn Outside>,
    limits: Limits,
    enforcement: Enforcement,
    lifecycle: Lifecycle,
    /// What there was behind the boundary before there was a program.
    hello: Hello,
    /// Taken when the job starts.
    agent: Option<Agent>,
    running: Option<Running>,
}

struct Running {
    started: Instant,
    commands: mpsc::UnboundedSender<Command>,
    shared: Arc<Shared>,
    ended: oneshot::Receiver<Conclusion>,
    conclusion: Option<Conclusion>,
    wall_time_us: Option<u64>,
}

impl Remote {
    /// A sandbox whose agent has begun ([`Agent::begin`]).
    #[must_use]
    pub fn new(agent: Agent, outside: Box<dyn Outside>) -> Self {
        let outside: Arc<dyn Outside> = Arc::from(outside);
        let (limits, inside) = agent.begun.clone().unwrap_or((Limits::NONE, Vec::new()));
        let enforcement = Enforcement {
            level: outside.level(),
            layers: outside.layers(inside),
        };
        Self {
            outside,
            limits,
            enforcement,
            lifecycle: Lifecycle::default(),
            hello: agent.hello().clone(),
            agent: Some(agent),
            running: None,
        }
    }

    /// The boundary, for its owner.
    #[must_use]
    pub fn outside(&self) -> &dyn Outside {
        &*self.outside
    }

    fn check_job(&self, job: &Job) -> Result<(), StartError> {
        let unsupported = if job.parts.is_some() {
            "a program made of several components"
        } else if !job.calls.is_empty() {
            "a program with rules for calls"
        } else if content_bytes(&job.program.bytes, &job.files) > self.limits.disk_bytes {
            return Err(StartError::Limit(LimitName::Disk));
        } else {
            return Ok(());
        };
        let level = self.enforcement.level;
        let text = format!("the level {level} does not run {unsupported}");
        Err(StartError::Program(text))
    }

    /// Hands the job to the agent, and waits until it says that the program runs.
    async fn run(&mut self, job: Job) -> Result<Streams, StartError> {
        self.check_job(&job)?;
        let gone = || internal("start a job")(io::ErrorKind::NotConnected.into());
        let agent = self.agent.take().ok_or_else(gone)?;
        let (commands, orders) = mpsc::unbounded_channel();
        let (stdin, input) = mpsc::channel(INPUT_PIECES);
        let (stdout, stdout_end) = mpsc::unbounded_channel();
        let (stderr, stderr_end) = mpsc::unbounded_channel();
        let (started, starting) = oneshot::channel();
        let (ended, ending) = oneshot::channel();
        let shared = Arc::new(Shared::default());
        let ends = Ends {
            input,
            stdout,
            stderr,
            started,
            ended,
        };
        let driver = Driver::new(
            agent,
            Arc::clone(&self.outside),
            Arc::clone(&shared),
            orders,
            ends,
        );
        self.outside.restart_clock();
        self.running = Some(Running {
            started: Instant::now(),
            commands,
            shared,
            ended: ending,
            conclusion: None,
            wall_time_us: None,
        });
        let driver = driver.begin(job, &self.limits)?;
        tokio::spawn(driver.drive());
        let patience = self.outside.patience();
        let answer = match timeout(patience, starting).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(internal("start a job")(io::ErrorKind::UnexpectedEof.into())),
            Err(_) => Err(internal("hear from the program's start")(
                io::ErrorKind::TimedOut.into(),
            )),
        };
        if let Err(error) = answer {
            self.outside.kill();
            return Err(match self.outside.limit_hit() {
                Some(limit) => StartError::Limit(limit),
                None => self.not_enforceable(error),
            });
        }
        Ok(Streams {
            stdin: InputEnd::Pieces(stdin),
            stdout: OutputEnd::Pieces(stdout_end),
            stderr: OutputEnd::Pieces(stderr_end),
        })
    }

    /// What is missing inside is missing at this level.
    fn not_enforceable(&self, error: StartError) -> StartError {
        match error {
            StartError::NotEnforceable { missing, .. } => StartError::NotEnforceable {
                level: self.enforcement.level,
                missing,
            },
            error => error,
        }
    }
}

impl Running {
    fn order(&self, command: Command) -> io::Result<()> {
        let sent = self.commands.send(command);
        sent.map_err(|_| io::ErrorKind::NotConnected.into())
    }

    fn elapsed_us(&self) -> u64 {
        let elapsed = self.started.elapsed().as_micros();
        self.wall_time_us
            .unwrap_or_else(|| u64::try_from(elapsed).unwrap_or(u64::MAX))
    }

    async fn conclusion(&mut self) -> &Conclusion {
        if self.conclusion.is_none() {
            let ended = (&mut self.ended).await;
            let gone = |_| Conclusion::lost("what spoke with the agent ended");
            self.conclusion = Some(ended.unwrap_or_else(gone));
            self.wall_time_us = Some(self.elapsed_us());
        }
        let lost = || Conclusion::lost("its end was not told");
        self.conclusion.get_or_insert_with(lost)
    }
}

#[async_trait]
impl Sandbox for Remote {
    fn state(&self) -> State {
        self.lifecycle.state()
    }

    fn enforcement(&self) -> &Enforcement {
        &self.enforcement
    }

    /// Before the start, the agent hears of limits with the job. While a program runs it is told at
    /// once; that it could not do so is known at the next call.
    fn set_limits(&mut self, limits: &Limits) -> io::Result<()> {
        let refused = self
            .running
            .as_ref()
            .map(|running| running.shared.refused());
        if let Some(reason) = refused.flatten() {
            return Err(io::Error::other(reason));
        }
        self.outside.set_limits(limits)?;
        if let Some(running) = self.running.as_ref().filter(|it| it.conclusion.is_none()) {
            running.order(Command::Order(Order::SetLimits(*limits)))?;
        }
        self.limits = *limits;
        Ok(())
    }

    async fn rehearse(&mut self) -> io::Result<()> {
        let agent = self.agent.as_mut().ok_or(io::ErrorKind::NotConnected)?;
        agent.rehearse().await.map_err(io::Error::other)
    }

    async fn start(&mut self, job: Job) -> Result<Streams, StartError> {
        self.lifecycle
            .advance(State::Running)
            .map_err(|error| internal("start a job in a sandbox")(io::Error::other(error)))?;
        self.run(job).await
    }

    fn usage(&self) -> Usage {
        let Some(running) = &self.running else {
            return Usage::default();
        };
        let (inside, _) = running.shared.progress();
        let wall_time_us = running.elapsed_us();
        // Nothing can have used more than there is; an agent that says so has been taken over.
        let cpu_time_us = wall_time_us.saturating_mul(self.hello.processors.max(1).into());
        self.outside.usage(Usage {
            wall_time_us,
            cpu_time_us: inside.cpu_time_us.min(cpu_time_us),
            memory_peak_bytes: inside.memory_peak_bytes.min(self.hello.memory_bytes),
            disk_bytes: inside.disk_bytes.min(self.limits.disk_bytes),
            output_bytes: 0,
            io: inside
                .io
                .map(|io| io.min(&IoUsage::possible_in(cpu_time_us))),
            ..inside
        })
    }

    fn idle_bytes(&self) -> u64 {
        self.outside.memory_bytes()
    }

    fn memory_bytes(&self) -> u64 {
        self.outside.memory_bytes()
    }

    fn limit_hit(&self) -> Option<LimitName> {
        let running = self.running.as_ref()?;
        let (_, inside) = running.shared.progress();
        self.outside.limit_hit().or(inside)
    }

    async fn wait(&mut self) -> Ending {
        let ending = match &mut self.running {
            None => Ending::Lost("the program was never started".to_owned()),
            Some(running) => running.conclusion().await.ending.clone(),
        };
        // A second wait finds the state already moved on.
        let _ = self.lifecycle.advance(State::Ended);
        ending
    }

    fn stop(&mut self) {
        let Some(running) = &self.running else {
            return;
        };
        // Whoever does not hear of it has ended.
        let _ = running.order(Command::Stop);
    }

    async fn leavings(&mut self) -> Result<Leavings, LeavingsError> {
        let failed = |source| LeavingsError::Internal {
            attempt: "look at the files the program left".to_owned(),
            source,
        };
        let running = match &self.running {
            Some(running) if self.lifecycle.state() == State::Ended => running,
            _ => return Err(LeavingsError::NotEnded),
        };
        if let Some(left) = self.outside.leavings().await {
            return left.map_err(failed);
        }
        let (answer, left) = oneshot::channel();
        let command = Command::Collect {
            bytes_max: self.limits.disk_bytes,
            files_max: self.limits.disk_files,
            answer,
        };
        running.order(command).map_err(failed)?;
        let left = left.await;
        let left: Vec<Leaving> = left
            .unwrap_or_else(|_| Err(io::ErrorKind::UnexpectedEof.into()))
            .map_err(failed)?;
        Ok(Box::new(left.into_iter()))
    }

    async fn destroy(mut self: Box<Self>) -> Result<(), DestroyError> {
        let _ = self.lifecycle.advance(State::Destroyed);
        self.agent = None;
        self.outside.destroy().await
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        if self.lifecycle.state() != State::Destroyed {
            self.outside.kill();
        }
    }
}

pub(crate) fn internal(attempt: &str) -> impl FnOnce(io::Error) -> StartError {
    let attempt = attempt.to_owned();
    move |source| StartError::Internal { attempt, source }
}
