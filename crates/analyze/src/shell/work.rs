//! Numbers in a command line that size its work.

use super::words::Word;

/// The number of a command line that sizes its work: its role and value.
pub(super) fn size(name: &str, arguments: &[Word]) -> Option<(&'static str, u64)> {
    let constants = || arguments.iter().filter_map(Word::constant);
    match name {
        "seq" | "jot" => {
            let numbers = constants().filter_map(|text| text.parse::<f64>().ok());
            let largest = numbers.fold(0.0, f64::max);
            (largest > 0.0).then(|| ("range", whole(largest)))
        }
        "sleep" | "usleep" => {
            let unit = if name == "usleep" { 0.001 } else { 1000.0 };
            let milliseconds: f64 = constants().filter_map(duration).sum();
            Some(("sleep.milliseconds", whole(milliseconds * unit)))
        }
        "head" | "shuf" => {
            let count = option(arguments, &["-c", "-n", "--bytes=", "--lines="])
                .or_else(|| constants().find_map(|text| text.strip_prefix('-')))?;
            Some(("count", bytes(count)?))
        }
        "truncate" | "fallocate" => Some((
            "bytes",
            bytes(option(arguments, &["-s", "-l", "--size="])?)?,
        )),
        "dd" => {
            let operand = |key: &str| constants().find_map(|text| bytes(text.strip_prefix(key)?));
            let block = operand("bs=").or_else(|| operand("ibs=")).unwrap_or(512);
            Some(("bytes", block.saturating_mul(operand("count=")?)))
        }
        "split" => Some(("bytes", bytes(option(arguments, &["-b", "--bytes="])?)?)),
        _ => None,
    }
}

/// The largest number of a brace expansion such as `{1..1000}`.
pub(super) fn brace(text: &str) -> Option<u64> {
    let inside = text.strip_prefix('{')?.strip_suffix('}')?;
    inside.split("..").filter_map(|end| end.parse().ok()).max()
}

/// The value of an option, in the same word or in the next.
fn option<'w>(arguments: &'w [Word], names: &[&str]) -> Option<&'w str> {
    let mut words = arguments.iter().filter_map(Word::constant);
    while let Some(text) = words.next() {
        for name in names {
            match text.strip_prefix(name) {
                Some("") => return words.next(),
                Some(value) => return Some(value),
                None => {}
            }
        }
    }
    None
}

/// A number of bytes or lines with the suffixes of the GNU core utilities.
fn bytes(text: &str) -> Option<u64> {
    let text = text.trim_start_matches(['+', '-']);
    let digits_end = text
        .find(|character: char| !character.is_ascii_digit())
        .unwrap_or(text.len());
    let (digits, suffix) = text.split_at_checked(digits_end)?;
    // More digits than fit are more than fits.
    let number = match digits.parse::<u64>() {
        Ok(number) => number,
        Err(_) if digits.is_empty() => return None,
        Err(_) => u64::MAX,
    };
    let power = match suffix
        .chars()
        .next()
        .map(|first| first.to_ascii_uppercase())
    {
        None => return Some(number),
        Some('B') => return Some(number.saturating_mul(512)),
        Some('K') => 1,
        Some('M') => 2,
        Some('G') => 3,
        Some('T') => 4,
        Some('P') => 5,
        Some(_) => return None,
    };
    let base = if suffix.len() == 2 { 1000_u64 } else { 1024 };
    Some(number.saturating_mul(base.saturating_pow(power)))
}

/// A time with a unit, in seconds.
fn duration(text: &str) -> Option<f64> {
    let number = text.trim_end_matches(['s', 'm', 'h', 'd']);
    let seconds = match text.strip_prefix(number)? {
        "" | "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        "d" => 86_400.0,
        _ => return None,
    };
    if text.starts_with("inf") {
        return Some(f64::INFINITY);
    }
    Some(number.parse::<f64>().ok()? * seconds)
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast saturates, which is what is wanted"
)]
fn whole(value: f64) -> u64 {
    value as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_roles() {
        let of = |command: &str| {
            let words: Vec<Word> = command
                .split(' ')
                .map(|text| Word {
                    text: text.to_owned(),
                    is_computed: false,
                    ..Word::default()
                })
                .collect();
            let (name, arguments) = words.split_first().unwrap();
            size(&name.text, arguments)
        };
        assert_eq!(of("seq 1 2 1000"), Some(("range", 1000)));
        assert_eq!(of("sleep 0.5"), Some(("sleep.milliseconds", 500)));
        assert_eq!(of("sleep 2m 1"), Some(("sleep.milliseconds", 121_000)));
        assert_eq!(of("sleep infinity"), Some(("sleep.milliseconds", u64::MAX)));
        assert_eq!(of("head -c 10M file"), Some(("count", 10 << 20)));
        assert_eq!(of("head -n5"), Some(("count", 5)));
        assert_eq!(of("head -20"), Some(("count", 20)));
        assert_eq!(of("dd if=a of=b bs=1M count=64"), Some(("bytes", 64 << 20)));
        assert_eq!(of("truncate -s 3GB x"), Some(("bytes", 3_000_000_000)));
        assert_eq!(
            of("head -c 99999999999999999999"),
            Some(("count", u64::MAX))
        );
        assert_eq!(of("dd if=a"), None);
        assert_eq!(of("echo 5"), None);
        assert_eq!(brace("{1..5000}"), Some(5000));
        assert_eq!(brace("{a..z}"), None);
    }
}
