//! Estimates for a Python program without a history: models learned from runs of real programs.
//!
//! `atoll-train` made them from the programs that `docs/prediction.md` lists, and judged them there
//! on programs of directories that they had not seen. They are data beside this file. Only what
//! they were trained on is predicted by them: other kinds of programs are judged by the table.

use std::sync::LazyLock;

use atoll_trees::{Bound, Forest};
use atoll_types::{Analysis, Confidence, ProfileSource, ProgramKind, Quantiles, ResourceEstimate};

use crate::features::{Given, beginnings, feature_names, features};

const MEMORY: &str = include_str!("learned/memory.json");
const CPU: &str = include_str!("learned/cpu.json");

/// Which quantiles the models are for, in their order.
const QUANTILES: [f64; 3] = [0.5, 0.9, 0.99];

/// Nothing runs in less, whatever a model says: bytes, and microseconds.
const MEMORY_BYTES_MIN: f64 = 1_048_576.0;
const CPU_US_MIN: f64 = 1_000.0;

/// Nor is anything expected to need more.
const AMOUNT_MAX: f64 = (1_u64 << 50) as f64;

/// Estimates of CPU time and memory, in this order; `None` where nothing was learned.
pub(crate) fn estimates(
    analysis: &Analysis,
    given: &Given,
) -> Option<(ResourceEstimate, ResourceEstimate)> {
    if analysis.kind != ProgramKind::Python {
        return None;
    }
    let row = features(analysis, given);
    let (memory, cpu) = beginnings(analysis);
    let estimate = |model: &Bound<'_>, beginning: f64, least: f64| {
        let values = model.values(&row).ok()?;
        let mut amounts = values
            .iter()
            .map(|value| (beginning + value).exp2().clamp(least, AMOUNT_MAX) as u64);
        Some(ResourceEstimate {
            quantiles: Quantiles {
                p50: amounts.next()?,
                p90: amounts.next()?,
                p99: amounts.next()?,
            },
            confidence: if analysis.is_complete() {
                Confidence::Medium
            } else {
                Confidence::Low
            },
            source: ProfileSource::Model,
        })
    };
    Some((
        estimate(CPU_MODEL.as_ref()?, cpu, CPU_US_MIN)?,
        estimate(MEMORY_MODEL.as_ref()?, memory, MEMORY_BYTES_MIN)?,
    ))
}

static MEMORY_FOREST: LazyLock<Option<Forest>> = LazyLock::new(|| read(MEMORY));
static CPU_FOREST: LazyLock<Option<Forest>> = LazyLock::new(|| read(CPU));

static MEMORY_MODEL: LazyLock<Option<Bound<'static>>> = LazyLock::new(|| bind(&MEMORY_FOREST));
static CPU_MODEL: LazyLock<Option<Bound<'static>>> = LazyLock::new(|| bind(&CPU_FOREST));

/// A model; `None` when it is not for these quantiles, which a test rules out.
fn read(text: &str) -> Option<Forest> {
    let forest = Forest::from_text(text).ok()?;
    let quantiles = forest.models().iter().map(atoll_trees::Model::quantile);
    quantiles.eq(QUANTILES).then_some(forest)
}

/// The same for these features; `None` when it is for others, which a test rules out, too.
fn bind(forest: &'static Option<Forest>) -> Option<Bound<'static>> {
    forest.as_ref()?.bind(&feature_names()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_models_that_are_shipped_are_for_these_features() {
        let (cpu, memory) = estimates(&crate::tests::script(), &Given::default()).unwrap();
        for estimate in [&cpu, &memory] {
            let Quantiles { p50, p90, p99 } = estimate.quantiles;
            assert!(p50 <= p90 && p90 <= p99, "{estimate:?}");
            assert_eq!(estimate.source, ProfileSource::Model);
        }
        assert!(memory.quantiles.p50 > 2 << 20, "{memory:?}");
    }

    #[test]
    fn a_program_that_is_given_more_is_expected_to_need_no_less() {
        let analysis = crate::tests::script();
        let with = |argument_number_max: f64| {
            let given = Given {
                arguments: 1,
                argument_number_max,
                ..Given::default()
            };
            estimates(&analysis, &given).unwrap().0.quantiles.p50
        };
        assert!(with(1e6) >= with(10.0));
    }

    #[test]
    fn other_kinds_are_not_predicted_by_models() {
        let analysis = Analysis {
            kind: ProgramKind::Shell,
            ..crate::tests::script()
        };
        assert!(estimates(&analysis, &Given::default()).is_none());
    }
}
