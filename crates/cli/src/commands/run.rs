//! `atoll run`: one program, from its file to its exit code.

use std::io::IsTerminal as _;
use std::pin::pin;
use std::sync::mpsc::Receiver;
use std::time::Duration;

use async_trait::async_trait;
use atoll_engine::{
    CutShort, Flow, Observer, OutputDirectory, PackageLayer, Report, RunOptions, Stream, Tell,
    TellEvent,
};
use atoll_types::{Collection, Deviation, Enforcement, Outcome, RunEvent, Status, Usage};

use crate::args::{HostArgs, RunArgs};
use crate::error::{CliError, chain};
use crate::json;
use crate::live::{Live, Preparing};
use crate::message;
use crate::signals::{Came, Signals};
use crate::sink::Sink;
use crate::terminal::{BAD, DOUBTFUL, complain, plain, print, section, styled};
use crate::{commands, exit, install, stdin};

/// How many of the files that were left out are named on standard error.
const NAMED_MAX: usize = 10;

/// How long output may still take to reach a reader after Ctrl-C.
const FAREWELL_TIME: Duration = Duration::from_millis(200);

pub(crate) async fn run(args: RunArgs, host: HostArgs) -> Result<u8, CliError> {
    let as_json = args.json;
    match attempt(args, host).await {
        Err(error) if as_json && !matches!(error, CliError::OutputClosed) => {
            // Whoever asked for an object gets one, whatever went wrong.
            print(&json::failure(&chain(&error)))?;
            Err(error)
        }
        result => result,
    }
}

async fn attempt(args: RunArgs, host: HostArgs) -> Result<u8, CliError> {
    let engine = message::open(host, args.submission.policy.as_deref())?;
    let mut signals = Signals::install()?;
    let request = message::request(&args.submission);
    let message = message::message(&args.submission, args.program, stdin::given())?;
    // Last of all input, because it may be made here; before the run, because what is wrong with it
    // must not be found out when there is something to lose.
    let output = args.output.as_deref().map(OutputDirectory::open);
    let installed = install::packages(args.install, &engine, &message).await?;
    let dependencies = installed.as_ref().map(PackageLayer::path);
    let (tell, deviations) = std::sync::mpsc::channel();
    let options = RunOptions {
        request,
        dependencies: dependencies.or(args.submission.dependencies),
        keep_output: args.json,
        input: stdin::stream(&message.stdin),
        output: output.transpose()?,
        decided: args.explain.then(|| -> Tell {
            Box::new(|outcome| complain(&commands::explain::in_short(outcome)))
        }),
        events: args.explain.then(|| -> TellEvent {
            Box::new(move |event| {
                if let RunEvent::Deviation(deviation) = event {
                    // Nobody is there any more who would show it.
                    let _ = tell.send(deviation);
                }
            })
        }),
    };
    let mut observer = Passing::new(!args.json, deviations);
    let preparing = observer.preparing.clone();
    let is_terminal = observer.live.is_some();
    let lines = is_terminal.then(|| observer.sink.lines()).flatten();
    let came = Came::default();
    let stop = pin!(signals.wait(&came));
    // On the heap, because the whole way of a message is large for a future.
    let running = Box::pin(engine.run(message, options, &mut observer, stop));
    let report = match lines {
        None => running.await,
        Some(lines) => tokio::select! {
            report = running => report,
            never = preparing.say(lines) => match never {},
        },
    };
    let report = match report {
        Ok(report) => report,
        Err(error) => {
            // The error says more than that its reader has gone.
            let _ = observer.finish(None).await;
            return Err(error.into());
        }
    };
    let closed = observer.finish(report.cut_short).await?;
    complain(&ran_without(report.outcome.enforcement.as_ref()));
    if args.json {
        print(&json::outcome(&report.outcome))?;
    } else {
        complain(&last_words(&report));
        if args.explain {
            complain(&explained(&report.outcome));
        }
        let calls = report.outcome.calls.as_ref();
        complain(&calls.map(commands::calls::made).unwrap_or_default());
        let collection = report.outcome.collection.as_ref();
        complain(&collection.map(left_out).unwrap_or_default());
    }
    for warning in &report.warnings {
        complain(&format!(
            "{}: {}\n",
            styled(DOUBTFUL, "warning"),
            chain(warning)
        ));
    }
    // Last, because it may have to tidy up, and everything else can be seen before.
    engine.leave().await;
    if closed {
        return Ok(exit::OUTPUT_CLOSED);
    }
    Ok(exit::of_report(&report, came.signal()))
}

/// What was expected, beside what happened.
fn explained(outcome: &Outcome) -> String {
    let mut out = String::new();
    if let Some(trial) = &outcome.trial {
        section(
            &mut out,
            "Tried on less input",
            commands::profile::tried(trial),
        );
    }
    let (profile, adaptation) = (outcome.profile.as_ref(), outcome.adaptation.as_ref());
    commands::fitted::sections(&mut out, profile, &outcome.usage, adaptation);
    out
}

