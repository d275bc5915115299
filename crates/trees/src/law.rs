//! How the cost of a known program grows with the size of its input.
//!
//! A law is `fixed + slope * shape(size)` with one of a few shapes. Costs waver by some per cent,
//! so a few runs seldom tell similar shapes apart: a steeper shape has to explain much more than a
//! plain one to be chosen, and all that remain plausible widen the range of a prediction. What is
//! too wide is not predicted at all.

use serde::{Deserialize, Serialize};

/// Laws are made of runs with at least this many different sizes.
pub const SIZES_MIN: usize = 3;

/// The largest of these is at least so many times the smallest.
pub const RANGE_MIN: f64 = 4.0;

/// The most runs that are looked at; of more, the last ones.
pub const RUNS_MAX: usize = 200;

/// The furthest a law reaches, in times the largest size that was seen.
pub const EXTRAPOLATION_MAX: f64 = 32.0;

/// A prediction whose upper end exceeds its lower end by more than this factor says too little.
pub const SPREAD_MAX: f64 = 2.5;

/// Costs are taken to waver by this share before any were seen, which counts like
/// `NOISE_RUNS` runs.
const NOISE: f64 = 0.08;
const NOISE_RUNS: f64 = 4.0;

/// The freedom of the Student distribution that residuals are taken to have: so small that single
/// runs can lie far off.
const FREEDOM: f64 = 3.0;

/// The most rounds of fitting; each weighs the runs anew.
const ROUNDS: usize = 40;

/// Fitting ends when the noise changes by no more than this share.
const SETTLED: f64 = 1e-6;

/// How many standard errors a range reaches to either side: 90 % of the normal distribution.
const ERRORS_RANGE: f64 = 1.645;

/// Shapes with less than this probability, next to the chosen one, do not widen a range.
const PLAUSIBLE: f64 = 0.05;

/// How cost grows with size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// It does not grow.
    Constant,
    /// As the size.
    Linear,
    /// As the size times its logarithm.
    Linearithmic,
    /// As the size to the power of one and a half.
    ThreeHalves,
    /// As the square of the size.
    Square,
    /// As the cube of the size.
    Cube,
}

impl Shape {
    const ALL: [Self; 6] = [
        Self::Constant,
        Self::Linear,
        Self::Linearithmic,
        Self::ThreeHalves,
        Self::Square,
        Self::Cube,
    ];

    /// How it is written, for a size of n.
    #[must_use]
    pub const fn formula(self) -> &'static str {
        match self {
            Self::Constant => "constant",
            Self::Linear => "n",
            Self::Linearithmic => "n log n",
            Self::ThreeHalves => "n^1.5",
            Self::Square => "n^2",
            Self::Cube => "n^3",
        }
    }

    fn at(self, size: f64) -> f64 {
        match self {
            Self::Constant => 0.0,
            Self::Linear => size,
            Self::Linearithmic => size * (size + 1.0).log2(),
            Self::ThreeHalves => size.powf(1.5),
            Self::Square => size * size,
            Self::Cube => size * size * size,
        }
    }

    /// How much less than twice the logarithm of its likelihood a shape is believed.
    fn penalty(self, runs: f64) -> f64 {
        let rare = match self {
            Self::Constant => return 0.0,
            Self::Linear => 0.0,
            Self::Linearithmic | Self::Square => 1.5,
            Self::ThreeHalves | Self::Cube => 3.0,
        };
        runs.ln() + rare
    }
}

/// A law that was found, with those that could be true as well.
#[derive(Debug, Clone, PartialEq)]
pub struct Law {
    size_greatest: f64,
    noise: f64,
    /// The chosen one first.
    plausible: Vec<Fit>,
}

/// What a law says of one size.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LawPrediction {
    /// The cost that the chosen law says.
    pub cost: f64,
    /// The lower end of a range in which the cost should be in nine of ten cases.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
    /// The size in times the largest that was seen; up to 1 nothing is extrapolated.
    pub extrapolation: f64,
}

