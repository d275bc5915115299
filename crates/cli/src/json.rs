//! The JSON forms: what `--json` prints, field by field.
//!
//! The forms are a promise to callers; documented in `docs/cli.md`. The shared nouns have their
//! own forms in `atoll-types`; this module says which of them are put together, and how bytes
//! survive.

mod outcome;
mod report;

pub(crate) use outcome::{failure, outcome};
pub(crate) use report::{check, diagnosis, explanation, history, record};

use serde::Serialize;

/// One object on one line.
pub(crate) fn line(value: &impl Serialize) -> String {
    // Every form here is plain data with text keys, which JSON can always express.
    let mut text = serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned());
    text.push('\n');
    text
}
