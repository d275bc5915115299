//! Variables: which come from outside of the script, and what some names mean.

use std::collections::HashSet;

use atoll_types::Capability::{
    self, DynamicCode, Environment, NativeCode, Randomness, SystemInformation, Time,
};

use crate::findings::Findings;

/// Names that are remembered.
const NAMES_MAX: usize = 20_000;

/// The variables of a script.
#[derive(Debug, Default)]
pub(super) struct Variables {
    assigned: HashSet<String>,
    used: HashSet<String>,
}

impl Variables {
    /// Notes that a variable gets a value.
    pub(super) fn assign(&mut self, name: &str, findings: &mut Findings) {
        if let Some(capability) = assignment(name) {
            findings.capability(capability);
        }
        if self.assigned.len() < NAMES_MAX {
            self.assigned.insert(name.to_owned());
        }
    }

    /// Notes that the value of a variable is used.
    pub(super) fn use_value(&mut self, name: &str) {
        if self.used.len() < NAMES_MAX {
            self.used.insert(name.to_owned());
        }
    }

    /// Judges the variables when the whole script has been read.
    pub(super) fn judge(&self, findings: &mut Findings) {
        for name in self.used.difference(&self.assigned) {
            if let Some(capability) = meaning(name) {
                findings.capability(capability);
            }
        }
    }
}

/// What setting a variable does beyond giving it a value.
fn assignment(name: &str) -> Option<Capability> {
    match name {
        "LD_PRELOAD" | "LD_LIBRARY_PATH" | "LD_AUDIT" => Some(NativeCode),
        "BASH_ENV" | "ENV" | "PROMPT_COMMAND" | "PS4" => Some(DynamicCode),
        _ => None,
    }
}

/// What it takes to know the value of a variable that the script does not set.
fn meaning(name: &str) -> Option<Capability> {
    let is_positional =
        name.starts_with(|first: char| !first.is_ascii_alphabetic() && first != '_');
    match name {
        _ if is_positional => None,
        "RANDOM" | "SRANDOM" => Some(Randomness),
        "SECONDS" | "EPOCHSECONDS" | "EPOCHREALTIME" => Some(Time),
        "UID" | "EUID" | "GROUPS" | "HOSTNAME" | "HOSTTYPE" | "MACHTYPE" | "OSTYPE" | "PPID" => {
            Some(SystemInformation)
        }
        // Set by the shell itself.
        "_" | "BASH" | "BASHPID" | "BASH_REMATCH" | "BASH_SOURCE" | "BASH_VERSION" | "COLUMNS"
        | "BASH_LINENO" | "BASH_SUBSHELL" | "BASH_COMMAND" | "DIRSTACK" | "FUNCNAME" | "IFS"
        | "LINENO" | "LINES" | "OLDPWD" | "OPTARG" | "OPTERR" | "OPTIND" | "PIPESTATUS" | "PWD"
        | "REPLY" | "SHLVL" => None,
        _ => Some(Environment),
    }
}
