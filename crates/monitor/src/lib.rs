//! Watches one running sandbox to its end and holds its limits.
//!
//! [`watch`] owns the time between a program's start and its end: it feeds standard input, hands
//! output to an [`Observer`] as it comes, compares usage with the limits, and ends the program
//! when it reaches one, when its reader goes away or when the caller says so. It does not know how
//! a sandbox isolates, what an outcome is, or where output goes. It destroys nothing: the caller
//! does, with the result in hand.

mod guard;
mod input;
mod output;

use std::fmt;
use std::future::Future;
use std::pin::{Pin, pin};
use std::time::Duration;

use async_trait::async_trait;
use atoll_sandbox::{Ending, Sandbox, Streams};
use atoll_types::{LimitName, Limits, Usage};
use tokio::sync::watch as channel;
use tokio::time::timeout;

use crate::guard::Guard;
use crate::output::{Forwarded, Output};

pub use crate::input::Input;

/// How long an ended sandbox may take until its first process is gone.
const STOP_TIME: Duration = Duration::from_secs(5);

/// How long output that is already there may take to reach a reader once the caller has asked to
/// stop.
const FAREWELL_TIME: Duration = Duration::from_millis(200);

/// Sees what a program does while it runs.
#[async_trait]
pub trait Observer: Send {
    /// Takes output as it comes. Waiting here holds the program back (its pipe fills up), never
    /// the limits. The future may be dropped when the caller asked to stop.
    async fn output(&mut self, stream: Stream, bytes: &[u8]) -> Flow;

    /// Called about every 100 ms with what has been used so far, but not while `output` waits.
    fn progress(&mut self, usage: &Usage);
}

/// One of a program's two output streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// Whether an [`Observer`] wants more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// Go on.
    Continue,
    /// Nobody reads this stream any more: the program is ended, as a closed pipe would end it.
    Closed,
}

/// Fits a sandbox's limits to what its program is seen to need.
pub trait Adjust: Send {
    /// Takes in what is seen this long after the start: what was used, and what memory is in use.
    fn look(&mut self, at: Duration, usage: &Usage, memory_bytes: u64) -> Adjusting;

    /// How long to look away, at most, after a look at this time.
    fn pause(&self, at: Duration) -> Duration;

    /// How long the program has been held back until then: time that is not its own.
    fn held_back(&self, at: Duration) -> Duration;

    /// The program has ended or is going to be, and this is what it has left in use.
    fn ended(&mut self, at: Duration, memory_bytes: u64);
}

/// What is to be done after a look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Adjusting {
    /// Nothing.
    Nothing,
    /// These limits on memory, processes and CPU share are put in force. None is above the plan's.
    Set(Limits),
    /// The program is ended, because the node has had no memory for it for too long.
    GiveUp,
}

/// What to hold one program to, and what to do with its streams.
pub struct Plan<'a> {
    /// The bounds. Memory, processes and disk are held by the sandbox; the monitor ends the
    /// program once the sandbox reports one of them.
    pub limits: &'a Limits,
    /// What the program reads from standard input.
    pub input: Input,
    /// Whether to keep output in [`Watched`], up to the output limit.
    pub keep_output: bool,
    /// Who changes limits meanwhile, if anybody.
    pub adjust: Option<&'a mut dyn Adjust>,
}

impl fmt::Debug for Plan<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plan")
            .field("limits", self.limits)
            .field("input", &self.input)
            .field("keep_output", &self.keep_output)
            .field("adjust", &self.adjust.is_some())
            .finish()
    }
}

/// What was seen. There is exactly one for each program that was started.
#[derive(Debug)]
pub struct Watched {
    /// Why watching ended.
    pub cause: Cause,
    /// How the first process ended; `None` when it could not be ended within 5 seconds.
    pub ending: Option<Ending>,
    /// What was used. `output_bytes` counts what arrived here, cut or not.
    pub usage: Usage,
    /// Kept standard output.
    pub stdout: Vec<u8>,
    /// Kept standard error.
    pub stderr: Vec<u8>,
    /// Whether output was cut at the output limit.
    pub truncated: bool,
}

