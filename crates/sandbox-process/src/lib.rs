//! The `process` level: a Linux process in its own jail.
//!
//! This crate owns what a program finds around it at this level: the root directory, the
//! interpreters, the command line. How a jail is built is the business of `atoll-jail`; which
//! message runs here is not known.

mod ahead;
mod environment;
mod interpreter;
mod sandbox;
mod waiting;
mod zygotes;

use std::collections::BTreeSet;

use async_trait::async_trait;
use atoll_jail::seccomp::Profile;
use atoll_jail::{CopySpec, Jail, JailBeginning, JailError, JailSpec, Zygote};
use atoll_sandbox::{
    Backend, Beginning, CreateError, Environment, Job, Sandbox, SandboxSpec, Terms,
};
use atoll_types::calls::CallRules;
use atoll_types::{Dependency, LayerReport, Level, Limits, ProgramKind, SystemCalls};

pub use atoll_jail::sys::try_counting_instructions;
pub use atoll_jail::{cpu_time_us, memory_limit_bytes};
pub use environment::CommandLine;
pub use interpreter::Interpreters;
pub use sandbox::leaving;
pub use waiting::{Ends, Handed, NotStarted, SCRIPT, SCRIPT_PLACE, Waiting, may_be_forked, suits};

/// The root directory that programs of an environment find at this level, for levels that show
/// them the same.
///
/// # Errors
/// [`CreateError::Environment`] when the directory of dependencies cannot be used.
pub fn root(environment: &Environment) -> Result<atoll_jail::Root, CreateError> {
    environment::root(&Interpreters::find(), environment)
}

use sandbox::ProcessSandbox;
use zygotes::Zygotes;

/// Makes sandboxes of the `process` level.
pub struct ProcessBackend {
    interpreters: Interpreters,
    zygotes: Zygotes,
}

impl ProcessBackend {
    /// Looks for the interpreters of this host.
    #[must_use]
    pub fn new() -> Self {
        Self {
            interpreters: Interpreters::find(),
            zygotes: Zygotes::default(),
        }
    }

    /// A copy of an interpreter, waiting for its program in a jail of its own.
    async fn copy(&self, spec: SandboxSpec) -> Result<ProcessSandbox, CreateError> {
        let environment = spec.environment;
        let zygote = self
            .zygotes
            .of(&environment, self.start_zygote(&environment));
        let zygote = zygote.await?;
        let internal = |source| CreateError::Internal {
            attempt: "start a copy of the interpreter".to_owned(),
            source,
        };
        let profile = profile(environment.kind, spec.system_calls);
        let command = CommandLine::new(&self.interpreters, environment, profile);
        let mut ends = Ends::new().map_err(internal)?;
        let copy = CopySpec {
            name: spec.id,
            limits: spec.limits,
            profile,
            accept_missing: spec.accept_missing,
            descriptors: ends.take_inner(),
        };
        let (jail, running) = zygote.copy(copy).await.map_err(sandbox::create_error)?;
        let waiting = ends.ready(running).await.map_err(internal)?;
        Ok(ProcessSandbox::new(jail, command, Some(waiting)))
    }

    fn begin_with(
        &self,
        id: &str,
        environment: &Environment,
        begin: fn(&JailSpec) -> Result<JailBeginning, JailError>,
    ) -> Result<ProcessBeginning, CreateError> {
        let kind = environment.kind;
        self.interpreters
            .check(kind)
            .map_err(CreateError::Environment)?;
        let spec = JailSpec {
            name: id.to_owned(),
            root: environment::root(&self.interpreters, environment)?,
        };
        Ok(ProcessBeginning {
            jail: begin(&spec).map_err(sandbox::create_error)?,
            interpreters: self.interpreters.clone(),
            environment: environment.clone(),
        })
    }

    /// Starts an interpreter that forks copies of itself.
    async fn start_zygote(&self, environment: &Environment) -> Result<Zygote, CreateError> {
        let spec = JailSpec {
            name: "zygote".to_owned(),
            root: environment::root(&self.interpreters, environment)?,
        };
        let command = CommandLine::new(&self.interpreters, environment.clone(), Profile::Zygote);
        let rehearsal = command.rehearsal();
        let command = waiting::library().and_then(|library| {
            let rehearsal = waiting::job_file(&rehearsal)?.into();
            let missing = || std::io::Error::from(std::io::ErrorKind::NotFound);
            command.zygote(library, rehearsal).ok_or_else(missing)
        });
        let command = command.map_err(|source| CreateError::Internal {
            attempt: "start an interpreter".to_owned(),
            source,
        })?;
        let started = Zygote::start(&spec, ZYGOTE_LIMITS, command).await;
        started.map_err(sandbox::create_error)
    }
}

