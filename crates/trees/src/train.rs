//! Training: trees that are added one after the other, each where the sum so far errs most.
//!
//! Each tree is grown on the gradient of the pinball loss, and its leaves then take the quantile of
//! what is still missing there (Friedman: Greedy function approximation, Annals of Statistics 29,
//! 2001, for least absolute deviation).

use crate::bins::{self, Column, round};
use crate::examples::Examples;
use crate::forest::{Forest, ForestError, Model, TREES_MAX};
use crate::grow::{Grower, Growth};
use crate::quantile::{pinball_loss, weighted_quantile};
use crate::random::Random;
use crate::tree::{LEAVES_MAX, Tree};

/// Significant digits of the initial value.
const INITIAL_DIGITS: usize = 7;

/// How models are trained.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// The most trees of a model, up to [`TREES_MAX`].
    pub trees: usize,
    /// The most leaves of a tree, from 2 to [`LEAVES_MAX`].
    pub leaves: usize,
    /// The share of what is missing that a tree makes up for, above 0 and up to 1.
    pub learning_rate: f64,
    /// The fewest rows of a leaf, at least 1.
    pub leaf_rows_min: usize,
    /// Rows without an error that each leaf is taken to have besides its own (L2), from 0.
    pub l2: f64,
    /// The share of the rows that each tree sees, above 0 and up to 1.
    pub row_share: f64,
    /// The share of the features that each tree sees, above 0 and up to 1.
    pub feature_share: f64,
    /// The most bins of a feature, from 2 to [`BINS_MAX`](crate::BINS_MAX).
    pub bins: usize,
    /// With validation examples: training ends after so many trees that do not help with them.
    pub patience: usize,
    /// Decides which rows and features each tree sees.
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            trees: 200,
            leaves: 15,
            learning_rate: 0.05,
            leaf_rows_min: 20,
            l2: 0.0,
            row_share: 1.0,
            feature_share: 1.0,
            bins: 255,
            patience: 30,
            seed: 0,
        }
    }
}

/// Why nothing was trained.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum TrainError {
    /// An option is out of its range.
    #[error("failed to train: the option {0} is out of range; its documentation says the range")]
    Option(&'static str),
    /// The validation examples are of another width.
    #[error(
        "failed to train: the examples have {examples} features and the validation examples \
         {validation}; give both the same"
    )]
    Width {
        /// Features of the examples.
        examples: usize,
        /// Features of the validation examples.
        validation: usize,
    },
    /// The result would be no forest.
    #[error("failed to train: {0}")]
    Forest(#[from] ForestError),
}

/// Trains a forest: one model for each of `quantiles`, which rise.
///
/// With validation examples, a model ends at the tree where it predicted those best. The same
/// input gives the same forest.
///
/// # Errors
/// When an option is out of range, or names, examples and quantiles do not fit together.
pub fn train(
    features: &[String],
    examples: &Examples<'_>,
    validation: Option<&Examples<'_>>,
    quantiles: &[f64],
    options: &Options,
) -> Result<Forest, TrainError> {
    check(options)?;
    if let Some(validation) = validation
        && validation.width() != examples.width()
    {
        return Err(TrainError::Width {
            examples: examples.width(),
            validation: validation.width(),
        });
    }
    if features.len() != examples.width() {
        return Err(ForestError::Features(features.len()).into());
    }
    // All that can be wrong is found before the long work.
    let empty = |quantile: &f64| Model {
        quantile: *quantile,
        initial: 0.0,
        trees: Vec::new(),
    };
    Forest::new(features.to_vec(), quantiles.iter().map(empty).collect())?;
    let columns = bins::columns(examples, options.bins);
    let models = quantiles.iter().map(|quantile| {
        let mut training = Training::new(*quantile, examples, &columns, options);
        training.run(validation)
    });
    Ok(Forest::new(features.to_vec(), models.collect())?)
}

fn check(options: &Options) -> Result<(), TrainError> {
    let is_share = |share: f64| share > 0.0 && share <= 1.0;
    let checks = [
        ("trees", (1..=TREES_MAX).contains(&options.trees)),
        ("leaves", (2..=LEAVES_MAX).contains(&options.leaves)),
        ("learning_rate", is_share(options.learning_rate)),
        ("leaf_rows_min", options.leaf_rows_min >= 1),
        ("l2", options.l2 >= 0.0 && options.l2.is_finite()),
        ("row_share", is_share(options.row_share)),
        ("feature_share", is_share(options.feature_share)),
        ("bins", (2..=bins::BINS_MAX).contains(&options.bins)),
    ];
    match checks.into_iter().find(|(_, in_range)| !in_range) {
        Some((name, _)) => Err(TrainError::Option(name)),
        None => Ok(()),
    }
}

/// One model while it is trained.
struct Training<'a> {
    model: Model,
    examples: &'a Examples<'a>,
    columns: &'a [Column],
    options: &'a Options,
    weights: Vec<f64>,
    /// What is still missing in each row: its target without what the model predicts.
    missing: Vec<f64>,
    rows: Vec<u32>,
    features: Vec<u16>,
    random: Random,
}

