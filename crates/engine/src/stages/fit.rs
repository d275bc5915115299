//! How much of the node is set aside for a program, and how that follows what it does.

use std::time::{Duration, Instant};

use atoll_adapt::{
    Expectation, Fitting, Reservation, Seen, Step, reservation_bytes, starting_time,
};
use atoll_monitor::{Adjust, Adjusting};
use atoll_types::{
    Adaptation, Analysis, Capability, DependencySource, Level, Limits, Outcome, Profile,
    ProgramKind, RunEvent, Usage,
};

use crate::Engine;
use crate::way::{Halt, TellEvent};

/// What starts processes or threads, or may do so unseen.
const STARTS: [Capability; 8] = [
    Capability::Processes,
    Capability::Threads,
    Capability::DynamicCode,
    Capability::NativeCode,
    Capability::UnsafeDeserialization,
    // Names are looked up on a thread, and facts of the machine by other programs.
    Capability::Network,
    Capability::SystemInformation,
    Capability::Unanalyzed,
];

/// Sets memory aside for a program, as soon as there is enough; and how long that took.
pub(crate) async fn reserve(
    engine: &Engine,
    level: Level,
    profile: Option<&Profile>,
    limits: &Limits,
) -> Result<(Reservation, Duration), Halt> {
    let expected = profile.filter(|_| engine.fits);
    let bytes = expected.map_or(limits.memory_bytes, |it| reservation_bytes(it, limits));
    let backend = engine.backend(level);
    let own_bytes = backend.map_or(0, |backend| backend.own_memory_bytes());
    // It is where it begins, and no reason for a refusal.
    let most_bytes = engine.budget().most_bytes();
    let bytes = bytes.saturating_add(own_bytes).min(most_bytes);
    let began = Instant::now();
    let reserved = engine.budget().reserve(bytes).await.map_err(|too_large| {
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
    told: Told,
}

/// Who is told of what happens, and how much was told already.
#[derive(Default)]
struct Told {
    tell: Option<TellEvent>,
    adjustments: usize,
    deviations: usize,
}

impl Told {
    fn tell(&mut self, record: &Adaptation) {
        let Some(tell) = &mut self.tell else {
            return;
        };
        for adjustment in record.adjustments.iter().skip(self.adjustments) {
            tell(RunEvent::Adjustment(*adjustment));
        }
        for deviation in record.deviations.iter().skip(self.deviations) {
            tell(RunEvent::Deviation(*deviation));
        }
        self.adjustments = record.adjustments.len();
        self.deviations = record.deviations.len();
    }
}

impl Fitted {
    /// For one that starts now.
    pub(crate) fn new(
        reservation: Reservation,
        expectation: Expectation,
        limits: Limits,
        waited: Duration,
        profile: Option<&Profile>,
    ) -> Self {
        let starting = profile.map_or(Duration::ZERO, starting_time);
        Self {
            fitting: Fitting::new(reservation, expectation, limits, waited, starting),
            told: Told::default(),
        }
    }

    /// Tells of what happens from now on.
    pub(crate) fn telling(mut self, tell: Option<TellEvent>) -> Self {
        self.told.tell = tell;
        self
    }

    /// The limits that are in force now.
    pub(crate) fn limits(&self) -> Limits {
        *self.fitting.limits()
    }

    /// For the one that has ended: what happened, and what is still set aside for what is left.
    pub(crate) fn end(mut self, usage: &Usage) -> (Adaptation, Reservation) {
        let (adaptation, reservation) = self.fitting.end(usage);
        self.told.tell(&adaptation);
        (adaptation, reservation)
    }
}

impl Adjust for Fitted {
    fn look(&mut self, at: Duration, usage: &Usage, memory_bytes: u64) -> Adjusting {
        let seen = Seen {
            at,
            usage: *usage,
            memory_bytes,
        };
        let step = self.fitting.look(&seen);
        self.told.tell(self.fitting.record());
        match step {
            Step::GoOn => Adjusting::Nothing,
            Step::SetLimits(limits) => Adjusting::Set(limits),
            Step::GiveUp => Adjusting::GiveUp,
        }
    }

    fn pause(&self, at: Duration) -> Duration {
        self.fitting.pause(at)
    }

    fn held_back(&self, at: Duration) -> Duration {
        self.fitting.held_back_for(at)
    }

    fn ended(&mut self, at: Duration, memory_bytes: u64) {
        self.fitting.keep_only(at, memory_bytes);
    }
}
