//! Trains the models that predict what a program will need, from recorded runs of real programs,
//! and reports how well they do on programs that they have not seen.
//!
//! ```text
//! corpus/manifest.jsonl, corpus/runs.jsonl
//!   -> rows       features of each program and input; what its runs used
//!   -> judged     five times, without a fifth of the directories, which are then predicted
//!   -> trained    once more with everything, corrected by what was seen when judging
//!   -> models     as text, for the crate `predict`; a report for people
//! ```

mod corpus;
mod judge;
mod known;
mod report;
mod stream;

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use atoll_predict::{FAMILY, feature_names};
use atoll_trees::{Examples, Forest, Options, folds, train};
use clap::Parser;

use crate::corpus::{Row, read};
use crate::judge::{Judged, corrections, judge};

/// The quantiles that are predicted.
const QUANTILES: [f64; 5] = [0.5, 0.8, 0.9, 0.95, 0.99];

/// Those of them that are shipped.
const SHIPPED: [f64; 3] = [0.5, 0.9, 0.99];

/// In so many parts are the directories split.
const FOLDS: usize = 5;

type Failed = Box<dyn Error + Send + Sync>;

/// Trains what programs are predicted by, and says how well it does.
#[derive(Debug, Parser)]
struct Arguments {
    /// The directory with `manifest.jsonl` and `runs.jsonl`.
    #[arg(long, default_value = "target/corpus")]
    corpus: PathBuf,
    /// Where `memory.json` and `cpu.json` go.
    #[arg(long, default_value = "crates/predict/src/learned")]
    models: PathBuf,
    /// Where the report goes.
    #[arg(long, default_value = "docs/prediction.md")]
    report: PathBuf,
    /// Only judge; write nothing.
    #[arg(long)]
    dry: bool,
    /// Where to write what was predicted and used, a line of tab-separated values for each run.
    #[arg(long)]
    rows: Option<PathBuf>,
    /// Trees of each model.
    #[arg(long, default_value_t = 60)]
    trees: usize,
    /// Leaves of each tree.
    #[arg(long, default_value_t = 12)]
    leaves: usize,
}

/// A quantity that is predicted, as a binary logarithm.
#[derive(Debug, Clone, Copy)]
struct Quantity {
    name: &'static str,
    file: &'static str,
    of: fn(&Row) -> f64,
    /// What models say how much more a program needs than.
    beginning: fn(&Row) -> f64,
    by_table: fn(&Row) -> f64,
}

const QUANTITIES: [Quantity; 2] = [
    Quantity {
        name: "peak memory",
        file: "memory.json",
        of: |row| row.memory_bytes.max(1.0).log2(),
        beginning: |row| row.memory_beginning,
        by_table: |row| row.table_memory_bytes.max(1.0).log2(),
    },
    Quantity {
        name: "CPU time",
        file: "cpu.json",
        of: |row| row.cpu_us.max(1.0).log2(),
        beginning: |row| row.cpu_beginning,
        by_table: |row| row.table_cpu_us.max(1.0).log2(),
    },
];

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("atoll-train: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), Failed> {
    let rows = read(&arguments.corpus, false)?;
    let strange = read(&arguments.corpus, true)?;
    let options = Options {
        trees: arguments.trees,
        leaves: arguments.leaves,
        row_share: 0.8,
        feature_share: 0.5,
        leaf_rows_min: 10,
        learning_rate: 0.1,
        ..Options::default()
    };
    let mut judged = Vec::new();
    for quantity in QUANTITIES {
        say(&format!(
            "{}: judging with {} runs of {} programs in {} directories",
            quantity.name,
            rows.len(),
            corpus::programs(&rows),
            corpus::groups(&rows)
        ));
        let one = judge(&rows, &dealt(&rows, |row| &row.group)?, quantity, &options)?;
        let by_source = dealt(&rows, |row| &row.source)?;
        let strictly = judge(&rows, &by_source, quantity, &options)?;
        let hidden = judge(&strange, &by_source, quantity, &options)?;
        if !arguments.dry {
            let forest = with_everything(&rows, quantity, &options, &one)?;
            write(&arguments.models.join(quantity.file), &forest.to_text())?;
        }
        judged.push([one, strictly, hidden]);
    }
    if !arguments.dry {
        let text = stream::shipped(&rows, &judged);
        write(&arguments.models.join("scores.txt"), &text)?;
    }
    if let Some(path) = &arguments.rows {
        write(path, &report::lines(&rows, &judged))?;
    }
    let text = report::report(&rows, &judged);
    if arguments.dry {
        say(&text);
        return Ok(());
    }
    write(&arguments.report, &text)
}

/// Deals programs out to parts, those of a group to the same one.
fn dealt<'a>(rows: &'a [Row], group: fn(&'a Row) -> &'a String) -> Result<Vec<usize>, Failed> {
    let groups: Vec<&String> = rows.iter().map(group).collect();
    Ok(folds(&groups, FOLDS, 1).map_err(|error| error.to_string())?)
}

/// Trains with all rows. What it is corrected by are the errors of models that had not seen them.
fn with_everything(
    rows: &[Row],
    quantity: Quantity,
    options: &Options,
    judged: &Judged,
) -> Result<Forest, Failed> {
    let all: Vec<&Row> = rows.iter().collect();
    let mut forest = fit(&all, quantity, &SHIPPED, options)?;
    let names = feature_names();
    let family = names.iter().position(|name| name == FAMILY);
    let family = u16::try_from(family.ok_or("there is no family")?)?;
    for model in forest.models_mut() {
        let quantile = model.quantile();
        let residuals = QUANTILES.iter().zip(&judged.residuals);
        let residuals = residuals.filter(|(of, _)| of.total_cmp(&quantile).is_eq());
        for (_, residuals) in residuals {
            let corrections = corrections(residuals, quantile);
            let steps = corrections.iter().zip(0_u8..);
            let steps: Vec<(f32, f32)> = steps.map(|(by, it)| (it.into(), *by as f32)).collect();
            if let Some(((_, beyond), steps)) = steps.split_last() {
                model.shift_steps(family, steps, *beyond)?;
            }
        }
    }
    Ok(forest)
}

/// Trains models with some rows.
fn fit(
    rows: &[&Row],
    quantity: Quantity,
    quantiles: &[f64],
    options: &Options,
) -> Result<Forest, Failed> {
    let names = feature_names();
    let values: Vec<f32> = rows
        .iter()
        .flat_map(|row| row.features.iter().copied())
        .collect();
    let more = |row: &&Row| (quantity.of)(row) - (quantity.beginning)(row);
    let targets: Vec<f64> = rows.iter().map(more).collect();
    let weights: Vec<f64> = rows.iter().map(|row| row.weight).collect();
    let examples = Examples::new(names.len(), &values, &targets, Some(&weights))?;
    Ok(train(&names, &examples, None, quantiles, options)?)
}

fn write(path: &Path, text: &str) -> Result<(), Failed> {
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory)?;
    }
    fs::write(path, text)
        .map_err(|error| format!("failed to write {}: {error}", path.display()))?;
    say(&format!("wrote {}", path.display()));
    Ok(())
}

fn say(text: &str) {
    use std::io::Write as _;
    // Without a reader there is nobody to tell.
    let _ = writeln!(std::io::stderr(), "{text}");
}
