//! How does it do on part of its input?
//!
//! A trial is a few short runs before the run itself, in sandboxes of the same level, on pieces of
//! the input that grow until what grows with them stands clear. What the pieces print and leave is
//! thrown away. The run itself is never one of them, so no program runs twice on its whole input:
//! one that has nothing to be cut is fitted while it runs instead.

use std::time::{Duration, Instant};

use async_trait::async_trait;
use atoll_adapt::Expectation;
use atoll_monitor::{Flow, Input, Observer, Plan, Stream, Watched};
use atoll_predict::is_clear;
use atoll_sandbox::{Environment, Tenancy};
use atoll_types::{
    Content, Decision, Limits, Message, MessageId, Profile, Status, Stdin, Trial, TrialEnd,
    TrialRun, Trust, Usage,
};

use crate::Engine;
use crate::stages::{self, Around};
use crate::verdict::judge;
use crate::way::{Halt, Stopping};

/// The first piece is so many times smaller than the whole, and each next one so many times larger.
const FIRST: usize = 1024;
const GROWTH: usize = 4;

/// Less than this tells nothing but what the program needs to start.
const PIECE_BYTES_MIN: usize = 64;

/// A trial in which there is less time left than this does not start.
const TIME_MIN: Duration = Duration::from_millis(5);

/// Where trials are made, and how long they may take.
pub(crate) struct Place<'a> {
    pub(crate) decision: &'a Decision,
    pub(crate) environment: &'a Environment,
    pub(crate) trust: Trust,
    pub(crate) profile: &'a Profile,
}

/// Tries a message's program on pieces of its sample or its input. `None` when there is nothing to
/// cut, or when the caller wants an end.
pub(crate) async fn trial(
    engine: &Engine,
    message: &Message,
    place: &Place<'_>,
    stop: &mut Stopping<'_>,
) -> Option<Trial> {
    let began = Instant::now();
    let budget = Duration::from_millis(place.decision.trial_ms);
    let input_bytes = stages::input_bytes(message);
    let (from, largest) = match (&message.sample, &message.stdin) {
        (Some(sample), _) => (sample, sample.len()),
        // Half of the input is about as much as the run itself.
        (None, Stdin::Bytes(bytes)) => (bytes, bytes.len() / 2),
        (None, Stdin::Empty | Stdin::Stream) => return None,
    };
    // A sample stands for an input whose size nobody knows.
    let target = if input_bytes > 0 {
        input_bytes
    } else {
        from.len() as u64
    };
    let mut trial = Trial {
        input_bytes: target,
        from_sample: message.sample.is_some(),
        runs: Vec::new(),
        ended: TrialEnd::Whole,
        told: false,
    };
    let mut next = (from.len() / FIRST).max(PIECE_BYTES_MIN).min(largest);
    while !from.is_empty() && next > 0 {
        let left = budget.saturating_sub(began.elapsed());
        if left < TIME_MIN {
            trial.ended = TrialEnd::Budget;
            break;
        }
        let piece = piece(from, next);
        let size = piece.len() as u64;
        let on = Message {
            stdin: Stdin::Bytes(piece),
            ..message.clone()
        };
        match once(engine, &on, place, left, size, stop).await {
            Once::Ran(run) => trial.runs.push(run),
            Once::Ended(why) => {
                trial.ended = why;
                break;
            }
            Once::Stopped => return None,
        }
        if is_clear(&trial.runs, target) {
            trial.ended = TrialEnd::Clear;
            break;
        }
        if next >= largest {
            break;
        }
        next = match next.saturating_mul(GROWTH) {
            more if more <= largest => more,
            // All of a sample is the best there is; more than half of the input is no piece.
            _ if trial.from_sample => largest,
            _ => break,
        };
    }
    Some(trial)
}

/// The first so many bytes of an input, up to the end of a line where one is near.
#[must_use]
pub fn piece(whole: &Content, bytes: usize) -> Content {
    let most = whole.get(..bytes).unwrap_or(whole);
    let lines = most.iter().rposition(|byte| *byte == b'\n');
    let end = lines.map_or(most.len(), |at| at + 1);
    let near = if end * 2 >= most.len() {
        end
    } else {
        most.len()
    };
    most.get(..near).unwrap_or(most).into()
}

/// What came of one short run.
pub(crate) enum Once {
    /// It came to a good end.
    Ran(TrialRun),
    /// It did not, and no other should follow.
    Ended(TrialEnd),
    /// The caller wants an end.
    Stopped,
}

