//! What machines cost: `measure-vm [ROUNDS [DIRECTORY]]` prints one row per line, as JSON. With a
//! directory, machines are shown it as that of installed modules.
//!
//! Owns the measuring alone. Every round is a new sandbox that runs a program in Python which says
//! hello; its output is awaited, and the sandbox is removed.
#![allow(clippy::print_stdout, reason = "a tool for developers")]

use std::collections::BTreeSet;
use std::error::Error;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use atoll_sandbox::{Backend, Environment, Job, OutputEnd, Sandbox, SandboxSpec, Tenancy};
use atoll_sandbox_vm::VmBackend;
use atoll_types::{Limits, Program, ProgramHash, ProgramKind, SystemCalls, TenantId};

type Failed = Box<dyn Error + Send + Sync>;

const HELLO: &[u8] = b"print('hello')\n";

const LIMITS: Limits = Limits {
    wall_time_ms: 30_000,
    cpu_time_ms: 30_000,
    cpu_percent: 100,
    memory_bytes: 64 << 20,
    processes: 32,
    disk_bytes: 16 << 20,
    disk_files: 100,
    output_bytes: 1 << 20,
    open_files: 64,
};

/// What machines are shown.
static SHOWN: OnceLock<PathBuf> = OnceLock::new();

fn spec() -> SandboxSpec {
    SandboxSpec {
        id: "measure".to_owned(),
        limits: LIMITS,
        system_calls: SystemCalls::Strict,
        accept_missing: BTreeSet::new(),
        environment: Environment {
            kind: ProgramKind::Python,
            dependencies: SHOWN.get().cloned(),
            modules: BTreeSet::new(),
            tenant: TenantId::local(),
        },
        renews: false,
        tenancy: Tenancy::own(),
    }
}

fn hello() -> Job {
    Job {
        program: Program {
            name: "hello.py".to_owned(),
            kind: ProgramKind::Python,
            bytes: HELLO.into(),
            hash: ProgramHash::of(HELLO),
        },
        arguments: Vec::new(),
        files: Vec::new(),
        environment: Vec::new(),
        parts: None,
        calls: Default::default(),
    }
}

/// Starts the program and waits for its first output.
async fn first_output(sandbox: &mut Box<dyn Sandbox>) -> Result<Duration, Failed> {
    let begun = Instant::now();
    let streams = sandbox.start(hello()).await?;
    drop(streams.stdin);
    let OutputEnd::Pieces(mut stdout) = streams.stdout else {
        return Err("a machine's output comes in pieces".into());
    };
    let piece = stdout.recv().await.ok_or("there was no output")?;
    let took = begun.elapsed();
    if piece != b"hello\n" {
        return Err("the output is not what the program wrote".into());
    }
    sandbox.wait().await;
    Ok(took)
}

fn row(workload: &str, concurrency: usize, mut took: Vec<Duration>, all: Duration) {
    took.sort();
    let count = took.len();
    let at = |percent: usize| {
        let index = (count * percent / 100).min(count.saturating_sub(1));
        took.get(index).map_or(0, Duration::as_micros)
    };
    println!(
        "{{\"bench\":\"vm\",\"subject\":\"atoll\",\"workload\":\"{workload}\",\
         \"concurrency\":{concurrency},\"n\":{count},\"p50_us\":{},\"p99_us\":{},\"max_us\":{},\
         \"per_second\":{:.1}}}",
        at(50),
        at(99),
        at(100),
        count as f64 / all.as_secs_f64()
    );
}

fn figure(name: &str, value: f64) {
    println!(
        "{{\"bench\":\"vm\",\"subject\":\"atoll\",\"figure\":\"{name}\",\"value\":{value:.3}}}"
    );
}

/// Processor time from a program's start to its end, the machine's own work included.
fn processor(workload: &str, mut spent_us: Vec<u64>) {
    spent_us.sort_unstable();
    let middle = spent_us.get(spent_us.len() / 2).copied().unwrap_or(0);
    figure(&format!("{workload}_cpu_us_p50"), middle as f64);
}

