//! A backend without a boundary: shell scripts as plain child processes, with faults on demand.

use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt as _;
use std::process::Stdio;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use async_trait::async_trait;
use atoll_sandbox::{
    Backend, Beginning, CreateError, DestroyError, Ending, Environment, InputEnd, Job, Leavings,
    LeavingsError, Lifecycle, OutputEnd, Sandbox, SandboxSpec, StartError, State, Streams, Terms,
};
use atoll_types::{
    Enforcement, Layer, LayerReport, LayerState, Level, LimitName, Limits, ProgramKind, Usage,
};
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::{Child, Command};

/// What goes wrong in a sandbox of this backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Fault {
    #[default]
    None,
    /// The host lacks a mechanism.
    NotEnforceable,
    /// The program does not start.
    NoStart,
    /// A sandbox that has waited is broken.
    BrokenByWaiting,
    /// Something is left over.
    LeftOver,
}

/// What sandboxes hand out as left by their program: once, and then an error.
#[derive(Default)]
pub(crate) struct Leaves(pub(crate) Mutex<Option<Leavings>>);

impl std::fmt::Debug for Leaves {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Leaves")
    }
}

/// Runs shell scripts, as nobody where the tests run as root.
#[derive(Debug, Default)]
pub(crate) struct Bare {
    pub(crate) fault: Fault,
    /// Sandboxes that were begun and not destroyed yet.
    pub(crate) living: Arc<AtomicU32>,
    /// Sandboxes that were finished.
    pub(crate) made: Arc<AtomicU32>,
    pub(crate) leaves: Arc<Leaves>,
}

impl Bare {
    fn sandbox(&self, is_warm: bool) -> Result<BareSandbox, CreateError> {
        if self.fault == Fault::NotEnforceable {
            return Err(CreateError::NotEnforceable {
                level: Level::Process,
                missing: vec![report(LayerState::Missing)],
            });
        }
        self.living.fetch_add(1, Ordering::SeqCst);
        Ok(BareSandbox {
            child: None,
            started: Instant::now(),
            lifecycle: Lifecycle::default(),
            fault: self.fault,
            is_warm,
            living: Arc::clone(&self.living),
            leaves: Arc::clone(&self.leaves),
            enforcement: Enforcement {
                level: Level::Process,
                layers: vec![report(LayerState::Enforced)],
            },
        })
    }
}

#[async_trait]
impl Backend for Bare {
    fn level(&self) -> Level {
        Level::Process
    }

    fn probe(&self) -> Vec<LayerReport> {
        let state = match self.fault {
            Fault::NotEnforceable => LayerState::Missing,
            Fault::None | Fault::NoStart | Fault::BrokenByWaiting | Fault::LeftOver => {
                LayerState::Enforced
            }
        };
        vec![report(state)]
    }

    fn supports(&self, kind: ProgramKind) -> Result<(), String> {
        match kind {
            ProgramKind::Shell => Ok(()),
            _ => Err(format!(
                "there is no interpreter for {kind} here; install one"
            )),
        }
    }

    async fn create_warm(&self, _: SandboxSpec) -> Result<Box<dyn Sandbox>, CreateError> {
        self.made.fetch_add(1, Ordering::SeqCst);
        Ok(Box::new(self.sandbox(true)?))
    }

    fn begin(&self, _: &str, _: &Environment) -> Result<Box<dyn Beginning>, CreateError> {
        Ok(Box::new(BareBeginning {
            made: Arc::clone(&self.made),
            sandbox: self.sandbox(false)?,
        }))
    }
}

struct BareBeginning {
    made: Arc<AtomicU32>,
    sandbox: BareSandbox,
}

#[async_trait]
impl Beginning for BareBeginning {
    async fn finish(self: Box<Self>, _: Terms<'_>) -> Result<Box<dyn Sandbox>, CreateError> {
        self.made.fetch_add(1, Ordering::SeqCst);
        Ok(Box::new(self.sandbox))
    }
}

fn report(state: LayerState) -> LayerReport {
    LayerReport {
        layer: Layer::Seccomp,
        state,
        detail: "a detail of seccomp".to_owned(),
    }
}

