//! From short runs on less input to what the program will need on all of it.

use atoll_trees::{Law, LawPrediction};
use atoll_types::{
    Confidence, Profile, ProfileSource, Quantiles, ResourceEstimate, Trial, TrialRun,
};

/// Memory that grew by less than this does not stand clear of what wavers.
const MEMORY_CLEAR_BYTES: u64 = 4 << 20;

/// CPU time that grew by less than this does not stand clear of what wavers.
const CPU_CLEAR_US: u64 = 50_000;

/// Growth of memory that two runs may show without reason.
const MEMORY_WAVERS_BYTES: u64 = 1 << 20;

/// From the upper end of a law's range, in which nine of ten runs end, to what hardly any passes.
const RARE: f64 = 1.15;

/// A quantity that a law can be found for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Quantity {
    /// CPU time, in microseconds.
    CpuTime,
    /// Peak memory, in bytes.
    Memory,
    /// Bytes written.
    Written,
    /// Reads and writes.
    Operations,
    /// Bytes read.
    Read,
}

impl Quantity {
    /// What a run had of it; `None` where nobody counted.
    #[must_use]
    pub fn of(self, run: &TrialRun) -> Option<u64> {
        match self {
            Self::CpuTime => Some(run.cpu_time_us),
            Self::Memory => Some(run.memory_peak_bytes),
            Self::Written => Some(run.written_bytes),
            Self::Operations => run.io.map(|io| io.operations()),
            Self::Read => run.io.map(|io| io.read_bytes),
        }
    }
}

/// How a quantity grew over runs, where they tell.
#[must_use]
pub fn law(runs: &[TrialRun], quantity: Quantity) -> Option<Law> {
    let pairs = runs.iter().filter_map(|run| {
        let cost = quantity.of(run)?.max(1);
        Some((run.size as f64, cost as f64))
    });
    Law::fit(&pairs.collect::<Vec<_>>())
}

/// Whether more runs would tell little more of one on so much input: CPU time and memory have both
/// grown clear of what wavers, and each follows a law that reaches that far.
#[must_use]
pub fn is_clear(runs: &[TrialRun], size: u64) -> bool {
    let grew = |quantity: Quantity, by: u64| {
        let law = law(runs, quantity).and_then(|law| law.predict(size as f64));
        law.is_some() && growth(runs, quantity) >= by
    };
    grew(Quantity::Memory, MEMORY_CLEAR_BYTES) && grew(Quantity::CpuTime, CPU_CLEAR_US)
}

/// A profile with what short runs tell. History of whole runs says more, so it stays. Whether
/// anything is new.
#[must_use]
pub fn tried(profile: &Profile, trial: &Trial, size: u64) -> (Profile, bool) {
    let mut told = profile.clone();
    for (estimate, quantity) in [
        (&mut told.cpu_demand, Quantity::CpuTime),
        (&mut told.memory_footprint, Quantity::Memory),
        (&mut told.io_intensity.written_bytes, Quantity::Written),
        (&mut told.io_intensity.operations, Quantity::Operations),
        (&mut told.io_intensity.read_bytes, Quantity::Read),
    ] {
        let known = matches!(estimate.source, ProfileSource::History { .. });
        if let Some(seen) = estimated(&trial.runs, quantity, size).filter(|_| !known) {
            *estimate = seen;
        }
    }
    let is_new = told != *profile;
    (told, is_new)
}

fn growth(runs: &[TrialRun], quantity: Quantity) -> u64 {
    let at = |run: Option<&TrialRun>| run.and_then(|run| quantity.of(run)).unwrap_or(0);
    at(runs.last()).saturating_sub(at(runs.first()))
}