async fn cold(backend: &VmBackend, rounds: usize) -> Result<(), Failed> {
    let (mut took, mut made, mut spent) = (Vec::new(), Vec::new(), Vec::new());
    let begun = Instant::now();
    for _ in 0..rounds {
        let since = Instant::now();
        let mut sandbox = backend.create(spec()).await?;
        made.push(since.elapsed());
        first_output(&mut sandbox).await?;
        took.push(since.elapsed());
        spent.push(sandbox.usage().cpu_time_us);
        sandbox.destroy().await?;
    }
    row("cold-create", 1, made, begun.elapsed());
    row("cold-to-output", 1, took, begun.elapsed());
    processor("cold", spent);
    Ok(())
}

async fn warm(backend: &VmBackend, rounds: usize) -> Result<(), Failed> {
    let (mut took, mut made, mut gone) = (Vec::new(), Vec::new(), Vec::new());
    let mut spent = Vec::new();
    let begun = Instant::now();
    for _ in 0..rounds {
        let since = Instant::now();
        let mut sandbox = backend.create_warm(spec()).await?;
        sandbox.rehearse().await?;
        made.push(since.elapsed());
        tokio::time::sleep(Duration::from_millis(20)).await;
        took.push(first_output(&mut sandbox).await?);
        spent.push(sandbox.usage().cpu_time_us);
        let since = Instant::now();
        sandbox.destroy().await?;
        gone.push(since.elapsed());
    }
    row("warm-create", 1, made, begun.elapsed());
    row("warm-to-output", 1, took, begun.elapsed());
    processor("warm", spent);
    row("destroy", 1, gone, begun.elapsed());
    Ok(())
}

async fn refill(backend: &VmBackend, rounds: usize) -> Result<(), Failed> {
    for (workload, is_warm) in [("refill-cold", false), ("refill-warm", true)] {
        let begun = Instant::now();
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..2 {
            let backend = backend.clone();
            tasks.spawn(async move {
                let mut took = Vec::new();
                for _ in 0..rounds {
                    let since = Instant::now();
                    let sandbox = if is_warm {
                        let mut sandbox = backend.create_warm(spec()).await?;
                        sandbox.rehearse().await?;
                        sandbox
                    } else {
                        backend.create(spec()).await?
                    };
                    took.push(since.elapsed());
                    sandbox.destroy().await?;
                }
                Ok::<_, Failed>(took)
            });
        }
        let mut took = Vec::new();
        while let Some(done) = tasks.join_next().await {
            took.extend(done??);
        }
        row(workload, 2, took, begun.elapsed());
    }
    Ok(())
}

/// Memory that only one process has, of each QEMU, in MiB.
fn private_mib() -> Vec<f64> {
    let Ok(processes) = std::fs::read_dir("/proc") else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for process in processes.flatten() {
        let name = std::fs::read_to_string(process.path().join("comm")).unwrap_or_default();
        if !name.starts_with("qemu-system") {
            continue;
        }
        let rollup = process.path().join("smaps_rollup");
        let rollup = std::fs::read_to_string(rollup).unwrap_or_default();
        let kib: f64 = rollup
            .lines()
            .filter(|line| line.starts_with("Private_Dirty"))
            .filter_map(|line| line.split_whitespace().nth(1)?.parse::<f64>().ok())
            .sum();
        found.push(kib / 1024.0);
    }
    found
}

async fn run(rounds: usize) -> Result<(), Failed> {
    let backend = VmBackend::new();
    let state = std::env::temp_dir().join(format!("measure-vm-{}", std::process::id()));
    backend.keep_in(&state);
    let since = Instant::now();
    backend.create(spec()).await?.destroy().await?;
    figure("boot_to_first_clone_s", since.elapsed().as_secs_f64());
    cold(&backend, rounds).await?;
    warm(&backend, rounds).await?;
    let mut sandbox = backend.create_warm(spec()).await?;
    sandbox.rehearse().await?;
    for value in private_mib() {
        figure("private_memory_of_a_warm_clone_mib", value);
    }
    sandbox.destroy().await?;
    refill(&backend, rounds).await?;
    backend.close().await;
    Ok(std::fs::remove_dir_all(state)?)
}

fn main() -> Result<(), Failed> {
    let rounds = std::env::args().nth(1).and_then(|text| text.parse().ok());
    if let Some(directory) = std::env::args().nth(2) {
        SHOWN.get_or_init(|| directory.into());
    }
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(run(rounds.unwrap_or(20)))
}
