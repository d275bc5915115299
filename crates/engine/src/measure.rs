//! One message's way without its sandbox, so that the decision's own cost can be measured.

use atoll_types::{Message, Status, Timings, Usage};

use crate::clock::Stopwatch;
use crate::stages::{self, stage};
use crate::way::blank;
use crate::{Engine, EngineError, Request};

impl Engine {
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
        let analysis = watch.time(stage::ANALYZE, || stages::analyze(&message.program));
        let arrival = watch
            .wait(stage::RECORD, stages::accept(self, message))
            .await?;
        let judged = watch.time(stage::RISK, || {
            stages::risk(&self.policy, message, &analysis, &arrival.history)
        });
        let profile = watch.time(stage::PREDICT, || {
            stages::predict(&analysis, &arrival.past_runs, message.received_unix_ms)
        });
        let decided = watch.time(stage::DECIDE, || {
            stages::decide(&self.policy, message, &analysis, &judged, &profile, request)
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
