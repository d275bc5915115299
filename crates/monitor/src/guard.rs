//! Compares usage with the limits, often enough and no oftener.
//!
//! Owns the clock of one run: wall time by a deadline, CPU time by polling, and whatever limit the
//! sandbox reports. It does not end the program; it says that it must end.

use std::time::Duration;

use atoll_sandbox::{Ending, Sandbox};
use atoll_types::{LimitName, Limits, Usage};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use crate::output::Seen;
use crate::{Adjust, Adjusting, Cause, Phase};

/// The shortest pause between two looks at usage. It bounds by how much CPU time can be passed.
const PAUSE_MIN: Duration = Duration::from_millis(2);

/// The longest pause. It bounds how late a limit that the sandbox reports is acted upon.
const PAUSE_MAX: Duration = Duration::from_millis(50);

/// How often the observer hears of progress.
const PROGRESS_EVERY: Duration = Duration::from_millis(100);

/// Holds one program to its limits.
pub(crate) struct Guard<'a> {
    limits: &'a Limits,
    adjust: Option<&'a mut dyn Adjust>,
    /// Output that has come, which sandboxes do not count.
    output: Seen,
    /// The limits that were last asked for, if others than the plan's.
    set: Option<Limits>,
    /// Whether they still have to be put in force.
    is_due: bool,
    started: Instant,
}

/// Whether a program goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Going {
    On,
    Ends,
}

impl<'a> Guard<'a> {
    pub(crate) fn new(
        limits: &'a Limits,
        adjust: Option<&'a mut dyn Adjust>,
        output: Seen,
    ) -> Self {
        Self {
            limits,
            adjust,
            output,
            set: None,
            is_due: false,
            started: Instant::now(),
        }
    }

    /// Returns when the program has ended or has to end, with its ending in the first case.
    pub(crate) async fn hold(
        mut self,
        sandbox: &mut dyn Sandbox,
        phase: &watch::Sender<Phase>,
    ) -> (Cause, Option<Ending>) {
        let held = self.watch(&mut *sandbox, phase).await;
        let at = self.started.elapsed();
        if let Some(adjust) = &mut self.adjust {
            adjust.ended(at, sandbox.memory_bytes());
        }
        if let Some(limits) = self.set {
            // What comes after the program is not held back; nothing else is loosened.
            let cpu_percent = self.limits.cpu_percent;
            let _ = sandbox.set_limits(&Limits {
                cpu_percent,
                ..limits
            });
        }
        held
    }

    async fn watch(
        &mut self,
        sandbox: &mut dyn Sandbox,
        phase: &watch::Sender<Phase>,
    ) -> (Cause, Option<Ending>) {
        let mut next_look = self.started + self.pause(&Usage::default(), Duration::ZERO);
        let mut next_progress = self.started + PROGRESS_EVERY;
        loop {
            let deadline = self.deadline();
            let wake = deadline.map_or(next_look, |deadline| deadline.min(next_look));
            tokio::select! {
                biased;
                ending = sandbox.wait() => {
                    let usage = sandbox.usage();
                    let cause = exceeded(&*sandbox, &usage, self.limits);
                    return (cause.map_or(Cause::Ended, Cause::Limit), Some(ending));
                }
                () = sleep_until(wake) => {}
            }
            let now = Instant::now();
            let usage = Usage {
                output_bytes: self.output.bytes(),
                ..sandbox.usage()
            };
            if let Some(name) = exceeded(&*sandbox, &usage, self.limits) {
                return (Cause::Limit(name), None);
            }
            if deadline.is_some_and(|deadline| now >= deadline) {
                return (Cause::Limit(LimitName::WallTime), None);
            }
            let at = now.saturating_duration_since(self.started);
            if self.adjust(&mut *sandbox, at, &usage) == Going::Ends {
                return (Cause::NoMemoryLeft, None);
            }
            if now >= next_progress {
                next_progress = now + PROGRESS_EVERY;
                phase.send_replace(Phase::Running(usage));
            }
            next_look = now + self.pause(&usage, at);
        }
    }

