//! How often sandboxes are wanted, and how many should wait for it. Pure: times are passed in.

use std::time::Duration;

/// Demand of this age counts e times less than demand now.
const MEMORY_S: f64 = 5.0;

/// Below this, in sandboxes a second, nothing waits: less than one a minute.
const RATE_MIN: f64 = 1.0 / 60.0;

/// How many times the sandboxes that are wanted while one is made should wait: arrivals come in
/// bunches, and a miss costs far more than an idle sandbox.
const RESERVE: f64 = 2.0;

/// Sandboxes wanted a second, an average that forgets exponentially.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Demand {
    rate: f64,
    /// When the rate was brought up to date, since some beginning.
    at: Duration,
}

impl Demand {
    /// None so far.
    pub(crate) const fn new() -> Self {
        Self {
            rate: 0.0,
            at: Duration::ZERO,
        }
    }

    /// One more was wanted.
    pub(crate) fn note(&mut self, now: Duration) {
        self.rate = self.rate(now) + 1.0 / MEMORY_S;
        self.at = self.at.max(now);
    }

    /// Sandboxes wanted a second.
    pub(crate) fn rate(&self, now: Duration) -> f64 {
        let age = now.saturating_sub(self.at);
        self.rate * (-age.as_secs_f64() / MEMORY_S).exp()
    }

    /// How many should wait when making one takes this long; never more than `most`.
    pub(crate) fn target(&self, now: Duration, making: Duration, most: usize) -> usize {
        let rate = self.rate(now);
        if rate < RATE_MIN {
            return 0;
        }
        let wanted = (rate * making.as_secs_f64() * RESERVE).ceil();
        // A negative or huge number cannot come out of the product, and would be bounded here.
        let wanted = wanted.clamp(0.0, 1e6) as usize;
        wanted.saturating_add(1).min(most)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn steady(per_second: u32, seconds: u32) -> (Demand, Duration) {
        let mut demand = Demand::new();
        let mut now = Duration::ZERO;
        for _ in 0..per_second * seconds {
            now += Duration::from_secs(1) / per_second;
            demand.note(now);
        }
        (demand, now)
    }

    #[test]
    fn a_steady_rate_is_found() {
        for per_second in [1, 10, 500] {
            let (demand, now) = steady(per_second, 60);
            let found = demand.rate(now) / f64::from(per_second);
            assert!((0.85..1.15).contains(&found), "{per_second}: {found}");
        }
    }

    #[test]
    fn the_target_covers_what_is_wanted_while_one_is_made() {
        let (demand, now) = steady(100, 60);
        let making = Duration::from_millis(20);
        let target = demand.target(now, making, 100);
        assert!((4..=6).contains(&target), "{target}");
        assert_eq!(demand.target(now, making, 3), 3);
    }

    #[test]
    fn one_wish_keeps_one_waiting_for_a_while_and_then_none() {
        let mut demand = Demand::new();
        demand.note(Duration::ZERO);
        let target = |s| demand.target(Duration::from_secs(s), Duration::from_millis(20), 8);
        assert_eq!(target(1), 2);
        assert_eq!(target(11), 2);
        assert_eq!(target(14), 0);
    }

    proptest! {
        #[test]
        fn more_demand_never_lowers_the_target(
            times in proptest::collection::vec(0_u64..100_000, 0..50),
            extra in 0_u64..100_000,
            making_ms in 0_u64..5_000,
        ) {
            let now = Duration::from_millis(100_000);
            let target = |mut times: Vec<u64>| {
                times.sort_unstable();
                let mut demand = Demand::new();
                for time in times {
                    demand.note(Duration::from_millis(time));
                }
                demand.target(now, Duration::from_millis(making_ms), 1_000)
            };
            let fewer = target(times.clone());
            let more = target(times.into_iter().chain([extra]).collect());
            prop_assert!(fewer <= more);
        }
    }
}
