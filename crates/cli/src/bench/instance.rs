//! Messages in instances of WebAssembly, beside the runtime alone, its own command, and the
//! interpreters that scripts would otherwise run in.
//!
//! Owns the workloads and the order of measuring. Messages go through jailed workers that are
//! ready, from the request to the result; what decides and records around them is measured by
//! `atoll bench loop`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use atoll_engine::instances::{Domain, Instances, NOTHING, Prepared, Tenancy};
use atoll_types::{Limits, Trust};

use super::peers::{ISOLATED, NODE, PYTHON};
use super::samples::{Figure, Measured, Row, Samples, show};
use super::serve::Server;
use super::{directory, workload};
use crate::args::BenchArgs;
use crate::error::CliError;
use crate::terminal::{complain, size};

/// What a module that does nothing is called.
const NOTHING_NAME: &str = "nothing.wasm";

/// Between two scripts, for all subjects: another instance is made meanwhile.
const PAUSE: Duration = Duration::from_millis(5);

/// How often each subject is measured, unless told otherwise.
const ITERATIONS: u32 = 2_000;

/// Rounds in which the subjects take turns.
const ROUNDS: u32 = 5;

/// Messages that are under way at once when as many as possible are wanted.
const PIPELINED: u32 = 256;

/// How many times as many messages then.
const PIPELINED_TIMES: u32 = 20;

/// How many instances of Python wait when it is asked how many fit.
const DENSITY: u32 = 3_000;

const LIMITS: Limits = Limits {
    wall_time_ms: 10_000,
    cpu_time_ms: 10_000,
    cpu_percent: 100,
    memory_bytes: 256 << 20,
    processes: 1,
    disk_bytes: 16 << 20,
    disk_files: 100,
    output_bytes: 1 << 20,
    open_files: 64,
};

/// The runtime without a wall, in a program of its own that is built with the benchmark.
const RAW: &str = "examples/raw-wasmtime";

pub(super) async fn run(args: &BenchArgs) -> Result<u8, CliError> {
    let place = directory()?;
    let instances = Instances::new(&place.path().join("state"));
    let everybody = Tenancy {
        domain: Domain::Class(Trust::Known),
        messages_max: u32::MAX,
    };
    let iterations = args.iterations.unwrap_or(ITERATIONS);
    let nothing = prepare(&instances, NOTHING_NAME, NOTHING).await?;
    let mut subjects = vec![Subject::new(NOTHING_NAME, nothing)];
    for (name, script) in [
        ("hello.py", "print('hello')\n"),
        ("hello.js", "console.log('hello')\n"),
    ] {
        match prepare(&instances, name, script.as_bytes()).await {
            Ok(prepared) => subjects.push(Subject::new(name, prepared)),
            Err(error) => complain(&format!("{name} is left out: {error}\n")),
        }
    }
    let mut peers = match args.without_peers {
        true => Vec::new(),
        false => peers(place.path())?,
    };
    let mut server = match args.without_peers {
        true => None,
        false => serve(place.path()),
    };
    let mut raw = [Vec::new(), Vec::new()];
    let instances = Arc::new(instances);
    let mut pipelined = Vec::new();
    for round in 0..ROUNDS {
        let share = iterations.div_ceil(ROUNDS);
        for subject in &mut subjects {
            subject
                .measure(&instances, &everybody, share, round)
                .await?;
        }
        for peer in &mut peers {
            peer.measure(share.min(20))?;
        }
        if let Some(server) = &mut server {
            let asked = server.measure(share);
            asked.map_err(|error| failed(format!("wasmtime serve: {error}")))?;
        }
        if !args.without_peers {
            for (threads, rows) in (1..).zip(&mut raw) {
                rows.extend(raw_wasmtime(share.saturating_mul(10), threads));
            }
        }
        if let Some(nothing) = subjects.first() {
            let count = share.saturating_mul(PIPELINED_TIMES);
            pipelined.push(flood(&instances, &nothing.prepared, &everybody, count).await?);
        }
    }
    let mut rows: Vec<Row> = subjects.iter().map(Subject::row).collect();
    rows.extend(
        pipelined
            .iter()
            .max_by(|a, b| a.per_second.total_cmp(&b.per_second))
            .cloned(),
    );
    rows.extend(peers.iter().map(Peer::row));
    rows.extend(server.iter().map(Server::row));
    for (threads, raw) in (1..).zip(raw) {
        let best = raw
            .into_iter()
            .max_by(|a, b| a.per_second.total_cmp(&b.per_second));
        rows.extend(best.map(|measured| {
            Row::of_another(
                "instance",
                "wasmtime, bare",
                NOTHING_NAME,
                threads,
                measured,
            )
        }));
    }
    let mut figures = ratios(&rows);
    figures.extend(density(&instances, &subjects).await?);
    instances.close().await;
    show(args, &rows, &figures)
}

async fn prepare(instances: &Instances, name: &str, bytes: &[u8]) -> Result<Prepared, CliError> {
    let message = workload(name, bytes, Vec::new())?;
    instances.prepare(&message, &LIMITS).await.map_err(failed)
}

