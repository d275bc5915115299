//! The way of one message: the stages in their order, and what is carried from one to the next.

use std::fmt;
use std::path::PathBuf;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use atoll_adapt::Reservation;
use atoll_monitor::{Adjust, Cause, Input, Observer, Plan, Watched};
use atoll_policy::Request;
use atoll_pool::Lease;
use atoll_sandbox::{Ending, Environment, Job, Sandbox, StartError, Streams, Tenancy};
use atoll_store::Arrival;
use atoll_types::{
    Adaptation, Decision, Deviation, EventKind, LimitHit, Limits, Message, Outcome, Profile,
    Reason, RunEvent, Status, Timings, Trust, Usage,
};
use tokio::sync::mpsc;

use crate::clock::{Stopwatch, measured};
use crate::fate::{Collecting, Course, Fate, fate};
use crate::output::OutputDirectory;
use crate::stages::{self, Around, Taken, stage};
use crate::verdict::{CutShort, Verdict, judge};
use crate::{Engine, EngineError, Warning};

/// What a caller wants of one run beside the message itself.
#[derive(Default)]
pub struct RunOptions {
    /// What was asked for; policy has the last word.
    pub request: Request,
    /// A host directory of installed third-party modules, shown to the program read-only.
    pub dependencies: Option<PathBuf>,
    /// Whether to return output in the outcome, up to the output limit.
    pub keep_output: bool,
    /// Standard input for a message whose [`Stdin`](atoll_types::Stdin) is `Stream`; end of file
    /// when the sender is dropped. Without it such a message gets end of file at once.
    pub input: Option<mpsc::Receiver<Vec<u8>>>,
    /// Takes the files that the program leaves in its working directory, however it ends.
    pub output: Option<OutputDirectory>,
    /// Told of analysis, risk, profile and decision before the program starts, or before it is
    /// refused.
    pub decided: Option<Tell>,
    /// Told of each adjustment and deviation as it happens. The outcome has them, too.
    pub events: Option<TellEvent>,
}

impl fmt::Debug for RunOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunOptions")
            .field("request", &self.request)
            .field("dependencies", &self.dependencies)
            .field("keep_output", &self.keep_output)
            .field("input", &self.input.is_some())
            .field("output", &self.output)
            .finish_non_exhaustive()
    }
}

/// Is told of an outcome that is not finished yet.
pub type Tell = Box<dyn FnOnce(&Outcome) + Send>;

/// Is told of something at once, on the task that watches the program: it must not wait.
pub type TellEvent = Box<dyn FnMut(RunEvent) + Send>;

/// Completes when the caller wants a run to end early.
pub type Stop<'a> = Pin<&'a mut (dyn Future<Output = ()> + Send)>;

/// A [`Stop`] that may be asked again after it has come.
pub(crate) struct Stopping<'a> {
    stop: Stop<'a>,
    came: bool,
}

impl<'a> Stopping<'a> {
    pub(crate) const fn new(stop: Stop<'a>) -> Self {
        Self { stop, came: false }
    }

    /// Whether the caller is known to want an end.
    pub(crate) fn came(&self) -> bool {
        self.came
    }
}

impl Future for Stopping<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if !self.came {
            ready!(self.stop.as_mut().poll(context));
            self.came = true;
        }
        Poll::Ready(())
    }
}

/// The end of a message's way.
#[derive(Debug)]
pub struct Report {
    /// What was recorded.
    pub outcome: Outcome,
    /// Set when the run was ended from outside without anything being wrong with it.
    pub cut_short: Option<CutShort>,
    /// What went wrong after the program had run.
    pub warnings: Vec<Warning>,
}

/// Why a message does not reach its program's start.
#[derive(Debug)]
pub(crate) struct Halt {
    pub(crate) status: Status,
    pub(crate) reason: String,
    pub(crate) limit: Option<LimitHit>,
}

impl Halt {
    pub(crate) fn refused(reason: impl Into<String>) -> Self {
        Self {
            status: Status::Refused,
            reason: reason.into(),
            limit: None,
        }
    }

