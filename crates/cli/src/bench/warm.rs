//! `atoll bench process`: one script in sandboxes that wait for it, inside one process, beside what
//! starting a process for it takes.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use atoll_engine::{Engine, Options, PolicyText, PoolOptions, SandboxTimes, backends, now_unix_ms};
use atoll_types::{Level, Limits, Message, MessageId, SystemCalls};

use super::peers::Subject;
use super::process::{adopt_orphans, once, wait_for_orphans, write};
use super::samples::{Figure, Row, Samples, show};
use super::{HELLO, directory, workload};
use crate::args::BenchArgs;
use crate::error::CliError;
use crate::message::random_bytes;
use crate::terminal::{complain, size};

const ITERATIONS: u32 = 100;
const CONCURRENCIES: [u32; 3] = [1, 4, 16];

/// Each of these starts an interpreter, so fewer are enough.
const FIRST_MAX: u32 = 100;

/// Sandboxes that are kept waiting while latency is measured, and what one is given time to refill.
const KEPT: usize = 4;
const REFILL_PATIENCE: Duration = Duration::from_secs(10);

/// What the default policy gives a script.
const LIMITS: Limits = Limits {
    wall_time_ms: 10_000,
    cpu_time_ms: 10_000,
    cpu_percent: 100,
    memory_bytes: 256 << 20,
    processes: 64,
    disk_bytes: 256 << 20,
    disk_files: 10_000,
    output_bytes: 16 << 20,
    open_files: 256,
};

/// The smallest native program there is a point in running, for the C compiler.
const HELLO_C: &str = "#include <stdio.h>\nint main(void) { puts(\"hello\"); return 0; }\n";

/// The smallest use of a large module.
const NUMPY: &str = "import numpy as np\n\
    print('hello' if np.arange(1000).sum() == 499500 else 'a wrong sum')\n";

pub(super) async fn run(args: &BenchArgs) -> Result<u8, CliError> {
    let place = directory()?;
    let iterations = args.iterations.unwrap_or(ITERATIONS);
    let state_dir = place.path().join("state");
    let engine = Arc::new(Engine::open(Options {
        state_dir,
        policy: PolicyText::builtin(),
        backends: backends(),
        pools: Some(PoolOptions::default()),
    })?);
    adopt_orphans()?;
    let mut rows = Vec::new();
    let mut figures = Vec::new();
    let script = Work::new("hello.py", HELLO.as_bytes(), SystemCalls::Strict)?;
    // While nothing of Atoll runs: what peers leave behind is waited for with all other children.
    let numpy = python_with_numpy(place.path())?.map(Arc::new);
    let (mut bare, mut bare_numpy) = (None, None);
    if !args.without_peers {
        bare = peers(place.path(), iterations, &mut rows)?;
        if let Some(subject) = &numpy {
            let row = spawned(subject, "use_numpy.py", iterations, 1)?;
            bare_numpy = Some(row.p50_us);
            rows.push(row);
        }
    }
    let warm = waiting(&engine, &script, iterations, &mut rows).await?;
    figures.extend(Figure::ratio("python_over_atoll_output", bare, warm, 1));
    if numpy.is_some() {
        let numpy = Work::new("use_numpy.py", NUMPY.as_bytes(), SystemCalls::Processes)?;
        let warm = waiting(&engine, &numpy, iterations, &mut rows).await?;
        let name = "python_over_atoll_output_numpy";
        figures.extend(Figure::ratio(name, bare_numpy, warm, 1));
    }
    if let Some(native) = compiled(place.path())? {
        let native = Work::new("hello.c", &native, SystemCalls::Processes)?;
        waiting(&engine, &native, iterations, &mut rows).await?;
    }
    rows.push(first(&script, iterations.min(FIRST_MAX)).await?);
    let script = Arc::new(script);
    for concurrency in CONCURRENCIES {
        rows.push(saturated(&engine, &script, iterations, concurrency).await?);
    }
    figures.extend(idle_memory(&engine));
    if let Some(engine) = Arc::into_inner(engine) {
        engine.close().await;
    }
    show(args, &rows, &figures)
}

/// A program to run again and again.
struct Work {
    name: &'static str,
    message: Message,
    /// What the default policy gives it.
    system_calls: SystemCalls,
}

