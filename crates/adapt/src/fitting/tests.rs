use std::pin::pin;
use std::task::{Context, Poll, Waker};

use atoll_types::{Confidence, ProfileSource, Quantiles, ResourceEstimate};
use proptest::prelude::*;

use super::*;
use crate::Budget;

const MIB: u64 = 1 << 20;

fn reserve(budget: &Budget, bytes: u64) -> Reservation {
    match pin!(budget.reserve(bytes)).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Ok(reservation)) => reservation,
        other => panic!("{other:?}"),
    }
}

fn limits() -> Limits {
    Limits {
        memory_bytes: 256 * MIB,
        cpu_percent: 100,
        processes: 64,
        ..Limits::NONE
    }
}

fn seen(at_ms: u64, memory_bytes: u64) -> Seen {
    Seen {
        at: Duration::from_millis(at_ms),
        usage: Usage::default(),
        memory_bytes,
    }
}

fn fitting(budget: &Budget, bytes: u64) -> Fitting {
    let reservation = reserve(budget, bytes);
    Fitting::new(
        reservation,
        Expectation::nothing(),
        limits(),
        Duration::ZERO,
        Duration::ZERO,
    )
}

#[test]
fn a_reservation_begins_between_the_median_and_the_90th_percentile() {
    let estimate = |p50: u64, p90: u64| ResourceEstimate {
        quantiles: Quantiles { p50, p90, p99: p90 },
        confidence: Confidence::High,
        source: ProfileSource::History { runs: 3 },
    };
    let profile = |p50, p90| Profile {
        cpu_demand: estimate(1, 1),
        memory_footprint: estimate(p50, p90),
        io_intensity: atoll_types::IoIntensity::without_network(
            estimate(1, 1),
            estimate(1, 1),
            estimate(1, 1),
        ),
        security_flags: Vec::new(),
        dependencies: std::collections::BTreeSet::new(),
        lesson: atoll_types::Lesson::default(),
    };
    let begins = |p50, p90| reservation_bytes(&profile(p50, p90), &limits());
    assert_eq!(begins(20 * MIB, 20 * MIB), 20 * MIB);
    let between = begins(20 * MIB, 80 * MIB);
    assert!(
        (28 * MIB..29 * MIB).contains(&between),
        "{} MiB",
        between / MIB
    );
    assert_eq!(begins(1 << 40, 1 << 41), limits().memory_bytes);
    assert_eq!(begins(0, 0), RESERVATION_BYTES_MIN);
}

#[test]
fn what_a_program_takes_is_set_aside_and_comes_back() {
    let budget = Budget::new(256 * MIB);
    let mut fitting = fitting(&budget, 8 * MIB);
    assert_eq!(fitting.look(&seen(1, 7 * MIB)), Step::GoOn);
    assert_eq!(
        budget.report().reserved_bytes,
        8 * MIB,
        "there is room still"
    );
    assert_eq!(fitting.look(&seen(2, 64 * MIB)), Step::GoOn);
    assert_eq!(budget.report().reserved_bytes, 68 * MIB);
    assert_eq!(fitting.look(&seen(10, 10 * MIB)), Step::GoOn);
    assert_eq!(
        budget.report().reserved_bytes,
        68 * MIB,
        "it may need it again"
    );
    assert_eq!(fitting.look(&seen(60, 16 * MIB)), Step::GoOn);
    assert_eq!(budget.report().reserved_bytes, 17 * MIB);
    fitting.keep_only(Duration::from_millis(70), 17 * MIB);
    let (record, reservation) = fitting.end(&Usage::default());
    assert_eq!(
        budget.report().reserved_bytes,
        17 * MIB,
        "it is not gone yet"
    );
    drop(reservation);
    assert_eq!(record.reserved_peak_bytes, 68 * MIB);
    assert_eq!(record.adjustments.len(), 2);
    assert_eq!(budget.report().reserved_bytes, 0);
}

#[test]
fn what_was_set_aside_counts_to_the_end_whatever_is_left() {
    let budget = Budget::new(256 * MIB);
    let mut fitting = fitting(&budget, 40 * MIB);
    assert_eq!(fitting.look(&seen(10, 20 * MIB)), Step::GoOn);
    fitting.keep_only(Duration::from_millis(20), 0);
    assert_eq!(budget.report().reserved_bytes, 0);
    let (record, _) = fitting.end(&Usage::default());
    assert_eq!(record.reserved_mean_bytes, 40 * MIB);
    assert_eq!(record.used_mean_bytes, 15 * MIB);
}

#[test]
fn where_there_is_no_more_a_program_is_held_back_and_goes_on_when_there_is() {
    let budget = Budget::new(100 * MIB);
    let other = reserve(&budget, 60 * MIB);
    let mut fitting = fitting(&budget, 20 * MIB);
    let Step::SetLimits(held_back) = fitting.look(&seen(5, 50 * MIB)) else {
        panic!("it goes on");
    };
    assert_eq!(held_back.cpu_percent, HELD_BACK_PERCENT);
    assert_eq!(held_back.memory_bytes, limits().memory_bytes);
    assert_eq!(fitting.look(&seen(1_000, 51 * MIB)), Step::GoOn);
    drop(other);
    assert_eq!(
        fitting.look(&seen(2_005, 51 * MIB)),
        Step::SetLimits(limits())
    );
    fitting.keep_only(Duration::from_millis(3_000), 0);
    let (record, _) = fitting.end(&Usage::default());
    assert_eq!(record.held_back_us, 2_000_000);
}

