//! The `process` level: a Linux process in its own jail.
//!
//! This crate owns what a program finds around it at this level: the root directory, the
//! interpreters, the command line. How a jail is built is the business of `atoll-jail`; which
//! message runs here is not known.

mod environment;
mod interpreter;
mod sandbox;

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use atoll_jail::seccomp::Profile;
use atoll_jail::{Jail, JailSpec, Launcher};
use atoll_sandbox::{Backend, CreateError, Sandbox, SandboxSpec};
use atoll_types::{LayerReport, Level, ProgramKind};

use interpreter::Interpreters;
use sandbox::ProcessSandbox;

/// Makes sandboxes of the `process` level.
#[derive(Debug)]
pub struct ProcessBackend {
    interpreters: Interpreters,
    /// Started ahead of its jail; at most one.
    launcher: Mutex<Option<Launcher>>,
}

impl ProcessBackend {
    /// Looks for the interpreters of this host.
    #[must_use]
    pub fn new() -> Self {
        Self {
            interpreters: Interpreters::find(),
            launcher: Mutex::default(),
        }
    }
}

impl Default for ProcessBackend {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Backend for ProcessBackend {
    fn level(&self) -> Level {
        Level::Process
    }

    fn probe(&self) -> Vec<LayerReport> {
        atoll_jail::probe()
    }

    fn supports(&self, kind: ProgramKind) -> Result<(), String> {
        self.interpreters.check(kind)
    }

    fn anticipate(&self) {
        let mut waiting = self.launcher.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.is_none() {
            // What went wrong is said by the creation that needs it.
            *waiting = Launcher::spawn().ok();
        }
    }

    async fn create(&self, spec: SandboxSpec) -> Result<Box<dyn Sandbox>, CreateError> {
        let kind = spec.environment.kind;
        self.interpreters
            .check(kind)
            .map_err(CreateError::Environment)?;
        let root = environment::root(&self.interpreters, &spec.environment)?;
        let jail = JailSpec {
            name: spec.id,
            limits: spec.limits,
            root,
            profile: profile(kind),
        };
        let waiting = self
            .launcher
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let jail = match waiting {
            Some(launcher) => Jail::create_with(launcher, jail).await,
            None => Jail::create(jail).await,
        };
        let jail = jail.map_err(sandbox::create_error)?;
        let command = environment::CommandLine::new(&self.interpreters, spec.environment);
        Ok(Box::new(ProcessSandbox::new(jail, command)))
    }
}

/// JavaScript engines write machine code where they execute it; nothing else may.
fn profile(kind: ProgramKind) -> Profile {
    Profile::Program {
        writable_code: kind == ProgramKind::JavaScript,
    }
}
