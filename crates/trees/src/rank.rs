//! How far one quantity orders things as another does.

/// The correlation of ranks (Spearman), where values may count differently; equal ones share the
/// middle of their ranks.
#[must_use]
pub fn rank_correlation(one: &[f64], other: &[f64], weights: &[f64]) -> f64 {
    let (one, other) = (ranks(one, weights), ranks(other, weights));
    let mean = weights.iter().sum::<f64>() / 2.0;
    let sum = |a: &[f64], b: &[f64]| {
        let parts = a.iter().zip(b).zip(weights);
        parts
            .map(|((a, b), weight)| (a - mean) * (b - mean) * weight)
            .sum::<f64>()
    };
    sum(&one, &other) / (sum(&one, &one) * sum(&other, &other)).sqrt()
}

fn ranks(values: &[f64], weights: &[f64]) -> Vec<f64> {
    let zipped = values.iter().zip(weights).enumerate();
    let mut order: Vec<(usize, f64, f64)> = zipped.map(|(at, (v, w))| (at, *v, *w)).collect();
    order.sort_by(|one, other| one.1.total_cmp(&other.1));
    let mut ranks = vec![0.0; values.len()];
    let mut before = 0.0;
    for equal in order.chunk_by(|one, other| one.1.total_cmp(&other.1).is_eq()) {
        let together: f64 = equal.iter().map(|(_, _, weight)| weight).sum();
        for (index, ..) in equal {
            if let Some(place) = ranks.get_mut(*index) {
                *place = before + together / 2.0;
            }
        }
        before += together;
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_all_that_ranks_see() {
        let near = |value: f64, expected: f64| assert!((value - expected).abs() < 1e-9, "{value}");
        let same = [1.0; 3];
        near(
            rank_correlation(&[1.0, 2.0, 30.0], &[1.0, 4.0, 5.0], &same),
            1.0,
        );
        near(
            rank_correlation(&[1.0, 2.0, 3.0], &[3.0, 2.0, 1.0], &same),
            -1.0,
        );
        assert_eq!(ranks(&[5.0, 1.0, 5.0], &same), [2.0, 0.5, 2.0]);
        // One that counts for two is two.
        let (one, other) = ([1.0, 2.0, 3.0], [2.0, 1.0, 3.0]);
        let twice = rank_correlation(&[1.0, 2.0, 3.0, 3.0], &[2.0, 1.0, 3.0, 3.0], &[1.0; 4]);
        near(rank_correlation(&one, &other, &[1.0, 1.0, 2.0]), twice);
    }
}
