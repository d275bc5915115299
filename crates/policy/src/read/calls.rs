//! Rules for calls in a policy file: a list of texts, each in the language of `atoll_types::calls`.

use atoll_types::calls::{CALL_RULES_MAX, CallRule};
use toml::de::DeValue;

use super::section::{Section, at, wrong};
use crate::diagnostic::Findings;

/// The key for rules for calls.
pub(super) const CALLS: &str = "calls";

/// The rules under the key; none when it is absent.
pub(super) fn calls(findings: &mut Findings<'_>, section: &Section<'_, '_>) -> Vec<CallRule> {
    let Some(value) = section.get(CALLS) else {
        return Vec::new();
    };
    let DeValue::Array(texts) = value.get_ref() else {
        return wrong(findings, value, CALLS, "a list of rules").unwrap_or_default();
    };
    if texts.len() > CALL_RULES_MAX {
        let message = format!(
            "there are {} rules for calls; at most {CALL_RULES_MAX}",
            texts.len()
        );
        findings.error(at(value), message, None);
        return Vec::new();
    }
    let mut rules = Vec::with_capacity(texts.len());
    for value in texts.iter() {
        let DeValue::String(text) = value.get_ref() else {
            let _: Option<()> = wrong(findings, value, "a rule for calls", "a text");
            continue;
        };
        match text.parse::<CallRule>() {
            Ok(rule) => rules.push(rule),
            Err(error) => {
                let help = "a rule looks like this: \"deny=EACCES file.open /etc/**\"";
                findings.error(at(value), error.to_string(), Some(help.to_owned()));
            }
        }
    }
    rules
}
