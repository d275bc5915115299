use proptest::prelude::*;

use super::*;

/// Rows of three features: the target is a step of the first, noise grows with the second, and the
/// third is missing half of the time.
fn rows(count: usize, seed: u64) -> (Vec<f32>, Vec<f64>) {
    let mut random = Random::new(seed);
    let mut uniform = || random.below(1_000_000) as f64 / 1e6;
    let mut values = Vec::new();
    let mut targets = Vec::new();
    for _ in 0..count {
        let (first, second, third) = (uniform(), uniform(), uniform());
        let is_missing = uniform() < 0.5;
        values.extend([first as f32, second as f32, third as f32]);
        if is_missing {
            values.pop();
            values.push(f32::NAN);
        }
        let step = if first > 0.3 { 4.0 } else { 0.0 };
        let bonus = if is_missing { 2.0 } else { 0.0 };
        targets.push(step + bonus + (uniform() - 0.5) * second);
    }
    (values, targets)
}

fn names(count: usize) -> Vec<String> {
    (0..count).map(|at| format!("feature-{at}")).collect()
}

fn covered(forest: &Forest, values: &[f32], targets: &[f64], quantile: usize) -> f64 {
    let bound = forest.bind(forest.features()).unwrap();
    let below = values
        .chunks(3)
        .zip(targets)
        .filter(|(row, target)| **target <= bound.values(row).unwrap()[quantile]);
    below.count() as f64 / targets.len() as f64
}

#[test]
fn quantiles_of_new_rows_are_learned() {
    let (values, targets) = rows(3000, 1);
    let examples = Examples::new(3, &values, &targets, None).unwrap();
    let options = Options {
        trees: 80,
        learning_rate: 0.1,
        ..Options::default()
    };
    let forest = train(&names(3), &examples, None, &[0.1, 0.5, 0.9], &options).unwrap();
    let (values, targets) = rows(3000, 2);
    for (at, goal) in [0.1, 0.5, 0.9].into_iter().enumerate() {
        let covered = covered(&forest, &values, &targets, at);
        assert!((covered - goal).abs() < 0.04, "{goal}: {covered}");
    }
    let bound = forest.bind(forest.features()).unwrap();
    let median = |row: &[f32]| bound.values(row).unwrap()[1];
    assert!((median(&[0.2, 0.5, 0.5]) - 0.0).abs() < 0.3);
    assert!((median(&[0.2, 0.5, f32::NAN]) - 2.0).abs() < 0.3);
    assert!((median(&[0.8, 0.5, f32::NAN]) - 6.0).abs() < 0.3);
}

#[test]
fn training_is_repeated_exactly() {
    let (values, targets) = rows(400, 3);
    let examples = Examples::new(3, &values, &targets, None).unwrap();
    let options = Options {
        trees: 20,
        row_share: 0.7,
        feature_share: 0.67,
        ..Options::default()
    };
    let text = |seed| {
        let options = Options {
            seed,
            ..options.clone()
        };
        train(&names(3), &examples, None, &[0.5, 0.9], &options)
            .unwrap()
            .to_text()
    };
    assert_eq!(text(1), text(1));
    assert_ne!(text(1), text(2));
}

#[test]
fn training_ends_where_validation_was_best() {
    let (values, targets) = rows(300, 4);
    let examples = Examples::new(3, &values, &targets, None).unwrap();
    let (new_values, new_targets) = rows(300, 5);
    let validation = Examples::new(3, &new_values, &new_targets, None).unwrap();
    let options = Options {
        trees: 400,
        learning_rate: 0.3,
        leaf_rows_min: 2,
        patience: 10,
        ..Options::default()
    };
    let loss = |forest: &Forest| -> f64 {
        let model = &forest.models()[0];
        let rows = new_values.chunks(3).zip(&new_targets);
        rows.map(|(row, target)| pinball_loss(0.9, model.value(row), *target))
            .sum()
    };
    let stopped = train(&names(3), &examples, Some(&validation), &[0.9], &options).unwrap();
    let full = train(&names(3), &examples, None, &[0.9], &options).unwrap();
    assert!(stopped.models()[0].trees() < 400);
    assert!(loss(&stopped) < loss(&full));
}

