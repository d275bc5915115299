//! The live line: time, CPU and memory of a run that takes longer than a second, and before it that
//! its sandbox is not ready yet.
//!
//! It appears on a terminal only, and never on a line that the program has begun.

use std::convert::Infallible;
use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use atoll_engine::Stream;
use atoll_types::Usage;

use crate::sink::Lines;
use crate::terminal::{size, time};

/// How long a run goes without a line.
const QUIET_US: u64 = 1_000_000;

/// Goes to the start of the line and erases it (ECMA-48: CR, EL).
const ERASE: &str = "\r\x1b[2K";

/// The way to a sandbox, which is long where a virtual machine boots first.
#[derive(Debug, Clone, Default)]
pub(crate) struct Preparing(Arc<Preparation>);

#[derive(Debug, Default)]
struct Preparation {
    is_over: AtomicBool,
    shown: AtomicBool,
}

impl Preparing {
    /// Says again and again how long it has taken, until it is over.
    pub(crate) async fn say(&self, lines: Lines) -> Infallible {
        let began = Instant::now();
        loop {
            tokio::time::sleep(Duration::from_micros(QUIET_US)).await;
            if self.0.is_over.load(Ordering::Relaxed) {
                return pending().await;
            }
            let seconds = began.elapsed().as_secs();
            let line = format!("{ERASE}making the sandbox ready for {seconds} s");
            let shown = lines.offer(Stream::Stderr, line.as_bytes());
            self.0.shown.fetch_or(shown, Ordering::Relaxed);
        }
    }

    /// Ends it; answers with what takes its line away, if there is one.
    pub(crate) fn end(&self) -> Option<&'static str> {
        self.0.is_over.store(true, Ordering::Relaxed);
        let shown = self.0.shown.swap(false, Ordering::Relaxed);
        shown.then_some(ERASE)
    }
}

/// What is on the terminal right now.
#[derive(Debug, Default)]
pub(crate) struct Live {
    shown: bool,
    /// The program has written a part of a line, which must stay.
    line_begun: bool,
}

impl Live {
    /// What to write for the latest usage; nothing while the run is short or a line is begun.
    /// [`Self::shown`] has to be told whether it was written.
    pub(crate) fn line(&self, usage: &Usage) -> Option<String> {
        if usage.wall_time_us < QUIET_US || self.line_begun {
            return None;
        }
        Some(format!(
            "{ERASE}running for {}, CPU time {}, memory {}",
            time(usage.wall_time_us),
            time(usage.cpu_time_us),
            size(usage.memory_peak_bytes),
        ))
    }

    /// Notes that a line stands on the terminal.
    pub(crate) const fn shown(&mut self) {
        self.shown = true;
    }

    /// What to write before output of the program, which ends in `last`.
    pub(crate) fn make_way(&mut self, last: Option<u8>) -> Option<&'static str> {
        self.line_begun = last.is_some_and(|byte| byte != b'\n');
        self.erase()
    }

    /// What to write before a line of Atoll's own that stays.
    pub(crate) fn make_way_for_own(&mut self) -> &'static str {
        match std::mem::take(&mut self.line_begun) {
            true => "\n",
            false => self.erase().unwrap_or_default(),
        }
    }

    /// What to write at the end.
    pub(crate) fn erase(&mut self) -> Option<&'static str> {
        std::mem::take(&mut self.shown).then_some(ERASE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sink::Sink;

    fn usage(wall_time_us: u64) -> Usage {
        Usage {
            wall_time_us,
            cpu_time_us: 900_000,
            memory_peak_bytes: 34 << 20,
            ..Usage::default()
        }
    }

    #[test]
    fn a_short_run_has_no_line() {
        let mut live = Live::default();
        assert_eq!(live.line(&usage(999_999)), None);
        assert_eq!(live.erase(), None);
    }

    #[test]
    fn a_line_is_erased_before_output_and_never_over_it() {
        let mut live = Live::default();
        let line = live.line(&usage(1_234_000)).unwrap();
        assert_eq!(
            line,
            "\r\x1b[2Krunning for 1.2 s, CPU time 900 ms, memory 34.0 MiB"
        );
        assert_eq!(live.make_way(Some(b'?')), None, "it was not written");
        assert_eq!(
            live.line(&usage(1_300_000)),
            None,
            "the program is asking something"
        );
        assert_eq!(live.make_way(Some(b'\n')), None);
        live.shown();
        assert_eq!(live.make_way(Some(b'\n')), Some("\r\x1b[2K"));
        live.shown();
        assert!(live.erase().is_some());
        assert_eq!(live.erase(), None);
    }

    #[test]
    fn a_line_that_stays_stands_alone() {
        let mut live = Live::default();
        assert_eq!(live.make_way_for_own(), "");
        live.shown();
        assert_eq!(live.make_way_for_own(), ERASE);
        live.make_way(Some(b'?'));
        assert_eq!(live.make_way_for_own(), "\n");
        assert_eq!(live.make_way_for_own(), "");
    }

    #[tokio::test]
    async fn a_sandbox_that_is_ready_has_no_line() {
        let preparing = Preparing::default();
        assert_eq!(preparing.end(), None);
        let said = tokio::time::timeout(
            Duration::from_millis(1_200),
            preparing.say(Sink::default().lines().unwrap()),
        )
        .await;
        assert!(said.is_err());
        assert_eq!(preparing.end(), None);
    }
}
