//! What will it need?

use atoll_types::{Analysis, PastRun, Profile};

/// Earlier runs that a prediction looks at. More would not move its quantiles much.
pub(crate) const PAST_RUNS_MAX: u32 = 200;

/// Predicts from earlier runs of the program, else from what it contains.
pub(crate) fn predict(analysis: &Analysis, past: &[PastRun], now_unix_ms: u64) -> Profile {
    atoll_predict::predict(analysis, past, now_unix_ms)
}
