//! How long a guest has run, and whether its time is over.
//!
//! Owns the account of one guest's time. CPU time is counted while the guest is polled: by the
//! thread's own clock, except for the first few microseconds of a short guest, where asking the
//! kernel would cost more than the guest.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use atoll_sandbox_wasm::protocol::GuestLimits;
use atoll_types::LimitName;
use rustix::time::{ClockId, clock_gettime};

/// One guest's time.
#[derive(Debug)]
pub(crate) struct Clock {
    started: Instant,
    deadline: Option<Instant>,
    cpu_limit_ns: u64,
    /// CPU time up to the end of the last turn.
    cpu_used_ns: AtomicU64,
    /// When this turn began, on the thread's CPU clock; 0 in a guest's first turn and between
    /// turns.
    turn_cpu_ns: AtomicU64,
    stopped: AtomicBool,
}

/// Why the runtime stopped a guest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Over {
    /// It has reached this limit.
    Limit(LimitName),
    /// The supervisor wants it to end.
    Stopped,
}

impl fmt::Display for Over {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Limit(limit) => write!(f, "the {limit} limit was reached"),
            Self::Stopped => f.write_str("it was told to stop"),
        }
    }
}

impl std::error::Error for Over {}

impl Clock {
    /// Starts to count.
    pub(crate) fn start(limits: &GuestLimits) -> Arc<Self> {
        let started = Instant::now();
        Arc::new(Self {
            started,
            // One beyond what the clock can express is never reached.
            deadline: started.checked_add(Duration::from_micros(limits.wall_time_us)),
            cpu_limit_ns: limits.cpu_time_us.saturating_mul(1000),
            cpu_used_ns: AtomicU64::new(0),
            turn_cpu_ns: AtomicU64::new(0),
            stopped: AtomicBool::new(false),
        })
    }

    /// When the guest's time is over.
    pub(crate) const fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// Makes the guest's next look at the time its last.
    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    /// Whether the guest has to end now.
    pub(crate) fn over(&self) -> Option<Over> {
        if self.stopped.load(Ordering::Relaxed) {
            return Some(Over::Stopped);
        }
        if self
            .deadline
            .is_some_and(|deadline| Instant::now() >= deadline)
        {
            return Some(Over::Limit(LimitName::WallTime));
        }
        if self.cpu_ns() > self.cpu_limit_ns {
            return Some(Over::Limit(LimitName::CpuTime));
        }
        None
    }

    /// CPU time so far, in nanoseconds.
    fn cpu_ns(&self) -> u64 {
        let used = self.cpu_used_ns.load(Ordering::Relaxed);
        let turn = match self.turn_cpu_ns.load(Ordering::Relaxed) {
            0 if used == 0 => elapsed_ns(self.started),
            0 => 0,
            began => thread_cpu_ns().saturating_sub(began),
        };
        used.saturating_add(turn)
    }

    /// CPU time so far, in microseconds, rounded up: nothing runs in no time.
    pub(crate) fn cpu_us(&self) -> u64 {
        self.cpu_ns().div_ceil(1000)
    }

    /// Time since the start, in microseconds.
    pub(crate) fn wall_us(&self) -> u64 {
        elapsed_ns(self.started) / 1000
    }

    fn begin_turn(&self) {
        self.turn_cpu_ns.store(thread_cpu_ns(), Ordering::Relaxed);
    }

    fn end_turn(&self) {
        self.cpu_used_ns.store(self.cpu_ns(), Ordering::Relaxed);
        self.turn_cpu_ns.store(0, Ordering::Relaxed);
    }
}

fn elapsed_ns(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

fn thread_cpu_ns() -> u64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    let nanoseconds = u64::try_from(time.tv_nsec).unwrap_or(0);
    seconds
        .saturating_mul(1_000_000_000)
        .saturating_add(nanoseconds)
}

/// A guest's future, whose turns are counted. The first turn began with the clock.
pub(crate) struct Counted<F> {
    inner: Pin<Box<F>>,
    clock: Arc<Clock>,
    is_first: bool,
}

impl<F: Future> Counted<F> {
    /// Counts the turns of `inner`.
    pub(crate) const fn new(inner: Pin<Box<F>>, clock: Arc<Clock>) -> Self {
        Self {
            inner,
            clock,
            is_first: true,
        }
    }

    /// Counts turns of something that begins after the clock.
    pub(crate) const fn later(inner: Pin<Box<F>>, clock: Arc<Clock>) -> Self {
        Self {
            inner,
            clock,
            is_first: false,
        }
    }
}

impl<F: Future> Future for Counted<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        if !std::mem::take(&mut self.is_first) {
            self.clock.begin_turn();
        }
        let polled = self.inner.as_mut().poll(context);
        self.clock.end_turn();
        polled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(cpu_time_us: u64, wall_time_us: u64) -> GuestLimits {
        let limits = atoll_sandbox::conformance::limits();
        GuestLimits {
            cpu_time_us,
            wall_time_us,
            ..GuestLimits::of(&limits)
        }
    }

    fn spin(time: Duration) {
        let began = Instant::now();
        while began.elapsed() < time {
            std::hint::spin_loop();
        }
    }

    #[test]
    fn a_guest_that_waits_uses_no_cpu_time() {
        let clock = Clock::start(&limits(1_000_000, 1_000_000));
        clock.end_turn();
        let first = clock.cpu_us();
        std::thread::sleep(Duration::from_millis(30));
        assert_eq!(clock.cpu_us(), first);
        assert!(clock.wall_us() >= 30_000);
        assert_eq!(clock.over(), None);
    }

    #[test]
    fn turns_add_up_to_the_limit() {
        let clock = Clock::start(&limits(6_000, 60_000_000));
        clock.end_turn();
        for _ in 0..3 {
            assert_eq!(clock.over(), None);
            clock.begin_turn();
            let began = thread_cpu_ns();
            while thread_cpu_ns() - began < 2_000_000 {
                spin(Duration::from_micros(50));
            }
            clock.end_turn();
        }
        assert_eq!(clock.over(), Some(Over::Limit(LimitName::CpuTime)));
    }

    #[test]
    fn the_deadline_and_the_supervisor_end_it() {
        let clock = Clock::start(&limits(60_000_000, 1_000));
        std::thread::sleep(Duration::from_millis(2));
        assert_eq!(clock.over(), Some(Over::Limit(LimitName::WallTime)));
        let clock = Clock::start(&limits(60_000_000, u64::MAX));
        assert_eq!(clock.over(), None);
        clock.stop();
        assert_eq!(clock.over(), Some(Over::Stopped));
    }
}
