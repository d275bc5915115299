//! One program's reservation, from its profile to its end.
//!
//! Owns when a reservation grows and shrinks, what happens where the node has no more, and the
//! record of all that. Looking at a program and changing its limits is for whoever watches it.

use std::time::Duration;

use atoll_types::{
    Adaptation, Adjusted, Adjustment, Deviation, DeviationAction, Limits, Profile, Usage,
};

use crate::{Expectation, Reservation};

/// Nothing runs in less.
const RESERVATION_BYTES_MIN: u64 = 1 << 20;

/// What is set aside beyond what is in use: one part in so many, and at least as many bytes.
const ROOM_SHARE: u64 = 16;
const ROOM_BYTES_MIN: u64 = 256 << 10;

/// Memory that was not needed for this long is given back; longer where a program runs for longer,
/// because what it did once in a while it may do again.
const SETTLED_MIN: Duration = Duration::from_millis(20);
const SETTLED_SHARE: u32 = 8;

/// How often a program is looked at: after each eighth of the time that it has run.
const LOOK_SHARE: u32 = 8;
const LOOK_MIN: Duration = Duration::from_millis(1);
const LOOK_MAX: Duration = Duration::from_millis(50);

/// The share of a core that is left to a program that is held back: it takes no memory to speak of,
/// and what it holds goes on.
const HELD_BACK_PERCENT: u32 = 1;

/// What was set aside for a start stays so until it was needed, or for half of the time that such
/// programs usually compute, within these bounds: what starts has not taken yet what it will.
const STARTING_MIN: Duration = Duration::from_millis(20);
const STARTING_MAX: Duration = Duration::from_millis(500);

/// How long it is held back, all in all, before it is ended.
const PATIENCE: Duration = Duration::from_secs(10);

/// Adjustments kept.
const ADJUSTMENTS_MAX: usize = 64;

/// How far between the median and the 90th percentile a reservation begins, as logarithms: at about
/// the 63rd percentile. One that is too small costs nothing but a look, so many may have to grow;
/// one that is too large is held for the whole of a start.
const BEGINNING: f64 = 0.25;

/// What is set aside for a program before it starts, by its profile, within its limits.
#[must_use]
pub fn reservation_bytes(profile: &Profile, limits: &Limits) -> u64 {
    let quantiles = &profile.memory_footprint.quantiles;
    let median = quantiles.p50.max(1) as f64;
    let p90 = (quantiles.p90 as f64).max(median);
    let expected = median * (p90 / median).powf(BEGINNING);
    (expected as u64)
        .max(RESERVATION_BYTES_MIN)
        .min(limits.memory_bytes)
}

/// How long a program is taken to be starting, by its profile.
#[must_use]
pub fn starting_time(profile: &Profile) -> Duration {
    let usual = Duration::from_micros(profile.cpu_demand.quantiles.p50);
    (usual / 2).clamp(STARTING_MIN, STARTING_MAX)
}

/// What is seen of a program.
#[derive(Debug, Clone, Copy)]
pub struct Seen {
    /// Since its start.
    pub at: Duration,
    /// What it has used.
    pub usage: Usage,
    /// Memory that it has in use now, in bytes.
    pub memory_bytes: u64,
}

/// What is to be done after a look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Nothing.
    GoOn,
    /// These limits are put in force. None of them is above what policy allows.
    SetLimits(Limits),
    /// The program is ended: the node has had no memory for it for too long.
    GiveUp,
}

/// One program's reservation and expectation.
#[derive(Debug)]
pub struct Fitting {
    reservation: Reservation,
    expectation: Expectation,
    /// What policy allows, less what was tightened.
    limits: Limits,
    record: Adaptation,
    /// Until when it is starting, unless it has needed what was set aside for that.
    starting: Option<Duration>,
    /// The last look.
    at: Duration,
    used_bytes: u64,
    /// When it last needed all that is set aside.
    needed_at: Duration,
    /// Since when it is held back.
    held_back: Option<Duration>,
    held_back_before: Duration,
    /// Bytes times microseconds.
    reserved_area: u128,
    used_area: u128,
}

impl Fitting {
    /// For a program that starts now, with what was set aside for it.
    #[must_use]
    pub fn new(
        reservation: Reservation,
        expectation: Expectation,
        limits: Limits,
        waited: Duration,
        starting: Duration,
    ) -> Self {
        let bytes = reservation.bytes();
        Self {
            record: Adaptation {
                reserved_bytes: bytes,
                reserved_peak_bytes: bytes,
                waited_us: micros(waited),
                ..Adaptation::default()
            },
            reservation,
            expectation,
            limits,
            starting: Some(starting),
            at: Duration::ZERO,
            used_bytes: 0,
            needed_at: Duration::ZERO,
            held_back: None,
            held_back_before: Duration::ZERO,
            reserved_area: 0,
            used_area: 0,
        }
    }

    /// When to look next, after a look at this time.
    #[must_use]
    pub fn pause(&self, at: Duration) -> Duration {
        (at / LOOK_SHARE).clamp(LOOK_MIN, LOOK_MAX)
    }

    /// Takes in what is seen, and says what to do.
    pub fn look(&mut self, seen: &Seen) -> Step {
        self.measure(seen.at, seen.memory_bytes);
        let tightened = self.compare(seen.at, &seen.usage, DeviationAction::Tightened);
        let fits = self.follow(seen);
        let was_held_back = self.held_back.is_some();
        match (fits, self.held_back) {
            (true, Some(since)) => {
                self.held_back_before += seen.at.saturating_sub(since);
                self.held_back = None;
                let (from, to) = (HELD_BACK_PERCENT, self.limits.cpu_percent);
                self.adjusted(seen.at, Adjusted::CpuShare, from.into(), to.into());
            }
            (false, None) => {
                self.held_back = Some(seen.at);
                let (from, to) = (self.limits.cpu_percent, HELD_BACK_PERCENT);
                self.adjusted(seen.at, Adjusted::CpuShare, from.into(), to.into());
            }
            (true, None) | (false, Some(_)) => {}
        }
        if self.held_back.is_some() && self.held_back_for(seen.at) > PATIENCE {
            return Step::GiveUp;
        }
        if tightened || was_held_back != self.held_back.is_some() {
            Step::SetLimits(self.in_force())
        } else {
            Step::GoOn
        }
    }

