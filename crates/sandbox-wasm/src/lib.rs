//! The instance level: WebAssembly instances in jailed workers.
//!
//! This crate is the half that lives in the engine. It owns the protocol it speaks with
//! `atoll-wasm-worker`, the workers, and the cache of compiled programs. It does not link the
//! WebAssembly runtime and never looks at a guest's bytes: both happen in other processes, each
//! inside a jail.

mod calls;
mod code;
mod compile;
mod differences;
mod ending;
mod error;
mod interpreters;
mod link;
mod message;
pub mod polling;
mod prepared;
pub mod protocol;
mod sandbox;
mod split;
mod worker;
mod workers;

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use atoll_jail::JailBeginning;
use atoll_sandbox::{
    Backend, Beginning, CreateError, Domain, Environment, Job, Sandbox, SandboxSpec, StartError,
    Tenancy, Terms,
};
use atoll_types::calls::CallRules;
use atoll_types::{
    Analysis, Layer, LayerReport, LayerState, Limits, Program, ProgramHash, ProgramKind,
    SystemCalls, TenantId,
};

pub use crate::link::{Finished, Lost};
pub use crate::prepared::{Prepared, WaitingMemory};

use crate::code::{Code, Programs, Wanted};
use crate::error::internal;
use crate::interpreters::{COMPILING, Interpreters};
use crate::protocol::GuestKind;
use crate::sandbox::{Ahead, Place, WasmSandbox};
use crate::worker::{begin_jail, instance_layer};
use crate::workers::Workers;

/// What every sandbox of this level has in common.
struct Level {
    programs: Programs,
    interpreters: Interpreters,
    workers: Arc<Workers>,
}

impl Level {
    /// What runs for a program: itself, or the interpreter of its language. Compiled if need be.
    ///
    /// # Errors
    /// As for [`Programs::get`].
    async fn code(
        &self,
        program: &Program,
        limits: &Limits,
        accept_missing: &BTreeSet<Layer>,
        beginning: Option<JailBeginning>,
    ) -> Result<Arc<Code>, StartError> {
        if let Some(kind) = GuestKind::of(program.kind) {
            let wanted = Wanted {
                kind,
                hash: program.hash.as_bytes(),
                program: &program.bytes,
                limits,
                accept_missing,
            };
            return self.programs.get(wanted, beginning).await;
        }
        let interpreter = self.interpreters.get(program.kind);
        let interpreter = interpreter.map_err(StartError::Program)?;
        let kind = GuestKind::Interpreter;
        if let Some(code) = self.programs.find(kind, &interpreter.hash).await {
            return Ok(code);
        }
        let bytes = interpreter
            .read()
            .map_err(internal("read an interpreter"))?;
        let wanted = Wanted {
            kind,
            hash: &interpreter.hash,
            program: &bytes,
            limits: &COMPILING,
            accept_missing,
        };
        self.programs.get(wanted, beginning).await
    }
}

/// Makes sandboxes of the `instance` level.
#[derive(Clone)]
pub struct WasmBackend {
    level: Arc<Level>,
}

impl fmt::Debug for WasmBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WasmBackend").finish_non_exhaustive()
    }
}

impl WasmBackend {
    /// A backend without workers. It keeps compiled programs for other processes once it knows
    /// where.
    #[must_use]
    pub fn new() -> Self {
        Self {
            level: Arc::new(Level {
                programs: Programs::default(),
                interpreters: Interpreters::default(),
                workers: Workers::new(),
            }),
        }
    }
}

impl Default for WasmBackend {
    fn default() -> Self {
        Self::new()
    }
}

/// Memory with which an interpreter has room for a program: Python begins with 35 MiB.
const INTERPRETER_BYTES_MIN: u64 = 128 << 20;

/// Compiled programs, in the state directory.
const COMPILED: &str = "compiled";

