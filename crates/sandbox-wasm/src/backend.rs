//! Makes sandboxes of the `instance` level: one jailed worker for each message.

use std::path::PathBuf;

use async_trait::async_trait;
use atoll_jail::seccomp::Profile;
use atoll_jail::{Bind, Jail, JailError, JailSpec, Root, helper_binary};
use atoll_sandbox::{Backend, CreateError, Sandbox, SandboxSpec};
use atoll_types::{Layer, LayerReport, LayerState, Level, ProgramKind};

use crate::protocol::GuestKind;
use crate::sandbox::WasmSandbox;

/// The worker's file name, on the host and inside its jail.
pub(crate) const WORKER: &str = "atoll-wasm-worker";

/// Makes sandboxes of the `instance` level.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct WasmBackend;

impl WasmBackend {
    /// A backend that starts the worker installed together with this program.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }
}

#[async_trait]
impl Backend for WasmBackend {
    fn level(&self) -> Level {
        Level::Instance
    }

    fn probe(&self) -> Vec<LayerReport> {
        let instance = match helper_binary(WORKER) {
            Ok(_) => instance_layer(LayerState::Enforced, INSTANCE.to_owned()),
            Err(missing) => instance_layer(LayerState::Missing, missing.to_string()),
        };
        atoll_jail::probe().into_iter().chain([instance]).collect()
    }

    fn supports(&self, kind: ProgramKind) -> Result<(), String> {
        match GuestKind::of(kind) {
            Some(_) => Ok(()),
            None => Err(format!(
                "the instance level runs WebAssembly only, and this is a {kind} program"
            )),
        }
    }

    async fn create(&self, spec: SandboxSpec) -> Result<Box<dyn Sandbox>, CreateError> {
        let kind = GuestKind::of(spec.environment.kind).ok_or_else(|| {
            CreateError::Environment("the instance level runs WebAssembly only".to_owned())
        })?;
        if spec.environment.dependencies.is_some() {
            let text = "a WebAssembly program brings its dependencies with it; there is no \
                        directory to look them up in";
            return Err(CreateError::Environment(text.to_owned()));
        }
        let worker = helper_binary(WORKER)
            .map_err(|missing| CreateError::Environment(missing.to_string()))?;
        let limits = spec.limits;
        let jail = JailSpec {
            name: spec.id,
            limits,
            root: root(worker),
            profile: Profile::WasmWorker,
        };
        let jail = Jail::create(jail).await.map_err(create_error)?;
        Ok(Box::new(WasmSandbox::new(jail, kind, limits)))
    }
}

/// Nothing but the worker itself, which is linked statically: no shell, no libraries, no devices.
fn root(worker: PathBuf) -> Root {
    Root {
        binds: vec![Bind {
            host: worker,
            guest: WORKER.into(),
        }],
        ..Root::default()
    }
}

const INSTANCE: &str = "a Wasmtime instance with its own linear memory, in a worker of its own";

/// Every layer of a sandbox of this level.
pub(crate) fn layers() -> Vec<LayerReport> {
    let instance = instance_layer(LayerState::Enforced, INSTANCE.to_owned());
    Jail::layers().into_iter().chain([instance]).collect()
}

const fn instance_layer(state: LayerState, detail: String) -> LayerReport {
    LayerReport {
        layer: Layer::WasmInstance,
        state,
        detail,
    }
}

fn create_error(error: JailError) -> CreateError {
    match error {
        JailError::NotEnforceable(missing) => CreateError::NotEnforceable {
            level: Level::Instance,
            missing,
        },
        JailError::Helper(missing) => CreateError::Environment(missing.to_string()),
        JailError::Limit(limit) => CreateError::Environment(format!(
            "the {limit} limit is too small for a sandbox; raise it in the policy"
        )),
        JailError::Program(attempt, source) | JailError::Internal(attempt, source) => {
            CreateError::Internal { attempt, source }
        }
    }
}