    /// What is in force: what policy allows, less what was tightened.
    #[must_use]
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// What has happened so far; what is told of it on average comes with the end.
    #[must_use]
    pub const fn record(&self) -> &Adaptation {
        &self.record
    }

    /// How long the program has been held back, all in all.
    #[must_use]
    pub fn held_back_for(&self, at: Duration) -> Duration {
        let now = self.held_back.map(|since| at.saturating_sub(since));
        self.held_back_before + now.unwrap_or_default()
    }

    /// Nothing runs any more, and this is what it has left in use. Until now it has used what was
    /// last seen of it.
    pub fn keep_only(&mut self, at: Duration, left_bytes: u64) {
        self.measure(at, self.used_bytes);
        self.reservation.shrink(left_bytes);
    }

    /// What happened to a program that has used so much. What is set aside for what is left of it
    /// goes back when the reservation is dropped.
    #[must_use]
    pub fn end(mut self, usage: &Usage) -> (Adaptation, Reservation) {
        let _ = self.compare(self.at, usage, DeviationAction::Noted);
        let run_us = u128::from(micros(self.at)).max(1);
        let mean = |area: u128| u64::try_from(area / run_us).unwrap_or(u64::MAX);
        self.record.reserved_mean_bytes = mean(self.reserved_area);
        self.record.used_mean_bytes = mean(self.used_area);
        self.record.held_back_us = micros(self.held_back_for(self.at));
        (self.record, self.reservation)
    }

    fn in_force(&self) -> Limits {
        match self.held_back {
            Some(_) => Limits {
                cpu_percent: HELD_BACK_PERCENT,
                ..self.limits
            },
            None => self.limits,
        }
    }

    /// Adds up what was set aside and used since the last look.
    fn measure(&mut self, at: Duration, memory_bytes: u64) {
        let taken_us = u128::from(micros(at.saturating_sub(self.at)));
        let used_bytes = self.used_bytes.midpoint(memory_bytes);
        // What it took before that was set aside, nobody else had.
        let taken_bytes = self.reservation.bytes().max(used_bytes);
        self.reserved_area += taken_us * u128::from(taken_bytes);
        self.used_area += taken_us * u128::from(used_bytes);
        self.at = at.max(self.at);
        self.used_bytes = memory_bytes;
    }

    /// Notes what was not foreseen, and at most does this about it. Whether limits were tightened.
    fn compare(&mut self, at: Duration, usage: &Usage, at_most: DeviationAction) -> bool {
        let mut tightened = false;
        for (kind, predicted, observed) in self.expectation.passed(usage) {
            let action = if kind.concerns_security() && at_most == DeviationAction::Tightened {
                let (from, to) = (self.limits.processes, usage.processes_peak);
                self.limits.processes = from.min(to);
                self.adjusted(at, Adjusted::Processes, from.into(), to.into());
                tightened = true;
                DeviationAction::Tightened
            } else {
                DeviationAction::Noted
            };
            self.record.deviations.push(Deviation {
                at_us: micros(at),
                kind,
                predicted,
                observed,
                action,
            });
        }
        tightened
    }

    /// Lets the reservation follow what is in use. Whether it covers that.
    fn follow(&mut self, seen: &Seen) -> bool {
        let used = seen.memory_bytes;
        let room = (used / ROOM_SHARE).max(ROOM_BYTES_MIN);
        let wanted = used.saturating_add(room).max(RESERVATION_BYTES_MIN);
        let wanted = wanted.min(self.limits.memory_bytes.max(used));
        let before = self.reservation.bytes();
        // Half of the room may be used up before there is more of it.
        if used.saturating_add(room / 2) > before && wanted > before {
            self.needed_at = seen.at;
            let grows = self.reservation.grow(wanted) || self.reservation.grow(used);
            self.noted(seen.at, before);
            return grows;
        }
        if used.saturating_add(room) >= before || self.starting.is_some_and(|it| seen.at > it) {
            self.starting = None;
        }
        if self.starting.is_some() {
            self.needed_at = seen.at;
            return true;
        }
        let settled = SETTLED_MIN.max(seen.at / SETTLED_SHARE);
        if wanted.saturating_add(room) < before {
            if seen.at.saturating_sub(self.needed_at) > settled {
                self.reservation.shrink(wanted);
                self.needed_at = seen.at;
                self.noted(seen.at, before);
            }
        } else {
            self.needed_at = seen.at;
        }
        true
    }

    fn noted(&mut self, at: Duration, before: u64) {
        let bytes = self.reservation.bytes();
        self.record.reserved_peak_bytes = self.record.reserved_peak_bytes.max(bytes);
        if bytes != before {
            self.adjusted(at, Adjusted::ReservedMemory, before, bytes);
        }
    }

    fn adjusted(&mut self, at: Duration, what: Adjusted, from: u64, to: u64) {
        if self.record.adjustments.len() < ADJUSTMENTS_MAX {
            let at_us = micros(at);
            let adjustment = Adjustment {
                at_us,
                what,
                from,
                to,
            };
            self.record.adjustments.push(adjustment);
        } else {
            self.record.adjustments_more = self.record.adjustments_more.saturating_add(1);
        }
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
