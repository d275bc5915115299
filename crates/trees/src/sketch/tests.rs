use proptest::prelude::*;

use super::*;

const DAY_MS: u64 = 24 * 60 * 60 * 1000;
const NOW_MS: u64 = 1_800_000_000_000;

/// The value that a share of the weight does not exceed, without a sketch.
fn exact(values: &[(f64, u64)], quantile: f64) -> f64 {
    let newest = values.iter().map(|(_, at)| *at).max().unwrap();
    let mut weighted: Vec<(f64, f64)> = values
        .iter()
        .map(|(value, at)| (*value, (-((newest - at) as f64) / DAY_MS as f64).exp2()))
        .collect();
    weighted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let total: f64 = weighted.iter().map(|(_, weight)| weight).sum();
    let mut sum = 0.0;
    let found = weighted.iter().find(|(_, weight)| {
        sum += weight;
        sum >= quantile * total * (1.0 - 1e-12)
    });
    found.or(weighted.last()).unwrap().0
}

fn sketch(values: &[(f64, u64)]) -> Sketch {
    let mut sketch = Sketch::new(DAY_MS);
    for (value, at) in values {
        sketch.add(*value, *at);
    }
    sketch
}

fn values() -> impl Strategy<Value = Vec<(f64, u64)>> {
    let value = (-20.0..45.0_f64).prop_map(f64::exp);
    let at = (0..10 * DAY_MS).prop_map(|age| NOW_MS - age);
    prop::collection::vec((value, at), 1..300)
}

proptest! {
    #[test]
    fn quantiles_are_within_five_per_cent(values in values(), quantile in 0.0..=1.0_f64) {
        let truth = exact(&values, quantile);
        let found = sketch(&values).quantile(quantile).unwrap();
        prop_assert!((found / truth - 1.0).abs() <= 0.05, "{} for {}", found, truth);
    }

    #[test]
    fn quantiles_are_right_far_beyond_the_reference_time(
        values in values(),
        quantile in 0.0..=1.0_f64,
        ages in prop::collection::vec(0..3000_u64, 300),
    ) {
        let mut values = values;
        for ((_, at), age) in values.iter_mut().zip(ages) {
            *at -= age * DAY_MS;
        }
        values.sort_by_key(|(_, at)| *at);
        let found = sketch(&values).quantile(quantile).unwrap();
        // Weights below 1e-12 may be forgotten.
        let near = [-1e-9, 0.0, 1e-9].map(|by| exact(&values, (quantile + by).clamp(0.0, 1.0)));
        let is_near = near.iter().any(|truth| (found / truth - 1.0).abs() <= 0.05);
        // And with them the least and the greatest value of all.
        let is_inner = (0.001..=0.999).contains(&quantile);
        prop_assert!(is_near || !is_inner, "{} for {:?}", found, near);
    }

    #[test]
    fn merged_sketches_are_the_sketch_of_all(
        a in values(),
        b in values(),
        quantile in 0.0..=1.0_f64,
    ) {
        let mut merged = sketch(&a);
        merged.merge(&sketch(&b)).unwrap();
        let all: Vec<(f64, u64)> = a.into_iter().chain(b).collect();
        let truth = exact(&all, quantile);
        let found = merged.quantile(quantile).unwrap();
        // The order of additions decides the last digits of a sum.
        let near = [-1e-9, 0.0, 1e-9].map(|by| exact(&all, (quantile + by).clamp(0.0, 1.0)));
        prop_assert!(near.iter().any(|t| (found / t - 1.0).abs() <= 0.05), "{} {}", found, truth);
    }

    #[test]
    fn buckets_are_bounded(
        values in prop::collection::vec(any::<f64>(), 0..100),
        at in any::<u64>(),
    ) {
        let mut sketch = Sketch::new(1);
        for value in values {
            sketch.add(value, at);
        }
        sketch.add(1.0, 0);
        sketch.add(1.0, u64::MAX);
        prop_assert!(sketch.buckets.len() <= 2001);
        prop_assert!(sketch.quantile(0.5).unwrap().is_finite());
        let text = serde_json::to_string(&sketch).unwrap();
        let read: Sketch = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(read.quantile(0.9), sketch.quantile(0.9));
    }
}

#[test]
fn an_old_value_gives_way_to_new_ones() {
    let mut sketch = Sketch::new(DAY_MS);
    for _ in 0..100 {
        sketch.add(1000.0, 0);
    }
    assert!((sketch.weight(DAY_MS) - 50.0).abs() < 1e-9);
    for _ in 0..10 {
        sketch.add(1.0, 10 * DAY_MS);
    }
    assert!((sketch.quantile(0.9).unwrap() - 1.0).abs() < 0.05);
    assert!((sketch.quantile(1.0).unwrap() / 1000.0 - 1.0).abs() < 0.05);
}

#[test]
fn what_was_not_kept_by_a_sketch_is_refused() {
    assert_eq!(Sketch::new(1).quantile(0.5), None);
    assert_eq!(
        Sketch::new(1).merge(&Sketch::new(2)),
        Err(SketchError::HalfLives)
    );
    for (half_life, bucket, weight) in [(0, 1, "1"), (1, 1001, "1"), (1, 1, "-1"), (1, 1, "1e308")]
    {
        let text = format!(
            "{{\"half_life_ms\":{half_life},\"reference_ms\":0,\"buckets\":{{\"{bucket}\":{weight}}}}}"
        );
        assert!(serde_json::from_str::<Sketch>(&text).is_err(), "{text}");
    }
}
