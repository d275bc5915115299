use atoll_types::{IoUsage, Level, LimitHit, Usage};
use proptest::prelude::*;

use super::*;

const NOW: u64 = 1_800_000_000_000;
const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// What is said of reads and writes without a history.
fn otherwise() -> IoEstimates {
    let estimate = ResourceEstimate {
        quantiles: Quantiles {
            p50: 1,
            p90: 2,
            p99: 3,
        },
        confidence: Confidence::Low,
        source: ProfileSource::Table { rows: Vec::new() },
    };
    IoEstimates {
        operations: estimate.clone(),
        read_bytes: estimate,
    }
}

fn estimates(past: &[PastRun], input: u64, now_unix_ms: u64) -> Option<Estimates> {
    super::estimates(past, input, now_unix_ms, otherwise)
}

fn run(amount: u64, age_ms: u64) -> PastRun {
    PastRun {
        usage: Usage {
            cpu_time_us: amount,
            memory_peak_bytes: amount,
            output_bytes: amount,
            ..Usage::default()
        },
        status: Status::Exited,
        limit: None,
        unix_ms: NOW - age_ms,
        level: Some(Level::Process),
        input: None,
    }
}

fn cut(amount: u64, name: LimitName, value: u64) -> PastRun {
    PastRun {
        status: Status::Limit,
        limit: Some(LimitHit { name, value }),
        ..run(amount, 0)
    }
}

fn memory(past: &[PastRun]) -> Quantiles {
    estimates(past, 0, NOW).unwrap().memory_bytes.quantiles
}

#[test]
fn too_few_runs_give_no_estimate() {
    assert_eq!(estimates(&[run(1, 0), run(2, 0)], 0, NOW), None);
    let refused = PastRun {
        status: Status::Refused,
        ..run(3, 0)
    };
    assert_eq!(estimates(&[run(1, 0), run(2, 0), refused], 0, NOW), None);
    assert!(estimates(&[run(1, 0), run(2, 0), run(3, 0)], 0, NOW).is_some());
}

#[test]
fn quantiles_of_equal_weights_are_the_plain_ones() {
    let past: Vec<PastRun> = (1..=100).map(|amount| run(amount, 0)).collect();
    let found = memory(&past);
    assert_eq!((found.p50, found.p90, found.p99), (50, 90, 99));
}

#[test]
fn few_runs_leave_room_for_more_than_they_needed() {
    let of = |amounts: &[u64]| {
        let past: Vec<PastRun> = amounts.iter().map(|amount| run(*amount, 0)).collect();
        memory(&past)
    };
    let few = of(&[1_000, 1_010, 1_020]);
    assert_eq!(few.p50, 1_010);
    assert!(few.p90 > 1_020 && few.p99 > few.p90, "{few:?}");
    // More of the same leave less, and what never varied leaves none.
    let more = of(&[1_000, 1_010, 1_020].repeat(10));
    assert!(more.p99 < few.p99 && more.p99 >= 1_020, "{more:?}");
    assert_eq!(of(&[1_000; 3]).p99, 1_000);
    // What varies without end is bounded.
    assert_eq!(of(&[1, 1_000, 1_000_000]).p99, 2_000_000);
}

/// Against a table of Student's distribution.
#[test]
fn students_quantiles_are_near() {
    let table = [
        (ERRORS_P90, 2.0, 1.886),
        (ERRORS_P99, 2.0, 6.965),
        (ERRORS_P90, 10.0, 1.372),
        (ERRORS_P99, 10.0, 2.764),
        (ERRORS_P99, 60.0, 2.390),
    ];
    for (normal, degrees, expected) in table {
        let ratio = student(normal, degrees) / expected;
        assert!((0.9..1.01).contains(&ratio), "{degrees}: {ratio}");
    }
}

/// Needs that scatter at random are bounded as often as the bound promises, however few runs there
/// were.
#[test]
fn bounds_of_few_runs_are_kept_as_often_as_they_promise() {
    let mut state = 7_u64;
    let mut uniform = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 40) as f64 / (1 << 24) as f64
    };
    // The sum of twelve is as good as normally distributed.
    let mut need = || {
        let normal = (0..12).map(|_| uniform()).sum::<f64>() - 6.0;
        (1e8 * (normal * 0.1).exp2()) as u64
    };
    for runs in [3, 5, 12, 40] {
        let kept = (0..2_000).filter(|_| {
            let past: Vec<PastRun> = (0..runs).map(|_| run(need(), 0)).collect();
            need() <= memory(&past).p99
        });
        let kept = kept.count();
        assert!(kept >= 1_950, "{kept} of 2000 after {runs} runs");
    }
}

#[test]
fn confidence_follows_the_number_of_runs() {
    let past: Vec<PastRun> = (0..20).map(|_| run(7, 0)).collect();
    let confidence = |count: usize| {
        let found = estimates(&past[..count], 0, NOW).unwrap();
        assert_eq!(
            found.cpu_us.source,
            ProfileSource::History { runs: count as u64 }
        );
        found.cpu_us.confidence
    };
    assert_eq!(confidence(3), Confidence::Medium);
    assert_eq!(confidence(19), Confidence::Medium);
    assert_eq!(confidence(20), Confidence::High);
}

