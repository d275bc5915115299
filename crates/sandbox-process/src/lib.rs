//! The `process` level: a Linux process in its own jail.
//!
//! This crate owns what a program finds around it at this level: the root directory, the
//! interpreters, the command line. How a jail is built is the business of `atoll-jail`; which
//! message runs here is not known.

mod environment;
mod interpreter;
mod sandbox;
mod waiting;

use std::collections::BTreeSet;

use async_trait::async_trait;
use atoll_jail::seccomp::Profile;
use atoll_jail::{Jail, JailBeginning, JailSpec};
use atoll_sandbox::{Backend, Beginning, CreateError, Environment, Job, Sandbox};
use atoll_types::{Layer, LayerReport, Level, Limits, ProgramKind};

use environment::CommandLine;
use interpreter::Interpreters;
use sandbox::ProcessSandbox;

/// Makes sandboxes of the `process` level.
#[derive(Debug)]
pub struct ProcessBackend {
    interpreters: Interpreters,
}

impl ProcessBackend {
    /// Looks for the interpreters of this host.
    #[must_use]
    pub fn new() -> Self {
        Self {
            interpreters: Interpreters::find(),
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

    fn suits_warm(&self, job: &Job) -> bool {
        job.program.kind != ProgramKind::Python || waiting::suits(job)
    }

    fn begin(
        &self,
        id: &str,
        environment: &Environment,
    ) -> Result<Box<dyn Beginning>, CreateError> {
        let kind = environment.kind;
        self.interpreters
            .check(kind)
            .map_err(CreateError::Environment)?;
        let spec = JailSpec {
            name: id.to_owned(),
            root: environment::root(&self.interpreters, environment)?,
            profile: profile(kind),
        };
        let jail = Jail::begin(&spec).map_err(sandbox::create_error)?;
        let command = CommandLine::new(&self.interpreters, environment.clone());
        Ok(Box::new(ProcessBeginning { jail, command }))
    }
}

struct ProcessBeginning {
    jail: JailBeginning,
    command: CommandLine,
}

#[async_trait]
impl Beginning for ProcessBeginning {
    async fn finish(
        self: Box<Self>,
        limits: Limits,
        accept_missing: &BTreeSet<Layer>,
    ) -> Result<Box<dyn Sandbox>, CreateError> {
        let jail = self.jail.finish(limits, accept_missing).await;
        let jail = jail.map_err(sandbox::create_error)?;
        Ok(Box::new(ProcessSandbox::new(jail, self.command)))
    }
}

/// JavaScript engines write machine code where they execute it; nothing else may.
fn profile(kind: ProgramKind) -> Profile {
    Profile::Program {
        writable_code: kind == ProgramKind::JavaScript,
    }
}
