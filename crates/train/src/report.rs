//! The report, for people: what the models were trained on, and how well they do.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use atoll_trees::rank_correlation;

use crate::QUANTILES;
use crate::corpus::{Row, groups, programs};
use crate::judge::Judged;
use crate::{known, stream};

/// The report as Markdown.
pub(crate) fn report(rows: &[Row], judged: &[[Judged; 3]]) -> String {
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
    known::report(&mut out, rows, judged);
    stream::report(&mut out, rows, judged);
    out.push_str(NOTES);
    out
}

/// Each run in a line: what it was, then for each quantity what was used, what its imports alone
/// would use, and each quantile that was predicted, as binary logarithms.
pub(crate) fn lines(rows: &[Row], judged: &[[Judged; 3]]) -> String {
    let mut out = String::new();
    for (index, row) in rows.iter().enumerate() {
        let size = row.size.as_deref().unwrap_or("-");
        let _ = write!(
            out,
            "{}\t{}\t{}\t{size}",
            row.source, row.group, row.program
        );
        for [one, ..] in judged {
            let quantity = one.quantity;
            let predicted = one.predicted.get(index).into_iter().flatten();
            let used = [(quantity.of)(row), (quantity.beginning)(row)];
            for value in used.iter().chain(predicted) {
                let _ = write!(out, "\t{value:.4}");
            }
        }
        for value in &row.features {
            let _ = write!(out, "\t{value}");
        }
        out.push('\n');
    }
    out
}

const NOTES: &str = "
## How to read this

The error of a prediction is its median estimate's distance from what was used, as a part of what
was used. A bound is kept when the run stayed below it; slack is the part of the bound that was not
used. Programs weigh the same, however many runs of them there are; only the first rank correlation
counts runs.

Models say how many times more a program needs than an interpreter that does nothing but its
imports, which a table of modules tells (`crates/predict/src/table/python.txt`, measured one by
one). It has packages of some of the sources, too: \"nor their packages\" judges as if it had no
package that only one of the sources imports, so that most programs of third parties do what nobody
has measured. What bounds are corrected by comes from programs of other directories (or sources)
than those that are judged, with models that have seen neither (cross-conformal prediction), apart
for four families of imports. \"Other sources\" is the stricter question: several sources have one
program in each directory, so that other directories of the same project were trained with.

A prediction says what is set aside at first; needing more ends nothing. A policy may cut limits
to a multiple of a prediction; the default one does so for memory, between 256 and 512 MiB. See
[ARCHITECTURE.md](../ARCHITECTURE.md).
";

fn section(out: &mut String, rows: &[Row], [judged, strictly, hidden]: &[Judged; 3]) {
    let quantity = judged.quantity;
    let truths: Vec<f64> = rows.iter().map(|row| (quantity.of)(row)).collect();
    let weights: Vec<f64> = rows.iter().map(|row| row.weight).collect();
    let (first, rest) = quantity.name.split_at(1);
    let _ = write!(
        out,
        "\n## {}{rest}\n\n| predicted by | rank correlation | of programs | error p50 | error p90 \
         |\n|---|---|---|---|---|\n",
        first.to_uppercase(),
    );
    for (name, estimates) in [
        ("models, other directories", at(judged, 0)),
        ("models, other sources", at(strictly, 0)),
        ("models, other sources, nor their packages", at(hidden, 0)),
        (
            "imports alone",
            rows.iter().map(quantity.beginning).collect(),
        ),
        (
            "table of modules",
            rows.iter().map(quantity.by_table).collect(),
        ),
    ] {
        let errors = truths.iter().zip(&estimates);
        let errors = errors.map(|(truth, estimate)| ((estimate - truth).exp2() - 1.0).abs());
        let errors: Vec<f64> = errors.collect();
        let _ = writeln!(
            out,
            "| {name} | {:.3} | {:.3} | {:.0} % | {:.0} % |",
            rank_correlation(&truths, &estimates, &vec![1.0; truths.len()]),
            rank_correlation(&truths, &estimates, &weights),
            weighted_quantile(&errors, &weights, 0.5) * 100.0,
            weighted_quantile(&errors, &weights, 0.9) * 100.0
        );
    }
    ceiling(out, rows, judged);
    out.push_str("\n| bound | kept | mean slack |\n|---|---|---|\n");
    for (index, quantile) in QUANTILES.iter().enumerate() {
        let name = format!("{:.0} %", quantile * 100.0);
        bound(out, &name, &truths, &at(judged, index), &weights);
    }
    for (index, quantile) in QUANTILES.iter().enumerate().skip(2) {
        let name = format!("{:.0} %, other sources", quantile * 100.0);
        bound(out, &name, &truths, &at(strictly, index), &weights);
    }
    let name = "95 %, other sources, nor their packages";
    bound(out, name, &truths, &at(hidden, 3), &weights);
    if quantity.file == "memory.json" {
        for mib in [128.0_f64, 256.0, 512.0] {
            let fixed = vec![(mib * 1_048_576.0).log2(); rows.len()];
            bound(out, &format!("fixed {mib} MiB"), &truths, &fixed, &weights);
        }
    }
}

