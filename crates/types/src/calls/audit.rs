//! What was called: counts of everything, and the first calls one by one. Bounded.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Call, Verdict};
use crate::EncodedBytes;

/// The calls of one program.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CallAudit {
    /// How often each call was made, and what became of it. Calls that were not made are missing.
    pub counts: BTreeMap<Call, CallCounts>,
    /// The first calls, in the order in which they were decided.
    pub records: Vec<CallRecord>,
    /// Calls that are in the counts and not in the records.
    pub records_left_off: u64,
}

/// What became of the calls of one name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CallCounts {
    /// Those that were made at once.
    pub allowed: u64,
    /// Those that failed because a rule said so.
    pub denied: u64,
    /// Those that were made later.
    pub delayed: u64,
    /// Those that ended the program.
    pub trapped: u64,
}

/// One call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallRecord {
    /// Which call.
    pub call: Call,
    /// Its argument, cut to [`CallRecord::ARGUMENT_BYTES_MAX`]; `None` when it has none or it was
    /// not looked at.
    pub argument: Option<EncodedBytes>,
    /// What became of it: `allow`, `deny=EACCES`, `delay=20ms` or `trap`.
    pub verdict: String,
    /// When it was decided, in microseconds since the program's start.
    pub since_start_us: u64,
}

impl CallRecord {
    /// The most that is kept of an argument, in bytes.
    pub const ARGUMENT_BYTES_MAX: usize = 256;

    /// What it takes of memory, in bytes.
    fn bytes(&self) -> u64 {
        let argument = self.argument.as_ref();
        let text = argument.map_or(0, |argument| argument.data.len());
        let all = size_of::<Self>() + self.verdict.len();
        all.saturating_add(text) as u64
    }
}

impl CallAudit {
    /// Puts together what was counted and what was recorded of it.
    #[must_use]
    pub fn new(counts: BTreeMap<Call, CallCounts>, records: Vec<CallRecord>) -> Self {
        let mut audit = Self {
            counts,
            records,
            records_left_off: 0,
        };
        audit.records_left_off = audit.total().saturating_sub(audit.records.len() as u64);
        audit
    }

    /// How many calls were made, whatever became of them.
    #[must_use]
    pub fn total(&self) -> u64 {
        let counts = self.counts.values().map(|counts| counts.total());
        counts.fold(0, u64::saturating_add)
    }
}

impl CallCounts {
    /// How many there were, whatever became of them.
    #[must_use]
    pub const fn total(&self) -> u64 {
        let made = self.allowed.saturating_add(self.delayed);
        let not_made = self.denied.saturating_add(self.trapped);
        made.saturating_add(not_made)
    }
}

/// Takes down calls while a program runs.
#[derive(Debug, Clone)]
pub struct CallAuditor {
    /// In the order of [`Call::ALL`].
    counts: [CallCounts; Call::ALL.len()],
    records: Vec<CallRecord>,
    records_max: usize,
    records_bytes: u64,
}

impl CallAuditor {
    /// The most calls that are recorded one by one, unless asked otherwise.
    pub const RECORDS_MAX: usize = 1000;

    /// Records the first `records_max` calls one by one and counts all.
    #[must_use]
    pub const fn new(records_max: usize) -> Self {
        const NONE: CallCounts = CallCounts {
            allowed: 0,
            denied: 0,
            delayed: 0,
            trapped: 0,
        };
        Self {
            counts: [NONE; Call::ALL.len()],
            records: Vec::new(),
            records_max,
            records_bytes: 0,
        }
    }

    /// Whether the next call is recorded, and not only counted.
    #[must_use]
    pub const fn has_room(&self) -> bool {
        self.records.len() < self.records_max
    }

