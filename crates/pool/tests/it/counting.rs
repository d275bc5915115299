//! A backend whose sandboxes hold nothing, and that counts them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use atoll_sandbox::{
    Backend, Beginning, CreateError, DestroyError, Ending, Environment, Job, Leavings,
    LeavingsError, RenewError, Sandbox, SandboxSpec, StartError, State, Streams, Terms,
};
use atoll_types::{Enforcement, LayerReport, Level, LimitName, Limits, ProgramKind, Usage};

pub(crate) const LIMITS: Limits = Limits {
    wall_time_ms: 1_000,
    cpu_time_ms: 1_000,
    cpu_percent: 100,
    memory_bytes: 64 << 20,
    processes: 8,
    disk_bytes: 1 << 20,
    disk_files: 10,
    output_bytes: 1 << 20,
    open_files: 16,
};

/// Memory that each sandbox claims to take while it waits.
pub(crate) const IDLE_BYTES: u64 = 8 << 20;

#[derive(Debug, Default)]
pub(crate) struct Counting {
    living: Arc<AtomicU64>,
    pub(crate) warmed: Arc<AtomicU64>,
    pub(crate) failing: AtomicBool,
    /// Sandboxes cannot be renewed.
    pub(crate) worn: Arc<AtomicBool>,
}

impl Counting {
    pub(crate) fn living(&self) -> u64 {
        self.living.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl Backend for Counting {
    fn level(&self) -> Level {
        Level::Process
    }

    fn probe(&self) -> Vec<LayerReport> {
        Vec::new()
    }

    fn supports(&self, _: ProgramKind) -> Result<(), String> {
        Ok(())
    }

    async fn create_warm(&self, spec: SandboxSpec) -> Result<Box<dyn Sandbox>, CreateError> {
        let created = self.create(spec).await?;
        tokio::time::sleep(Duration::from_millis(3)).await;
        self.warmed.fetch_add(1, Ordering::SeqCst);
        Ok(created)
    }

    fn begin(&self, _: &str, _: &Environment) -> Result<Box<dyn Beginning>, CreateError> {
        if self.failing.load(Ordering::SeqCst) {
            return Err(CreateError::Environment("no interpreter".to_owned()));
        }
        self.living.fetch_add(1, Ordering::SeqCst);
        Ok(Box::new(Empty {
            living: Arc::clone(&self.living),
            worn: Arc::clone(&self.worn),
            enforcement: Enforcement {
                level: Level::Process,
                layers: Vec::new(),
            },
        }))
    }
}

struct Empty {
    living: Arc<AtomicU64>,
    worn: Arc<AtomicBool>,
    enforcement: Enforcement,
}

impl Drop for Empty {
    fn drop(&mut self) {
        self.living.fetch_sub(1, Ordering::SeqCst);
    }
}

#[async_trait]
impl Beginning for Empty {
    async fn finish(self: Box<Self>, _: Terms<'_>) -> Result<Box<dyn Sandbox>, CreateError> {
        tokio::time::sleep(Duration::from_millis(2)).await;
        Ok(self)
    }
}

#[async_trait]
impl Sandbox for Empty {
    fn state(&self) -> State {
        State::Ready
    }

    fn enforcement(&self) -> &Enforcement {
        &self.enforcement
    }

    fn set_limits(&mut self, _: &Limits) -> std::io::Result<()> {
        Ok(())
    }

    async fn start(&mut self, _: Job) -> Result<Streams, StartError> {
        Err(StartError::Program("nothing runs here".to_owned()))
    }

    fn usage(&self) -> Usage {
        Usage {
            memory_peak_bytes: IDLE_BYTES,
            ..Usage::default()
        }
    }

    fn limit_hit(&self) -> Option<LimitName> {
        None
    }

    async fn wait(&mut self) -> Ending {
        Ending::Exited(0)
    }

    fn stop(&mut self) {}

    async fn leavings(&mut self) -> Result<Leavings, LeavingsError> {
        Err(LeavingsError::NotEnded)
    }

    async fn renew(&mut self, _: &Limits) -> Result<(), RenewError> {
        tokio::time::sleep(Duration::from_millis(2)).await;
        match self.worn.load(Ordering::SeqCst) {
            false => Ok(()),
            true => Err(RenewError {
                source: std::io::ErrorKind::ResourceBusy.into(),
            }),
        }
    }

    async fn destroy(self: Box<Self>) -> Result<(), DestroyError> {
        tokio::time::sleep(Duration::from_millis(1)).await;
        Ok(())
    }
}
