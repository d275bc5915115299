//! The `vm` level: a virtual machine with a kernel of its own for each message.
//!
//! A machine is a QEMU process in a jail. It boots once for each kind of program and size, an agent
//! of Atoll's makes ready what programs of that kind need, and a snapshot is taken; every sandbox
//! is a clone of it, which is told who it is before anything of a message is there. Inside, the
//! agent runs the program as the level `process` does. This crate owns the machines and what they
//! are made of; what an agent may say is held to by `atoll-remote`.

mod accelerator;
mod bare;
mod emulator;
mod erofs;
mod error;
mod image;
mod kept;
mod machine;
mod outside;
mod qmp;
mod size;
mod snapshot;
mod snapshots;
mod ticks;
mod tree;
mod volumes;

use std::collections::BTreeSet;
use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use atoll_remote::protocol::{Begin, ENTROPY_BYTES_MIN, Identity, Surroundings};
use atoll_remote::{AgentError, Remote};
use atoll_sandbox::{
    Backend, Beginning, CreateError, Domain, Environment, Sandbox, SandboxSpec, Terms,
};
use atoll_types::{Layer, LayerReport, LayerState, Level, Limits, ProgramKind};

pub use accelerator::{KvmDiagnosis, diagnose};
pub use bare::boot_command;

use accelerator::{Accelerator, find_qemu};
use emulator::Emulator;
use error::internal;
use machine::Machine;
use outside::{NOT_INSIDE, VmOutside};
use size::Size;
use snapshot::Snapshot;
use snapshots::{Shared, Snapshots};
use volumes::Volumes;

/// Where snapshots are kept, below the state directory.
const SNAPSHOTS: &str = "snapshots";

/// Where images of dependencies are.
const VOLUMES: &str = "volumes";

/// Makes sandboxes of the `vm` level.
#[derive(Clone, Default)]
pub struct VmBackend {
    snapshots: Arc<Snapshots>,
    volumes: Arc<Volumes>,
}

impl fmt::Debug for VmBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VmBackend").finish_non_exhaustive()
    }
}

impl VmBackend {
    /// A backend without snapshots. It takes them as they are needed.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A backend whose machines start from the guest image in a directory.
    #[must_use]
    pub fn with_image(directory: &Path) -> Self {
        Self {
            snapshots: Arc::new(Snapshots::of(directory.to_owned())),
            volumes: Arc::default(),
        }
    }

    async fn make(&self, making: Making<'_>) -> Result<Box<dyn Sandbox>, CreateError> {
        loop {
            let mut used = None;
            let made = self.try_to_make(making, &mut used).await;
            match (made, used) {
                (Err(_), Some(snapshot)) if self.snapshots.replaces(&snapshot) => {}
                (made, used) => {
                    // What has come up once is as good as one that was taken here.
                    used.and_then(|snapshot| snapshot.take_untried());
                    return made;
                }
            }
        }
    }

    async fn try_to_make(
        &self,
        making: Making<'_>,
        used: &mut Option<Arc<Snapshot>>,
    ) -> Result<Box<dyn Sandbox>, CreateError> {
        let Making { id, terms, .. } = making;
        let size = Size::of(&terms.limits).map_err(CreateError::Environment)?;
        let prepared = surroundings(making.environment);
        let inside: BTreeSet<Layer> = NOT_INSIDE
            .iter()
            .chain(terms.accept_missing)
            .copied()
            .collect();
        let volume = match &making.environment.dependencies {
            Some(directory) => Some(self.volumes.image_of(directory).await?),
            None => None,
        };
        let has_volume = volume.is_some();
        let shared = match &terms.tenancy.domain {
            // Only this interpreter can wait, and none that waits in a snapshot is shown any
            // dependencies.
            Domain::Tenant(tenant) if prepared.kind == ProgramKind::Python && !has_volume => {
                Some(Shared {
                    tenant: tenant.clone(),
                    limits: size.widest(&terms.limits),
                    system_calls: terms.system_calls,
                    accept_missing: inside.clone(),
                })
            }
            _ => None,
        };
        let shares = shared.is_some();
        let snapshot = self
            .snapshots
            .get(&prepared, size, shared.as_ref(), terms.accept_missing)
            .await?;
        *used = Some(Arc::clone(&snapshot));
        // Whatever the program's share will be, its machine is made at full speed.
        let building = size.around(&Limits {
            cpu_percent: terms.limits.cpu_percent.max(BUILDING_PERCENT),
            ..terms.limits
        });
        let clone = snapshot
            .copy(id, building, volume, terms.accept_missing)
            .await?;
        let (machine, mut agent) = (clone.machine, clone.agent);
        let begin = Begin {
            id: id.to_owned(),
            identity: Some(identity(id)?),
            surroundings: Surroundings {
                dependencies: has_volume.then(|| volumes::PLACE.to_owned()),
                ..prepared
            },
            volume: has_volume.then(Volumes::for_agent),
            limits: terms.limits,
            system_calls: terms.system_calls,
            accept_missing: inside,
            is_warm: making.is_warm || shares,
            practises: making.is_warm,
            is_fresh: !shares,
        };
        let begun = agent.begin(begin).await.map(drop);
        let held = match begun {
            Ok(()) => machine
                .set_limits(size.around(&terms.limits))
                .map_err(internal("limit a virtual machine")),
            Err(error) => Err(not_begun(error, &machine)),
        };
        if let Err(error) = held {
            // The first error says more.
            let _ = machine.destroy().await;
            return Err(error);
        }
        let outside = VmOutside {
            machine,
            size,
            boundary: self.snapshots.boundary(&snapshot),
        };
        let remote = Remote::new(agent, Box::new(outside));
        check(remote, terms.accept_missing).await
    }
}

