//! Looking for what comes next instead of sleeping, as long as it comes quickly.
//!
//! Waking a thread that sleeps on an idle processor takes far longer than a short message, above
//! all on virtual hosts. Both ends of a worker's socket therefore stay awake for a moment where
//! messages come one after the other, as hypervisors do with processors that have nothing to do.
//! Owns when that is worth it; the loops at both ends do the looking.

use std::thread;
use std::time::{Duration, Instant};

/// How long it is looked for something, and how soon the last thing must have come for that.
const SPAN: Duration = Duration::from_micros(200);

/// Whether it pays to stay awake.
#[derive(Debug)]
pub struct Polling {
    /// Staying awake takes the only processor from whoever is waited for.
    is_possible: bool,
    since: Instant,
    was_quick: bool,
    is_on: bool,
}

impl Polling {
    /// Sleeps at first.
    #[must_use]
    pub fn new() -> Self {
        Self {
            is_possible: thread::available_parallelism().is_ok_and(|count| count.get() > 1),
            since: Instant::now(),
            was_quick: false,
            is_on: false,
        }
    }

    /// Says that something is waited for from now on; whether nothing else is to be done meanwhile.
    pub fn wait(&mut self, alone: bool) {
        self.since = Instant::now();
        self.is_on = alone && self.was_quick && self.is_possible;
    }

    /// Says that it came.
    pub fn came(&mut self) {
        self.was_quick = self.since.elapsed() <= SPAN;
        self.is_on = false;
    }

    /// Whether to look again before sleeping.
    #[must_use]
    pub const fn is_on(&self) -> bool {
        self.is_on
    }

    /// Says that nothing has come yet.
    pub fn looked(&mut self) {
        self.is_on = self.since.elapsed() <= SPAN;
    }
}

impl Default for Polling {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn polling() -> Polling {
        Polling {
            is_possible: true,
            ..Polling::new()
        }
    }

    /// As if it had been waited for so long already.
    fn after(polling: &mut Polling, span: Duration) {
        polling.since = polling.since.checked_sub(span).unwrap();
    }

    #[test]
    fn what_came_quickly_is_looked_for() {
        let mut polling = polling();
        polling.wait(true);
        assert!(!polling.is_on());
        polling.since += SPAN;
        polling.came();
        polling.wait(true);
        assert!(polling.is_on());
        polling.wait(false);
        assert!(!polling.is_on());
    }

    #[test]
    fn nothing_is_looked_for_after_a_while_or_where_the_last_was_slow() {
        let mut polling = polling();
        polling.was_quick = true;
        polling.wait(true);
        after(&mut polling, SPAN);
        polling.looked();
        assert!(!polling.is_on());
        polling.came();
        polling.wait(true);
        assert!(!polling.is_on());
    }

    #[test]
    fn the_only_processor_is_left_to_others() {
        let mut polling = polling();
        polling.is_possible = false;
        polling.was_quick = true;
        polling.wait(true);
        assert!(!polling.is_on());
    }
}
