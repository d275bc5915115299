//! Running one program at the instance level.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use atoll_sandbox::conformance::accepted_by_environment;
use atoll_sandbox::conformance::limits;
use atoll_sandbox::{
    Backend, Domain, Ending, Environment, InputEnd, Job, OutputEnd, Sandbox, SandboxSpec,
    StartError, Tenancy,
};
use atoll_sandbox_wasm::WasmBackend;
use atoll_types::calls::CallAudit;
use atoll_types::{
    Enforcement, LimitName, Limits, Program, ProgramHash, ProgramKind, SystemCalls, TenantId, Usage,
};
use rustix::process::Signal;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

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

/// One of so many cases of a large suite is run: every one with `ATOLL_CONFORMANCE=all`, few with
/// `few`, for machines that are slow.
pub(crate) fn one_of() -> usize {
    match std::env::var("ATOLL_CONFORMANCE").as_deref() {
        Ok("all") => 1,
        Ok("few") => 200,
        _ => 25,
    }
}

/// What a finished sandbox leaves to look at.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) ending: Ending,
    pub(crate) limit: Option<LimitName>,
    pub(crate) usage: Usage,
    pub(crate) calls: Option<CallAudit>,
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
        parts: None,
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
        let calls = sandbox.calls();
        let enforcement = sandbox.enforcement().clone();
        sandbox.destroy().await.unwrap();
        let [stdout, stderr] = readers.map(|reader| reader.join().unwrap());
        Ok(Ran {
            ending,
            limit,
            usage,
            calls,
            enforcement,
            stdout,
            stderr,
        })
    })
}

pub(crate) async fn create(kind: ProgramKind, limits: Limits) -> Box<dyn Sandbox> {
    let spec = spec(kind, limits, Tenancy::own());
    WasmBackend::new().create(spec).await.unwrap()
}

pub(crate) fn spec(kind: ProgramKind, limits: Limits, tenancy: Tenancy) -> SandboxSpec {
    let environment = Environment {
        kind,
        dependencies: None,
        modules: BTreeSet::new(),
        tenant: TenantId::local(),
    };
    SandboxSpec {
        id: "test-wasm".to_owned(),
        limits,
        system_calls: SystemCalls::Strict,
        accept_missing: accepted_by_environment(),
        environment,
        renews: false,
        tenancy,
    }
}

/// Messages of one tenant, very many of them in one worker.
pub(crate) fn tenant(name: &str) -> Tenancy {
    Tenancy {
        domain: Domain::Tenant(TenantId::new(name).unwrap()),
        messages_max: 1_000_000,
    }
}

/// A message that runs, and its streams.
pub(crate) struct Going {
    pub(crate) sandbox: Box<dyn Sandbox>,
    pub(crate) stdin: Option<mpsc::Sender<Vec<u8>>>,
    stdout: JoinHandle<Vec<u8>>,
    stderr: JoinHandle<Vec<u8>>,
}

impl Going {
    /// Starts a program with nothing on its standard input yet.
    pub(crate) async fn start(backend: &WasmBackend, job: Job, tenancy: &Tenancy) -> Self {
        Self::with(backend, job, tenancy, limits()).await
    }

    pub(crate) async fn with(
        backend: &WasmBackend,
        job: Job,
        tenancy: &Tenancy,
        limits: Limits,
    ) -> Self {
        let spec = spec(job.program.kind, limits, tenancy.clone());
        let mut sandbox = backend.create(spec).await.unwrap();
        let streams = sandbox.start(job).await.unwrap();
        let InputEnd::Pieces(stdin) = streams.stdin else {
            panic!("input is not taken in pieces");
        };
        Self {
            sandbox,
            stdin: Some(stdin),
            stdout: tokio::spawn(all_of(streams.stdout)),
            stderr: tokio::spawn(all_of(streams.stderr)),
        }
    }

    pub(crate) async fn write(&self, bytes: &[u8]) {
        let stdin = self.stdin.as_ref().unwrap();
        stdin.send(bytes.to_vec()).await.unwrap();
    }

    /// Ends its input and waits for its end.
    pub(crate) async fn end(mut self) -> Ran {
        self.stdin = None;
        self.end_with_input_open().await
    }

    pub(crate) async fn end_with_input_open(mut self) -> Ran {
        let ending = in_time(self.sandbox.wait()).await;
        let (limit, usage) = (self.sandbox.limit_hit(), self.sandbox.usage());
        let calls = self.sandbox.calls();
        let enforcement = self.sandbox.enforcement().clone();
        in_time(self.sandbox.destroy()).await.unwrap();
        let stdout = in_time(self.stdout).await.unwrap();
        let stderr = in_time(self.stderr).await.unwrap();
        Ran {
            ending,
            limit,
            usage,
            calls,
            enforcement,
            stdout: String::from_utf8_lossy(&stdout).into_owned(),
            stderr: String::from_utf8_lossy(&stderr).into_owned(),
        }
    }
}

async fn all_of(stream: OutputEnd) -> Vec<u8> {
    let OutputEnd::Pieces(mut pieces) = stream else {
        panic!("output does not come in pieces");
    };
    let mut bytes = Vec::new();
    while let Some(piece) = pieces.recv().await {
        bytes.extend(piece);
    }
    bytes
}

pub(crate) async fn in_time<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(60), future)
        .await
        .expect("this takes a minute")
}

/// Runs a test in a process of its own, where nothing else makes processes; whether this is it.
pub(crate) fn alone(test: &str) -> bool {
    const ROLE: &str = "ATOLL_TEST_ALONE";
    if std::env::var_os(ROLE).is_some() {
        return true;
    }
    let _turn = in_turn();
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--test-threads=1", "--nocapture"])
        .env(ROLE, "1")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{text}{errors}");
    assert!(text.contains("1 passed"), "{text}");
    false
}

/// Processes below this one that run one part of the helper program.
pub(crate) fn processes(part: &str) -> Vec<i32> {
    let mut parents = HashMap::new();
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let Ok(pid) = entry.file_name().to_string_lossy().parse::<i32>() else {
            continue;
        };
        // One that ends meanwhile is not there.
        let Ok(stat) = std::fs::read_to_string(entry.path().join("stat")) else {
            continue;
        };
        let mut fields = stat.rsplit(") ").next().unwrap().split(' ');
        let is_zombie = fields.next() == Some("Z");
        parents.insert(pid, fields.next().unwrap().parse::<i32>().unwrap());
        let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let own = format!("atoll-wasm-worker\0{part}\0");
        if !is_zombie && line == own.as_bytes() {
            found.push(pid);
        }
    }
    let own = std::process::id().cast_signed();
    found.retain(|pid| {
        let mut at = *pid;
        while let Some(parent) = parents.get(&at) {
            if *parent == own {
                return true;
            }
            at = *parent;
        }
        false
    });
    found.sort_unstable();
    found
}

pub(crate) fn signal(pid: i32, signal: Signal) {
    let pid = rustix::process::Pid::from_raw(pid).unwrap();
    rustix::process::kill_process(pid, signal).unwrap();
}

/// One test after the other: what is tried beside an endless program must not be late because of
/// another test.
fn in_turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    // A test that failed has left nothing behind that matters here.
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    let _turn = in_turn();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(future)
}

fn read_all(stream: OutputEnd) -> String {
    let bytes = stream.read_to_end().unwrap();
    String::from_utf8_lossy(&bytes).into_owned()
}