impl Law {
    /// Finds the law behind runs, pairs of size and cost, both in any unit.
    ///
    /// `None` when there are too few sizes, when they are too close to each other, or when a number
    /// is not finite or not above 0.
    #[must_use]
    pub fn fit(runs: &[(f64, f64)]) -> Option<Self> {
        let from = runs.len().saturating_sub(RUNS_MAX);
        let runs = runs.get(from..)?;
        let is_good = |number: f64| number.is_finite() && number > 0.0;
        if !runs
            .iter()
            .all(|(size, cost)| is_good(*size) && is_good(*cost))
        {
            return None;
        }
        let mut sizes: Vec<f64> = runs.iter().map(|(size, _)| *size).collect();
        sizes.sort_by(f64::total_cmp);
        sizes.dedup();
        let (least, greatest) = (*sizes.first()?, *sizes.last()?);
        if sizes.len() < SIZES_MIN || greatest / least < RANGE_MIN {
            return None;
        }
        let shapes = Shape::ALL.into_iter();
        let mut fits: Vec<Fit> = shapes.filter_map(|s| Fit::new(s, runs, greatest)).collect();
        fits.sort_by(|a, b| a.score.total_cmp(&b.score));
        let best = fits.first()?.score;
        let least_likely = 2.0 * PLAUSIBLE.ln();
        fits.retain(|fit| best - fit.score >= least_likely);
        Some(Self {
            size_greatest: greatest,
            noise: fits.first()?.noise,
            plausible: fits,
        })
    }

    /// The chosen shape.
    #[must_use]
    pub fn shape(&self) -> Shape {
        self.plausible
            .first()
            .map_or(Shape::Constant, |fit| fit.shape)
    }

    /// By which share costs waver around the law.
    #[must_use]
    pub const fn noise(&self) -> f64 {
        self.noise
    }

    /// The cost of an input of a size; `None` where the runs do not say enough about that: too far
    /// beyond the largest of them, or with too wide a range.
    #[must_use]
    pub fn predict(&self, size: f64) -> Option<LawPrediction> {
        let extrapolation = size / self.size_greatest;
        if !(size > 0.0 && extrapolation <= EXTRAPOLATION_MAX) {
            return None;
        }
        let cost = self.plausible.first()?.cost(size);
        let mut low = cost;
        let mut high = cost;
        for fit in &self.plausible {
            let (from, to) = fit.range(size, self.noise);
            low = low.min(from);
            high = high.max(to);
        }
        let is_told = cost.is_finite() && low > 0.0 && high <= low * SPREAD_MAX;
        is_told.then_some(LawPrediction {
            cost,
            low,
            high,
            extrapolation,
        })
    }
}

/// One shape, fitted.
#[derive(Debug, Clone, PartialEq)]
struct Fit {
    shape: Shape,
    /// What the shape is at the largest size; the slope is in units of that.
    scale: f64,
    fixed: f64,
    slope: f64,
    /// By which share costs waver around it.
    noise: f64,
    /// Variances of `fixed` and `slope`, and what they have in common.
    covariance: [f64; 3],
    /// The smaller the better it explains the runs, for its penalty.
    score: f64,
}

/// Weighted sums over runs, for a straight line through them.
#[derive(Debug, Default)]
struct Sums {
    one: f64,
    x: f64,
    xx: f64,
    y: f64,
    xy: f64,
}

impl Sums {
    /// The line with the least squares that neither begins nor falls below 0.
    fn line(&self, is_flat: bool) -> Option<(f64, f64)> {
        let flat = self.y / self.one;
        if is_flat {
            return Some((flat, 0.0));
        }
        let determinant = self.one * self.xx - self.x * self.x;
        let slope = (self.one * self.xy - self.x * self.y) / determinant;
        let fixed = (self.xx * self.y - self.x * self.xy) / determinant;
        if !(slope > 0.0 && fixed.is_finite()) {
            // A law that does not grow is the constant one.
            return None;
        }
        Some(if fixed < 0.0 {
            (0.0, self.xy / self.xx)
        } else {
            (fixed, slope)
        })
    }

    /// The inverse of the information about the line, without the noise.
    fn covariance(&self, is_flat: bool, fixed: f64) -> [f64; 3] {
        let determinant = self.one * self.xx - self.x * self.x;
        if is_flat {
            [1.0 / self.one, 0.0, 0.0]
        } else if fixed <= 0.0 {
            [0.0, 1.0 / self.xx, 0.0]
        } else {
            [
                self.xx / determinant,
                self.one / determinant,
                -self.x / determinant,
            ]
        }
    }
}

