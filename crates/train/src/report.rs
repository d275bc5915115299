//! The report, for people: what the models were trained on, and how well they do.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::QUANTILES;
use crate::corpus::{Row, groups, programs};
use crate::judge::Judged;

/// The report as Markdown.
pub(crate) fn report(rows: &[Row], judged: &[Judged]) -> String {
    let mut out = format!(
        "# How well programs are predicted\n\nWritten by `atoll-train` from {} recorded runs of {} \
         programs in {} directories. Each\nprogram is predicted by models that have seen none of \
         its directory.\n\n## The programs\n\n| source | programs | runs | directories | memory \
         p10 / p50 / p90 / p99 (MiB) | CPU time p10 / p50 / p90 / p99 (ms) |\n|---|---|---|---|---|---|\n",
        rows.len(),
        programs(rows),
        groups(rows)
    );
    let mut sources: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
    for row in rows {
        sources.entry(&row.source).or_default().push(row);
    }
    for (source, rows) in &sources {
        let distinct = |of: fn(&Row) -> &str| {
            let all: BTreeSet<&str> = rows.iter().map(|row| of(row)).collect();
            all.len()
        };
        let memory = quantiles(rows.iter().map(|row| row.memory_bytes / 1_048_576.0));
        let cpu = quantiles(rows.iter().map(|row| row.cpu_us / 1000.0));
        let _ = writeln!(
            out,
            "| {source} | {} | {} | {} | {memory} | {cpu} |",
            distinct(|row| &row.program),
            rows.len(),
            distinct(|row| &row.group)
        );
    }
    for one in judged {
        section(&mut out, rows, one);
    }
    out.push_str(NOTES);
    out
}

const NOTES: &str = "
## How to read this

The error of a prediction is its median estimate's distance from what was used, as a part of what
was used. A bound is kept when the run stayed below it; slack is the part of the bound that was not
used. Programs weigh the same, however many runs of them there are. Quantiles are corrected by the
errors on directories that were neither trained with nor predicted (split conformal prediction).

A prediction says what is set aside at first; needing more ends nothing. A policy may cut limits
to a multiple of a prediction; the default one does so for memory, between 256 and 512 MiB. See
[ARCHITECTURE.md](../ARCHITECTURE.md). Several sources have one program in each directory, so that
other directories of the same project were trained with.
";

fn section(out: &mut String, rows: &[Row], judged: &Judged) {
    let truths: Vec<f64> = rows.iter().map(|row| (judged.quantity.of)(row)).collect();
    let table: Vec<f64> = rows
        .iter()
        .map(|row| (judged.quantity.by_table)(row))
        .collect();
    let median: Vec<f64> = at(judged, 0);
    let weights: Vec<f64> = rows.iter().map(|row| row.weight).collect();
    let _ = write!(
        out,
        "\n## {}{}\n\n| predicted by | rank correlation (Spearman) | error p50 | error p90 |\n\
         |---|---|---|---|\n",
        judged
            .quantity
            .name
            .get(..1)
            .unwrap_or_default()
            .to_uppercase(),
        judged.quantity.name.get(1..).unwrap_or_default()
    );
    for (name, estimates) in [("models", &median), ("table of modules", &table)] {
        let errors = truths.iter().zip(estimates).map(|(truth, estimate)| {
            let (truth, estimate) = (truth.exp2(), estimate.exp2());
            (estimate - truth).abs() / truth
        });
        let errors: Vec<f64> = errors.collect();
        let _ = writeln!(
            out,
            "| {name} | {:.3} | {:.0} % | {:.0} % |",
            spearman(&truths, estimates),
            weighted_quantile(&errors, &weights, 0.5) * 100.0,
            weighted_quantile(&errors, &weights, 0.9) * 100.0
        );
    }
    out.push_str("\n| bound | kept | mean slack |\n|---|---|---|\n");
    for (index, quantile) in QUANTILES.iter().enumerate() {
        bound(
            out,
            &format!("{:.0} %", quantile * 100.0),
            &truths,
            &at(judged, index),
            &weights,
        );
    }
    if judged.quantity.file == "memory.json" {
        for mib in [128.0_f64, 256.0, 512.0] {
            let fixed = vec![(mib * 1_048_576.0).log2(); rows.len()];
            bound(out, &format!("fixed {mib} MiB"), &truths, &fixed, &weights);
        }
    }
}

