//! One sandbox of the `process` level.

use std::io::ErrorKind;

use async_trait::async_trait;
use atoll_jail::{Command, Jail, JailError, ProgramEnd, Running, sys};
use atoll_sandbox::{
    CreateError, DestroyError, Ending, InputEnd, Job, Leaving, Leavings, LeavingsError, LeftFile,
    Lifecycle, OutputEnd, RenewError, Sandbox, StartError, State, Streams,
};
use atoll_types::calls::CallAudit;
use atoll_types::{Enforcement, Level, LimitName, Limits, Usage};

use crate::environment::CommandLine;
use crate::waiting::{Handed, NotStarted, Waiting};

/// A jail with a command line to be.
pub(crate) struct ProcessSandbox {
    jail: Jail,
    command: CommandLine,
    enforcement: Enforcement,
    lifecycle: Lifecycle,
    waiting: Option<Waiting>,
    /// What has become of the program that the interpreter was handed.
    handed: Option<Handed>,
}

impl ProcessSandbox {
    /// A jail, and the copy of an interpreter that waits in it, if one does.
    pub(crate) fn new(jail: Jail, command: CommandLine, waiting: Option<Waiting>) -> Self {
        let enforcement = Enforcement {
            level: Level::Process,
            layers: jail.layers(command.profile()),
        };
        Self {
            jail,
            command,
            enforcement,
            lifecycle: Lifecycle::default(),
            waiting,
            handed: None,
        }
    }

    /// Hands a job to the interpreter that waits for it. Where nothing can be wrong with the job's
    /// files, this process goes on while the program starts, and hears of that when it has ended.
    async fn start_waiting(
        &mut self,
        waiting: Waiting,
        command: Command,
    ) -> Result<Running, StartError> {
        self.jail.check_fits(&command).map_err(start_error)?;
        let has_room = self.jail.has_ample_room(&command);
        self.jail.restart_clock();
        let handed = waiting.hand_over(&command);
        let (running, mut handed) = handed.map_err(|error| self.not_started(error))?;
        if !has_room {
            let started = handed.started().await;
            let begun = started.map_err(|error| self.not_started(error))?;
            self.jail.begins_with(begun.done);
        }
        self.handed = Some(handed);
        Ok(running)
    }

    fn not_started(&self, error: NotStarted) -> StartError {
        match error {
            NotStarted::Files(error) if error.kind() == ErrorKind::StorageFull => {
                StartError::Limit(LimitName::Disk)
            }
            NotStarted::Files(source) => internal("place the files", source),
            NotStarted::Lost(source) => match self.jail.limit_hit() {
                Some(limit) => StartError::Limit(limit),
                None => internal("hand the job to the interpreter", source),
            },
        }
    }
}

fn internal(attempt: &str, source: std::io::Error) -> StartError {
    StartError::Internal {
        attempt: attempt.to_owned(),
        source,
    }
}

#[async_trait]
impl Sandbox for ProcessSandbox {
    fn state(&self) -> State {
        self.lifecycle.state()
    }

    fn enforcement(&self) -> &Enforcement {
        &self.enforcement
    }

    fn set_limits(&mut self, limits: &Limits) -> std::io::Result<()> {
        self.jail.set_limits(*limits)
    }

    async fn rehearse(&mut self) -> std::io::Result<()> {
        match &mut self.waiting {
            Some(waiting) => {
                let rehearsal = self.command.rehearsal();
                waiting.rehearse(&rehearsal).await
            }
            None => Ok(()),
        }
    }

    async fn draw_anew(&mut self) -> std::io::Result<()> {
        match &self.waiting {
            Some(waiting) => waiting.draw_anew().await,
            None => Ok(()),
        }
    }

    async fn start(&mut self, job: Job) -> Result<Streams, StartError> {
        self.lifecycle
            .advance(State::Running)
            .map_err(|error| StartError::Internal {
                attempt: "start a job in a sandbox".to_owned(),
                source: std::io::Error::other(error),
            })?;
        sys::take_short_turns();
        let command = self.command.command(job);
        let running = match self.waiting.take() {
            Some(waiting) => self.start_waiting(waiting, command).await?,
            None => self.jail.start(command).await.map_err(start_error)?,
        };
        Ok(Streams {
            stdin: InputEnd::Pipe(running.stdin),
            stdout: OutputEnd::Pipe(running.stdout),
            stderr: OutputEnd::Pipe(running.stderr),
        })
    }