/// What to say about an end that the exit code alone does not explain.
fn last_words(report: &Report) -> String {
    let outcome = &report.outcome;
    let what = match (report.cut_short, outcome.status) {
        (Some(CutShort::OutputClosed), _) | (None, Status::Exited) => return String::new(),
        (Some(CutShort::Interrupted), _) => "interrupted".to_owned(),
        (None, Status::Signalled) => "the program died".to_owned(),
        (None, Status::Limit) => match outcome.limit {
            Some(hit) => format!("the program was ended at its {} limit", hit.name),
            None => "the program was ended at a limit".to_owned(),
        },
        (None, Status::Refused) => "the program was not run".to_owned(),
        (None, Status::Failed) => "the run failed".to_owned(),
    };
    let reason = plain(outcome.reason.as_deref().unwrap_or("no reason is known"));
    format!("{}: {what}: {reason}\n", styled(BAD, "error"))
}

/// What the policy accepted to be missing, and was.
fn ran_without(enforcement: Option<&Enforcement>) -> String {
    let missing = enforcement.into_iter().flat_map(Enforcement::missing);
    let names: Vec<&str> = missing.map(|report| report.layer.name()).collect();
    if names.is_empty() {
        return String::new();
    }
    let warning = styled(DOUBTFUL, "warning");
    format!(
        "{warning}: it ran without {}, as the policy accepts; `atoll doctor` says what that means\n",
        names.join(", ")
    )
}

/// What was not collected, the first of it by name.
fn left_out(collection: &Collection) -> String {
    let count = collection.skipped_count();
    if count == 0 {
        return String::new();
    }
    let named = collection.skipped.iter().take(NAMED_MAX).map(|skipped| {
        let name = plain(&String::from_utf8_lossy(&skipped.name));
        format!("  {name}: {}\n", skipped.reason.name())
    });
    let named: String = named.collect();
    let more = count.saturating_sub(NAMED_MAX as u64);
    let more = match more {
        0 => String::new(),
        _ => format!("  and {more} more; `--json` names them\n"),
    };
    let warning = styled(DOUBTFUL, "warning");
    format!("{warning}: not collected of what the program left: {count}\n{named}{more}")
}

/// Passes output through, and shows the live line.
struct Passing {
    pass: bool,
    sink: Sink,
    preparing: Preparing,
    live: Option<Live>,
    /// Whether each stream shares the terminal with the live line.
    stdout_is_terminal: bool,
    /// What is not foreseen, to be shown as it happens.
    deviations: Receiver<Deviation>,
}

impl Passing {
    fn new(pass: bool, deviations: Receiver<Deviation>) -> Self {
        let has_line = std::io::stderr().is_terminal();
        Self {
            pass,
            sink: Sink::default(),
            preparing: Preparing::default(),
            live: has_line.then(Live::default),
            stdout_is_terminal: std::io::stdout().is_terminal(),
            deviations,
        }
    }

    /// Shows what was not foreseen.
    fn show_deviations(&mut self) {
        for deviation in self.deviations.try_iter() {
            let line = format!("not foreseen {}\n", commands::fitted::deviation(&deviation));
            let way = self.live.as_mut().map(Live::make_way_for_own);
            let line = format!("{}{line}", way.unwrap_or_default());
            // It is told in the end, too.
            self.sink.offer(Stream::Stderr, line.as_bytes());
        }
    }

    /// Nobody waits for the sandbox any more.
    fn is_ready(&mut self) {
        if let Some(erase) = self.preparing.end() {
            self.sink.offer(Stream::Stderr, erase.as_bytes());
        }
    }

    /// Waits until everything is written; whether its reader went away before that.
    async fn finish(mut self, cut: Option<CutShort>) -> Result<bool, CliError> {
        self.is_ready();
        if let Some(erase) = self.live.as_mut().and_then(Live::erase) {
            self.sink.offer(Stream::Stderr, erase.as_bytes());
        }
        let written = if cut == Some(CutShort::Interrupted) {
            tokio::time::timeout(FAREWELL_TIME, self.sink.finish())
                .await
                .unwrap_or(Ok(()))
        } else {
            self.sink.finish().await
        };
        match written.map_err(CliError::output) {
            Ok(()) => Ok(false),
            Err(CliError::OutputClosed) => Ok(true),
            Err(error) => Err(error),
        }
    }
}

#[async_trait]
impl Observer for Passing {
    async fn output(&mut self, stream: Stream, bytes: &[u8]) -> Flow {
        self.is_ready();
        if !self.pass {
            return Flow::Continue;
        }
        let on_terminal = stream == Stream::Stderr || self.stdout_is_terminal;
        if let Some(live) = self.live.as_mut().filter(|_| on_terminal)
            && let Some(erase) = live.make_way(bytes.last().copied())
        {
            self.sink.write(Stream::Stderr, erase.as_bytes()).await;
        }
        if self.sink.write(stream, bytes).await {
            Flow::Continue
        } else {
            Flow::Closed
        }
    }

    fn progress(&mut self, usage: &Usage) {
        self.is_ready();
        self.show_deviations();
        let Some(live) = &mut self.live else {
            return;
        };
        if let Some(line) = live.line(usage)
            && self.sink.offer(Stream::Stderr, line.as_bytes())
        {
            live.shown();
        }
    }
}
