//! `atoll bench prediction`: what was set aside for real programs, beside what they took, and
//! beside what others would have set aside.
//!
//! Owns the programs' order, the figures, and the other ways of setting memory aside. Each program
//! runs once, through the whole way of a message, in a sandbox of the level `process`. By default
//! only programs run that the models were not learned from.

use std::collections::BTreeSet;
use std::future::pending;
use std::path::{Path, PathBuf};
use std::pin::pin;

use async_trait::async_trait;
use atoll_engine::{
    Engine, Flow, Observer, ProgramFile, Request, RunOptions, Stream, Submission, input_file,
    program_file, text_file,
};
use atoll_types::{
    LimitName, Message, Origin, Outcome, Parts, Quantiles, Status, Stdin, TenantId, Usage,
};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::samples::{Figure, Row, Samples, show};
use super::{directory, engine};
use crate::args::PredictionArgs;
use crate::error::CliError;
use crate::message;
use crate::terminal::{complain, size};

const BENCH: &str = "prediction";

const MIB: f64 = 1_048_576.0;

/// What each program may take.
const MEMORY_BYTES: u64 = 2 << 30;
const WALL_TIME_MS: u64 = 60_000;

/// Sizes that are fixed for all programs, in MiB.
const FIXED_MIB: [f64; 3] = [128.0, 256.0, 512.0];

/// The Kubernetes vertical pod autoscaler: the 90th percentile of what was seen, and 15 % more. Its
/// second attempt after a program was ended is not counted.
const VPA_QUANTILE: f64 = 0.9;
const VPA_MARGIN: f64 = 1.15;

/// Autopilot's moving maximum: of as many programs before, with a tenth more.
const WINDOW: usize = 64;
const WINDOW_MARGIN: f64 = 1.1;

/// One program of the corpus.
#[derive(Deserialize)]
struct Entry {
    id: String,
    program: PathBuf,
    #[serde(default)]
    files: Vec<PathBuf>,
    #[serde(default)]
    arguments: Vec<String>,
    #[serde(default)]
    environment: std::collections::BTreeMap<String, String>,
    dependencies: Option<PathBuf>,
    #[serde(default)]
    sizes: Vec<Size>,
}

#[derive(Deserialize)]
struct Size {
    #[serde(default)]
    arguments: Vec<String>,
    #[serde(default)]
    stdin: String,
}

/// A recorded run, of which only the program counts here.
#[derive(Deserialize)]
struct Recorded {
    id: String,
}

/// What one run showed.
struct Seen {
    peak_bytes: f64,
    /// Used over the time that it ran, in bytes times seconds; and set aside.
    used_area: f64,
    reserved_area: f64,
    seconds: f64,
    expected: Quantiles,
    deviations: usize,
}

/// Nobody watches.
struct Unseen;

#[async_trait]
impl Observer for Unseen {
    async fn output(&mut self, _: Stream, _: &[u8]) -> Flow {
        Flow::Continue
    }

    fn progress(&mut self, _: &Usage) {}
}

pub(super) async fn run(args: &PredictionArgs) -> Result<u8, CliError> {
    let entries = chosen(args)?;
    let place = directory()?;
    let engine = engine(place.path(), None)?;
    let mut stages = ["analyze", "predict"].map(|stage| (stage, Samples::default()));
    let mut seen = Vec::new();
    let (mut failed, mut killed) = (0_u64, 0_u64);
    for (number, entry) in entries.iter().enumerate() {
        if number % 50 == 0 {
            let all = entries.len();
            complain(&format!("{number} of {all} programs have run\n"));
        }
        let Ok(message) = submitted(&args.corpus, entry) else {
            failed = failed.saturating_add(1);
            continue;
        };
        let outcome = once(&engine, &args.corpus, entry, message).await?;
        for (stage, samples) in &mut stages {
            let taken = outcome.timings_us.stages.get(*stage);
            samples.add(taken.copied().unwrap_or(0));
        }
        match (outcome.status, outcome.limit.map(|limit| limit.name)) {
            (Status::Exited, _) if outcome.exit_code == Some(0) => seen.extend(shown(&outcome)),
            (Status::Limit, Some(LimitName::Memory)) => killed = killed.saturating_add(1),
            _ => failed = failed.saturating_add(1),
        }
    }
    engine.close().await;
    let rows: Vec<Row> = stages
        .iter()
        .map(|(stage, samples)| samples.row(BENCH, "atoll", stage))
        .collect();
    let mut figures = own(&seen, killed, failed);
    if !args.bench.without_peers {
        figures.extend(others(&seen));
    }
    show(&args.bench, &rows, &figures)
}