    pub(crate) fn failed(error: &dyn std::error::Error) -> Self {
        Self {
            status: Status::Failed,
            reason: chain(error),
            limit: None,
        }
    }
}

/// Who hears of the program's run, and who may end it.
struct Outside<'a> {
    observer: &'a mut dyn Observer,
    stop: Stopping<'a>,
}

/// What one message has gathered so far.
struct Way {
    watch: Stopwatch,
    outcome: Outcome,
    /// How far the sender is trusted, once that is known.
    trust: Trust,
    /// From when it is taken until it is destroyed or brought back.
    sandbox: Option<Box<dyn Sandbox>>,
    /// The right to bring it back.
    lease: Option<Lease>,
    /// The memory of the node that is set aside until nothing is left of the program.
    reservation: Option<Reservation>,
    course: Course,
    warnings: Vec<Warning>,
}

impl Way {
    /// Notes which message of its sandbox this is.
    fn take(&mut self, served: u32, lease: Option<Lease>) {
        let number = served.saturating_add(1);
        self.outcome.sandbox_message = Some(number);
        if let Some(decision) = &mut self.outcome.decision
            && decision.messages_max > 1
        {
            let text = stages::turn(number, decision.messages_max, lease.is_some());
            let from = "sandbox".to_owned();
            decision.reasons.push(Reason { from, text });
        }
        self.lease = lease;
    }

    /// Notes what was seen of the program; how it ended.
    fn note(&mut self, watched: Watched) -> (Cause, Option<Ending>) {
        self.outcome.usage = watched.usage;
        self.outcome.stdout = watched.stdout;
        self.outcome.stderr = watched.stderr;
        self.outcome.truncated = watched.truncated;
        (watched.cause, watched.ending)
    }

    /// Takes the files that the program has left.
    async fn collect(
        &mut self,
        output: OutputDirectory,
        given: stages::Given,
        limits: &Limits,
        stop: &mut Stopping<'_>,
    ) -> Collecting {
        let Some(sandbox) = &mut self.sandbox else {
            return Collecting::NotAsked;
        };
        let collecting = stages::collect(sandbox.as_mut(), output, given, limits, stop);
        let collected = self.watch.wait(stage::COLLECT, collecting).await;
        let failed = collected.warning.is_some();
        self.outcome.collection = collected.collection;
        self.warnings.extend(collected.warning);
        if failed {
            Collecting::Failed
        } else {
            Collecting::Done
        }
    }

    /// What becomes of the sandbox.
    fn fate(&self) -> Fate {
        let Some(decision) = &self.outcome.decision else {
            return Fate::Destroy;
        };
        let served = self.outcome.sandbox_message.unwrap_or(u32::MAX);
        let left = decision.messages_max.saturating_sub(served);
        fate(&self.course, decision.sharing, left)
    }
}