/// A program in instances of its own.
struct Subject {
    name: &'static str,
    prepared: Prepared,
    samples: Samples,
}

impl Subject {
    fn new(name: &'static str, prepared: Prepared) -> Self {
        Self {
            name,
            prepared,
            samples: Samples::default(),
        }
    }

    /// Asks for one message at a time, each when enough instances wait again.
    async fn measure(
        &mut self,
        instances: &Instances,
        tenancy: &Tenancy,
        count: u32,
        round: u32,
    ) -> Result<(), CliError> {
        let is_script = self.name != NOTHING_NAME;
        if round == 0 {
            once(instances, &self.prepared, tenancy).await?;
        }
        let count = if is_script { count.div_ceil(4) } else { count };
        let used = || super::process::cpu_of_self() + instances.cpu_time();
        for _ in 0..count {
            if is_script {
                tokio::time::sleep(PAUSE).await;
            }
            let cpu_before = used();
            let began = Instant::now();
            once(instances, &self.prepared, tenancy).await?;
            self.samples.add(micros(began.elapsed()));
            if is_script {
                self.samples.add_cpu(used().saturating_sub(cpu_before));
            }
        }
        Ok(())
    }

    fn row(&self) -> Row {
        self.samples.row("instance", "atoll", self.name)
    }
}

async fn once(
    instances: &Instances,
    prepared: &Prepared,
    tenancy: &Tenancy,
) -> Result<(), CliError> {
    let code = instances.run(prepared, tenancy).await.map_err(failed)?;
    if code == 0 {
        Ok(())
    } else {
        Err(failed(format!("a program ended with code {code}")))
    }
}

/// Many messages at once, as fast as they are done.
async fn flood(
    instances: &Arc<Instances>,
    prepared: &Prepared,
    tenancy: &Tenancy,
    count: u32,
) -> Result<Row, CliError> {
    let used = || super::process::cpu_of_self() + instances.cpu_time();
    let cpu_before = used();
    let began = Instant::now();
    let each = count.div_ceil(PIPELINED);
    let tasks: Vec<_> = (0..PIPELINED)
        .map(|_| {
            let (instances, prepared) = (Arc::clone(instances), prepared.clone());
            let tenancy = tenancy.clone();
            tokio::spawn(async move {
                let mut times_us = Vec::new();
                for _ in 0..each {
                    let began = Instant::now();
                    once(&instances, &prepared, &tenancy).await?;
                    times_us.push(micros(began.elapsed()));
                }
                Ok::<_, CliError>(times_us)
            })
        })
        .collect();
    let mut samples = Samples::default();
    for task in tasks {
        let times_us = task.await.map_err(|error| failed(error.to_string()))??;
        times_us
            .into_iter()
            .for_each(|time_us| samples.add(time_us));
    }
    let taken = began.elapsed();
    samples.add_cpu(used().saturating_sub(cpu_before));
    Ok(samples.row_at("instance", "atoll", NOTHING_NAME, PIPELINED, taken))
}

/// Something that starts a process for each message.
struct Peer {
    name: &'static str,
    workload: &'static str,
    program: PathBuf,
    arguments: Vec<PathBuf>,
    samples: Samples,
}

impl Peer {
    fn measure(&mut self, count: u32) -> Result<(), CliError> {
        for _ in 0..count {
            if self.workload != NOTHING_NAME {
                std::thread::sleep(PAUSE);
            }
            let cpu_before = super::process::cpu_of_children();
            let began = Instant::now();
            let mut command = Command::new(&self.program);
            command.args(&self.arguments).stdin(Stdio::null());
            let ended = command.output();
            self.samples.add(micros(began.elapsed()));
            let cpu = super::process::cpu_of_children().saturating_sub(cpu_before);
            self.samples.add_cpu(cpu);
            if !ended.is_ok_and(|ended| ended.status.success()) {
                return Err(failed(format!("{} does not run here", self.name)));
            }
        }
        Ok(())
    }

    fn row(&self) -> Row {
        self.samples.row("instance", self.name, self.workload)
    }
}

fn peers(place: &Path) -> Result<Vec<Peer>, CliError> {
    let file = |name: &str, bytes: &[u8]| -> Result<PathBuf, CliError> {
        let path = place.join(name);
        std::fs::write(&path, bytes).map_err(|source| CliError::System {
            attempt: "write a program",
            source,
        })?;
        Ok(path)
    };
    let python = file("hello.py", b"print('hello')\n")?;
    let javascript = file("hello.js", b"console.log('hello')\n")?;
    let module = file(NOTHING_NAME, NOTHING)?;
    let isolated = ISOLATED.map(PathBuf::from);
    let wanted = [
        (
            "python",
            "hello.py",
            PYTHON,
            [isolated.as_slice(), &[python]].concat(),
        ),
        ("node", "hello.js", NODE, vec![javascript]),
        (
            "wasmtime run",
            NOTHING_NAME,
            "wasmtime",
            vec![PathBuf::from("run"), module.clone()],
        ),
    ];
    let mut peers = Vec::new();
    // Compiled ahead, as a message's program is.
    let compiled = place.join("nothing.cwasm");
    let wanted = wanted
        .into_iter()
        .chain(compile(&module, &compiled).then(|| {
            let arguments = ["run", "--allow-precompiled"].map(PathBuf::from);
            let arguments = arguments.into_iter().chain([compiled]).collect();
            let name = "wasmtime run, compiled ahead";
            (name, NOTHING_NAME, "wasmtime", arguments)
        }));
    for (name, workload, program, arguments) in wanted {
        let Some(program) = find(program) else {
            complain(&format!(
                "{name} is not installed and is left out; `make bench` installs it\n"
            ));
            continue;
        };
        peers.push(Peer {
            name,
            workload,
            program,
            arguments,
            samples: Samples::default(),
        });
    }
    Ok(peers)
}

