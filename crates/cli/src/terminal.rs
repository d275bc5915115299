//! Text for people: styles, plain forms of untrusted text, amounts, and printing.
//!
//! Styles are taken out again by `anstream` where output is no terminal or NO_COLOR is set.

use std::fmt::Write as _;
use std::io::Write as _;
use std::time::Duration;

use anstyle::{AnsiColor, Style};

use crate::error::CliError;

pub(crate) const BOLD: Style = Style::new().bold();
pub(crate) const DIM: Style = Style::new().dimmed();
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
pub(crate) const BAD: Style = AnsiColor::Red.on_default();
pub(crate) const DOUBTFUL: Style = AnsiColor::Yellow.on_default();

/// `text` in a style.
pub(crate) fn styled(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

/// Prints on standard output, at once and in full.
pub(crate) fn print(text: &str) -> Result<(), CliError> {
    let mut out = anstream::stdout().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .map_err(CliError::output)
}

/// Prints on standard error, as far as that is possible: there is nowhere to report a failure to.
pub(crate) fn complain(text: &str) {
    let mut err = anstream::stderr().lock();
    let _ = err.write_all(text.as_bytes()).and_then(|()| err.flush());
}

/// Untrusted text without what a terminal would obey.
pub(crate) fn plain(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() {
            clean.extend(c.escape_default());
        } else {
            clean.push(c);
        }
    }
    clean
}

/// A duration of microseconds in three digits or so.
pub(crate) fn time(microseconds: u64) -> String {
    let duration = Duration::from_micros(microseconds);
    match microseconds {
        0..1_000 => format!("{microseconds} \u{b5}s"),
        1_000..10_000 => format!("{:.1} ms", duration.as_secs_f64() * 1e3),
        10_000..1_000_000 => format!("{:.0} ms", duration.as_secs_f64() * 1e3),
        1_000_000..60_000_000 => format!("{:.1} s", duration.as_secs_f64()),
        _ => humantime::format_duration(Duration::from_secs(duration.as_secs())).to_string(),
    }
}

/// A size in binary units.
pub(crate) fn size(bytes: u64) -> String {
    bytesize::ByteSize(bytes).display().iec().to_string()
}

/// A time in milliseconds since the Unix epoch, as UTC.
pub(crate) fn instant(unix_ms: u64) -> String {
    let since = Duration::from_millis(unix_ms);
    match std::time::UNIX_EPOCH.checked_add(since) {
        // The format has four digits for the year.
        Some(time) if unix_ms < 253_402_300_800_000 => {
            humantime::format_rfc3339_seconds(time).to_string()
        }
        _ => "beyond the year 9999".to_owned(),
    }
}

/// A value of a limit, with its unit.
pub(crate) fn limit(hit: atoll_types::LimitHit) -> String {
    use atoll_types::LimitName;
    match hit.name {
        LimitName::WallTime | LimitName::CpuTime => time(hit.value.saturating_mul(1000)),
        LimitName::Memory | LimitName::Disk | LimitName::Output => size(hit.value),
        LimitName::Processes => format!("{} processes", hit.value),
    }
}

/// A heading with indented lines below.
pub(crate) fn section(out: &mut String, heading: &str, lines: impl IntoIterator<Item = String>) {
    let mut lines = lines.into_iter().peekable();
    if lines.peek().is_none() {
        return;
    }
    let _ = writeln!(out, "\n{}", styled(BOLD, heading));
    for line in lines {
        let _ = writeln!(out, "  {line}");
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn amounts_are_short() {
        assert_eq!(time(0), "0 \u{b5}s");
        assert_eq!(time(1_500), "1.5 ms");
        assert_eq!(time(15_400), "15 ms");
        assert_eq!(time(2_340_000), "2.3 s");
        assert_eq!(time(90_000_000), "1m 30s");
        assert_eq!(size(256 << 20), "256.0 MiB");
        assert_eq!(instant(0), "1970-01-01T00:00:00Z");
        assert_eq!(instant(u64::MAX), "beyond the year 9999");
    }

    proptest! {
        #[test]
        fn plain_text_has_nothing_that_a_terminal_obeys(text: String) {
            prop_assert!(!plain(&text).chars().any(char::is_control));
        }

        #[test]
        fn amounts_never_panic(value: u64) {
            time(value);
            size(value);
            instant(value);
        }
    }
}
