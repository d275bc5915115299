//! What a worker tells of its guests' calls.
//!
//! Owns what of it can be: as much as an audit has, of messages whose calls are taken down.

use std::collections::BTreeMap;

use atoll_types::calls::{Call, CallAudit, CallAuditor, CallCounts, CallRecord};

/// The longest name of what became of a call, in bytes.
const VERDICT_BYTES_MAX: usize = 32;

/// The longest argument as text, in bytes: base64 takes four for each three.
const ARGUMENT_TEXT_BYTES_MAX: usize = CallRecord::ARGUMENT_BYTES_MAX.div_ceil(3) * 4;

/// Adds calls to those that were told before, if that can be.
pub(super) fn take(
    known: Option<&mut Vec<CallRecord>>,
    records: Vec<CallRecord>,
) -> Result<(), &'static str> {
    let known = known.ok_or(NOT_ASKED)?;
    if known.len().saturating_add(records.len()) > CallAuditor::RECORDS_MAX {
        return Err("it told of more calls than are taken down");
    }
    if !records.iter().all(can_be) {
        return Err("it told of a call that cannot be");
    }
    known.extend(records);
    Ok(())
}

/// What is known of an ended message's calls. Nothing is, where nobody wanted to know.
pub(super) fn audit(
    records: Option<Vec<CallRecord>>,
    counts: Option<BTreeMap<Call, CallCounts>>,
) -> Result<Option<CallAudit>, &'static str> {
    match (records, counts) {
        (None, None) => Ok(None),
        (None, Some(_)) => Err(NOT_ASKED),
        // One that never began has called nothing.
        (Some(records), counts) => Ok(Some(CallAudit::new(counts.unwrap_or_default(), records))),
    }
}

const NOT_ASKED: &str = "it told of calls that nobody asked for";

fn can_be(record: &CallRecord) -> bool {
    let argument = record.argument.as_ref();
    let verdict = record.verdict.as_bytes();
    argument.is_none_or(|argument| argument.data.len() <= ARGUMENT_TEXT_BYTES_MAX)
        && verdict.len() <= VERDICT_BYTES_MAX
        && verdict.iter().all(u8::is_ascii_graphic)
}

#[cfg(test)]
mod tests {
    use atoll_types::EncodedBytes;

    use super::*;

    fn record(argument: &[u8], verdict: &str) -> CallRecord {
        CallRecord {
            call: Call::FileOpen,
            argument: Some(EncodedBytes::encode(argument)),
            verdict: verdict.to_owned(),
            since_start_us: 1,
        }
    }

    #[test]
    fn what_an_audit_can_have_is_taken() {
        let largest = [0xff; CallRecord::ARGUMENT_BYTES_MAX];
        let mut known = Vec::new();
        for _ in 0..CallAuditor::RECORDS_MAX {
            take(
                Some(&mut known),
                vec![record(&largest, "deny=EADDRNOTAVAIL")],
            )
            .unwrap();
        }
        let counts = CallCounts {
            denied: 2000,
            ..CallCounts::default()
        };
        let counts = BTreeMap::from([(Call::FileOpen, counts)]);
        let audit = audit(Some(known), Some(counts)).unwrap().unwrap();
        assert_eq!((audit.records.len(), audit.records_left_off), (1000, 1000));
    }

    #[test]
    fn what_cannot_be_is_not_believed() {
        let long = [b'x'; ARGUMENT_TEXT_BYTES_MAX + 1];
        for wrong in [
            record(&long, "allow"),
            record(b"/a", "allow\x1b[2J"),
            record(b"/a", &"x".repeat(VERDICT_BYTES_MAX + 1)),
        ] {
            let taken = take(
                Some(&mut Vec::new()),
                vec![record(b"/a", "allow"), wrong.clone()],
            );
            assert!(taken.is_err(), "{wrong:?}");
        }
        let many = vec![record(b"/a", "allow"); CallAuditor::RECORDS_MAX + 1];
        assert!(take(Some(&mut Vec::new()), many).is_err());
        assert!(take(None, Vec::new()).is_err());
        assert!(audit(None, Some(BTreeMap::new())).is_err());
        assert_eq!(audit(None, None), Ok(None));
    }
}
