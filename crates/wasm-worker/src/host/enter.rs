//! The one gate that every call of a guest goes through.
//!
//! Owns the count of calls, the rules that decide them and the audit, and the ways in which a call
//! can fail or have to wait. It does not know what the calls do.

use std::fmt;
use std::future::poll_fn;
use std::task::Poll;

use atoll_types::calls::{
    Call, CallAudit, CallAuditor, CallMatcher, CallRules, Verdict, normalized,
};
use tokio::time::{Duration, Instant, sleep_until};

use super::errno::Errno;
use super::files::{Files, NodeId};
use super::streams::{Input, Output};

/// Characters of an argument in the sentence that says why a guest was ended.
const ARGUMENT_SHOWN_MAX: usize = 200;

/// Why the host ended a guest in the middle of a call. The error that comes out of the guest has
/// this in its chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ended {
    /// It wrote more output than it may.
    Output,
    /// It made more calls than it may.
    Calls,
    /// A rule ends programs that make this call, with this argument where it was looked at.
    Rule(Call, Option<Vec<u8>>),
    /// A rule denies this call, and the call has no way to say so.
    Denied(Call),
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Output => f.write_str("the program wrote more output than it may"),
            Self::Calls => f.write_str("the program made more calls of its host than it may"),
            // The words are those of the level `process`.
            Self::Rule(call, argument) => {
                write!(f, "it made the call {call}")?;
                if let Some(argument) = argument {
                    let text = String::from_utf8_lossy(argument);
                    let shown: String = text.chars().take(ARGUMENT_SHOWN_MAX).collect();
                    write!(f, " {}", shown.escape_debug())?;
                }
                f.write_str(", for which a rule for calls ends programs")
            }
            Self::Denied(call) => {
                write!(
                    f,
                    "it made the call {call}, which a rule denies and which cannot fail"
                )
            }
        }
    }
}

impl std::error::Error for Ended {}

/// Why a call does not simply succeed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The guest is told this error.
    Errno(Errno),
    /// The guest is ended.
    Stop(wasmtime::Error),
    /// Nothing has been done yet, or a part that was noted; the same call is to be made again when
    /// this is over.
    Wait(Wait),
}

impl From<Errno> for Failure {
    fn from(errno: Errno) -> Self {
        Self::Errno(errno)
    }
}

impl From<Ended> for Failure {
    fn from(ended: Ended) -> Self {
        Self::Stop(ended.into())
    }
}

/// What a call waits for: whatever comes first. Nothing at all lets other guests go on for once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Wait {
    pub(crate) until: Option<Instant>,
    pub(crate) input: bool,
    pub(crate) output: bool,
    pub(crate) error: bool,
}

