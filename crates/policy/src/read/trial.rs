//! Reads when programs are tried on part of their input first.

use super::condition;
use super::section::{Section, at, parsed};
use crate::diagnostic::Findings;
use crate::policy::Trial;
use crate::text::parse_duration_ms;

/// The longest time for trials. A program that takes longer to judge is better run.
const BUDGET_MS_MAX: u64 = 60_000;

/// The time for trials when nothing else is said.
const BUDGET_MS: u64 = 300;

/// Reads `trial`; `None` where the policy has none.
pub(super) fn trial(findings: &mut Findings<'_>, root: &Section<'_, '_>) -> Option<Trial> {
    let section = root.section(findings, "trial", &["when", "budget"])?;
    let (when, _, is_broken) = condition(findings, &section);
    let budget_ms = match section.get("budget") {
        None => Some(BUDGET_MS),
        Some(_) => budget(findings, &section),
    };
    let trial = Trial {
        when,
        budget_ms: budget_ms?,
    };
    (!is_broken).then_some(trial)
}

fn budget(findings: &mut Findings<'_>, section: &Section<'_, '_>) -> Option<u64> {
    let value = section.get("budget")?;
    let (text, _) = section.text(findings, "budget")?;
    let budget = parsed(findings, value, parse_duration_ms(text))?;
    if (1..=BUDGET_MS_MAX).contains(&budget) {
        return Some(budget);
    }
    let message = format!("`budget` must be from 1ms to {}s", BUDGET_MS_MAX / 1000);
    findings.error(at(value), message, None);
    None
}
