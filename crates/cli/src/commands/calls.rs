//! What a person is told of the calls that a program made.

use std::fmt::Write as _;

use atoll_types::calls::{Call, CallAudit, CallCounts, CallRecord};

use crate::terminal::{BOLD, plain, styled};

/// How many calls that were held up are shown one by one.
const SHOWN_MAX: usize = 10;

/// Counts of all calls, and the first of those that were not simply made.
pub(super) fn made(calls: &CallAudit) -> String {
    let mut out = format!("{}: {}\n", styled(BOLD, "calls"), calls.total());
    for line in counts(calls) {
        let _ = writeln!(out, "  {line}");
    }
    let held_up = |record: &&CallRecord| record.verdict != "allow";
    let mut shown = calls.records.iter().filter(held_up);
    for record in shown.by_ref().take(SHOWN_MAX) {
        let argument = record.argument.as_ref();
        let argument = argument.map_or_else(String::new, |argument| plain(&argument.data));
        let at = record.since_start_us / 1000;
        let (call, verdict) = (record.call.name(), plain(&record.verdict));
        let _ = writeln!(out, "  after {at} ms: {verdict} {call} {argument}");
    }
    let more = calls.records_left_off.saturating_add(shown.count() as u64);
    if more > 0 {
        let _ = writeln!(out, "  and {more} more calls; `--json` has the first 1000");
    }
    out
}

/// A line for each call that was made, with what became of it and how often.
pub(super) fn counts(calls: &CallAudit) -> Vec<String> {
    let line = |(call, counts): (&Call, _)| format!("{:<20} {}", call.name(), counted(counts));
    calls.counts.iter().map(line).collect()
}

fn counted(counts: &CallCounts) -> String {
    let all = [
        (counts.allowed, "allowed"),
        (counts.denied, "denied"),
        (counts.delayed, "delayed"),
        (counts.trapped, "ended the program"),
    ];
    let some: Vec<String> = all
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    some.join(", ")
}

#[cfg(test)]
mod tests {
    use atoll_types::calls::{CallAuditor, ErrorName, Verdict};

    use super::*;

    #[test]
    fn counts_come_first_and_then_what_was_held_up() {
        let mut auditor = CallAuditor::default();
        auditor.record(Call::FileOpen, Some(b"/a"), Verdict::Allow, 1_000);
        let denied = Verdict::Deny(ErrorName::NotFound);
        auditor.record(Call::FileOpen, Some(b"/b\x1b[31m"), denied, 2_500);
        auditor.record(Call::ProcessStart, None, Verdict::Delay(7), 3_000);
        let text = made(&auditor.finish());
        assert!(text.contains(": 3\n"), "{text}");
        assert!(
            text.contains("file.open            1 allowed, 1 denied\n"),
            "{text}"
        );
        assert!(
            text.contains("after 2 ms: deny=ENOENT file.open /b"),
            "{text}"
        );
        assert!(
            text.contains("after 3 ms: delay=7ms process.start"),
            "{text}"
        );
        assert!(!text.contains("\x1b[31m"), "{text:?}");
    }
}
