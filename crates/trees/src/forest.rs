//! Models, and bundles of them that belong together: one for each quantile.

use crate::tree::{self, Node, Side, Tree};

/// The most features of a forest.
pub const FEATURES_MAX: usize = 1024;

/// The most models of a forest.
pub const MODELS_MAX: usize = 16;

/// The most trees of a model.
pub const TREES_MAX: usize = 2000;

/// The most bytes of a feature's name.
pub const NAME_BYTES_MAX: usize = 200;

/// A sum of trees that predicts one quantile.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    pub(crate) quantile: f64,
    pub(crate) initial: f64,
    pub(crate) trees: Vec<Tree>,
}

impl Model {
    /// The quantile that it predicts, between 0 and 1.
    #[must_use]
    pub const fn quantile(&self) -> f64 {
        self.quantile
    }

    /// The number of its trees.
    #[must_use]
    pub const fn trees(&self) -> usize {
        self.trees.len()
    }

    /// What it predicts for a row, in the units of the targets it was trained on.
    ///
    /// Features come in the order of training; NaN, and what the row does not have, is missing.
    #[must_use]
    pub fn value(&self, row: &[f32]) -> f64 {
        self.initial + tree::sum(&self.trees, row)
    }

    /// Adds a number to everything it will predict, such as a
    /// [`weighted_conformal`](crate::weighted_conformal) correction. One that is not finite is
    /// ignored.
    pub fn shift(&mut self, by: f64) {
        let shifted = self.initial + by;
        if shifted.is_finite() {
            self.initial = shifted;
        }
    }

    /// Adds a number that depends on one feature: for rows where that is at most the threshold of a
    /// step, the number of the first such step, and `beyond` for all others, also where it is
    /// missing. Thresholds rise. So a correction can differ between kinds of rows.
    ///
    /// # Errors
    /// When there are too many steps, or a number is not finite.
    pub fn shift_steps(
        &mut self,
        feature: u16,
        steps: &[(f32, f32)],
        beyond: f32,
    ) -> Result<(), StepsError> {
        let mut nodes = Vec::new();
        for (threshold, by) in steps {
            nodes.push(Node::Split {
                feature,
                threshold: *threshold,
                missing: Side::Right,
            });
            nodes.push(Node::Leaf(*by));
        }
        nodes.push(Node::Leaf(beyond));
        let rises = steps.is_sorted_by(|one, other| one.0 < other.0);
        let tree = Tree::new(&nodes, usize::from(feature).saturating_add(1));
        match tree {
            Ok(tree) if rises && self.trees.len() < TREES_MAX => self.trees.push(tree),
            _ => return Err(StepsError),
        }
        Ok(())
    }
}

/// Steps are not a correction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "failed to correct a model by steps: there are too many, or their numbers are not finite or \
     do not rise; give a few with finite thresholds that rise"
)]
pub struct StepsError;

/// Models for several quantiles of one quantity, with the names of the features they look at.
#[derive(Debug, Clone, PartialEq)]
pub struct Forest {
    features: Vec<String>,
    models: Vec<Model>,
}

/// Why models and names do not make a forest.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ForestError {
    /// There is nothing to look at, or too much.
    #[error("a forest has 1 to {FEATURES_MAX} features, not {0}: choose the most telling ones")]
    Features(usize),
    /// A name is of no use.
    #[error(
        "the name of feature {0} is empty or longer than {NAME_BYTES_MAX} bytes: choose another"
    )]
    Name(usize),
    /// Two features cannot be told apart.
    #[error("two features have the name {0:?}: give each a name of its own")]
    Duplicate(String),
    /// There is nothing to predict with, or too much.
    #[error("a forest has 1 to {MODELS_MAX} models, not {0}: train one for each quantile needed")]
    Models(usize),
    /// A quantile is out of order or out of range.
    #[error("the quantile {0} is not between its predecessor (or 0) and 1: let quantiles rise")]
    Quantile(f64),
    /// A model is too large.
    #[error("the model of quantile {0} has more than {TREES_MAX} trees: train it with fewer")]
    Trees(f64),
    /// A number is no number.
    #[error("the initial value of quantile {0} is not finite: train the forest again")]
    Initial(f64),
    /// A tree looks at a feature that the forest has no name for.
    #[error("the model of quantile {0} looks at features that have no name: name all of them")]
    Unnamed(f64),
}

