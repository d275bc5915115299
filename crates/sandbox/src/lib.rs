//! The seam between the engine and the levels of isolation.
//!
//! A [`Backend`] makes sandboxes of one [`Level`]; a [`Sandbox`] runs one job inside its boundary
//! and is then destroyed. This crate knows which promises a sandbox keeps, not how it keeps them:
//! it must not know which backends exist. The `conformance` module holds the suite that
//! every backend passes.

pub mod conformance;
mod leaving;
mod lifecycle;
mod streams;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use atoll_types::calls::{CallAudit, CallRules};
use atoll_types::{
    Analysis, Content, Dependency, Enforcement, InputFile, Layer, LayerReport, Level, LimitName,
    Limits, Program, ProgramKind, Split, SystemCalls, TenantId, Trust, Usage,
};

pub use leaving::{Leaving, Leavings, LeavingsError, LeftFile};
pub use lifecycle::{Lifecycle, State};
pub use streams::{InputEnd, OutputEnd, Streams};

/// Makes sandboxes of one level.
#[async_trait]
pub trait Backend: Send + Sync {
    /// The level of the sandboxes this backend makes.
    fn level(&self) -> Level;

    /// Tries each mechanism the level needs, on this host, now. Cheap enough for `atoll doctor`,
    /// too slow for every message; `begin` does not call it.
    fn probe(&self) -> Vec<LayerReport>;

    /// Whether programs of this kind can run at this level, and if not, why.
    ///
    /// # Errors
    /// A sentence for the user that says what is missing.
    fn supports(&self, kind: ProgramKind) -> Result<(), String>;

    /// Whether a program that can run at this level should: what it imports and does is there, too.
    ///
    /// # Errors
    /// What is missing, as the end of a sentence that begins with the program.
    fn suits(&self, _job: &Job, _analysis: &Analysis) -> Result<(), String> {
        Ok(())
    }

    /// What a program that [suits](Backend::suits) this level may find otherwise here than in the
    /// host's own interpreter, as the end of a sentence that begins with the program; `None` when
    /// there is no sign of it.
    fn differs(&self, _job: &Job, _analysis: &Analysis) -> Option<String> {
        None
    }

    /// Whether what programs of a kind run in need not be compiled any more.
    fn is_compiled(&self, _kind: ProgramKind) -> bool {
        true
    }

    /// The least memory, in bytes, with which a program of a kind can start at this level, where it
    /// is more than every limit allows.
    fn least_memory_bytes(&self, _kind: ProgramKind) -> u64 {
        0
    }

    /// Whether programs find the installed modules that their messages come with.
    fn shows_dependencies(&self) -> bool {
        true
    }

    /// Which of the rules for calls cannot be held at this level for programs of a kind, and what
    /// is missing; `None` when all can. Without rules, nothing is. A sandbox that a
    /// [pool](Backend::keeps_ready) kept waiting holds none, so a job with rules gets a new one.
    fn unenforceable(&self, _kind: ProgramKind, rules: &CallRules) -> Option<String> {
        let level = self.level();
        let none = format!("the level {level} has no rules for calls and no audit of them");
        (!rules.is_empty()).then_some(none)
    }

    /// Begins to build a sandbox: everything that does not depend on its limits, which may not be
    /// decided yet. Others do the work meanwhile; this returns as soon as it can, and has to be
    /// called inside a Tokio runtime. `id` names the sandbox in cgroups and logs: 1 to 64 letters,
    /// digits and `-`.
    ///
    /// # Errors
    /// As for [`Backend::create`], where the host's lack is known this early.
    fn begin(&self, id: &str, environment: &Environment)
    -> Result<Box<dyn Beginning>, CreateError>;

    /// Whether a job finds in a [warm](Backend::create_warm) sandbox what it would find in one that
    /// starts with it.
    fn suits_warm(&self, _job: &Job) -> bool {
        true
    }

    /// Those of the modules that a job's program names which a warm sandbox may have imported
    /// before the job comes, because the program would find the same in one that starts with it.
    fn imports_ahead(
        &self,
        _environment: &Environment,
        _job: &Job,
        _named: &[Dependency],
    ) -> BTreeSet<String> {
        BTreeSet::new()
    }

    /// Whether a warm sandbox can be built as soon as one that is not warm.
    fn is_warm(&self, _environment: &Environment) -> bool {
        true
    }

