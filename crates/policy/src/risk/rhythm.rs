//! The part of risk that comes from bursts: many messages at once, measured against the tenant's
//! own rhythm.
//!
//! A tenant that sends a message a second all day is not suspicious for sixty a minute; one that
//! sends a message an hour is. The rhythm is the median time between arrivals before the last
//! minute; the last minute itself is left out of it, so that a burst cannot make itself look
//! normal.

use super::Judged;
use crate::text::{count, duration_ms};

/// Arrivals this recent are held against the rhythm.
const WINDOW_MS: u64 = 60_000;

/// With fewer gaps than this before the window, there is no rhythm to compare with.
const GAPS_MIN: usize = 8;

/// What a tenant without a rhythm is expected to send in the window: a message every half minute,
/// as a person would. The store keeps only the latest arrivals, so a flood pushes the rhythm out
/// of sight; with this it still counts as a flood.
const ASSUMED_IN_WINDOW: f64 = 2.0;

/// Up to this many times the expected arrivals is ordinary jitter, above all for rare senders.
const RATIO_ORDINARY: f64 = 4.0;

/// At this ratio a burst counts in full; between, it grows with the logarithm.
const RATIO_FULL: f64 = 64.0;

/// Fewer recent arrivals than this are no burst, whatever the rhythm.
const ARRIVALS_MIN: f64 = 10.0;

/// The most a burst adds: alone it stays below every threshold of the default policy. Without a
/// rhythm it is half of that, since there is little to judge from.
const MOST: f64 = 0.30;
const MOST_WITHOUT_RHYTHM: f64 = 0.15;

/// Judges the arrivals of a tenant; times in milliseconds since the Unix epoch, in any order.
/// Another arrival within the last minute never lowers the value.
pub(super) fn bursts(arrivals_unix_ms: &[u64], now_unix_ms: u64) -> Judged {
    let window_start = now_unix_ms.saturating_sub(WINDOW_MS);
    let (recent, earlier): (Vec<u64>, Vec<u64>) = arrivals_unix_ms
        .iter()
        .copied()
        .partition(|arrival| *arrival > window_start);
    let gap_ms = median_gap_ms(earlier);
    let (expected, most) = match gap_ms {
        Some(gap_ms) => (WINDOW_MS as f64 / gap_ms.max(1) as f64, MOST),
        None => (ASSUMED_IN_WINDOW, MOST_WITHOUT_RHYTHM),
    };
    let value = most * strength(recent.len() as f64, expected);
    let arrived = count(recent.len() as u64, "message", "messages");
    let because = match gap_ms {
        Some(gap_ms) => format!(
            "{arrived} in the last minute, where this tenant usually sends one every {}",
            duration_ms(gap_ms)
        ),
        None => format!("{arrived} in the last minute; too few before to know a rhythm"),
    };
    Judged { value, because }
}

/// How much of a burst this is, in [0, 1]; rising in `arrived`.
fn strength(arrived: f64, expected: f64) -> f64 {
    if arrived < ARRIVALS_MIN {
        return 0.0;
    }
    // Rare senders are expected to send one message at a time, not a thousandth of one.
    let ratio = arrived / expected.max(1.0);
    ((ratio / RATIO_ORDINARY).ln() / (RATIO_FULL / RATIO_ORDINARY).ln()).clamp(0.0, 1.0)
}

/// The median time between neighbouring arrivals, or `None` when there are too few.
fn median_gap_ms(mut arrivals: Vec<u64>) -> Option<u64> {
    arrivals.sort_unstable();
    let mut gaps: Vec<u64> = arrivals
        .iter()
        .zip(arrivals.iter().skip(1))
        .map(|(before, after)| after - before)
        .collect();
    if gaps.len() < GAPS_MIN {
        return None;
    }
    gaps.sort_unstable();
    gaps.get(gaps.len() / 2).copied()
}
