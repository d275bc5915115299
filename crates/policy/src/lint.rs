//! Finds rules that can never match.
//!
//! Each condition is rewritten as a union of [`boxes`]: sets of facts that bound each name by
//! itself. A condition without boxes never holds. A rule whose every box lies inside a box of an
//! earlier rule never gets its turn. Both findings are certain; not every dead rule is found, since
//! a box may be covered by several earlier ones together, or by arithmetic that boxes do not model.

mod boxes;
#[cfg(test)]
mod tests;

use crate::diagnostic::Findings;
use crate::policy::{Policy, Rule};
use boxes::{Region, regions};

/// A rule that has been looked at, with what it covers.
struct Seen<'p> {
    rule: &'p Rule,
    regions: Vec<Region>,
}

/// Adds warnings for rules that can never match, and for messages that no rule may match.
pub(crate) fn lint(policy: &Policy, findings: &mut Findings<'_>) {
    let mut seen: Vec<Seen<'_>> = Vec::new();
    for rule in &policy.rules {
        let Some(regions) = rule_regions(rule, policy) else {
            continue;
        };
        if regions.is_empty() {
            let message = format!(
                "rule `{}` can never match: its condition is always false",
                rule.id
            );
            findings.warning(rule.when_at, message, None);
            continue;
        }
        let hidden_by = hiding(&regions, &seen);
        if !hidden_by.is_empty() {
            let message = format!("rule `{}` can never match", rule.id);
            let help = hidden_help(rule, &hidden_by, findings);
            findings.warning(rule.at, message, Some(help));
        }
        seen.push(Seen { rule, regions });
    }
    let has_last_resort = seen
        .iter()
        .any(|seen| seen.regions.iter().any(Region::is_everything));
    if let Some(last) = policy.rules.last().filter(|_| !has_last_resort) {
        let help = "end with a rule without `when`, to say what happens to everything else";
        let message = "a message that matches no rule is refused";
        findings.warning(last.at, message, Some(help.to_owned()));
    }
}

/// What a rule covers; `None` when that is too much to write out.
fn rule_regions(rule: &Rule, policy: &Policy) -> Option<Vec<Region>> {
    match &rule.when {
        None => Some(vec![Region::everything()]),
        Some(condition) => regions(condition.expression(), &policy.environment),
    }
}

/// The earlier rules that together take every message these regions describe; empty when some
/// message may be left.
fn hiding<'p>(regions: &[Region], seen: &[Seen<'p>]) -> Vec<&'p Rule> {
    let mut hiding: Vec<&Rule> = Vec::new();
    for region in regions {
        let earlier = seen
            .iter()
            .find(|seen| seen.regions.iter().any(|other| region.is_inside(other)));
        match earlier {
            Some(seen) if hiding.iter().any(|rule| rule.id == seen.rule.id) => {}
            Some(seen) => hiding.push(seen.rule),
            None => return Vec::new(),
        }
    }
    hiding
}

fn hidden_help(rule: &Rule, hidden_by: &[&Rule], findings: &Findings<'_>) -> String {
    let source = |rule: &Rule| rule.when.as_ref().map(|when| when.source().to_owned());
    let [only] = hidden_by else {
        let ids: Vec<String> = hidden_by
            .iter()
            .map(|rule| format!("`{}`", rule.id))
            .collect();
        let ids = crate::text::join_and(&ids);
        return format!("rules {ids} above it take every message it would match");
    };
    let place = format!("rule `{}` on line {}", only.id, findings.line(only.at));
    if only.when.is_none() {
        format!("{place} matches every message")
    } else if source(only) == source(rule) {
        format!("{place} has the same condition")
    } else {
        format!("{place} takes every message it would match")
    }
}
