//! `atoll profile`: how a program's need grows with its input, found by running it.

mod picture;

use std::fmt::Write as _;
use std::io::IsTerminal as _;
use std::pin::pin;
use std::time::Duration;

use atoll_engine::{PackageLayer, Quantity, Sized, Tried, law};
use atoll_types::{Content, Message, Stdin, Trial, TrialEnd, TrialRun};
use comfy_table::{CellAlignment, Table, presets::UTF8_FULL_CONDENSED};
use serde::Serialize;

use crate::args::{HostArgs, ProfileArgs};
use crate::commands::explain::{calls, profile_lines};
use crate::error::CliError;
use crate::signals::{Came, Signals};
use crate::terminal::{BAD, complain, plain, print, section, size, styled, time};
use crate::{exit, install, json, message};

/// The smallest piece of a file is so many times smaller than the file.
const SMALLEST: usize = 256;

/// Runs without anything that grows: so many, to see how it wavers.
const SAME: usize = 5;

/// What stands for the size in the program's arguments.
const SIZE: &str = "{}";

/// Predictions are shown for inputs so many times the largest that was tried.
const AHEAD: [u64; 3] = [2, 4, 8];

pub(crate) async fn profile(args: ProfileArgs, host: HostArgs) -> Result<u8, CliError> {
    let engine = message::open(host, args.submission.policy.as_deref())?;
    let mut signals = Signals::install()?;
    let request = message::request(&args.submission);
    let program = message::message(&args.submission, args.program, Stdin::Empty)?;
    let inputs = match &args.stdin {
        Some(file) => pieces(&program, &message::content(file)?),
        None => numbered(&program, &args.sizes)?,
    };
    let unit = Unit {
        is_bytes: args.stdin.is_some(),
        grows: inputs.len() > 1 && (args.stdin.is_some() || !args.sizes.is_empty()),
    };
    let shows_progress = !args.json && std::io::stderr().is_terminal();
    let all = inputs.len();
    let mut done = 0;
    let mut each = |run: &TrialRun| {
        done += 1;
        if shows_progress {
            let (size, cpu) = (unit.size(run.size), time(run.cpu_time_us));
            complain(&format!("run {done} of {all}: {size}, {cpu} of CPU time\n"));
        }
    };
    let came = Came::default();
    let stop = pin!(signals.wait(&came));
    let budget = Duration::from_millis(args.budget);
    let installed = install::packages(args.install, &engine, &program).await?;
    let dependencies = installed.as_ref().map(PackageLayer::path);
    let dependencies = dependencies.or(args.submission.dependencies);
    let trying = engine.try_sizes(&inputs, &request, dependencies, budget, &mut each, stop);
    let tried = Box::pin(trying).await?;
    engine.leave().await;
    let Some(tried) = tried else {
        return Ok(exit::after_signal(came.signal().unwrap_or(2)));
    };
    let runs = &tried.runs;
    if let Some(file) = &args.svg {
        let svg = picture::svg(&program.program.name, runs, unit);
        std::fs::write(file, svg).map_err(|source| CliError::System {
            attempt: "write the picture",
            source,
        })?;
    }
    print(&if args.json {
        object(&tried)
    } else {
        text(&program, &tried, unit)
    })?;
    Ok(match (&tried.decision, tried.ended) {
        (Err(_), _) => exit::REFUSED,
        (Ok(_), TrialEnd::Failed) => exit::FAILED,
        (Ok(_), _) => 0,
    })
}

/// What sizes are counted in.
#[derive(Debug, Clone, Copy)]
struct Unit {
    is_bytes: bool,
    /// Whether sizes differ at all.
    grows: bool,
}

impl Unit {
    fn size(self, number: u64) -> String {
        match self {
            Self { grows: false, .. } => "as it is".to_owned(),
            Self { is_bytes: true, .. } => size(number),
            Self { .. } => number.to_string(),
        }
    }
}