impl Wait {
    /// Waits, without holding on to the guest.
    pub(crate) async fn over(self, input: Input, output: Output, error: Output) {
        if self == Self::default() {
            tokio::task::yield_now().await;
            return;
        }
        let streams = poll_fn(|context| {
            let ready = (self.input && input.poll_ready(context).is_ready())
                | (self.output && output.poll_ready(context).is_ready())
                | (self.error && error.poll_ready(context).is_ready());
            if ready {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        });
        match self.until {
            Some(until) => tokio::select! {
                () = streams => {}
                () = sleep_until(until) => {}
            },
            None => streams.await,
        }
    }
}

/// What a call is about, for rules that ask.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Argument<'a> {
    /// A path, from a directory on, and whether a link at its end is followed.
    Path(NodeId, &'a [u8], bool),
    /// Something open, by the path under which it was opened; `None` when that is not known.
    Open(Option<&'a [u8]>),
}

/// The gate of one guest.
#[derive(Debug)]
pub(crate) struct Gate {
    calls_left: u64,
    /// Calls that read, and calls that write.
    pub(super) reads: u64,
    pub(super) writes: u64,
    /// Whether the call that is being made has been decided: it waited and is made again.
    pub(super) is_admitted: bool,
    judge: Option<Box<Judge>>,
}

#[derive(Debug)]
struct Judge {
    matcher: CallMatcher,
    auditor: Option<CallAuditor>,
    began: std::time::Instant,
}

impl Gate {
    /// Lets `calls_max` calls through, as far as the rules allow.
    pub(crate) fn new(calls_max: u64, rules: &CallRules) -> Self {
        let judge = (!rules.is_empty()).then(|| {
            Box::new(Judge {
                matcher: rules.matcher(),
                auditor: rules.audit.then(CallAuditor::default),
                began: std::time::Instant::now(),
            })
        });
        Self {
            calls_left: calls_max,
            reads: 0,
            writes: 0,
            is_admitted: false,
            judge,
        }
    }

    /// Whether paths of what is open have to be known.
    pub(crate) const fn has_rules(&self) -> bool {
        self.judge.is_some()
    }

    /// What was called so far, when it was to be taken down.
    pub(crate) fn take_audit(&mut self) -> Option<CallAudit> {
        let auditor = self.judge.as_mut()?.auditor.take();
        auditor.map(CallAuditor::finish)
    }

    /// What was taken down takes of memory, in bytes.
    pub(crate) fn bytes(&self) -> u64 {
        let auditor = self.judge.as_ref().and_then(|judge| judge.auditor.as_ref());
        auditor.map_or(0, CallAuditor::bytes)
    }

    /// Decides a call before it is made. `files` are looked at only when a rule asks for paths.
    #[inline]
    pub(crate) fn enter(
        &mut self,
        files: &super::SharedFiles,
        call: Call,
        arguments: &[Argument<'_>],
    ) -> Result<(), Failure> {
        if self.is_admitted {
            return Ok(());
        }
        let Some(left) = self.calls_left.checked_sub(1) else {
            return Err(Ended::Calls.into());
        };
        self.calls_left = left;
        match call {
            Call::FileRead | Call::StreamRead => self.reads += 1,
            Call::FileWrite | Call::StreamWrite => self.writes += 1,
            _ => {}
        }
        match &mut self.judge {
            None => Ok(()),
            Some(judge) => judge.decide(files, call, arguments),
        }
    }
}

impl Judge {
    #[cold]
    fn decide(
        &mut self,
        files: &super::SharedFiles,
        call: Call,
        arguments: &[Argument<'_>],
    ) -> Result<(), Failure> {
        // What is only counted is not looked at more closely than that takes.
        let is_recorded = self.auditor.as_ref().is_some_and(CallAuditor::has_room);
        let is_asked = is_recorded || self.matcher.wants_argument(call);
        let paths = if is_asked && !arguments.is_empty() {
            Paths::find(&files.lock(), arguments)
        } else {
            Paths::default()
        };
        let verdict = paths.judge(&mut self.matcher, call);
        if let Some(auditor) = &mut self.auditor {
            let since = if is_recorded {
                u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX)
            } else {
                0
            };
            auditor.record(call, paths.first(), verdict, since);
        }
        match verdict {
            Verdict::Allow => Ok(()),
            Verdict::Deny(name) => Err(Failure::Errno(name.into())),
            Verdict::Delay(ms) => Err(Failure::Wait(Wait {
                until: Some(Instant::now() + Duration::from_millis(ms.into())),
                ..Wait::default()
            })),
            Verdict::Trap => {
                let argument = paths.first().map(<[u8]>::to_vec);
                Err(Ended::Rule(call, argument).into())
            }
        }
    }
}

/// The paths that rules are compared with.
#[derive(Debug, Default)]
struct Paths {
    /// Where they lead; `None` where that is not known.
    real: Vec<Option<Vec<u8>>>,
    /// As they were written, which can only hold a call up: no link leads around a rule.
    written: Vec<Vec<u8>>,
}

impl Paths {
    fn find(files: &Files, arguments: &[Argument<'_>]) -> Self {
        let mut found = Self::default();
        for argument in arguments {
            match argument {
                Argument::Open(path) => found.real.push(path.map(<[u8]>::to_vec)),
                Argument::Path(start, path, follow) => {
                    let written = files.path_of(*start).map(|base| normalized(&base, path));
                    // One that leads nowhere cannot succeed.
                    let real = files.real_path(*start, path, *follow);
                    found.real.push(real.or_else(|| written.clone()));
                    found.written.extend(written);
                }
            }
        }
        found
    }

    fn judge(&self, matcher: &mut CallMatcher, call: Call) -> Verdict {
        if self.real.is_empty() {
            return matcher.decide(call, None);
        }
        let real: Vec<Option<&[u8]>> = self.real.iter().map(Option::as_deref).collect();
        let written: Vec<&[u8]> = self.written.iter().map(Vec::as_slice).collect();
        matcher.decide_also(call, &real, &written)
    }

    fn first(&self) -> Option<&[u8]> {
        self.real.first()?.as_deref()
    }
}
