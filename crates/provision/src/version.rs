//! Which interpreters a program asks for: version specifiers (PEP 440), for release numbers.

use std::fmt;

/// The most clauses and the most numbers of a version that are read.
const CLAUSES_MAX: usize = 32;
const NUMBERS_MAX: usize = 8;

/// A release, such as 3.11.2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release(Vec<u64>);

impl Release {
    /// Reads numbers with dots between them. What follows them (`rc1`, `+local`) is left out.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().trim_start_matches('v');
        let end = text
            .find(|c: char| !(c.is_ascii_digit() || c == '.'))
            .unwrap_or(text.len());
        let numbers = text.get(..end)?.trim_end_matches('.').split('.');
        let numbers: Option<Vec<u64>> = numbers.map(|number| number.parse().ok()).collect();
        numbers
            .filter(|numbers| numbers.len() <= NUMBERS_MAX)
            .map(Self)
    }

    fn number(&self, place: usize) -> u64 {
        self.0.get(place).copied().unwrap_or(0)
    }

    fn compare(&self, other: &Self) -> std::cmp::Ordering {
        let places = 0..NUMBERS_MAX;
        let mut compared = places.map(|place| self.number(place).cmp(&other.number(place)));
        compared
            .find(|order| order.is_ne())
            .unwrap_or(std::cmp::Ordering::Equal)
    }

    /// Whether the first numbers are those of `other`.
    fn begins_with(&self, other: &[u64]) -> bool {
        let mut places = other.iter().enumerate();
        places.all(|(place, number)| self.number(place) == *number)
    }
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let numbers: Vec<String> = self.0.iter().map(u64::to_string).collect();
        f.write_str(&numbers.join("."))
    }
}

/// Whether a release fits specifiers such as `>=3.9,<4`; `None` where they cannot be read.
#[must_use]
pub fn fits(specifiers: &str, release: &Release) -> Option<bool> {
    let clauses: Vec<&str> = specifiers.split(',').map(str::trim).collect();
    if clauses.len() > CLAUSES_MAX {
        return None;
    }
    let clauses = clauses.into_iter().filter(|clause| !clause.is_empty());
    clauses
        .map(|clause| fits_clause(clause, release))
        .try_fold(true, |all, one| Some(all && one?))
}

fn fits_clause(clause: &str, release: &Release) -> Option<bool> {
    let operators = ["===", "==", "!=", "<=", ">=", "~=", "<", ">"];
    let (operator, version) = operators
        .into_iter()
        .find_map(|operator| Some((operator, clause.strip_prefix(operator)?.trim())))?;
    let (version, wild) = match version.strip_suffix(".*") {
        Some(version) if ["==", "!="].contains(&operator) => (version, true),
        Some(_) => return None,
        None => (version, false),
    };
    let version = Release::parse(version)?;
    let order = release.compare(&version);
    Some(match operator {
        "==" if wild => release.begins_with(&version.0),
        "!=" if wild => !release.begins_with(&version.0),
        "==" | "===" => order.is_eq(),
        "!=" => order.is_ne(),
        "<=" => order.is_le(),
        ">=" => order.is_ge(),
        "<" => order.is_lt(),
        ">" => order.is_gt(),
        _ => {
            let (_, prefix) = version.0.split_last()?;
            !prefix.is_empty() && order.is_ge() && release.begins_with(prefix)
        }
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn clauses_mean_what_the_specification_says() {
        let release = Release::parse("3.11.2").unwrap();
        for (specifiers, fitting) in [
            (">=3.9", true),
            (">=3.9,<4", true),
            (">=3.12", false),
            ("<3.11", false),
            ("<=3.11", false),
            ("<=3.11.2", true),
            ("==3.11.*", true),
            ("==3.1.*", false),
            ("!=3.11.*", false),
            ("==3.11", false),
            ("===3.11.2", true),
            ("~=3.9", true),
            ("~=3.11.0", true),
            ("~=3.10.0", false),
            (">3.11, !=3.11.1", true),
            ("", true),
        ] {
            assert_eq!(fits(specifiers, &release), Some(fitting), "{specifiers}");
        }
        for specifiers in ["3.11", ">=x", ">=3.*", "~=3", "=>3"] {
            assert_ne!(fits(specifiers, &release), Some(true), "{specifiers}");
        }
        assert_eq!(Release::parse("3.13.0rc1+x").unwrap().to_string(), "3.13.0");
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in "\\PC{0,40}") {
            let _ = fits(&text, &Release(vec![3, 11]));
            let _ = Release::parse(&text);
        }

        #[test]
        fn bounds_are_opposites(a in 0_u64..5, b in 0_u64..5, c in 0_u64..5, d in 0_u64..5) {
            let release = Release(vec![a, b]);
            let below = fits(&format!("<{c}.{d}"), &release);
            let at_least = fits(&format!(">={c}.{d}"), &release);
            prop_assert_ne!(below, at_least);
            prop_assert_eq!(at_least, Some((a, b) >= (c, d)));
        }
    }
}
