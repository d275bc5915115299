//! `atoll bench process`: one script in sandboxes that wait for it, inside one process, beside what
//! starting a process for it takes.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use atoll_engine::{Confinement, Engine, Environment, PoolOptions, SandboxTimes, now_unix_ms};
use atoll_types::{Level, Limits, Message, MessageId, Sharing, SystemCalls};

use super::peers::Subject;
use super::process::{adopt_orphans, children, once, wait_for_orphans, write};
use super::samples::{Figure, Row, Samples, show};
use super::{HELLO, directory, engine, workload};
use crate::args::BenchArgs;
use crate::error::CliError;
use crate::message::random_bytes;
use crate::terminal::{complain, size};

const ITERATIONS: u32 = 100;
const CONCURRENCIES: [u32; 3] = [1, 4, 16];

/// At which of these subjects are compared.
const BUSY: u32 = 4;

/// How often each subject has its turn.
const ROUNDS: u32 = 5;

/// Sandboxes that are kept waiting while latency is measured, and what one is given time to refill.
const KEPT: usize = 4;
const REFILL_PATIENCE: Duration = Duration::from_secs(10);

/// What the default policy gives a script.
pub(super) const LIMITS: Limits = Limits {
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

const SCRIPT: &str = "hello.py";

const NUMPY_SCRIPT: &str = "use_numpy.py";

/// The smallest use of a large module.
const NUMPY: &str = "import numpy as np\n\
    print('hello' if np.arange(1000).sum() == 499500 else 'a wrong sum')\n";

pub(super) async fn run(args: &BenchArgs) -> Result<u8, CliError> {
    let place = directory()?;
    let engine = Arc::new(engine(place.path(), Some(PoolOptions::default()))?);
    adopt_orphans()?;
    let numpy = python_with_numpy(place.path())?;
    let has_numpy = numpy.is_some();
    let mut peers = match args.without_peers {
        true => Vec::new(),
        false => peers(place.path(), numpy)?,
    };
    let (processes, strict) = (SystemCalls::Processes, SystemCalls::Strict);
    let script = Work::new(&engine, SCRIPT, HELLO.as_bytes(), strict).await?;
    let script = Arc::new(script);
    let mut warm = vec![Waiting::new(&script)];
    if has_numpy {
        let work = Work::new(&engine, NUMPY_SCRIPT, NUMPY.as_bytes(), processes).await?;
        warm.push(Waiting::new(&Arc::new(work)));
    }
    if let Some(native) = compiled(place.path())? {
        let work = Work::new(&engine, "hello.c", &native, processes).await?;
        warm.push(Waiting::new(&Arc::new(work)));
    }
    let mut cold = Series::new("atoll", &format!("{SCRIPT}, first"), 1);
    let mut busy = CONCURRENCIES.map(|concurrency| Series::new("atoll", SCRIPT, concurrency));
    let mut idle = None;

    let iterations = args.iterations.unwrap_or(ITERATIONS);
    // Taking turns spreads what else the host does evenly over all subjects.
    for round in 0..ROUNDS {
        let share = share(iterations, round);
        for peer in &mut peers {
            peer.measure(iterations, share)?;
        }
        for waiting in &mut warm {
            waiting.measure(&engine, share).await?;
            idle = idle.or_else(|| idle_memory(&engine));
            waiting.work.keep_waiting(&engine, 0).await;
        }
        first(&script, share, &mut cold).await?;
        for series in &mut busy {
            let jobs = jobs(series.concurrency, iterations, share);
            saturated(&engine, &script, jobs, series).await?;
        }
    }
    if let Some(engine) = Arc::into_inner(engine) {
        engine.close().await;
    }
    let rows: Vec<Row> = peers
        .iter()
        .flat_map(|peer| &peer.series)
        .chain(
            warm.iter()
                .flat_map(|waiting| [&waiting.output, &waiting.gone]),
        )
        .chain([&cold])
        .chain(&busy)
        .map(Series::row)
        .collect();
    let mut figures = ratios(&rows);
    figures.extend(idle);
    show(args, &rows, &figures)
}

/// How many of all iterations belong to a round.
fn share(iterations: u32, round: u32) -> u32 {
    let until = |round: u32| iterations.saturating_mul(round).div_ceil(ROUNDS);
    until(round.saturating_add(1)).saturating_sub(until(round))
}

/// How many jobs are asked for in a round: one after the other as many as belong to it, and many at
/// once so many more that the beginning and the end, when fewer are under way, count for little.
fn jobs(concurrency: u32, iterations: u32, share: u32) -> u32 {
    match concurrency {
        1 => share,
        _ => iterations,
    }
}

/// How many times as long, or as many, something else takes.
fn ratios(rows: &[Row]) -> Vec<Figure> {
    let row = |subject: &str, workload: &str, concurrency| {
        rows.iter()
            .find(|row| row.is_of(subject, workload, concurrency))
    };
    let median = |subject, workload: &str| row(subject, workload, 1).map(|row| row.p50_us as f64);
    let output = |workload| median("atoll", &format!("{workload}, output"));
    let each_second = |subject| row(subject, SCRIPT, BUSY).map(|row| row.per_second);
    let ratio = |name, over, under| Figure::ratio(name, over, under, 1);
    let outputs = [
        ("python_over_atoll_output", SCRIPT),
        ("python_over_atoll_output_numpy", NUMPY_SCRIPT),
    ]
    .map(|(name, workload)| ratio(name, median("python", workload), output(workload)));
    let jobs = [
        ("atoll_over_python_jobs", "python"),
        ("atoll_over_bubblewrap_jobs", "bubblewrap"),
        ("atoll_over_crun_jobs", "crun"),
        ("atoll_over_runc_jobs", "runc"),
    ]
    .map(|(name, peer)| ratio(name, each_second("atoll"), each_second(peer)));
    outputs.into_iter().chain(jobs).flatten().collect()
}

/// What is measured of one subject at one workload, over all rounds.
struct Series {
    subject: &'static str,
    workload: String,
    concurrency: u32,
    samples: Samples,
    /// How long the jobs took together, where that is not the sum of their times.
    taken: Option<Duration>,
}

impl Series {
    fn new(subject: &'static str, workload: &str, concurrency: u32) -> Self {
        Self {
            subject,
            workload: workload.to_owned(),
            concurrency,
            samples: Samples::default(),
            taken: None,
        }
    }

    /// Adds jobs that were under way together.
    fn add(&mut self, times_us: impl IntoIterator<Item = u64>, taken: Duration) {
        times_us
            .into_iter()
            .for_each(|time_us| self.samples.add(time_us));
        *self.taken.get_or_insert_default() += taken;
    }

    fn row(&self) -> Row {
        let (subject, workload) = (self.subject, &self.workload);
        match self.taken {
            Some(taken) => {
                self.samples
                    .row_at("process", subject, workload, self.concurrency, taken)
            }
            None => self.samples.row("process", subject, workload),
        }
    }
}

/// A program to run again and again.
pub(super) struct Work {
    name: &'static str,
    message: Message,
    environment: Environment,
    confinement: Confinement,
}

impl Work {
    async fn new(
        engine: &Engine,
        name: &'static str,
        program: &[u8],
        system_calls: SystemCalls,
    ) -> Result<Self, CliError> {
        let confinement = Confinement {
            level: Level::Process,
            sharing: Sharing::Message,
            limits: LIMITS,
            // What the default policy gives it.
            system_calls,
        };
        Self::at(confinement, engine, name, program).await
    }

    pub(super) async fn at(
        confinement: Confinement,
        engine: &Engine,
        name: &'static str,
        program: &[u8],
    ) -> Result<Self, CliError> {
        let message = workload(name, program, Vec::new())?;
        let environment = engine.surroundings(&message, confinement.level).await;
        Ok(Self {
            name,
            environment: environment.map_err(failed)?,
            message,
            confinement,
        })
    }

    pub(super) const fn level(&self) -> Level {
        self.confinement.level
    }

    pub(super) const fn sharing(&self) -> Sharing {
        self.confinement.sharing
    }

    /// Keeps so many sandboxes waiting for it.
    pub(super) async fn keep_waiting(&self, engine: &Engine, count: usize) {
        let keeping = engine.keep_waiting(&self.message, self.confinement, count);
        keeping.await;
    }
}

/// Python with the modules of the site, if NumPy is among them.
fn python_with_numpy(place: &Path) -> Result<Option<Subject>, CliError> {
    let script = write(place, NUMPY_SCRIPT, NUMPY)?;
    let found = Subject::bare(&script).filter(|subject| once(subject).is_ok());
    if found.is_none() {
        complain("python3 has no NumPy here, which is left out\n");
    }
    Ok(found)
}

/// Something that starts processes for each job.
struct Peer {
    subject: Arc<Subject>,
    series: Vec<Series>,
}

/// Those that run here.
fn peers(place: &Path, numpy: Option<Subject>) -> Result<Vec<Peer>, CliError> {
    let script = write(place, SCRIPT, HELLO)?;
    let mut peers = Vec::new();
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
        let series = CONCURRENCIES.map(|concurrency| Series::new(name, SCRIPT, concurrency));
        peers.push(Peer {
            subject: Arc::new(subject),
            series: series.into(),
        });
    }
    peers.extend(numpy.map(|subject| Peer {
        series: vec![Series::new(subject.name, NUMPY_SCRIPT, 1)],
        subject: Arc::new(subject),
    }));
    Ok(peers)
}