#[async_trait]
impl Backend for WasmBackend {
    fn level(&self) -> atoll_types::Level {
        atoll_types::Level::Instance
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
            Ok(()) => instance_layer(None),
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
            None => self.level.interpreters.get(kind).map(|_| ()),
        }
    }

    fn suits(&self, job: &Job, analysis: &Analysis) -> Result<(), String> {
        if GuestKind::of(job.program.kind).is_some() {
            return Ok(());
        }
        let interpreter = self.level.interpreters.get(job.program.kind)?;
        message::check(job).map_err(|why| format!("cannot be given what was sent: {why}"))?;
        interpreter.suits(analysis)
    }

    fn differs(&self, job: &Job, analysis: &Analysis) -> Option<String> {
        let program = &job.program;
        match GuestKind::of(program.kind) {
            Some(_) => None,
            None => differences::differs(program.kind, &program.bytes, analysis),
        }
    }

    /// The interpreter of a script; other programs are compiled one by one.
    fn is_compiled(&self, kind: ProgramKind) -> bool {
        let interpreter = self.level.interpreters.get(kind);
        interpreter.is_ok_and(|interpreter| {
            let programs = &self.level.programs;
            programs.has(GuestKind::Interpreter, &interpreter.hash)
        })
    }

    fn least_memory_bytes(&self, kind: ProgramKind) -> u64 {
        match GuestKind::of(kind) {
            Some(_) => 0,
            None => INTERPRETER_BYTES_MIN,
        }
    }

    /// Every function of the host passes one gate, so all rules hold but some that deny.
    fn unenforceable(&self, kind: ProgramKind, rules: &CallRules) -> Option<String> {
        calls::unenforceable(kind, rules)
    }

    /// Workers are kept here, and each serves many messages at once.
    fn keeps_ready(&self) -> bool {
        true
    }

    /// WebAssembly lacks third-party modules.
    fn shows_dependencies(&self) -> bool {
        false
    }

    fn keep_in(&self, state_dir: &Path) {
        self.level.programs.keep_in(state_dir.join(COMPILED));
    }

    async fn close(&self) {
        self.level.workers.close().await;
    }

    /// Third-party modules of the environment are not used: a WebAssembly program brings its own.
    fn begin(
        &self,
        id: &str,
        environment: &Environment,
    ) -> Result<Box<dyn Beginning>, CreateError> {
        self.supports(environment.kind)
            .map_err(CreateError::Environment)?;
        Ok(Box::new(WasmBeginning {
            level: Arc::clone(&self.level),
            ahead: Ahead {
                worker: Some(begin_jail(id)?),
                compiler: Some(begin_jail(&format!("{id}-c"))?),
            },
        }))
    }

    /// Builds nothing for a sandbox alone that it shares with others.
    async fn create(&self, spec: SandboxSpec) -> Result<Box<dyn Sandbox>, CreateError> {
        self.supports(spec.environment.kind)
            .map_err(CreateError::Environment)?;
        let beginning = WasmBeginning {
            level: Arc::clone(&self.level),
            ahead: Ahead::default(),
        };
        Box::new(beginning).finish(spec.terms()).await
    }
}

struct WasmBeginning {
    level: Arc<Level>,
    ahead: Ahead,
}

#[async_trait]
impl Beginning for WasmBeginning {
    async fn finish(
        mut self: Box<Self>,
        terms: Terms<'_>,
    ) -> Result<Box<dyn Sandbox>, CreateError> {
        let Tenancy {
            domain,
            messages_max,
        } = terms.tenancy;
        let place = match domain {
            Domain::Message => {
                let ahead = self.ahead.worker.take();
                let own = Workers::own(&terms.limits, 1, terms.accept_missing, ahead);
                Place::own(own.await?)
            }
            Domain::Class(_) | Domain::Tenant(_) => {
                let workers = &self.level.workers;
                let shared = workers.get(domain, *messages_max, terms.accept_missing);
                Place::shared(shared.await?)
            }
        };
        Ok(Box::new(WasmSandbox::new(
            Arc::clone(&self.level),
            terms,
            place,
            self.ahead.compiler,
        )))
    }
}

/// A module that does nothing: `(module (func (export "_start")))`.
pub const NOTHING: &[u8] = b"\0asm\x01\0\0\0\
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
        tenancy: Tenancy::own(),
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
        parts: None,
        calls: Default::default(),
    };
    let mut sandbox = WasmBackend::new()
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
