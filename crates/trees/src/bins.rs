//! Feature values as small numbers: which bin of its feature each value falls into.

use crate::examples::Examples;

/// Values of a feature are told apart in at most this many bins.
pub const BINS_MAX: usize = 255;

/// The bin of missing values, of every feature.
pub(crate) const MISSING: u8 = 255;

/// Significant digits that a threshold has at least, where its neighbours leave it the choice.
const THRESHOLD_DIGITS_MIN: usize = 4;

/// Significant digits with which every 32-bit number can be written.
const DIGITS_MAX: usize = 9;

/// One feature of all rows.
#[derive(Debug)]
pub(crate) struct Column {
    /// The bin of each row.
    pub(crate) bins: Vec<u8>,
    /// Between a bin and the next one: one less than there are bins.
    pub(crate) thresholds: Vec<f32>,
}

/// The features of the examples, each in at most `bins_max` bins and the one of missing values.
pub(crate) fn columns(examples: &Examples<'_>, bins_max: usize) -> Vec<Column> {
    (0..examples.width())
        .map(|feature| {
            let values: Vec<f32> = examples
                .rows()
                .map(|row| row.get(feature).copied().unwrap_or(f32::NAN))
                .collect();
            column(&values, bins_max.clamp(2, BINS_MAX))
        })
        .collect()
}

fn column(values: &[f32], bins_max: usize) -> Column {
    let thresholds = thresholds(&counted(values), bins_max);
    let bins = values.iter().map(|value| {
        if value.is_nan() {
            return MISSING;
        }
        // There are at most 254 thresholds, so the bin of missing values is never reached.
        let below = thresholds.partition_point(|threshold| threshold < value);
        u8::try_from(below).unwrap_or(MISSING - 1)
    });
    Column {
        bins: bins.collect(),
        thresholds,
    }
}

/// The values that are there, each once and in order, with how often they are there.
fn counted(values: &[f32]) -> Vec<(f32, usize)> {
    let mut present: Vec<f32> = values.iter().copied().filter(|v| !v.is_nan()).collect();
    present.sort_by(f32::total_cmp);
    let runs = present.chunk_by(|a, b| a == b);
    runs.filter_map(|run| Some((*run.first()?, run.len())))
        .collect()
}

/// Cuts values into bins with about as many rows each; a value is never cut apart.
fn thresholds(counted: &[(f32, usize)], bins_max: usize) -> Vec<f32> {
    let all_fit = counted.len() <= bins_max;
    let mut rows_left: usize = counted.iter().map(|(_, rows)| rows).sum();
    let mut bins_left = bins_max;
    let mut rows_bin = 0;
    let mut thresholds = Vec::new();
    for (&(value, rows), &(next, rows_next)) in counted.iter().zip(counted.iter().skip(1)) {
        rows_bin += rows;
        // A bin ends where taking the next value in would lead further from an equal share.
        let share = rows_left.div_ceil(bins_left.max(1));
        let is_full = 2 * rows_bin + rows_next > 2 * share;
        if all_fit || (bins_left > 1 && is_full) {
            thresholds.push(between(value, next));
            rows_left -= rows_bin;
            bins_left -= 1;
            rows_bin = 0;
        }
    }
    thresholds
}

/// A number from `lower` up to and without `upper`: halfway, rounded to few digits.
fn between(lower: f32, upper: f32) -> f32 {
    let halfway = f64::midpoint(lower.into(), upper.into());
    (THRESHOLD_DIGITS_MIN..=DIGITS_MAX)
        .map(|digits| round(halfway, digits) as f32)
        .find(|rounded| (lower..upper).contains(rounded))
        .unwrap_or(lower)
}

/// Rounds to so many significant decimal digits.
pub(crate) fn round(number: f64, digits: usize) -> f64 {
    let text = format!("{number:.*e}", digits.saturating_sub(1));
    text.parse().unwrap_or(number)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn thresholds_lie_halfway_between_neighbours() {
        let column = column(&[3.0, 1.0, f32::NAN, 2.0, 1.0], 255);
        assert_eq!(column.thresholds, [1.5, 2.5]);
        assert_eq!(column.bins, [2, 0, MISSING, 1, 0]);
        assert_eq!(between(1.0, 1.0 + f32::EPSILON), 1.0);
        assert_eq!(between(1.000_001, 1.000_003), 1.000_002);
        assert_eq!(between(-0.0, 1234.567), 617.3);
    }

    #[test]
    fn a_frequent_value_has_a_bin_of_its_own() {
        let mut values = vec![0.0; 500];
        values.extend((1..=1000_u16).map(f32::from));
        let column = column(&values, 11);
        assert!(column.thresholds.len() <= 10);
        assert!(column.thresholds.len() >= 9, "{:?}", column.thresholds);
        assert_eq!(column.thresholds[0], 0.5);
    }

    proptest! {
        #[test]
        fn bins_and_thresholds_agree_on_every_value(
            values in prop::collection::vec(
                prop_oneof![any::<f32>(), -9.0..9.0_f32, (0_u8..40).prop_map(f32::from)],
                0..600,
            ),
            bins_max in 2_usize..=255,
        ) {
            let values: Vec<f32> =
                values.into_iter().filter(|value| !value.is_infinite()).collect();
            let column = column(&values, bins_max);
            prop_assert!(column.thresholds.len() < bins_max);
            for (value, bin) in values.iter().zip(&column.bins) {
                for (at, threshold) in column.thresholds.iter().enumerate() {
                    prop_assert_eq!(value <= threshold, usize::from(*bin) <= at);
                }
                prop_assert_eq!(value.is_nan(), *bin == MISSING);
            }
        }
    }
}
