//! `atoll bench prediction`: what was set aside for real programs, beside what they took, and
//! beside what others would have set aside.
//!
//! Owns the programs and their order; [`figures`] has what is made of the runs. Each program runs
//! through the whole way of a message, in a sandbox of the level `process`: once as a program that
//! nobody knows, then again as a known one where that is asked for. By default only programs run
//! that the models were not learned from.

mod figures;

use std::collections::BTreeSet;
use std::future::pending;
use std::path::{Path, PathBuf};
use std::pin::pin;

use async_trait::async_trait;
use atoll_engine::{
    Engine, Flow, Observer, PolicyText, ProgramFile, Request, RunOptions, Stream, Submission,
    input_file, program_file, text_file,
};
use atoll_types::{Message, Origin, Outcome, Parts, ProfileSource, Status, Stdin, TenantId, Usage};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use self::figures::Runs;
use super::samples::{Figure, show};
use super::{directory, engine, engine_with};
use crate::args::PredictionArgs;
use crate::error::CliError;
use crate::message;
use crate::terminal::complain;

const BENCH: &str = "prediction";

/// What each program may take.
const MEMORY_BYTES: u64 = 2 << 30;
const WALL_TIME_MS: u64 = 60_000;

/// Programs that take longer run once.
const QUICK_US: u64 = 1_000_000;

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
    let corpus = Corpus {
        directory: &args.corpus,
        entries: &entries,
        engine: known_to(place.path(), entries.len())?,
    };
    let mut unseen = Runs::default();
    let mut quick = Vec::new();
    for index in 0..entries.len() {
        tell_progress("programs have run", index, entries.len());
        let outcome = corpus.run(index, BENCH).await?;
        if outcome.as_ref().is_some_and(is_quick) {
            quick.push(index);
        }
        unseen.add(index, outcome.as_ref());
    }
    let (mut learning, mut known) = (Runs::default(), Runs::default());
    let more = (args.runs as usize).saturating_sub(entries.len());
    for (number, index) in quick.iter().cycle().take(more).enumerate() {
        tell_progress("runs of known programs are over", number, more);
        // Each for a tenant of its own: what one program did is no reason to give another less.
        let outcome = corpus.run(*index, &tenant(*index)).await?;
        let is_known = outcome.as_ref().is_none_or(is_known);
        let runs = if is_known { &mut known } else { &mut learning };
        runs.add(*index, outcome.as_ref());
    }
    // The first few of a program are not predicted from its history, but none of them may be ended
    // either.
    known.count_ends(&learning);
    corpus.engine.close().await;
    let rows = [unseen.rows("never seen"), known.rows("known")].concat();
    let with_peers = !args.bench.without_peers;
    let mut figures = unseen.figures(&figures::UNSEEN);
    if with_peers {
        figures.extend(unseen.others(&figures::UNSEEN_OTHERS));
    }
    if known.count() > 0 {
        figures.extend(known.figures(&figures::KNOWN));
        if with_peers {
            figures.extend(known.others(&figures::KNOWN_OTHERS));
            figures.extend(known.own_maximum(&[&unseen, &learning]));
        }
    }
    if args.pairs > 0 {
        figures.extend(slowdown(args, &entries, &quick).await?);
    }
    show(&args.bench, &rows, &figures)
}

/// The tenant that has a program of its own.
fn tenant(index: usize) -> String {
    format!("{BENCH}-{index}")
}

/// An engine to which these tenants are no strangers, for whom the built-in policy has less memory.
fn known_to(place: &Path, programs: usize) -> Result<Engine, CliError> {
    let tenants = (0..programs).map(tenant).chain([BENCH.to_owned()]);
    let known = tenants.map(|tenant| format!("[tenants.{tenant}]\ntrust = \"known\"\n"));
    let text = PolicyText::builtin().text + &known.collect::<String>();
    let name = "built-in, for known tenants".to_owned();
    engine_with(place, None, PolicyText { name, text })
}

fn tell_progress(what: &str, done: usize, all: usize) {
    if done.is_multiple_of(50) {
        complain(&format!("{done} of {all} {what}\n"));
    }
}

/// Whether a program ended well and soon.
fn is_quick(outcome: &Outcome) -> bool {
    ended_well(outcome) && outcome.usage.wall_time_us < QUICK_US
}

