//! The level `gvisor`: containers of any OCI runtime, each in a jail of its own.
//!
//! This crate owns how a runtime is found, tried and told what a container is made of, and what
//! holds a container from outside. How a jail is built, what the agent in a container does, and
//! which message comes here are not known.

mod boundary;
mod bundle;
mod container;
mod layers;
mod platform;
mod runtime;

use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use atoll_jail::seccomp::Profile;
use atoll_jail::{JailBeginning, JailError, Root, helper_binary};
use atoll_remote::protocol::{Begin, Surroundings};
use atoll_remote::{Agent, Outside as _, Remote};
use atoll_sandbox::{
    Backend, Beginning, CreateError, Environment, Job, Sandbox, SandboxSpec, Terms,
};
use atoll_sandbox_process::Interpreters;
use atoll_types::{Layer, LayerReport, LayerState, Level, ProgramKind, TenantId};

use boundary::{Boundary, OWN_MEMORY_BYTES, PATIENCE, Words};
use layers::{Kernel, Layers};
use platform::Platforms;
use runtime::{Platform, Runtime};

/// Makes sandboxes that are containers of an OCI runtime.
pub struct OciBackend {
    level: Level,
    inner: Arc<Inner>,
}

struct Inner {
    /// The runtime's name.
    name: String,
    /// Where it is, or what to do about it.
    runtime: Result<Runtime, String>,
    platforms: Platforms,
}

impl OciBackend {
    /// Containers of gVisor's `runsc`.
    #[must_use]
    pub fn gvisor() -> Self {
        Self::configured("runsc", Level::Gvisor)
    }

    /// Containers of another runtime on the `PATH`, which its user declares to be as strong as a
    /// level is.
    #[must_use]
    pub fn configured(runtime: &str, level: Level) -> Self {
        Self {
            level,
            inner: Arc::new(Inner {
                name: runtime.to_owned(),
                runtime: Runtime::find(runtime),
                platforms: Platforms::default(),
            }),
        }
    }

    fn runtime(&self) -> Result<&Runtime, CreateError> {
        let runtime = self.inner.runtime.as_ref();
        runtime.map_err(|why| self.not_enforceable(why))
    }

    fn not_enforceable(&self, why: &str) -> CreateError {
        CreateError::NotEnforceable {
            level: self.level,
            missing: vec![layers::missing_kernel(why)],
        }
    }

    fn begin_container(
        &self,
        id: &str,
        environment: &Environment,
        is_warm: bool,
    ) -> Result<ContainerBeginning, CreateError> {
        let runtime = self.runtime()?;
        self.supports(environment.kind)
            .map_err(CreateError::Environment)?;
        let root = atoll_sandbox_process::root(environment)?;
        let agent = helper_binary(AGENT)
            .map_err(|missing| CreateError::Environment(missing.to_string()))?;
        let jail = container::begin(id, runtime, &root, Some(agent));
        Ok(ContainerBeginning {
            level: self.level,
            inner: Arc::clone(&self.inner),
            id: id.to_owned(),
            jail: jail.map_err(|error| create_error(self.level, error))?,
            root,
            environment: environment.clone(),
            is_warm,
        })
    }

    async fn create_as(
        &self,
        spec: SandboxSpec,
        is_warm: bool,
    ) -> Result<Box<dyn Sandbox>, CreateError> {
        let beginning = self.begin_container(&spec.id, &spec.environment, is_warm)?;
        Box::new(beginning).finish(spec.terms()).await
    }
}

/// The program that runs a job in a container.
const AGENT: &str = "atoll-agent";

#[async_trait]
impl Backend for OciBackend {
    fn level(&self) -> Level {
        self.level
    }

    /// About what a container of gVisor takes for itself.
    fn own_memory_bytes(&self) -> u64 {
        24 << 20
    }

    fn probe(&self) -> Vec<LayerReport> {
        let inner = Arc::clone(&self.inner);
        let probing = std::thread::spawn(move || inner.probe());
        probing
            .join()
            .unwrap_or_else(|_| vec![layers::missing_kernel("the probe failed unexpectedly")])
    }