/// Runs a program once, for so long at most, and throws away what it makes.
pub(crate) async fn once(
    engine: &Engine,
    message: &Message,
    place: &Place<'_>,
    time: Duration,
    size: u64,
    stop: &mut Stopping<'_>,
) -> Once {
    let limits = Limits {
        wall_time_ms: place
            .decision
            .limits
            .wall_time_ms
            .min(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
            .max(1),
        ..place.decision.limits
    };
    match run(engine, message, place, limits, stop).await {
        // The run itself will say what is wrong, if it still is.
        Err(_) => Once::Ended(TrialEnd::Failed),
        Ok(None) => Once::Stopped,
        Ok(Some(watched)) => {
            let verdict = judge(&watched, &limits);
            if verdict.cut_short.is_some() {
                return Once::Stopped;
            }
            match (verdict.status, verdict.exit_code, watched.usage) {
                (Status::Exited, Some(0), usage) => Once::Ran(TrialRun {
                    size,
                    wall_time_us: usage.wall_time_us,
                    cpu_time_us: usage.cpu_time_us,
                    memory_peak_bytes: usage.memory_peak_bytes,
                    written_bytes: usage.output_bytes.saturating_add(usage.disk_bytes),
                    io: usage.io,
                }),
                (Status::Limit, ..) => Once::Ended(TrialEnd::Budget),
                _ => Once::Ended(TrialEnd::Failed),
            }
        }
    }
}

/// Hears nothing.
struct Nobody;

#[async_trait]
impl Observer for Nobody {
    async fn output(&mut self, _: Stream, _: &[u8]) -> Flow {
        Flow::Continue
    }

    fn progress(&mut self, _: &Usage) {}
}

async fn run(
    engine: &Engine,
    message: &Message,
    place: &Place<'_>,
    limits: Limits,
    stop: &mut Stopping<'_>,
) -> Result<Option<Watched>, Halt> {
    // A name of its own: the sandbox for the run itself may be there already.
    let random = crate::random().map_err(|error| Halt::failed(&error))?;
    let message = Message {
        id: MessageId::new(message.received_unix_ms, random),
        ..message.clone()
    };
    let decision = Decision {
        limits,
        ..place.decision.clone()
    };
    let around = || {
        let around = Around {
            environment: place.environment.clone(),
            tenancy: Tenancy::own(),
            ahead: None,
        };
        around.shared(engine, &message, &decision, place.trust)
    };
    let profile = Some(place.profile);
    let reserving = stages::reserve(engine, decision.level, profile, &limits);
    let (reservation, waited) = tokio::select! {
        reserved = reserving => reserved?,
        () = &mut *stop => return Ok(None),
    };
    let job = stages::job(&message, &decision.calls, decision.split.as_ref());
    let taken = stages::take(engine, &message, &decision, around(), &job).await?;
    let started = engine.start(taken, &message, &decision, around(), job);
    let (mut taken, started) = started.await?;
    let streams = match started {
        Ok(streams) => streams,
        Err(error) => {
            let halt = stages::not_started(&error, &limits);
            // What is left of it is found by the next sweep.
            let _ = taken.sandbox.destroy().await;
            return Err(halt);
        }
    };
    let nothing = Expectation::nothing();
    let mut fitted = stages::Fitted::new(reservation, nothing, limits, waited, profile);
    let plan = Plan {
        limits: &limits,
        input: match &message.stdin {
            Stdin::Bytes(bytes) => Input::Bytes(bytes.clone()),
            Stdin::Empty | Stdin::Stream => Input::Empty,
        },
        keep_output: false,
        adjust: Some(&mut fitted),
    };
    let sandbox = taken.sandbox.as_mut();
    let stop = std::pin::Pin::new(stop);
    let watched = stages::run(engine, sandbox, streams, plan, &mut Nobody, stop).await;
    let usage = watched.as_ref().map(|watched| watched.usage);
    let (_, reservation) = fitted.end(&usage.unwrap_or_default());
    let destroyed = taken.sandbox.destroy().await;
    drop(reservation);
    destroyed.map_err(|error| Halt::failed(&error))?;
    watched.map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_end_with_a_line_where_one_ends_near() {
        let whole: Content = b"one\ntwo\nthree\nfour".as_slice().into();
        for (bytes, expected) in [
            (6, &b"one\n"[..]),
            (8, b"one\ntwo\n"),
            (100, b"one\ntwo\nthree\n"),
            (2, b"on"),
        ] {
            assert_eq!(&*piece(&whole, bytes), expected, "{bytes}");
        }
        let one_line: Content = vec![b'x'; 100].into();
        assert_eq!(piece(&one_line, 50).len(), 50);
    }
}
