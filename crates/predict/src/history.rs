//! Estimates from earlier runs of the same program: weighted quantiles that forget.
//!
//! A run's weight halves with every day of age, so a program whose input grows is soon judged by
//! its newer runs. A run that was ended at a limit says only that the program needed at least what
//! it had used; such runs shift their weight to the larger ones (the Kaplan-Meier estimate,
//! Journal of the American Statistical Association 53, 1958, in its redistribute-to-the-right
//! form), so that a program which keeps hitting a limit is never taken for one that fits. The same
//! holds for runs that failed after they had begun, such as where the node had no memory left.
//!
//! Where runs were given inputs of different sizes, and what they needed follows from that by a law
//! (`trees`), the law says what the next one needs. Behind another boundary the same program needs
//! something else, so only runs count that were behind the same one as the newest.

use atoll_trees::Law;
use atoll_types::{
    Confidence, LimitName, PastRun, ProfileSource, Quantiles, ResourceEstimate, Status,
};

use crate::{Estimates, IoEstimates};

/// Fewer runs than this say too little; the table is used instead.
const RUNS_MIN: usize = 3;

/// From this many runs on, an estimate counts as sure.
const RUNS_FOR_HIGH_CONFIDENCE: usize = 20;

/// A law is sought in so many of the newest runs, and so many of one size: looking for it takes
/// time, and more would not change it much.
const LAW_RUNS_MAX: usize = 12;
const SAME_SIZE_MAX: usize = 3;

/// From so many runs on, the 99th percentile is among them. Of fewer, the largest may well be
/// smaller than what the next run needs: of three runs, in one case of four.
const RUNS_ENOUGH: f64 = 100.0;

/// No bound is beyond this multiple of the largest need seen.
const BEYOND_LARGEST_MAX: f64 = 2.0;

/// How many standard deviations quantiles of a normal distribution lie above its middle.
const ERRORS_P90: f64 = 1.282;
const ERRORS_P95: f64 = 1.645;
const ERRORS_P99: f64 = 2.326;

/// The age at which a run counts half: one day, the half-life that the Kubernetes vertical pod
/// autoscaler uses for the same purpose.
const HALF_LIFE_MS: f64 = 24.0 * 60.0 * 60.0 * 1000.0;

/// Ages beyond this many half-lives count as this old: weights stay above 1e-12, so a program
/// whose runs are all old still has quantiles.
const HALF_LIVES_MAX: f64 = 40.0;

/// Estimates from history, or `None` when there are too few usable runs. Reads and writes are
/// estimated `otherwise` as long as too few of these runs were counted.
pub(crate) fn estimates(
    past: &[PastRun],
    input: u64,
    now_unix_ms: u64,
    otherwise: impl FnOnce() -> IoEstimates,
) -> Option<Estimates> {
    let runs: Vec<&PastRun> = comparable(past).collect();
    let estimate = |runs: &[&PastRun], need| estimate(runs, need, input, now_unix_ms);
    if !are_enough(&runs) {
        return None;
    }
    let counted = runs.iter().copied().filter(|run| run.usage.io.is_some());
    let counted: Vec<&PastRun> = counted.collect();
    let io = if are_enough(&counted) {
        IoEstimates {
            operations: estimate(&counted, operations_need),
            read_bytes: estimate(&counted, read_need),
        }
    } else {
        let mut io = otherwise();
        raise_io(&mut io, &counted);
        io
    };
    Some(Estimates {
        cpu_us: estimate(&runs, cpu_need),
        memory_bytes: estimate(&runs, memory_need),
        written_bytes: estimate(&runs, written_need),
        io,
    })
}

fn are_enough(runs: &[&PastRun]) -> bool {
    let ended = runs.iter().filter(|run| run.status != Status::Failed);
    ended.count() >= RUNS_MIN
}

fn estimate(
    runs: &[&PastRun],
    need: fn(&PastRun) -> Need,
    input: u64,
    now_unix_ms: u64,
) -> ResourceEstimate {
    ResourceEstimate {
        quantiles: by_law(runs, need, input).unwrap_or_else(|| {
            let observed = runs.iter().map(|run| Observation {
                need: need(run),
                weight: weight(run.unix_ms, now_unix_ms),
            });
            quantiles(observed.collect())
        }),
        confidence: if runs.len() < RUNS_FOR_HIGH_CONFIDENCE {
            Confidence::Medium
        } else {
            Confidence::High
        },
        source: ProfileSource::History {
            runs: runs.len() as u64,
        },
    }
}

/// Raises the p99 of estimates that are not from history to the most that the few past runs
/// needed. Too few for quantiles, they still prove what the program can need: a program that died
/// at a limit once is not given the same limit again.
pub(crate) fn raise(estimates: &mut Estimates, past: &[PastRun]) {
    for run in comparable(past) {
        let pairs = [
            (&mut estimates.cpu_us, cpu_need(run)),
            (&mut estimates.memory_bytes, memory_need(run)),
            (&mut estimates.written_bytes, written_need(run)),
        ];
        for (estimate, need) in pairs {
            let p99 = &mut estimate.quantiles.p99;
            *p99 = need.amount.max(*p99);
        }
        raise_io(&mut estimates.io, &[run]);
    }
}