/// Ever larger pieces of a file, each of whole lines where it has lines.
fn pieces(program: &Message, file: &Content) -> Vec<Sized> {
    let mut sizes = Vec::new();
    let mut bytes = (file.len() / SMALLEST).max(1);
    while bytes < file.len() {
        sizes.push(bytes);
        bytes = bytes.saturating_mul(2);
    }
    sizes.push(file.len());
    let with = |bytes: usize| {
        let piece = atoll_engine::piece(file, bytes);
        Sized {
            size: piece.len() as u64,
            message: Message {
                stdin: Stdin::Bytes(piece),
                ..program.clone()
            },
        }
    };
    let mut all: Vec<Sized> = sizes.into_iter().map(with).collect();
    all.dedup_by_key(|sized| sized.size);
    all
}

/// The program with each size in its arguments; without sizes, as it is, a few times.
fn numbered(program: &Message, sizes: &[u64]) -> Result<Vec<Sized>, CliError> {
    if sizes.is_empty() {
        let same = Sized {
            size: 1,
            message: program.clone(),
        };
        return Ok(vec![same; SAME]);
    }
    let has_place = |argument: &Vec<u8>| String::from_utf8_lossy(argument).contains(SIZE);
    if !program.arguments.iter().any(has_place) {
        return Err(CliError::NoPlaceForSizes);
    }
    let mut sizes = sizes.to_vec();
    sizes.sort_unstable();
    let with = |size: u64| {
        let number = size.to_string();
        let put = |argument: &Vec<u8>| match std::str::from_utf8(argument) {
            Ok(text) => text.replace(SIZE, &number).into_bytes(),
            Err(_) => argument.clone(),
        };
        let arguments = program.arguments.iter().map(put);
        Sized {
            size,
            message: Message {
                arguments: arguments.collect(),
                ..program.clone()
            },
        }
    };
    Ok(sizes.into_iter().map(with).collect())
}

/// A quantity with its name, and how a number of it is shown.
type Shown = (&'static str, Quantity, fn(u64) -> String);

const QUANTITIES: [Shown; 5] = [
    ("CPU time", Quantity::CpuTime, time),
    ("memory", Quantity::Memory, size),
    ("written", Quantity::Written, size),
    ("read", Quantity::Read, size),
    ("calls", Quantity::Operations, calls),
];

fn text(program: &Message, tried: &Tried, unit: Unit) -> String {
    let mut out = String::new();
    let _ = writeln!(
        out,
        "{}  {}",
        plain(&program.program.name),
        program.program.kind
    );
    section(&mut out, "Expected", profile_lines(&tried.profile, None));
    match &tried.decision {
        Ok(decision) => {
            let level = format!("level {}, by rule {}", decision.level, decision.rule);
            section(&mut out, "Tried at", [level]);
        }
        Err(denied) => {
            let reasons = denied.reasons.iter().map(|reason| plain(&reason.text));
            section(&mut out, &styled(BAD, "Refused"), reasons);
            return out;
        }
    }
    let runs = &tried.runs;
    let _ = writeln!(out, "\n{}", table(runs, unit));
    section(&mut out, "How it ended", [ending(tried.ended)]);
    if unit.grows {
        section(&mut out, "Laws", laws(runs, unit));
        for (name, quantity, _) in QUANTITIES.into_iter().take(2) {
            out.push_str(&picture::chart(name, runs, quantity));
        }
    }
    out
}

fn ending(ended: TrialEnd) -> String {
    match ended {
        TrialEnd::Clear | TrialEnd::Whole => "all sizes were tried".to_owned(),
        TrialEnd::Budget => "the time for trials was over (--budget)".to_owned(),
        TrialEnd::Failed => format!(
            "{}: the next run did not end with exit code 0; `atoll run` shows what it says",
            styled(BAD, "stopped")
        ),
    }
}

fn table(runs: &[TrialRun], unit: Unit) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED);
    table.set_header([
        "input",
        "CPU time",
        "wall time",
        "memory",
        "written",
        "read",
        "calls",
    ]);
    for column in table.column_iter_mut() {
        column.set_cell_alignment(CellAlignment::Right);
    }
    for run in runs {
        table.add_row([
            unit.size(run.size),
            time(run.cpu_time_us),
            time(run.wall_time_us),
            size(run.memory_peak_bytes),
            size(run.written_bytes),
            counted(run, Quantity::Read, size),
            counted(run, Quantity::Operations, |count| count.to_string()),
        ]);
    }
    table
}

