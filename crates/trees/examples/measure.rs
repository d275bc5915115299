//! Measures how long training and prediction take, and how large a forest is as text.
//!
//! ```text
//! cargo run --release -p atoll-trees --example measure
//! ```
//!
//! Five quantiles of 200 trees with 15 leaves each are trained on 3,000 synthetic rows of 80
//! features. Predictions are of rows in random order, so that branches are hard to foresee.

#![allow(clippy::print_stdout, reason = "what it measures is what it is for")]

use std::error::Error;
use std::hint::black_box;
use std::time::Instant;

use atoll_trees::{Examples, Forest, Options, train};

const ROWS: usize = 3000;
const FEATURES: usize = 80;
const QUANTILES: [f64; 5] = [0.5, 0.8, 0.9, 0.95, 0.99];
const REPETITIONS: u32 = 7;

fn main() -> Result<(), Box<dyn Error>> {
    let (values, targets) = rows();
    let examples = Examples::new(FEATURES, &values, &targets, None)?;
    let names: Vec<String> = (0..FEATURES).map(|at| format!("feature_{at}")).collect();
    for (row_share, feature_share) in [(1.0, 1.0), (0.8, 0.5)] {
        let options = Options {
            row_share,
            feature_share,
            ..Options::default()
        };
        let start = Instant::now();
        let forest = train(&names, &examples, None, &QUANTILES, &options)?;
        let per_model = start.elapsed() / u32::try_from(QUANTILES.len())?;
        println!(
            "training: {per_model:.2?} for each of {} models ({row_share} of rows, \
             {feature_share} of features)",
            QUANTILES.len()
        );
        predict(&forest, &values)?;
    }
    Ok(())
}

fn predict(forest: &Forest, values: &[f32]) -> Result<(), Box<dyn Error>> {
    let text = forest.to_text();
    let start = Instant::now();
    let forest = Forest::from_text(&text)?;
    println!(
        "as text: {} bytes, read in {:.2?}",
        text.len(),
        start.elapsed()
    );
    let bound = forest.bind(forest.features())?;
    let mut means = Vec::new();
    for _ in 0..REPETITIONS {
        let start = Instant::now();
        for row in values.chunks(FEATURES) {
            black_box(bound.values(black_box(row))?);
        }
        means.push(start.elapsed() / u32::try_from(ROWS)?);
    }
    means.sort();
    println!(
        "prediction of {} quantiles: {means:.2?} each, sorted",
        forest.models().len()
    );
    Ok(())
}

/// Rows as analysis gives them: counts, sizes in powers of two, flags, and values that are missing.
fn rows() -> (Vec<f32>, Vec<f64>) {
    let mut state = 1_u64;
    let mut uniform = move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 40) as f32 / (1_u64 << 24) as f32
    };
    let mut values = Vec::with_capacity(ROWS * FEATURES);
    let mut targets = Vec::with_capacity(ROWS);
    for _ in 0..ROWS {
        let row: Vec<f32> = (0..FEATURES)
            .map(|feature| match feature % 4 {
                0 => uniform() * 20.0,
                1 => (uniform() * 12.0).floor(),
                2 => uniform().round(),
                _ if uniform() < 0.3 => f32::NAN,
                _ => uniform(),
            })
            .collect();
        let known = row.iter().filter(|value| !value.is_nan()).take(12);
        let sum: f32 = known
            .enumerate()
            .map(|(at, value)| (value * (at as f32 + 1.0)).sin())
            .sum();
        targets.push(f64::from(sum + uniform() * uniform() * 4.0));
        values.extend(row);
    }
    (values, targets)
}