/// The programs that run, in an order that is the same each time and mixes their sources.
fn chosen(args: &PredictionArgs) -> Result<Vec<Entry>, CliError> {
    let mut entries: Vec<Entry> = lines(&args.corpus.join("manifest.jsonl"))?;
    if !args.learned {
        let recorded: Vec<Recorded> = lines(&args.corpus.join("runs.jsonl"))?;
        let recorded: BTreeSet<String> = recorded.into_iter().map(|run| run.id).collect();
        entries.retain(|entry| !recorded.contains(&entry.id));
    }
    entries.sort_by_cached_key(|entry| atoll_types::ProgramHash::of(entry.id.as_bytes()));
    if let Some(most) = args.bench.iterations {
        entries.truncate(usize::try_from(most).unwrap_or(usize::MAX));
    }
    if entries.is_empty() {
        return Err(failure(
            "every program of the corpus was learned from; `--learned` runs those, too".to_owned(),
        ));
    }
    Ok(entries)
}

fn lines<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>, CliError> {
    if !path.exists() {
        let path = path.display();
        return Err(failure(format!(
            "{path} is missing; `make corpus` makes it"
        )));
    }
    let text = text_file(path)?;
    let read = |line: &str| {
        serde_json::from_str(line)
            .map_err(|error| failure(format!("{} is malformed: {error}", path.display())))
    };
    text.lines().map(read).collect()
}

fn failure(what: String) -> CliError {
    CliError::Bench {
        subject: "the corpus".to_owned(),
        what,
    }
}

/// Runs one, with the largest of its inputs.
async fn once(
    engine: &Engine,
    corpus: &Path,
    entry: &Entry,
    message: Message,
) -> Result<Outcome, CliError> {
    let options = RunOptions {
        request: Request {
            wall_time_ms: Some(WALL_TIME_MS),
            memory_bytes: Some(MEMORY_BYTES),
            ..Request::default()
        },
        dependencies: entry.dependencies.as_ref().map(|it| corpus.join(it)),
        ..RunOptions::default()
    };
    let (mut unseen, stop) = (Unseen, pin!(pending()));
    let running = Box::pin(engine.run(message, options, &mut unseen, stop));
    Ok(running.await?.outcome)
}

fn submitted(corpus: &Path, entry: &Entry) -> Result<Message, CliError> {
    let size = entry.sizes.last();
    let more = size.map(|size| &*size.arguments).unwrap_or_default();
    let arguments = entry.arguments.iter().chain(more);
    let stdin = size.map(|size| size.stdin.clone().into_bytes());
    let stdin = stdin.filter(|stdin| !stdin.is_empty());
    let ProgramFile { name, bytes } = program_file(&corpus.join(&entry.program))?;
    let mut files = Vec::new();
    for file in &entry.files {
        files.push(input_file(&corpus.join(file), None)?);
    }
    let environment = entry.environment.iter();
    message::arrived(Submission {
        program: ProgramFile { name, bytes },
        parts: Parts::default(),
        arguments: arguments.map(|it| it.clone().into_bytes()).collect(),
        sample: None,
        stdin: stdin.map_or(Stdin::Empty, |bytes| Stdin::Bytes(bytes.into())),
        files,
        environment: environment
            .map(|(name, value)| (name.clone().into_bytes(), value.clone().into_bytes()))
            .collect(),
        tenant: TenantId::new(BENCH).map_err(|error| failure(error.to_string()))?,
        origin: Origin::CommandLine,
    })
}

fn shown(outcome: &Outcome) -> Option<Seen> {
    let adaptation = outcome.adaptation.as_ref()?;
    let profile = outcome.profile.as_ref()?;
    let seconds = outcome.usage.wall_time_us.max(1) as f64 / 1e6;
    Some(Seen {
        peak_bytes: outcome.usage.memory_peak_bytes as f64,
        used_area: adaptation.used_mean_bytes as f64 * seconds,
        reserved_area: adaptation.reserved_mean_bytes as f64 * seconds,
        seconds,
        expected: profile.memory_footprint.quantiles,
        deviations: adaptation.deviations.len(),
    })
}