impl Peer {
    fn measure(&mut self, iterations: u32, share: u32) -> Result<(), CliError> {
        for series in &mut self.series {
            let jobs = jobs(series.concurrency, iterations, share);
            spawned(&self.subject, jobs, series)?;
        }
        Ok(())
    }
}

/// Runs a subject from as many threads at once.
fn spawned(subject: &Arc<Subject>, jobs: u32, series: &mut Series) -> Result<(), CliError> {
    let own = children();
    let cpu_before = cpu_time();
    let began = Instant::now();
    let each = jobs.div_ceil(series.concurrency);
    let threads: Vec<_> = (0..series.concurrency)
        .map(|_| {
            let subject = Arc::clone(subject);
            std::thread::spawn(move || (0..each).map(|_| once(&subject)).collect())
        })
        .collect();
    let mut times_us = Vec::new();
    for thread in threads {
        let times: Result<Vec<u64>, CliError> = thread
            .join()
            .unwrap_or_else(|_| Err(failed("a thread panicked".to_owned())));
        times_us.extend(times?);
    }
    series.add(times_us, began.elapsed());
    wait_for_orphans(&own);
    let cpu = cpu_time().saturating_sub(cpu_before);
    series.samples.add_cpu(cpu);
    Ok(())
}

/// A program that sandboxes wait for: how long until its first output, and until all is gone.
struct Waiting {
    work: Arc<Work>,
    output: Series,
    gone: Series,
}