/// What nobody counted at some levels.
fn counted(run: &TrialRun, quantity: Quantity, show: fn(u64) -> String) -> String {
    quantity.of(run).map_or_else(|| "-".to_owned(), show)
}

/// What each quantity follows, and what that means for larger inputs.
fn laws(runs: &[TrialRun], unit: Unit) -> Vec<String> {
    let mut lines = Vec::new();
    let largest = runs.last().map_or(0, |run| run.size);
    for (name, quantity, show) in QUANTITIES {
        let Some(law) = law(runs, quantity) else {
            lines.push(format!("{name:<9} too few sizes, or too close together"));
            continue;
        };
        let formula = law.shape().formula();
        let wavers = law.noise() * 100.0;
        lines.push(format!(
            "{name:<9} grows as {formula}, wavering by {wavers:.0} %"
        ));
        for times in AHEAD {
            let ahead = largest.saturating_mul(times);
            let Some(told) = law.predict(ahead as f64) else {
                lines.push("          too uncertain beyond that".to_owned());
                break;
            };
            let [low, cost, high] =
                [told.low, told.cost, told.high].map(|number| show(number.round() as u64));
            let at = unit.size(ahead);
            lines.push(format!("          at {at}: {cost} ({low} to {high})"));
        }
    }
    lines
}

/// The lines on a message's trial.
pub(crate) fn tried(trial: &Trial) -> Vec<String> {
    let of = match trial.from_sample {
        true => "the sample",
        false => "its input",
    };
    let mut lines: Vec<String> = trial
        .runs
        .iter()
        .map(|run| {
            format!(
                "{} of {of}: {} of CPU time, {} of memory",
                size(run.size),
                time(run.cpu_time_us),
                size(run.memory_peak_bytes)
            )
        })
        .collect();
    let ended = match trial.ended {
        TrialEnd::Clear => "what grows stood clear of what wavers",
        TrialEnd::Budget => "the time for trials was over",
        TrialEnd::Whole => "the next would have been about the run itself",
        TrialEnd::Failed => "it did not come to a good end on part of its input",
    };
    let told = match trial.told {
        true => "the profile follows them",
        false => "they told nothing of the whole",
    };
    lines.push(format!("{ended}; {told}"));
    lines
}

/// What `--json` prints.
#[derive(Debug, Serialize)]
struct Form<'a> {
    profile: &'a atoll_types::Profile,
    decision: Option<&'a atoll_types::Decision>,
    denied: Option<&'a [atoll_types::Reason]>,
    runs: &'a [TrialRun],
    ended: TrialEnd,
    laws: Vec<LawForm>,
}

#[derive(Debug, Serialize)]
struct LawForm {
    quantity: &'static str,
    law: Option<&'static str>,
    noise: Option<f64>,
    predictions: Vec<PredictionForm>,
}

#[derive(Debug, Serialize)]
struct PredictionForm {
    size: u64,
    low: f64,
    cost: f64,
    high: f64,
}

fn object(tried: &Tried) -> String {
    let runs = &tried.runs;
    let largest = runs.last().map_or(0, |run| run.size);
    let laws = [
        ("cpu_time_us", Quantity::CpuTime),
        ("memory_peak_bytes", Quantity::Memory),
        ("written_bytes", Quantity::Written),
        ("read_bytes", Quantity::Read),
        ("operations", Quantity::Operations),
    ]
    .map(|(name, quantity)| {
        let law = law(runs, quantity);
        let predict = |times: u64| {
            let size = largest.saturating_mul(times);
            let told = law.as_ref()?.predict(size as f64)?;
            Some(PredictionForm {
                size,
                low: told.low,
                cost: told.cost,
                high: told.high,
            })
        };
        LawForm {
            quantity: name,
            law: law.as_ref().map(|law| law.shape().formula()),
            noise: law.as_ref().map(|law| law.noise()),
            predictions: AHEAD.into_iter().filter_map(predict).collect(),
        }
    });
    json::line(&Form {
        profile: &tried.profile,
        decision: tried.decision.as_ref().ok(),
        denied: tried
            .decision
            .as_ref()
            .err()
            .map(|it| it.reasons.as_slice()),
        runs,
        ended: tried.ended,
        laws: laws.into(),
    })
}
