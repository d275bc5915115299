//! What is made of runs: how much was set aside and not used, how predictions fared, and how other
//! ways of setting memory aside would have.

use std::collections::BTreeMap;

use atoll_engine::rank_correlation;
use atoll_types::{LimitName, Outcome, Quantiles, Status};

use super::ended_well;
use crate::bench::samples::{Figure, Row, Samples};
use crate::terminal::size;

const MIB: f64 = 1_048_576.0;

/// Sizes that are fixed for all programs, in MiB.
const FIXED_MIB: [f64; 3] = [128.0, 256.0, 512.0];

/// The Kubernetes vertical pod autoscaler: the 90th percentile of what was seen, and 15 % more;
/// after a program was ended, a fifth more than it had, or 100 MiB more where that is more
/// (its recommender's defaults, without rounding up to its buckets).
const VPA_QUANTILE: f64 = 0.9;
const VPA_MARGIN: f64 = 1.15;
const VPA_BUMP: f64 = 1.2;
const VPA_BUMP_MIB: f64 = 100.0;

/// Autopilot's moving maximum: of as many programs before, with a tenth more.
const WINDOW: usize = 64;
const WINDOW_MARGIN: f64 = 1.1;

/// What one run showed.
#[derive(Debug)]
struct Seen {
    program: usize,
    peak_bytes: f64,
    cpu_us: f64,
    /// Used over the time that it ran, in bytes times seconds; and set aside.
    used_area: f64,
    reserved_area: f64,
    seconds: f64,
    memory: Quantiles,
    cpu: Quantiles,
    deviations: usize,
}

impl Seen {
    fn of(program: usize, outcome: &Outcome) -> Option<Self> {
        let adaptation = outcome.adaptation.as_ref()?;
        let profile = outcome.profile.as_ref()?;
        let seconds = outcome.usage.wall_time_us.max(1) as f64 / 1e6;
        Some(Self {
            program,
            peak_bytes: outcome.usage.memory_peak_bytes as f64,
            cpu_us: outcome.usage.cpu_time_us as f64,
            used_area: adaptation.used_mean_bytes as f64 * seconds,
            reserved_area: adaptation.reserved_mean_bytes as f64 * seconds,
            seconds,
            memory: profile.memory_footprint.quantiles,
            cpu: profile.cpu_demand.quantiles,
            deviations: adaptation.deviations.len(),
        })
    }
}

/// Runs that are judged together.
#[derive(Debug, Default)]
pub(super) struct Runs {
    seen: Vec<Seen>,
    killed: u64,
    otherwise: u64,
    analyzing: Samples,
    predicting: Samples,
    /// All that goes before a decision, but for reading history.
    judging: Samples,
}

