//! Decides how a program ended, from what the kernel saw and what the worker says.
//!
//! The worker runs the guest's code and may be taken over, so the kernel's word comes first: what
//! the worker says counts only where the two agree.

use atoll_jail::ProgramEnd;
use atoll_sandbox::Ending;
use atoll_types::LimitName;

use crate::protocol::{EXIT_TRAPPED, Report, Status};

// Signals that say something about the guest and not about the worker (signal(7)).
const SIGKILL: i32 = 9;
const SIGXCPU: i32 = 24;
const SIGXFSZ: i32 = 25;
const SIGSYS: i32 = 31;

/// How a started program ended, with the limit that the runtime names as the cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Conclusion {
    pub(crate) ending: Ending,
    pub(crate) limit: Option<LimitName>,
}

/// Judges the end of a worker whose program had started. `kernel` is `None` when the jail's own
/// first process ended.
pub(crate) fn conclude(kernel: Option<ProgramEnd>, report: &Report) -> Conclusion {
    let plain = |ending| Conclusion {
        ending,
        limit: None,
    };
    let code = match kernel {
        None => return plain(lost("the first process of the sandbox ended")),
        Some(ProgramEnd::Signalled(signal)) => return plain(by_signal(signal)),
        Some(ProgramEnd::Exited(code)) => code,
    };
    match &report.end {
        // An exit status has eight bits; this is what the same program as a process would show.
        Some(Status::Exited { code: told, limit }) if told & 0xff == code => Conclusion {
            ending: Ending::Exited(code),
            limit: own_limit(*limit),
        },
        Some(Status::Trapped { text, limit }) if code == EXIT_TRAPPED => Conclusion {
            ending: Ending::Trapped(text.clone()),
            limit: own_limit(*limit),
        },
        Some(Status::Failed { reason }) => plain(lost(reason)),
        Some(_) => plain(lost(&format!(
            "the WebAssembly worker ended with code {code}, which is not what it reported"
        ))),
        None => plain(lost(&format!(
            "the WebAssembly worker ended with code {code} and without a report"
        ))),
    }
}

/// Signals that reach a worker because of what the guest did are the guest's end. Any other means
/// that the worker itself broke, and then nobody knows what the guest did.
fn by_signal(signal: i32) -> Ending {
    match signal {
        SIGKILL | SIGXCPU | SIGXFSZ | SIGSYS => Ending::Signalled(signal),
        _ => lost(&format!("signal {signal} ended the WebAssembly worker")),
    }
}

/// The limits that the runtime itself holds; all others are the kernel's to report.
fn own_limit(limit: Option<LimitName>) -> Option<LimitName> {
    limit.filter(|limit| matches!(limit, LimitName::Memory | LimitName::WallTime))
}

fn lost(what: &str) -> Ending {
    Ending::Lost(what.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::EXIT_REFUSED;

    fn report(end: Option<Status>) -> Report {
        Report {
            ready: Some(40),
            started: Some(1),
            end,
        }
    }

    fn exited(code: i32, limit: Option<LimitName>) -> Report {
        report(Some(Status::Exited { code, limit }))
    }

    fn trapped(limit: Option<LimitName>) -> Report {
        let text = "wasm trap: out of bounds".to_owned();
        report(Some(Status::Trapped { text, limit }))
    }

    fn ending(kernel: Option<ProgramEnd>, report: &Report) -> Ending {
        conclude(kernel, report).ending
    }

    #[test]
    fn an_exit_is_believed_when_the_kernel_saw_it() {
        for (told, seen) in [(0, 0), (7, 7), (256, 0), (-1, 255), (124, 124)] {
            let found = ending(Some(ProgramEnd::Exited(seen)), &exited(told, None));
            assert_eq!(found, Ending::Exited(seen));
        }
        for (told, seen) in [(0, 1), (1, 0), (0, 124), (0, 101)] {
            let found = ending(Some(ProgramEnd::Exited(seen)), &exited(told, None));
            assert!(matches!(found, Ending::Lost(_)), "{found:?}");
        }
    }

    #[test]
    fn a_trap_is_believed_when_the_exit_code_says_so() {
        let found = ending(Some(ProgramEnd::Exited(EXIT_TRAPPED)), &trapped(None));
        assert_eq!(
            found,
            Ending::Trapped("wasm trap: out of bounds".to_owned())
        );
        let found = ending(Some(ProgramEnd::Exited(0)), &trapped(None));
        assert!(matches!(found, Ending::Lost(_)), "{found:?}");
    }

    #[test]
    fn a_signal_outweighs_every_report() {
        let lie = exited(0, None);
        for signal in [SIGKILL, SIGSYS, SIGXCPU, SIGXFSZ] {
            let found = ending(Some(ProgramEnd::Signalled(signal)), &lie);
            assert_eq!(found, Ending::Signalled(signal));
        }
        for signal in [4, 6, 7, 11] {
            let found = ending(Some(ProgramEnd::Signalled(signal)), &lie);
            assert!(matches!(found, Ending::Lost(_)), "{found:?}");
        }
    }

    #[test]
    fn silence_and_late_refusals_are_losses() {
        let silent = report(None);
        for code in [0, 1, EXIT_TRAPPED, EXIT_REFUSED] {
            let found = ending(Some(ProgramEnd::Exited(code)), &silent);
            assert!(matches!(found, Ending::Lost(_)), "{found:?}");
        }
        assert!(matches!(ending(None, &exited(0, None)), Ending::Lost(_)));
    }

    #[test]
    fn only_the_runtimes_own_limits_are_taken_from_it() {
        let end = Some(ProgramEnd::Exited(EXIT_TRAPPED));
        for limit in [LimitName::Memory, LimitName::WallTime] {
            assert_eq!(conclude(end, &trapped(Some(limit))).limit, Some(limit));
        }
        for limit in [LimitName::CpuTime, LimitName::Disk, LimitName::Output] {
            assert_eq!(conclude(end, &trapped(Some(limit))).limit, None);
        }
        let killed = Some(ProgramEnd::Signalled(SIGKILL));
        assert_eq!(
            conclude(killed, &trapped(Some(LimitName::Memory))).limit,
            None
        );
    }
}