/// The runtime's own server, where it is installed.
fn serve(place: &Path) -> Option<Server> {
    let wasmtime = find("wasmtime")?;
    match Server::start(&wasmtime, place) {
        Ok(server) => Some(server),
        Err(error) => {
            complain(&format!("wasmtime serve is left out: {error}\n"));
            None
        }
    }
}

/// Compiles a module with the runtime's own command.
fn compile(module: &Path, to: &Path) -> bool {
    let Some(program) = find("wasmtime") else {
        return false;
    };
    let mut command = Command::new(program);
    command.arg("compile").arg("-o").arg(to).arg(module);
    command.stdin(Stdio::null());
    command.output().is_ok_and(|ended| ended.status.success())
}

fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let mut candidates = std::env::split_paths(&path).map(|directory| directory.join(name));
    candidates.find(|candidate| candidate.is_file())
}

/// What the runtime does alone.
fn raw_wasmtime(count: u32, threads: u32) -> Option<Measured> {
    let own = std::env::current_exe().ok()?;
    let output = Command::new(own.parent()?.join(RAW))
        .args([count.to_string(), threads.to_string()])
        .output();
    let parsed = output
        .ok()
        .and_then(|output| serde_json::from_slice(&output.stdout).ok());
    if parsed.is_none() {
        complain("the bare runtime is left out: build it with `make bench`\n");
    }
    parsed
}

/// How many times as long, or as many, something else takes.
fn ratios(rows: &[Row]) -> Vec<Figure> {
    let row = |subject: &str, workload: &str, concurrency| {
        rows.iter()
            .find(|row| row.is_of(subject, workload, concurrency))
    };
    let median = |subject, workload| row(subject, workload, 1).map(|row| row.p50_us as f64);
    let cpu = |subject, concurrency| {
        let row = row(subject, NOTHING_NAME, concurrency);
        row.and_then(Row::cpu_us_each).map(|cpu_us| cpu_us as f64)
    };
    let ratio = Figure::ratio;
    [
        ratio(
            "python_over_atoll_hello",
            median("python", "hello.py"),
            median("atoll", "hello.py"),
            1,
        ),
        ratio(
            "node_over_atoll_hello",
            median("node", "hello.js"),
            median("atoll", "hello.js"),
            1,
        ),
        ratio(
            "wasmtime_run_over_atoll",
            median("wasmtime run", NOTHING_NAME),
            median("atoll", NOTHING_NAME),
            1,
        ),
        ratio(
            "wasmtime_run_compiled_ahead_over_atoll",
            median("wasmtime run, compiled ahead", NOTHING_NAME),
            median("atoll", NOTHING_NAME),
            1,
        ),
        ratio(
            "wasmtime_serve_over_atoll",
            median("wasmtime serve", "nothing, over HTTP"),
            median("atoll", NOTHING_NAME),
            1,
        ),
        ratio(
            "atoll_over_bare_cpu",
            cpu("atoll", PIPELINED),
            cpu("wasmtime, bare", 2),
            1,
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// What an instance that waits takes of memory, and how many fit into 4 GiB.
async fn density(instances: &Instances, subjects: &[Subject]) -> Result<Vec<Figure>, CliError> {
    let mut figures = Vec::new();
    for (name, figure, count) in [
        ("hello.py", "idle_python_bytes", DENSITY),
        ("hello.js", "idle_javascript_bytes", DENSITY),
    ] {
        let Some(subject) = subjects.iter().find(|subject| subject.name == name) else {
            continue;
        };
        let memory = instances.memory_of_waiting(&subject.prepared, count).await;
        let memory = memory.map_err(failed)?;
        figures.push(Figure {
            figure,
            value: memory.bytes_each as f64,
            shown: size(memory.bytes_each),
        });
        if name == "hello.py" {
            figures.push(Figure {
                figure: "python_instances_waiting",
                value: f64::from(memory.count),
                shown: format!("{} in {}", memory.count, size(memory.bytes)),
            });
        }
    }
    Ok(figures)
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

fn failed(what: String) -> CliError {
    CliError::Bench {
        subject: "atoll".to_owned(),
        what,
    }
}