    /// Whether the backend itself keeps ready what its sandboxes need, and lets messages share it
    /// as far as their [`Tenancy`] says. Nobody else then keeps sandboxes of it.
    fn keeps_ready(&self) -> bool {
        false
    }

    /// What a sandbox takes of the host's memory besides what its program does, in bytes.
    fn own_memory_bytes(&self) -> u64 {
        0
    }

    /// Names a directory of Atoll's own where the backend may keep things from one process to the
    /// next. It need not exist yet.
    fn keep_in(&self, _state_dir: &Path) {}

    /// Ends what the backend keeps ready. Sandboxes that run come to their ends.
    async fn close(&self) {}

    /// Whether a sandbox that is made for a job like this can serve others after it: see
    /// [`SandboxSpec::renews`] and [`Sandbox::renew`].
    fn renews(&self, _environment: &Environment, _job: &Job) -> bool {
        false
    }

    /// Builds a sandbox in which everything that can be started without knowing the job has
    /// started, such as an interpreter. What the job would have given to that start must then be
    /// nothing special: [`Backend::suits_warm`]. Limits of disk, files, processes and CPU time can
    /// only be lowered by the monitor afterwards. One that can be renewed suits every job.
    ///
    /// # Errors
    /// As for [`Backend::create`].
    async fn create_warm(&self, spec: SandboxSpec) -> Result<Box<dyn Sandbox>, CreateError> {
        self.create(spec).await
    }

    /// Builds a sandbox that is ready to start one job.
    ///
    /// # Errors
    /// [`CreateError::NotEnforceable`] when the host lacks something the level needs and the spec
    /// does not accept to be missing. Nothing is left behind in any case.
    async fn create(&self, spec: SandboxSpec) -> Result<Box<dyn Sandbox>, CreateError> {
        self.begin(&spec.id, &spec.environment)?
            .finish(spec.terms())
            .await
    }
}

/// A sandbox that is being built. Dropping it undoes what was built.
#[async_trait]
pub trait Beginning: Send {
    /// Puts the limits in force and waits until the sandbox is ready. It may lack the layers that
    /// the terms accept to be missing, and no others; [`Sandbox::enforcement`] names those it
    /// lacks.
    ///
    /// # Errors
    /// As for [`Backend::create`].
    async fn finish(self: Box<Self>, terms: Terms<'_>) -> Result<Box<dyn Sandbox>, CreateError>;
}

/// What is decided about a sandbox, as far as it can be built without knowing it.
#[derive(Debug, Clone, Copy)]
pub struct Terms<'a> {
    /// Bounds for the whole tree of processes.
    pub limits: Limits,
    /// Which system calls its program may make. A level whose programs make none of their own has
    /// no use for this.
    pub system_calls: SystemCalls,
    /// Layers that it may lack, where the host cannot enforce them.
    pub accept_missing: &'a BTreeSet<Layer>,
    /// Whose messages may use the same boundary.
    pub tenancy: &'a Tenancy,
}

/// Whose messages may use the same boundary, and how many of them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Tenancy {
    /// Whose.
    pub domain: Domain,
    /// How many, before it is destroyed.
    pub messages_max: u32,
}

impl Tenancy {
    /// One message, and nobody else.
    #[must_use]
    pub const fn own() -> Self {
        Self {
            domain: Domain::Message,
            messages_max: 1,
        }
    }
}

/// Those who share a boundary.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Domain {
    /// Tenants that are trusted equally.
    Class(Trust),
    /// One tenant.
    Tenant(TenantId),
    /// One message.
    Message,
}

/// What a sandbox is built for.
#[derive(Debug, Clone)]
pub struct SandboxSpec {
    /// Names the sandbox, as in [`Backend::begin`].
    pub id: String,
    /// Bounds for the whole tree of processes.
    pub limits: Limits,
    /// Which system calls its program may make.
    pub system_calls: SystemCalls,
    /// Layers that it may lack, where the host cannot enforce them.
    pub accept_missing: BTreeSet<Layer>,
    /// What the program finds around it.
    pub environment: Environment,
    /// Whether it may be [renewed](Sandbox::renew) after its job, where the backend can do so.
    pub renews: bool,
    /// Whose messages may use the same boundary, where the backend keeps boundaries of its own.
    pub tenancy: Tenancy,
}