/// Room for an interpreter with large modules, and for the first processes of its copies.
const ZYGOTE_LIMITS: Limits = Limits {
    wall_time_ms: u64::MAX,
    cpu_time_ms: 3_600_000,
    cpu_percent: 1_000,
    memory_bytes: 1 << 30,
    processes: 1_024,
    disk_bytes: 1 << 20,
    disk_files: 64,
    output_bytes: 0,
    open_files: 4_096,
};

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

    fn unenforceable(&self, _kind: ProgramKind, rules: &CallRules) -> Option<String> {
        atoll_jail::calls::unenforceable(rules)
    }

    fn suits_warm(&self, job: &Job) -> bool {
        // The filter of one that waits is in force already.
        job.calls.is_empty() && (job.program.kind != ProgramKind::Python || waiting::suits(job))
    }

    fn imports_ahead(
        &self,
        environment: &Environment,
        job: &Job,
        named: &[Dependency],
    ) -> BTreeSet<String> {
        if is_forked(environment) && self.suits_warm(job) {
            ahead::modules(environment, job, named)
        } else {
            BTreeSet::new()
        }
    }

    fn is_warm(&self, environment: &Environment) -> bool {
        !is_forked(environment) || self.zygotes.serve(environment)
    }

    /// A copy of an interpreter is the memory of one program; making another costs less than
    /// renewing a sandbox.
    fn renews(&self, environment: &Environment, job: &Job) -> bool {
        Jail::is_renewable() && !(is_forked(environment) && self.suits_warm(job))
    }

    /// Ends the interpreters that fork copies of themselves; the next copy takes a new one.
    async fn close(&self) {
        self.zygotes.close().await;
    }

    async fn create_warm(&self, spec: SandboxSpec) -> Result<Box<dyn Sandbox>, CreateError> {
        if is_forked(&spec.environment) && !spec.renews {
            Ok(Box::new(self.copy(spec).await?))
        } else {
            self.create(spec).await
        }
    }

    fn begin(
        &self,
        id: &str,
        environment: &Environment,
    ) -> Result<Box<dyn Beginning>, CreateError> {
        Ok(Box::new(self.begin_with(id, environment, Jail::begin)?))
    }

    async fn create(&self, spec: SandboxSpec) -> Result<Box<dyn Sandbox>, CreateError> {
        let begin = if spec.renews {
            Jail::begin_renewable
        } else {
            Jail::begin
        };
        let beginning = self.begin_with(&spec.id, &spec.environment, begin)?;
        Box::new(beginning).finish(spec.terms()).await
    }
}

struct ProcessBeginning {
    jail: JailBeginning,
    interpreters: Interpreters,
    environment: Environment,
}

#[async_trait]
impl Beginning for ProcessBeginning {
    async fn finish(self: Box<Self>, terms: Terms<'_>) -> Result<Box<dyn Sandbox>, CreateError> {
        let jail = self.jail.finish(terms.limits, terms.accept_missing).await;
        let jail = jail.map_err(sandbox::create_error)?;
        let profile = profile(self.environment.kind, terms.system_calls);
        let command = CommandLine::new(&self.interpreters, self.environment, profile);
        Ok(Box::new(ProcessSandbox::new(jail, command, None)))
    }
}

/// Whether programs of an environment run in copies of an interpreter here.
fn is_forked(environment: &Environment) -> bool {
    waiting::may_be_forked(environment) && Zygote::is_possible()
}

/// JavaScript engines write machine code where they execute it; nothing else may.
fn profile(kind: ProgramKind, system_calls: SystemCalls) -> Profile {
    match system_calls {
        SystemCalls::Strict => Profile::Strict,
        SystemCalls::Processes => Profile::Processes {
            writable_code: kind == ProgramKind::JavaScript,
        },
    }
}
