//! Runs programs without building a jail for them, where another boundary confines them.
//!
//! Inside a container with a kernel of its own, namespaces and filters of that kernel would protect
//! the program's boundary from nobody. What is left to do is to run the program as a user of its
//! own, with its files, streams and resource limits, and to end everything that it started. Memory,
//! processors and processes are bounded from outside; what that boundary is, is not known here.

mod processes;
mod sandbox;
mod start;

use std::io;
use std::path::PathBuf;

use async_trait::async_trait;
use atoll_jail::seccomp::Profile;
use atoll_jail::{GUEST_ID, WORK_DIRECTORY, sys};
use atoll_sandbox::{
    Backend, Beginning, CreateError, Environment, Job, Sandbox, SandboxSpec, Terms,
};
use atoll_sandbox_process::{CommandLine, Interpreters, may_be_forked, suits};
use atoll_types::{LayerReport, Level, Limits, ProgramKind, SystemCalls};

use crate::sandbox::PlainSandbox;

/// Makes sandboxes in which programs run plainly. It reports the level `process`, of which it has
/// the behaviour; how strong the boundary is, its owner knows.
#[derive(Debug, Clone)]
pub struct PlainBackend {
    interpreters: Interpreters,
    place: Place,
}

/// Where programs run, and as whom.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// The working directory of the only program.
    pub(crate) work: PathBuf,
    /// The user and group id of the program.
    pub(crate) user: u32,
    /// Whether the program gets a filter of system calls, because it faces the host's kernel.
    pub(crate) filters: bool,
}

impl PlainBackend {
    /// For a container, whose first process this is, and whose only program the next one is. That
    /// program is ended with every process that is not this one.
    #[must_use]
    pub fn in_container() -> Self {
        // What this process has inherited is not for the program. Where the kernel is too old for
        // the request, nothing but its own streams was.
        let _ = sys::close_on_exec_from(3);
        Self {
            interpreters: Interpreters::find(),
            place: Place {
                work: WORK_DIRECTORY.into(),
                user: GUEST_ID,
                filters: false,
            },
        }
    }

    /// The same for a container whose program faces the host's kernel: it gets the filter of system
    /// calls that it would have at the level `process`.
    #[must_use]
    pub fn in_container_on_host() -> Self {
        let mut backend = Self::in_container();
        backend.place.filters = true;
        backend
    }

    fn sandbox(
        &self,
        environment: &Environment,
        limits: Limits,
        system_calls: SystemCalls,
    ) -> PlainSandbox {
        let profile = match system_calls {
            // What keeps a program from becoming another one takes privileges that nothing in a
            // container has.
            SystemCalls::Strict => Profile::StrictOrReplaced,
            SystemCalls::Processes => Profile::Processes {
                writable_code: environment.kind == ProgramKind::JavaScript,
            },
        };
        let command = CommandLine::new(&self.interpreters, environment.clone(), profile);
        PlainSandbox::new(self.place.clone(), command, limits)
    }

    fn check(&self, environment: &Environment) -> Result<(), CreateError> {
        self.interpreters
            .check(environment.kind)
            .map_err(CreateError::Environment)
    }
}

#[async_trait]
impl Backend for PlainBackend {
    fn level(&self) -> Level {
        Level::Process
    }

    fn probe(&self) -> Vec<LayerReport> {
        sandbox::layers(None)
    }

    fn supports(&self, kind: ProgramKind) -> Result<(), String> {
        self.interpreters.check(kind)
    }

    fn suits_warm(&self, job: &Job) -> bool {
        job.program.kind != ProgramKind::Python || suits(job)
    }

    async fn create_warm(&self, spec: SandboxSpec) -> Result<Box<dyn Sandbox>, CreateError> {
        self.check(&spec.environment)?;
        let mut sandbox = self.sandbox(&spec.environment, spec.limits, spec.system_calls);
        if may_be_forked(&spec.environment) {
            sandbox.start_interpreter().await.map_err(internal)?;
        }
        Ok(Box::new(sandbox))
    }

    fn begin(
        &self,
        _id: &str,
        environment: &Environment,
    ) -> Result<Box<dyn Beginning>, CreateError> {
        self.check(environment)?;
        Ok(Box::new(PlainBeginning {
            backend: self.clone(),
            environment: environment.clone(),
        }))
    }
}

struct PlainBeginning {
    backend: PlainBackend,
    environment: Environment,
}

#[async_trait]
impl Beginning for PlainBeginning {
    async fn finish(self: Box<Self>, terms: Terms<'_>) -> Result<Box<dyn Sandbox>, CreateError> {
        let backend = &self.backend;
        let sandbox = backend.sandbox(&self.environment, terms.limits, terms.system_calls);
        Ok(Box::new(sandbox))
    }
}

fn internal(source: io::Error) -> CreateError {
    CreateError::Internal {
        attempt: "start an interpreter".to_owned(),
        source,
    }
}
