//! Names: which distribution a module comes from, and which names look like mistakes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use crate::Language;
use crate::requirement::normalize;

const IMPORTS: &str = include_str!("../data/imports.txt");
const PYTHON: &str = include_str!("../data/popular-python.txt");
const JAVASCRIPT: &str = include_str!("../data/popular-javascript.txt");

/// Names below this length have too many neighbours for one letter to tell anything.
const ONE_EDIT_LENGTH_MIN: usize = 5;

/// The same for two letters.
const TWO_EDITS_LENGTH_MIN: usize = 8;

/// Longer names are nobody's.
const LENGTH_MAX: usize = 214;

/// The distribution of a module of Python.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Distribution {
    /// Its name, normalized (PEP 503).
    pub name: String,
    /// Whether that is only the module's own name, because no table has it.
    pub guessed: bool,
}

fn table() -> &'static BTreeMap<&'static str, &'static str> {
    static TABLE: OnceLock<BTreeMap<&str, &str>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let rows = IMPORTS.lines().filter(|line| !line.starts_with('#'));
        rows.filter_map(|row| row.split_once(' ')).collect()
    })
}

/// The distribution that has a top-level module.
#[must_use]
pub fn distribution_of(module: &str) -> Distribution {
    if let Some(name) = table().get(module) {
        return Distribution {
            name: (*name).to_owned(),
            guessed: false,
        };
    }
    let name = normalize(module);
    Distribution {
        guessed: !popular(Language::Python).contains(name.as_str()),
        name,
    }
}

fn popular(language: Language) -> &'static BTreeSet<&'static str> {
    static LISTS: [OnceLock<BTreeSet<&str>>; 2] = [OnceLock::new(), OnceLock::new()];
    let [python, javascript] = &LISTS;
    let (list, text) = match language {
        Language::Python => (python, PYTHON),
        Language::JavaScript => (javascript, JAVASCRIPT),
    };
    list.get_or_init(|| {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let listed = lines.flat_map(str::split_whitespace);
        match language {
            // Nobody may be sent from the table of modules into a warning.
            Language::Python => listed.chain(table().values().copied()).collect(),
            Language::JavaScript => listed.collect(),
        }
    })
}

/// The well-known name that a name is nearly: the same but for separators, one letter too many,
/// too few, another or exchanged with its neighbour, or two such in a long name. `None` for names
/// that are well-known themselves, and for those of a scope.
#[must_use]
pub fn resembles(language: Language, name: &str) -> Option<&'static str> {
    let known = popular(language);
    if known.contains(name) || name.len() > LENGTH_MAX || name.starts_with('@') {
        return None;
    }
    let bare = without_separators(name);
    let distance = |other: &str| match name.len().abs_diff(other.len()) {
        0..=2 => strsim::osa_distance(name, other),
        _ => usize::MAX,
    };
    let nearest = known
        .iter()
        .filter_map(|other| {
            let length = name.len().min(other.len());
            if bare == without_separators(other) {
                return Some((0, *other));
            }
            match distance(other) {
                1 if length >= ONE_EDIT_LENGTH_MIN => Some((1, *other)),
                2 if length >= TWO_EDITS_LENGTH_MIN => Some((2, *other)),
                _ => None,
            }
        })
        .min();
    nearest.map(|(_, other)| other)
}

fn without_separators(name: &str) -> String {
    name.replace(['-', '_', '.'], "").to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn modules_have_their_distributions() {
        for (module, name, guessed) in [
            ("PIL", "pillow", false),
            ("yaml", "pyyaml", false),
            ("sklearn", "scikit-learn", false),
            ("bs4", "beautifulsoup4", false),
            ("dateutil", "python-dateutil", false),
            ("requests", "requests", false),
            ("my_own_module", "my-own-module", true),
        ] {
            let name = name.to_owned();
            assert_eq!(distribution_of(module), Distribution { name, guessed });
        }
    }

    #[test]
    fn the_tables_are_well_formed() {
        let rows: Vec<_> = IMPORTS
            .lines()
            .filter(|row| !row.starts_with('#'))
            .collect();
        assert!(rows.len() > 100);
        for row in rows {
            let (_, name) = row.split_once(' ').unwrap();
            assert_eq!(normalize(name), name);
            assert_eq!(resembles(Language::Python, name), None, "{name}");
        }
        for name in popular(Language::Python) {
            assert_eq!(normalize(name), *name);
        }
        assert!(popular(Language::Python).len() > 500);
        assert!(popular(Language::JavaScript).len() > 400);
    }

    #[test]
    fn near_names_are_noticed_and_others_are_not() {
        use Language::{JavaScript, Python};
        for (language, name, known) in [
            (Python, "reqeusts", Some("requests")),
            (Python, "request", Some("requests")),
            (Python, "numpyy", Some("numpy")),
            (Python, "scikitlearn", Some("scikit-learn")),
            (Python, "python-dateutils", Some("python-dateutil")),
            (Python, "tensorfolw", Some("tensorflow")),
            (Python, "requests", None),
            (Python, "six", None),
            (Python, "pyaml", None),
            (Python, "atoll-has-no-such-package", None),
            (JavaScript, "expresss", Some("express")),
            (JavaScript, "leftpad", Some("left-pad")),
            (JavaScript, "crossenv", Some("cross-env")),
            (JavaScript, "@scope/expresss", None),
            (JavaScript, "is-odd", None),
        ] {
            assert_eq!(resembles(language, name), known, "{name}");
        }
    }

    proptest! {
        #[test]
        fn any_name_is_compared_without_a_panic(name in "\\PC{0,60}") {
            let _ = resembles(Language::Python, &name);
            let _ = distribution_of(&name);
        }

        #[test]
        fn one_exchange_in_a_long_name_is_always_noticed(
            place in 0_usize..7,
            name in prop::sample::select(vec!["requests", "tensorflow", "beautifulsoup4"]),
        ) {
            let mut letters: Vec<char> = name.chars().collect();
            letters.swap(place, place + 1);
            let near: String = letters.into_iter().collect();
            prop_assume!(near != name);
            prop_assert!(resembles(Language::Python, &near).is_some());
        }
    }
}