#[test]
fn newer_runs_outweigh_older_ones() {
    // Three runs of today weigh more than twelve of three days ago (12 / 8 = 1.5).
    let mut past: Vec<PastRun> = (0..12).map(|_| run(100, 3 * DAY_MS)).collect();
    past.extend((0..3).map(|_| run(900, 0)));
    assert_eq!(memory(&past).p50, 900);
    // Of the same age, the twelve win.
    for old in &mut past {
        old.unix_ms = NOW;
    }
    assert_eq!(memory(&past).p50, 100);
}

#[test]
fn runs_that_are_all_very_old_still_have_quantiles() {
    let past: Vec<PastRun> = (1..=9).map(|amount| run(amount, 3650 * DAY_MS)).collect();
    assert_eq!(memory(&past).p50, 5);
}

#[test]
fn a_run_from_the_future_counts_as_new() {
    let mut ahead = run(5, 0);
    ahead.unix_ms = u64::MAX;
    assert_eq!(memory(&[ahead, ahead, ahead]).p99, 5);
}

#[test]
fn a_run_cut_at_a_limit_counts_as_at_least_that() {
    // The kernel killed it at 512 although only 500 were seen.
    let killed = cut(500, LimitName::Memory, 512);
    assert_eq!(memory(&[killed, killed, killed]).p50, 512);
    // One of three was cut at 100: it needed 100 or more, so its weight moves to the other two.
    let past = [cut(100, LimitName::WallTime, 10), run(300, 0), run(400, 0)];
    assert_eq!(memory(&past).p50, 300);
    let finished = [run(100, 0), run(300, 0), run(400, 0)];
    assert_eq!(memory(&finished).p50, 300);
    let two_cut = [
        cut(100, LimitName::WallTime, 10),
        cut(100, LimitName::WallTime, 10),
        run(400, 0),
    ];
    assert_eq!(memory(&two_cut).p50, 400);
}

#[test]
fn a_run_that_failed_after_it_had_begun_needed_at_least_what_it_had() {
    let starved = PastRun {
        status: Status::Failed,
        ..run(350, 0)
    };
    // It is no run that estimates could rest on.
    assert_eq!(estimates(&[starved; 3], 0, NOW), None);
    let past = [run(300, 0), run(310, 0), run(400, 0)];
    assert_eq!(memory(&past).p50, 310);
    let with = [run(300, 0), run(310, 0), run(400, 0), starved, starved];
    assert_eq!(memory(&with).p50, 400);
    // One that failed before it had begun says nothing.
    let never = PastRun {
        usage: Usage::default(),
        ..starved
    };
    let with = [run(300, 0), run(310, 0), run(400, 0), never, never];
    assert_eq!(memory(&with).p50, 310);
}

#[test]
fn runs_behind_another_boundary_do_not_count() {
    let inside = |amount, level| PastRun {
        level: Some(level),
        ..run(amount, 60_000)
    };
    let mut past = vec![run(100, 0), run(100, 10), run(100, 20)];
    past.extend([inside(900, Level::Vm); 5]);
    assert_eq!(memory(&past).p99, 100);
    // The newest one says where the next will be.
    past[3].unix_ms = NOW;
    past[0].unix_ms = NOW - 1;
    assert_eq!(memory(&past).p50, 900);
    // Too few of the same are too few.
    assert_eq!(
        estimates(&[run(1, 0), run(1, 0), inside(9, Level::Vm)], 0, NOW),
        None
    );
}

#[test]
fn what_follows_from_the_input_is_told_from_it() {
    let sized = |input: u64| PastRun {
        input: Some(input),
        ..run((5 << 20) + input * 1_000, 0)
    };
    let past: Vec<PastRun> = [10_000, 20_000, 40_000, 80_000, 160_000].map(sized).into();
    let at = |input| estimates(&past, input, NOW).unwrap().memory_bytes.quantiles;
    let near = |found: u64, expected: u64| {
        let ratio = found as f64 / expected as f64;
        assert!((0.9..1.1).contains(&ratio), "{found} for {expected}");
    };
    near(at(30_000).p50, (5 << 20) + 30_000_000);
    near(at(640_000).p50, (5 << 20) + 640_000_000);
    assert!(at(640_000).p90 > at(640_000).p50 && at(640_000).p99 > at(640_000).p90);
    // What was cut short at a smaller input is not undercut.
    let mut with = past.clone();
    with.push(PastRun {
        input: Some(20_000),
        ..cut(1 << 30, LimitName::Memory, 1 << 30)
    });
    let found = estimates(&with, 30_000, NOW)
        .unwrap()
        .memory_bytes
        .quantiles;
    assert_eq!((found.p50, found.p99), (1 << 30, 1 << 30));
    // Far beyond what was seen, there is no law.
    let far = at(1 << 40);
    assert_eq!(far.p50, (5 << 20) + 40_000_000);
}