impl SandboxSpec {
    /// The part that may be decided late.
    #[must_use]
    pub const fn terms(&self) -> Terms<'_> {
        Terms {
            limits: self.limits,
            system_calls: self.system_calls,
            accept_missing: &self.accept_missing,
            tenancy: &self.tenancy,
        }
    }
}

/// What a program finds around it, apart from its own message.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Environment {
    /// Decides the language runtime.
    pub kind: ProgramKind,
    /// A host directory of installed third-party modules, visible read-only to the program.
    pub dependencies: Option<PathBuf>,
    /// Modules of the host's own that are imported before there is a program, where
    /// [`Backend::imports_ahead`] says that they may be.
    pub modules: BTreeSet<String>,
    /// Whose messages run in it. What is kept ready for one tenant is never used for another.
    pub tenant: TenantId,
}

/// One program with its input.
#[derive(Debug, Clone)]
pub struct Job {
    /// What to run.
    pub program: Program,
    /// Arguments after the program's own name.
    pub arguments: Vec<Vec<u8>>,
    /// Files placed in the working directory.
    pub files: Vec<InputFile>,
    /// Variables added to the sandbox's own.
    pub environment: Vec<(Vec<u8>, Vec<u8>)>,
    /// What the program is made of besides itself, where the level can run such programs.
    pub parts: Option<Box<JobParts>>,
    /// What becomes of the program's calls, by rules that are not
    /// [unenforceable](Backend::unenforceable).
    pub calls: CallRules,
}

/// Components that a program imports from, and where each of them runs.
#[derive(Debug, Clone)]
pub struct JobParts {
    /// The components, by the names that the split has for them.
    pub programs: Vec<Program>,
    /// Where they and the program run. It names every part.
    pub split: Split,
}

/// A boundary around one job.
///
/// `start` is called once, then `wait` until it answers, then `leavings` if they are wanted, then
/// `destroy`, or `renew` and all of it again; `stop` and `usage` at any time between. Dropping a
/// sandbox without `destroy` also ends everything inside, but cannot report what went wrong.
#[async_trait]
pub trait Sandbox: Send {
    /// Where in its life this sandbox is.
    fn state(&self) -> State;

    /// What is really enforced. Complete after `start` at the latest; `start` refuses to run the
    /// program when something is missing.
    fn enforcement(&self) -> &Enforcement;

    /// Changes the limits on memory, processes and CPU share; the others stay as they are.
    ///
    /// # Errors
    /// When the kernel refuses, for instance a memory limit below what is in use.
    fn set_limits(&mut self, limits: &Limits) -> std::io::Result<()>;

    /// Goes through the first steps of a job, so that a real one finds them done. Nothing of it is
    /// seen later. Worth its time for a sandbox that is going to wait.
    ///
    /// # Errors
    /// When the sandbox is of no use any more.
    async fn rehearse(&mut self) -> std::io::Result<()> {
        Ok(())
    }

    /// Has what waits inside draw random numbers anew: a machine was copied with it. What cannot be
    /// drawn again, such as the seed of an interpreter's hashes, stays.
    ///
    /// # Errors
    /// When what waits is of no use any more.
    async fn draw_anew(&mut self) -> std::io::Result<()> {
        Ok(())
    }

    /// Places the files and starts the program.
    ///
    /// # Errors
    /// [`StartError::NotEnforceable`] when a layer could not be put in force: the program has not
    /// run then. Other errors say what failed; the program has not run either.
    async fn start(&mut self, job: Job) -> Result<Streams, StartError>;

    /// What has been used since the start. Never blocks on the program.
    fn usage(&self) -> Usage;

    /// What it takes of the host's memory while it waits for its job, in bytes.
    fn idle_bytes(&self) -> u64 {
        self.usage().memory_peak_bytes
    }

    /// What it takes of the host's memory now, in bytes; at least something close to it.
    fn memory_bytes(&self) -> u64 {
        self.usage().memory_peak_bytes
    }

    /// The program's calls so far, if the job's rules want them taken down.
    fn calls(&self) -> Option<CallAudit> {
        None
    }

    /// A limit that the kernel (or the Wasm runtime) has reported as hit, if any.
    fn limit_hit(&self) -> Option<LimitName>;

    /// Waits for the program's end. Cancelling the future loses nothing.
    async fn wait(&mut self) -> Ending;

