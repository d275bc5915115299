//! What models learn from: rows of features, and the number that belongs to each.

/// Rows of features with the number to predict for each. Made by [`Examples::new`], which checks.
#[derive(Debug, Clone, Copy)]
pub struct Examples<'a> {
    width: usize,
    values: &'a [f32],
    targets: &'a [f64],
    weights: Option<&'a [f64]>,
}

/// Why there is nothing to learn from these examples.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ExamplesError {
    /// There are none, or they have no features.
    #[error("failed to take the examples: there are none; give at least one row and one feature")]
    Empty,
    /// There are too many for the numbers that count them.
    #[error("failed to take the examples: there are more than {ROWS_MAX} rows; draw fewer")]
    TooMany,
    /// The lengths do not fit together.
    #[error(
        "failed to take the examples: {values} values of {width} features do not fit to {targets} \
         targets and {weights:?} weights; give each row all features, a target and a weight"
    )]
    Lengths {
        /// Features of a row.
        width: usize,
        /// Values of all rows.
        values: usize,
        /// Targets.
        targets: usize,
        /// Weights, when there are any.
        weights: Option<usize>,
    },
    /// A feature is infinite.
    #[error("failed to take the examples: row {0} has an infinite feature; use NaN for missing")]
    Infinite(usize),
    /// A target is not a number.
    #[error("failed to take the examples: the target of row {0} is not finite; leave the row out")]
    Target(usize),
    /// A weight is not a number above 0.
    #[error("failed to take the examples: the weight of row {0} is not above 0; leave the row out")]
    Weight(usize),
}

/// The most rows of examples.
pub const ROWS_MAX: usize = 1 << 24;

impl<'a> Examples<'a> {
    /// Examples of `width` features. `values` holds row after row; NaN is a missing value. Without
    /// weights every row counts 1.
    ///
    /// # Errors
    /// When lengths do not fit together, or a number is not one to learn from.
    pub fn new(
        width: usize,
        values: &'a [f32],
        targets: &'a [f64],
        weights: Option<&'a [f64]>,
    ) -> Result<Self, ExamplesError> {
        if width == 0 || targets.is_empty() {
            return Err(ExamplesError::Empty);
        }
        if targets.len() > ROWS_MAX {
            return Err(ExamplesError::TooMany);
        }
        let weights_fit = weights.is_none_or(|weights| weights.len() == targets.len());
        if width.checked_mul(targets.len()) != Some(values.len()) || !weights_fit {
            return Err(ExamplesError::Lengths {
                width,
                values: values.len(),
                targets: targets.len(),
                weights: weights.map(<[f64]>::len),
            });
        }
        if let Some(at) = values.iter().position(|value| value.is_infinite()) {
            return Err(ExamplesError::Infinite(at / width));
        }
        if let Some(row) = targets.iter().position(|target| !target.is_finite()) {
            return Err(ExamplesError::Target(row));
        }
        let is_bad = |weight: &f64| !(weight.is_finite() && *weight > 0.0);
        if let Some(row) = weights.and_then(|weights| weights.iter().position(is_bad)) {
            return Err(ExamplesError::Weight(row));
        }
        Ok(Self {
            width,
            values,
            targets,
            weights,
        })
    }

    /// Features of a row.
    #[must_use]
    pub const fn width(&self) -> usize {
        self.width
    }

    /// The features, row by row.
    pub fn rows(&self) -> impl Iterator<Item = &'a [f32]> + use<'a> {
        self.values.chunks_exact(self.width)
    }

    /// The number that belongs to each row.
    #[must_use]
    pub const fn targets(&self) -> &'a [f64] {
        self.targets
    }

    /// How much each row counts.
    #[must_use]
    pub fn weights(&self) -> Vec<f64> {
        match self.weights {
            Some(weights) => weights.to_vec(),
            None => vec![1.0; self.targets.len()],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_learned_from_is_refused() {
        let new = Examples::new;
        let rows = [1.0, f32::NAN];
        assert!(new(1, &rows, &[1.0, 2.0], Some(&[1.0, 0.5])).is_ok());
        for (refused, error) in [
            (new(0, &[], &[1.0], None), ExamplesError::Empty),
            (new(1, &[], &[], None), ExamplesError::Empty),
            (
                new(1, &[f32::INFINITY], &[1.0], None),
                ExamplesError::Infinite(0),
            ),
            (
                new(1, &rows, &[1.0, f64::NAN], None),
                ExamplesError::Target(1),
            ),
            (
                new(2, &rows, &[1.0], Some(&[0.0])),
                ExamplesError::Weight(0),
            ),
        ] {
            assert_eq!(refused.unwrap_err(), error);
        }
        assert!(matches!(
            new(2, &rows, &[1.0, 2.0], None),
            Err(ExamplesError::Lengths { .. })
        ));
        let weights = Some([1.0].as_slice());
        assert!(matches!(
            new(1, &rows, &[1.0, 2.0], weights),
            Err(ExamplesError::Lengths { .. })
        ));
    }
}
