//! The parts of risk that come from incidents: what the tenant did, and what the program did.
//!
//! Each incident carries a weight by its kind that halves with every half-life of age. Weights of
//! one kind add up as `1 - product(1 - weight)` and are then scaled to the most that kind may
//! contribute; the kinds combine in the same way. So another incident always raises a part, and
//! age always lowers it.

use atoll_types::{Event, EventKind, LimitName, ProgramHash, SenderHistory};

use super::{Judged, combine};
use crate::text::{ago, count};

const DAY_MS: f64 = 24.0 * 60.0 * 60.0 * 1000.0;

/// How one kind of incident counts.
struct Weight {
    /// What one fresh incident adds, in [0, 1].
    each: f64,
    /// What all incidents of the kind together can reach.
    most: f64,
    /// The age at which an incident counts half.
    half_life_ms: f64,
}

/// Violations are deliberate or close to it: programs do not make forbidden system calls by
/// accident. Seven within a day, or four with one program, take a known tenant past 0.8, where the
/// default policy asks for a virtual machine. They fade over weeks.
const VIOLATION: Weight = Weight {
    each: 0.22,
    most: 1.0,
    half_life_ms: 7.0 * DAY_MS,
};

/// Honest programs hit limits too, above all while they are being written, so limits alone must
/// not send a tenant to a stronger level: all together they stay below 0.4, and are forgotten
/// within days.
const LIMIT: Weight = Weight {
    each: 0.04,
    most: 0.4,
    half_life_ms: DAY_MS,
};

/// The limits that one program hits count for its tenant already; for the program they count less.
const PROGRAM_LIMITS_MOST: f64 = 0.25;

/// Hitting the process limit counts double: few honest programs start dozens of processes, and
/// fork bombs do nothing else.
const LIMIT_PROCESSES_EACH: f64 = 0.08;

/// Crashes are mostly bugs; a run of them can also be somebody probing.
const CRASH: Weight = Weight {
    each: 0.03,
    most: 0.25,
    half_life_ms: DAY_MS,
};

/// A program far outside its profile: either the profile is bad or the program changed its mind.
const DEVIATION: Weight = Weight {
    each: 0.05,
    most: 0.3,
    half_life_ms: 2.0 * DAY_MS,
};

/// Violations of a program under other tenants count up to this. Without a bound, one tenant could
/// lock others out of a program that both use, by making it misbehave.
const FOREIGN_VIOLATIONS_MOST: f64 = 0.5;

/// The history of the tenant: its own incidents, with whatever program.
pub(super) fn of_tenant(history: &SenderHistory, now_unix_ms: u64) -> Judged {
    let mut tally = Tally::bounded(VIOLATION.most, LIMIT.most);
    for event in history.events.iter().filter(|event| event.by_tenant) {
        tally.add(event, now_unix_ms);
    }
    Judged {
        value: tally.value(),
        because: tally.because("this tenant", now_unix_ms),
    }
}

/// The history of the program: its incidents under this tenant, and under others.
pub(super) fn of_program(
    history: &SenderHistory,
    program: ProgramHash,
    now_unix_ms: u64,
) -> Judged {
    let mut own = Tally::bounded(VIOLATION.most, PROGRAM_LIMITS_MOST);
    let mut foreign = Tally::bounded(FOREIGN_VIOLATIONS_MOST, PROGRAM_LIMITS_MOST);
    for event in history
        .events
        .iter()
        .filter(|event| event.program == program)
    {
        let tally = if event.by_tenant {
            &mut own
        } else {
            &mut foreign
        };
        tally.add(event, now_unix_ms);
    }
    let own_because = own.because("this program under this tenant", now_unix_ms);
    Judged {
        value: combine([own.value(), foreign.value()].into_iter()),
        because: if foreign.is_empty() {
            own_because
        } else {
            let foreign = foreign.because("it under other tenants", now_unix_ms);
            format!("{own_because}; {foreign}")
        },
    }
}

/// Incidents of one party, by kind.
struct Tally {
    violations: Kind,
    limits: Kind,
    crashes: Kind,
    deviations: Kind,
    violations_most: f64,
    limits_most: f64,
    newest_unix_ms: u64,
}

/// Incidents of one kind.
struct Kind {
    count: u64,
    /// The product of `1 - weight` over all of them.
    rest: f64,
}

impl Default for Kind {
    fn default() -> Self {
        Self {
            count: 0,
            rest: 1.0,
        }
    }
}

impl Tally {
    fn bounded(violations_most: f64, limits_most: f64) -> Self {
        Self {
            violations: Kind::default(),
            limits: Kind::default(),
            crashes: Kind::default(),
            deviations: Kind::default(),
            violations_most,
            limits_most,
            newest_unix_ms: 0,
        }
    }

    fn add(&mut self, event: &Event, now_unix_ms: u64) {
        let (kind, weight, each) = match event.kind {
            EventKind::Violation => (&mut self.violations, VIOLATION, VIOLATION.each),
            EventKind::Limit(LimitName::Processes) => {
                (&mut self.limits, LIMIT, LIMIT_PROCESSES_EACH)
            }
            EventKind::Limit(_) => (&mut self.limits, LIMIT, LIMIT.each),
            EventKind::Crash => (&mut self.crashes, CRASH, CRASH.each),
            EventKind::Deviation => (&mut self.deviations, DEVIATION, DEVIATION.each),
        };
        // An incident from the future (a clock that was set back) counts as fresh.
        let age_ms = now_unix_ms.saturating_sub(event.unix_ms) as f64;
        kind.count += 1;
        kind.rest *= 1.0 - each * (-age_ms / weight.half_life_ms).exp2();
        self.newest_unix_ms = self.newest_unix_ms.max(event.unix_ms);
    }

    fn is_empty(&self) -> bool {
        self.named().iter().all(|(kind, _, _)| kind.count == 0)
    }

    fn value(&self) -> f64 {
        let parts = [
            (&self.violations, self.violations_most),
            (&self.limits, self.limits_most),
            (&self.crashes, CRASH.most),
            (&self.deviations, DEVIATION.most),
        ];
        combine(parts.iter().map(|(kind, most)| most * (1.0 - kind.rest)))
    }

    fn named(&self) -> [(&Kind, &'static str, &'static str); 4] {
        [
            (&self.violations, "violation", "violations"),
            (&self.limits, "limit hit", "limits hit"),
            (&self.crashes, "crash", "crashes"),
            (&self.deviations, "deviation", "deviations"),
        ]
    }

    fn because(&self, who: &str, now_unix_ms: u64) -> String {
        if self.is_empty() {
            return format!("no incidents of {who}");
        }
        let counted: Vec<String> = self
            .named()
            .into_iter()
            .filter(|(kind, _, _)| kind.count > 0)
            .map(|(kind, one, many)| count(kind.count, one, many))
            .collect();
        let newest = ago(now_unix_ms.saturating_sub(self.newest_unix_ms));
        format!("{} of {who}, the latest {newest}", counted.join(", "))
    }
}
