//! Learns quantiles of a quantity from examples, and keeps what it promises of them true.
//!
//! - [`train()`] makes a [`Forest`] of gradient-boosted decision trees; [`Forest::bind`] predicts.
//! - [`weighted_conformal`] corrects a model by examples that it has not seen, and [`folds`] keeps
//!   groups of examples together while it is evaluated.
//! - [`Law`] says how the cost of a known program grows with its input.
//! - [`rank_correlation`] says how far estimates order things as the truth does.
//! - [`Stream`] keeps bounds true while work changes, and [`Sketch`] keeps quantiles of past work.
//!
//! The crate is pure: no input or output, no clock, no randomness but that of a given seed. It does
//! not know what the features and quantities mean.

mod adaptive;
mod bins;
mod conformal;
mod examples;
mod forest;
mod format;
mod grow;
mod law;
mod quantile;
mod random;
mod rank;
mod sketch;
mod train;
mod tree;

pub use adaptive::{Adaptation, AdaptiveError, SCORES_MAX, Scores, Stream};
pub use bins::BINS_MAX;
pub use conformal::{FoldsError, folds, weighted_conformal};
pub use examples::{Examples, ExamplesError, ROWS_MAX};
pub use forest::{
    BindError, Bound, FEATURES_MAX, Forest, ForestError, MODELS_MAX, Model, NAME_BYTES_MAX,
    RowError, StepsError, TREES_MAX,
};
pub use format::{ReadError, TEXT_BYTES_MAX};
pub use law::{
    EXTRAPOLATION_MAX, Law, LawPrediction, RANGE_MIN, RUNS_MAX, SIZES_MIN, SPREAD_MAX, Shape,
};
pub use quantile::pinball_loss;
pub use rank::rank_correlation;
pub use sketch::{Sketch, SketchError};
pub use train::{Options, TrainError, train};
pub use tree::LEAVES_MAX;
