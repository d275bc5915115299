//! Runs very many jobs through one engine, with sandboxes that wait in pools: good ones, crashing
//! ones, some that meet a limit, some that try to get out, some that are cancelled. Then compares
//! what exists with what existed before.
//!
//! Owns the mix of jobs, what must come of each, and the counting of what could be left behind. An
//! interrupt ends it after the jobs that run; the next start with the same directory goes on.

mod drive;
mod jobs;
mod progress;
mod world;

use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use atoll_engine::{Engine, Options, PolicyText, PoolOptions, backends};
use atoll_types::Level;
use clap::Parser;
use comfy_table::{CellAlignment, Table, presets::UTF8_FULL_CONDENSED};

use crate::drive::Drive;
use crate::progress::Progress;
use crate::world::World;

/// What was killed may take this long to go. Far more than it needs: a leak stays.
const GRACE: Duration = Duration::from_secs(20);

/// The database's own threads may take this long to end.
const CLOSING: Duration = Duration::from_millis(500);

/// An interrupt's exit code.
const INTERRUPTED: u8 = 130;

/// Runs very many jobs and compares what exists before and after.
#[derive(Debug, Parser)]
struct Arguments {
    /// How many jobs to run in all.
    #[arg(long, env = "JOBS", default_value_t = 100_000)]
    jobs: u64,
    /// How many of them at once.
    #[arg(long, env = "CONCURRENCY", default_value_t = 4)]
    concurrency: u32,
    /// How many messages may share a sandbox, one after the other.
    #[arg(long, env = "SHARE", default_value_t = 1)]
    share: u32,
    /// The level at which all but WebAssembly runs.
    #[arg(long, env = "LEVEL", default_value_t = Level::Process, value_parser = level)]
    level: Level,
    /// A directory for the engine's state and for how far an interrupted soak has come.
    #[arg(long)]
    place: PathBuf,
}

fn level(name: &str) -> Result<Level, String> {
    let level = name.parse().ok().filter(|it| *it != Level::Instance);
    level.ok_or_else(|| "choose process, gvisor or vm".to_owned())
}

fn main() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let ended = runtime
        .map_err(|error| format!("failed to start the asynchronous runtime: {error}"))
        .and_then(|runtime| runtime.block_on(soak(&Arguments::parse())));
    match ended {
        Ok(code) => ExitCode::from(code),
        Err(problem) => {
            drop(writeln!(io::stderr(), "atoll-soak: {problem}"));
            ExitCode::FAILURE
        }
    }
}

async fn soak(arguments: &Arguments) -> Result<u8, String> {
    fs::create_dir_all(&arguments.place)
        .map_err(|error| format!("failed to make {}: {error}", arguments.place.display()))?;
    let file = arguments.place.join("progress.json");
    let mut progress = Progress::read(&file)?;
    if progress.done > 0 {
        say(&format!("going on after {} jobs", progress.done))?;
    }
    // Whatever a sandbox leaves running becomes a child of this process, and is counted.
    rustix::process::set_child_subreaper(Some(rustix::process::getpid()))
        .map_err(|error| format!("failed to adopt orphans: {error}"))?;
    let interrupt = drive::interrupt()?;
    // Opening and closing an engine once makes whatever exists only once in a process.
    open(arguments)?.close().await;
    tokio::time::sleep(CLOSING).await;
    let before = World::look();
    let engine = Arc::new(open(arguments)?);
    let kinds = jobs::kinds(arguments.level)?;
    let drive = Drive::new(
        Arc::clone(&engine),
        progress,
        kinds,
        arguments.jobs,
        interrupt,
    )?;
    let ended = drive.run(arguments.concurrency).await?;
    let engine = Arc::into_inner(engine).ok_or("the engine is still in use")?;
    engine.close().await;
    let after = settled(&before).await;

    progress = ended.progress;
    let finished = progress.done >= arguments.jobs;
    if finished {
        Progress::forget(&file)?;
    } else {
        progress.write(&file)?;
    }
    say(&progress.table())?;
    say(&comparison(&before, &after))?;
    let mut faults = progress.faults.clone();
    faults.extend(before.differences(&after));
    faults.extend(ended.growth);
    for fault in &faults {
        say(&format!("FAULT: {fault}"))?;
    }
    match (faults.is_empty(), finished) {
        (false, _) => Ok(1),
        (true, false) => Ok(INTERRUPTED),
        (true, true) => say("nothing was left behind").map(|()| 0),
    }
}

fn open(arguments: &Arguments) -> Result<Engine, String> {
    let options = Options {
        state_dir: arguments.place.join("state"),
        policy: PolicyText {
            name: "soak".to_owned(),
            text: jobs::policy(arguments.level, arguments.share),
        },
        backends: backends(),
        pools: Some(PoolOptions::default()),
        memory_bytes: None,
    };
    Engine::open(options).map_err(|error| format!("failed to open the engine: {error}"))
}

/// Looks until all is as before, or long enough.
async fn settled(before: &World) -> World {
    let asked = Instant::now();
    loop {
        // What was adopted and has ended waits for this.
        while let Ok(Some(_)) = rustix::process::wait(rustix::process::WaitOptions::NOHANG) {}
        let now = World::look();
        if before.differences(&now).is_empty() || asked.elapsed() > GRACE {
            return now;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

fn comparison(before: &World, after: &World) -> String {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED);
    table.set_header(["what exists", "before", "after", "noise"]);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    for (before, after) in before.counts().iter().zip(after.counts()) {
        let noise = before.noise.to_string();
        table.add_row([
            before.what.clone(),
            before.number.to_string(),
            after.number.to_string(),
            noise,
        ]);
    }
    table.to_string()
}

fn say(text: &str) -> Result<(), String> {
    writeln!(io::stdout().lock(), "{text}")
        .map_err(|error| format!("failed to write to standard output: {error}"))
}