/// How well a run predicts another one of the same program with the same input: what no prediction
/// can be expected to go beyond.
fn ceiling(out: &mut String, rows: &[Row], judged: &Judged) {
    let mut same: BTreeMap<(&str, Option<&str>), Vec<usize>> = BTreeMap::new();
    for (index, row) in rows.iter().enumerate() {
        let key = (&*row.program, row.size.as_deref());
        same.entry(key).or_default().push(index);
    }
    let used: Vec<f64> = rows.iter().map(|row| (judged.quantity.of)(row)).collect();
    let at = |of: &[f64], index: usize| of.get(index).copied().unwrap_or(f64::NAN);
    let median = self::at(judged, 0);
    let pairs: Vec<(usize, usize)> = same
        .values()
        .filter_map(|all| Some((*all.first()?, *all.get(1)?)))
        .collect();
    if pairs.is_empty() {
        return;
    }
    let first: Vec<f64> = pairs.iter().map(|pair| at(&used, pair.0)).collect();
    let again: Vec<f64> = pairs.iter().map(|pair| at(&used, pair.1)).collect();
    let told: Vec<f64> = pairs.iter().map(|pair| at(&median, pair.0)).collect();
    let equal = vec![1.0; pairs.len()];
    let away: Vec<f64> = first.iter().zip(&again).map(|(a, b)| b - a).collect();
    let wavered = used.iter().zip(away.iter().cycle());
    let wavered: Vec<f64> = wavered.map(|(used, by)| used + by).collect();
    let changes: Vec<f64> = away
        .iter()
        .map(|by| (by.abs().exp2() - 1.0) * 100.0)
        .collect();
    let _ = writeln!(
        out,
        "\n{} inputs were run twice. From the first to the second time, the median change is \
         {:.0} %,\nthat of one in ten {:.0} % or more, and ranks correlate by {:.3}; these first \
         runs and the models of\nother directories, by {:.3}. All runs, changed by as much as \
         these, would correlate with what they\nwere by {:.3}: about the most that any prediction \
         of a single run can reach.",
        pairs.len(),
        weighted_quantile(&changes, &equal, 0.5),
        weighted_quantile(&changes, &equal, 0.9),
        rank_correlation(&first, &again, &equal),
        rank_correlation(&first, &told, &equal),
        rank_correlation(&used, &wavered, &vec![1.0; used.len()]),
    );
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
    let reached = cumulated(values, weights).find(|(_, share)| *share >= quantile);
    reached.map_or(f64::NAN, |(value, _)| value)
}

/// Values in their order, each with the share of all weights that it and those before it have.
pub(crate) fn cumulated(values: &[f64], weights: &[f64]) -> impl Iterator<Item = (f64, f64)> {
    let weighted = values.iter().copied().zip(weights.iter().copied());
    let mut pairs: Vec<(f64, f64)> = weighted.collect();
    pairs.sort_by(|one, other| one.0.total_cmp(&other.0));
    let all: f64 = weights.iter().sum();
    let mut so_far = 0.0;
    pairs.into_iter().map(move |(value, weight)| {
        so_far += weight;
        (value, so_far / all)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

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
