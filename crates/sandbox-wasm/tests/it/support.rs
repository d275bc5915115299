//! Running one program at the instance level.

use std::collections::BTreeSet;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::time::Duration;

use atoll_sandbox::conformance::accepted_by_environment;
use atoll_sandbox::conformance::limits;
use atoll_sandbox::{Backend, Ending, Environment, Job, Sandbox, SandboxSpec, StartError};
use atoll_sandbox_wasm::WasmBackend;
use atoll_types::{
    Enforcement, LimitName, Limits, Program, ProgramHash, ProgramKind, SystemCalls, TenantId, Usage,
};

pub(crate) fn module(text: &str) -> Program {
    program(ProgramKind::WasmModule, wat::parse_str(text).unwrap())
}

pub(crate) fn component(text: &str) -> Program {
    program(ProgramKind::WasmComponent, wat::parse_str(text).unwrap())
}

pub(crate) fn program(kind: ProgramKind, bytes: Vec<u8>) -> Program {
    Program {
        name: "program.wasm".to_owned(),
        kind,
        hash: ProgramHash::of(&bytes),
        bytes: bytes.into(),
    }
}

/// What a finished sandbox leaves to look at.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) ending: Ending,
    pub(crate) limit: Option<LimitName>,
    pub(crate) usage: Usage,
    pub(crate) enforcement: Enforcement,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

pub(crate) fn job(program: Program) -> Job {
    Job {
        program,
        arguments: Vec::new(),
        files: Vec::new(),
        environment: Vec::new(),
        calls: Default::default(),
    }
}

/// Runs a program to its end, or answers why it did not start.
pub(crate) fn run(program: Program) -> Result<Ran, StartError> {
    run_job(job(program), limits())
}

pub(crate) fn run_job(job: Job, limits: Limits) -> Result<Ran, StartError> {
    block_on(async {
        let mut sandbox = create(job.program.kind, limits).await;
        let streams = match sandbox.start(job).await {
            Ok(streams) => streams,
            Err(error) => {
                sandbox.destroy().await.unwrap();
                return Err(error);
            }
        };
        drop(streams.stdin);
        let readers = [streams.stdout, streams.stderr]
            .map(|stream| std::thread::spawn(move || read_all(stream)));
        let ending = tokio::time::timeout(Duration::from_secs(60), sandbox.wait())
            .await
            .unwrap();
        let again = sandbox.wait().await;
        assert_eq!(ending, again);
        let (limit, usage) = (sandbox.limit_hit(), sandbox.usage());
        let enforcement = sandbox.enforcement().clone();
        sandbox.destroy().await.unwrap();
        let [stdout, stderr] = readers.map(|reader| reader.join().unwrap());
        Ok(Ran {
            ending,
            limit,
            usage,
            enforcement,
            stdout,
            stderr,
        })
    })
}

pub(crate) async fn create(kind: ProgramKind, limits: Limits) -> Box<dyn Sandbox> {
    let environment = Environment {
        kind,
        dependencies: None,
        modules: BTreeSet::new(),
        tenant: TenantId::local(),
    };
    let spec = SandboxSpec {
        id: "test-wasm".to_owned(),
        limits,
        system_calls: SystemCalls::Strict,
        accept_missing: accepted_by_environment(),
        environment,
        renews: false,
    };
    WasmBackend::new().create(spec).await.unwrap()
}

pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(future)
}

fn read_all(stream: OwnedFd) -> String {
    rustix::io::ioctl_fionbio(&stream, false).unwrap();
    let mut bytes = Vec::new();
    std::fs::File::from(stream).read_to_end(&mut bytes).unwrap();
    String::from_utf8_lossy(&bytes).into_owned()
}
