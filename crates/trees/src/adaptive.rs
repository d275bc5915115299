//! Bounds that hold as often as they should, however a stream of work changes.
//!
//! Adaptive conformal inference (Gibbs and Candes: Adaptive conformal inference under distribution
//! shift, NeurIPS 2021): a miss makes the next bounds wider, each hit a little narrower.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

/// The most scores that are kept; older ones are forgotten.
pub const SCORES_MAX: usize = 500;

/// A stream never lets more than this share of its window lie above the bound, even when it has
/// covered more than it should for long.
const MISS_RATE_MAX: f64 = 0.5;

/// The newest scores of a stream, or of all streams together. A score is how far the truth was
/// above the prediction, in the units of the prediction (for logarithms, a factor).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "VecDeque<f64>", into = "VecDeque<f64>")]
pub struct Scores(VecDeque<f64>);

impl Scores {
    /// Takes a score in, and forgets the oldest where there are too many. What is not finite is
    /// left out.
    pub fn push(&mut self, score: f64) {
        if score.is_finite() {
            self.0.push_back(score);
            if self.0.len() > SCORES_MAX {
                self.0.pop_front();
            }
        }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The greatest, for want of a bound.
    #[must_use]
    pub fn greatest(&self) -> Option<f64> {
        self.0.iter().copied().max_by(f64::total_cmp)
    }
}

/// Why what was kept of a stream is not taken up again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AdaptiveError {
    /// There are too many scores, or one is not a number.
    #[error(
        "failed to take up scores: there are more than {SCORES_MAX}, or one is not finite; \
         begin without them"
    )]
    Scores,
    /// The miss rate is one that no stream gets to.
    #[error("failed to take up a stream: its miss rate is out of range; begin a new one")]
    MissRate,
}

impl TryFrom<VecDeque<f64>> for Scores {
    type Error = AdaptiveError;

    fn try_from(scores: VecDeque<f64>) -> Result<Self, AdaptiveError> {
        let is_good = scores.len() <= SCORES_MAX && scores.iter().all(|s| s.is_finite());
        is_good.then_some(Self(scores)).ok_or(AdaptiveError::Scores)
    }
}

impl From<Scores> for VecDeque<f64> {
    fn from(scores: Scores) -> Self {
        scores.0
    }
}

/// What all streams have in common.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Adaptation {
    /// How often bounds should hold, above 0.5 and below 1.
    pub coverage: f64,
    /// How much a miss or a hit moves a stream's miss rate, above 0 and up to 0.5; 0.01 to 0.05
    /// serve well. Greater ones follow faster and waver more.
    pub gamma: f64,
    /// A stream with this many scores of its own no longer looks at those of all streams, and one
    /// without any looks at nothing else. 0 never looks at them.
    pub own_scores_enough: usize,
}

impl Default for Adaptation {
    fn default() -> Self {
        Self {
            coverage: 0.95,
            gamma: 0.02,
            own_scores_enough: 100,
        }
    }
}

/// One stream of work, such as a tenant's: its newest scores, and the miss rate it aims at now.
///
/// With at most `T` bounds asked for and observed one after the other, the share of misses exceeds
/// `1 - coverage` by no more than `(0.5 + gamma) / (gamma * T)`, whatever the scores are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "StreamParts")]
pub struct Stream {
    scores: Scores,
    /// Outside of 0 to 1 no scores are enough for a bound, and all of them are too many.
    miss_rate: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StreamParts {
    scores: Scores,
    miss_rate: f64,
}

impl TryFrom<StreamParts> for Stream {
    type Error = AdaptiveError;

    fn try_from(parts: StreamParts) -> Result<Self, AdaptiveError> {
        if !(-1.0..=MISS_RATE_MAX).contains(&parts.miss_rate) {
            return Err(AdaptiveError::MissRate);
        }
        Ok(Self {
            scores: parts.scores,
            miss_rate: parts.miss_rate,
        })
    }
}

impl Stream {
    /// A stream of which nothing is known.
    #[must_use]
    pub fn new(adaptation: &Adaptation) -> Self {
        Self {
            scores: Scores::default(),
            miss_rate: 1.0 - adaptation.coverage,
        }
    }

    /// Its newest scores.
    #[must_use]
    pub const fn scores(&self) -> &Scores {
        &self.scores
    }

    /// The share of misses that it aims at now. Below 0 after many misses.
    #[must_use]
    pub const fn miss_rate(&self) -> f64 {
        self.miss_rate
    }

    /// What to add to the next prediction, or `None` when no finite bound is known to be enough:
    /// then only the most that may ever be used is. `global` holds scores of all streams; they
    /// count as many as the stream's own are short of enough, at most, each less than an own one.
    #[must_use]
    pub fn correction(&self, adaptation: &Adaptation, global: &Scores) -> Option<f64> {
        if self.miss_rate <= 0.0 {
            return None;
        }
        let lacking = adaptation
            .own_scores_enough
            .saturating_sub(self.scores.len());
        let share = lacking as f64 / global.len().max(1) as f64;
        let own = self.scores.0.iter().map(|score| (*score, 1.0));
        let others = global.0.iter().map(|score| (*score, share.min(1.0)));
        let others = others.filter(|(_, weight)| *weight > 0.0);
        let mut weighted: Vec<(f64, f64)> = own.chain(others).collect();
        weighted.sort_by(|a, b| a.0.total_cmp(&b.0));
        // One more score, that of the work to come, could be anything.
        let total: f64 = 1.0 + weighted.iter().map(|(_, weight)| weight).sum::<f64>();
        let goal = (1.0 - self.miss_rate) * total - 1e-9;
        let mut sum = 0.0;
        let reaches = |(_, weight): &&(f64, f64)| {
            sum += weight;
            sum >= goal
        };
        weighted.iter().find(reaches).map(|(score, _)| *score)
    }

    /// Takes in how the work ended: its score, and the correction that it had been given. A score
    /// that is not a number is a miss.
    pub fn observe(&mut self, adaptation: &Adaptation, score: f64, given: Option<f64>) {
        let is_miss = given.is_some_and(|given| score.is_nan() || score > given);
        let error = if is_miss { 1.0 } else { 0.0 };
        let moved = self.miss_rate + adaptation.gamma * (1.0 - adaptation.coverage - error);
        self.miss_rate = moved.clamp(-1.0, MISS_RATE_MAX);
        self.scores.push(score);
    }
}

#[cfg(test)]
mod tests;
