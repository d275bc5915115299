//! What no ordinary run of a program goes beyond, by its profile.
//!
//! Everything that is compared only grows while a program runs, so a single bound, passed once, is
//! the whole sequential test: an alarm comes as soon as the run cannot be an ordinary one any more,
//! and looking more often raises no more false ones. The bounds lie where at most about one
//! ordinary run in 4,000 passes each of them, so that all together stay below one in 1,000.

use atoll_types::{Confidence, DeviationKind, Profile, ResourceEstimate, Usage};

/// How far the bound lies beyond the median, where the 99th percentile lies 1 beyond it, both as
/// logarithms: of a normal distribution, the 0.99975 quantile is 3.48 standard deviations out and
/// the 0.99 quantile 2.33.
const BEYOND_P99: f64 = 3.48 / 2.33;

/// The bound is at least so many times the 99th percentile: few runs show few of their extremes.
const P99_TIMES: f64 = 1.5;

/// Differences smaller than this are nobody's business: CPU time in microseconds, and bytes.
const CPU_FLOOR_US: u64 = 50_000;
const MEMORY_FLOOR_BYTES: u64 = 16 << 20;
const OUTPUT_FLOOR_BYTES: u64 = 1 << 20;
const IO_FLOOR_CALLS: u64 = 20_000;

/// Bounds of what is expected of one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expectation {
    bounds: Vec<(DeviationKind, u64)>,
}

impl Expectation {
    /// By a profile; `is_single` says that nothing in the program starts processes or threads.
    #[must_use]
    pub fn of(profile: &Profile, is_single: bool) -> Self {
        let estimated = [
            (DeviationKind::CpuTime, &profile.cpu_demand, CPU_FLOOR_US),
            (
                DeviationKind::Memory,
                &profile.memory_footprint,
                MEMORY_FLOOR_BYTES,
            ),
            (
                DeviationKind::Output,
                &profile.io_intensity.written_bytes,
                OUTPUT_FLOOR_BYTES,
            ),
            (
                DeviationKind::Io,
                &profile.io_intensity.operations,
                IO_FLOOR_CALLS,
            ),
        ];
        let bounds = estimated
            .into_iter()
            .filter_map(|(kind, estimate, floor)| Some((kind, bound(estimate, floor)?)));
        let single = is_single.then_some((DeviationKind::Processes, 1));
        Self {
            bounds: bounds.chain(single).collect(),
        }
    }

    /// Nothing is expected, so nothing can differ.
    #[must_use]
    pub const fn nothing() -> Self {
        Self { bounds: Vec::new() }
    }

    /// Takes out what has been passed: the kind, the bound, and what was seen.
    pub(crate) fn passed(&mut self, usage: &Usage) -> Vec<(DeviationKind, u64, u64)> {
        let mut passed = Vec::new();
        self.bounds.retain(|(kind, bound)| {
            let seen = match kind {
                DeviationKind::CpuTime => usage.cpu_time_us,
                DeviationKind::Memory => usage.memory_peak_bytes,
                DeviationKind::Output => usage.output_bytes.saturating_add(usage.disk_bytes),
                DeviationKind::Io => usage.io.map_or(0, |io| io.operations()),
                DeviationKind::Processes => usage.processes_peak.into(),
            };
            let is_passed = seen > *bound;
            if is_passed {
                passed.push((*kind, *bound, seen));
            }
            !is_passed
        });
        passed
    }
}

/// Beyond what no ordinary run goes. A default of a class says too little for that.
fn bound(estimate: &ResourceEstimate, floor: u64) -> Option<u64> {
    if estimate.confidence == Confidence::Low {
        return None;
    }
    let median = estimate.quantiles.p50.max(1) as f64;
    let p99 = (estimate.quantiles.p99 as f64).max(median);
    let spread = (p99 / median).powf(BEYOND_P99);
    let bound = (median * spread).max(p99 * P99_TIMES);
    Some((bound as u64).max(estimate.quantiles.p99.saturating_add(floor)))
}

#[cfg(test)]
mod tests {
    use atoll_types::{IoUsage, ProfileSource, Quantiles};
    use proptest::prelude::*;

    use super::*;

    fn estimate(p50: u64, p99: u64, confidence: Confidence) -> ResourceEstimate {
        ResourceEstimate {
            quantiles: Quantiles {
                p50,
                p90: p50.midpoint(p99),
                p99,
            },
            confidence,
            source: ProfileSource::History { runs: 30 },
        }
    }

    fn profile(confidence: Confidence) -> Profile {
        Profile {
            cpu_demand: estimate(100_000, 200_000, confidence),
            memory_footprint: estimate(10 << 20, 20 << 20, confidence),
            io_intensity: atoll_types::IoIntensity::without_network(
                estimate(100, 1000, confidence),
                estimate(1, 1, confidence),
                estimate(100, 1000, confidence),
            ),
            security_flags: Vec::new(),
            dependencies: std::collections::BTreeSet::new(),
            lesson: atoll_types::Lesson::default(),
        }
    }

    #[test]
    fn each_kind_is_told_once() {
        let mut expectation = Expectation::of(&profile(Confidence::High), true);
        let ordinary = Usage {
            cpu_time_us: 200_000,
            memory_peak_bytes: 20 << 20,
            processes_peak: 1,
            ..Usage::default()
        };
        assert_eq!(expectation.passed(&ordinary), []);
        let beyond = Usage {
            cpu_time_us: 2_000_000,
            processes_peak: 3,
            ..ordinary
        };
        let kinds: Vec<_> = expectation.passed(&beyond).iter().map(|it| it.0).collect();
        assert_eq!(kinds, [DeviationKind::CpuTime, DeviationKind::Processes]);
        assert_eq!(expectation.passed(&beyond), []);
    }

    #[test]
    fn far_more_reads_and_writes_are_told_where_somebody_counts() {
        let expectation = Expectation::of(&profile(Confidence::High), false);
        let told = |io: Option<IoUsage>| {
            let usage = Usage {
                io,
                ..Usage::default()
            };
            expectation.clone().passed(&usage)
        };
        let calls = |reads, writes| {
            Some(IoUsage {
                reads,
                writes,
                ..IoUsage::default()
            })
        };
        assert_eq!(told(None), []);
        assert_eq!(told(calls(1_000, 20_000)), []);
        let bound = 1_000 + IO_FLOOR_CALLS;
        let expected = [(DeviationKind::Io, bound, bound + 1)];
        assert_eq!(told(calls(1_001, 20_000)), expected);
    }

    #[test]
    fn a_class_default_expects_nothing() {
        let mut expectation = Expectation::of(&profile(Confidence::Low), false);
        let huge = Usage {
            cpu_time_us: u64::MAX,
            memory_peak_bytes: u64::MAX,
            output_bytes: u64::MAX,
            processes_peak: u32::MAX,
            ..Usage::default()
        };
        assert_eq!(expectation.passed(&huge), []);
    }

    proptest! {
        #[test]
        fn no_bound_is_within_what_one_run_in_a_hundred_does(p50: u64, p99: u64) {
            let (p50, p99) = (p50.min(p99), p50.max(p99));
            let bound = bound(&estimate(p50, p99, Confidence::High), 1).unwrap();
            prop_assert!(bound > p99 || p99 == u64::MAX);
        }
    }
}