/// What a sandbox is made for.
#[derive(Clone, Copy)]
struct Making<'a> {
    id: &'a str,
    environment: &'a Environment,
    terms: Terms<'a>,
    is_warm: bool,
}

/// The least share of a processor while a machine is made, in hundredths of one.
const BUILDING_PERCENT: u32 = 100;

/// A sandbox that lacks nothing that was not accepted.
async fn check(
    remote: Remote,
    accept_missing: &BTreeSet<Layer>,
) -> Result<Box<dyn Sandbox>, CreateError> {
    let missing = remote.enforcement().missing();
    let refused = missing.filter(|report| !accept_missing.contains(&report.layer));
    let refused: Vec<_> = refused.cloned().collect();
    let remote: Box<dyn Sandbox> = Box::new(remote);
    if refused.is_empty() {
        return Ok(remote);
    }
    // What is missing says more.
    let _ = remote.destroy().await;
    Err(CreateError::NotEnforceable {
        level: Level::Vm,
        missing: refused,
    })
}

fn not_begun(error: AgentError, machine: &Machine) -> CreateError {
    match error {
        AgentError::Refused(_) => error.into_create_error(Level::Vm),
        error => machine.failed("begin in a clone", error),
    }
}

/// What a snapshot is made ready for. Dependencies come to its clones.
fn surroundings(environment: &Environment) -> Surroundings {
    Surroundings {
        kind: environment.kind,
        dependencies: None,
        modules: environment.modules.clone(),
    }
}

/// What makes a clone another machine than the one it was copied from.
fn identity(id: &str) -> Result<Identity, CreateError> {
    let mut entropy = vec![0; ENTROPY_BYTES_MIN];
    let mut machine_id = [0; 16];
    for random in [entropy.as_mut_slice(), &mut machine_id] {
        fill(random).map_err(internal("get random numbers"))?;
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.map_err(|error| internal("read the clock")(io::Error::other(error)))?;
    Ok(Identity {
        entropy,
        unix_ns: u64::try_from(now.as_nanos()).unwrap_or_default(),
        hostname: id.to_owned(),
        machine_id,
    })
}

fn fill(mut rest: &mut [u8]) -> io::Result<()> {
    while !rest.is_empty() {
        let count = rustix::rand::getrandom(&mut *rest, rustix::rand::GetRandomFlags::empty())?;
        rest = rest.get_mut(count..).unwrap_or_default();
    }
    Ok(())
}

#[async_trait]
impl Backend for VmBackend {
    fn level(&self) -> Level {
        Level::Vm
    }

    /// About what a warm clone of the smallest size takes for itself: its kernel, its agent, and
    /// the emulator.
    fn own_memory_bytes(&self) -> u64 {
        112 << 20
    }

    fn probe(&self) -> Vec<LayerReport> {
        let mut layers = atoll_jail::probe();
        self.snapshots.recall_kvm();
        let found = self.snapshots.image().and_then(|image| {
            let (accelerator, how) = Accelerator::choose()?;
            let emulator = Emulator::find(accelerator)?;
            Ok(format!(
                "{how}; {}; {}; Linux {}",
                accelerator.speed(),
                emulator.version,
                image.kernel
            ))
        });
        let (state, detail) = match found {
            Ok(detail) => (LayerState::Enforced, detail),
            Err(detail) => (LayerState::Missing, detail),
        };
        layers.push(LayerReport {
            layer: Layer::OwnKernel,
            state,
            detail,
        });
        layers
    }

    fn supports(&self, kind: ProgramKind) -> Result<(), String> {
        if matches!(kind, ProgramKind::WasmModule | ProgramKind::WasmComponent) {
            return Err(
                "the vm level does not run WebAssembly; the instance level does".to_owned(),
            );
        }
        if find_qemu().is_none() {
            return Err(
                "qemu-system-x86_64 was not found on this host; install qemu-system-x86".to_owned(),
            );
        }
        self.snapshots.image().map(drop)
    }

    fn keep_in(&self, state_dir: &Path) {
        self.snapshots.keep_in(state_dir.join(SNAPSHOTS));
        self.volumes.keep_in(state_dir.join(VOLUMES));
    }

    /// What a warm one has started costs a new one more time than it saves.
    fn is_warm(&self, _environment: &Environment) -> bool {
        false
    }

    async fn close(&self) {
        self.snapshots.clear();
    }

    fn begin(
        &self,
        id: &str,
        environment: &Environment,
    ) -> Result<Box<dyn Beginning>, CreateError> {
        self.supports(environment.kind)
            .map_err(CreateError::Environment)?;
        Ok(Box::new(VmBeginning {
            backend: self.clone(),
            id: id.to_owned(),
            environment: environment.clone(),
        }))
    }

    async fn create_warm(&self, spec: SandboxSpec) -> Result<Box<dyn Sandbox>, CreateError> {
        self.supports(spec.environment.kind)
            .map_err(CreateError::Environment)?;
        self.make(Making {
            id: &spec.id,
            environment: &spec.environment,
            terms: spec.terms(),
            is_warm: true,
        })
        .await
    }
}

/// What is not built yet: how large the machine is follows from the limits.
struct VmBeginning {
    backend: VmBackend,
    id: String,
    environment: Environment,
}

#[async_trait]
impl Beginning for VmBeginning {
    async fn finish(self: Box<Self>, terms: Terms<'_>) -> Result<Box<dyn Sandbox>, CreateError> {
        let making = Making {
            id: &self.id,
            environment: &self.environment,
            terms,
            is_warm: false,
        };
        self.backend.make(making).await
    }
}
