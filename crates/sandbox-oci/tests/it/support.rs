//! What the tests share: a backend, a runtime, and jobs.

use std::collections::BTreeSet;
use std::future::Future;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

use atoll_sandbox::conformance::{accepted_by_environment, limits};
use atoll_sandbox::{Backend as _, Ending, Environment, Job, Sandbox, SandboxSpec, Tenancy};
use atoll_sandbox_oci::OciBackend;
use atoll_types::{LimitName, Program, ProgramHash, ProgramKind, SystemCalls, TenantId, Usage};

/// gVisor, whose platform is found out once.
pub(crate) fn gvisor() -> OciBackend {
    let backend = OciBackend::gvisor();
    backend.keep_in(state_dir());
    backend
}

fn state_dir() -> &'static PathBuf {
    static DIRECTORY: OnceLock<PathBuf> = OnceLock::new();
    DIRECTORY.get_or_init(|| {
        let directory = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("state");
        std::fs::create_dir_all(&directory).unwrap();
        directory
    })
}

/// Runs to the end of a future.
pub(crate) fn run<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(future)
}

/// What a sandbox of the tests is built for.
pub(crate) fn spec(kind: ProgramKind) -> SandboxSpec {
    SandboxSpec {
        id: "test".to_owned(),
        limits: limits(),
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

/// A job without arguments, variables and files.
pub(crate) fn job(kind: ProgramKind, name: &str, bytes: impl AsRef<[u8]>) -> Job {
    let bytes = bytes.as_ref();
    Job {
        program: Program {
            name: name.to_owned(),
            kind,
            hash: ProgramHash::of(bytes),
            bytes: bytes.into(),
        },
        arguments: Vec::new(),
        files: Vec::new(),
        environment: Vec::new(),
        parts: None,
        calls: Default::default(),
    }
}

/// What became of a job.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) ending: Ending,
    pub(crate) limit: Option<LimitName>,
    pub(crate) usage: Usage,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs a job with empty input in a new sandbox.
pub(crate) async fn finish(backend: &OciBackend, spec: SandboxSpec, job: Job) -> Ran {
    let sandbox = backend.create(spec).await.unwrap();
    finish_in(sandbox, job).await
}

/// Runs a job with empty input in a sandbox that was made for it.
pub(crate) async fn finish_in(mut sandbox: Box<dyn Sandbox>, job: Job) -> Ran {
    let streams = sandbox.start(job).await.unwrap();
    drop(streams.stdin);
    let stdout = std::thread::spawn(move || streams.stdout.read_to_end().unwrap());
    let stderr = std::thread::spawn(move || streams.stderr.read_to_end().unwrap());
    let ending = tokio::time::timeout(Duration::from_secs(60), sandbox.wait()).await;
    let ran = Ran {
        ending: ending.expect("it ends"),
        limit: sandbox.limit_hit(),
        usage: sandbox.usage(),
        stdout: String::new(),
        stderr: String::new(),
    };
    sandbox.destroy().await.unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Ran {
        stdout: text(stdout.join().unwrap()),
        stderr: text(stderr.join().unwrap()),
        ..ran
    }
}