impl Fit {
    /// The most likely law of a shape, found by weighing each run by how far off it is.
    fn new(shape: Shape, runs: &[(f64, f64)], greatest: f64) -> Option<Self> {
        let is_flat = shape == Shape::Constant;
        let scale = if is_flat { 1.0 } else { shape.at(greatest) };
        if !(scale.is_finite() && scale > 0.0) {
            return None;
        }
        let mut fit = Self {
            shape,
            scale,
            fixed: 0.0,
            slope: 0.0,
            noise: NOISE,
            covariance: [0.0; 3],
            score: 0.0,
        };
        let at: Vec<f64> = runs
            .iter()
            .map(|(size, _)| shape.at(*size) / scale)
            .collect();
        // At first each run is as good as any other, to a share of its own cost.
        let mut weights: Vec<f64> = runs.iter().map(|(_, cost)| cost.powi(-2)).collect();
        for _ in 0..ROUNDS {
            let mut sums = Sums::default();
            for ((x, (_, cost)), weight) in at.iter().zip(runs).zip(&weights) {
                sums.one += weight;
                sums.x += weight * x;
                sums.xx += weight * x * x;
                sums.y += weight * cost;
                sums.xy += weight * x * cost;
            }
            (fit.fixed, fit.slope) = sums.line(is_flat)?;
            fit.covariance = sums.covariance(is_flat, fit.fixed);
            let mut squares = 0.0;
            for ((x, (_, cost)), weight) in at.iter().zip(runs).zip(&mut weights) {
                let told = fit.fixed + fit.slope * x;
                let residual = (cost / told).ln();
                let trust = (FREEDOM + 1.0) / (FREEDOM + (residual / fit.noise).powi(2));
                squares += trust * residual * residual;
                *weight = trust / (told * told);
            }
            let all = NOISE_RUNS + runs.len() as f64;
            let noise = ((NOISE_RUNS * NOISE * NOISE + squares) / all).sqrt();
            let is_settled = (noise - fit.noise).abs() <= noise * SETTLED;
            fit.noise = noise;
            if is_settled {
                break;
            }
        }
        fit.score = fit.score(runs);
        fit.score.is_finite().then_some(fit)
    }

    fn cost(&self, size: f64) -> f64 {
        self.fixed + self.slope * self.shape.at(size) / self.scale
    }

    /// By how much a run is above the law, as a logarithm, which is about its share.
    fn residual(&self, (size, cost): &(f64, f64)) -> f64 {
        (cost / self.cost(*size)).ln()
    }

    /// How uncertain the law itself is at a size, squared.
    fn variance(&self, size: f64) -> f64 {
        let [fixed, slope, common] = self.covariance;
        let x = self.shape.at(size) / self.scale;
        let sum = fixed + x * x * slope + 2.0 * x * common;
        sum.max(0.0) * self.noise * self.noise
    }

    /// Where the cost should be in nine of ten cases, if this is the right shape.
    fn range(&self, size: f64, noise: f64) -> (f64, f64) {
        let reach = |cost: f64, size: f64| {
            ERRORS_RANGE * (self.variance(size) + (noise * cost).powi(2)).sqrt()
        };
        let cost = self.cost(size);
        let above = reach(cost, size);
        // However uncertain the slope is, it is not below 0.
        let least = self.fixed - reach(self.fixed, 0.0);
        (least.max(cost * (-above / cost).exp()), cost + above)
    }

    /// Minus twice the logarithm of the likelihood, and the penalty of the shape.
    fn score(&self, runs: &[(f64, f64)]) -> f64 {
        let variance = self.noise * self.noise;
        let unlikely = runs.iter().map(|run| {
            (FREEDOM + 1.0) * (self.residual(run).powi(2) / (FREEDOM * variance)).ln_1p()
        });
        let runs_count = runs.len() as f64;
        // The noise that was taken for granted counts like runs of that size.
        let prior = NOISE_RUNS * (variance.ln() + NOISE * NOISE / variance);
        unlikely.sum::<f64>() + runs_count * variance.ln() + prior + self.shape.penalty(runs_count)
    }
}

#[cfg(test)]
mod tests;