    fn supports(&self, kind: ProgramKind) -> Result<(), String> {
        self.inner.runtime.as_ref().map_err(Clone::clone)?;
        Interpreters::find().check(kind).map_err(|why| match kind {
            ProgramKind::WasmModule | ProgramKind::WasmComponent => format!(
                "the level {} does not run WebAssembly; the instance level does",
                self.level
            ),
            _ => why,
        })
    }

    /// In a warm container an interpreter of Python waits.
    fn suits_warm(&self, job: &Job) -> bool {
        job.program.kind != ProgramKind::Python || atoll_sandbox_process::suits(job)
    }

    fn keep_in(&self, state_dir: &Path) {
        self.inner.platforms.keep_in(state_dir);
    }

    fn begin(
        &self,
        id: &str,
        environment: &Environment,
    ) -> Result<Box<dyn Beginning>, CreateError> {
        Ok(Box::new(self.begin_container(id, environment, false)?))
    }

    async fn create_warm(&self, spec: SandboxSpec) -> Result<Box<dyn Sandbox>, CreateError> {
        self.create_as(spec, true).await
    }
}

impl Inner {
    /// How the runtime takes over system calls, if there is a choice.
    async fn platform(
        &self,
        runtime: &Runtime,
        root: &Root,
        accept_missing: &BTreeSet<Layer>,
    ) -> Result<Option<Platform>, String> {
        if !runtime.has_platforms() {
            return Ok(None);
        }
        let found = self.platforms.find(runtime, root, accept_missing).await;
        let explain = |why| format!("no container of {} starts here: {why}", self.name);
        found.map(Some).map_err(explain)
    }

    fn layers(&self, jail: Vec<LayerReport>, platform: Option<Platform>) -> Layers {
        let kernel = platform.map_or_else(|| Kernel::Host(self.name.clone()), Kernel::Own);
        Layers::new(jail, kernel)
    }

    /// Runs a container, on a thread of its own.
    fn probe(&self) -> Vec<LayerReport> {
        let tried = self.runtime.as_ref().map_err(Clone::clone);
        let tried = tried.and_then(|runtime| {
            let runner = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .map_err(|error| error.to_string())?;
            runner.block_on(self.try_container(runtime))
        });
        let jail = atoll_jail::probe();
        match tried {
            Ok(platform) => self.layers(jail, platform).with(vec![layers::filtered()]),
            Err(why) => {
                let mut layers = self.layers(jail, None).with(vec![layers::filtered()]);
                layers.push(layers::missing_kernel(&why));
                layers
            }
        }
    }

    async fn try_container(&self, runtime: &Runtime) -> Result<Option<Platform>, String> {
        let environment = Environment {
            kind: ProgramKind::Shell,
            dependencies: None,
            modules: BTreeSet::new(),
            tenant: TenantId::local(),
        };
        let root = atoll_sandbox_process::root(&environment).map_err(|error| error.to_string())?;
        let accepted = accepted(&Layer::DISPENSABLE.into());
        let platform = self.platform(runtime, &root, &accepted).await?;
        if platform.is_none() {
            platform::run_something(runtime, None, &root, &accepted).await?;
        }
        Ok(platform)
    }
}

/// What a sandbox may lack, and what this level does not have.
fn accepted(accept_missing: &BTreeSet<Layer>) -> BTreeSet<Layer> {
    let accepted = accept_missing.iter().copied();
    accepted.chain(layers::not_needed()).collect()
}

struct ContainerBeginning {
    level: Level,
    inner: Arc<Inner>,
    id: String,
    jail: JailBeginning,
    root: Root,
    environment: Environment,
    is_warm: bool,
}

