//! How bounds fare that follow a tenant's runs, on the recorded ones in an order in which they
//! change: what is reported, and what the following begins with.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt::Write as _;

use atoll_predict::{BOUNDS_MAX, follow};
use atoll_trees::{Adaptation, Scores};
use atoll_types::ProgramHash;

use crate::QUANTILES;
use crate::corpus::Row;
use crate::judge::Judged;
use crate::report::cumulated;

/// Runs of a window.
const WINDOW: usize = 500;

/// As many scores are shipped for each quantity.
const SCORES: usize = 99;

/// How far each run was above the bound at a quantile.
fn scores(rows: &[Row], judged: &Judged, quantile: f64) -> Vec<f64> {
    let at = QUANTILES
        .iter()
        .position(|it| it.total_cmp(&quantile).is_eq());
    let told = |values: &Vec<f64>| at.and_then(|at| values.get(at)).copied();
    let pairs = rows.iter().zip(&judged.predicted);
    pairs
        .map(|(row, values)| (judged.quantity.of)(row) - told(values).unwrap_or_default())
        .collect()
}

/// The percentiles of a few scores, where programs weigh the same.
fn percentiles(scores: &[f64], weights: &[f64]) -> Vec<f64> {
    let mut found = Vec::new();
    for (score, share) in cumulated(scores, weights) {
        while found.len() < SCORES && share >= (found.len() as f64 + 1.0) / 100.0 {
            found.push(score);
        }
    }
    found
}

/// What models are corrected by for a tenant of whom nothing is known, as text: the percentiles of
/// how far programs of other directories were above the bound that nine in ten stay below.
pub(crate) fn shipped(rows: &[Row], judged: &[[Judged; 3]]) -> String {
    let mut out =
        "# how far runs were above the p90 of memory, then of CPU time: percentiles\n".to_owned();
    let weights: Vec<f64> = rows.iter().map(|row| row.weight).collect();
    for [one, ..] in judged {
        let scores = percentiles(&scores(rows, one, 0.9), &weights);
        let texts: Vec<String> = scores.iter().map(|score| format!("{score:.3}")).collect();
        let _ = writeln!(out, "{}", texts.join(" "));
    }
    out
}

/// How bounds of a tenant fare that sends these runs in an order, with what grows on the way.
fn row(out: &mut String, name: &str, scores: &[f64], global: &Scores) {
    let adaptation = Adaptation {
        coverage: 0.95,
        ..Adaptation::default()
    };
    let mut fared: Vec<(f64, f64)> = Vec::new();
    for score in scores {
        let newest = fared.len().saturating_sub(BOUNDS_MAX);
        let near = fared.get(newest..).unwrap_or_default();
        let given = follow(&adaptation, near, global).unwrap_or_default();
        fared.push((*score, given));
    }
    let plain: Vec<bool> = scores.iter().map(|score| *score <= 0.0).collect();
    let followed: Vec<bool> = fared.iter().map(|(score, given)| score <= given).collect();
    let wider = fared.iter().map(|(_, given)| given).sum::<f64>() / fared.len().max(1) as f64;
    let share = |kept: &[bool]| {
        let kept_count = kept.iter().filter(|kept| **kept).count();
        kept_count as f64 / kept.len().max(1) as f64 * 100.0
    };
    let worst = |kept: &[bool]| kept.windows(WINDOW).map(share).fold(100.0, f64::min);
    let _ = writeln!(
        out,
        "| {name} | {:.1} % | {:.1} % | {:.1} % | {:.1} % | {:.2} |",
        share(&plain),
        worst(&plain),
        share(&followed),
        worst(&followed),
        wider.exp2()
    );
}

/// The section of the report.
pub(crate) fn report(out: &mut String, rows: &[Row], judged: &[[Judged; 3]]) {
    out.push_str(
        "\n## While work changes\n\nOne tenant sends all recorded runs, one after the other. Models \
         that have not seen their source say\na bound of 95 %, which then follows how the tenant's \
         newest 100 runs \
         fared.\n\n| order | kept without | worst 500 | kept | worst 500 | times \
         wider |\n|---|---|---|---|---|---|\n",
    );
    let weights: Vec<f64> = rows.iter().map(|row| row.weight).collect();
    for [_, one, _] in judged {
        let scores = scores(rows, one, 0.95);
        let mut global = Scores::default();
        for score in percentiles(&scores, &weights) {
            global.push(score);
        }
        let mut mixed: Vec<usize> = (0..rows.len()).collect();
        mixed.sort_by_cached_key(|index| ProgramHash::of(&index.to_le_bytes()));
        let mut sources: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for index in &mixed {
            if let Some(row) = rows.get(*index) {
                sources.entry(&row.source).or_default().push(*index);
            }
        }
        let mut by_size: Vec<&Vec<usize>> = sources.values().collect();
        by_size.sort_by_key(|source| Reverse(source.len()));
        let by_source: Vec<usize> = by_size.into_iter().flatten().copied().collect();
        let of = |order: &[usize]| -> Vec<f64> {
            let found = order.iter().filter_map(|index| scores.get(*index));
            found.copied().collect()
        };
        let half = rows.len() / 2;
        let grown = of(&mixed).into_iter().enumerate();
        let grown = grown.map(|(step, score)| if step < half { score } else { score + 2.0 });
        let drifting = of(&mixed).into_iter().enumerate();
        let drifting = drifting.map(|(step, score)| score + step as f64 / rows.len() as f64 * 2.0);
        let name = one.quantity.name;
        row(out, &format!("{name}, mixed"), &of(&mixed), &global);
        row(
            out,
            &format!("{name}, source after source"),
            &of(&by_source),
            &global,
        );
        let grown: Vec<f64> = grown.collect();
        row(
            out,
            &format!("{name}, four times as much from the middle on"),
            &grown,
            &global,
        );
        let drifting: Vec<f64> = drifting.collect();
        row(
            out,
            &format!("{name}, growing to four times as much"),
            &drifting,
            &global,
        );
    }
}
