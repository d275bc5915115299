//! Time and randomness, the two things the pure parts are given from outside.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use atoll_types::Timings;

/// Milliseconds since the Unix epoch; 0 when the clock stands before it.
#[must_use]
pub fn now_unix_ms() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .ok()
        .and_then(|since| u64::try_from(since.as_millis()).ok())
        .unwrap_or(0)
}

/// Ten bytes from the kernel's generator, for a message id.
///
/// # Errors
/// When the kernel has no randomness to give, which it always has once it has booted.
pub fn random() -> std::io::Result<[u8; 10]> {
    let mut bytes = [0; 10];
    let filled = rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty())?;
    // The kernel gives up to 256 bytes at once (getrandom(2)).
    if filled == bytes.len() {
        Ok(bytes)
    } else {
        Err(std::io::Error::other("too little randomness"))
    }
}

/// Measures the stages of one message's way.
#[derive(Debug)]
pub(crate) struct Stopwatch {
    started: Instant,
    timings: Timings,
}

impl Stopwatch {
    pub(crate) fn start() -> Self {
        Self {
            started: Instant::now(),
            timings: Timings::default(),
        }
    }

    /// Runs one stage and adds its time to what the stage has taken so far.
    pub(crate) fn time<T>(&mut self, stage: &str, work: impl FnOnce() -> T) -> T {
        let before = Instant::now();
        let result = work();
        self.add(stage, before.elapsed());
        result
    }

    /// Like [`Self::time`], for a stage that waits.
    pub(crate) async fn wait<T>(&mut self, stage: &str, work: impl Future<Output = T>) -> T {
        let (result, taken) = measured(work).await;
        self.add(stage, taken);
        result
    }

    /// Adds a time to what a stage has taken so far.
    pub(crate) fn add(&mut self, stage: &str, taken: Duration) {
        let taken_us = u64::try_from(taken.as_micros()).unwrap_or(u64::MAX);
        let sum = self.timings.stages.entry(stage.to_owned()).or_default();
        *sum = sum.saturating_add(taken_us);
    }

    /// The stages so far, with the whole way up to now.
    pub(crate) fn timings(&self) -> Timings {
        Timings {
            total: u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX),
            stages: self.timings.stages.clone(),
        }
    }
}

/// How long something takes, with its result.
pub(crate) async fn measured<T>(work: impl Future<Output = T>) -> (T, Duration) {
    let before = Instant::now();
    (work.await, before.elapsed())
}
