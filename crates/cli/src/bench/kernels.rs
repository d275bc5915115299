//! `atoll bench vm`: one script at the levels that have a kernel of their own, beside what starts
//! one for each program.
//!
//! Owns the order of measuring. What waits is asked one job at a time; what does not is made from
//! what its backend keeps, but for the first of each engine, which boots.

use std::io::Read as _;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use atoll_engine::{Confinement, Engine, PoolOptions};
use atoll_types::{Level, Sharing, SystemCalls};

use super::peers::Subject;
use super::process::{once, write};
use super::samples::{Figure, Row, Samples, show};
use super::warm::{LIMITS, Work, at_once, job, until_refilled};
use super::{HELLO, directory, engine};
use crate::args::BenchArgs;
use crate::error::CliError;
use crate::terminal::{complain, size};

const ITERATIONS: u32 = 50;

/// How often the subjects have their turns; each boots once in a round.
const ROUNDS: u32 = 5;

/// Sandboxes that wait while latency is measured.
const KEPT: usize = 2;

/// Jobs under way at once while it is measured how many sandboxes can be made.
const BUSY: u32 = 2;

const SCRIPT: &str = "hello.py";

const BENCH: &str = "vm";

/// The peer that boots, and what is measured of it.
const QEMU: &str = "qemu";
const BOOT: &str = "boot of the same guest";

const NOTHING_WAITS: PoolOptions = PoolOptions {
    memory_bytes_max: 0,
    idle_max: 0,
};

pub(super) async fn run(args: &BenchArgs) -> Result<u8, CliError> {
    let place = directory()?;
    let script = write(place.path(), SCRIPT, HELLO)?;
    let engine = engine(place.path(), Some(PoolOptions::default()))?;
    let mut levels = Vec::new();
    for (level, sharing, name) in [
        (Level::Gvisor, Sharing::Message, "atoll gvisor"),
        (Level::Vm, Sharing::Message, "atoll vm"),
        (Level::Vm, Sharing::Tenant, "atoll vm, tenant's"),
    ] {
        let confinement = Confinement {
            level,
            sharing,
            limits: LIMITS,
            system_calls: SystemCalls::Processes,
        };
        let work = Work::at(confinement, &engine, SCRIPT, HELLO.as_bytes()).await?;
        match job(&engine, &work).await {
            Ok(_) => levels.push(Measured::new(name, work)),
            Err(error) => complain(&format!("{name} is left out: {error}\n")),
        }
    }
    let mut peers = Vec::new();
    if !args.without_peers {
        for (name, found) in [
            ("runsc do", Subject::runsc_do(&script)),
            ("crun", Subject::oci("crun", place.path(), &script)),
        ] {
            match found.map(|subject| once(&subject).map(|_| subject)) {
                Some(Ok(subject)) => peers.push((subject, Samples::default())),
                Some(Err(error)) => complain(&format!("{name} is left out: {error}\n")),
                None => complain(&format!("{name} is not installed and is left out\n")),
            }
        }
    }
    let mut boots = Samples::default();
    let boots_too = !args.without_peers && try_boot(&mut boots);
    let share = args.iterations.unwrap_or(ITERATIONS).div_ceil(ROUNDS);
    for _ in 0..ROUNDS {
        if boots_too {
            boots.add(boot()?);
        }
        for (subject, samples) in &mut peers {
            for _ in 0..share {
                samples.add(once(subject)?);
            }
        }
        for level in &mut levels {
            level.warm(&engine, share).await?;
            level.cold(share).await?;
        }
    }
    engine.close().await;
    let mut rows: Vec<Row> = levels.iter().flat_map(Measured::rows).collect();
    let peers = peers.iter();
    rows.extend(peers.map(|(subject, samples)| samples.row(BENCH, subject.name, SCRIPT)));
    if boots_too {
        rows.push(boots.row(BENCH, QEMU, BOOT));
    }
    let mut figures = ratios(&rows);
    let one_each = levels.iter().filter(|level| !level.is_shared());
    figures.extend(one_each.filter_map(Measured::memory));
    show(args, &rows, &figures)
}

/// Whether QEMU alone boots the guest here; if it does not, why is said.
fn try_boot(boots: &mut Samples) -> bool {
    match boot() {
        Ok(time_us) => {
            boots.add(time_us);
            true
        }
        Err(error) => {
            complain(&format!("{QEMU} is left out: {error}\n"));
            false
        }
    }
}

