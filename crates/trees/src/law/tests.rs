use proptest::prelude::*;

use super::*;
use crate::random::Random;

/// How synthetic runs are made: sizes from the smallest to `range` times that, each so often.
struct Plan {
    sizes: u8,
    range: f64,
    repetitions: u8,
    noise: f64,
    outliers: f64,
}

const PLAN: Plan = Plan {
    sizes: 5,
    range: 16.0,
    repetitions: 2,
    noise: 0.05,
    outliers: 0.0,
};

fn uniform(random: &mut Random) -> f64 {
    random.below(1 << 30) as f64 / f64::from(1 << 30)
}

/// Normally distributed numbers, as the sum of twelve uniform ones.
fn normal(random: &mut Random) -> f64 {
    (0..12).map(|_| uniform(random)).sum::<f64>() - 6.0
}

/// How predictions for up to 20 times larger inputs turned out.
#[derive(Debug)]
struct Outcome {
    /// The median of their relative errors.
    error_median: f64,
    /// The share of laws that predicted at all.
    told: f64,
    /// The share of predictions whose range held the truth.
    in_range: f64,
}

fn outcome(plan: &Plan, seed: u64) -> Outcome {
    let mut random = Random::new(seed);
    let mut errors = Vec::new();
    let mut in_range = 0;
    const LAWS: usize = 300;
    for at in 0..LAWS {
        let shape = Shape::ALL[at % Shape::ALL.len()];
        let least = 10.0_f64.powf(0.5 + 4.0 * uniform(&mut random));
        let greatest = least * plan.range;
        // At the largest size, what grows is from 0.3 to 100 times what is fixed.
        let growing = 10.0_f64.powf(2.5 * uniform(&mut random) - 0.5);
        let truth = |size: f64| match shape {
            Shape::Constant => 1.0,
            _ => 1.0 + growing * shape.at(size) / shape.at(greatest),
        };
        let mut runs = Vec::new();
        for step in 0..plan.sizes {
            let size = least * plan.range.powf(f64::from(step) / f64::from(plan.sizes - 1));
            for _ in 0..plan.repetitions {
                let noise = (1.0 + plan.noise * normal(&mut random)).max(0.2);
                let far = if uniform(&mut random) < plan.outliers {
                    3.0
                } else {
                    1.0
                };
                runs.push((size, truth(size) * noise * far));
            }
        }
        let size = greatest * 20.0_f64.powf(uniform(&mut random));
        if let Some(said) = Law::fit(&runs).unwrap().predict(size) {
            errors.push((said.cost / truth(size) - 1.0).abs());
            in_range += usize::from((said.low..=said.high).contains(&truth(size)));
        }
    }
    errors.sort_by(f64::total_cmp);
    Outcome {
        error_median: errors[errors.len() / 2],
        told: errors.len() as f64 / LAWS as f64,
        in_range: f64::from(u32::try_from(in_range).unwrap()) / errors.len() as f64,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn larger_inputs_are_predicted(seed in any::<u64>()) {
        let outcome = outcome(&PLAN, seed);
        prop_assert!(outcome.error_median <= 0.06, "{:?}", outcome);
        prop_assert!(outcome.told >= 0.6 && outcome.in_range >= 0.92, "{:?}", outcome);
    }

    #[test]
    fn three_runs_are_enough_to_begin_with(seed in any::<u64>()) {
        let outcome = outcome(&Plan { sizes: 3, range: 4.0, repetitions: 1, ..PLAN }, seed);
        prop_assert!(outcome.error_median <= 0.12, "{:?}", outcome);
        prop_assert!(outcome.told >= 0.2 && outcome.in_range >= 0.9, "{:?}", outcome);
    }

    #[test]
    fn noise_widens_ranges_instead_of_breaking_them(seed in any::<u64>()) {
        let outcome = outcome(&Plan { noise: 0.1, ..PLAN }, seed);
        prop_assert!(outcome.error_median <= 0.12, "{:?}", outcome);
        prop_assert!(outcome.told >= 0.45 && outcome.in_range >= 0.85, "{:?}", outcome);
    }

    #[test]
    fn single_runs_far_off_do_not_count(seed in any::<u64>()) {
        let outcome = outcome(&Plan { outliers: 0.08, ..PLAN }, seed);
        prop_assert!(outcome.error_median <= 0.08, "{:?}", outcome);
        prop_assert!(outcome.told >= 0.45 && outcome.in_range >= 0.88, "{:?}", outcome);
    }

    #[test]
    fn any_runs_are_refused_or_predicted_in_range(
        runs in prop::collection::vec((any::<f64>(), any::<f64>()), 0..12),
        size in any::<f64>(),
    ) {
        let positive: Vec<(f64, f64)> = runs.iter().map(|(a, b)| (a.abs(), b.abs())).collect();
        for runs in [runs, positive] {
            if let Some(said) = Law::fit(&runs).and_then(|law| law.predict(size)) {
                prop_assert!(0.0 < said.low && said.low <= said.cost && said.cost <= said.high);
                prop_assert!(said.high.is_finite() && said.extrapolation <= EXTRAPOLATION_MAX);
            }
        }
    }
}

fn runs(sizes: &[f64], cost: impl Fn(f64) -> f64) -> Vec<(f64, f64)> {
    sizes.iter().map(|size| (*size, cost(*size))).collect()
}

#[test]
fn a_law_without_noise_is_found() {
    let sizes = [100.0, 200.0, 400.0, 800.0, 1600.0, 3200.0];
    for shape in Shape::ALL {
        let truth = |size: f64| 8.0 + 50.0 * shape.at(size) / shape.at(3200.0).max(1.0);
        let law = Law::fit(&runs(&sizes, truth)).unwrap();
        assert_eq!(law.shape(), shape);
        let said = law.predict(6400.0).unwrap_or_else(|| panic!("{law:?}"));
        assert!(
            (said.cost / truth(6400.0) - 1.0).abs() < 0.02,
            "{shape:?}: {said:?}"
        );
        assert_eq!(said.extrapolation, 2.0);
    }
}

#[test]
fn a_law_is_not_trusted_on_too_little() {
    let linear = |size: f64| 1.0 + size;
    assert!(Law::fit(&[]).is_none());
    assert!(
        Law::fit(&runs(&[1.0, 8.0, 8.0, 1.0], linear)).is_none(),
        "two sizes"
    );
    assert!(
        Law::fit(&runs(&[1.0, 2.0, 3.9], linear)).is_none(),
        "a small range"
    );
    assert!(Law::fit(&runs(&[1.0, 2.0, 4.0], linear)).is_some());
    assert!(Law::fit(&runs(&[0.0, 2.0, 4.0], linear)).is_none());
    assert!(Law::fit(&runs(&[1.0, 2.0, f64::NAN, 4.0], linear)).is_none());
    let law = Law::fit(&runs(&[1.0, 2.0, 4.0, 8.0, 16.0, 64.0], linear)).unwrap();
    assert!(law.predict(64.0).is_some());
    assert_eq!(law.predict(64.0 * 33.0), None, "too far");
    assert_eq!(law.predict(0.0), None);
    assert_eq!(law.predict(f64::NAN), None);
}

/// Three tiny trials whose costs are mostly start-up noise: such a fit once said 12,258 s for a
/// job of 0.8 s.
#[test]
fn noise_is_not_taken_for_a_steep_law() {
    let law = Law::fit(&[(10.0, 0.021), (20.0, 0.020), (40.0, 0.024)]).unwrap();
    assert!(matches!(law.shape(), Shape::Constant | Shape::Linear));
    assert_eq!(law.predict(1000.0), None);
    assert!(law.predict(40.0).unwrap().cost < 0.03);
}