#[test]
fn who_is_given_memory_at_last_is_not_ended_for_having_waited() {
    let budget = Budget::new(100 * MIB);
    let other = reserve(&budget, 60 * MIB);
    let mut fitting = fitting(&budget, 20 * MIB);
    assert!(matches!(
        fitting.look(&seen(1, 50 * MIB)),
        Step::SetLimits(_)
    ));
    assert_eq!(fitting.look(&seen(9_990, 50 * MIB)), Step::GoOn);
    drop(other);
    let step = fitting.look(&seen(10_040, 50 * MIB));
    assert_eq!(step, Step::SetLimits(limits()));
}

#[test]
fn what_was_set_aside_for_a_start_stays_until_it_was_needed() {
    let budget = Budget::new(800 * MIB);
    let reservation = reserve(&budget, 100 * MIB);
    let starting = Duration::from_millis(300);
    let nothing = Expectation::nothing();
    let mut fitting = Fitting::new(reservation, nothing, limits(), Duration::ZERO, starting);
    for at_ms in [10, 50, 100, 200, 299] {
        assert_eq!(fitting.look(&seen(at_ms, 10 * MIB)), Step::GoOn);
        assert_eq!(budget.report().reserved_bytes, 100 * MIB);
    }
    for at_ms in [310, 400, 500] {
        fitting.look(&seen(at_ms, 10 * MIB));
    }
    assert!(budget.report().reserved_bytes < 12 * MIB);
}

#[test]
fn nobody_is_held_back_for_ever() {
    let budget = Budget::new(100 * MIB);
    let _other = reserve(&budget, 60 * MIB);
    let mut fitting = fitting(&budget, 20 * MIB);
    let steps = (1..20_000).map(|at_ms| fitting.look(&seen(at_ms, 50 * MIB)));
    assert!(steps.into_iter().any(|step| step == Step::GiveUp));
}

#[test]
fn what_starts_processes_unforeseen_gets_no_more_of_them() {
    let budget = Budget::new(100 * MIB);
    let estimate = ResourceEstimate {
        quantiles: Quantiles {
            p50: 1,
            p90: 1,
            p99: 1,
        },
        confidence: Confidence::Low,
        source: ProfileSource::History { runs: 3 },
    };
    let profile = Profile {
        cpu_demand: estimate.clone(),
        memory_footprint: estimate.clone(),
        io_intensity: atoll_types::IoIntensity::without_network(
            estimate.clone(),
            estimate.clone(),
            estimate.clone(),
        ),
        security_flags: Vec::new(),
        dependencies: std::collections::BTreeSet::new(),
        lesson: atoll_types::Lesson::default(),
    };
    let reservation = reserve(&budget, MIB);
    let expectation = Expectation::of(&profile, true);
    let mut fitting = Fitting::new(
        reservation,
        expectation,
        limits(),
        Duration::ZERO,
        Duration::ZERO,
    );
    let usage = Usage {
        processes_peak: 3,
        ..Usage::default()
    };
    let step = fitting.look(&Seen {
        usage,
        ..seen(5, 0)
    });
    let tightened = Limits {
        processes: 3,
        ..limits()
    };
    assert_eq!(step, Step::SetLimits(tightened));
    fitting.keep_only(Duration::from_millis(9), 0);
    let (record, _) = fitting.end(&usage);
    assert_eq!(record.deviations[0].action, DeviationAction::Tightened);
}

proptest! {
    #[test]
    fn what_is_set_aside_covers_what_is_in_use_where_there_is_enough(
        looks in proptest::collection::vec((1..100_u64, 0..200 * MIB), 1..50),
    ) {
        let budget = Budget::new(1024 * MIB);
        let mut fitting = fitting(&budget, 8 * MIB);
        let mut at_ms = 0;
        for (after_ms, bytes) in looks {
            at_ms += after_ms;
            prop_assert_eq!(fitting.look(&seen(at_ms, bytes)), Step::GoOn);
            prop_assert!(fitting.reservation.bytes() >= bytes);
            prop_assert!(fitting.reservation.bytes() <= limits().memory_bytes);
        }
    }

    #[test]
    fn no_step_ever_loosens_a_limit(
        looks in proptest::collection::vec((1..3_000_u64, 0..200 * MIB, 0..9_u32), 1..50),
    ) {
        let budget = Budget::new(100 * MIB);
        let mut fitting = fitting(&budget, 8 * MIB);
        let mut at_ms = 0;
        for (after_ms, bytes, processes_peak) in looks {
            at_ms += after_ms;
            let usage = Usage { processes_peak, ..Usage::default() };
            let step = fitting.look(&Seen { usage, ..seen(at_ms, bytes) });
            if let Step::SetLimits(set) = step {
                prop_assert!(set.memory_bytes <= limits().memory_bytes);
                prop_assert!(set.cpu_percent <= limits().cpu_percent);
                prop_assert!(set.processes <= limits().processes);
            }
        }
    }
}