#[test]
fn rows_count_by_their_weight() {
    // The same place has two targets; the heavier one is the median.
    let values = [1.0; 40];
    let targets: Vec<f64> = (0..40_u8).map(|at| f64::from(at % 2)).collect();
    let weights: Vec<f64> = targets
        .iter()
        .map(|t| if *t > 0.5 { 5.0 } else { 1.0 })
        .collect();
    let options = Options {
        trees: 5,
        leaf_rows_min: 1,
        ..Options::default()
    };
    let median = |weights: &[f64]| {
        let examples = Examples::new(1, &values, &targets, Some(weights)).unwrap();
        let forest = train(&names(1), &examples, None, &[0.5], &options).unwrap();
        forest.models()[0].value(&[1.0])
    };
    assert_eq!(median(&weights), 1.0);
    let other_way: Vec<f64> = weights.iter().map(|weight| 6.0 - weight).collect();
    assert_eq!(median(&other_way), 0.0);
}

#[test]
fn options_out_of_range_are_named() {
    let examples = Examples::new(1, &[1.0, 2.0], &[1.0, 2.0], None).unwrap();
    let good = Options::default();
    for (options, name) in [
        (
            Options {
                trees: 0,
                ..good.clone()
            },
            "trees",
        ),
        (
            Options {
                trees: TREES_MAX + 1,
                ..good.clone()
            },
            "trees",
        ),
        (
            Options {
                leaves: 32,
                ..good.clone()
            },
            "leaves",
        ),
        (
            Options {
                learning_rate: 0.0,
                ..good.clone()
            },
            "learning_rate",
        ),
        (
            Options {
                leaf_rows_min: 0,
                ..good.clone()
            },
            "leaf_rows_min",
        ),
        (
            Options {
                l2: f64::NAN,
                ..good.clone()
            },
            "l2",
        ),
        (
            Options {
                row_share: 1.5,
                ..good.clone()
            },
            "row_share",
        ),
        (
            Options {
                bins: 256,
                ..good.clone()
            },
            "bins",
        ),
    ] {
        let refused = train(&names(1), &examples, None, &[0.5], &options);
        assert_eq!(refused, Err(TrainError::Option(name)));
    }
    let crossed = train(&names(1), &examples, None, &[0.9, 0.5], &good);
    assert!(matches!(
        crossed,
        Err(TrainError::Forest(ForestError::Quantile(_)))
    ));
    let unnamed = train(&names(2), &examples, None, &[0.5], &good);
    assert!(matches!(
        unnamed,
        Err(TrainError::Forest(ForestError::Features(2)))
    ));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever the numbers are, what was trained is read back as it was, and predicts.
    #[test]
    fn any_examples_make_a_forest_that_is_read_back(
        rows in prop::collection::vec(
            (
                prop_oneof![
                    Just(f32::NAN),
                    (-2_i8..3).prop_map(f32::from),
                    any::<f32>().prop_filter("finite", |value| value.is_finite()),
                ],
                -9.0..9.0_f32,
                prop_oneof![-1e3..1e3_f64, -1e-6..1e-6_f64],
            ),
            1..60,
        ),
        seed in any::<u64>(),
    ) {
        let values: Vec<f32> = rows.iter().flat_map(|(a, b, _)| [*a, *b]).collect();
        let targets: Vec<f64> = rows.iter().map(|(_, _, target)| *target).collect();
        let examples = Examples::new(2, &values, &targets, None).unwrap();
        let options = Options {
            trees: 10,
            leaf_rows_min: 1,
            row_share: 0.8,
            l2: 0.1,
            learning_rate: 0.5,
            seed,
            ..Options::default()
        };
        let forest = train(&names(2), &examples, None, &[0.5, 0.9], &options).unwrap();
        let read = Forest::from_text(&forest.to_text()).unwrap();
        prop_assert_eq!(&read, &forest);
        let least = targets.iter().copied().fold(f64::MAX, f64::min);
        let most = targets.iter().copied().fold(f64::MIN, f64::max);
        let slack = (most - least) * 0.5 + 1e-3;
        for row in values.chunks(2) {
            for model in forest.models() {
                let value = model.value(row);
                prop_assert!(value >= least - slack && value <= most + slack, "{value}");
            }
        }
    }
}
