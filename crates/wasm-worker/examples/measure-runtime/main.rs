//! Measures a language runtime as a pool of waiting instances would use it.
//!
//!     measure-runtime COMPONENT PROGRAM
//!
//! Rounds: `WAITING` instances (default 32) are made and prepared, and then each runs the program
//! once, gets its streams and files when the program comes, and is dropped. Printed are the times
//! of each step at the median and at the 99th percentile, from the program's coming to its first
//! output, and the processor time of a run; and the private memory of an instance that waits and of
//! one that has run. `ROUNDS` (default 10), `KEEP_KIB` (memory that the allocator keeps of an
//! ended instance, default 0), `UNPREPARED` and `SHOW` (the output of one run) change it.

use std::error::Error;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};
use wasmtime::component::{InstancePre, Linker, ResourceTable, TypedFunc};
use wasmtime::{Engine, Store};
use wasmtime_wasi::p2::pipe::MemoryInputPipe;
use wasmtime_wasi::{FsPerms, I32Exit, WasiCtx};

#[path = "../run-runtime/common.rs"]
mod common;
mod output;

use common::{Guest, Memory};
use output::Output;

type Run = (Vec<u8>, String, Vec<String>);

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let component = arguments.next().ok_or("which component?")?;
    let program = arguments.next().ok_or("which program?")?;
    let waiting: u32 = number("WAITING", 32)?;
    let rounds: u32 = number("ROUNDS", 10)?;
    let keep: usize = number("KEEP_KIB", 0)?;
    let engine = common::engine(waiting, keep << 10)?;
    let (component, took) = common::compiled(&engine, Path::new(&component))?;
    say(&format!("component: {took:?}"));
    let mut linker = Linker::<Guest>::new(&engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    let measure = Measure {
        prepared: linker.instantiate_pre(&component)?,
        engine,
        program: (std::fs::read(&program)?, program, Vec::new()),
        waiting,
        unprepared: std::env::var_os("UNPREPARED").is_some(),
    };
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()?
        .block_on(async {
            // First, because the allocator keeps some of the memory that was used.
            let memory = measure.memory().await?;
            let mut times = Times::default();
            for _ in 0..rounds {
                measure.round(&mut times).await?;
            }
            times.report();
            say(&memory);
            Ok(())
        })
}

fn number<T: std::str::FromStr>(name: &str, default: T) -> Result<T, String> {
    match std::env::var(name) {
        Ok(value) => value
            .parse()
            .map_err(|_| format!("{name} is no number: {value}")),
        Err(_) => Ok(default),
    }
}

struct Measure {
    engine: Engine,
    prepared: InstancePre<Guest>,
    program: Run,
    waiting: u32,
    unprepared: bool,
}

struct Waiting {
    store: Store<Guest>,
    run: TypedFunc<Run, (u8,)>,
}

#[derive(Default)]
struct Times {
    instantiate: Vec<Duration>,
    prepare: Vec<Duration>,
    first_output: Vec<Duration>,
    run: Vec<Duration>,
    processor: Vec<Duration>,
    drop: Vec<Duration>,
    linear_memory: usize,
}

impl Measure {
    async fn round(&self, times: &mut Times) -> Result<(), Box<dyn Error>> {
        let mut all = Vec::new();
        for _ in 0..self.waiting {
            all.push(self.wait(times).await?);
        }
        for mut waiting in all {
            self.run(&mut waiting, times).await?;
            times.linear_memory = waiting.store.data().memory.0;
            let began = Instant::now();
            drop(waiting);
            times.drop.push(began.elapsed());
        }
        Ok(())
    }

    async fn wait(&self, times: &mut Times) -> Result<Waiting, Box<dyn Error>> {
        let began = Instant::now();
        let guest = Guest {
            wasi: WasiCtx::builder().build(),
            table: ResourceTable::new(),
            memory: Memory::default(),
        };
        let mut store = Store::new(&self.engine, guest);
        store.limiter(|guest| &mut guest.memory);
        store.set_epoch_deadline(u64::MAX / 2);
        let instance = self.prepared.instantiate_async(&mut store).await?;
        let run = instance.get_typed_func(&mut store, "run")?;
        times.instantiate.push(began.elapsed());
        if !self.unprepared {
            let began = Instant::now();
            let prepare = instance.get_typed_func::<(), ()>(&mut store, "prepare")?;
            prepare.call_async(&mut store, ()).await?;
            times.prepare.push(began.elapsed());
        }
        Ok(Waiting { store, run })
    }