#[async_trait]
impl Beginning for ContainerBeginning {
    async fn finish(self: Box<Self>, terms: Terms<'_>) -> Result<Box<dyn Sandbox>, CreateError> {
        let level = self.level;
        let missing = |why: &str| CreateError::NotEnforceable {
            level,
            missing: vec![layers::missing_kernel(why)],
        };
        let runtime = self.inner.runtime.as_ref().map_err(|why| missing(why))?;
        let accepted = accepted(terms.accept_missing);
        let platform = self.inner.platform(runtime, &self.root, &accepted).await;
        let platform = platform.map_err(|why| missing(&why))?;
        let limits = container::building_limits(&terms.limits, OWN_MEMORY_BYTES);
        let jail = self.jail.finish(limits, &accepted).await;
        let mut jail = jail.map_err(|error| create_error(level, error))?;
        let layers = self.inner.layers(jail.layers(Profile::Runtime), platform);
        let agent = container::agent_place();
        let command: &[&str] = match platform {
            Some(_) => &[&agent, "container"],
            None => &[&agent, "container", "host"],
        };
        let running = container::start(&mut jail, runtime, platform, command, &terms.limits);
        let running = running.await.map_err(|error| create_error(level, error))?;
        let words = Words::listen(running.stderr).map_err(internal("hear from a runtime"))?;
        let boundary = Boundary::new(level, layers, jail, words);
        let begin = Begin {
            id: self.id,
            identity: None,
            volume: None,
            surroundings: Surroundings {
                kind: self.environment.kind,
                dependencies: self
                    .environment
                    .dependencies
                    .map(|_| DEPENDENCIES.to_owned()),
                modules: self.environment.modules,
            },
            limits: terms.limits,
            system_calls: terms.system_calls,
            accept_missing: terms.accept_missing.clone(),
            is_warm: self.is_warm,
            practises: false,
            is_fresh: false,
        };
        let agent = Agent::meet(running.stdout, running.stdin, PATIENCE).await;
        let begun = match agent {
            Ok(agent) => begun(agent, begin, &boundary).await,
            Err(error) => Err(error.into_create_error(level)),
        };
        let settled = boundary.settle(&terms.limits);
        let begun = begun.and_then(|agent| {
            settled.map_err(internal("limit a container"))?;
            Ok(agent)
        });
        match begun {
            Ok(agent) => Ok(Box::new(Remote::new(agent, Box::new(boundary)))),
            Err(error) => {
                let said = boundary.last_words();
                // What failed before says more.
                let _ = boundary.destroy().await;
                Err(with_words(error, said))
            }
        }
    }
}

/// Lets an agent build its sandbox. Nothing may be missing then but what is accepted.
async fn begun(mut agent: Agent, begin: Begin, boundary: &Boundary) -> Result<Agent, CreateError> {
    let level = boundary.level();
    let accepted = begin.accept_missing.clone();
    let inside = agent.begin(begin).await;
    let inside = inside.map_err(|error| error.into_create_error(level))?;
    let mut missing = boundary.layers(inside.to_vec());
    missing
        .retain(|report| report.state == LayerState::Missing && !accepted.contains(&report.layer));
    if missing.is_empty() {
        Ok(agent)
    } else {
        Err(CreateError::NotEnforceable { level, missing })
    }
}

/// Where a container finds its dependencies.
const DEPENDENCIES: &str = "/dependencies";

/// The runtime knows better than the agent that did not come why it did not.
fn with_words(error: CreateError, said: Option<String>) -> CreateError {
    match (error, said) {
        (CreateError::Internal { attempt, source }, Some(said)) => CreateError::Internal {
            attempt,
            source: io::Error::new(source.kind(), format!("{source}; the runtime says: {said}")),
        },
        (error, _) => error,
    }
}

fn internal(attempt: &str) -> impl FnOnce(io::Error) -> CreateError {
    let attempt = attempt.to_owned();
    move |source| CreateError::Internal { attempt, source }
}

/// What the engine hears when a container's jail could not be made.
fn create_error(level: Level, error: JailError) -> CreateError {
    match error {
        JailError::NotEnforceable(missing) => CreateError::NotEnforceable { level, missing },
        JailError::Helper(missing) => CreateError::Environment(missing.to_string()),
        JailError::Limit(limit) => CreateError::Environment(format!(
            "the {limit} limit is too small for a sandbox; raise it in the policy"
        )),
        JailError::Program(attempt, source) | JailError::Internal(attempt, source) => {
            CreateError::Internal { attempt, source }
        }
    }
}
