//! Quantiles of a positive quantity in little memory, where the past counts less and less.
//!
//! A histogram whose buckets grow by 5 % each, with weights that halve with time, as the vertical
//! pod autoscaler of Kubernetes keeps it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// How much the upper end of a bucket exceeds its lower end.
const GROWTH: f64 = 1.05;

/// Buckets are numbered from `-BUCKET_MAX` to `BUCKET_MAX`: values from 4e-22 to 2e21 are told
/// apart, and others count as the nearest of these. So there are at most 2,001 buckets.
const BUCKET_MAX: i16 = 1000;

/// Weights are moved to a newer reference time before they grow beyond two to this power.
const HALF_LIVES_MAX: f64 = 64.0;

/// Weights are never taken below two to minus this power by age, so that a sketch of nothing but
/// old values still has quantiles.
const HALF_LIVES_OLD: f64 = 256.0;

/// A decaying histogram of a positive quantity. Its quantiles are within 2.5 % of the truth.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "SketchParts")]
pub struct Sketch {
    half_life_ms: u64,
    /// The time at which a new value weighs 1.
    reference_ms: u64,
    /// The weight of each bucket that has any.
    buckets: BTreeMap<i16, f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SketchParts {
    half_life_ms: u64,
    reference_ms: u64,
    buckets: BTreeMap<i16, f64>,
}

/// Why a sketch is not taken up again, or not merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SketchError {
    /// What was kept is no sketch.
    #[error("failed to take up a sketch: a bucket or a weight is out of range; begin a new one")]
    Kept,
    /// The two forget at different speeds.
    #[error("failed to merge sketches: their half-lives differ; merge only what was begun alike")]
    HalfLives,
}

impl TryFrom<SketchParts> for Sketch {
    type Error = SketchError;

    fn try_from(parts: SketchParts) -> Result<Self, SketchError> {
        let is_good = |(bucket, weight): (&i16, &f64)| {
            (-BUCKET_MAX..=BUCKET_MAX).contains(bucket) && (0.0..=f64::MAX / 4e3).contains(weight)
        };
        if parts.half_life_ms == 0 || !parts.buckets.iter().all(is_good) {
            return Err(SketchError::Kept);
        }
        Ok(Self {
            half_life_ms: parts.half_life_ms,
            reference_ms: parts.reference_ms,
            buckets: parts.buckets,
        })
    }
}

impl Sketch {
    /// A sketch without any value. Weights halve every `half_life_ms` milliseconds, at least 1.
    #[must_use]
    pub fn new(half_life_ms: u64) -> Self {
        Self {
            half_life_ms: half_life_ms.max(1),
            reference_ms: 0,
            buckets: BTreeMap::new(),
        }
    }

    /// Takes a value in that was seen at a time, in milliseconds since any fixed time. Values may
    /// come in any order. Zero and less count as the least, and what is not a number not at all.
    pub fn add(&mut self, value: f64, at_ms: u64) {
        if value.is_nan() {
            return;
        }
        if self.buckets.is_empty() {
            self.reference_ms = at_ms;
        }
        if self.half_lives(at_ms) > HALF_LIVES_MAX {
            self.refer_to(at_ms);
        }
        let weight = self.half_lives(at_ms).max(-HALF_LIVES_OLD).exp2();
        *self.buckets.entry(bucket(value)).or_default() += weight;
    }

    /// How many half-lives a time lies behind the reference time.
    fn half_lives(&self, at_ms: u64) -> f64 {
        let later = at_ms.saturating_sub(self.reference_ms) as f64;
        let earlier = self.reference_ms.saturating_sub(at_ms) as f64;
        (later - earlier) / self.half_life_ms as f64
    }

    /// Moves all weights to a later reference time. What has become too light is forgotten, unless
    /// nothing else is there.
    fn refer_to(&mut self, at_ms: u64) {
        let heaviest = self.buckets.values().copied().fold(0.0, f64::max);
        let half_lives = self.half_lives(at_ms).clamp(0.0, HALF_LIVES_OLD);
        let factor = (-half_lives).exp2();
        self.reference_ms = at_ms;
        for weight in self.buckets.values_mut() {
            *weight *= factor;
        }
        self.buckets
            .retain(|_, weight| *weight > heaviest * factor * 1e-12);
    }

    /// The value that a share of the weight does not exceed, to 2.5 %; `None` without any values.
    #[must_use]
    pub fn quantile(&self, quantile: f64) -> Option<f64> {
        let total: f64 = self.buckets.values().sum();
        // What is added up in another order may differ in its last digits.
        let goal = quantile.clamp(0.0, 1.0) * total * (1.0 - 1e-12);
        let mut sum = 0.0;
        let reaches = |(_, weight): &(&i16, &f64)| {
            sum += **weight;
            sum >= goal
        };
        let (bucket, _) = self
            .buckets
            .iter()
            .find(reaches)
            .or(self.buckets.last_key_value())?;
        Some(middle(*bucket))
    }

    /// The number of values that would weigh as much if all of them were seen at this time.
    #[must_use]
    pub fn weight(&self, at_ms: u64) -> f64 {
        let total: f64 = self.buckets.values().sum();
        total * (-self.half_lives(at_ms).clamp(0.0, HALF_LIVES_OLD)).exp2()
    }

    /// Takes in all values of another sketch.
    ///
    /// # Errors
    /// When the half-lives differ.
    pub fn merge(&mut self, other: &Self) -> Result<(), SketchError> {
        if self.half_life_ms != other.half_life_ms {
            return Err(SketchError::HalfLives);
        }
        if self.buckets.is_empty() {
            self.reference_ms = other.reference_ms;
        }
        let mut other = other.clone();
        if self.reference_ms < other.reference_ms {
            self.refer_to(other.reference_ms);
        } else {
            other.refer_to(self.reference_ms);
        }
        for (bucket, weight) in other.buckets {
            *self.buckets.entry(bucket).or_default() += weight;
        }
        Ok(())
    }
}

fn bucket(value: f64) -> i16 {
    // A conversion of floats stays in the range of the integer; of a negative number there is no
    // logarithm, and it counts as the least.
    let bucket = (value.max(f64::MIN_POSITIVE).ln() / GROWTH.ln()).floor() as i16;
    bucket.clamp(-BUCKET_MAX, BUCKET_MAX)
}

/// The middle of a bucket, by factors: as far above its lower end as below its upper end.
fn middle(bucket: i16) -> f64 {
    ((f64::from(bucket) + 0.5) * GROWTH.ln()).exp()
}

#[cfg(test)]
mod tests;