/// Why a program is no longer running.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// It ended by itself.
    Ended,
    /// It reached this limit.
    Limit(LimitName),
    /// The node has had no memory for it for too long.
    NoMemoryLeft,
    /// The caller's stop signal came.
    Stopped,
    /// The observer reported that nobody reads the output any more.
    OutputClosed,
}

/// Watching could not begin. The program may be running: destroy the sandbox.
#[derive(Debug, thiserror::Error)]
#[error("failed to watch the program's {stream}")]
pub struct WatchError {
    stream: &'static str,
    source: std::io::Error,
}

/// What the guard tells the forwarder.
#[derive(Debug, Clone, Copy)]
enum Phase {
    /// The program runs and has used this much.
    Running(Usage),
    /// Nothing inside runs any more; hand over what the pipes still hold.
    Draining,
}

/// Drives a started sandbox to its end: returns when the program has ended, everything inside has
/// been stopped, and the output that was written has been handed over.
///
/// `stop` is the caller's wish to end early. Output that an observer is slow to take is waited
/// for, also after the program's end; only `stop` cuts that short.
///
/// # Errors
/// [`WatchError`] when the streams cannot be set up.
pub async fn watch(
    sandbox: &mut dyn Sandbox,
    streams: Streams,
    plan: Plan<'_>,
    observer: &mut dyn Observer,
    mut stop: Pin<&mut (dyn Future<Output = ()> + Send)>,
) -> Result<Watched, WatchError> {
    let (phase, phases) = channel::channel(Phase::Running(Usage::default()));
    let stdin = input::open(streams.stdin)?;
    let mut output = Output::open(
        streams.stdout,
        streams.stderr,
        plan.limits.output_bytes,
        plan.keep_output,
    )?;

    let seen = output.seen();
    let (cause, ending, usage) = {
        let mut forward = pin!(output.forward(observer, phases));
        let mut forwarded = None;
        let (mut cause, ending) = {
            let guard = Guard::new(plan.limits, plan.adjust, seen);
            let mut guard = pin!(guard.hold(&mut *sandbox, &phase));
            let mut feed = pin!(input::feed(stdin, plan.input));
            let mut fed = false;
            loop {
                tokio::select! {
                    held = &mut guard => break held,
                    () = &mut stop => break (Cause::Stopped, None),
                    () = &mut feed, if !fed => fed = true,
                    end = &mut forward, if forwarded.is_none() => {
                        forwarded = Some(end);
                        if let Some(cause) = end.cause() {
                            break (cause, None);
                        }
                    }
                }
            }
        };
        // Also after a program's own end: a backend without a process namespace may have
        // descendants left that hold the pipes open.
        sandbox.stop();
        let ending = match ending {
            Some(ending) => Some(ending),
            None => timeout(STOP_TIME, sandbox.wait()).await.ok(),
        };
        let usage = sandbox.usage();
        phase.send_replace(Phase::Draining);
        if forwarded.is_none() {
            cause = last_output(cause, forward, stop).await;
        }
        (cause, ending, usage)
    };
    Ok(output.into_watched(cause, ending, usage))
}

/// Waits until the output that is still in the pipes has been handed over, and corrects the cause
/// by what that shows.
async fn last_output(
    cause: Cause,
    forward: Pin<&mut (impl Future<Output = Forwarded> + Send)>,
    stop: Pin<&mut (dyn Future<Output = ()> + Send)>,
) -> Cause {
    if cause == Cause::Stopped {
        // A reader that is stuck must not hold up a caller who wants to leave.
        let _ = timeout(FAREWELL_TIME, forward).await;
        return cause;
    }
    let shown = tokio::select! {
        biased;
        end = forward => end.cause(),
        () = stop => Some(Cause::Stopped),
    };
    // An earlier limit explains the end better than what its last output ran into.
    match cause {
        Cause::Ended => shown.unwrap_or(cause),
        Cause::Limit(_) | Cause::NoMemoryLeft | Cause::Stopped | Cause::OutputClosed => cause,
    }
}