    /// Ends every process inside, at once. Idempotent.
    fn stop(&mut self);

    /// What the ended program left in its working directory. Every process inside is dead before
    /// this answers, so nothing changes any more while it is looked at.
    ///
    /// No link is followed, and nothing but plain files is opened. There are no more leavings than
    /// the limit on files and directories allows, and no file's path is longer than 4,096 bytes or
    /// 64 parts; whatever lies beyond is there with its reason. Files that the job brought are
    /// among them. The caller bounds bytes and time. What is handed out stays readable until it is
    /// dropped, also after `destroy`.
    ///
    /// # Errors
    /// [`LeavingsError::NotEnded`] unless `wait` has answered.
    async fn leavings(&mut self) -> Result<Leavings, LeavingsError>;

    /// Makes an ended sandbox as good as new for another job under such limits: nothing that the
    /// one before has left can be found by the next, and usage counts from the next start. Whether
    /// the next job may have it is not decided here.
    ///
    /// # Errors
    /// When that is not certain, or the sandbox cannot do so; it is only good for `destroy` then.
    async fn renew(&mut self, _limits: &Limits) -> Result<(), RenewError> {
        Err(RenewError {
            source: std::io::ErrorKind::Unsupported.into(),
        })
    }

    /// Ends what still runs and removes everything: processes, mounts, cgroups, files.
    ///
    /// # Errors
    /// Names what could not be removed.
    async fn destroy(self: Box<Self>) -> Result<(), DestroyError>;
}

/// How the first process of a sandbox ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// It exited with this code.
    Exited(i32),
    /// This signal ended it.
    Signalled(i32),
    /// The WebAssembly runtime stopped it; the text names the trap.
    Trapped(String),
    /// It was ended for a call that it made; the text is a sentence that says which.
    Violated(String),
    /// The sandbox's own machinery ended unexpectedly; the program's fate is unknown.
    Lost(String),
}

/// Why a sandbox could not be made.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// The host lacks something the level needs.
    #[error("the {level} level cannot be enforced on this host: {}", list(.missing))]
    NotEnforceable {
        /// The level that was asked for.
        level: Level,
        /// What is missing, each with what would help.
        missing: Vec<LayerReport>,
    },
    /// Something the environment needs is not there.
    #[error("failed to provide the environment: {0}")]
    Environment(String),
    /// An operation failed that should not.
    #[error("failed to {attempt}")]
    Internal {
        /// What was tried, as a verb phrase.
        attempt: String,
        /// Why it failed.
        source: std::io::Error,
    },
}

/// Why a program could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A layer could not be put in force.
    #[error("the {level} level cannot be enforced on this host: {}", list(.missing))]
    NotEnforceable {
        /// The level that was asked for.
        level: Level,
        /// What is missing, each with what would help.
        missing: Vec<LayerReport>,
    },
    /// The program itself cannot be started, such as a malformed executable.
    #[error("failed to start the program: {0}")]
    Program(String),
    /// The program or its files do not fit into the sandbox's limits.
    #[error("the program and its files do not fit into the {0} limit")]
    Limit(LimitName),
    /// An operation failed that should not.
    #[error("failed to {attempt}")]
    Internal {
        /// What was tried, as a verb phrase.
        attempt: String,
        /// Why it failed.
        source: std::io::Error,
    },
}

/// Why a sandbox is not as good as new.
#[derive(Debug, thiserror::Error)]
#[error("failed to renew a sandbox, which is destroyed instead")]
pub struct RenewError {
    /// Why.
    pub source: std::io::Error,
}

/// What a destroyed sandbox left behind.
#[derive(Debug, thiserror::Error)]
#[error("failed to remove {what}")]
pub struct DestroyError {
    /// The thing that is still there.
    pub what: String,
    /// Why it could not be removed.
    pub source: std::io::Error,
}

/// Bytes of every file that a job brings, the program included.
#[must_use]
pub fn content_bytes(program: &Content, files: &[InputFile]) -> u64 {
    let files: u64 = files.iter().map(|file| file.content.len() as u64).sum();
    files.saturating_add(program.len() as u64)
}

fn list(missing: &[LayerReport]) -> String {
    let parts: Vec<String> = missing
        .iter()
        .map(|report| format!("{} ({})", report.layer.name(), report.detail))
        .collect();
    parts.join("; ")
}
