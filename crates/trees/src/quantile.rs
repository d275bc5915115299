//! Quantiles of weighted numbers, and the loss whose minimum they are.

/// What it costs to predict `predicted` for the quantile `quantile` where `actual` came.
///
/// The expectation of this pinball loss is smallest at the quantile (Koenker and Bassett,
/// Econometrica 46, 1978).
#[must_use]
pub fn pinball_loss(quantile: f64, predicted: f64, actual: f64) -> f64 {
    let missed = actual - predicted;
    (quantile * missed).max((quantile - 1.0) * missed)
}

/// The quantile of numbers with weights, or `None` without any weight. Sorts its input.
///
/// Each number stands in the middle of its share of the weight, and between neighbours the
/// quantile is interpolated (Hazen's rule, for equal weights).
pub(crate) fn weighted_quantile(numbers: &mut [(f64, f64)], quantile: f64) -> Option<f64> {
    numbers.sort_by(|a, b| a.0.total_cmp(&b.0));
    let total: f64 = numbers.iter().map(|(_, weight)| weight).sum();
    let goal = quantile * total;
    let mut before = 0.0;
    let mut last: Option<(f64, f64)> = None;
    for &(number, weight) in numbers.iter().filter(|(_, weight)| *weight > 0.0) {
        let middle = before + weight / 2.0;
        before += weight;
        if middle >= goal {
            return Some(match last {
                None => number,
                Some((previous, previous_middle)) => {
                    let share = (goal - previous_middle) / (middle - previous_middle);
                    previous + (number - previous) * share
                }
            });
        }
        last = Some((number, middle));
    }
    last.map(|(number, _)| number)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn quantile_of(numbers: &[f64], quantile: f64) -> Option<f64> {
        let mut weighted: Vec<(f64, f64)> = numbers.iter().map(|n| (*n, 1.0)).collect();
        weighted_quantile(&mut weighted, quantile)
    }

    #[test]
    fn the_median_of_a_few_numbers_is_in_the_middle() {
        assert_eq!(quantile_of(&[], 0.5), None);
        assert_eq!(quantile_of(&[3.0], 0.9), Some(3.0));
        assert_eq!(quantile_of(&[5.0, 1.0, 3.0], 0.5), Some(3.0));
        assert_eq!(quantile_of(&[1.0, 2.0], 0.5), Some(1.5));
        assert_eq!(quantile_of(&[1.0, 2.0], 1.0), Some(2.0));
    }

    proptest! {
        #[test]
        fn a_weight_is_as_good_as_a_repetition(
            numbers in prop::collection::vec((-100_i32..100, 1_usize..5), 1..20),
        ) {
            let mut weighted: Vec<(f64, f64)> =
                numbers.iter().map(|(n, times)| (f64::from(*n), *times as f64)).collect();
            let repeated: Vec<f64> = numbers
                .iter()
                .flat_map(|(n, times)| std::iter::repeat_n(f64::from(*n), *times))
                .collect();
            let spread = repeated.iter().copied().fold(f64::MIN, f64::max)
                - repeated.iter().copied().fold(f64::MAX, f64::min);
            for quantile in [0.0, 1.0] {
                let a = weighted_quantile(&mut weighted, quantile).unwrap();
                prop_assert_eq!(a, quantile_of(&repeated, quantile).unwrap());
            }
            let a = weighted_quantile(&mut weighted, 0.5).unwrap();
            let b = quantile_of(&repeated, 0.5).unwrap();
            prop_assert!((a - b).abs() <= spread);
        }

        #[test]
        fn no_constant_costs_less_than_the_quantile(
            numbers in prop::collection::vec(-100.0..100.0_f64, 200..300),
            quantile in 0.1..0.9_f64,
            other in -100.0..100.0_f64,
        ) {
            let at = quantile_of(&numbers, quantile).unwrap();
            let cost = |predicted: f64| -> f64 {
                numbers.iter().map(|n| pinball_loss(quantile, predicted, *n)).sum()
            };
            // Interpolation stays between the two numbers where the minimum is.
            prop_assert!(cost(at) <= cost(other) * 1.01);
        }
    }
}
