//! Parts of a message's way on their own, so that their cost can be measured: everything but the
//! sandbox, and the sandbox alone.

use std::collections::BTreeSet;
use std::pin::pin;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use atoll_monitor::{Flow, Input, Observer, Plan, Stream, watch};
use atoll_pool::Key;
use atoll_sandbox::{Environment, Tenancy};
use atoll_types::calls::CallRules;
use atoll_types::{
    Decision, Level, Limits, Message, Sharing, Status, SystemCalls, Timings, Trust, Usage,
};

use crate::clock::Stopwatch;
use crate::stages::{self, Around, stage};
use crate::way::{blank, chain};
use crate::{Engine, EngineError, Request};

/// Where the time of one run in a sandbox went, since it was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SandboxTimes {
    /// Until the program's first output, in microseconds.
    pub output_us: u64,
    /// Until the program had ended, in microseconds.
    pub ended_us: u64,
    /// Until nothing of the sandbox was left, in microseconds.
    pub destroyed_us: u64,
}

/// The part of a decision that a sandbox is made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Confinement {
    /// The boundary.
    pub level: Level,
    /// Whose messages may have something in common.
    pub sharing: Sharing,
    /// Bounds for the whole tree of processes.
    pub limits: Limits,
    /// Which system calls the program may make.
    pub system_calls: SystemCalls,
}

/// Notes when the first output comes.
struct FirstOutput {
    asked: Instant,
    came: Option<Duration>,
}

#[async_trait]
impl Observer for FirstOutput {
    async fn output(&mut self, _: Stream, _: &[u8]) -> Flow {
        self.came.get_or_insert_with(|| self.asked.elapsed());
        Flow::Continue
    }

    fn progress(&mut self, _: &Usage) {}
}

impl Engine {
    /// Runs a program in a sandbox as [`Engine::run`] does once everything is decided: nothing is
    /// analyzed, judged or recorded. For measurements; what the program finds around it is what
    /// [`Engine::surroundings`] said once.
    ///
    /// # Errors
    /// A sentence that says why the program did not run, or that it printed nothing.
    pub async fn measure_sandbox(
        &self,
        message: &Message,
        environment: &Environment,
        confinement: Confinement,
    ) -> Result<SandboxTimes, String> {
        let decision = Decision {
            level: confinement.level,
            sharing: confinement.sharing,
            limits: confinement.limits,
            messages_max: 1,
            system_calls: confinement.system_calls,
            network: Vec::new(),
            calls: CallRules::default(),
            accept_missing: BTreeSet::new(),
            trial_ms: 0,
            split: None,
            rule: String::new(),
            reasons: Vec::new(),
        };
        let around = || {
            let around = Around {
                tenancy: Tenancy::own(),
                environment: environment.clone(),
                ahead: None,
            };
            around.shared(self, message, &decision, Trust::Unknown)
        };
        let mut observer = FirstOutput {
            asked: Instant::now(),
            came: None,
        };
        let job = stages::job(message, &decision.calls, None);
        let taken = stages::take(self, message, &decision, around(), &job).await;
        let taken = taken.map_err(|halt| halt.reason)?;
        let started = self.start(taken, message, &decision, around(), job).await;
        let (taken, started) = started.map_err(|halt| halt.reason)?;
        let mut sandbox = taken.sandbox;
        let streams = started.map_err(|error| chain(&error))?;
        let plan = Plan {
            adjust: None,
            limits: &decision.limits,
            input: Input::Empty,
            keep_output: false,
        };
        let stop = pin!(std::future::pending());
        let watched = watch(sandbox.as_mut(), streams, plan, &mut observer, stop).await;
        let ended = observer.asked.elapsed();
        let destroyed = sandbox.destroy().await;
        let all = observer.asked.elapsed();
        watched.map_err(|error| chain(&error))?;
        destroyed.map_err(|error| chain(&error))?;
        let came = observer.came.ok_or("the program printed nothing")?;
        let us = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        Ok(SandboxTimes {
            output_us: us(came),
            ended_us: us(ended),
            destroyed_us: us(all),
        })
    }

    /// What a message's program finds around it at a level, from analyzing it.
    ///
    /// # Errors
    /// A sentence that says why it cannot be had.
    pub async fn surroundings(
        &self,
        message: &Message,
        level: Level,
    ) -> Result<Environment, String> {
        let environment = stages::environment(message, None).map_err(|halt| halt.reason)?;
        let analysis = stages::analyze(self, &message.program).await;
        let job = stages::job(message, &CallRules::default(), None);
        Ok(stages::imported_ahead(
            self,
            level,
            environment,
            &job,
            &analysis,
        ))
    }

    /// CPU time of every sandbox of this host, and of what they are copied from. It counts from the
    /// last time at which there was none; none where nothing counts it.
    #[must_use]
    pub fn cpu_time_of_sandboxes() -> Option<Duration> {
        atoll_sandbox_process::cpu_time_us().map(Duration::from_micros)
    }

    /// Keeps sandboxes waiting for programs of a message's kind, whatever the demand.
    pub async fn keep_waiting(&self, message: &Message, confinement: Confinement, count: usize) {
        let Confinement {
            level,
            sharing,
            limits,
            system_calls,
        } = confinement;
        let Ok(environment) = self.surroundings(message, level).await else {
            return;
        };
        if let (Some(pools), Some(backend)) = (&self.pools, self.backend(level)) {
            let key = Key::new(level, environment, system_calls, &limits).sharing(sharing);
            pools.keep(backend, &key, &limits, count);
        }
    }

    /// Analyzes, judges, predicts, decides and records a message as [`Engine::run`] does, but runs
    /// nothing: the recorded outcome is an exit with `usage`, so that later messages find the
    /// history they would find. For measurements with a state directory of their own.
    ///
    /// # Errors
    /// [`EngineError`] when the store fails.
    pub async fn measure(
        &self,
        message: &Message,
        request: &Request,
        usage: Usage,
    ) -> Result<Timings, EngineError> {
        let mut watch = Stopwatch::start();
        let mut outcome = blank(message);
        let analyzing = stages::analyze(self, &message.program);
        let analysis = watch.wait(stage::ANALYZE, analyzing).await;
        let arrival = watch
            .wait(stage::RECORD, stages::accept(self, message))
            .await?;
        let judged = watch.time(stage::RISK, || {
            stages::risk(&self.policy, message, &analysis, &arrival.history)
        });
        let profile = watch.time(stage::PREDICT, || {
            stages::predict(message, &analysis, &arrival.past)
        });
        let decided = watch.time(stage::DECIDE, || {
            stages::decide(self, message, &analysis, &judged, &profile, request)
        });
        outcome.analysis = Some(analysis);
        outcome.risk = Some(judged.risk);
        outcome.profile = Some(profile);
        outcome.decision = decided.ok();
        outcome.status = Status::Exited;
        outcome.exit_code = Some(0);
        outcome.usage = usage;
        outcome.timings_us = watch.timings();
        watch
            .wait(stage::RECORD, stages::finish(self, &outcome, &[]))
            .await?;
        Ok(watch.timings())
    }
}
