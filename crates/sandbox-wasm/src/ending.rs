//! Decides how a program ended, from what the worker says and, where that is gone, the kernel.
//!
//! The worker runs guests' code and may be taken over. What it says of a message can then be wrong;
//! it cannot say anything about the messages of other workers, and a signal says more than it does.

use atoll_sandbox::Ending;
use atoll_types::LimitName;

use crate::link::Lost;
use crate::protocol::GuestEnd;

// Signals that say something about a guest that is alone in its worker (signal(7)).
const SIGKILL: i32 = 9;
const SIGXCPU: i32 = 24;
const SIGXFSZ: i32 = 25;
const SIGSYS: i32 = 31;

/// How a started program ended, with the limit that is the cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Conclusion {
    pub(crate) ending: Ending,
    pub(crate) limit: Option<LimitName>,
}

impl Conclusion {
    /// Nobody knows how it ended.
    pub(crate) fn lost(what: &str) -> Self {
        Self {
            ending: Ending::Lost(what.to_owned()),
            limit: None,
        }
    }
}

/// Judges the end of a message. In a worker of its own, the worker's end is the message's doing; in
/// one that others share it may be anybody's.
pub(crate) fn conclude(end: Result<GuestEnd, Lost>, is_own: bool) -> Conclusion {
    match end {
        // An exit status has eight bits; this is what the same program as a process would show.
        Ok(GuestEnd::Exited { code, limit }) => Conclusion {
            ending: Ending::Exited(code & 0xff),
            limit,
        },
        Ok(GuestEnd::Trapped { text, limit }) => Conclusion {
            ending: Ending::Trapped(text),
            limit,
        },
        Ok(GuestEnd::Violated { text }) => Conclusion {
            ending: Ending::Violated(text),
            limit: None,
        },
        Ok(GuestEnd::Stopped) => Conclusion {
            ending: Ending::Signalled(SIGKILL),
            limit: None,
        },
        Ok(GuestEnd::Refused { reason }) => Conclusion::lost(&reason),
        Err(lost) if is_own => Conclusion {
            ending: match lost.signal {
                Some(signal @ (SIGKILL | SIGXCPU | SIGXFSZ | SIGSYS)) => Ending::Signalled(signal),
                _ => Ending::Lost(lost.reason),
            },
            limit: lost.limit,
        },
        Err(lost) => Conclusion::lost(&lost.reason),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lost(signal: Option<i32>, limit: Option<LimitName>) -> Result<GuestEnd, Lost> {
        Err(Lost {
            reason: "gone".to_owned(),
            limit,
            signal,
        })
    }

    #[test]
    fn an_exit_shows_eight_bits() {
        for (told, shown) in [(0, 0), (7, 7), (256, 0), (-1, 255), (124, 124)] {
            let end = GuestEnd::Exited {
                code: told,
                limit: None,
            };
            assert_eq!(conclude(Ok(end), true).ending, Ending::Exited(shown));
        }
    }

    #[test]
    fn a_trap_keeps_its_text_and_limit() {
        let end = GuestEnd::Trapped {
            text: "out of bounds".to_owned(),
            limit: Some(LimitName::Memory),
        };
        let found = conclude(Ok(end), false);
        assert_eq!(found.ending, Ending::Trapped("out of bounds".to_owned()));
        assert_eq!(found.limit, Some(LimitName::Memory));
    }

    #[test]
    fn a_violation_is_one_in_any_worker() {
        for is_own in [true, false] {
            let text = "it made the call file.open".to_owned();
            let found = conclude(Ok(GuestEnd::Violated { text: text.clone() }), is_own);
            assert_eq!((found.ending, found.limit), (Ending::Violated(text), None));
        }
    }

    #[test]
    fn the_end_of_an_own_worker_is_the_messages_doing() {
        for signal in [SIGKILL, SIGSYS, SIGXCPU, SIGXFSZ] {
            let found = conclude(lost(Some(signal), None), true);
            assert_eq!(found.ending, Ending::Signalled(signal));
        }
        for signal in [Some(4), Some(6), Some(7), Some(11), None] {
            let found = conclude(lost(signal, None), true);
            assert!(matches!(found.ending, Ending::Lost(_)), "{found:?}");
        }
        let found = conclude(lost(Some(SIGKILL), Some(LimitName::Memory)), true);
        assert_eq!(found.limit, Some(LimitName::Memory));
    }

    #[test]
    fn the_end_of_a_shared_worker_is_nobodys_fault() {
        for signal in [Some(SIGKILL), Some(SIGSYS), Some(11), None] {
            let found = conclude(lost(signal, Some(LimitName::Memory)), false);
            assert!(matches!(found.ending, Ending::Lost(_)), "{found:?}");
            assert_eq!(found.limit, None);
        }
    }
}