impl Work {
    fn new(
        name: &'static str,
        program: &[u8],
        system_calls: SystemCalls,
    ) -> Result<Self, CliError> {
        Ok(Self {
            name,
            message: workload(name, program, Vec::new())?,
            system_calls,
        })
    }

    /// Keeps so many sandboxes waiting for it.
    fn keep_waiting(&self, engine: &Engine, count: usize) {
        let calls = self.system_calls;
        engine.keep_waiting(&self.message, Level::Process, &LIMITS, calls, count);
    }
}

/// Python with the modules of the site, if NumPy is among them.
fn python_with_numpy(place: &Path) -> Result<Option<Subject>, CliError> {
    let script = write(place, "use_numpy.py", NUMPY)?;
    let found = Subject::bare(&script).filter(|subject| once(subject).is_ok());
    if found.is_none() {
        complain("python3 has no NumPy here, which is left out\n");
    }
    Ok(found)
}

/// Measures what starts a process for each job; answers with the median of bare Python.
fn peers(place: &Path, iterations: u32, rows: &mut Vec<Row>) -> Result<Option<u64>, CliError> {
    let script = write(place, "hello.py", HELLO)?;
    let mut bare = None;
    for (name, found) in [
        ("python", Subject::bare_isolated(&script)),
        ("bubblewrap", Subject::bubblewrap_isolated(&script)),
        ("crun", Subject::oci("crun", place, &script)),
        ("runc", Subject::oci("runc", place, &script)),
    ] {
        let Some(subject) = found else {
            complain(&format!("{name} is not installed and is left out\n"));
            continue;
        };
        if let Err(error) = once(&subject) {
            complain(&format!(
                "{name} does not run here and is left out: {error}\n"
            ));
            continue;
        }
        let subject = Arc::new(subject);
        for concurrency in CONCURRENCIES {
            let row = spawned(&subject, "hello.py", iterations, concurrency)?;
            if name == "python" && concurrency == 1 {
                bare = Some(row.p50_us);
            }
            rows.push(row);
        }
    }
    Ok(bare)
}

/// Runs a subject from as many threads at once.
fn spawned(
    subject: &Arc<Subject>,
    workload: &str,
    iterations: u32,
    concurrency: u32,
) -> Result<Row, CliError> {
    let cpu_before = cpu_time();
    let began = Instant::now();
    let each = iterations.div_ceil(concurrency);
    let threads: Vec<_> = (0..concurrency)
        .map(|_| {
            let subject = Arc::clone(subject);
            std::thread::spawn(move || (0..each).map(|_| once(&subject)).collect())
        })
        .collect();
    let mut samples = Samples::default();
    for thread in threads {
        let times: Result<Vec<u64>, CliError> = thread
            .join()
            .unwrap_or_else(|_| Err(failed("a thread panicked".to_owned())));
        times?.into_iter().for_each(|time_us| samples.add(time_us));
    }
    let taken = began.elapsed();
    wait_for_orphans();
    samples.add_cpu(cpu_time().saturating_sub(cpu_before));
    Ok(samples.row_at("process", subject.name, workload, concurrency, taken))
}

/// Asks for one job at a time while sandboxes wait; answers with the median time to output.
async fn waiting(
    engine: &Engine,
    work: &Work,
    iterations: u32,
    rows: &mut Vec<Row>,
) -> Result<Option<u64>, CliError> {
    work.keep_waiting(engine, KEPT);
    let (mut output, mut destroyed) = (Samples::default(), Samples::default());
    for _ in 0..iterations {
        until_refilled(engine).await?;
        let times = job(engine, work).await?;
        output.add(times.output_us);
        destroyed.add(times.destroyed_us);
    }
    work.keep_waiting(engine, 0);
    let row = output.row("process", "atoll", &format!("{}, output", work.name));
    let median = row.p50_us;
    rows.push(row);
    rows.push(destroyed.row("process", "atoll", &format!("{}, gone", work.name)));
    Ok(Some(median))
}

