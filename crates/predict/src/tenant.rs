//! Corrects what models say by how earlier predictions for the same tenant fared.
//!
//! Models know programs in general; a tenant's may need more than they look, all of them, or from
//! some day on. So the bound that nine runs in ten should stay below moves with the tenant: after
//! each miss it widens, with each hit it narrows a little (adaptive conformal inference, `Stream`
//! of the crate `trees`). A tenant with few runs is corrected by how models fared with programs in
//! general. Nothing of this is kept but what the store has of each run.
//!
//! A tenant's own runs move its own bounds, and nobody else's. They may make p90 smaller, which
//! says what is set aside at first; p99, which limits and rules of a policy may look at, they only
//! raise.

use std::sync::LazyLock;

use atoll_trees::{Adaptation, SCORES_MAX, Scores, Stream};
use atoll_types::{Level, PastBounds, Quantiles, Told};

/// How often bounds should hold, and how fast they follow.
const ADAPTATION: Adaptation = Adaptation {
    coverage: 0.9,
    gamma: 0.02,
    own_scores_enough: 100,
};

/// Of a tenant's runs, so many are looked at.
pub const BOUNDS_MAX: usize = 100;

/// No correction is beyond this factor, as a binary logarithm: what a few runs did is no reason to
/// set everything aside.
const CORRECTION_MAX: f64 = 6.0;

/// A bound that is corrected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bound {
    Memory,
    Cpu,
}

/// Moves the bounds of an estimate, and says what they were and are.
pub(crate) fn correct(quantiles: &mut Quantiles, bound: Bound, past: &[PastBounds]) -> Told {
    let plain = quantiles.p90.max(1);
    let by = correction(bound, past);
    let given = ((plain as f64) * by.exp2()) as u64;
    quantiles.p90 = given.max(quantiles.p50);
    quantiles.p99 = quantiles.p99.max(quantiles.p90);
    Told {
        plain,
        given: quantiles.p90,
    }
}

/// What to add to a bound, as a binary logarithm, by a tenant's newest runs, newest first.
fn correction(bound: Bound, past: &[PastBounds]) -> f64 {
    if past.is_empty() {
        return 0.0;
    }
    let fared = fared(bound, past);
    follow(&ADAPTATION, &fared, global(bound)).unwrap_or(0.0)
}

/// What to add to the next bound of a stream of work, oldest first: how far each truth was above
/// the plain bound, and what had been added to that. `None` where nothing is known.
#[must_use]
pub fn follow(adaptation: &Adaptation, fared: &[(f64, f64)], global: &Scores) -> Option<f64> {
    let mut stream = Stream::new(adaptation);
    for (score, given) in fared {
        stream.observe(adaptation, *score, Some(*given));
    }
    let by = stream.correction(adaptation, global).or_else(|| {
        // No bound is known to be enough, after many misses: the most that ever was.
        let all = [stream.scores().greatest(), global.greatest()];
        all.into_iter().flatten().max_by(f64::total_cmp)
    });
    by.map(|by| by.clamp(-CORRECTION_MAX, CORRECTION_MAX))
}

/// How the bounds of a tenant's runs fared, oldest first.
fn fared(bound: Bound, past: &[PastBounds]) -> Vec<(f64, f64)> {
    let mut fared = Vec::new();
    // What a program needs elsewhere is something else; the next run is most likely where the
    // newest one was.
    let level: Option<Level> = past.first().and_then(|newest| newest.level);
    let near = past.iter().filter(|run| run.level == level);
    let near: Vec<&PastBounds> = near.take(BOUNDS_MAX).collect();
    for run in near.iter().rev() {
        let (told, used) = match bound {
            Bound::Memory => (run.lesson.memory, run.memory_bytes),
            Bound::Cpu => (run.lesson.cpu, run.cpu_us),
        };
        let Some(told) = told else {
            continue;
        };
        let log = |amount: u64| (amount.max(1) as f64).log2();
        let (score, given) = (
            log(used) - log(told.plain),
            log(told.given) - log(told.plain),
        );
        // One that was cut short below its bound would have needed who knows what.
        if !run.at_least || score > given {
            fared.push((score, given));
        }
    }
    fared
}

/// How models fared with programs in general: how far these were above the bound.
fn global(bound: Bound) -> &'static Scores {
    match bound {
        Bound::Memory => &GLOBAL.0,
        Bound::Cpu => &GLOBAL.1,
    }
}

static GLOBAL: LazyLock<(Scores, Scores)> = LazyLock::new(|| {
    let text = include_str!("learned/scores.txt");
    let mut lines = text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let mut scores = Scores::default();
            let numbers = line.split(' ').filter_map(|number| number.parse().ok());
            numbers
                .take(SCORES_MAX)
                .for_each(|score| scores.push(score));
            scores
        });
    (
        lines.next().unwrap_or_default(),
        lines.next().unwrap_or_default(),
    )
});

#[cfg(test)]
mod tests;
