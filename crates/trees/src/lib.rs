//! Learns quantiles of a quantity from examples, and keeps what it promises of them true.
//!
//! - [`train()`] makes a [`Forest`] of gradient-boosted decision trees; [`Forest::bind`] predicts.
//! - Later modules.
//!
//! The crate is pure: no input or output, no clock, no randomness but that of a given seed. It does
//! not know what the features and quantities mean.

mod bins;
mod examples;
mod forest;
mod format;
mod grow;
mod quantile;
mod random;
mod train;
mod tree;

pub use bins::BINS_MAX;
pub use examples::{Examples, ExamplesError, ROWS_MAX};
pub use forest::{
    BindError, Bound, FEATURES_MAX, Forest, ForestError, MODELS_MAX, Model, NAME_BYTES_MAX,
    RowError, TREES_MAX,
};
pub use format::{ReadError, TEXT_BYTES_MAX};
pub use quantile::pinball_loss;
pub use train::{Options, TrainError, train};
pub use tree::LEAVES_MAX;