/// The same for what not every run was counted in, which is 0 then and raises nothing.
fn raise_io(estimates: &mut IoEstimates, runs: &[&PastRun]) {
    for run in runs {
        let (operations, read) = (operations_need(run), read_need(run));
        let p99 = &mut estimates.operations.quantiles.p99;
        *p99 = operations.amount.max(*p99);
        let p99 = &mut estimates.read_bytes.quantiles.p99;
        *p99 = read.amount.max(*p99);
    }
}

/// What one run says about one resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Need {
    /// What was used.
    amount: u64,
    /// Whether the run was cut short, so that the true need is `amount` or more.
    at_least: bool,
}

#[derive(Debug, Clone, Copy)]
struct Observation {
    need: Need,
    weight: f64,
}

/// Runs that really ran, behind the same boundary as the newest of them.
fn comparable(past: &[PastRun]) -> impl Iterator<Item = &PastRun> {
    let ran = past.iter().filter(|run| really_ran(run));
    let newest = ran.clone().max_by_key(|run| run.unix_ms);
    let level = newest.and_then(|run| run.level);
    ran.filter(move |run| run.level == level)
}

fn really_ran(run: &PastRun) -> bool {
    match run.status {
        Status::Exited | Status::Signalled | Status::Limit => true,
        Status::Failed => run.usage.memory_peak_bytes > 0,
        Status::Refused => false,
    }
}

/// What a law says of an input, where runs with inputs of different sizes follow one. Its upper end
/// is the 95th percentile, from which the others follow as if logarithms were normally distributed.
fn by_law(runs: &[&PastRun], need: fn(&PastRun) -> Need, input: u64) -> Option<Quantiles> {
    let mut seen: Vec<(f64, f64)> = Vec::new();
    for run in runs {
        let (need, size) = (need(run), run.input.unwrap_or(0) as f64);
        let same = seen
            .iter()
            .filter(|(other, _)| other.total_cmp(&size).is_eq());
        // What was cut short does not say how cost grows.
        if size > 0.0 && !need.at_least && same.count() < SAME_SIZE_MAX {
            seen.push((size, need.amount.max(1) as f64));
        }
        if seen.len() == LAW_RUNS_MAX {
            break;
        }
    }
    seen.reverse();
    let told = Law::fit(&seen)?.predict(input as f64)?;
    let spread = (told.high / told.cost).max(1.0).log2();
    let at = |errors: f64| (told.cost * (spread * errors / ERRORS_P95).exp2()) as u64;
    // But the law is not believed where it says less than that.
    let cut = runs.iter().filter(|run| run.input <= Some(input));
    let cut = cut.map(|run| need(run)).filter(|need| need.at_least);
    let least = cut.map(|need| need.amount).max().unwrap_or(0);
    Some(Quantiles {
        p50: (told.cost as u64).max(least),
        p90: at(ERRORS_P90).max(least),
        p99: at(ERRORS_P99).max(least),
    })
}

fn weight(run_unix_ms: u64, now_unix_ms: u64) -> f64 {
    let age_ms = now_unix_ms.saturating_sub(run_unix_ms) as f64;
    (-(age_ms / HALF_LIFE_MS).min(HALF_LIVES_MAX)).exp2()
}

fn cpu_need(run: &PastRun) -> Need {
    let limit_us = limit_value(run, &[LimitName::CpuTime]).saturating_mul(1000);
    need(run, run.usage.cpu_time_us, limit_us)
}

fn memory_need(run: &PastRun) -> Need {
    let limit_bytes = limit_value(run, &[LimitName::Memory]);
    need(run, run.usage.memory_peak_bytes, limit_bytes)
}

fn written_need(run: &PastRun) -> Need {
    let used_bytes = run.usage.output_bytes.saturating_add(run.usage.disk_bytes);
    let limit_bytes = limit_value(run, &[LimitName::Output, LimitName::Disk]);
    need(run, used_bytes, limit_bytes)
}

fn operations_need(run: &PastRun) -> Need {
    need(run, run.usage.io.unwrap_or_default().operations(), 0)
}

fn read_need(run: &PastRun) -> Need {
    need(run, run.usage.io.unwrap_or_default().read_bytes, 0)
}

/// A run that any limit ended was cut short in everything it used; for the resource whose limit
/// was hit, the limit itself is a second lower bound, because measuring lags behind the kernel.
fn need(run: &PastRun, used: u64, limit: u64) -> Need {
    Need {
        amount: used.max(limit),
        at_least: matches!(run.status, Status::Limit | Status::Failed),
    }
}

/// The value of the limit that ended the run, where it is one of `names`; else 0.
fn limit_value(run: &PastRun, names: &[LimitName]) -> u64 {
    match (run.status, run.limit) {
        (Status::Limit, Some(hit)) if names.contains(&hit.name) => hit.value,
        _ => 0,
    }
}