fn at(judged: &Judged, index: usize) -> Vec<f64> {
    let all = judged.predicted.iter();
    all.map(|row| row.get(index).copied().unwrap_or(f64::NAN))
        .collect()
}

fn bound(out: &mut String, name: &str, truths: &[f64], bounds: &[f64], weights: &[f64]) {
    let all: f64 = weights.iter().sum();
    let mean = |value: &dyn Fn(f64, f64) -> f64| {
        let parts = truths.iter().zip(bounds).zip(weights);
        parts
            .map(|((truth, bound), weight)| value(*truth, *bound) * weight)
            .sum::<f64>()
            / all
    };
    let kept = mean(&|truth, bound| f64::from(u8::from(truth <= bound)));
    let slack = mean(&|truth, bound| (1.0 - (truth - bound).exp2()).max(0.0));
    let _ = writeln!(
        out,
        "| {name} | {:.1} % | {:.0} % |",
        kept * 100.0,
        slack * 100.0
    );
}

fn quantiles(values: impl Iterator<Item = f64>) -> String {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let texts = [0.1, 0.5, 0.9, 0.99].map(|quantile| {
        let last = values.len().saturating_sub(1) as f64;
        let value = values.get((last * quantile).round() as usize);
        let value = value.copied().unwrap_or_default();
        if value < 10.0 {
            format!("{value:.1}")
        } else {
            format!("{value:.0}")
        }
    });
    texts.join(" / ")
}

fn weighted_quantile(values: &[f64], weights: &[f64], quantile: f64) -> f64 {
    let mut pairs: Vec<(f64, f64)> = values
        .iter()
        .copied()
        .zip(weights.iter().copied())
        .collect();
    pairs.sort_by(|one, other| one.0.total_cmp(&other.0));
    let all: f64 = weights.iter().sum();
    let mut so_far = 0.0;
    for (value, weight) in pairs {
        so_far += weight;
        if so_far >= all * quantile {
            return value;
        }
    }
    f64::NAN
}

/// The correlation of ranks; equal values share the middle of theirs.
fn spearman(one: &[f64], other: &[f64]) -> f64 {
    let (one, other) = (ranks(one), ranks(other));
    let mean = (one.len() as f64 - 1.0) / 2.0;
    let sum = |a: &[f64], b: &[f64]| {
        let pairs = a.iter().zip(b);
        pairs.map(|(a, b)| (a - mean) * (b - mean)).sum::<f64>()
    };
    sum(&one, &other) / (sum(&one, &one) * sum(&other, &other)).sqrt()
}

fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<(usize, f64)> = values.iter().copied().enumerate().collect();
    order.sort_by(|one, other| one.1.total_cmp(&other.1));
    let mut ranks = vec![0.0; values.len()];
    let mut before = 0_usize;
    for equal in order.chunk_by(|one, other| one.1.total_cmp(&other.1).is_eq()) {
        let rank = before as f64 + (equal.len() as f64 - 1.0) / 2.0;
        for (index, _) in equal {
            if let Some(place) = ranks.get_mut(*index) {
                *place = rank;
            }
        }
        before = before.saturating_add(equal.len());
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_all_that_ranks_see() {
        let near = |value: f64, expected: f64| assert!((value - expected).abs() < 1e-9, "{value}");
        near(spearman(&[1.0, 2.0, 30.0], &[1.0, 4.0, 5.0]), 1.0);
        near(spearman(&[1.0, 2.0, 3.0], &[3.0, 2.0, 1.0]), -1.0);
        assert_eq!(ranks(&[5.0, 1.0, 5.0]), [1.5, 0.0, 1.5]);
    }

    #[test]
    fn a_bound_that_is_met_exactly_is_kept_without_slack() {
        let mut out = String::new();
        bound(&mut out, "x", &[3.0, 4.0], &[3.0, 5.0], &[1.0, 1.0]);
        assert_eq!(out, "| x | 100.0 % | 25 % |\n");
    }

    #[test]
    fn a_heavy_value_is_the_median() {
        let median = weighted_quantile(&[3.0, 1.0, 2.0], &[1.0, 10.0, 1.0], 0.5);
        assert_eq!(median.to_bits(), 1.0_f64.to_bits());
    }
}