/// What Atoll did.
fn own(seen: &[Seen], killed: u64, failed: u64) -> Vec<Figure> {
    let count = seen.len().max(1) as f64;
    let share = |of: &dyn Fn(&Seen) -> bool| {
        let kept = seen.iter().filter(|seen| of(seen)).count();
        kept as f64 / count * 100.0
    };
    let errors = seen.iter().map(|seen| {
        let expected = seen.expected.p50 as f64;
        (expected - seen.peak_bytes).abs() / seen.peak_bytes.max(1.0) * 100.0
    });
    let mut errors: Vec<f64> = errors.collect();
    errors.sort_by(f64::total_cmp);
    let reserved: f64 = seen.iter().map(|seen| seen.reserved_area).sum();
    let seconds: f64 = seen.iter().map(|seen| seen.seconds).sum();
    let mean = reserved / seconds.max(f64::MIN_POSITIVE);
    let below = |bound: fn(&Quantiles) -> u64| {
        share(&move |seen| seen.peak_bytes <= bound(&seen.expected) as f64)
    };
    let deviations: usize = seen.iter().map(|seen| seen.deviations).sum();
    vec![
        figure("programs", seen.len() as f64, ""),
        figure("ended_otherwise", failed as f64, ""),
        figure("killed_for_memory", killed as f64, ""),
        figure("memory_slack_percent", slack(seen), " %"),
        Figure {
            figure: "memory_reserved_mean_bytes",
            value: mean,
            shown: size(mean as u64),
        },
        figure("admitted_over_fixed_128", 128.0 * MIB / mean.max(1.0), ""),
        figure(
            "memory_error_median_percent",
            errors.get(errors.len() / 2).copied().unwrap_or_default(),
            " %",
        ),
        figure("memory_below_p50_percent", below(|q| q.p50), " %"),
        figure("memory_below_p90_percent", below(|q| q.p90), " %"),
        figure("memory_below_p99_percent", below(|q| q.p99), " %"),
        figure(
            "deviations_per_1000",
            deviations as f64 * 1000.0 / count,
            "",
        ),
    ]
}

fn figure(figure: &'static str, value: f64, unit: &str) -> Figure {
    Figure {
        figure,
        value,
        shown: format!("{value:.1}{unit}"),
    }
}

fn slack(seen: &[Seen]) -> f64 {
    let used: f64 = seen.iter().map(|seen| seen.used_area).sum();
    let reserved: f64 = seen.iter().map(|seen| seen.reserved_area).sum();
    (1.0 - used / reserved.max(f64::MIN_POSITIVE)) * 100.0
}

/// What others would have set aside for the same programs in the same order, none of which they had
/// seen before: how much of it was not used, and how many programs they would have ended.
fn others(seen: &[Seen]) -> Vec<Figure> {
    let names = [
        ("fixed_128_slack_percent", "fixed_128_killed"),
        ("fixed_256_slack_percent", "fixed_256_killed"),
        ("fixed_512_slack_percent", "fixed_512_killed"),
    ];
    let mut figures = Vec::new();
    for (mib, names) in FIXED_MIB.into_iter().zip(names) {
        figures.extend(judged(seen, names, |_| mib * MIB));
    }
    let vpa = |before: &[f64]| quantile(before, VPA_QUANTILE) * VPA_MARGIN;
    figures.extend(judged(seen, ("vpa_slack_percent", "vpa_killed"), vpa));
    let moving = |before: &[f64]| {
        let window = before.iter().rev().take(WINDOW);
        window.copied().fold(0.0, f64::max) * WINDOW_MARGIN
    };
    let names = ("moving_max_slack_percent", "moving_max_killed");
    figures.extend(judged(seen, names, moving));
    figures
}

/// `bound` tells what is set aside, from the peaks of the programs before.
fn judged(
    seen: &[Seen],
    (slack, killed): (&'static str, &'static str),
    bound: impl Fn(&[f64]) -> f64,
) -> [Figure; 2] {
    let mut before = Vec::new();
    let (mut used, mut reserved, mut count) = (0.0, 0.0, 0_u64);
    for one in seen {
        // Without any program before, there is nothing but a usual size.
        let bound = if before.is_empty() {
            256.0 * MIB
        } else {
            bound(&before)
        };
        if one.peak_bytes > bound {
            count = count.saturating_add(1);
        } else {
            used += one.used_area;
            reserved += bound * one.seconds;
        }
        before.push(one.peak_bytes);
    }
    let value = (1.0 - used / f64::max(reserved, f64::MIN_POSITIVE)) * 100.0;
    [figure(slack, value, " %"), figure(killed, count as f64, "")]
}

fn quantile(values: &[f64], quantile: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let last = sorted.len().saturating_sub(1) as f64;
    let at = (last * quantile).ceil() as usize;
    sorted.get(at).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(peak_mib: f64, reserved_mib: f64) -> Seen {
        Seen {
            peak_bytes: peak_mib * MIB,
            used_area: peak_mib * MIB,
            reserved_area: reserved_mib * MIB,
            seconds: 1.0,
            expected: Quantiles {
                p50: 1,
                p90: 2,
                p99: 3,
            },
            deviations: 0,
        }
    }

    #[test]
    fn slack_is_the_part_that_was_not_used() {
        assert!((slack(&[seen(30.0, 40.0), seen(60.0, 80.0)]) - 25.0).abs() < 1e-9);
    }

    #[test]
    fn who_ends_a_program_is_not_praised_for_setting_little_aside() {
        let both = [seen(100.0, 0.0), seen(300.0, 0.0)];
        let [slack, killed] = judged(&both, ("slack", "killed"), |_| 200.0 * MIB);
        assert!((killed.value - 1.0).abs() < 1e-9);
        assert!((slack.value - (1.0 - 100.0 / 256.0) * 100.0).abs() < 1e-9);
    }
}
