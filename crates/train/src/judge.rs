//! How well models do on programs of directories that they have not seen.
//!
//! Each fold of the programs is predicted by models that were trained without it. What these are
//! corrected by comes from the other folds only: from the errors that models make there which have
//! seen neither that fold nor the one that is judged. So nothing of a program, nor of any other of
//! its group, has a part in its own prediction, and the correction is found in the same way as that
//! of the models that are shipped.

use std::thread;

use atoll_predict::{FAMILIES, FAMILY, feature_names};
use atoll_trees::{Options, weighted_conformal};

use crate::corpus::Row;
use crate::{FOLDS, Failed, QUANTILES, Quantity, fit, say};

/// What came of it.
#[derive(Debug)]
pub(crate) struct Judged {
    pub(crate) quantity: Quantity,
    /// For each row: what was predicted at each quantile, as a binary logarithm.
    pub(crate) predicted: Vec<Vec<f64>>,
    /// For each quantile: by how much the rows lay above what models without a correction said.
    pub(crate) residuals: Vec<Vec<Residual>>,
}

/// By how much one row lay above its prediction.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Residual {
    pub(crate) family: usize,
    pub(crate) value: f64,
    pub(crate) weight: f64,
}

/// Families with less than this, in programs, are corrected together with all others.
const FAMILY_PROGRAMS_MIN: f64 = 100.0;

/// How much a residual counts for other families than its own.
const OTHERS_SHARE: f64 = 0.1;

/// For some rows by their numbers, what models say that have not seen them.
type Told = Vec<(usize, Vec<f64>)>;

/// Judges.
pub(crate) fn judge(
    rows: &[Row],
    folds: &[usize],
    quantity: Quantity,
    options: &Options,
) -> Result<Judged, Failed> {
    let pairs: Vec<(usize, usize)> = (0..FOLDS)
        .flat_map(|one| (one..FOLDS).map(move |other| (one, other)))
        .collect();
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let mut told: Vec<((usize, usize), Told)> = Vec::new();
    for some in pairs.chunks(threads) {
        let all = thread::scope(|scope| {
            let work = some.iter().map(|(one, other)| {
                let without = move || without(rows, folds, (*one, *other), quantity, options);
                ((*one, *other), scope.spawn(without))
            });
            let work: Vec<_> = work.collect();
            let joined = work.into_iter().map(|(pair, work)| (pair, work.join()));
            joined.collect::<Vec<_>>()
        });
        for (pair, one) in all {
            told.push((pair, one.map_err(|_| "a thread that trained has ended")??));
        }
    }
    let mut predicted = vec![Vec::new(); rows.len()];
    let mut residuals = vec![Vec::new(); QUANTILES.len()];
    for left_out in 0..FOLDS {
        // Errors on other folds, of models that have not seen this one either.
        let mut errors = vec![Vec::new(); QUANTILES.len()];
        let near = told
            .iter()
            .filter(|((one, other), _)| one != other && (*one == left_out || *other == left_out));
        for (index, values) in near.flat_map(|(_, told)| told) {
            if folds.get(*index) != Some(&left_out) {
                note(&mut errors, rows, *index, values, quantity);
            }
        }
        let corrections: Vec<[f64; FAMILIES as usize]> = errors
            .iter()
            .zip(QUANTILES)
            .map(|(errors, quantile)| corrections(errors, quantile))
            .collect();
        let own = told
            .iter()
            .filter(|(pair, _)| *pair == (left_out, left_out));
        for (index, values) in own.flat_map(|(_, told)| told) {
            note(&mut residuals, rows, *index, values, quantity);
            let Some(row) = rows.get(*index) else {
                continue;
            };
            let mut so_far = f64::NEG_INFINITY;
            let corrected = values.iter().zip(&corrections).map(|(value, by)| {
                let by = by.get(family(row)).copied().unwrap_or_default();
                so_far = so_far.max((quantity.beginning)(row) + value + by);
                so_far
            });
            if let Some(place) = predicted.get_mut(*index) {
                *place = corrected.collect();
            }
        }
    }
    say(&format!("{}: judged", quantity.name));
    Ok(Judged {
        quantity,
        predicted,
        residuals,
    })
}

/// What models say of two folds that are trained without them.
fn without(
    rows: &[Row],
    folds: &[usize],
    (one, other): (usize, usize),
    quantity: Quantity,
    options: &Options,
) -> Result<Told, Failed> {
    let is_out = |fold: usize| fold == one || fold == other;
    let trained = rows.iter().zip(folds).filter(|(_, fold)| !is_out(**fold));
    let trained: Vec<&Row> = trained.map(|(row, _)| row).collect();
    let forest = fit(&trained, quantity, &QUANTILES, options)?;
    let bound = forest.bind(&feature_names())?;
    let mut told = Vec::new();
    for (index, (row, fold)) in rows.iter().zip(folds).enumerate() {
        if is_out(*fold) {
            told.push((index, bound.values(&row.features)?));
        }
    }
    Ok(told)
}

fn note(
    into: &mut [Vec<Residual>],
    rows: &[Row],
    index: usize,
    values: &[f64],
    quantity: Quantity,
) {
    let Some(row) = rows.get(index) else {
        return;
    };
    for (into, value) in into.iter_mut().zip(values) {
        into.push(Residual {
            family: family(row),
            value: (quantity.of)(row) - (quantity.beginning)(row) - value,
            weight: row.weight,
        });
    }
}

/// Which family of programs a row belongs to.
fn family(row: &Row) -> usize {
    let names = feature_names();
    let position = names.iter().position(|name| name == FAMILY);
    let value = position.and_then(|at| row.features.get(at));
    value.map_or(0, |value| *value as usize)
}

/// What is added to the predictions for each family at a quantile.
pub(crate) fn corrections(residuals: &[Residual], quantile: f64) -> [f64; FAMILIES as usize] {
    let mut corrections = [0.0; FAMILIES as usize];
    for (family, correction) in corrections.iter_mut().enumerate() {
        let own = residuals.iter().filter(|it| it.family == family);
        let own: f64 = own.map(|it| it.weight).sum();
        let others = if own < FAMILY_PROGRAMS_MIN {
            1.0
        } else {
            OTHERS_SHARE
        };
        let weighed = residuals.iter().map(|it| {
            let share = if it.family == family { 1.0 } else { others };
            (it.value, it.weight * share)
        });
        let weighed: Vec<(f64, f64)> = weighed.collect();
        *correction = weighted_conformal(&weighed, quantile, 1.0).unwrap_or(0.0);
    }
    corrections
}