#[test]
fn each_limit_bounds_its_own_resource_in_its_own_unit() {
    let found = |name, value| {
        let past = [cut(1, name, value); 3];
        let found = estimates(&past, 0, NOW).unwrap();
        [
            found.cpu_us.quantiles.p50,
            found.memory_bytes.quantiles.p50,
            found.written_bytes.quantiles.p50,
        ]
    };
    assert_eq!(found(LimitName::CpuTime, 7), [7_000, 1, 1]);
    assert_eq!(found(LimitName::Memory, 7), [1, 7, 1]);
    assert_eq!(found(LimitName::Output, 7), [1, 1, 7]);
    assert_eq!(found(LimitName::Disk, 7), [1, 1, 7]);
    assert_eq!(found(LimitName::Processes, 7), [1, 1, 1]);
    assert_eq!(found(LimitName::WallTime, 7), [1, 1, 1]);
}

fn any_run() -> impl Strategy<Value = PastRun> {
    (0..1_000_000_u64, 0..60 * DAY_MS, 0..4_u8).prop_map(|(amount, age_ms, how)| match how {
        0 => PastRun {
            unix_ms: NOW - age_ms,
            ..cut(amount, LimitName::Memory, amount)
        },
        1 => PastRun {
            status: Status::Signalled,
            ..run(amount, age_ms)
        },
        _ => run(amount, age_ms),
    })
}

proptest! {
    #[test]
    fn quantiles_are_ordered(past in prop::collection::vec(any_run(), 3..60)) {
        let found = memory(&past);
        prop_assert!(found.p50 <= found.p90 && found.p90 <= found.p99);
        let largest = past.iter().map(|run| run.usage.memory_peak_bytes).max().unwrap();
        prop_assert!(found.p99 as f64 <= largest as f64 * BEYOND_LARGEST_MAX);
    }

    #[test]
    fn the_order_of_runs_is_irrelevant(
        past in prop::collection::vec(any_run(), 3..60).prop_shuffle(),
    ) {
        let found = estimates(&past, 0, NOW);
        let mut sorted = past;
        sorted.sort_by_key(|run| (run.usage.memory_peak_bytes, run.unix_ms));
        prop_assert_eq!(found, estimates(&sorted, 0, NOW));
    }

    #[test]
    fn a_larger_run_never_lowers_a_quantile_below_it(
        past in prop::collection::vec(any_run(), 3..60),
        more in any_run(),
    ) {
        let before = memory(&past);
        let mut larger = more;
        larger.usage.memory_peak_bytes = before.p99.saturating_add(more.usage.memory_peak_bytes);
        let mut with = past;
        with.push(larger);
        let after = memory(&with);
        prop_assert!(after.p50 >= before.p50);
        prop_assert!(after.p90 >= before.p90);
        prop_assert!(after.p99 >= before.p99);
    }
}

/// A run that was counted.
fn counted(calls: u64, read_bytes: u64) -> PastRun {
    let io = IoUsage {
        reads: calls,
        read_bytes,
        ..IoUsage::default()
    };
    let mut counted = run(7, 0);
    counted.usage.io = Some(io);
    counted
}

#[test]
fn reads_and_writes_have_quantiles_of_their_own() {
    let past: Vec<PastRun> = (1..=100).map(|it| counted(it, 1_000 * it)).collect();
    let io = estimates(&past, 0, NOW).unwrap().io;
    let shown = |estimate: &ResourceEstimate| {
        let Quantiles { p50, p90, p99 } = estimate.quantiles;
        (p50, p90, p99)
    };
    assert_eq!(shown(&io.operations), (50, 90, 99));
    assert_eq!(shown(&io.read_bytes), (50_000, 90_000, 99_000));
    for estimate in [io.operations, io.read_bytes] {
        assert_eq!(estimate.confidence, Confidence::High);
        assert_eq!(estimate.source, ProfileSource::History { runs: 100 });
    }
}

#[test]
fn runs_that_nobody_counted_say_nothing_of_reads_and_writes() {
    let mut past = vec![run(7, 0); 30];
    assert_eq!(estimates(&past, 0, NOW).unwrap().io, otherwise());
    // Too few prove at least what the program can do.
    past.extend([counted(50, 2), counted(60, 2)]);
    let io = estimates(&past, 0, NOW).unwrap().io;
    assert_eq!(io.operations.quantiles.p99, 60);
    assert_eq!(io.operations.confidence, Confidence::Low);
    assert_eq!(io.read_bytes, otherwise().read_bytes);
    past.push(counted(60, 2));
    let io = estimates(&past, 0, NOW).unwrap().io;
    assert_eq!(io.operations.source, ProfileSource::History { runs: 3 });
    assert_eq!(io.operations.quantiles.p50, 60);
}
