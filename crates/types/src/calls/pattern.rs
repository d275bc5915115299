//! Patterns for arguments: `*` stands for anything but a slash, `**` for anything.

use std::cell::Cell;
use std::fmt;
use std::str::FromStr;

use super::InvalidCallRule;

/// The longest pattern, in bytes.
const PATTERN_BYTES_MAX: usize = 256;

/// A pattern for a path or an address.
///
/// `*` stands for any bytes but `/`, `**` for any bytes at all, none included; everything else
/// stands for itself. `/a/**` therefore means what is below `/a`, and not `/a` itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    text: String,
    /// The bytes before the first star, which are compared first: most arguments differ there.
    start: usize,
    steps: Vec<Step>,
}

/// One step through an argument, after the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Byte(u8),
    Part,
    Anything,
}

impl Pattern {
    /// The pattern as it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether the whole argument fits. Takes time in proportion to the length of the argument
    /// times that of the pattern, whatever they are.
    #[must_use]
    pub fn matches(&self, argument: &[u8]) -> bool {
        let start = self.text.as_bytes().get(..self.start).unwrap_or_default();
        let Some(rest) = argument.strip_prefix(start) else {
            return false;
        };
        match self.steps.as_slice() {
            [] => rest.is_empty(),
            [Step::Anything] => true,
            steps => walk(steps, rest),
        }
    }
}

/// Follows every way through the steps at once. `reached[i]` says that the bytes so far fit the
/// first `i` steps.
fn walk(steps: &[Step], argument: &[u8]) -> bool {
    let mut reached = vec![false; steps.len() + 1];
    let reached = Cell::from_mut(reached.as_mut_slice()).as_slice_of_cells();
    if let Some(first) = reached.first() {
        first.set(true);
    }
    pass_stars(steps, reached);
    for byte in argument {
        let mut alive = false;
        // From the last step to the first, so that each sees what was reached before this byte.
        for (step, (here, next)) in steps.iter().zip(places(reached)).rev() {
            next.set(match step {
                Step::Byte(wanted) => here.get() && wanted == byte,
                // A star that was passed takes this byte as well.
                Step::Part => next.get() && *byte != b'/',
                Step::Anything => next.get(),
            });
            alive |= next.get();
        }
        if !alive {
            return false;
        }
        if let Some(first) = reached.first() {
            first.set(false);
        }
        pass_stars(steps, reached);
    }
    reached.last().is_some_and(Cell::get)
}

/// Stars may stand for nothing.
fn pass_stars(steps: &[Step], reached: &[Cell<bool>]) {
    for (step, (here, next)) in steps.iter().zip(places(reached)) {
        if !matches!(step, Step::Byte(_)) {
            next.set(next.get() || here.get());
        }
    }
}

/// The places before and after each step.
fn places(
    reached: &[Cell<bool>],
) -> impl DoubleEndedIterator<Item = (&Cell<bool>, &Cell<bool>)> + ExactSizeIterator {
    reached.iter().zip(reached.iter().skip(1))
}

impl FromStr for Pattern {
    type Err = InvalidCallRule;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fits = (1..=PATTERN_BYTES_MAX).contains(&text.len());
        if !fits || text.chars().any(char::is_control) {
            return Err(InvalidCallRule::new(format!(
                "a condition on an argument is 1 to {PATTERN_BYTES_MAX} bytes of plain text"
            )));
        }
        let start = text.find('*').unwrap_or(text.len());
        let mut steps: Vec<Step> = Vec::new();
        let mut bytes = text.bytes().skip(start).peekable();
        while let Some(byte) = bytes.next() {
            if byte != b'*' {
                steps.push(Step::Byte(byte));
            } else if bytes.next_if_eq(&b'*').is_some() {
                steps.push(Step::Anything);
            } else {
                steps.push(Step::Part);
            }
        }
        Ok(Self {
            text: text.to_owned(),
            start,
            steps,
        })
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fits(pattern: &str, argument: &str) -> bool {
        pattern
            .parse::<Pattern>()
            .unwrap()
            .matches(argument.as_bytes())
    }

    #[test]
    fn stars_stand_for_what_they_say() {
        for (pattern, argument, wanted) in [
            ("/etc/passwd", "/etc/passwd", true),
            ("/etc/passwd", "/etc/passwd2", false),
            ("/etc/passwd", "/etc/passw", false),
            ("/etc/*", "/etc/passwd", true),
            ("/etc/*", "/etc/ssl/certs", false),
            ("/etc/**", "/etc/ssl/certs", true),
            ("/etc/**", "/etc/", true),
            ("/etc/**", "/etc", false),
            ("/**/secret", "/a/b/secret", true),
            ("/**/secret", "/secret", false),
            ("/**secret", "/secret", true),
            ("/*/*.txt", "/a/b.txt", true),
            ("/*/*.txt", "/a/b/c.txt", false),
            ("**.so*", "/lib/x.so.1", true),
            ("**.so*", "/lib/x.so.1/y", false),
            ("127.0.0.1:*", "127.0.0.1:80", true),
            ("**", "", true),
            ("*", "/", false),
        ] {
            assert_eq!(fits(pattern, argument), wanted, "{pattern} {argument}");
        }
    }

    #[test]
    fn the_worst_pattern_ends_soon() {
        let pattern: Pattern = "*a**".repeat(60).parse().unwrap();
        let argument = [b'b'; 4096];
        assert!(!pattern.matches(&argument));
    }

    /// What a pattern means, said as plainly as it can be.
    fn means(pattern: &[u8], argument: &[u8]) -> bool {
        match pattern {
            [] => argument.is_empty(),
            [b'*', b'*', rest @ ..] => {
                (0..=argument.len()).any(|taken| means(rest, &argument[taken..]))
            }
            [b'*', rest @ ..] => (0..=argument.len())
                .take_while(|taken| !argument[..*taken].contains(&b'/'))
                .any(|taken| means(rest, &argument[taken..])),
            [byte, rest @ ..] => argument.first() == Some(byte) && means(rest, &argument[1..]),
        }
    }

    proptest! {
        #[test]
        fn a_pattern_matches_what_it_means(
            pattern in "[ab/*]{1,9}", argument in "[ab/]{0,9}"
        ) {
            let wanted = means(pattern.as_bytes(), argument.as_bytes());
            prop_assert_eq!(fits(&pattern, &argument), wanted);
        }
    }
}
