//! Everything up to the decision, without running and without recording anything.

use std::path::PathBuf;

use atoll_policy::{Denied, Request};
use atoll_types::{Analysis, Decision, Message, Profile, Risk, SenderHistory, Timings, Trust};

use crate::clock::Stopwatch;
use crate::stages::{self, PAST_RUNS_MAX, stage};
use crate::{Engine, EngineError};

/// Why a message would be treated as it would.
#[derive(Debug)]
pub struct Explanation {
    /// What analysis found.
    pub analysis: Analysis,
    /// What is remembered of the sender.
    pub history: SenderHistory,
    /// Earlier runs of the program that the prediction looked at.
    pub past_runs: u64,
    /// How well the sender is known.
    pub trust: Trust,
    /// What speaks against sender and program.
    pub risk: Risk,
    /// What the program is expected to need.
    pub profile: Profile,
    /// What the policy decided, or why it denies.
    pub decision: Result<Decision, Denied>,
    /// Whether this host could run the decision; else why not. `None` when it was denied.
    pub runnable: Option<Result<(), String>>,
    /// What would change the decision, a sentence each.
    pub would_change: Vec<String>,
    /// How long each stage took.
    pub timings_us: Timings,
}

impl Engine {
    /// Explains what would happen to a message, and to a directory of dependencies with it.
    ///
    /// # Errors
    /// [`EngineError`] when history cannot be read.
    pub async fn explain(
        &self,
        message: &Message,
        request: &Request,
        dependencies: Option<PathBuf>,
    ) -> Result<Explanation, EngineError> {
        let request = &Request {
            has_dependencies: dependencies.is_some(),
            ..request.clone()
        };
        let mut watch = Stopwatch::start();
        let analyzing = stages::analyze(self, &message.program);
        let analysis = watch.wait(stage::ANALYZE, analyzing).await;
        let store = self.store().await?;
        let program = message.program.hash;
        let asking = store.sender_history(&message.tenant, program);
        let history = watch.wait(stage::RISK, asking).await?;
        let asking = store.past(&message.tenant, program, PAST_RUNS_MAX);
        let past = watch.wait(stage::PREDICT, asking).await?;

        let judged = watch.time(stage::RISK, || {
            stages::risk(&self.policy, message, &analysis, &history)
        });
        let profile = watch.time(stage::PREDICT, || {
            stages::predict(message, &analysis, &past)
        });
        let decided = watch.time(stage::DECIDE, || {
            let mut decision =
                stages::decide(self, message, &analysis, &judged, &profile, request)?;
            let split = stages::split(message, &judged.risk, &profile, &mut decision);
            Ok((decision, split))
        });
        let (decision, split) = match decided {
            Ok((decision, split)) => (Ok(decision), split),
            Err(denied) => (Err(denied), Ok(())),
        };
        let runnable = decision.as_ref().ok().map(|decision| {
            split
                .and_then(|()| stages::provide(self, message, decision))
                .and_then(|()| stages::environment(message, dependencies).map(drop))
                .map_err(|halt| halt.reason)
        });
        let host = stages::OnHost::new(self, message, &analysis, request);
        let asked = stages::question(message, &analysis, &judged, &profile, request, &host);
        let would_change = self.policy.what_would_change(&asked);
        Ok(Explanation {
            past_runs: past.runs.len() as u64,
            history,
            trust: judged.trust,
            risk: judged.risk,
            profile,
            decision,
            runnable,
            would_change,
            timings_us: watch.timings(),
            analysis,
        })
    }
}