fn estimated(runs: &[TrialRun], quantity: Quantity, size: u64) -> Option<ResourceEstimate> {
    let LawPrediction {
        cost,
        high,
        extrapolation,
        ..
    } = law(runs, quantity)?.predict(size as f64)?;
    let mut rare = high * RARE;
    if quantity == Quantity::Memory && growth(runs, quantity) < MEMORY_CLEAR_BYTES {
        // Too little was seen to tell how it grows: it may go on as steeply as it could have.
        let seen = runs.last().map_or(0, |run| run.memory_peak_bytes);
        let grew = growth(runs, quantity).saturating_add(MEMORY_WAVERS_BYTES);
        rare = rare.max(seen as f64 + grew as f64 * extrapolation);
    }
    // Laws are of finite numbers above 0.
    let whole = |number: f64| number.round() as u64;
    Some(ResourceEstimate {
        quantiles: Quantiles {
            p50: whole(cost),
            p90: whole(high.max(cost)),
            p99: whole(rare.max(high).max(cost)),
        },
        confidence: Confidence::Medium,
        source: ProfileSource::Trial {
            runs: runs.len() as u64,
        },
    })
}

#[cfg(test)]
mod tests {
    use atoll_types::TrialEnd;

    use super::*;
    use crate::tests::script;
    use crate::{Given, predict};

    fn profile() -> Profile {
        let analysis = script();
        predict(
            &analysis,
            &Given::default(),
            &atoll_types::Past::default(),
            0,
        )
    }

    const MIB: u64 = 1 << 20;

    fn runs(sizes: &[u64], memory: fn(u64) -> u64, cpu_us: fn(u64) -> u64) -> Trial {
        let run = |size: &u64| TrialRun {
            size: *size,
            wall_time_us: cpu_us(*size),
            cpu_time_us: cpu_us(*size),
            memory_peak_bytes: memory(*size),
            written_bytes: 10,
            io: Some(atoll_types::IoUsage {
                reads: *size / 1000,
                read_bytes: *size,
                ..atoll_types::IoUsage::default()
            }),
        };
        Trial {
            input_bytes: 0,
            from_sample: false,
            runs: sizes.iter().map(run).collect(),
            ended: TrialEnd::Clear,
            told: false,
        }
    }

    #[test]
    fn what_grows_with_the_input_is_told_ahead() {
        let trial = runs(
            &[MIB, 4 * MIB, 16 * MIB],
            |size| 9 * MIB + 3 * size,
            |size| 10_000 + size / 100,
        );
        assert!(is_clear(&trial.runs, 64 * MIB));
        let (told, is_new) = tried(&profile(), &trial, 64 * MIB);
        assert!(is_new);
        let memory = told.memory_footprint.quantiles;
        assert!(
            memory.p50.abs_diff(201 * MIB) < 20 * MIB,
            "{}",
            memory.p50 / MIB
        );
        assert!(memory.p50 <= memory.p90 && memory.p90 <= memory.p99);
        assert_eq!(
            told.memory_footprint.source,
            ProfileSource::Trial { runs: 3 }
        );
    }

    #[test]
    fn growth_that_was_too_small_to_see_leaves_room() {
        let trial = runs(&[1_000, 4_000, 16_000], |_| 9 * MIB, |_| 10_000);
        assert!(!is_clear(&trial.runs, 64_000));
        let (told, _) = tried(&profile(), &trial, 64_000);
        let memory = told.memory_footprint.quantiles;
        assert!(memory.p50 < 10 * MIB && memory.p99 >= 13 * MIB);
    }

    #[test]
    fn far_beyond_what_was_tried_nothing_is_told() {
        let trial = runs(&[1_000, 4_000, 16_000], |size| 9 * MIB + size, |_| 10_000);
        let (told, is_new) = tried(&profile(), &trial, 16_000_000);
        assert!(!is_new);
        assert_eq!(told, profile());
    }

    #[test]
    fn whole_runs_say_more_than_short_ones() {
        let trial = runs(&[MIB, 4 * MIB, 16 * MIB], |size| size, |size| size);
        let mut known = profile();
        let source = ProfileSource::History { runs: 3 };
        known.memory_footprint.source = source.clone();
        let (told, _) = tried(&known, &trial, 64 * MIB);
        assert_eq!(told.memory_footprint, known.memory_footprint);
        assert_ne!(told.cpu_demand, known.cpu_demand);
    }
}