fn quantiles(mut observations: Vec<Observation>) -> Quantiles {
    // At equal amounts a finished run comes first: the cut one needed at least as much.
    observations.sort_by(|a, b| {
        let key = |o: &Observation| (o.need.amount, o.need.at_least);
        key(a).cmp(&key(b)).then(a.weight.total_cmp(&b.weight))
    });
    let steps = cumulative_masses(&observations);
    let at = |share: f64| {
        steps
            .iter()
            .find(|(cumulative, _)| *cumulative >= share)
            .or(steps.last())
            .map_or(0, |(_, amount)| *amount)
    };
    let next = NextRun::after(&observations);
    let bound = |errors: f64| next.map_or(0, |next| next.bound(errors));
    Quantiles {
        p50: at(0.50),
        p90: at(0.90).max(bound(ERRORS_P90)),
        p99: at(0.99).max(bound(ERRORS_P99)),
    }
}

/// What the next run may need after a few, as if the logarithms of needs were normally distributed
/// (the prediction interval of Student's distribution). Runs that were cut short are left out; the
/// quantiles of what was seen are at the right end for them already.
#[derive(Debug, Clone, Copy)]
struct NextRun {
    /// Mean and standard deviation of the binary logarithms.
    mean: f64,
    deviation: f64,
    /// How many runs of equal weight say as much.
    runs: f64,
    largest: u64,
}

impl NextRun {
    fn after(observations: &[Observation]) -> Option<Self> {
        let ended = observations.iter().filter(|one| !one.need.at_least);
        let log = |one: &Observation| (one.need.amount.max(1) as f64).log2();
        let total: f64 = ended.clone().map(|one| one.weight).sum();
        let squares: f64 = ended.clone().map(|one| one.weight * one.weight).sum();
        let runs = total * total / squares;
        // Not a number where nothing ended.
        if !(2.0..RUNS_ENOUGH).contains(&runs) {
            return None;
        }
        let mean = ended.clone().map(|one| one.weight * log(one)).sum::<f64>() / total;
        let off = |one: &Observation| one.weight * (log(one) - mean).powi(2);
        let variance = ended.clone().map(off).sum::<f64>() / total * runs / (runs - 1.0);
        Some(Self {
            mean,
            deviation: variance.sqrt(),
            runs,
            largest: ended.map(|one| one.need.amount).max()?,
        })
    }

    /// What it needs no more than, for a quantile that is `errors` standard deviations above the
    /// middle of a normal distribution.
    fn bound(&self, errors: f64) -> u64 {
        let errors = student(errors, self.runs - 1.0) * (1.0 + 1.0 / self.runs).sqrt();
        let bound = (self.mean + errors * self.deviation).exp2();
        // Logarithms round; what never varies needs no more than it did.
        if self.deviation < f64::EPSILON.sqrt() {
            return self.largest;
        }
        bound.min(self.largest as f64 * BEYOND_LARGEST_MAX) as u64
    }
}

/// The quantile of Student's distribution where the normal one has `normal` (Abramowitz and Stegun,
/// Handbook of Mathematical Functions, 26.7.5): less than a tenth too small from two degrees of
/// freedom on, for quantiles up to the 99th.
fn student(normal: f64, degrees: f64) -> f64 {
    let power = |exponent: i32| normal.powi(exponent);
    let first = (power(3) + normal) / 4.0;
    let second = (5.0 * power(5) + 16.0 * power(3) + 3.0 * normal) / 96.0;
    let third = (3.0 * power(7) + 19.0 * power(5) + 17.0 * power(3) - 15.0 * normal) / 384.0;
    normal + first / degrees + second / degrees.powi(2) + third / degrees.powi(3)
}

/// The share of all runs that needs no more than an amount, for each amount, in rising order.
/// Observations must be sorted.
fn cumulative_masses(observations: &[Observation]) -> Vec<(f64, u64)> {
    let behind = weights_behind(observations);
    let total: f64 = observations.iter().map(|o| o.weight).sum();
    let mut factor = 1.0;
    let mut cumulative = 0.0;
    observations
        .iter()
        .zip(behind)
        .map(|(observation, behind)| {
            if observation.need.at_least && behind > 0.0 {
                // The true need lies further right: every later run takes over a share.
                factor *= (observation.weight + behind) / behind;
            } else {
                cumulative += observation.weight * factor;
            }
            (cumulative / total, observation.need.amount)
        })
        .collect()
}

/// For each observation, the weight of all that come after it. Summed up from the end, so that
/// small weights are not lost in differences of large ones.
fn weights_behind(observations: &[Observation]) -> Vec<f64> {
    let mut sum = 0.0;
    let mut behind: Vec<f64> = observations
        .iter()
        .rev()
        .map(|observation| {
            let after = sum;
            sum += observation.weight;
            after
        })
        .collect();
    behind.reverse();
    behind
}

#[cfg(test)]
mod tests;