/// Why a forest is not used on rows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BindError {
    /// The feature at this position is another one.
    #[error(
        "failed to use the forest: feature {at} is {given:?} here and {trained:?} in the forest; \
         train it again on the features of this version"
    )]
    Differs {
        /// The position, from 0.
        at: usize,
        /// The caller's name for it.
        given: String,
        /// The name in the forest.
        trained: String,
    },
    /// The numbers of features differ.
    #[error(
        "failed to use the forest: there are {given} features here and {trained} in the forest; \
         train it again on the features of this version"
    )]
    Count {
        /// The caller's number of features.
        given: usize,
        /// Their number in the forest.
        trained: usize,
    },
}

/// A row is not as long as the list of features.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "failed to predict: a row has {given} values for {features} features; \
     give one for each, and NaN for those that are missing"
)]
pub struct RowError {
    /// The values of the row.
    pub given: usize,
    /// The features of the forest.
    pub features: usize,
}

impl Forest {
    /// Puts models and the names of their features together.
    ///
    /// # Errors
    /// When there are none or too many of either, when quantiles do not rise, when names are not
    /// unique, or when a model looks at a feature without a name.
    pub fn new(features: Vec<String>, models: Vec<Model>) -> Result<Self, ForestError> {
        check_names(&features)?;
        if !(1..=MODELS_MAX).contains(&models.len()) {
            return Err(ForestError::Models(models.len()));
        }
        let mut last = 0.0;
        for model in &models {
            let quantile = model.quantile;
            if !(quantile > last && quantile < 1.0) {
                return Err(ForestError::Quantile(quantile));
            }
            last = quantile;
            if model.trees.len() > TREES_MAX {
                return Err(ForestError::Trees(quantile));
            }
            if !model.initial.is_finite() {
                return Err(ForestError::Initial(quantile));
            }
            let mut trees = model.trees.iter();
            if !trees.all(|tree| tree.features_needed() <= features.len()) {
                return Err(ForestError::Unnamed(quantile));
            }
        }
        Ok(Self { features, models })
    }

    /// The names of the features, in the order of a row.
    #[must_use]
    pub fn features(&self) -> &[String] {
        &self.features
    }

    /// The models, in rising order of their quantiles.
    #[must_use]
    pub fn models(&self) -> &[Model] {
        &self.models
    }

    /// The models, to shift them.
    pub fn models_mut(&mut self) -> impl Iterator<Item = &mut Model> {
        self.models.iter_mut()
    }

    /// Checks once that rows hold the features that the forest was trained on, in their order.
    ///
    /// # Errors
    /// Names the first difference.
    pub fn bind<N: AsRef<str>>(&self, features: &[N]) -> Result<Bound<'_>, BindError> {
        for (at, (given, trained)) in features.iter().zip(&self.features).enumerate() {
            if given.as_ref() != trained {
                return Err(BindError::Differs {
                    at,
                    given: given.as_ref().to_owned(),
                    trained: trained.clone(),
                });
            }
        }
        if features.len() != self.features.len() {
            return Err(BindError::Count {
                given: features.len(),
                trained: self.features.len(),
            });
        }
        Ok(Bound { forest: self })
    }
}

fn check_names(features: &[String]) -> Result<(), ForestError> {
    if !(1..=FEATURES_MAX).contains(&features.len()) {
        return Err(ForestError::Features(features.len()));
    }
    let is_bad = |name: &String| name.is_empty() || name.len() > NAME_BYTES_MAX;
    if let Some(at) = features.iter().position(is_bad) {
        return Err(ForestError::Name(at));
    }
    let mut sorted: Vec<&String> = features.iter().collect();
    sorted.sort();
    let twins = sorted.iter().zip(sorted.iter().skip(1));
    if let Some((twin, _)) = twins.into_iter().find(|(a, b)| a == b) {
        return Err(ForestError::Duplicate((*twin).clone()));
    }
    Ok(())
}

/// A forest whose features are known to be those of the rows that it will be given.
#[derive(Debug, Clone, Copy)]
pub struct Bound<'a> {
    forest: &'a Forest,
}

impl Bound<'_> {
    /// The prediction for each quantile of the forest, which never fall from one to the next.
    ///
    /// Models are trained apart, so their predictions may cross. They are sorted then, which makes
    /// none of them worse on the whole (Chernozhukov, Fernandez-Val, Galichon: Quantile and
    /// probability curves without crossing, Econometrica 78, 2010).
    ///
    /// # Errors
    /// When the row has another number of values than the forest has features.
    pub fn values(&self, row: &[f32]) -> Result<Vec<f64>, RowError> {
        if row.len() != self.forest.features.len() {
            return Err(RowError {
                given: row.len(),
                features: self.forest.features.len(),
            });
        }
        let models = self.forest.models.iter();
        let mut values: Vec<f64> = models.map(|model| model.value(row)).collect();
        values.sort_by(f64::total_cmp);
        Ok(values)
    }
}

#[cfg(test)]
mod tests;