impl Waiting {
    fn new(work: &Arc<Work>) -> Self {
        let series = |until| Series::new("atoll", &format!("{}, {until}", work.name), 1);
        Self {
            work: Arc::clone(work),
            output: series("output"),
            gone: series("gone"),
        }
    }

    /// Asks for one job at a time, each when enough sandboxes wait again. They go on waiting.
    async fn measure(&mut self, engine: &Engine, jobs: u32) -> Result<(), CliError> {
        self.work.keep_waiting(engine, KEPT).await;
        until_refilled(engine).await?;
        for _ in 0..jobs {
            let times = job(engine, &self.work).await?;
            self.output.samples.add(times.output_us);
            self.gone.samples.add(times.destroyed_us);
            until_refilled(engine).await?;
        }
        Ok(())
    }
}

pub(super) async fn until_refilled(engine: &Engine) -> Result<(), CliError> {
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
async fn first(work: &Work, jobs: u32, series: &mut Series) -> Result<(), CliError> {
    let place = directory()?;
    let engine = engine(place.path(), None)?;
    for _ in 0..jobs {
        let times = job(&engine, work).await?;
        series.samples.add(times.destroyed_us);
    }
    engine.close().await;
    Ok(())
}

/// Asks for jobs as fast as they are done, so that sandboxes wait for none of them for long.
async fn saturated(
    engine: &Arc<Engine>,
    work: &Arc<Work>,
    jobs: u32,
    series: &mut Series,
) -> Result<(), CliError> {
    // Copies are no children of this process. One sandbox at least is there all the time, so that
    // what the groups count does not begin anew.
    work.keep_waiting(engine, 1).await;
    until_refilled(engine).await?;
    let used = || Some(super::process::cpu_of_self() + Engine::cpu_time_of_sandboxes()?);
    let cpu_before = used();
    let began = Instant::now();
    let each = jobs.div_ceil(series.concurrency);
    let times_us = at_once(engine, work, series.concurrency, each).await?;
    series.add(times_us, began.elapsed());
    if let (Some(after), Some(before)) = (used(), cpu_before) {
        series.samples.add_cpu(after.saturating_sub(before));
    }
    work.keep_waiting(engine, 0).await;
    Ok(())
}

/// Asks for `each` jobs in each of so many tasks, and answers with how long until nothing of a job
/// was left.
pub(super) async fn at_once(
    engine: &Arc<Engine>,
    work: &Arc<Work>,
    tasks: u32,
    each: u32,
) -> Result<Vec<u64>, CliError> {
    let tasks: Vec<_> = (0..tasks)
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
    let mut times_us = Vec::new();
    for task in tasks {
        times_us.extend(task.await.map_err(|error| failed(error.to_string()))??);
    }
    Ok(times_us)
}

pub(super) async fn job(engine: &Engine, work: &Work) -> Result<SandboxTimes, CliError> {
    let message = Message {
        id: MessageId::new(now_unix_ms(), random_bytes()?),
        ..work.message.clone()
    };
    engine
        .measure_sandbox(&message, &work.environment, work.confinement)
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
