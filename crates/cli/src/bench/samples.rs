//! Figures from measured times, as rows of a table or lines of JSON.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::args::BenchArgs;
use crate::error::CliError;
use crate::json;
use crate::terminal::{print, time};

/// Times of one subject at one workload.
#[derive(Debug, Clone, Default)]
pub(super) struct Samples {
    times_us: Vec<u64>,
    cpu_us: u64,
}

impl Samples {
    pub(super) fn add(&mut self, time_us: u64) {
        self.times_us.push(time_us);
    }

    /// Adds CPU time that all samples together have used.
    pub(super) fn add_cpu(&mut self, cpu: Duration) {
        let cpu_us = u64::try_from(cpu.as_micros()).unwrap_or(u64::MAX);
        self.cpu_us = self.cpu_us.saturating_add(cpu_us);
    }

    /// The row of samples that were taken one after the other.
    pub(super) fn row(&self, bench: &'static str, subject: &str, workload: &str) -> Row {
        let sum_us: u64 = self.times_us.iter().sum();
        self.row_at(bench, subject, workload, 1, Duration::from_micros(sum_us))
    }

    /// The row of samples that were taken so many at a time, and took so long together.
    pub(super) fn row_at(
        &self,
        bench: &'static str,
        subject: &str,
        workload: &str,
        concurrency: u32,
        taken: Duration,
    ) -> Row {
        let mut sorted = self.times_us.clone();
        sorted.sort_unstable();
        let n = sorted.len() as u64;
        let taken_s = taken.as_secs_f64();
        Row {
            bench,
            subject: subject.to_owned(),
            workload: workload.to_owned(),
            concurrency,
            n,
            p50_us: quantile(&sorted, 50),
            p99_us: quantile(&sorted, 99),
            max_us: sorted.last().copied().unwrap_or(0),
            per_second: if taken_s > 0.0 {
                (n as f64 * 10.0 / taken_s).round() / 10.0
            } else {
                0.0
            },
            cpu_us_each: self.cpu_us.checked_div(n).filter(|cpu_us| *cpu_us > 0),
        }
    }
}

/// The smallest sample that at least `percent` of all samples do not exceed (nearest rank).
fn quantile(sorted: &[u64], percent: usize) -> u64 {
    let rank = sorted.len().saturating_mul(percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or(0)
}

/// One line of results.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Row {
    bench: &'static str,
    subject: String,
    workload: String,
    concurrency: u32,
    n: u64,
    pub(super) p50_us: u64,
    p99_us: u64,
    max_us: u64,
    pub(super) per_second: f64,
    /// CPU time of each, with all its processes; null where it was not measured.
    cpu_us_each: Option<u64>,
}

impl Row {
    /// A row that something else has measured.
    pub(super) fn of_another(
        bench: &'static str,
        subject: &str,
        workload: &str,
        concurrency: u32,
        measured: Measured,
    ) -> Self {
        let whole = |value: f64| value.round() as u64;
        Self {
            bench,
            subject: subject.to_owned(),
            workload: workload.to_owned(),
            concurrency,
            n: measured.n,
            p50_us: whole(measured.p50_us),
            p99_us: whole(measured.p99_us),
            max_us: whole(measured.max_us),
            per_second: measured.per_second,
            cpu_us_each: Some(whole(measured.cpu_us_each)),
        }
    }

    pub(super) const fn cpu_us_each(&self) -> Option<u64> {
        self.cpu_us_each
    }

    pub(super) fn is_of(&self, subject: &str, workload: &str, concurrency: u32) -> bool {
        self.subject == subject && self.workload == workload && self.concurrency == concurrency
    }
}

/// What a program that measures itself prints.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(super) struct Measured {
    n: u64,
    p50_us: f64,
    p99_us: f64,
    max_us: f64,
    pub(super) per_second: f64,
    pub(super) cpu_us_each: f64,
}

/// One figure made from others, or measured by itself.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Figure {
    pub(super) figure: &'static str,
    pub(super) value: f64,
    #[serde(skip)]
    pub(super) shown: String,
}

impl Figure {
    /// How many times one is the other, when both were measured.
    pub(super) fn ratio(
        figure: &'static str,
        over: Option<f64>,
        under: Option<f64>,
        decimals: usize,
    ) -> Option<Self> {
        let value = over? / under.filter(|under| *under > 0.0)?;
        Some(Self {
            figure,
            value,
            shown: format!("{value:.decimals$}"),
        })
    }
}

/// Prints everything, as the arguments ask for it.
pub(super) fn show(args: &BenchArgs, rows: &[Row], figures: &[Figure]) -> Result<u8, CliError> {
    print(&if args.json {
        as_json(rows, figures)
    } else {
        as_text(rows, figures)
    })?;
    Ok(0)
}

/// Everything as JSON, an object a line.
fn as_json(rows: &[Row], figures: &[Figure]) -> String {
    rows.iter()
        .map(json::line)
        .chain(figures.iter().map(json::line))
        .collect()
}

/// Everything as text.
fn as_text(rows: &[Row], figures: &[Figure]) -> String {
    let mut out = format!(
        "{:<12} {:<16} {:>8} {:>7} {:>9} {:>9} {:>9} {:>10} {:>9}\n",
        "subject", "workload", "at once", "n", "p50", "p99", "max", "per second", "CPU each"
    );
    for row in rows {
        let cpu = row.cpu_us_each.map_or_else(|| "-".to_owned(), time);
        out.push_str(&format!(
            "{:<12} {:<16} {:>8} {:>7} {:>9} {:>9} {:>9} {:>10.1} {cpu:>9}\n",
            row.subject,
            row.workload,
            row.concurrency,
            row.n,
            time(row.p50_us),
            time(row.p99_us),
            time(row.max_us),
            row.per_second,
        ));
    }
    for figure in figures {
        out.push_str(&format!("{}: {}\n", figure.figure, figure.shown));
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_row_has_the_documented_fields() {
        let mut samples = Samples::default();
        for time_us in 1..=100 {
            samples.add(time_us);
        }
        samples.add_cpu(Duration::from_micros(1_000));
        let row = samples.row("run", "atoll", "hello");
        let value: Value = serde_json::from_str(&as_json(&[row], &[])).unwrap();
        let expected = json!({
            "bench": "run", "subject": "atoll", "workload": "hello", "concurrency": 1, "n": 100,
            "p50_us": 50, "p99_us": 99, "max_us": 100, "per_second": 19802.0, "cpu_us_each": 10,
        });
        assert_eq!(value, expected);
    }

    proptest! {
        #[test]
        fn quantiles_are_samples_in_order(mut times: Vec<u64>) {
            times.sort_unstable();
            let quantiles = [quantile(&times, 50), quantile(&times, 99), quantile(&times, 100)];
            prop_assert!(quantiles.is_sorted());
            if let Some(max) = times.last() {
                prop_assert_eq!(quantiles[2], *max);
                prop_assert!(times.contains(&quantiles[0]));
            }
        }
    }
}