    fn usage(&self) -> Usage {
        self.jail.usage()
    }

    fn memory_bytes(&self) -> u64 {
        self.jail.memory_bytes()
    }

    fn calls(&self) -> Option<CallAudit> {
        self.jail.audit()
    }

    fn limit_hit(&self) -> Option<LimitName> {
        self.jail.limit_hit()
    }

    async fn wait(&mut self) -> Ending {
        let ended = self.jail.wait().await;
        // A second wait finds the state already moved on.
        let _ = self.lifecycle.advance(State::Ended);
        // Whatever the interpreter has said of the start was said before its end.
        if let (Some(handed), Some(_)) = (&mut self.handed, ended) {
            match handed.started().await {
                Ok(begun) => self.jail.begins_with(begun.done),
                Err(error) => return Ending::Lost(self.not_started(error).to_string()),
            }
        }
        // An end that was seen is the program's own, unless a rule had ended it already.
        let violation = self.jail.violation();
        if let Some(violation) = violation.filter(|it| it.by_rule || ended.is_none()) {
            return Ending::Violated(violation.what);
        }
        match ended {
            Some(ProgramEnd::Exited(code)) => Ending::Exited(code),
            Some(ProgramEnd::Signalled(signal)) => Ending::Signalled(signal),
            None => Ending::Lost("the first process of the sandbox ended".to_owned()),
        }
    }

    fn stop(&mut self) {
        self.jail.stop();
    }

    async fn leavings(&mut self) -> Result<Leavings, LeavingsError> {
        if self.lifecycle.state() != State::Ended {
            return Err(LeavingsError::NotEnded);
        }
        let left = self.jail.leavings().await;
        let left = left.map_err(|source| LeavingsError::Internal {
            attempt: "look at the files the program left".to_owned(),
            source,
        })?;
        Ok(Box::new(left.map(leaving)))
    }

    async fn renew(&mut self, limits: &Limits) -> Result<(), RenewError> {
        let failed = |source| RenewError { source };
        let renewed = self.jail.renew(*limits).await;
        renewed.map_err(|error| failed(std::io::Error::other(error)))?;
        let advanced = self.lifecycle.advance(State::Ready);
        advanced.map_err(|error| failed(std::io::Error::other(error)))
    }

    async fn destroy(mut self: Box<Self>) -> Result<(), DestroyError> {
        let _ = self.lifecycle.advance(State::Destroyed);
        self.jail.destroy().await.map_err(|source| DestroyError {
            what: "the sandbox's processes and cgroups".to_owned(),
            source,
        })
    }
}

/// What a jail has left, as it is collected.
#[must_use]
pub fn leaving(left: atoll_jail::Leaving) -> Leaving {
    Leaving {
        path: left.path,
        file: left.file.map(|file| LeftFile {
            bytes: file.bytes,
            executable: file.executable,
            shared: file.shared,
            content: Box::new(file.content),
        }),
    }
}

/// What the engine hears when a jail could not be made.
pub(crate) fn create_error(error: JailError) -> CreateError {
    match error {
        JailError::NotEnforceable(missing) => CreateError::NotEnforceable {
            level: Level::Process,
            missing,
        },
        JailError::Helper(missing) => CreateError::Environment(missing.to_string()),
        JailError::Limit(limit) => CreateError::Environment(format!(
            "the {limit} limit is too small for a sandbox; raise it in the policy"
        )),
        JailError::Program(attempt, source) | JailError::Internal(attempt, source) => {
            CreateError::Internal { attempt, source }
        }
    }
}

fn start_error(error: JailError) -> StartError {
    match error {
        JailError::NotEnforceable(missing) => StartError::NotEnforceable {
            level: Level::Process,
            missing,
        },
        JailError::Helper(missing) => StartError::Program(missing.to_string()),
        JailError::Limit(limit) => StartError::Limit(limit),
        JailError::Program(attempt, source) => {
            StartError::Program(format!("failed to {attempt}: {source}"))
        }
        JailError::Internal(attempt, source) => StartError::Internal { attempt, source },
    }
}
