//! A backend whose sandboxes are an agent's, at the other end of a socket in this process.

use std::collections::BTreeSet;
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use async_trait::async_trait;
use atoll_agent::serve::serve;
use atoll_remote::protocol::{Begin, Surroundings};
use atoll_remote::{Agent, Outside, Remote};
use atoll_sandbox::{
    Backend, Beginning, CreateError, DestroyError, Environment, Job, Sandbox, SandboxSpec, Tenancy,
    Terms,
};
use atoll_sandbox_process::ProcessBackend;
use atoll_types::{LayerReport, Level, Limits, ProgramKind, Usage};

pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Default)]
pub(crate) struct Behind(ProcessBackend);

/// No boundary at all: what it ends is the stream.
struct NoBoundary {
    stream: UnixStream,
    agent: Mutex<Option<JoinHandle<std::io::Result<()>>>>,
    /// CPU time of all jails when usage began to count.
    cpu_time_us: AtomicU64,
}

#[async_trait]
impl Outside for NoBoundary {
    fn level(&self) -> Level {
        Level::Process
    }

    fn layers(&self, inside: Vec<LayerReport>) -> Vec<LayerReport> {
        inside
    }

    fn set_limits(&self, _limits: &Limits) -> std::io::Result<()> {
        Ok(())
    }

    fn restart_clock(&self) {
        let before = atoll_sandbox_process::cpu_time_us().unwrap_or(0);
        self.cpu_time_us.store(before, Ordering::Relaxed);
    }

    /// What other tests use meanwhile is counted, too.
    fn usage(&self, inside: Usage) -> Usage {
        let now = atoll_sandbox_process::cpu_time_us().unwrap_or(0);
        let outside = now.saturating_sub(self.cpu_time_us.load(Ordering::Relaxed));
        Usage {
            cpu_time_us: outside.max(inside.cpu_time_us),
            ..inside
        }
    }

    fn kill(&self) {
        let _ = self.stream.shutdown(Shutdown::Both);
    }

    fn patience(&self) -> Duration {
        PATIENCE
    }

    async fn destroy(&self) -> Result<(), DestroyError> {
        self.kill();
        let agent = self.agent.lock().unwrap().take();
        if let Some(agent) = agent {
            let ended = tokio::task::spawn_blocking(move || agent.join()).await;
            // An agent whose host leaves while a program runs says so.
            drop(ended.unwrap().unwrap());
        }
        Ok(())
    }
}

pub(crate) async fn begin(spec: SandboxSpec, is_warm: bool) -> Result<Remote, CreateError> {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let agent = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let backend = ProcessBackend::new();
        let output = theirs.try_clone()?;
        runtime.block_on(serve(&backend, theirs.into(), output.into()))
    });
    let outside = NoBoundary {
        stream: ours.try_clone().unwrap(),
        agent: Mutex::new(Some(agent)),
        cpu_time_us: AtomicU64::new(0),
    };
    let output = ours.try_clone().unwrap();
    let mut met = Agent::meet(ours.into(), output.into(), PATIENCE)
        .await
        .unwrap();
    let begin = Begin {
        id: spec.id,
        identity: None,
        volume: None,
        surroundings: Surroundings {
            kind: spec.environment.kind,
            dependencies: None,
            modules: BTreeSet::new(),
        },
        limits: spec.limits,
        system_calls: spec.system_calls,
        accept_missing: spec.accept_missing,
        is_warm,
        practises: false,
        is_fresh: false,
    };
    if let Err(error) = met.begin(begin).await {
        outside.destroy().await.unwrap();
        return Err(error.into_create_error(Level::Process));
    }
    Ok(Remote::new(met, Box::new(outside)))
}

#[async_trait]
impl Backend for Behind {
    fn level(&self) -> Level {
        Level::Process
    }

    fn probe(&self) -> Vec<LayerReport> {
        self.0.probe()
    }

    fn supports(&self, kind: ProgramKind) -> Result<(), String> {
        self.0.supports(kind)
    }

    fn suits_warm(&self, job: &Job) -> bool {
        self.0.suits_warm(job)
    }

    fn begin(
        &self,
        id: &str,
        environment: &Environment,
    ) -> Result<Box<dyn Beginning>, CreateError> {
        Ok(Box::new(Begun {
            id: id.to_owned(),
            environment: environment.clone(),
        }))
    }

    async fn create_warm(&self, spec: SandboxSpec) -> Result<Box<dyn Sandbox>, CreateError> {
        let mut sandbox = begin(spec, true).await?;
        sandbox.rehearse().await.unwrap();
        Ok(Box::new(sandbox))
    }
}

struct Begun {
    id: String,
    environment: Environment,
}

#[async_trait]
impl Beginning for Begun {
    async fn finish(self: Box<Self>, terms: Terms<'_>) -> Result<Box<dyn Sandbox>, CreateError> {
        let spec = SandboxSpec {
            id: self.id,
            limits: terms.limits,
            system_calls: terms.system_calls,
            accept_missing: terms.accept_missing.clone(),
            environment: self.environment,
            renews: false,
            tenancy: Tenancy::own(),
        };
        Ok(Box::new(begin(spec, false).await?))
    }
}