/// The names of figures on what Atoll did, in their order.
pub(super) type Names = [&'static str; 13];

pub(super) const UNSEEN: Names = [
    "programs",
    "ended_otherwise",
    "killed_for_memory",
    "memory_slack_percent",
    "memory_reserved_mean_bytes",
    "admitted_over_fixed_128",
    "memory_rank_correlation",
    "memory_error_median_percent",
    "cpu_time_error_median_percent",
    "memory_below_p50_percent",
    "memory_below_p90_percent",
    "memory_below_p99_percent",
    "deviations_per_1000",
];

pub(super) const KNOWN: Names = [
    "known_runs",
    "known_ended_otherwise",
    "known_killed_for_memory",
    "known_memory_slack_percent",
    "known_memory_reserved_mean_bytes",
    "known_admitted_over_fixed_128",
    "known_memory_rank_correlation",
    "known_memory_error_median_percent",
    "known_cpu_time_error_median_percent",
    "known_memory_below_p50_percent",
    "known_memory_below_p90_percent",
    "known_memory_below_p99_percent",
    "known_deviations_per_1000",
];

/// The names of slack and kills of each other way.
pub(super) type OthersNames = [[&'static str; 2]; 5];

pub(super) const UNSEEN_OTHERS: OthersNames = [
    ["fixed_128_slack_percent", "fixed_128_killed"],
    ["fixed_256_slack_percent", "fixed_256_killed"],
    ["fixed_512_slack_percent", "fixed_512_killed"],
    ["vpa_slack_percent", "vpa_killed"],
    ["moving_max_slack_percent", "moving_max_killed"],
];

pub(super) const KNOWN_OTHERS: OthersNames = [
    ["known_fixed_128_slack_percent", "known_fixed_128_killed"],
    ["known_fixed_256_slack_percent", "known_fixed_256_killed"],
    ["known_fixed_512_slack_percent", "known_fixed_512_killed"],
    ["known_vpa_slack_percent", "known_vpa_killed"],
    ["known_moving_max_slack_percent", "known_moving_max_killed"],
];

impl Runs {
    /// Takes a run in; `None` is one that could not even begin.
    pub(super) fn add(&mut self, program: usize, outcome: Option<&Outcome>) {
        let Some(outcome) = outcome else {
            self.otherwise = self.otherwise.saturating_add(1);
            return;
        };
        let taken = |stage: &str| {
            let taken = outcome.timings_us.stages.get(stage);
            taken.copied().unwrap_or(0)
        };
        self.analyzing.add(taken("analyze"));
        self.predicting.add(taken("predict"));
        let all = ["analyze", "risk", "predict", "decide"].map(taken);
        self.judging.add(all.iter().sum());
        match outcome.limit.map(|limit| limit.name) {
            _ if ended_well(outcome) => self.seen.extend(Seen::of(program, outcome)),
            Some(LimitName::Memory) if outcome.status == Status::Limit => {
                self.killed = self.killed.saturating_add(1);
            }
            _ => self.otherwise = self.otherwise.saturating_add(1),
        }
    }

    /// Counts how other runs ended together with these.
    pub(super) const fn count_ends(&mut self, others: &Self) {
        self.killed = self.killed.saturating_add(others.killed);
        self.otherwise = self.otherwise.saturating_add(others.otherwise);
    }

    pub(super) fn count(&self) -> usize {
        self.seen.len()
    }

    /// How long it took to judge programs.
    pub(super) fn rows(&self, which: &str) -> Vec<Row> {
        if self.seen.is_empty() {
            return Vec::new();
        }
        let stages = [
            ("analyze", &self.analyzing),
            ("predict", &self.predicting),
            ("judge", &self.judging),
        ];
        let row = |(stage, samples): (&str, &Samples)| {
            samples.row(super::BENCH, "atoll", &format!("{stage}, {which}"))
        };
        stages.map(row).to_vec()
    }

    /// What Atoll did.
    pub(super) fn figures(&self, names: &Names) -> Vec<Figure> {
        let seen = &self.seen;
        let count = seen.len().max(1) as f64;
        let below = |bound: fn(&Quantiles) -> u64| {
            let kept = |seen: &&Seen| seen.peak_bytes <= bound(&seen.memory) as f64;
            seen.iter().filter(kept).count() as f64 / count * 100.0
        };
        let reserved: f64 = seen.iter().map(|seen| seen.reserved_area).sum();
        let seconds: f64 = seen.iter().map(|seen| seen.seconds).sum();
        let mean = reserved / seconds.max(f64::MIN_POSITIVE);
        let peaks: Vec<f64> = seen.iter().map(|seen| seen.peak_bytes).collect();
        let told: Vec<f64> = seen.iter().map(|seen| seen.memory.p50 as f64).collect();
        let cpu: Vec<f64> = seen.iter().map(|seen| seen.cpu_us).collect();
        let cpu_told: Vec<f64> = seen.iter().map(|seen| seen.cpu.p50 as f64).collect();
        let deviations: usize = seen.iter().map(|seen| seen.deviations).sum();
        let weights = vec![1.0; peaks.len()];
        let shown: [(f64, &str); 13] = [
            (seen.len() as f64, ""),
            (self.otherwise as f64, ""),
            (self.killed as f64, ""),
            (slack(seen), " %"),
            (mean, ""),
            (128.0 * MIB / mean.max(1.0), ""),
            (rank_correlation(&peaks, &told, &weights), ""),
            (median_error(&peaks, &told), " %"),
            (median_error(&cpu, &cpu_told), " %"),
            (below(|q| q.p50), " %"),
            (below(|q| q.p90), " %"),
            (below(|q| q.p99), " %"),
            (deviations as f64 * 1000.0 / count, ""),
        ];
        let named = names.iter().zip(shown);
        named
            .map(|(name, (value, unit))| match name.ends_with("_bytes") {
                true => Figure {
                    figure: name,
                    value,
                    shown: size(value as u64),
                },
                false => figure(name, value, unit),
            })
            .collect()
    }

    /// What others would have set aside for the same programs in the same order, of which they know
    /// what ran before: how much of it was not used, and how many programs they would have ended.
    pub(super) fn others(&self, names: &OthersNames) -> Vec<Figure> {
        let [fixed @ .., vpa, moving] = names;
        let mut figures = Vec::new();
        for (mib, names) in FIXED_MIB.into_iter().zip(fixed) {
            figures.extend(judged(&self.seen, names, Ended::ForGood, |_, _| mib * MIB));
        }
        let recommend = |_: usize, before: &[f64]| quantile(before, VPA_QUANTILE) * VPA_MARGIN;
        figures.extend(judged(&self.seen, vpa, Ended::RunsAgain, recommend));
        let maximum = |_: usize, before: &[f64]| {
            let window = before.iter().rev().take(WINDOW);
            window.copied().fold(0.0, f64::max) * WINDOW_MARGIN
        };
        figures.extend(judged(&self.seen, moving, Ended::ForGood, maximum));
        figures
    }

    /// The most that each program took before, which others know of it, too.
    pub(super) fn own_maximum(&self, before: &[&Self]) -> [Figure; 2] {
        let mut most: BTreeMap<usize, f64> = BTreeMap::new();
        for seen in before.iter().flat_map(|runs| &runs.seen) {
            let known = most.entry(seen.program).or_insert(seen.peak_bytes);
            *known = known.max(seen.peak_bytes);
        }
        let mut bounds = Vec::new();
        for seen in &self.seen {
            let known = most.entry(seen.program).or_insert(seen.peak_bytes);
            bounds.push(*known);
            *known = known.max(seen.peak_bytes);
        }
        let names = [
            "known_own_maximum_slack_percent",
            "known_own_maximum_killed",
        ];
        let bound = |at: usize, _: &[f64]| bounds.get(at).copied().unwrap_or_default();
        judged(&self.seen, &names, Ended::ForGood, bound)
    }
}

/// What fitting costs programs.
pub(super) fn slowdown(slower: &[f64], wavering: &[f64]) -> Vec<Figure> {
    let percent = |ratios: &[f64], at: f64| (quantile(ratios, at) - 1.0) * 100.0;
    let two = |name, value: f64| Figure {
        figure: name,
        value,
        shown: format!("{value:.2} %"),
    };
    vec![
        figure("compared_programs", slower.len() as f64, ""),
        two("slowdown_median_percent", percent(slower, 0.5)),
        two("slowdown_p95_percent", percent(slower, 0.95)),
        two("wavering_median_percent", percent(wavering, 0.5)),
        two("wavering_p95_percent", percent(wavering, 0.95)),
    ]
}

fn figure(figure: &'static str, value: f64, unit: &str) -> Figure {
    Figure {
        figure,
        value,
        shown: match unit {
            "" if value.fract() != 0.0 => format!("{value:.3}"),
            _ => format!("{value:.1}{unit}"),
        },
    }
}

fn median_error(truths: &[f64], told: &[f64]) -> f64 {
    let pairs = truths.iter().zip(told);
    let errors: Vec<f64> = pairs
        .map(|(truth, told)| (told - truth).abs() / truth.max(1.0) * 100.0)
        .collect();
    quantile(&errors, 0.5)
}

fn slack(seen: &[Seen]) -> f64 {
    let used: f64 = seen.iter().map(|seen| seen.used_area).sum();
    let reserved: f64 = seen.iter().map(|seen| seen.reserved_area).sum();
    (1.0 - used / reserved.max(f64::MIN_POSITIVE)) * 100.0
}

/// What becomes of a run that needs more than was set aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    /// That is its end.
    ForGood,
    /// It runs again with more, until that is enough. What it had before is not counted as set
    /// aside, which is in favour of whoever does so.
    RunsAgain,
}

/// `bound` tells what is set aside for a run, from its number and the peaks of the runs before.
fn judged(
    seen: &[Seen],
    [slack, killed]: &[&'static str; 2],
    ended: Ended,
    bound: impl Fn(usize, &[f64]) -> f64,
) -> [Figure; 2] {
    let mut before = Vec::new();
    let (mut used, mut reserved, mut count) = (0.0, 0.0, 0_u64);
    for (at, one) in seen.iter().enumerate() {
        let mut bound = first_bound(at, &before, &bound);
        while one.peak_bytes > bound {
            count = count.saturating_add(1);
            if ended == Ended::ForGood {
                break;
            }
            bound = (bound * VPA_BUMP).max(bound + VPA_BUMP_MIB * MIB);
            before.push(bound);
        }
        if one.peak_bytes <= bound {
            used += one.used_area;
            reserved += bound * one.seconds;
        }
        before.push(one.peak_bytes);
    }
    let value = (1.0 - used / f64::max(reserved, f64::MIN_POSITIVE)) * 100.0;
    [figure(slack, value, " %"), figure(killed, count as f64, "")]
}

/// Without any run before, there is nothing but a usual size.
fn first_bound(at: usize, before: &[f64], bound: &impl Fn(usize, &[f64]) -> f64) -> f64 {
    match before.is_empty() {
        true => bound(at, &[256.0 * MIB]),
        false => bound(at, before),
    }
}

/// The smallest value that this part of all values does not exceed.
pub(super) fn quantile(values: &[f64], quantile: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let last = sorted.len().saturating_sub(1) as f64;
    let at = (last * quantile).ceil() as usize;
    sorted.get(at).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(program: usize, peak_mib: f64, reserved_mib: f64) -> Seen {
        let some = Quantiles {
            p50: 1,
            p90: 2,
            p99: 3,
        };
        Seen {
            program,
            peak_bytes: peak_mib * MIB,
            cpu_us: 1.0,
            used_area: peak_mib * MIB,
            reserved_area: reserved_mib * MIB,
            seconds: 1.0,
            memory: some,
            cpu: some,
            deviations: 0,
        }
    }

    fn near(value: f64, expected: f64) {
        assert!((value - expected).abs() < 1e-9, "{value}");
    }

    #[test]
    fn slack_is_the_part_that_was_not_used() {
        near(slack(&[seen(0, 30.0, 40.0), seen(1, 60.0, 80.0)]), 25.0);
    }

    #[test]
    fn who_ends_a_program_is_not_praised_for_setting_little_aside() {
        let both = [seen(0, 100.0, 0.0), seen(1, 300.0, 0.0)];
        let names = ["slack", "killed"];
        let [slack, killed] = judged(&both, &names, Ended::ForGood, |_, _| 200.0 * MIB);
        near(killed.value, 1.0);
        near(slack.value, 50.0);
    }

    #[test]
    fn who_tries_again_has_what_was_needed_set_aside_in_the_end() {
        let both = [seen(0, 100.0, 0.0), seen(1, 350.0, 0.0)];
        let names = ["slack", "killed"];
        let [slack, killed] = judged(&both, &names, Ended::RunsAgain, |_, _| 200.0 * MIB);
        near(killed.value, 2.0);
        near(slack.value, (1.0 - 450.0 / 600.0) * 100.0);
    }

    #[test]
    fn the_own_maximum_is_of_the_runs_before() {
        let before = Runs {
            seen: vec![seen(7, 100.0, 0.0)],
            ..Runs::default()
        };
        let known = Runs {
            seen: vec![seen(7, 120.0, 0.0), seen(7, 60.0, 0.0)],
            ..Runs::default()
        };
        let [slack, killed] = known.own_maximum(&[&before]);
        near(killed.value, 1.0);
        near(slack.value, 50.0);
    }

    #[test]
    fn what_wavers_by_itself_is_told_beside_the_slowdown() {
        let told = slowdown(&[1.0, 1.02, 1.1], &[0.9, 1.0, 1.3]);
        let values: Vec<f64> = told.iter().map(|figure| figure.value).collect();
        near(values[1], 2.0);
        near(values[4], 30.0);
    }
}
