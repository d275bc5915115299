//! The live line: time, CPU and memory of a run that takes longer than a second.
//!
//! It appears on a terminal only, and never on a line that the program has begun.

use atoll_types::Usage;

use crate::terminal::{size, time};

/// How long a run goes without a line.
const QUIET_US: u64 = 1_000_000;

/// Goes to the start of the line and erases it (ECMA-48: CR, EL).
const ERASE: &str = "\r\x1b[2K";

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

    /// What to write at the end.
    pub(crate) fn erase(&mut self) -> Option<&'static str> {
        std::mem::take(&mut self.shown).then_some(ERASE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
