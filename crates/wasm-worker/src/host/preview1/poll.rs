//! Waiting for a time or for a stream: `poll_oneoff`.

use std::task::{Context, Poll, Waker};

use atoll_types::calls::Call;
use tokio::time::{Duration, Instant};

use super::table::Descriptor;
use super::{Calling, Done};
use crate::host::enter::{Failure, Wait};
use crate::host::errno::Errno;
use crate::host::streams::OutputName;
use crate::host::wall_clock;

/// How many things one call waits for at most.
const SUBSCRIPTIONS_MAX: u32 = 4096;

const SUBSCRIPTION_BYTES: u32 = 48;
const EVENT_BYTES: usize = 32;

const CLOCK: u8 = 0;
const READ: u8 = 1;
const WRITE: u8 = 2;

/// Set for a file at its end.
const HANGUP: u16 = 1;

/// One thing to wait for.
#[derive(Debug, Clone, Copy)]
struct Subscription {
    userdata: u64,
    tag: u8,
    /// A clock or a descriptor.
    subject: u32,
    timeout: u64,
    is_absolute: bool,
}

/// What became of it so far.
enum Found {
    Ready { bytes: u64, flags: u16 },
    Failed(Errno),
    Later(Wait),
}

impl Subscription {
    fn read(bytes: &[u8]) -> Self {
        let number = |at: usize| {
            let found = bytes.get(at..at.saturating_add(8));
            found
                .and_then(|found| found.try_into().ok())
                .map_or(0, u64::from_le_bytes)
        };
        Self {
            userdata: number(0),
            tag: bytes.get(8).copied().unwrap_or(u8::MAX),
            // The lower half.
            subject: u32::try_from(number(16) & 0xffff_ffff).unwrap_or(0),
            timeout: number(24),
            is_absolute: number(40) & 1 != 0,
        }
    }

    fn event(&self, error: u16, count: u64, flags: u16) -> [u8; EVENT_BYTES] {
        let mut event = [0; EVENT_BYTES];
        let parts: [(usize, &[u8]); 5] = [
            (0, &self.userdata.to_le_bytes()),
            (8, &error.to_le_bytes()),
            (10, &[self.tag]),
            (16, &count.to_le_bytes()),
            (24, &flags.to_le_bytes()),
        ];
        for (at, part) in parts {
            if let Some(place) = event.get_mut(at..at.saturating_add(part.len())) {
                place.copy_from_slice(part);
            }
        }
        event
    }
}

impl Calling<'_> {
    pub(super) fn poll_oneoff(&mut self, from: u32, to: u32, count: u32, answer: u32) -> Done {
        self.guest.enter(Call::ClockWait, &[])?;
        if count == 0 || count > SUBSCRIPTIONS_MAX {
            return Err(Errno::Invalid.into());
        }
        let began = *self.guest.preview1.began.get_or_insert_with(Instant::now);
        let list = self
            .memory
            .slice(from, count.saturating_mul(SUBSCRIPTION_BYTES))?;
        let subscriptions: Vec<Subscription> = list
            .chunks_exact(SUBSCRIPTION_BYTES as usize)
            .map(Subscription::read)
            .collect();
        let mut events = Vec::new();
        let mut wait = Wait::default();
        for subscription in &subscriptions {
            match self.look(subscription, began) {
                Found::Ready { bytes, flags } => {
                    events.extend(subscription.event(0, bytes, flags));
                }
                Found::Failed(errno) => events.extend(subscription.event(errno as u16, 0, 0)),
                Found::Later(later) => merge(&mut wait, later),
            }
        }
        if events.is_empty() {
            return Err(Failure::Wait(wait));
        }
        if self.guest.preview1.progress == 0 && wait == Wait::default() {
            // Nothing to wait for: a guest that asks again and again must not keep others out.
            self.guest.preview1.progress = 1;
            return Err(Failure::Wait(Wait::default()));
        }
        self.memory.write(to, &events)?;
        let count = events.len() / EVENT_BYTES;
        self.memory
            .write_u32(answer, u32::try_from(count).map_err(|_| Errno::Overflow)?)
    }

    fn look(&mut self, subscription: &Subscription, began: Instant) -> Found {
        match subscription.tag {
            CLOCK => self.look_at_clock(subscription, began),
            READ => self.look_at_input(subscription.subject),
            WRITE => self.look_at_output(subscription.subject),
            _ => Found::Failed(Errno::Invalid),
        }
    }

    fn look_at_clock(&self, subscription: &Subscription, began: Instant) -> Found {
        let timeout = match (subscription.subject, subscription.is_absolute) {
            (0 | 1, false) => Duration::from_nanos(subscription.timeout),
            // What is left now, counted from the first time that this call was made.
            (0, true) => left(subscription.timeout, wall_clock(), began),
            (1, true) => left(subscription.timeout, self.monotonic(), began),
            _ => return Found::Failed(Errno::Invalid),
        };
        // A time beyond all clocks never comes.
        let until = began.checked_add(timeout);
        if until.is_some_and(|until| until <= Instant::now()) {
            return Found::Ready { bytes: 0, flags: 0 };
        }
        let far = || began.checked_add(Duration::from_secs(u32::MAX.into()));
        Found::Later(Wait {
            until: until.or_else(far),
            ..Wait::default()
        })
    }

    fn look_at_input(&mut self, number: u32) -> Found {
        let mut context = Context::from_waker(Waker::noop());
        let open = match self.guest.preview1.table.get(number) {
            Ok(Descriptor::Input) => {
                return match self.guest.input.poll_ready(&mut context) {
                    Poll::Ready(()) => {
                        let bytes = self.guest.input.available();
                        let flags = if bytes == 0 { HANGUP } else { 0 };
                        Found::Ready { bytes, flags }
                    }
                    Poll::Pending => Found::Later(Wait {
                        input: true,
                        ..Wait::default()
                    }),
                };
            }
            Ok(Descriptor::Open(open)) if !open.is_directory => open,
            _ => return Found::Failed(Errno::BadDescriptor),
        };
        match self.guest.files.lock().stat(open.node) {
            Ok(stat) => {
                let bytes = stat.size.saturating_sub(open.position);
                let flags = if bytes == 0 { HANGUP } else { 0 };
                Found::Ready { bytes, flags }
            }
            Err(error) => Found::Failed(error),
        }
    }

    fn look_at_output(&self, number: u32) -> Found {
        let mut context = Context::from_waker(Waker::noop());
        let ready = Found::Ready { bytes: 1, flags: 0 };
        let name = match self.guest.preview1.table.get(number) {
            Ok(Descriptor::Output(name)) => *name,
            Ok(Descriptor::Open(open)) if !open.is_directory => return ready,
            _ => return Found::Failed(Errno::BadDescriptor),
        };
        let output = match name {
            OutputName::Output => &self.guest.output,
            OutputName::Error => &self.guest.error,
        };
        match output.poll_ready(&mut context) {
            Poll::Ready(()) => ready,
            Poll::Pending => Found::Later(Wait {
                output: name == OutputName::Output,
                error: name == OutputName::Error,
                ..Wait::default()
            }),
        }
    }
}

/// How long after `began` an absolute time comes.
fn left(at: u64, now: u64, began: Instant) -> Duration {
    Duration::from_nanos(at.saturating_sub(now)).saturating_add(began.elapsed())
}

fn merge(wait: &mut Wait, other: Wait) {
    wait.until = match (wait.until, other.until) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    };
    wait.input |= other.input;
    wait.output |= other.output;
    wait.error |= other.error;
}