async fn until_refilled(engine: &Engine) -> Result<(), CliError> {
    let asked = Instant::now();
    loop {
        let pools = engine.pools();
        let filling = pools
            .iter()
            .find(|pool| pool.idle < pool.target.min(KEPT) || pool.making > 0);
        let Some(filling) = filling else {
            return Ok(());
        };
        if asked.elapsed() > REFILL_PATIENCE {
            let why = filling.failure.clone();
            return Err(failed(
                why.unwrap_or_else(|| "the pool was not refilled in time".to_owned()),
            ));
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// Asks for jobs of an environment that nothing waits for.
async fn first(work: &Work, iterations: u32) -> Result<Row, CliError> {
    let place = directory()?;
    let engine = Engine::open(Options {
        state_dir: place.path().join("state"),
        policy: PolicyText::builtin(),
        backends: backends(),
        pools: None,
    })?;
    let mut samples = Samples::default();
    for _ in 0..iterations {
        samples.add(job(&engine, work).await?.destroyed_us);
    }
    engine.close().await;
    Ok(samples.row("process", "atoll", "hello.py, first"))
}

/// Asks for jobs as fast as they are done, so that sandboxes wait for none of them for long.
async fn saturated(
    engine: &Arc<Engine>,
    work: &Arc<Work>,
    iterations: u32,
    concurrency: u32,
) -> Result<Row, CliError> {
    // Copies are no children of this process. One sandbox at least is there all the time, so that
    // what the groups count does not begin anew.
    work.keep_waiting(engine, 1);
    until_refilled(engine).await?;
    let used = || Some(super::process::cpu_of_self() + Engine::cpu_time_of_sandboxes()?);
    let cpu_before = used();
    let began = Instant::now();
    let each = iterations.div_ceil(concurrency);
    let tasks: Vec<_> = (0..concurrency)
        .map(|_| {
            let (engine, work) = (Arc::clone(engine), Arc::clone(work));
            tokio::spawn(async move {
                let mut times_us = Vec::new();
                for _ in 0..each {
                    times_us.push(job(&engine, &work).await?.destroyed_us);
                }
                Ok::<_, CliError>(times_us)
            })
        })
        .collect();
    let mut samples = Samples::default();
    for task in tasks {
        let times = task.await.map_err(|error| failed(error.to_string()))??;
        times.into_iter().for_each(|time_us| samples.add(time_us));
    }
    let taken = began.elapsed();
    if let (Some(after), Some(before)) = (used(), cpu_before) {
        samples.add_cpu(after.saturating_sub(before));
    }
    work.keep_waiting(engine, 0);
    Ok(samples.row_at("process", "atoll", work.name, concurrency, taken))
}

async fn job(engine: &Engine, work: &Work) -> Result<SandboxTimes, CliError> {
    let message = Message {
        id: MessageId::new(now_unix_ms(), random_bytes()?),
        ..work.message.clone()
    };
    engine
        .measure_sandbox(&message, Level::Process, LIMITS, work.system_calls)
        .await
        .map_err(failed)
}

/// What a sandbox that waits takes of memory, in the pool that holds the most.
fn idle_memory(engine: &Engine) -> Option<Figure> {
    let pools = engine.pools();
    let bytes = pools.iter().filter_map(|pool| pool.idle_bytes_each).max()?;
    Some(Figure {
        figure: "idle_sandbox_bytes",
        value: bytes as f64,
        shown: size(bytes),
    })
}

/// A static executable, where there is a C compiler.
fn compiled(place: &Path) -> Result<Option<Vec<u8>>, CliError> {
    let source = write(place, "hello.c", HELLO_C)?;
    let program = place.join("hello");
    let made = std::process::Command::new("cc")
        .args(["-O2", "-static", "-o"])
        .args([&program, &source])
        .output();
    if !made.is_ok_and(|made| made.status.success()) {
        complain("a static program could not be compiled with cc and is left out\n");
        return Ok(None);
    }
    let bytes = std::fs::read(program).map_err(|source| CliError::System {
        attempt: "read the compiled program",
        source,
    })?;
    Ok(Some(bytes))
}

/// CPU time of this process and of all that it has waited for.
fn cpu_time() -> Duration {
    super::process::cpu_of_children() + super::process::cpu_of_self()
}

fn failed(what: String) -> CliError {
    CliError::Bench {
        subject: "atoll".to_owned(),
        what,
    }
}
