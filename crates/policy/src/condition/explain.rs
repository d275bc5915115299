//! Says in plain words why a condition holds or does not: which comparisons decided it.

use cel::common::ast::{CallExpr, Expr, LiteralValue, operators};
use cel::{Context, IdedExpr};

use super::holds;
use super::render::{name_of, render, symbol};
use crate::DecisionInput;
use crate::facts::{Fact, Kind, Name, Unit};
use crate::text::{duration_us, fraction, size_bytes};

/// The most facts that one explanation lists.
const FACTS_MAX: usize = 6;

/// The facts that make an expression hold, or not hold, as it does for this message. Empty only
/// when the expression cannot be evaluated.
pub(crate) fn why(
    expression: &IdedExpr,
    context: &Context<'_, '_>,
    input: &DecisionInput<'_>,
) -> Vec<String> {
    let mut facts = Vec::new();
    if let Ok(outcome) = holds(expression, context) {
        Explainer { context, input }.explain(expression, outcome, &mut facts);
    }
    facts.dedup();
    facts.truncate(FACTS_MAX);
    facts
}

struct Explainer<'c, 'i> {
    context: &'c Context<'c, 'c>,
    input: &'c DecisionInput<'i>,
}

impl Explainer<'_, '_> {
    /// Adds the facts by which `expression` came out as `outcome`.
    fn explain(&self, expression: &IdedExpr, outcome: bool, facts: &mut Vec<String>) {
        let Expr::Call(call) = &expression.expr else {
            facts.push(plain(expression, outcome));
            return;
        };
        match (call.func_name.as_str(), call.args.as_slice()) {
            (operators::LOGICAL_NOT, [inner]) => self.explain(inner, !outcome, facts),
            (operators::LOGICAL_AND, [left, right]) => {
                self.explain_pair(left, right, outcome, true, facts);
            }
            (operators::LOGICAL_OR, [left, right]) => {
                self.explain_pair(left, right, outcome, false, facts);
            }
            _ => facts.push(
                self.comparison(call, outcome)
                    .unwrap_or_else(|| plain(expression, outcome)),
            ),
        }
    }

    /// For `&&` (`needs_all`) that holds, both sides are the reason; where it does not hold, each
    /// side that does not. For `||` that holds, one side is reason enough.
    fn explain_pair(
        &self,
        left: &IdedExpr,
        right: &IdedExpr,
        outcome: bool,
        needs_all: bool,
        facts: &mut Vec<String>,
    ) {
        let deciding: Vec<&IdedExpr> = [left, right]
            .into_iter()
            .filter(|side| holds(side, self.context) == Ok(outcome))
            .collect();
        let all = if needs_all || !outcome {
            deciding.as_slice()
        } else {
            deciding.get(..1).unwrap_or_default()
        };
        for side in all {
            self.explain(side, outcome, facts);
        }
    }

    /// A sentence for a comparison of a known name with a literal.
    fn comparison(&self, call: &CallExpr, outcome: bool) -> Option<String> {
        let [left, right] = call.args.as_slice() else {
            return None;
        };
        let symbol = symbol(&call.func_name)?;
        if symbol == "in" {
            return self.membership(left, right, outcome);
        }
        let (name, literal, symbol) = match (name_of(left), name_of(right)) {
            (Some(name), None) => (name, right, symbol),
            (None, Some(name)) => (name, left, mirrored(symbol)),
            _ => return None,
        };
        if let (Fact::Flag(flag), Kind::Flag(negative)) = (name.value(self.input), name.kind) {
            return Some(if flag { name.phrase } else { negative }.to_owned());
        }
        let bound = literal_text(name, literal)?;
        let value = self.value_text(name)?;
        let phrase = name.phrase;
        let relation = match (symbol, outcome) {
            ("==", true) | ("!=", false) => return Some(format!("{phrase} is {value}")),
            ("==", false) | ("!=", true) => "not",
            (">=", true) | ("<", false) => "at least",
            (">=", false) | ("<", true) => "below",
            (">", true) | ("<=", false) => "above",
            (">", false) | ("<=", true) => "not above",
            _ => return None,
        };
        Some(format!("{phrase} is {value}, {relation} {bound}"))
    }

    fn membership(&self, left: &IdedExpr, right: &IdedExpr, outcome: bool) -> Option<String> {
        if let (Some(list), Expr::Literal(LiteralValue::String(text))) =
            (name_of(right), &left.expr)
        {
            let has = if outcome { "include" } else { "do not include" };
            let text = text.inner().escape_debug();
            return Some(format!("{} {has} `{text}`", list.phrase));
        }
        let name = name_of(left)?;
        let value = self.value_text(name)?;
        let Expr::List(list) = &right.expr else {
            return None;
        };
        if outcome {
            return Some(format!("{} is {value}", name.phrase));
        }
        let others: Option<Vec<String>> = list
            .elements
            .iter()
            .map(|element| literal_text(name, element))
            .collect();
        let others = others?.join(", ");
        Some(format!("{} is {value}, none of {others}", name.phrase))
    }

    fn value_text(&self, name: &Name) -> Option<String> {
        match (name.value(self.input), name.kind) {
            (Fact::Whole(whole), Kind::Whole(unit, _)) => Some(whole_text(whole, unit)),
            (Fact::Number(number), _) => Some(fraction(number)),
            (Fact::Text(text), _) => Some(text_text(text)),
            (Fact::Flag(flag), _) => Some(flag.to_string()),
            _ => None,
        }
    }
}

/// What holds, or does not, said with the expression itself or the phrase of its name.
fn plain(expression: &IdedExpr, outcome: bool) -> String {
    match name_of(expression).map(|name| (name.phrase, name.kind)) {
        Some((phrase, _)) if outcome => phrase.to_owned(),
        Some((_, Kind::Flag(negative))) => negative.to_owned(),
        _ => format!("`{}` is {outcome}", render(expression)),
    }
}

/// The operator that says the same with its sides swapped.
fn mirrored(symbol: &'static str) -> &'static str {
    match symbol {
        "<" => ">",
        "<=" => ">=",
        ">" => "<",
        ">=" => "<=",
        same => same,
    }
}

/// A literal in the unit of the name it is compared with.
fn literal_text(name: &Name, literal: &IdedExpr) -> Option<String> {
    let Expr::Literal(literal) = &literal.expr else {
        return None;
    };
    match literal {
        LiteralValue::Int(whole) => match (name.kind, u64::try_from(*whole.inner())) {
            (Kind::Whole(unit, _), Ok(whole)) => Some(whole_text(whole, unit)),
            _ => Some(whole.inner().to_string()),
        },
        LiteralValue::Double(number) => Some(fraction(*number.inner())),
        LiteralValue::String(text) => Some(text_text(text.inner())),
        LiteralValue::Boolean(flag) => Some(flag.inner().to_string()),
        _ => None,
    }
}

fn text_text(text: &str) -> String {
    match text {
        "" => "nothing".to_owned(),
        text => format!("`{}`", text.escape_debug()),
    }
}

fn whole_text(whole: u64, unit: Unit) -> String {
    match unit {
        Unit::Count => whole.to_string(),
        Unit::Bytes => size_bytes(whole),
        Unit::Microseconds => duration_us(whole),
    }
}
