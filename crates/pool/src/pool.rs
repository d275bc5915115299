//! One pool: sandboxes of one key that wait, and what is known about demand for them.

use std::time::Duration;

use atoll_sandbox::Sandbox;
use atoll_types::Limits;

use crate::demand::Demand;
use crate::{Key, PoolReport};

/// Until the first sandbox has been made: about what starting an interpreter takes.
const MAKING_TIME_GUESS: Duration = Duration::from_millis(30);

/// After a failed attempt nothing is tried for this long.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(1);

/// A sandbox counts as at least this much memory: its first process and the kernel's part.
const SANDBOX_BYTES_MIN: u64 = 1 << 20;

/// A sandbox that waits.
pub(crate) struct Idle {
    pub(crate) sandbox: Box<dyn Sandbox>,
    /// Memory it takes while it waits.
    pub(crate) bytes: u64,
    /// Messages it has served.
    pub(crate) served: u32,
}

impl Idle {
    pub(crate) fn new(sandbox: Box<dyn Sandbox>, served: u32) -> Self {
        let bytes = sandbox.idle_bytes().max(SANDBOX_BYTES_MIN);
        Self {
            sandbox,
            bytes,
            served,
        }
    }
}

/// Times are since the pools began.
pub(crate) struct Pool {
    /// What sandboxes are made with.
    pub(crate) limits: Limits,
    /// The newest last.
    idle: Vec<Idle>,
    making: usize,
    /// Sandboxes that serve a message and may come back.
    lent: usize,
    /// As many wait whatever the demand.
    pub(crate) floor: usize,
    demand: Demand,
    making_time: Duration,
    paused_until: Duration,
    hits: u64,
    misses: u64,
    reuses: u64,
    made: u64,
    failures: u64,
    failure: Option<String>,
    renewal_failures: u64,
    renewal_failure: Option<String>,
}

impl Pool {
    pub(crate) const fn new(limits: Limits) -> Self {
        Self {
            limits,
            idle: Vec::new(),
            making: 0,
            lent: 0,
            floor: 0,
            demand: Demand::new(),
            making_time: MAKING_TIME_GUESS,
            paused_until: Duration::ZERO,
            hits: 0,
            misses: 0,
            reuses: 0,
            made: 0,
            failures: 0,
            failure: None,
            renewal_failures: 0,
            renewal_failure: None,
        }
    }

    /// Takes the sandbox that waits for the shortest time, whose memory is warmest; one that has
    /// served before goes first, because it may not have many messages left.
    pub(crate) fn take(&mut self, now: Duration) -> Option<Idle> {
        self.demand.note(now);
        let has_served = self.idle.iter().rposition(|idle| idle.served > 0);
        let taken = match has_served {
            Some(place) => Some(self.idle.remove(place)),
            None => self.idle.pop(),
        };
        match &taken {
            Some(idle) => {
                self.hits += 1;
                self.reuses += u64::from(idle.served > 0);
            }
            None => self.misses += 1,
        }
        taken
    }

    /// A sandbox of this key serves a message and may come back.
    pub(crate) const fn lend(&mut self) {
        self.lent += 1;
    }

    /// It will not.
    pub(crate) const fn end_lending(&mut self) {
        self.lent = self.lent.saturating_sub(1);
    }

    /// It has, and is being renewed, which counts as being made.
    pub(crate) const fn begin_renewing(&mut self) {
        self.end_lending();
        self.making += 1;
    }

    /// One could not be renewed.
    pub(crate) fn not_renewed(&mut self, why: String) {
        self.renewal_failures += 1;
        self.renewal_failure = Some(why);
    }

    /// How many sandboxes to begin to make now; counts them as being made.
    pub(crate) fn begin_making(&mut self, now: Duration, most: usize) -> usize {
        if now < self.paused_until {
            return 0;
        }
        let coming = self.idle.len() + self.making + self.lent;
        let missing = self.target(now, most).saturating_sub(coming);
        self.making += missing;
        missing
    }

    /// One that was being made is in the pool, or gone.
    pub(crate) fn end_making(&mut self) {
        self.making = self.making.saturating_sub(1);
    }

    /// A sandbox has been made or renewed; gives it back when it is not wanted any more.
    pub(crate) fn add(
        &mut self,
        idle: Idle,
        taken: Duration,
        now: Duration,
        most: usize,
    ) -> Option<Idle> {
        if idle.served == 0 {
            self.made += 1;
            self.failure = None;
            // Half of what was known, half of what is new.
            self.making_time = (self.making_time + taken) / 2;
        }
        if self.idle.len() >= self.target(now, most) {
            return Some(idle);
        }
        self.idle.push(idle);
        None
    }

    pub(crate) fn failed(&mut self, why: String, now: Duration) {
        self.failures += 1;
        self.failure = Some(why);
        self.paused_until = now + PAUSE_AFTER_FAILURE;
    }

    /// Takes out what waits beyond the target, the oldest first.
    pub(crate) fn surplus(&mut self, now: Duration, most: usize) -> Vec<Idle> {
        let surplus = self.idle.len().saturating_sub(self.target(now, most));
        self.idle.drain(..surplus).collect()
    }

    pub(crate) fn take_all(&mut self) -> Vec<Idle> {
        std::mem::take(&mut self.idle)
    }

    /// Whether nothing is lost when the pool is forgotten.
    pub(crate) fn is_unused(&self, now: Duration) -> bool {
        self.idle.is_empty()
            && self.making == 0
            && self.lent == 0
            && self.target(now, usize::MAX) == 0
    }

    pub(crate) const fn has_idle(&self) -> bool {
        !self.idle.is_empty()
    }

    pub(crate) const fn is_making(&self) -> bool {
        self.making > 0
    }

    pub(crate) fn idle_bytes(&self) -> u64 {
        self.idle.iter().map(|idle| idle.bytes).sum()
    }

    /// Whether somebody is likely to take the next sandbox as soon as it is made: nothing else
    /// waits, and more are wanted in the time it takes to make one.
    pub(crate) fn is_drained(&self, now: Duration) -> bool {
        let wanted = self.demand.rate(now) * self.making_time.as_secs_f64();
        self.idle.is_empty() && wanted > 1.0
    }

    fn target(&self, now: Duration, most: usize) -> usize {
        let target = self.demand.target(now, self.making_time, most);
        target.max(self.floor.min(most))
    }

    pub(crate) fn report(&self, key: &Key, now: Duration, most: usize) -> PoolReport {
        PoolReport {
            key: key.clone(),
            idle: self.idle.len(),
            making: self.making,
            target: self.target(now, most),
            rate: self.demand.rate(now),
            hits: self.hits,
            misses: self.misses,
            lent: self.lent,
            reuses: self.reuses,
            renewal_failures: self.renewal_failures,
            renewal_failure: self.renewal_failure.clone(),
            made: self.made,
            failures: self.failures,
            making_time: self.making_time,
            idle_bytes_each: self.idle.iter().map(|idle| idle.bytes).max(),
            failure: self.failure.clone(),
        }
    }
}
