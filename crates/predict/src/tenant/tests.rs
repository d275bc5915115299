use atoll_types::Lesson;
use proptest::prelude::*;

use super::*;

const MIB: u64 = 1 << 20;

/// A run whose plain bound of both quantities was 100 MiB (or as many microseconds).
fn ran(used: u64, given: u64) -> PastBounds {
    let told = Some(Told {
        plain: 100 * MIB,
        given,
    });
    PastBounds {
        level: Some(Level::Process),
        lesson: Lesson {
            input: 0,
            memory: told,
            cpu: told,
        },
        memory_bytes: used,
        cpu_us: used,
        at_least: false,
    }
}

fn corrected(past: &[PastBounds]) -> Quantiles {
    let mut quantiles = Quantiles {
        p50: 10 * MIB,
        p90: 20 * MIB,
        p99: 80 * MIB,
    };
    let told = correct(&mut quantiles, Bound::Memory, past);
    assert_eq!(told.plain, 20 * MIB);
    assert_eq!(told.given, quantiles.p90);
    quantiles
}

#[test]
fn a_tenant_without_runs_is_not_corrected() {
    assert_eq!(corrected(&[]).p90, 20 * MIB);
}

#[test]
fn a_tenant_that_always_needs_more_is_soon_expected_to() {
    let past = vec![ran(400 * MIB, 100 * MIB); 30];
    let quantiles = corrected(&past);
    assert!(quantiles.p90 >= 79 * MIB, "{quantiles:?}");
    assert!(quantiles.p99 >= quantiles.p90);
}

#[test]
fn a_tenant_that_always_needs_little_has_less_set_aside_but_no_lower_limit() {
    let past = vec![ran(20 * MIB, 100 * MIB); 100];
    let quantiles = corrected(&past);
    assert!(quantiles.p90 < 18 * MIB, "{quantiles:?}");
    assert_eq!(quantiles.p99, 80 * MIB);
}

#[test]
fn what_happened_behind_another_boundary_does_not_count() {
    let elsewhere = PastBounds {
        level: Some(Level::Vm),
        ..ran(6_400 * MIB, 100 * MIB)
    };
    let mut past = vec![ran(20 * MIB, 100 * MIB); 30];
    let alone = corrected(&past);
    past.extend(vec![elsewhere; 30]);
    assert_eq!(corrected(&past), alone);
}

#[test]
fn one_that_was_cut_short_below_its_bound_says_nothing() {
    let cut = PastBounds {
        at_least: true,
        ..ran(MIB, 100 * MIB)
    };
    assert_eq!(corrected(&[cut; 100]).p90, corrected(&[cut]).p90);
    let beyond = PastBounds {
        at_least: true,
        ..ran(300 * MIB, 100 * MIB)
    };
    assert!(corrected(&[beyond; 20]).p90 > corrected(&[cut]).p90);
}

#[test]
fn the_scores_that_are_shipped_can_be_read() {
    for bound in [Bound::Memory, Bound::Cpu] {
        assert_eq!(global(bound).len(), 99);
        let alone = follow(&ADAPTATION, &[], global(bound)).unwrap();
        // Models were corrected already, so there is little to add.
        assert!(alone.abs() < 0.5, "{alone}");
    }
}

/// Noise with a heavy tail, from a fixed sequence.
fn noise(state: &mut u64) -> f64 {
    let mut uniform = || {
        *state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (*state >> 33) as f64 / f64::from(1_u32 << 31)
    };
    let sum: f64 = (0..12).map(|_| uniform()).sum::<f64>() - 6.0;
    let heavy = uniform() < 0.05;
    if heavy { sum * 4.0 } else { sum }
}

/// What the best part of an hour of work would look like whose needs grow at once, and then drift:
/// the bound of 95 % holds in the long run, and in no 500 runs much less. Without following, it
/// does not.
#[test]
fn bounds_hold_while_work_changes() {
    let adaptation = Adaptation {
        coverage: 0.95,
        ..ADAPTATION
    };
    for follows in [true, false] {
        let mut state = 7;
        let mut fared: Vec<(f64, f64)> = Vec::new();
        let mut kept: Vec<bool> = Vec::new();
        for step in 0..6_000_u32 {
            let shift = match step {
                0..2_000 => 0.0,
                2_000..4_000 => 2.0,
                _ => 2.0 - f64::from(step - 4_000) / 500.0,
            };
            let score = shift + noise(&mut state);
            let newest = fared.len().saturating_sub(BOUNDS_MAX);
            let given = if follows {
                follow(&adaptation, &fared[newest..], global(Bound::Memory)).unwrap_or(0.0)
            } else {
                2.3
            };
            kept.push(score <= given);
            fared.push((score, given));
        }
        let share =
            |kept: &[bool]| kept.iter().filter(|it| **it).count() as f64 / kept.len() as f64;
        let (all, worst) = (
            share(&kept),
            kept.windows(500).map(share).fold(1.0, f64::min),
        );
        if follows {
            assert!((0.94..=0.96).contains(&all), "{all}");
            assert!(worst >= 0.9, "{worst}");
        } else {
            assert!(all < 0.9 && worst < 0.7, "{all}, {worst}");
        }
    }
}

fn any_bounds() -> impl Strategy<Value = PastBounds> {
    (any::<u64>(), any::<u64>(), any::<u64>(), any::<bool>()).prop_map(
        |(plain, given, used, at_least)| PastBounds {
            at_least,
            lesson: Lesson {
                input: 0,
                memory: Some(Told { plain, given }),
                cpu: Some(Told { plain, given }),
            },
            ..ran(used, 0)
        },
    )
}

proptest! {
    /// Whatever a tenant's history holds, the bound that limits and rules look at is never lowered
    /// by it, and all stay in order.
    #[test]
    fn no_history_lowers_what_limits_look_at(
        past in prop::collection::vec(any_bounds(), 0..150),
    ) {
        let quantiles = corrected(&past);
        prop_assert_eq!(quantiles.p50, 10 * MIB);
        prop_assert!(quantiles.p50 <= quantiles.p90 && quantiles.p90 <= quantiles.p99);
        prop_assert!(quantiles.p99 >= 80 * MIB);
    }
}
