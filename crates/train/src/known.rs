//! How well laws of cost by size of input tell what a known program needs with another input.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use atoll_trees::Law;

use crate::corpus::Row;
use crate::judge::Judged;

/// Other sizes that a law is made of, at least.
const OTHERS_MIN: usize = 3;

/// The size of an input, from its name: `n=1600`.
fn size(row: &Row) -> Option<f64> {
    row.size.as_ref()?.split_once('=')?.1.parse().ok()
}

/// The section of the report: each size of each program is told from its other sizes.
pub(crate) fn report(out: &mut String, rows: &[Row], judged: &[[Judged; 3]]) {
    out.push_str(
        "\n## Known programs with another input\n\nEach size of the input of each program is told \
         from runs with its other sizes, where they follow a\nlaw; the largest ones lie beyond all \
         others.\n\n| quantity | sizes | told | error p50 | error p90 | below the upper end |\n\
         |---|---|---|---|---|---|\n",
    );
    let mut programs: BTreeMap<&str, Vec<(f64, &Row)>> = BTreeMap::new();
    for row in rows {
        if let Some(size) = size(row) {
            programs.entry(&row.program).or_default().push((size, row));
        }
    }
    for [one, ..] in judged {
        for beyond in [false, true] {
            let (mut asked, mut told_of) = (0_usize, 0_usize);
            let (mut errors, mut below) = (Vec::new(), 0_usize);
            for runs in programs.values() {
                let greatest = runs.iter().map(|(size, _)| *size).fold(0.0, f64::max);
                let mut sizes: Vec<f64> = runs.iter().map(|(size, _)| *size).collect();
                sizes.sort_by(f64::total_cmp);
                sizes.dedup();
                if sizes.len() <= OTHERS_MIN {
                    continue;
                }
                let wanted = |size: &&f64| (**size >= greatest) == beyond;
                for size in sizes.iter().filter(wanted) {
                    let is_other = |(other, _): &&(f64, &Row)| (other - size).abs() > 0.0;
                    let used = |row: &Row| (one.quantity.of)(row).exp2();
                    let others = runs.iter().filter(is_other);
                    let others: Vec<(f64, f64)> =
                        others.map(|(at, row)| (*at, used(row))).collect();
                    asked = asked.saturating_add(1);
                    let Some(law) = Law::fit(&others).and_then(|law| law.predict(*size)) else {
                        continue;
                    };
                    told_of = told_of.saturating_add(1);
                    for (_, row) in runs.iter().filter(|run| !is_other(run)) {
                        errors.push((law.cost - used(row)).abs() / used(row) * 100.0);
                        below = below.saturating_add(usize::from(used(row) <= law.high));
                    }
                }
            }
            let count = errors.len().max(1) as f64;
            errors.sort_by(f64::total_cmp);
            let at = |share: f64| {
                let index = (errors.len().saturating_sub(1) as f64 * share).round() as usize;
                errors.get(index).copied().unwrap_or_default()
            };
            let _ = writeln!(
                out,
                "| {}, {} | {asked} | {:.0} % | {:.0} % | {:.0} % | {:.0} % |",
                one.quantity.name,
                if beyond { "largest" } else { "others" },
                told_of as f64 / asked.max(1) as f64 * 100.0,
                at(0.5),
                at(0.9),
                below as f64 / count * 100.0
            );
        }
    }
}
