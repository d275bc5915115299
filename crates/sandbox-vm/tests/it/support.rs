//! Backends to try, and programs run in their sandboxes.

use std::collections::BTreeSet;

use atoll_sandbox::conformance::{accepted_by_environment, limits};
use atoll_sandbox::{Backend, Ending, Environment, Job, Sandbox, SandboxSpec, Tenancy};
use atoll_sandbox_vm::VmBackend;
use atoll_types::{
    Enforcement, LimitName, Limits, Program, ProgramHash, ProgramKind, SystemCalls, TenantId,
};

/// The level as it is on this host; `None` where the guest image was not built, which is only let
/// pass where nobody says that it has to be there.
pub(crate) fn backend() -> Option<VmBackend> {
    let backend = VmBackend::new();
    match backend.supports(ProgramKind::Python) {
        Ok(()) => Some(backend),
        Err(why) if std::env::var_os("ATOLL_GUEST_REQUIRED").is_some() => panic!("{why}"),
        Err(why) => {
            println!("skipped: {why}");
            None
        }
    }
}

pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

pub(crate) fn spec(id: &str, kind: ProgramKind, limits: Limits) -> SandboxSpec {
    SandboxSpec {
        id: id.to_owned(),
        limits,
        system_calls: SystemCalls::Processes,
        accept_missing: accepted_by_environment(),
        environment: Environment {
            kind,
            dependencies: None,
            modules: BTreeSet::new(),
            tenant: TenantId::local(),
        },
        renews: false,
        tenancy: Tenancy::own(),
    }
}

pub(crate) fn job(kind: ProgramKind, text: &str) -> Job {
    Job {
        program: Program {
            name: "program".to_owned(),
            kind,
            bytes: text.as_bytes().into(),
            hash: ProgramHash::of(text.as_bytes()),
        },
        arguments: Vec::new(),
        files: Vec::new(),
        environment: Vec::new(),
        parts: None,
        calls: Default::default(),
    }
}

/// What became of a program.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) ending: Ending,
    pub(crate) limit: Option<LimitName>,
    pub(crate) enforcement: Enforcement,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs a job without input to its end, and removes the sandbox.
pub(crate) async fn run_in(mut sandbox: Box<dyn Sandbox>, job: Job) -> Ran {
    let streams = sandbox.start(job).await.unwrap();
    drop(streams.stdin);
    let stdout = std::thread::spawn(move || streams.stdout.read_to_end().unwrap_or_default());
    let stderr = std::thread::spawn(move || streams.stderr.read_to_end().unwrap_or_default());
    let ending = sandbox.wait().await;
    let limit = sandbox.limit_hit();
    let enforcement = sandbox.enforcement().clone();
    sandbox.destroy().await.unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Ran {
        ending,
        limit,
        enforcement,
        stdout: text(stdout.join().unwrap()),
        stderr: text(stderr.join().unwrap()),
    }
}

/// Runs a program in a new sandbox.
pub(crate) async fn run(backend: &VmBackend, kind: ProgramKind, text: &str) -> Ran {
    let sandbox = backend.create(spec("vm-test", kind, limits())).await;
    run_in(sandbox.unwrap(), job(kind, text)).await
}
