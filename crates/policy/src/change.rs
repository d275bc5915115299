//! Says what would have changed a decision: the comparisons that kept earlier rules from matching,
//! and what a request could still ask for.

use atoll_types::Level;
use cel::common::ast::{Expr, operators};
use cel::{Context, IdedExpr};

use crate::condition::{Facts, bind, holds, name_of, why};
use crate::decide::{DecisionInput, Matched, request_max};
use crate::limits::LimitKey;
use crate::policy::{Effect, Isolation, Policy, Rule};
use crate::text::join_and;

/// The most sentences; rules past that are counted in the last one.
const SENTENCES_MAX: usize = 20;

/// The name that tells kinds of program apart.
const KIND: &str = "analysis.kind";

impl Policy {
    /// Sentences that tell what would have changed the decision on this message.
    ///
    /// First one for each earlier rule, in order, with every fact that kept it from matching: all
    /// of them would have to differ. Rules for other kinds of program share one sentence. Then
    /// what the caller could still ask for.
    #[must_use]
    pub fn what_would_change(&self, input: &DecisionInput<'_>) -> Vec<String> {
        let facts = Facts(*input);
        let context = bind(&self.environment, &facts);
        let (passed, matched) = match self.matching(&context) {
            Matched::Rule(index, rule) => (index, Some(rule)),
            Matched::Broken(index, ..) => (index, None),
            Matched::None => (self.rules.len(), None),
        };
        let mut sentences = Vec::new();
        let mut other_kinds = Vec::new();
        for rule in self.rules.iter().take(passed) {
            let Some(condition) = &rule.when else {
                continue;
            };
            let expression = condition.expression();
            if needs_other_kind(expression, &context) {
                other_kinds.push(format!("`{}`", rule.id));
            } else {
                sentences.push(passed_over(rule, &why(expression, &context, input)));
            }
        }
        if sentences.len() > SENTENCES_MAX {
            let more = sentences.len() - SENTENCES_MAX;
            sentences.truncate(SENTENCES_MAX);
            sentences.push(format!("{more} more rules did not match"));
        }
        if !other_kinds.is_empty() {
            sentences.push(for_other_kinds(&other_kinds));
        }
        if let Some(Effect::Isolate(isolation)) = matched.map(|rule| &rule.effect) {
            sentences.push(self.still_to_ask(isolation));
        }
        sentences
    }

    fn still_to_ask(&self, isolation: &Isolation) -> String {
        let most = |key: LimitKey| {
            let most = key.show(request_max(self, isolation, key));
            format!("{} up to {most}", key.phrase())
        };
        let levels: Vec<String> = Level::ALL
            .into_iter()
            .filter(|level| *level > isolation.level || isolation.allow_weaker_level)
            .filter(|level| *level != isolation.level)
            .map(|level| format!("`{level}`"))
            .collect();
        let levels = match levels.as_slice() {
            [] => String::new(),
            levels => format!(", and level {}", levels.join(" or ")),
        };
        format!(
            "a request may ask for {} and {}{levels}, as far as floors allow",
            most(LimitKey::WallTime),
            most(LimitKey::Memory)
        )
    }
}

/// Whether a condition demands another kind of program: no other change would make it hold.
fn needs_other_kind(expression: &IdedExpr, context: &Context<'_, '_>) -> bool {
    let Expr::Call(call) = &expression.expr else {
        return false;
    };
    match call.args.as_slice() {
        [left, right] if call.func_name == operators::LOGICAL_AND => {
            needs_other_kind(left, context) || needs_other_kind(right, context)
        }
        [left, right] => {
            let is_kind = |side: &IdedExpr| name_of(side).is_some_and(|n| n.text == KIND);
            (is_kind(left) || is_kind(right)) && holds(expression, context) == Ok(false)
        }
        _ => false,
    }
}

fn for_other_kinds(ids: &[String]) -> String {
    let shown = ids.get(..SENTENCES_MAX).unwrap_or(ids);
    match (shown, ids.len() - shown.len()) {
        ([only], _) => format!("rule {only} is for other kinds of program"),
        (several, 0) => format!("rules {} are for other kinds of program", join_and(several)),
        (several, more) => format!(
            "rules {} and {more} more are for other kinds of program",
            several.join(", ")
        ),
    }
}

fn passed_over(rule: &Rule, facts: &[String]) -> String {
    let facts = if facts.is_empty() {
        "its condition does not hold".to_owned()
    } else {
        facts.join(" and ")
    };
    format!(
        "{facts}; otherwise rule `{}` would decide: {}",
        rule.id, rule.effect
    )
}

#[cfg(test)]
mod tests;
