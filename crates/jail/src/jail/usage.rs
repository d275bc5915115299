//! What the program of a jail has used.
//!
//! CPU time and memory are its cgroup's. What it reads and writes, the kernel counts for each
//! process; the first process tells the whole when the program has ended, and until then what its
//! processes have done so far is looked up one by one.

use std::sync::atomic::Ordering;
use std::sync::{Mutex, MutexGuard, PoisonError};

use atoll_types::{IoUsage, Usage};

use super::Jail;
use crate::{ablation, counts};

/// No more processes than this are looked at while a program runs: each takes some microseconds.
const LOOKED_AT_MAX: usize = 16;

/// What is known of a program's reads and writes.
#[derive(Debug, Default)]
pub(super) struct Done(Box<Mutex<Known>>);

#[derive(Debug, Default)]
struct Known {
    /// What the program's process had done before it was the program.
    before: Option<IoUsage>,
    /// What everything in the cgroup had done before.
    around: IoUsage,
    /// The most that was seen.
    seen: Option<IoUsage>,
    /// What the program's process had done in the end, and everything it came from.
    ended: Option<IoUsage>,
}

impl Done {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The program's process has done so much before it was the program.
    pub(super) fn begun(&self, before: Option<IoUsage>) {
        self.known().before = before;
    }

    /// The program has ended, and its process has done so much altogether.
    pub(super) fn ended(&self, done: Option<IoUsage>) {
        self.known().ended = done;
    }
}

impl Jail {
    /// What has been used since the start.
    #[must_use]
    pub fn usage(&self) -> Usage {
        let Some(started) = &self.started else {
            return Usage::default();
        };
        let processes = self.group.processes();
        let processes = processes.saturating_sub(self.own_processes());
        let peak = self
            .processes_peak
            .fetch_max(processes, Ordering::Relaxed)
            .max(processes);
        Usage {
            wall_time_us: u64::try_from(started.at.elapsed().as_micros()).unwrap_or(u64::MAX),
            cpu_time_us: ablation::cpu_time_us(self.group.cpu_time_us())
                .saturating_sub(started.cpu_time_us),
            memory_peak_bytes: self.group.memory_peak_bytes(),
            output_bytes: 0,
            disk_bytes: self.disk().map_or(0, |disk| disk.used_bytes),
            processes_peak: peak,
            io: self.io(),
        }
    }

    /// Lets reads and writes count from here on: the program's process, which has waited for its
    /// job, had done so much before.
    pub fn begins_with(&self, done: Option<IoUsage>) {
        self.done.begun(done);
    }

    /// What was done before there is a program is not the program's.
    pub(super) fn io_is_not_its_own(&mut self) {
        let around = self.io_inside().unwrap_or_default();
        self.done = Done(Box::new(Mutex::new(Known {
            around,
            ..Known::default()
        })));
    }

    fn io(&self) -> Option<IoUsage> {
        let mut known = self.done.known();
        if self.ended.is_some() {
            let whole = known.ended.zip(known.before);
            return whole
                .map(|(done, before)| done.since(&before))
                .or(known.seen);
        }
        // One of a child that has ended is missing until its parent has heard of that.
        if let Some(inside) = self.io_inside() {
            let done = inside.since(&known.around);
            known.seen = Some(known.seen.map_or(done, |seen| seen.max(&done)));
        }
        known.seen
    }

    /// What all processes that are in the cgroup have done; `None` where it is not counted.
    fn io_inside(&self) -> Option<IoUsage> {
        if !self.counts {
            return None;
        }
        let members = self.group.members(LOOKED_AT_MAX);
        let done = members.into_iter().filter_map(counts::of_process);
        done.reduce(|sum, done| sum.plus(&done))
    }
}
