//! Reads which packages may be installed.

use std::collections::BTreeSet;

use toml::de::DeValue;

use super::section::{Section, at, wrong};
use crate::diagnostic::Findings;
use crate::packages::{AllowedPackages, Packages};

/// The most names in one list, and the longest name.
const NAMES_MAX: usize = 10_000;
const NAME_BYTES_MAX: usize = 214;

/// Reads `packages` of the policy or of a tenant; `None` where there is none.
pub(super) fn packages(findings: &mut Findings<'_>, parent: &Section<'_, '_>) -> Option<Packages> {
    const KEYS: [&str; 3] = ["allowed", "denied", "meant"];
    let section = parent.section(findings, "packages", &KEYS)?;
    Some(Packages {
        allowed: allowed(findings, &section),
        denied: names(findings, &section, "denied").unwrap_or_default(),
        meant: names(findings, &section, "meant").unwrap_or_default(),
    })
}

fn allowed(findings: &mut Findings<'_>, section: &Section<'_, '_>) -> AllowedPackages {
    let Some(value) = section.get("allowed") else {
        let help = "write allowed = \"any\", \"none\", or a list of names".to_owned();
        findings.error(section.at, "this says no `allowed` packages", Some(help));
        return AllowedPackages::None;
    };
    if matches!(value.get_ref(), DeValue::String(_)) {
        let choices = [
            ("any", AllowedPackages::Any),
            ("none", AllowedPackages::None),
        ];
        let chosen = section.choice(findings, "allowed", &choices);
        return chosen.unwrap_or(AllowedPackages::None);
    }
    names(findings, section, "allowed").map_or(AllowedPackages::None, AllowedPackages::These)
}

fn names(
    findings: &mut Findings<'_>,
    section: &Section<'_, '_>,
    key: &str,
) -> Option<BTreeSet<String>> {
    let value = section.get(key)?;
    let DeValue::Array(array) = value.get_ref() else {
        return wrong(findings, value, key, "a list of names");
    };
    if array.len() > NAMES_MAX {
        findings.error(
            at(value),
            format!("`{key}` has more than {NAMES_MAX} names"),
            None,
        );
        return None;
    }
    let mut names = BTreeSet::new();
    for value in array.iter() {
        match value.get_ref() {
            DeValue::String(name) if !name.is_empty() && name.len() <= NAME_BYTES_MAX => {
                names.insert(name.to_string());
            }
            _ => {
                let message = format!("`{key}` has a name that no package can have");
                findings.error(at(value), message, None);
            }
        }
    }
    Some(names)
}
