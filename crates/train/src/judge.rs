//! How well models do on programs of directories that they have not seen.
//!
//! Each fold of the directories is predicted by models that were trained without it. One of the
//! other folds is not trained with either: what the models get wrong there is what they are
//! corrected by.

use atoll_predict::feature_names;
use atoll_trees::{Options, split_conformal};

use crate::corpus::Row;
use crate::{FOLDS, Failed, QUANTILES, Quantity, fit, say};

/// What came of it.
#[derive(Debug)]
pub(crate) struct Judged {
    pub(crate) quantity: Quantity,
    /// For each row: what was predicted at each quantile, as a binary logarithm.
    pub(crate) predicted: Vec<Vec<f64>>,
    /// For each quantile: by how much the rows lay above what models without a correction said.
    pub(crate) residuals: Vec<Vec<f64>>,
}

/// Judges.
pub(crate) fn judge(
    rows: &[Row],
    folds: &[usize],
    quantity: Quantity,
    options: &Options,
) -> Result<Judged, Failed> {
    let mut predicted = vec![Vec::new(); rows.len()];
    let mut residuals = vec![Vec::new(); QUANTILES.len()];
    for left_out in 0..FOLDS {
        let corrects = (left_out + 1) % FOLDS;
        let of = |wanted: &dyn Fn(usize) -> bool| -> Vec<(usize, &Row)> {
            let all = rows.iter().enumerate().zip(folds);
            all.filter(|(_, fold)| wanted(**fold))
                .map(|(row, _)| row)
                .collect()
        };
        let trained = of(&|fold| fold != left_out && fold != corrects);
        let trained: Vec<&Row> = trained.into_iter().map(|(_, row)| row).collect();
        let forest = fit(&trained, quantity, &QUANTILES, options)?;
        let bound = forest.bind(&feature_names())?;
        let mut errors = vec![Vec::new(); QUANTILES.len()];
        for (_, row) in of(&|fold| fold == corrects) {
            let values = bound.values(&row.features)?;
            for (errors, value) in errors.iter_mut().zip(values) {
                errors.push((quantity.of)(row) - value);
            }
        }
        let corrections: Vec<f64> = errors
            .iter()
            .zip(QUANTILES)
            .map(|(errors, quantile)| split_conformal(errors, quantile).unwrap_or(0.0))
            .collect();
        for (index, row) in of(&|fold| fold == left_out) {
            let values = bound.values(&row.features)?;
            for (residuals, value) in residuals.iter_mut().zip(&values) {
                residuals.push((quantity.of)(row) - value);
            }
            let mut so_far = f64::NEG_INFINITY;
            let corrected = values.iter().zip(&corrections).map(|(value, correction)| {
                so_far = so_far.max(value + correction);
                so_far
            });
            if let Some(place) = predicted.get_mut(index) {
                *place = corrected.collect();
            }
        }
        say(&format!(
            "{}: {} of {FOLDS} parts judged",
            quantity.name,
            left_out.saturating_add(1)
        ));
    }
    Ok(Judged {
        quantity,
        predicted,
        residuals,
    })
}
