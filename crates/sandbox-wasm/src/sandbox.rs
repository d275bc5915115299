//! One sandbox of the `instance` level: a jail with a worker that runs one guest.

use std::io;
use std::time::Duration;

use async_trait::async_trait;
use atoll_jail::seccomp::Profile;
use atoll_jail::{Jail, JailError, ProgramEnd, Running, sys};
use atoll_sandbox::{
    CreateError, DestroyError, Ending, Job, Leaving, Leavings, LeavingsError, LeftFile, Lifecycle,
    Sandbox, StartError, State, Streams,
};
use atoll_types::{Enforcement, Layer, LayerReport, LayerState, Level, LimitName, Limits, Usage};

use crate::ending::{Conclusion, conclude};
use crate::protocol::{GuestKind, Status};
use crate::worker::{self, Next, StatusPipe};

/// A jail, the worker in it, and what the worker has reported.
pub(crate) struct WasmSandbox {
    jail: Jail,
    limits: Limits,
    enforcement: Enforcement,
    lifecycle: Lifecycle,
    status: Option<StatusPipe>,
    conclusion: Option<Conclusion>,
}

impl WasmSandbox {
    pub(crate) fn new(jail: Jail, limits: Limits) -> Self {
        let mut layers = jail.layers(Profile::WasmWorker);
        layers.push(instance_layer(None));
        Self {
            jail,
            limits,
            enforcement: Enforcement {
                level: Level::Instance,
                layers,
            },
            lifecycle: Lifecycle::default(),
            status: None,
            conclusion: None,
        }
    }

    /// Waits until the program's code is about to run. Compiling is part of this: it happens in
    /// the jail, under its limits, and for no longer than the program itself may run.
    async fn started(&mut self, mut status: StatusPipe) -> Result<StatusPipe, StartError> {
        let patience = Duration::from_millis(self.limits.wall_time_ms);
        let waiting = async {
            while status.report().started.is_none() && status.report().end.is_none() {
                match status
                    .next()
                    .await
                    .map_err(internal("hear from the worker"))?
                {
                    Next::News => {}
                    Next::Closed => return Err(self.ended_early().await),
                    Next::Wrong(error) => {
                        let error = io::Error::new(io::ErrorKind::InvalidData, error);
                        return Err(internal("understand the worker")(error));
                    }
                }
            }
            Ok(())
        };
        match tokio::time::timeout(patience, waiting).await {
            Ok(waited) => waited?,
            Err(_) => return Err(StartError::Limit(LimitName::WallTime)),
        }
        match &status.report().end {
            None => {}
            Some(Status::Refused { reason }) => return Err(StartError::Program(reason.clone())),
            Some(end) => {
                let error = io::Error::other(format!("{end:?}"));
                return Err(internal("start the WebAssembly worker")(error));
            }
        }
        self.confirm(status.report().ready.unwrap_or(0))?;
        Ok(status)
    }

    /// A worker that did not close itself in does not get to run anything.
    fn confirm(&mut self, system_calls: u32) -> Result<(), StartError> {
        let report = instance_layer(Some(system_calls));
        if report.state == LayerState::Missing {
            let missing = vec![report];
            return Err(StartError::NotEnforceable {
                level: Level::Instance,
                missing,
            });
        }
        self.enforcement
            .layers
            .retain(|layer| layer.layer != Layer::WasmInstance);
        self.enforcement.layers.push(report);
        Ok(())
    }

    /// Why a worker ended before it had said anything about its program.
    async fn ended_early(&mut self) -> StartError {
        let ended = self.jail.wait().await;
        if let Some(limit) = self.jail.limit_hit() {
            return StartError::Limit(limit);
        }
        let found = match ended {
            Some(ProgramEnd::Exited(code)) => format!("it ended with code {code}"),
            Some(ProgramEnd::Signalled(signal)) => format!("signal {signal} ended it"),
            None => "the first process of the sandbox ended".to_owned(),
        };
        internal("start the WebAssembly worker")(io::Error::other(found))
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
        self.jail.set_limits(worker::jail_limits(limits))?;
        self.limits = *limits;
        Ok(())
    }

    async fn start(&mut self, job: Job) -> Result<Streams, StartError> {
        self.lifecycle
            .advance(State::Running)
            .map_err(|error| internal("start a job in a sandbox")(io::Error::other(error)))?;
        let kind = GuestKind::of(job.program.kind).ok_or_else(|| {
            StartError::Program(format!("a {} program is not WebAssembly", job.program.kind))
        })?;
        sys::take_short_turns();
        let (command, status) = worker::command(kind, job, &self.limits).map_err(prepared)?;
        let Running {
            stdin,
            stdout,
            stderr,
        } = self.jail.start(command).await.map_err(start_error)?;
        self.status = Some(self.started(status).await?);
        Ok(Streams {
            stdin,
            stdout,
            stderr,
        })
    }

    fn usage(&self) -> Usage {
        self.jail.usage()
    }

    fn limit_hit(&self) -> Option<LimitName> {
        let own = self
            .conclusion
            .as_ref()
            .and_then(|conclusion| conclusion.limit);
        self.jail.limit_hit().or(own)
    }

    async fn wait(&mut self) -> Ending {
        if let Some(conclusion) = &self.conclusion {
            return conclusion.ending.clone();
        }
        let ended = self.jail.wait().await;
        let conclusion = match &mut self.status {
            Some(status) => {
                status.drain();
                conclude(ended, status.report())
            }
            None => Conclusion {
                ending: Ending::Lost("the program was never started".to_owned()),
                limit: None,
            },
        };
        // Only the first wait finds the sandbox running.
        let _ = self.lifecycle.advance(State::Ended);
        self.conclusion.insert(conclusion).ending.clone()
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

    async fn destroy(mut self: Box<Self>) -> Result<(), DestroyError> {
        let _ = self.lifecycle.advance(State::Destroyed);
        self.jail.destroy().await.map_err(|source| DestroyError {
            what: "the sandbox's processes and cgroups".to_owned(),
            source,
        })
    }
}

/// The layer that the worker adds to its jail; with the number of system calls left to it, once it
/// has said so.
pub(crate) fn instance_layer(system_calls: Option<u32>) -> LayerReport {
    let (state, detail) = match system_calls {
        Some(0) => (
            LayerState::Missing,
            "the worker has not closed itself in".to_owned(),
        ),
        Some(left) => (
            LayerState::Enforced,
            format!("own memory, in a worker with {left} system calls left"),
        ),
        None => (
            LayerState::Enforced,
            "own memory, in a worker that gives up system calls before it starts".to_owned(),
        ),
    };
    LayerReport {
        layer: Layer::WasmInstance,
        state,
        detail,
    }
}

fn leaving(left: atoll_jail::Leaving) -> Leaving {
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
            level: Level::Instance,
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
            level: Level::Instance,
            missing,
        },
        JailError::Limit(limit) => StartError::Limit(limit),
        // The program that the jail executes is the worker, not the guest.
        JailError::Helper(missing) => internal("find the worker")(io::Error::other(missing)),
        JailError::Program(attempt, source) | JailError::Internal(attempt, source) => {
            StartError::Internal { attempt, source }
        }
    }
}

/// A job that the protocol cannot carry is the job's fault; anything else is ours.
fn prepared(error: io::Error) -> StartError {
    if error.kind() == io::ErrorKind::InvalidInput {
        StartError::Program(error.to_string())
    } else {
        internal("prepare the WebAssembly worker")(error)
    }
}

fn internal(attempt: &str) -> impl FnOnce(io::Error) -> StartError {
    let attempt = attempt.to_owned();
    move |source| StartError::Internal { attempt, source }
}
