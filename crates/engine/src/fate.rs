//! Whether a sandbox may serve again: the one place where that is decided.
//!
//! Owns the choice between renewing and destroying, from how its message ended and what policy
//! allows. How a sandbox is renewed, and where it waits, is the business of others; one that turns
//! out not to be renewable is destroyed there.

use atoll_monitor::Cause;
use atoll_sandbox::Ending;
use atoll_types::Sharing;

/// What becomes of a sandbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It is made as good as new for another message.
    Renew,
    /// Nothing of it is left.
    Destroy,
}

/// How far a message came in its sandbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Course {
    /// The program was not started.
    NotStarted,
    /// It may have run, but nobody watched it.
    NotWatched,
    /// It was watched to its end.
    Watched {
        cause: Cause,
        /// None when it could not be ended in time.
        ending: Option<Ending>,
        collecting: Collecting,
    },
}

/// What became of the files it left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Collecting {
    /// Nobody wanted them.
    NotAsked,
    /// They were looked at, and taken as far as they may be.
    Done,
    /// Looking at them failed.
    Failed,
}

/// Decides. Nothing but a program that ended by itself, whatever its exit code, leaves a sandbox
/// that may serve again. No wildcard arm: whatever is new has to be judged here.
pub(crate) fn fate(course: &Course, sharing: Sharing, messages_left: u32) -> Fate {
    use Collecting::{Done, Failed, NotAsked};
    use Course::{NotStarted, NotWatched, Watched};
    match (course, sharing, messages_left) {
        (
            Watched {
                cause: Cause::Ended,
                ending: Some(Ending::Exited(_)),
                collecting: NotAsked | Done,
            },
            Sharing::Tenant | Sharing::Shared,
            1..,
        ) => Fate::Renew,
        (
            Watched {
                cause: Cause::Ended,
                ending: Some(Ending::Exited(_)),
                collecting: NotAsked | Done,
            },
            Sharing::Tenant | Sharing::Shared,
            0,
        )
        | (
            Watched {
                cause: Cause::Ended,
                ending: Some(Ending::Exited(_)),
                collecting: NotAsked | Done,
            },
            Sharing::Message,
            0..,
        )
        | (
            Watched {
                cause: Cause::Ended,
                ending: Some(Ending::Exited(_)),
                collecting: Failed,
            }
            | Watched {
                cause: Cause::Ended,
                ending:
                    None
                    | Some(
                        Ending::Signalled(_)
                        | Ending::Trapped(_)
                        | Ending::Violated(_)
                        | Ending::Lost(_),
                    ),
                collecting: NotAsked | Done | Failed,
            }
            | Watched {
                cause: Cause::Limit(_) | Cause::NoMemoryLeft | Cause::Stopped | Cause::OutputClosed,
                ending:
                    None
                    | Some(
                        Ending::Exited(_)
                        | Ending::Signalled(_)
                        | Ending::Trapped(_)
                        | Ending::Violated(_)
                        | Ending::Lost(_),
                    ),
                collecting: NotAsked | Done | Failed,
            }
            | NotStarted
            | NotWatched,
            Sharing::Message | Sharing::Tenant | Sharing::Shared,
            0..,
        ) => Fate::Destroy,
    }
}

#[cfg(test)]
mod tests {
    use atoll_types::LimitName;

    use super::*;

    const SHARINGS: [Sharing; 3] = [Sharing::Message, Sharing::Tenant, Sharing::Shared];
    const COLLECTINGS: [Collecting; 3] =
        [Collecting::NotAsked, Collecting::Done, Collecting::Failed];

    fn causes() -> Vec<Cause> {
        let others = [
            Cause::Ended,
            Cause::NoMemoryLeft,
            Cause::Stopped,
            Cause::OutputClosed,
        ];
        LimitName::ALL
            .map(Cause::Limit)
            .into_iter()
            .chain(others)
            .collect()
    }

    fn endings() -> Vec<Option<Ending>> {
        let signals = (1..=64).map(Ending::Signalled);
        let codes = [0, 1, 7, 255].map(Ending::Exited);
        let others = [
            Ending::Trapped("unreachable".to_owned()),
            Ending::Violated("it made the call program.execute".to_owned()),
            Ending::Lost("the first process ended".to_owned()),
        ];
        let all = codes.into_iter().chain(signals).chain(others);
        all.map(Some).chain([None]).collect()
    }

    fn courses() -> Vec<Course> {
        let mut courses = vec![Course::NotStarted, Course::NotWatched];
        for cause in causes() {
            for ending in endings() {
                courses.extend(COLLECTINGS.map(|collecting| Course::Watched {
                    cause,
                    ending: ending.clone(),
                    collecting,
                }));
            }
        }
        courses
    }

    #[test]
    fn only_a_plain_exit_of_a_shared_sandbox_with_messages_left_is_renewed() {
        let mut renewed = 0;
        for course in courses() {
            let is_plain = matches!(
                course,
                Course::Watched {
                    cause: Cause::Ended,
                    ending: Some(Ending::Exited(_)),
                    collecting: Collecting::NotAsked | Collecting::Done,
                }
            );
            for sharing in SHARINGS {
                for left in [0, 1, 99, u32::MAX] {
                    let may = is_plain && sharing != Sharing::Message && left > 0;
                    let expected = if may { Fate::Renew } else { Fate::Destroy };
                    let found = fate(&course, sharing, left);
                    assert_eq!(found, expected, "{course:?} {sharing:?} {left}");
                    renewed += u32::from(may);
                }
            }
        }
        // Four exit codes, collected or not, by two ways to share and three numbers left.
        assert_eq!(renewed, 4 * 2 * 2 * 3);
    }
}