    async fn run(&self, waiting: &mut Waiting, times: &mut Times) -> Result<(), Box<dyn Error>> {
        let program = self.program.clone();
        let cpu = processor_time();
        let began = Instant::now();
        let first = Arc::new(Mutex::new(None));
        waiting.store.data_mut().wasi = streams_and_files(&first)?;
        match waiting.run.call_async(&mut waiting.store, program).await {
            Ok(_) => {}
            Err(error) if error.is::<I32Exit>() => {}
            Err(error) => return Err(error.into()),
        }
        let run = began.elapsed();
        times.processor.push(processor_time().saturating_sub(cpu));
        times.run.push(run);
        let first = first.lock().map_err(|_| "the output's lock is poisoned")?;
        times
            .first_output
            .push(first.map_or(run, |at: Instant| at.duration_since(began)));
        Ok(())
    }

    /// What every waiting instance adds to the private memory of the process, and every one that
    /// has run.
    async fn memory(&self) -> Result<String, Box<dyn Error>> {
        let mut times = Times::default();
        let mut all = Vec::new();
        let empty = private_kib()?;
        for _ in 0..self.waiting {
            all.push(self.wait(&mut times).await?);
        }
        let idle = private_kib()?;
        for waiting in &mut all {
            self.run(waiting, &mut times).await?;
        }
        let used = private_kib()?;
        let each = |kib: u64| kib.saturating_sub(empty) / u64::from(self.waiting).max(1);
        Ok(format!(
            "private memory of one: waiting {} KiB, after its run {} KiB ({} instances, in all \
             {} MiB waiting)",
            each(idle),
            each(used),
            self.waiting,
            idle.saturating_sub(empty) >> 10
        ))
    }
}

fn streams_and_files(first: &Arc<Mutex<Option<Instant>>>) -> wasmtime::Result<WasiCtx> {
    let show = std::env::var_os("SHOW").is_some();
    let mut wasi = WasiCtx::builder();
    wasi.stdin(MemoryInputPipe::new(&b"line\n"[..]))
        .stdout(Output::new(1, show, first))
        .stderr(Output::new(2, show, first))
        .allow_blocking_current_thread(true)
        .env("LANG", "C.UTF-8");
    wasi.preopened_dir(".", "/work", FsPerms::ReadWrite)?;
    Ok(wasi.build())
}

impl Times {
    fn report(self) {
        line("instantiate", self.instantiate);
        line("prepare", self.prepare);
        line("run: first output", self.first_output);
        line("run", self.run);
        line("run: processor", self.processor);
        line("drop", self.drop);
        say(&format!("linear memory: {} KiB", self.linear_memory >> 10));
    }
}

fn line(name: &str, mut times: Vec<Duration>) {
    times.sort();
    let at = |percent: usize| {
        let place = times.len().saturating_sub(1) * percent / 100;
        times.get(place).copied().unwrap_or_default()
    };
    say(&format!(
        "{name:18} p50 {:>8.1?}  p99 {:>8.1?}  least {:>8.1?}  ({} times)",
        at(50),
        at(99),
        at(0),
        times.len()
    ));
}

fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(
        u64::try_from(time.tv_sec).unwrap_or_default(),
        u32::try_from(time.tv_nsec).unwrap_or_default(),
    )
}

/// Memory that only this process has. Pages of the compiled file are not counted: all who use it
/// share them.
fn private_kib() -> Result<u64, Box<dyn Error>> {
    let rollup = std::fs::read_to_string("/proc/self/smaps_rollup")?;
    let mut sum = 0;
    for line in rollup
        .lines()
        .filter(|line| line.starts_with("Private_Dirty"))
    {
        let kib = line.split_whitespace().nth(1).ok_or("no figure")?;
        sum += kib.parse::<u64>()?;
    }
    Ok(sum)
}

#[allow(clippy::print_stderr, reason = "a tool for developers")]
fn say(text: &str) {
    eprintln!("{text}");
}