impl Engine {
    /// Takes a message through its way. Output goes to `observer` as it comes; `stop` ends the
    /// run early.
    ///
    /// # Errors
    /// [`EngineError`] when the message could not be accepted: nothing has run then. Whatever
    /// happens later is in the report.
    pub async fn run(
        &self,
        message: Message,
        mut options: RunOptions,
        observer: &mut (dyn Observer + '_),
        stop: Stop<'_>,
    ) -> Result<Report, EngineError> {
        let mut way = Way {
            watch: Stopwatch::start(),
            outcome: blank(&message),
            trust: Trust::Unknown,
            sandbox: None,
            lease: None,
            reservation: None,
            course: Course::NotStarted,
            warnings: Vec::new(),
        };
        options.request.has_dependencies = options.dependencies.is_some();
        let around = stages::environment(&message, options.dependencies.take());
        // Building a sandbox is mostly waiting for the kernel, which it may do meanwhile.
        let around = around.map(|environment| Around {
            tenancy: Tenancy::own(),
            ahead: way.watch.time(stage::TAKE, || {
                // Where sandboxes wait, one of them is likely to be taken.
                let begins = self.pools.is_none();
                begins.then(|| stages::begin(self, message.id, &environment))?
            }),
            environment,
        });
        // Analysis needs no history, so it goes first and gives the store time to open.
        let analyzing = stages::analyze(self, &message.program);
        let analysis = way.watch.wait(stage::ANALYZE, analyzing).await;
        way.outcome.analysis = Some(analysis);
        let accepting = stages::accept(self, &message);
        let arrival = way.watch.wait(stage::RECORD, accepting).await?;

        let outside = Outside {
            observer,
            stop: Stopping::new(stop),
        };
        // What it holds would make every caller's own future large.
        let travelling = self.travel(message, options, around, &arrival, &mut way, outside);
        let ended = Box::pin(travelling).await;
        let verdict =
            ended.unwrap_or_else(|halt| Verdict::not_run(halt.status, halt.reason, halt.limit));
        Ok(self.end(way, verdict).await)
    }

    /// From the arrival to the program's end.
    async fn travel(
        &self,
        message: Message,
        options: RunOptions,
        around: Result<Around, Halt>,
        arrival: &Arrival,
        way: &mut Way,
        mut outside: Outside<'_>,
    ) -> Result<Verdict, Halt> {
        let request = &options.request;
        let mut decided = self.decide(&message, request, arrival, None, way);
        let tries = decided.as_ref().is_ok_and(|decision| decision.trial_ms > 0);
        let place = around.as_ref().ok().filter(|_| tries);
        if let (Ok(decision), Some(place)) = (&decided, place.map(|it| it.environment.clone())) {
            let (first, place) = (decision.clone(), (&place, &mut outside.stop));
            let trying = self.try_first(&message, request, arrival, first, place, way);
            // What it holds would make the way's own future large.
            decided = Box::pin(trying).await;
        }
        if let Some(tell) = options.decided {
            tell(&way.outcome);
        }
        let decision = decided?;
        let limits = decision.limits;
        way.watch.time(stage::PROVIDE, || {
            stages::provide(self, &message, &decision)
        })?;
        let job = stages::job(&message, &decision.calls, decision.split.as_ref());
        let around = around?
            .shared(self, &message, &decision, way.trust)
            .with_imports(self, &decision, &job, way.outcome.analysis.as_ref());
        let again = Around {
            environment: around.environment.clone(),
            tenancy: around.tenancy.clone(),
            ahead: None,
        };
        let reserving =
            stages::reserve(self, decision.level, way.outcome.profile.as_ref(), &limits);
        let reserving = way.watch.wait(stage::TAKE, reserving);
        let (reservation, waited) = tokio::select! {
            reserved = reserving => reserved?,
            () = &mut outside.stop => return Ok(Verdict::interrupted()),
        };
        let taking = stages::take(self, &message, &decision, around, &job);
        let taken = way.watch.wait(stage::TAKE, taking).await?;
        let starting = self.start(taken, &message, &decision, again, job);
        let (taken, started) = way.watch.wait(stage::RUN, starting).await?;
        way.take(taken.served, taken.lease);
        let sandbox = way.sandbox.insert(taken.sandbox);
        way.outcome.enforcement = Some(sandbox.enforcement().clone());
        let streams = started.map_err(|error| stages::not_started(&error, &limits))?;
        way.course = Course::NotWatched;

        let collecting = options
            .output
            .map(|output| (output, stages::given(&message)));
        let expected = stages::expected(&way.outcome);
        let profile = way.outcome.profile.as_ref();
        let fitted = stages::Fitted::new(reservation, expected, limits, waited, profile);
        let mut fitted = fitted.telling(options.events);
        let plan = Plan {
            limits: &limits,
            input: input(&message, options.input),
            keep_output: options.keep_output,
            adjust: self.fits.then_some(&mut fitted as &mut dyn Adjust),
        };
        let stop = Pin::new(&mut outside.stop);
        let running = stages::run(
            self,
            sandbox.as_mut(),
            streams,
            plan,
            outside.observer,
            stop,
        );
        let watched = way.watch.wait(stage::RUN, running).await;
        way.outcome.enforcement = Some(sandbox.enforcement().clone());
        way.outcome.calls = sandbox.calls();

        let in_force = fitted.limits();
        let usage = watched.as_ref().map(|watched| watched.usage);
        let (adaptation, reservation) = fitted.end(&usage.unwrap_or_default());
        way.reservation = Some(reservation);
        let watched = watched?;
        let mut verdict = judge(&watched, &in_force);
        verdict.events.extend(incident(&adaptation));
        way.outcome.adaptation = self.fits.then_some(adaptation);
        let (cause, ending) = way.note(watched);
        let collecting = match collecting {
            Some((output, given)) => way.collect(output, given, &limits, &mut outside.stop).await,
            None => Collecting::NotAsked,
        };
        way.course = Course::Watched {
            cause,
            ending,
            collecting,
        };
        Ok(verdict)
    }

    /// Tries the program on part of its input, and decides again with what that told: never for a
    /// weaker level.
    async fn try_first(
        &self,
        message: &Message,
        request: &Request,
        arrival: &Arrival,
        decision: Decision,
        (environment, stop): (&Environment, &mut Stopping<'_>),
        way: &mut Way,
    ) -> Result<Decision, Halt> {
        let Some(profile) = way.outcome.profile.clone() else {
            return Ok(decision);
        };
        let place = stages::Place {
            decision: &decision,
            environment,
            trust: way.trust,
            profile: &profile,
        };
        let trying = Box::pin(stages::trial(self, message, &place, stop));
        let Some(mut trial) = way.watch.wait(stage::TRIAL, trying).await else {
            return Ok(decision);
        };
        let (told, is_new) = atoll_predict::tried(&profile, &trial, trial.input_bytes);
        trial.told = is_new;
        way.outcome.trial = Some(trial);
        if !is_new {
            return Ok(decision);
        }
        let mut again = self.decide(message, request, arrival, Some(told), way)?;
        if again.level < decision.level {
            let text = format!(
                "it stays at `{}`: what a trial tells may strengthen the level, never weaken it",
                decision.level
            );
            again = decision;
            let from = "trial".to_owned();
            again.reasons.push(Reason { from, text });
            way.outcome.decision = Some(again.clone());
        }
        Ok(again)
    }

    /// Risk, prediction and decision, each noted as soon as it is known. A profile that is known
    /// already is taken as it is.
    fn decide(
        &self,
        message: &Message,
        request: &Request,
        arrival: &Arrival,
        known: Option<Profile>,
        way: &mut Way,
    ) -> Result<Decision, Halt> {
        let Some(analysis) = &way.outcome.analysis else {
            return Err(Halt::refused("the program was not analyzed"));
        };
        let judged = way.watch.time(stage::RISK, || {
            stages::risk(&self.policy, message, analysis, &arrival.history)
        });
        let profile: Profile = way.watch.time(stage::PREDICT, || {
            known.unwrap_or_else(|| stages::predict(message, analysis, &arrival.past))
        });
        let decided = way.watch.time(stage::DECIDE, || {
            stages::decide(self, message, analysis, &judged, &profile, request)
        });
        let split = decided.map_err(|denied| Halt::refused(stages::denial(&denied)));
        let split = split.map(|mut decision| {
            let split = way.watch.time(stage::DECIDE, || {
                stages::split(message, &judged.risk, &profile, &mut decision)
            });
            (decision, split)
        });
        way.trust = judged.trust;
        way.outcome.risk = Some(judged.risk);
        way.outcome.profile = Some(profile);
        let (decision, split) = split?;
        way.outcome.decision = Some(decision.clone());
        split.map(|()| decision)
    }

    /// Starts a job. A sandbox that waited and turns out to be broken is replaced: nothing has run
    /// in it.
    pub(crate) async fn start(
        &self,
        taken: Taken,
        message: &Message,
        decision: &Decision,
        around: Around,
        job: Job,
    ) -> Result<(Taken, Result<Streams, StartError>), Halt> {
        let mut taken = taken;
        let again = taken.waited.then(|| job.clone());
        let started = taken.sandbox.start(job).await;
        let (Some(job), Err(StartError::Internal { .. })) = (again, &started) else {
            return Ok((taken, started));
        };
        // Whatever is left of it is found by the next sweep.
        let _ = taken.sandbox.destroy().await;
        let sandbox = stages::make(self, message, decision, around).await?;
        let mut taken = Taken::new(sandbox);
        let started = taken.sandbox.start(job).await;
        Ok((taken, started))
    }

    /// Destroys the sandbox and records the outcome. Neither needs the other, and both wait for
    /// the kernel, so they go side by side.
    async fn end(&self, mut way: Way, verdict: Verdict) -> Report {
        let outcome = &mut way.outcome;
        outcome.status = verdict.status;
        outcome.exit_code = verdict.exit_code;
        outcome.signal = verdict.signal;
        outcome.limit = verdict.limit;
        outcome.reason = verdict.reason;
        outcome.timings_us = way.watch.timings();
        let (sandbox, fate) = (way.sandbox.take(), way.fate());
        let (lease, outcome) = (way.lease.take(), &way.outcome);
        let limits = outcome.decision.as_ref().map(|decision| decision.limits);
        let destroying = measured(async {
            match (sandbox, fate, lease, limits) {
                (Some(sandbox), Fate::Renew, Some(lease), Some(limits)) => {
                    lease.bring_back(sandbox, &limits);
                    Ok(())
                }
                (Some(sandbox), ..) => sandbox.destroy().await,
                (None, ..) => Ok(()),
            }
        });
        let recording = measured(stages::finish(self, outcome, &verdict.events));
        // Recording is handed to another thread first.
        let ((recorded, recording), (destroyed, destroying)) = tokio::join!(recording, destroying);
        way.reservation = None;
        way.watch.add(stage::DESTROY, destroying);
        way.watch.add(stage::RECORD, recording);
        way.warnings
            .extend(destroyed.err().map(Warning::LeftBehind));
        way.warnings
            .extend(recorded.err().map(Warning::NotRecorded));
        way.outcome.timings_us = way.watch.timings();
        Report {
            outcome: way.outcome,
            cut_short: verdict.cut_short,
            warnings: way.warnings,
        }
    }
}

/// The outcome of a message that has gone nowhere yet.
pub(crate) fn blank(message: &Message) -> Outcome {
    Outcome {
        id: message.id,
        tenant: message.tenant.clone(),
        program: message.program.hash,
        program_name: message.program.name.clone(),
        status: Status::Failed,
        exit_code: None,
        signal: None,
        limit: None,
        reason: None,
        sandbox_message: None,
        stdout: Vec::new(),
        stderr: Vec::new(),
        truncated: false,
        collection: None,
        analysis: None,
        risk: None,
        profile: None,
        decision: None,
        enforcement: None,
        calls: None,
        adaptation: None,
        trial: None,
        usage: Usage::default(),
        timings_us: Timings::default(),
    }
}

/// What history is told of a program that did what nobody foresaw.
fn incident(adaptation: &Adaptation) -> Option<EventKind> {
    let concerns = |deviation: &Deviation| deviation.kind.concerns_security();
    let any = adaptation.deviations.iter().any(concerns);
    any.then_some(EventKind::Deviation)
}

fn input(message: &Message, stream: Option<mpsc::Receiver<Vec<u8>>>) -> Input {
    use atoll_types::Stdin;
    match (&message.stdin, stream) {
        (Stdin::Empty, _) | (Stdin::Stream, None) => Input::Empty,
        (Stdin::Bytes(bytes), _) => Input::Bytes(bytes.clone()),
        (Stdin::Stream, Some(chunks)) => Input::Channel(chunks),
    }
}

/// An error with its sources, for a reason that stands alone.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}
