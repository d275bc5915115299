//! What will it need?

use atoll_predict::Given;
use atoll_types::{Analysis, Message, Past, Profile};

/// Earlier runs that a prediction looks at. More would not move its quantiles much.
pub(crate) const PAST_RUNS_MAX: u32 = 200;

/// Predicts from earlier runs of the program, else from what it contains and is given, and from how
/// earlier predictions for its sender fared.
pub(crate) fn predict(message: &Message, analysis: &Analysis, past: &Past) -> Profile {
    let given = Given::of(message);
    atoll_predict::predict(analysis, &given, past, message.received_unix_ms)
}