/// Boots the guest in QEMU alone, until it could run a program: more would come on top.
fn boot() -> Result<u64, CliError> {
    let failed = |what: String| CliError::Bench {
        subject: QEMU.to_owned(),
        what,
    };
    let mut command = atoll_engine::boot_command().map_err(failed)?;
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let began = Instant::now();
    let mut child = command.spawn().map_err(|error| failed(error.to_string()))?;
    let mut first = [0];
    let heard = match &mut child.stdout {
        Some(port) => port.read(&mut first),
        None => Ok(0),
    };
    let taken = began.elapsed();
    // One that has ended by itself is what the count tells.
    let _ = child.kill();
    child.wait().map_err(|error| failed(error.to_string()))?;
    match heard {
        Ok(0) => Err(failed("it ended before its guest was there".to_owned())),
        Ok(_) => Ok(u64::try_from(taken.as_micros()).unwrap_or(u64::MAX)),
        Err(error) => Err(failed(error.to_string())),
    }
}

/// What is measured of one level.
struct Measured {
    name: &'static str,
    work: Arc<Work>,
    /// In sandboxes that waited: until the first output, and until nothing was left.
    output: Samples,
    gone: Samples,
    /// In sandboxes that are made for the job.
    cold: Samples,
    /// The same, with what has to be done once before.
    first: Samples,
    busy: Samples,
    busy_taken: Duration,
    idle_bytes: Option<u64>,
}

impl Measured {
    fn new(name: &'static str, work: Work) -> Self {
        Self {
            name,
            work: Arc::new(work),
            output: Samples::default(),
            gone: Samples::default(),
            cold: Samples::default(),
            first: Samples::default(),
            busy: Samples::default(),
            busy_taken: Duration::ZERO,
            idle_bytes: None,
        }
    }

    /// One job at a time, each when enough sandboxes wait.
    async fn warm(&mut self, engine: &Engine, jobs: u32) -> Result<(), CliError> {
        self.work.keep_waiting(engine, KEPT).await;
        until_refilled(engine).await?;
        for _ in 0..jobs {
            let times = job(engine, &self.work).await?;
            self.output.add(times.output_us);
            self.gone.add(times.destroyed_us);
            until_refilled(engine).await?;
        }
        let pools = engine.pools();
        let kept = pools
            .iter()
            .filter(|pool| pool.key.level == self.work.level());
        let bytes = kept.filter_map(|pool| pool.idle_bytes_each).max();
        self.idle_bytes = self.idle_bytes.max(bytes);
        self.work.keep_waiting(engine, 0).await;
        until_refilled(engine).await
    }

    /// Jobs that nothing waits for: the first of an engine, one after the other, some at once.
    async fn cold(&mut self, jobs: u32) -> Result<(), CliError> {
        let place = directory()?;
        let engine = Arc::new(engine(place.path(), Some(NOTHING_WAITS))?);
        self.first.add(job(&engine, &self.work).await?.output_us);
        for _ in 0..jobs {
            self.cold.add(job(&engine, &self.work).await?.output_us);
        }
        let began = Instant::now();
        for time_us in at_once(&engine, &self.work, BUSY, jobs).await? {
            self.busy.add(time_us);
        }
        self.busy_taken += began.elapsed();
        if let Some(engine) = Arc::into_inner(engine) {
            engine.close().await;
        }
        Ok(())
    }

    fn rows(&self) -> Vec<Row> {
        let row = |samples: &Samples, what: &str| {
            samples.row(BENCH, self.name, &format!("{SCRIPT}, {what}"))
        };
        vec![
            row(&self.output, "output"),
            row(&self.gone, "gone"),
            row(&self.cold, "cold"),
            row(&self.first, "first"),
            self.busy.row_at(
                BENCH,
                self.name,
                &format!("{SCRIPT}, cold, gone"),
                BUSY,
                self.busy_taken,
            ),
        ]
    }

    fn is_shared(&self) -> bool {
        self.work.sharing() != Sharing::Message
    }

    fn memory(&self) -> Option<Figure> {
        let bytes = self.idle_bytes?;
        Some(Figure {
            figure: match self.work.level() {
                Level::Vm => "idle_vm_bytes",
                _ => "idle_gvisor_bytes",
            },
            value: bytes as f64,
            shown: size(bytes),
        })
    }
}

fn ratios(rows: &[Row]) -> Vec<Figure> {
    let median = |subject: &str, workload: &str| {
        let row = rows.iter().find(|row| row.is_of(subject, workload, 1));
        row.map(|row| row.p50_us as f64)
    };
    let output = format!("{SCRIPT}, output");
    let output = output.as_str();
    let boot = Figure::ratio(
        "qemu_boot_over_atoll_vm_output",
        median(QEMU, BOOT),
        median("atoll vm", output),
        1,
    );
    [
        (
            "runsc_do_over_atoll_gvisor_output",
            "runsc do",
            "atoll gvisor",
        ),
        ("crun_over_atoll_gvisor_output", "crun", "atoll gvisor"),
        ("crun_over_atoll_vm_output", "crun", "atoll vm"),
    ]
    .into_iter()
    .filter_map(|(name, peer, own)| {
        Figure::ratio(name, median(peer, SCRIPT), median(own, output), 1)
    })
    .chain(boot)
    .collect()
}
