//! Security flags: capabilities, and combinations of capabilities, that deserve attention.
//!
//! A capability alone is rarely harmful; what makes a program dangerous is usually a pair, such as
//! reading files and having a network. Flags inform people and policy rules. They are hints from
//! the program's text, never a boundary: the sandbox holds whether or not a flag was raised.

use std::collections::BTreeSet;

use atoll_types::{Capability, SecurityFlag};

/// One flag: raised when the program has all of the capabilities.
struct Rule {
    name: &'static str,
    needs: &'static [Capability],
    because: &'static str,
}

use Capability::{
    DynamicCode, Environment, FilesRead, FilesWrite, Introspection, NativeCode, Network, Processes,
    SystemChange, Unanalyzed, UnsafeDeserialization,
};

/// Every flag, single capabilities first. Names are stable: policy files use them.
const RULES: [Rule; 15] = [
    Rule {
        name: "network",
        needs: &[Network],
        because: "it can send and fetch data over a network",
    },
    Rule {
        name: "processes",
        needs: &[Processes],
        because: "it can start other programs, which analysis has not seen",
    },
    Rule {
        name: "dynamic-code",
        needs: &[DynamicCode],
        because: "it can build code at run time, which analysis cannot see",
    },
    Rule {
        name: "native-code",
        needs: &[NativeCode],
        because: "it can run machine code, which no language keeps in bounds",
    },
    Rule {
        name: "system-change",
        needs: &[SystemChange],
        because: "it tries to change the system it runs on",
    },
    Rule {
        name: "unsafe-deserialization",
        needs: &[UnsafeDeserialization],
        because: "it reads data in a form that can carry code",
    },
    Rule {
        name: "introspection",
        needs: &[Introspection],
        because: "it looks into or rewrites the program while it runs",
    },
    Rule {
        name: "unanalyzed",
        needs: &[Unanalyzed],
        because: "part of it could not be understood, so it may do anything",
    },
    Rule {
        name: "network-and-files-read",
        needs: &[Network, FilesRead],
        because: "it could read files and send them away",
    },
    Rule {
        name: "network-and-environment",
        needs: &[Network, Environment],
        because: "it could read secrets from environment variables and send them away",
    },
    Rule {
        name: "network-and-dynamic-code",
        needs: &[Network, DynamicCode],
        because: "it could download code and run it",
    },
    Rule {
        name: "network-and-unsafe-deserialization",
        needs: &[Network, UnsafeDeserialization],
        because: "whoever answers it over the network could run code in it",
    },
    Rule {
        name: "processes-and-files-write",
        needs: &[Processes, FilesWrite],
        because: "it could write a program and start it",
    },
    Rule {
        name: "native-code-and-dynamic-code",
        needs: &[NativeCode, DynamicCode],
        because: "it could build machine code and run it",
    },
    Rule {
        name: "introspection-and-dynamic-code",
        needs: &[Introspection, DynamicCode],
        because: "it has the shape of an attempt to break out of a language sandbox",
    },
];

/// The flags that a set of capabilities raises, in the order of the documentation.
pub(crate) fn security_flags(capabilities: &BTreeSet<Capability>) -> Vec<SecurityFlag> {
    RULES
        .iter()
        .filter(|rule| rule.needs.iter().all(|need| capabilities.contains(need)))
        .map(|rule| SecurityFlag {
            name: rule.name.to_owned(),
            capabilities: rule.needs.iter().copied().collect(),
            because: rule.because.to_owned(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_say_what_they_need() {
        let names: BTreeSet<&str> = RULES.iter().map(|rule| rule.name).collect();
        assert_eq!(names.len(), RULES.len());
        for rule in &RULES {
            let spelled: Vec<&str> = rule.needs.iter().map(|need| need.name()).collect();
            assert_eq!(rule.name, spelled.join("-and-"));
        }
    }

    #[test]
    fn a_harmless_program_raises_no_flag() {
        let harmless = BTreeSet::from([FilesRead, Capability::Time, Capability::Randomness]);
        assert_eq!(security_flags(&harmless), []);
    }

    #[test]
    fn a_pair_raises_both_singles_and_the_combination() {
        let names: Vec<String> = security_flags(&BTreeSet::from([FilesRead, Network]))
            .into_iter()
            .map(|flag| flag.name)
            .collect();
        assert_eq!(names, ["network", "network-and-files-read"]);
    }

    #[test]
    fn every_flag_is_documented() {
        let text = include_str!("../../../docs/policy.md");
        for rule in &RULES {
            assert!(text.contains(&format!("`{}`", rule.name)), "{}", rule.name);
        }
    }

    #[test]
    fn every_dangerous_pair_is_covered() {
        let all: BTreeSet<Capability> = Capability::ALL.into_iter().collect();
        assert_eq!(security_flags(&all).len(), RULES.len());
    }
}