    /// When its time is over: none that the clock can express, if that is far away. While it is
    /// held back, its time stands still.
    fn deadline(&self) -> Option<Instant> {
        let at = self.started.elapsed();
        let held_back = self.adjust.as_ref().map(|adjust| adjust.held_back(at));
        let time = Duration::from_millis(self.limits.wall_time_ms);
        let time = time.saturating_add(held_back.unwrap_or_default());
        self.started.checked_add(time)
    }

    /// Lets limits follow what is seen.
    fn adjust(&mut self, sandbox: &mut dyn Sandbox, at: Duration, usage: &Usage) -> Going {
        let Some(adjust) = &mut self.adjust else {
            return Going::On;
        };
        match adjust.look(at, usage, sandbox.memory_bytes()) {
            Adjusting::Nothing => {}
            Adjusting::Set(limits) => {
                self.set = Some(limits);
                self.is_due = true;
            }
            Adjusting::GiveUp => return Going::Ends,
        }
        // What cannot be changed now may be later. Until then it stays as it is, which is no more
        // than policy allows.
        if self.is_due
            && let Some(limits) = &self.set
        {
            self.is_due = sandbox.set_limits(limits).is_err();
        }
        Going::On
    }

    fn pause(&self, usage: &Usage, at: Duration) -> Duration {
        let longest = pause(self.limits, usage);
        let wanted = self.adjust.as_ref().map(|adjust| adjust.pause(at));
        wanted.map_or(longest, |wanted| wanted.min(longest))
    }
}

/// The limit that has been passed, other than wall time. Asked once more when a program has ended:
/// one that dies of its limit between two looks must not pass for a crash.
fn exceeded(sandbox: &dyn Sandbox, usage: &Usage, limits: &Limits) -> Option<LimitName> {
    if let Some(name) = sandbox.limit_hit() {
        return Some(name);
    }
    (usage.cpu_time_us > limits.cpu_time_ms.saturating_mul(1000)).then_some(LimitName::CpuTime)
}

/// How long to look away: until the CPU time that is left could be used up, at the whole share of
/// CPU that the program may take, within bounds.
fn pause(limits: &Limits, usage: &Usage) -> Duration {
    let limit_us = limits.cpu_time_ms.saturating_mul(1000);
    let left_us = limit_us.saturating_sub(usage.cpu_time_us);
    let shortest_us = left_us.saturating_mul(100) / u64::from(limits.cpu_percent.max(1));
    Duration::from_micros(shortest_us).clamp(PAUSE_MIN, PAUSE_MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn limits(cpu_time_ms: u64, cpu_percent: u32) -> Limits {
        Limits {
            wall_time_ms: 1,
            cpu_time_ms,
            cpu_percent,
            memory_bytes: 1 << 20,
            processes: 1,
            disk_bytes: 1,
            disk_files: 1,
            output_bytes: 1,
            open_files: 16,
        }
    }

    proptest! {
        #[test]
        fn a_pause_never_lets_much_cpu_time_pass_unseen(
            cpu_time_ms: u64,
            cpu_percent: u32,
            cpu_time_us: u64,
        ) {
            let limits = limits(cpu_time_ms, cpu_percent);
            let usage = Usage { cpu_time_us, ..Usage::default() };
            let pause = pause(&limits, &usage);
            prop_assert!((PAUSE_MIN..=PAUSE_MAX).contains(&pause));
            let used_meanwhile_us = pause.as_micros() * u128::from(cpu_percent) / 100;
            let limit_us = u128::from(cpu_time_ms) * 1000;
            let over_us = (u128::from(cpu_time_us) + used_meanwhile_us).saturating_sub(limit_us);
            let floor_us = PAUSE_MIN.as_micros() * u128::from(cpu_percent) / 100;
            // Either already over, or over by no more than the shortest pause allows.
            prop_assert!(u128::from(cpu_time_us) > limit_us || over_us <= floor_us + 1);
        }
    }
}
