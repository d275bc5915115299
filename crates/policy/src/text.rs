//! Numbers as people read them: sizes, durations, counts, and the units that policy files use.

/// Binary units, largest first, as policy files write them.
const SIZES: [(&str, u64); 5] = [
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("B", 1),
];

/// Units of time, in milliseconds, largest first, as policy files write them.
const DURATIONS: [(&str, u64); 4] = [("h", 3_600_000), ("min", 60_000), ("s", 1000), ("ms", 1)];

/// A size, such as `256 MiB` or `1.5 GiB`.
pub(crate) fn size_bytes(bytes: u64) -> String {
    in_units(bytes, &SIZES)
}

/// A duration, such as `10 s` or `1.5 min`.
pub(crate) fn duration_ms(ms: u64) -> String {
    in_units(ms, &DURATIONS)
}

/// A duration given in microseconds, such as `850 us` or `12.5 ms`.
pub(crate) fn duration_us(us: u64) -> String {
    match us {
        0..1000 => format!("{us} us"),
        1000..1_000_000 => one_decimal(us as f64 / 1000.0, "ms"),
        _ => duration_ms(us / 1000),
    }
}

/// How long ago something was, in whole units.
pub(crate) fn ago(ms: u64) -> String {
    const MINUTE: u64 = 60_000;
    const HOUR: u64 = 60 * MINUTE;
    const DAY: u64 = 24 * HOUR;
    match ms {
        0..MINUTE => "just now".to_owned(),
        MINUTE..HOUR => count(ms / MINUTE, "minute", "minutes") + " ago",
        HOUR..DAY => count(ms / HOUR, "hour", "hours") + " ago",
        _ => count(ms / DAY, "day", "days") + " ago",
    }
}

/// `1 crash`, `2 crashes`.
pub(crate) fn count(number: u64, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// A fraction with up to three decimals and no trailing zeros: `0.8`, `0.125`.
pub(crate) fn fraction(value: f64) -> String {
    let text = format!("{value:.3}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    text.to_owned()
}

/// `a`, `a and b`, `a, b and c`.
pub(crate) fn join_and(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [only] => only.clone(),
        [init @ .., last] => format!("{} and {last}", init.join(", ")),
    }
}

fn in_units(amount: u64, units: &[(&str, u64)]) -> String {
    let fits = |(_, unit): &&(&str, u64)| amount >= *unit;
    match units.iter().find(fits) {
        Some((name, unit)) if amount.is_multiple_of(*unit) => format!("{} {name}", amount / unit),
        Some((name, unit)) => one_decimal(amount as f64 / *unit as f64, name),
        None => match units.last() {
            Some((name, _)) => format!("{amount} {name}"),
            None => amount.to_string(),
        },
    }
}

fn one_decimal(amount: f64, unit: &str) -> String {
    let text = format!("{amount:.1}");
    format!("{} {unit}", text.trim_end_matches(".0"))
}

/// Reads a size such as `256MiB`. Units are binary: `B`, `KiB`, `MiB`, `GiB`, `TiB`.
///
/// # Errors
/// Says what shape is expected.
pub(crate) fn parse_size(text: &str) -> Result<u64, String> {
    parse(text, &SIZES).ok_or_else(|| {
        let text = text.escape_debug();
        format!("`{text}` is not a size; write a number with B, KiB, MiB, GiB or TiB: \"256MiB\"")
    })
}

/// Reads a duration such as `5s`. Units: `ms`, `s`, `min`, `h`.
///
/// # Errors
/// Says what shape is expected.
pub(crate) fn parse_duration_ms(text: &str) -> Result<u64, String> {
    parse(text, &DURATIONS).ok_or_else(|| {
        let text = text.escape_debug();
        format!("`{text}` is not a duration; write a number with ms, s, min or h: \"5s\"")
    })
}

/// A number with at most three decimals, then a unit; spaces between are fine. Works on whole
/// thousandths, so that `0.1s` is exactly 100 ms.
fn parse(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let text = text.trim();
    let unit_start = text.find(|c: char| c.is_ascii_alphabetic())?;
    let (number, unit) = text.split_at_checked(unit_start)?;
    let (_, factor) = units.iter().find(|(name, _)| *name == unit)?;
    let (whole, decimals) = match number.trim_end().split_once('.') {
        Some((whole, decimals)) => (whole, decimals),
        None => (number.trim_end(), "0"),
    };
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(decimals) || decimals.len() > 3 {
        return None;
    }
    let thousandths: u128 = format!("{decimals:0<3}").parse().ok()?;
    let scaled = whole.parse::<u64>().ok()? as u128 * 1000 + thousandths;
    u64::try_from(scaled * u128::from(*factor) / 1000).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sizes_and_durations_read_well() {
        assert_eq!(size_bytes(256 << 20), "256 MiB");
        assert_eq!(size_bytes(3 << 29), "1.5 GiB");
        assert_eq!(size_bytes(0), "0 B");
        assert_eq!(duration_ms(10_000), "10 s");
        assert_eq!(duration_ms(90_000), "1.5 min");
        assert_eq!(duration_ms(0), "0 ms");
        assert_eq!(duration_us(12_500), "12.5 ms");
        assert_eq!(duration_us(7), "7 us");
        assert_eq!(ago(59_999), "just now");
        assert_eq!(ago(3 * 3_600_000), "3 hours ago");
        assert_eq!(fraction(0.8), "0.8");
        assert_eq!(fraction(1.0), "1");
        assert_eq!(fraction(0.0), "0");
    }

    #[test]
    fn units_are_read_exactly() {
        assert_eq!(parse_size("256MiB"), Ok(256 << 20));
        assert_eq!(parse_size("1.5 GiB"), Ok(3 << 29));
        assert_eq!(parse_duration_ms("0.1s"), Ok(100));
        assert_eq!(parse_duration_ms("2min"), Ok(120_000));
        for bad in [
            "", "5", "MiB", "5 MB", "-5s", "1e3s", "5s5", "1.0005s", "1..5s", "5é",
        ] {
            assert!(parse_size(bad).is_err(), "{bad}");
            assert!(parse_duration_ms(bad).is_err(), "{bad}");
        }
        assert!(parse_size("99999999999TiB").is_err());
    }

    proptest! {
        #[test]
        fn nothing_makes_the_parser_panic(text in "\\PC*") {
            let _ = parse_size(&text);
            let _ = parse_duration_ms(&text);
        }

        #[test]
        fn whole_units_survive(number in 0..1_000_000_u64) {
            prop_assert_eq!(parse_size(&format!("{number}MiB")), Ok(number << 20));
            prop_assert_eq!(parse_duration_ms(&format!("{number}s")), Ok(number * 1000));
        }
    }
}
