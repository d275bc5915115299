//! Corrections from examples that a model has not seen, and folds that keep groups together.

use std::collections::BTreeMap;

use crate::random::Random;

/// What has to be added to a prediction of a quantile, so that the truth is at most that for a
/// new example with a probability of at least `quantile`.
///
/// `residuals` holds truth minus prediction for examples that the model was not trained on, each
/// with its weight; `new_weight` is the new example's. Where all weigh the same and could come in
/// any order, this holds for any number of them and any distribution (split conformal prediction;
/// Lei and others: Distribution-free predictive inference for regression, Journal of the American
/// Statistical Association 113, 2018), and in general for examples that are drawn by these weights
/// (Tibshirani and others: Conformal prediction under covariate shift, NeurIPS 2019). `None` when
/// they are too few for that: of equal ones, the quantile 0.95 takes 19. What is not a number
/// counts as infinite.
///
/// Pooled over folds, each residual from a model that has not seen its fold, this is
/// cross-conformal prediction (Barber and others: Predictive inference with the jackknife+, Annals
/// of Statistics 49, 2021). Weights that are not above 0 leave their residual out.
#[must_use]
pub fn weighted_conformal(residuals: &[(f64, f64)], quantile: f64, new_weight: f64) -> Option<f64> {
    if !(quantile > 0.0 && quantile < 1.0 && new_weight >= 0.0) {
        return None;
    }
    let mut sorted: Vec<(f64, f64)> = residuals
        .iter()
        .filter(|(_, weight)| *weight > 0.0 && weight.is_finite())
        .map(|(residual, weight)| (not_less(*residual), *weight))
        .collect();
    sorted.sort_by(|one, other| one.0.total_cmp(&other.0));
    let total: f64 = sorted.iter().map(|(_, weight)| weight).sum();
    let goal = (total + new_weight) * quantile - 1e-9;
    let mut sum = 0.0;
    let reaches = |(_, weight): &&(f64, f64)| {
        sum += weight;
        sum >= goal
    };
    let (correction, _) = sorted.iter().find(reaches)?;
    correction.is_finite().then_some(*correction)
}

fn not_less(residual: f64) -> f64 {
    if residual.is_nan() {
        f64::INFINITY
    } else {
        residual
    }
}

/// Groups cannot be dealt out to so many folds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "failed to make {folds} folds of {groups} groups: \
     give at least 2 folds, and at least as many groups"
)]
pub struct FoldsError {
    /// The folds asked for.
    pub folds: usize,
    /// The groups there are.
    pub groups: usize,
}

