//! What the end of a run means: the one place where causes become statuses.
//!
//! Owns the mapping from what the monitor saw to the outcome's status, its reason, and the
//! incidents that history keeps. It does not know how a run was watched or where outcomes go.

use atoll_monitor::{Cause, Watched};
use atoll_sandbox::Ending;
use atoll_types::{EventKind, LimitHit, LimitName, Limits, Status};

/// The signal of a system call that seccomp does not allow (signal(7)).
const SIGSYS: i32 = 31;
/// The signal of the kernel's own CPU time limit, `RLIMIT_CPU`.
const SIGXCPU: i32 = 24;
/// The signal of the kernel's own file size limit, `RLIMIT_FSIZE`.
const SIGXFSZ: i32 = 25;

/// The meaning of an end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) status: Status,
    pub(crate) exit_code: Option<i32>,
    pub(crate) signal: Option<i32>,
    pub(crate) limit: Option<LimitHit>,
    pub(crate) reason: Option<String>,
    pub(crate) events: Vec<EventKind>,
    pub(crate) cut_short: Option<CutShort>,
}

/// Why a run that nothing was wrong with did not come to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CutShort {
    /// The caller asked to stop.
    Interrupted,
    /// Nobody reads the program's output any more.
    OutputClosed,
}

impl Verdict {
    /// An end before the program has run.
    pub(crate) fn not_run(status: Status, reason: String, limit: Option<LimitHit>) -> Self {
        Self {
            limit,
            ..Self::plain(status, reason)
        }
    }

    fn plain(status: Status, reason: String) -> Self {
        Self {
            status,
            exit_code: None,
            signal: None,
            limit: None,
            reason: Some(reason),
            events: Vec::new(),
            cut_short: None,
        }
    }

    fn exited(code: i32) -> Self {
        Self {
            status: Status::Exited,
            exit_code: Some(code),
            signal: None,
            limit: None,
            reason: None,
            events: Vec::new(),
            cut_short: None,
        }
    }

    fn limit(name: LimitName, limits: &Limits) -> Self {
        let hit = LimitHit::of(name, limits);
        Self {
            limit: Some(hit),
            events: vec![EventKind::Limit(name)],
            ..Self::plain(Status::Limit, limit_reason(hit))
        }
    }

    fn signalled(signal: i32, event: EventKind, reason: String) -> Self {
        Self {
            signal: Some(signal),
            events: vec![event],
            ..Self::plain(Status::Signalled, reason)
        }
    }

    fn cut_short(cut: CutShort, reason: &str) -> Self {
        Self {
            cut_short: Some(cut),
            ..Self::plain(Status::Failed, reason.to_owned())
        }
    }

    /// The caller did not want it any more.
    pub(crate) fn interrupted() -> Self {
        Self::cut_short(
            CutShort::Interrupted,
            "it was interrupted before the program had ended",
        )
    }

    fn lost(reason: String) -> Self {
        Self {
            // A sandbox that breaks under a program counts against the program until shown
            // otherwise.
            events: vec![EventKind::Crash],
            ..Self::plain(Status::Failed, reason)
        }
    }
}

/// Says what an end means. No wildcard arm: a new cause or ending has to be judged here.
pub(crate) fn judge(watched: &Watched, limits: &Limits) -> Verdict {
    match (watched.cause, &watched.ending) {
        (Cause::Limit(name), _) => Verdict::limit(name, limits),
        // Nothing is wrong with the program, so nothing is held against its sender.
        (Cause::NoMemoryLeft, _) => Verdict::plain(
            Status::Failed,
            "it needed more memory than was expected, and this node had none left for too long; \
             try again when less is running, or give the node more memory"
                .to_owned(),
        ),
        (Cause::Stopped, _) => Verdict::interrupted(),
        (Cause::OutputClosed, _) => Verdict::cut_short(
            CutShort::OutputClosed,
            "the reader of its output went away before the program had ended",
        ),
        (Cause::Ended, Some(Ending::Exited(code))) => Verdict::exited(*code),
        (Cause::Ended, Some(Ending::Signalled(signal))) => by_signal(*signal, limits),
        (Cause::Ended, Some(Ending::Trapped(trap))) => Verdict {
            events: vec![EventKind::Crash],
            ..Verdict::plain(
                Status::Signalled,
                format!("the WebAssembly program trapped: {trap}"),
            )
        },
        (Cause::Ended, Some(Ending::Violated(what))) => Verdict {
            events: vec![EventKind::Violation],
            ..Verdict::plain(Status::Signalled, what.clone())
        },
        (Cause::Ended, Some(Ending::Lost(what))) => {
            Verdict::lost(format!("the sandbox ended unexpectedly: {what}"))
        }
        (Cause::Ended, None) => Verdict::lost("the program's end was not seen".to_owned()),
    }
}

fn by_signal(signal: i32, limits: &Limits) -> Verdict {
    match signal {
        SIGSYS => Verdict::signalled(
            signal,
            EventKind::Violation,
            "it made a system call that no program may make at this level".to_owned(),
        ),
        // The kernel's limits are set from the same values as Atoll's and may act first.
        SIGXCPU => Verdict::limit(LimitName::CpuTime, limits),
        SIGXFSZ => Verdict::limit(LimitName::Disk, limits),
        _ => Verdict::signalled(
            signal,
            EventKind::Crash,
            format!("it was ended by signal {signal}{}", signal_name(signal)),
        ),
    }
}

fn limit_reason(hit: LimitHit) -> String {
    let value = hit.value;
    match hit.name {
        LimitName::WallTime => format!("it ran for longer than {value} ms"),
        LimitName::CpuTime => format!("it used more than {value} ms of CPU time"),
        LimitName::Memory => format!("it needed more than {value} bytes of memory"),
        LimitName::Processes => format!("it had more than {value} processes and threads"),
        LimitName::Disk => format!("it wrote more than {value} bytes, or too many files"),
        LimitName::Output => format!("it wrote more than {value} bytes of output"),
    }
}

/// Names of the signals that end programs, in parentheses (signal(7), x86 and ARM numbers).
const fn signal_name(signal: i32) -> &'static str {
    match signal {
        1 => " (SIGHUP)",
        2 => " (SIGINT)",
        3 => " (SIGQUIT)",
        4 => " (SIGILL)",
        5 => " (SIGTRAP)",
        6 => " (SIGABRT)",
        7 => " (SIGBUS)",
        8 => " (SIGFPE)",
        9 => " (SIGKILL)",
        11 => " (SIGSEGV)",
        13 => " (SIGPIPE)",
        14 => " (SIGALRM)",
        15 => " (SIGTERM)",
        _ => "",
    }
}

#[cfg(test)]
mod tests;