struct BareSandbox {
    child: Option<(Child, Pid)>,
    started: Instant,
    lifecycle: Lifecycle,
    fault: Fault,
    is_warm: bool,
    living: Arc<AtomicU32>,
    leaves: Arc<Leaves>,
    enforcement: Enforcement,
}

impl Drop for BareSandbox {
    fn drop(&mut self) {
        self.stop();
        self.living.fetch_sub(1, Ordering::SeqCst);
    }
}

#[async_trait]
impl Sandbox for BareSandbox {
    fn state(&self) -> State {
        self.lifecycle.state()
    }

    fn enforcement(&self) -> &Enforcement {
        &self.enforcement
    }

    fn set_limits(&mut self, _: &Limits) -> std::io::Result<()> {
        Ok(())
    }

    async fn start(&mut self, job: Job) -> Result<Streams, StartError> {
        if self.fault == Fault::NoStart {
            return Err(StartError::Program("it is malformed".to_owned()));
        }
        if self.fault == Fault::BrokenByWaiting && self.is_warm {
            return Err(StartError::Internal {
                attempt: "hand over the job".to_owned(),
                source: std::io::ErrorKind::BrokenPipe.into(),
            });
        }
        let (stdin_read, stdin) = rustix::pipe::pipe().unwrap();
        let (stdout, stdout_write) = rustix::pipe::pipe().unwrap();
        let (stderr, stderr_write) = rustix::pipe::pipe().unwrap();
        for end in [&stdin, &stdout, &stderr] {
            rustix::io::fcntl_setfd(end, rustix::io::FdFlags::CLOEXEC).unwrap();
        }
        let stdio = |end: OwnedFd| Stdio::from(end);
        let mut command = Command::new("/bin/sh");
        command
            .arg("-c")
            .arg(std::str::from_utf8(&job.program.bytes).unwrap())
            .current_dir("/")
            .stdin(stdio(stdin_read))
            .stdout(stdio(stdout_write))
            .stderr(stdio(stderr_write))
            .process_group(0);
        if rustix::process::geteuid().is_root() {
            command.uid(65_534).gid(65_534);
        }
        let child = command.spawn().unwrap();
        drop(command);
        let group = Pid::from_raw(child.id().unwrap().cast_signed()).unwrap();
        self.child = Some((child, group));
        self.started = Instant::now();
        self.lifecycle.advance(State::Running).unwrap();
        Ok(Streams {
            stdin: InputEnd::Pipe(stdin),
            stdout: OutputEnd::Pipe(stdout),
            stderr: OutputEnd::Pipe(stderr),
        })
    }

    fn usage(&self) -> Usage {
        Usage {
            wall_time_us: u64::try_from(self.started.elapsed().as_micros()).unwrap(),
            cpu_time_us: 1_000,
            memory_peak_bytes: 1 << 20,
            processes_peak: 1,
            ..Usage::default()
        }
    }

    fn limit_hit(&self) -> Option<LimitName> {
        None
    }

    async fn wait(&mut self) -> Ending {
        let (child, _) = self.child.as_mut().unwrap();
        let status = child.wait().await.unwrap();
        match (status.code(), status.signal()) {
            (Some(code), _) => Ending::Exited(code),
            (None, Some(signal)) => Ending::Signalled(signal),
            (None, None) => Ending::Lost("no status".to_owned()),
        }
    }

    fn stop(&mut self) {
        if let Some((_, group)) = &self.child {
            let _ = kill_process_group(*group, Signal::KILL);
        }
    }

    async fn leavings(&mut self) -> Result<Leavings, LeavingsError> {
        let leaves = self.leaves.0.lock().unwrap().take();
        leaves.ok_or(LeavingsError::NotEnded)
    }

    async fn destroy(mut self: Box<Self>) -> Result<(), DestroyError> {
        self.stop();
        match self.fault {
            Fault::LeftOver => Err(DestroyError {
                what: "the cgroup".to_owned(),
                source: std::io::ErrorKind::ResourceBusy.into(),
            }),
            Fault::None | Fault::NotEnforceable | Fault::NoStart | Fault::BrokenByWaiting => Ok(()),
        }
    }
}