/// Whether a program was judged by its own runs.
fn is_known(outcome: &Outcome) -> bool {
    let profile = outcome.profile.as_ref();
    profile.is_some_and(|profile| {
        matches!(
            profile.memory_footprint.source,
            ProfileSource::History { .. }
        )
    })
}

/// Says what nobody would expect of an ordinary run.
fn tell_surprises(entry: &Entry, outcome: &Outcome) {
    if let (Status::Limit, Some(hit)) = (outcome.status, outcome.limit) {
        let (limit, rule) = (hit.name, outcome.decision.as_ref().map(|it| &it.rule));
        let rule = rule.map_or("", String::as_str);
        complain(&format!(
            "{} was ended at its {limit} limit of {} (rule {rule})\n",
            entry.id, hit.value
        ));
    }
    for deviation in outcome.adaptation.iter().flat_map(|it| &it.deviations) {
        let (kind, predicted, observed) = (deviation.kind, deviation.predicted, deviation.observed);
        complain(&format!(
            "{} differed in {}: {observed} where at most {predicted} was expected\n",
            entry.id,
            kind.name()
        ));
    }
}

fn ended_well(outcome: &Outcome) -> bool {
    outcome.status == Status::Exited && outcome.exit_code == Some(0)
}

/// Programs, and what runs them.
struct Corpus<'a> {
    directory: &'a Path,
    entries: &'a [Entry],
    engine: Engine,
}

impl Corpus<'_> {
    /// Runs one for a tenant, with the largest of its inputs. `None` where it cannot be submitted.
    async fn run(&self, index: usize, tenant: &str) -> Result<Option<Outcome>, CliError> {
        let Some(entry) = self.entries.get(index) else {
            return Ok(None);
        };
        let Ok(message) = submitted(self.directory, entry, tenant) else {
            return Ok(None);
        };
        let options = RunOptions {
            request: Request {
                wall_time_ms: Some(WALL_TIME_MS),
                memory_bytes: Some(MEMORY_BYTES),
                ..Request::default()
            },
            dependencies: entry
                .dependencies
                .as_ref()
                .map(|it| self.directory.join(it)),
            ..RunOptions::default()
        };
        let (mut unseen, stop) = (Unseen, pin!(pending()));
        let running = Box::pin(self.engine.run(message, options, &mut unseen, stop));
        let outcome = running.await?.outcome;
        tell_surprises(entry, &outcome);
        Ok(Some(outcome))
    }
}

/// How much longer programs take that are fitted than ones that nobody fits; and, as a measure of
/// what that comparison can tell here, how much longer the latter take than themselves. By the
/// median of each program's runs, which take turns; each time for a tenant that never sent any.
async fn slowdown(
    args: &PredictionArgs,
    entries: &[Entry],
    quick: &[usize],
) -> Result<Vec<Figure>, CliError> {
    let (one, other) = (directory()?, directory()?);
    let corpus = |engine| Corpus {
        directory: &args.corpus,
        entries,
        engine,
    };
    let fitted = corpus(engine(one.path(), None)?);
    let unfitted = corpus(engine(other.path(), None)?.unfitted());
    let (mut slower, mut wavering) = (Vec::new(), Vec::new());
    for (number, index) in quick.iter().enumerate() {
        tell_progress("programs are compared", number, quick.len());
        let mut times: [Vec<f64>; 3] = Default::default();
        for turn in 0..args.pairs as usize {
            let tenant = format!("{BENCH}-{turn}");
            // Each goes first in one turn of three.
            for place in 0..times.len() {
                let which = (turn + place) % times.len();
                let subject = if which == 0 { &fitted } else { &unfitted };
                let outcome = subject.run(*index, &tenant).await?;
                if let (Some(outcome), Some(times)) = (outcome, times.get_mut(which)) {
                    times.push(outcome.usage.wall_time_us as f64);
                }
            }
        }
        let [fitted, unfitted, again] = times.map(|times| figures::quantile(&times, 0.5));
        if unfitted > 0.0 && again > 0.0 {
            // Against the mean of both, as what the two differ by is not the fitting's.
            slower.push(fitted / (unfitted * again).sqrt());
            wavering.push(again / unfitted);
        }
    }
    fitted.engine.close().await;
    unfitted.engine.close().await;
    Ok(figures::slowdown(&slower, &wavering))
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

fn submitted(corpus: &Path, entry: &Entry, tenant: &str) -> Result<Message, CliError> {
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
        tenant: TenantId::new(tenant).map_err(|error| failure(error.to_string()))?,
        origin: Origin::CommandLine,
    })
}