impl<'a> Training<'a> {
    fn new(
        quantile: f64,
        examples: &'a Examples<'a>,
        columns: &'a [Column],
        options: &'a Options,
    ) -> Self {
        let weights = examples.weights();
        let targets = examples.targets().iter().copied();
        let mut weighted: Vec<(f64, f64)> = targets.zip(weights.iter().copied()).collect();
        let initial = weighted_quantile(&mut weighted, quantile).unwrap_or(0.0);
        let initial = round(initial, INITIAL_DIGITS);
        let missing: Vec<f64> = examples.targets().iter().map(|t| t - initial).collect();
        Self {
            model: Model {
                quantile,
                initial,
                trees: Vec::new(),
            },
            examples,
            columns,
            options,
            weights,
            rows: (0..).take(missing.len()).collect(),
            features: (0..).take(columns.len()).collect(),
            missing,
            random: Random::new(options.seed),
        }
    }

    fn run(&mut self, validation: Option<&Examples<'_>>) -> Model {
        let mut watch = validation.map(|validation| Watch::new(&self.model, validation));
        while self.model.trees.len() < self.options.trees {
            let tree = self.grow();
            for (missing, row) in self.missing.iter_mut().zip(self.examples.rows()) {
                *missing -= f64::from(tree.value(row));
            }
            if let Some(watch) = &mut watch {
                watch.add(&tree);
                if watch.trees - watch.trees_best >= self.options.patience.max(1) {
                    break;
                }
            }
            self.model.trees.push(tree);
        }
        if let Some(watch) = watch {
            self.model.trees.truncate(watch.trees_best);
        }
        self.model.clone()
    }

    /// The next tree, on rows and features of its own.
    fn grow(&mut self) -> Tree {
        let rows = share(self.rows.len(), self.options.row_share);
        if rows < self.rows.len() {
            self.rows.sort_unstable();
            self.random.draw(&mut self.rows, rows);
        }
        let features = share(self.features.len(), self.options.feature_share);
        if features < self.features.len() {
            self.features.sort_unstable();
            self.random.draw(&mut self.features, features);
        }
        let mut features: Vec<u16> = self.features.iter().copied().take(features).collect();
        features.sort_unstable();
        let mut rows: Vec<u32> = self.rows.iter().copied().take(rows).collect();
        rows.sort_unstable();
        let quantile = self.model.quantile;
        let pairs = self.missing.iter().zip(&self.weights);
        let gradients: Vec<(f64, f64)> = pairs
            .map(|(missing, weight)| {
                let slope = if *missing > 0.0 {
                    quantile
                } else {
                    quantile - 1.0
                };
                (slope * weight, *weight)
            })
            .collect();
        let growth = Growth {
            leaves: self.options.leaves,
            leaf_rows_min: self.options.leaf_rows_min,
            l2: self.options.l2,
        };
        let columns = features.iter().filter_map(|feature| {
            let column = self.columns.get(usize::from(*feature))?;
            Some((*feature, column))
        });
        Grower::new(growth, columns.collect(), &gradients, rows).tree(|rows| self.leaf(rows))
    }

    /// What a tree adds for the rows of a leaf: part of the quantile of what is missing there.
    fn leaf(&self, rows: &[u32]) -> f64 {
        let mut missing: Vec<(f64, f64)> = rows
            .iter()
            .filter_map(|row| {
                let missing = self.missing.get(*row as usize)?;
                let weight = self.weights.get(*row as usize)?;
                Some((*missing, *weight))
            })
            .collect();
        let weight: f64 = missing.iter().map(|(_, weight)| weight).sum();
        let value = weighted_quantile(&mut missing, self.model.quantile).unwrap_or(0.0);
        value * weight / (weight + self.options.l2) * self.options.learning_rate
    }
}

/// At least one, at most all.
fn share(all: usize, share: f64) -> usize {
    ((all as f64 * share).round() as usize).clamp(1, all.max(1))
}

/// How well a growing model predicts examples that it is not trained on.
struct Watch<'a> {
    examples: &'a Examples<'a>,
    quantile: f64,
    predicted: Vec<f64>,
    trees: usize,
    trees_best: usize,
    loss_best: f64,
}

impl<'a> Watch<'a> {
    fn new(model: &Model, examples: &'a Examples<'a>) -> Self {
        let mut watch = Self {
            examples,
            quantile: model.quantile,
            predicted: vec![model.initial; examples.targets().len()],
            trees: 0,
            trees_best: 0,
            loss_best: f64::INFINITY,
        };
        watch.loss_best = watch.loss();
        watch
    }

    fn loss(&self) -> f64 {
        let pairs = self.predicted.iter().zip(self.examples.targets());
        let losses =
            pairs.map(|(predicted, target)| pinball_loss(self.quantile, *predicted, *target));
        losses
            .zip(self.examples.weights())
            .map(|(loss, weight)| loss * weight)
            .sum()
    }

    fn add(&mut self, tree: &Tree) {
        for (predicted, row) in self.predicted.iter_mut().zip(self.examples.rows()) {
            *predicted += f64::from(tree.value(row));
        }
        self.trees += 1;
        let loss = self.loss();
        if loss < self.loss_best {
            self.loss_best = loss;
            self.trees_best = self.trees;
        }
    }
}

#[cfg(test)]
mod tests;
