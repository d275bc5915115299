//! The instance level: WebAssembly instances in jailed workers.
//!
//! This crate is the half that lives in the engine. It owns the protocol it speaks with
//! `atoll-wasm-worker` and the backend that starts one jailed worker for each message. It does not
//! link the WebAssembly runtime and never looks at a guest's bytes: both happen in the worker, a
//! process of its own, inside a jail.

mod ending;
pub mod protocol;
mod sandbox;
mod worker;

use std::collections::BTreeSet;

use async_trait::async_trait;
use atoll_jail::{Jail, JailBeginning};
use atoll_sandbox::{Backend, Beginning, CreateError, Environment, Job, Sandbox, SandboxSpec};
use atoll_types::{
    Layer, LayerReport, LayerState, Level, Limits, Program, ProgramHash, ProgramKind, SystemCalls,
    TenantId,
};

use crate::protocol::GuestKind;
use crate::sandbox::WasmSandbox;

/// Makes sandboxes of the `instance` level.
#[derive(Debug, Clone, Default)]
pub struct WasmBackend;

impl WasmBackend {
    /// A backend that looks for the worker when a sandbox is made.
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
        let mut layers = atoll_jail::probe();
        let there = |report: &LayerReport| {
            report.state == LayerState::Enforced || Layer::DISPENSABLE.contains(&report.layer)
        };
        let complete = layers.iter().all(there);
        let instance = if complete {
            probe_instance()
        } else {
            Err("not tried, because a jail around the worker cannot be built".to_owned())
        };
        layers.push(match instance {
            Ok(()) => sandbox::instance_layer(None),
            Err(detail) => LayerReport {
                layer: Layer::WasmInstance,
                state: LayerState::Missing,
                detail,
            },
        });
        layers
    }

    fn supports(&self, kind: ProgramKind) -> Result<(), String> {
        match GuestKind::of(kind) {
            Some(_) => Ok(()),
            None => Err(format!(
                "the instance level runs WebAssembly only; a {kind} program needs the process \
                 level or a stronger one"
            )),
        }
    }

    /// Third-party modules of the environment are not used: a WebAssembly program brings its own.
    fn begin(
        &self,
        id: &str,
        environment: &Environment,
    ) -> Result<Box<dyn Beginning>, CreateError> {
        self.supports(environment.kind)
            .map_err(CreateError::Environment)?;
        let jail = Jail::begin(&worker::jail_spec(id)?).map_err(sandbox::create_error)?;
        Ok(Box::new(WasmBeginning { jail }))
    }
}

struct WasmBeginning {
    jail: JailBeginning,
}

#[async_trait]
impl Beginning for WasmBeginning {
    async fn finish(
        self: Box<Self>,
        limits: Limits,
        _: SystemCalls,
        accept_missing: &BTreeSet<Layer>,
    ) -> Result<Box<dyn Sandbox>, CreateError> {
        let limits_of_jail = worker::jail_limits(&limits);
        let jail = self.jail.finish(limits_of_jail, accept_missing).await;
        let jail = jail.map_err(sandbox::create_error)?;
        Ok(Box::new(WasmSandbox::new(jail, limits)))
    }
}

/// A module that does nothing: `(module (func (export "_start")))`.
const NOTHING: &[u8] = b"\0asm\x01\0\0\0\
    \x01\x04\x01\x60\0\0\
    \x03\x02\x01\0\
    \x07\x0a\x01\x06_start\0\0\
    \x0a\x04\x01\x02\0\x0b";

/// Room for a module that does nothing.
const PROBE_LIMITS: Limits = Limits {
    wall_time_ms: 10_000,
    cpu_time_ms: 5_000,
    cpu_percent: 100,
    memory_bytes: 64 << 20,
    processes: 1,
    disk_bytes: 1 << 20,
    disk_files: 16,
    output_bytes: 1 << 10,
    open_files: 16,
};

/// Runs a module for real. Has a thread of its own, because the caller may be inside a runtime.
fn probe_instance() -> Result<(), String> {
    let tried = std::thread::spawn(|| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        runtime
            .map_err(|error| format!("failed to run a module: {error}"))?
            .block_on(run_nothing())
    });
    tried
        .join()
        .unwrap_or_else(|_| Err("the probe failed unexpectedly".to_owned()))
}

async fn run_nothing() -> Result<(), String> {
    let kind = ProgramKind::WasmModule;
    let environment = Environment {
        kind,
        dependencies: None,
        modules: BTreeSet::new(),
        tenant: TenantId::local(),
    };
    let spec = SandboxSpec {
        id: "probe-wasm".to_owned(),
        limits: PROBE_LIMITS,
        system_calls: SystemCalls::Strict,
        accept_missing: Layer::DISPENSABLE.into(),
        environment,
        renews: false,
    };
    let program = Program {
        name: "probe.wasm".to_owned(),
        kind,
        bytes: NOTHING.into(),
        hash: ProgramHash::of(NOTHING),
    };
    let job = Job {
        program,
        arguments: Vec::new(),
        files: Vec::new(),
        environment: Vec::new(),
        calls: Default::default(),
    };
    let mut sandbox = WasmBackend
        .create(spec)
        .await
        .map_err(|error| error.to_string())?;
    let started = sandbox.start(job).await;
    let ending = match started {
        Ok(_streams) => Ok(sandbox.wait().await),
        Err(error) => Err(error.to_string()),
    };
    sandbox
        .destroy()
        .await
        .map_err(|error| format!("{error}: {}", error.source))?;
    match ending? {
        atoll_sandbox::Ending::Exited(0) => Ok(()),
        other => Err(format!("a module that does nothing ended with {other:?}")),
    }
}