    /// What the records take of memory, in bytes.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.records_bytes
    }

    /// Takes down one call.
    pub fn record(
        &mut self,
        call: Call,
        argument: Option<&[u8]>,
        verdict: Verdict,
        since_start_us: u64,
    ) {
        if let Some(counts) = self.counts.get_mut(call as usize) {
            let count = match verdict {
                Verdict::Allow => &mut counts.allowed,
                Verdict::Deny(_) => &mut counts.denied,
                Verdict::Delay(_) => &mut counts.delayed,
                Verdict::Trap => &mut counts.trapped,
            };
            *count = count.saturating_add(1);
        }
        if self.has_room() {
            let cut = |bytes: &[u8]| {
                let kept = bytes.len().min(CallRecord::ARGUMENT_BYTES_MAX);
                EncodedBytes::encode(bytes.get(..kept).unwrap_or_default())
            };
            let record = CallRecord {
                call,
                argument: argument.map(cut),
                verdict: verdict.to_string(),
                since_start_us,
            };
            self.records_bytes = self.records_bytes.saturating_add(record.bytes());
            self.records.push(record);
        }
    }

    /// What was taken down.
    #[must_use]
    pub fn finish(self) -> CallAudit {
        let made = Call::ALL.into_iter().zip(self.counts);
        let counts: BTreeMap<Call, CallCounts> =
            made.filter(|(_, counts)| counts.total() > 0).collect();
        CallAudit::new(counts, self.records)
    }
}

impl Default for CallAuditor {
    fn default() -> Self {
        Self::new(Self::RECORDS_MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calls::ErrorName;

    #[test]
    fn everything_is_counted_and_the_first_are_recorded() {
        let mut auditor = CallAuditor::new(2);
        let long = [b'x'; 300];
        auditor.record(Call::FileOpen, Some(&long), Verdict::Allow, 1);
        auditor.record(
            Call::FileOpen,
            Some(b"\xff"),
            Verdict::Deny(ErrorName::Access),
            2,
        );
        auditor.record(Call::ClockRead, None, Verdict::Delay(3), 3);
        auditor.record(Call::ClockRead, None, Verdict::Trap, 4);
        let audit = auditor.finish();
        let opens = audit.counts[&Call::FileOpen];
        assert_eq!((opens.allowed, opens.denied), (1, 1));
        let clock = audit.counts[&Call::ClockRead];
        assert_eq!((clock.delayed, clock.trapped), (1, 1));
        assert_eq!(audit.counts.len(), 2);
        assert_eq!((audit.records.len(), audit.records_left_off), (2, 2));
        let kept = audit.records[0].argument.as_ref().unwrap();
        assert_eq!(kept.data.len(), CallRecord::ARGUMENT_BYTES_MAX);
        assert_eq!(audit.records[1].verdict, "deny=EACCES");
        assert_eq!(
            audit.records[1].argument.as_ref().unwrap().decode(),
            Some(vec![0xff])
        );
        let json = serde_json::to_string(&audit).unwrap();
        assert!(json.contains(r#""clock.read":{"allowed":0"#), "{json}");
        assert_eq!(serde_json::from_str::<CallAudit>(&json).unwrap(), audit);
    }

    #[test]
    fn records_take_no_more_than_they_may() {
        let mut auditor = CallAuditor::new(3);
        let mut before = 0;
        for number in 0..3 {
            assert!(auditor.has_room());
            auditor.record(Call::FileOpen, Some(&[0xff; 9000]), Verdict::Allow, number);
            let grown = auditor.bytes() - before;
            assert!((300..1000).contains(&grown), "{grown}");
            before = auditor.bytes();
        }
        assert!(!auditor.has_room());
        for _ in 0..1000 {
            auditor.record(Call::FileOpen, Some(b"/a"), Verdict::Allow, 9);
        }
        assert_eq!(auditor.bytes(), before);
        let audit = auditor.finish();
        assert_eq!((audit.total(), audit.records_left_off), (1003, 1000));
    }

    #[test]
    fn counts_beyond_all_numbers_are_no_fault() {
        let counts = CallCounts {
            allowed: u64::MAX,
            denied: 1,
            delayed: u64::MAX,
            trapped: 7,
        };
        let all = [(Call::FileOpen, counts), (Call::FileRead, counts)];
        let audit = CallAudit::new(all.into(), Vec::new());
        assert_eq!(
            (audit.total(), audit.records_left_off),
            (u64::MAX, u64::MAX)
        );
    }
}
