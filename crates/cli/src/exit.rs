//! Exit codes: the one place where an outcome becomes a number.

use atoll_engine::{CutShort, Report};
use atoll_types::{Outcome, Status};

/// A policy that `atoll policy check` found wrong.
pub(crate) const BAD_POLICY: u8 = 1;
/// A limit ended the program, as with timeout(1).
pub(crate) const LIMIT: u8 = 124;
/// Atoll failed, or its input could not be used.
pub(crate) const FAILED: u8 = 125;
/// The program was not run.
pub(crate) const REFUSED: u8 = 126;
/// A WebAssembly trap, as an abort (128 + SIGABRT).
const TRAPPED: u8 = 134;
/// The reader of the output went away (128 + SIGPIPE).
pub(crate) const OUTPUT_CLOSED: u8 = 141;

/// The exit code for a run. `interrupted_by` is the signal that asked for the end, if one did.
pub(crate) fn of_report(report: &Report, interrupted_by: Option<i32>) -> u8 {
    match report.cut_short {
        Some(CutShort::Interrupted) => after_signal(interrupted_by.unwrap_or(2)),
        Some(CutShort::OutputClosed) => OUTPUT_CLOSED,
        None => of_outcome(&report.outcome),
    }
}

fn of_outcome(outcome: &Outcome) -> u8 {
    match outcome.status {
        // The kernel keeps eight bits of an exit code (wait(2)).
        Status::Exited => outcome
            .exit_code
            .map_or(FAILED, |code| u8::try_from(code & 0xff).unwrap_or(FAILED)),
        Status::Signalled => outcome.signal.map_or(TRAPPED, after_signal),
        Status::Limit => LIMIT,
        Status::Refused => REFUSED,
        Status::Failed => FAILED,
    }
}

/// 128 + the signal, as shells have it.
pub(crate) fn after_signal(signal: i32) -> u8 {
    u8::try_from(signal.saturating_add(128)).unwrap_or(FAILED)
}

#[cfg(test)]
mod tests {
    use atoll_types::{MessageId, ProgramHash, TenantId, Timings, Usage};

    use super::*;

    fn report(status: Status, exit_code: Option<i32>, signal: Option<i32>) -> Report {
        Report {
            outcome: Outcome {
                id: MessageId::new(0, [0; 10]),
                tenant: TenantId::new("local").unwrap(),
                program: ProgramHash::of(b""),
                program_name: "a".to_owned(),
                status,
                exit_code,
                signal,
                limit: None,
                reason: None,
                sandbox_message: None,
                stdout: Vec::new(),
                stderr: Vec::new(),
                truncated: false,
                collection: None,
                analysis: None,
                risk: None,
                profile: None,
                decision: None,
                enforcement: None,
                calls: None,
                adaptation: None,
                trial: None,
                usage: Usage::default(),
                timings_us: Timings::default(),
            },
            cut_short: None,
            warnings: Vec::new(),
        }
    }

    #[test]
    fn each_status_has_its_code() {
        for (status, exit_code, signal, expected) in [
            (Status::Exited, Some(0), None, 0),
            (Status::Exited, Some(255), None, 255),
            (Status::Signalled, None, Some(9), 137),
            (Status::Signalled, None, Some(31), 159),
            (Status::Signalled, None, None, 134),
            (Status::Limit, None, None, 124),
            (Status::Failed, None, None, 125),
            (Status::Refused, None, None, 126),
        ] {
            assert_eq!(
                of_report(&report(status, exit_code, signal), None),
                expected
            );
        }
    }

    #[test]
    fn a_run_that_was_cut_short_says_by_what() {
        let mut interrupted = report(Status::Failed, None, None);
        interrupted.cut_short = Some(CutShort::Interrupted);
        assert_eq!(of_report(&interrupted, Some(2)), 130);
        assert_eq!(of_report(&interrupted, Some(15)), 143);
        interrupted.cut_short = Some(CutShort::OutputClosed);
        assert_eq!(of_report(&interrupted, None), 141);
    }
}
