//! How much of the node is set aside for a program, and how that follows what it does.

use std::time::{Duration, Instant};

use atoll_adapt::{Expectation, Fitting, Reservation, Seen, Step, reservation_bytes};
use atoll_monitor::{Adjust, Adjusting};
use atoll_types::{
    Adaptation, Analysis, Capability, DependencySource, Level, Limits, Outcome, Profile,
    ProgramKind, Usage,
};

use crate::Engine;
use crate::way::Halt;

/// What starts processes or threads, or may do so unseen.
const STARTS: [Capability; 6] = [
    Capability::Processes,
    Capability::Threads,
    Capability::DynamicCode,
    Capability::NativeCode,
    Capability::UnsafeDeserialization,
    Capability::Unanalyzed,
];

/// Sets memory aside for a program, as soon as there is enough; and how long that took.
pub(crate) async fn reserve(
    engine: &Engine,
    profile: Option<&Profile>,
    limits: &Limits,
) -> Result<(Reservation, Duration), Halt> {
    let bytes = profile.map_or(limits.memory_bytes, |it| reservation_bytes(it, limits));
    let began = Instant::now();
    let reserved = engine.budget.reserve(bytes).await.map_err(|too_large| {
        Halt::refused(format!(
            "it is expected to need at least {} MiB of memory, and this node can set aside {} MiB \
             at most for the start of a program",
            too_large.wanted_bytes >> 20,
            too_large.most_bytes >> 20
        ))
    })?;
    Ok((reserved, began.elapsed()))
}

/// What is expected of a program that is going to run. Profiles are of runs on the host's own
/// kernel: elsewhere the same program takes more, of which nothing is known yet.
pub(crate) fn expected(outcome: &Outcome) -> Expectation {
    let level = outcome.decision.as_ref().map(|decision| decision.level);
    match (&outcome.profile, &outcome.analysis) {
        (Some(profile), Some(analysis)) if level == Some(Level::Process) => {
            Expectation::of(profile, is_single(analysis))
        }
        _ => Expectation::nothing(),
    }
}

/// Whether nothing in a program starts processes or threads, as far as it was understood, and its
/// interpreter starts none of its own.
fn is_single(analysis: &Analysis) -> bool {
    let all_known = analysis
        .dependencies
        .iter()
        .all(|dependency| dependency.source == DependencySource::StandardLibrary);
    let starts = STARTS
        .iter()
        .any(|capability| analysis.capabilities.contains(capability));
    analysis.kind == ProgramKind::Python && all_known && !starts
}

/// A program that is fitted while it is watched.
pub(crate) struct Fitted {
    fitting: Fitting,
    began: Instant,
    last_bytes: u64,
}

impl Fitted {
    /// For one that starts now.
    pub(crate) fn new(
        reservation: Reservation,
        expectation: Expectation,
        limits: Limits,
        waited: Duration,
    ) -> Self {
        Self {
            fitting: Fitting::new(reservation, expectation, limits, waited),
            began: Instant::now(),
            last_bytes: 0,
        }
    }

    /// For the one that has ended.
    pub(crate) fn end(self, usage: &Usage) -> Adaptation {
        let seen = Seen {
            at: self.began.elapsed(),
            usage: *usage,
            // What is in use at the end is gone with the program.
            memory_bytes: self.last_bytes.max(usage.memory_peak_bytes),
        };
        self.fitting.end(&seen)
    }
}

impl Adjust for Fitted {
    fn look(&mut self, at: Duration, usage: &Usage, memory_bytes: u64) -> Adjusting {
        self.last_bytes = memory_bytes;
        let seen = Seen {
            at,
            usage: *usage,
            memory_bytes,
        };
        match self.fitting.look(&seen) {
            Step::GoOn => Adjusting::Nothing,
            Step::SetLimits(limits) => Adjusting::Set(limits),
            Step::GiveUp => Adjusting::GiveUp,
        }
    }

    fn pause(&self, at: Duration) -> Duration {
        self.fitting.pause(at)
    }
}