/// Deals rows out to folds of about the same size, all rows of a group to the same one.
///
/// The result holds the fold of each row, from 0. Groups are dealt out from the largest to the
/// smallest, each to the fold that has the fewest rows; `seed` decides between equal ones.
///
/// # Errors
/// When there are fewer than two folds, or fewer groups than folds.
pub fn folds<G: Ord>(groups: &[G], folds: usize, seed: u64) -> Result<Vec<usize>, FoldsError> {
    let mut sizes: BTreeMap<&G, usize> = BTreeMap::new();
    for group in groups {
        *sizes.entry(group).or_default() += 1;
    }
    if folds < 2 || sizes.len() < folds {
        return Err(FoldsError {
            folds,
            groups: sizes.len(),
        });
    }
    let mut order: Vec<(&G, usize)> = sizes.into_iter().collect();
    let count = order.len();
    Random::new(seed).draw(&mut order, count);
    order.sort_by_key(|(_, size)| std::cmp::Reverse(*size));
    let mut rows = vec![0_usize; folds];
    let mut chosen: BTreeMap<&G, usize> = BTreeMap::new();
    for (group, size) in order {
        let fold = rows.iter_mut().enumerate().min_by_key(|(_, rows)| **rows);
        if let Some((fold, rows)) = fold {
            *rows += size;
            chosen.insert(group, fold);
        }
    }
    let fold = |group| chosen.get(group).copied().unwrap_or(0);
    Ok(groups.iter().map(fold).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The correction where all weigh the same.
    fn equally(residuals: &[f64], quantile: f64) -> Option<f64> {
        let weighted: Vec<(f64, f64)> = residuals.iter().map(|r| (*r, 1.0)).collect();
        weighted_conformal(&weighted, quantile, 1.0)
    }

    #[test]
    fn too_few_residuals_correct_nothing() {
        let residuals: Vec<f64> = (0..19_u8).map(f64::from).collect();
        assert_eq!(equally(&residuals, 0.95), Some(18.0));
        assert_eq!(equally(&residuals[1..], 0.95), None);
        assert_eq!(equally(&[3.0, 1.0, 2.0], 0.5), Some(2.0));
        assert_eq!(equally(&[3.0, f64::NAN, 2.0], 0.75), None);
        assert_eq!(equally(&[3.0, -f64::NAN, 2.0], 0.5), Some(3.0));
        assert_eq!(equally(&residuals, 1.0), None);
        assert_eq!(equally(&[], 0.5), None);
    }

    #[test]
    fn a_residual_of_twice_the_weight_counts_like_two() {
        let weighted = [
            (1.0, 2.0),
            (5.0, 1.0),
            (3.0, 1.0),
            (9.0, 0.0),
            (7.0, f64::NAN),
        ];
        assert_eq!(weighted_conformal(&weighted, 0.4, 1.0), Some(1.0));
        assert_eq!(weighted_conformal(&weighted, 0.6, 1.0), Some(3.0));
        assert_eq!(weighted_conformal(&weighted, 0.8, 1.0), Some(5.0));
        assert_eq!(weighted_conformal(&weighted, 0.81, 1.0), None);
        assert_eq!(weighted_conformal(&weighted, 0.81, 0.0), Some(5.0));
        assert_eq!(weighted_conformal(&[], 0.5, 0.0), None);
        assert_eq!(weighted_conformal(&[(f64::NAN, 1.0)], 0.5, 0.0), None);
    }

    #[test]
    fn folds_that_cannot_be_are_refused() {
        assert!(folds(&["a", "b", "a"], 3, 1).is_err());
        assert!(folds(&["a", "b", "a"], 1, 1).is_err());
        let dealt = folds(&["a", "b", "a"], 2, 1).unwrap();
        assert_eq!(dealt[0], dealt[2]);
        assert_ne!(dealt[0], dealt[1]);
    }

    proptest! {
        /// Over many draws of 30 residuals, a new one is covered as often as promised. The bound is
        /// five standard errors below.
        #[test]
        fn a_new_example_is_covered_as_often_as_promised(seed in any::<u64>()) {
            let mut random = Random::new(seed);
            let mut residual = || (random.below(1 << 30) as f64 / f64::from(1 << 30)).powi(3);
            let covered = (0..4000).filter(|_| {
                let residuals: Vec<f64> = (0..30).map(|_| residual()).collect();
                residual() <= equally(&residuals, 0.9).unwrap()
            });
            let share = covered.count() as f64 / 4000.0;
            prop_assert!((0.9 - 0.024..0.94).contains(&share), "{}", share);
        }

        /// As many as the quantile asks for of all, the new one among them, are at most the
        /// correction.
        #[test]
        fn equal_weights_count_ranks(
            residuals in prop::collection::vec(-9.0..9.0_f64, 0..80),
            quantile in 0.01..0.99_f64,
        ) {
            let mut sorted = residuals.clone();
            sorted.sort_by(f64::total_cmp);
            let rank = ((sorted.len() as f64 + 1.0) * quantile - 1e-9).ceil().max(1.0) as usize;
            prop_assert_eq!(equally(&residuals, quantile), sorted.get(rank - 1).copied());
        }

        #[test]
        fn no_group_is_in_two_folds_and_folds_are_balanced(
            groups in prop::collection::vec(0_u8..40, 50..300),
            count in 2_usize..6,
            seed in any::<u64>(),
        ) {
            let mut sizes = BTreeMap::new();
            for group in &groups {
                *sizes.entry(*group).or_insert(0_usize) += 1;
            }
            prop_assume!(sizes.len() >= count);
            let dealt = folds(&groups, count, seed).unwrap();
            let mut fold_of = BTreeMap::new();
            let mut rows = vec![0_usize; count];
            for (group, fold) in groups.iter().zip(&dealt) {
                prop_assert_eq!(*fold_of.entry(*group).or_insert(*fold), *fold);
                rows[*fold] += 1;
            }
            let largest = sizes.values().max().unwrap();
            prop_assert!(rows.iter().max().unwrap() - rows.iter().min().unwrap() <= *largest);
        }
    }
}
