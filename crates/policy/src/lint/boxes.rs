//! Conditions as unions of boxes: each box bounds some names independently of the others.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use cel::common::ast::{CallExpr, Expr, LiteralValue, operators};
use cel::{Context, Env, IdedExpr};

use crate::condition::{holds, name_of, render};
use crate::facts::{Kind, Name};

/// Conditions with more boxes than this are left alone.
const REGIONS_MAX: usize = 32;

/// One box. A name without a bound may have any value.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Region {
    bounds: BTreeMap<Subject, Bound>,
}

/// What a bound is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Subject {
    /// The value of a name.
    Value(&'static str),
    /// Whether a list has a member.
    Member(&'static str, String),
    /// Whether some other expression holds; its canonical text.
    Other(String),
}

/// What is left of the values of a subject.
#[derive(Debug, Clone, PartialEq)]
enum Bound {
    /// Numbers between two ends.
    Between(End, End),
    /// One of these texts.
    OneOf(BTreeSet<String>),
    /// None of these texts.
    NoneOf(BTreeSet<String>),
    /// True, or false.
    Is(bool),
}

/// One end of a range: the value, and whether it belongs to the range.
#[derive(Debug, Clone, Copy, PartialEq)]
struct End {
    value: f64,
    included: bool,
}

impl Region {
    pub(super) fn everything() -> Self {
        Self {
            bounds: BTreeMap::new(),
        }
    }

    fn of(subject: Subject, bound: Bound) -> Self {
        Self {
            bounds: BTreeMap::from([(subject, bound)]),
        }
    }

    pub(super) fn is_everything(&self) -> bool {
        self.bounds.is_empty()
    }

    /// Whether every message in this box is also in the other one.
    pub(super) fn is_inside(&self, other: &Self) -> bool {
        other.bounds.iter().all(|(subject, wide)| {
            let narrow = self.bounds.get(subject);
            narrow.is_some_and(|narrow| narrow.implies(wide))
        })
    }

    /// What both boxes have in common; `None` when that is nothing.
    fn and(&self, other: &Self) -> Option<Self> {
        let mut both = self.clone();
        for (subject, bound) in &other.bounds {
            let bound = match both.bounds.get(subject) {
                Some(own) => own.and(bound)?,
                None => bound.clone(),
            };
            both.bounds.insert(subject.clone(), bound);
        }
        Some(both)
    }
}

impl Bound {
    fn implies(&self, wide: &Self) -> bool {
        match (self, wide) {
            (Self::Between(low, high), Self::Between(wide_low, wide_high)) => {
                let from_above = low.value > wide_low.value
                    || (low.value == wide_low.value && (wide_low.included || !low.included));
                let from_below = high.value < wide_high.value
                    || (high.value == wide_high.value && (wide_high.included || !high.included));
                from_above && from_below
            }
            (Self::OneOf(texts), Self::OneOf(wide)) => texts.is_subset(wide),
            (Self::OneOf(texts), Self::NoneOf(excluded)) => texts.is_disjoint(excluded),
            (Self::NoneOf(excluded), Self::NoneOf(wide)) => wide.is_subset(excluded),
            (Self::Is(flag), Self::Is(wide)) => flag == wide,
            _ => false,
        }
    }

    /// Both bounds at once; `None` when no value fits both.
    fn and(&self, other: &Self) -> Option<Self> {
        match (self, other) {
            (Self::Between(low, high), Self::Between(other_low, other_high)) => {
                let low = if low.is_tighter_low(*other_low) {
                    low
                } else {
                    other_low
                };
                let high = if high.is_tighter_high(*other_high) {
                    high
                } else {
                    other_high
                };
                between(*low, *high)
            }
            (Self::OneOf(one), Self::OneOf(other)) => {
                one_of(one.intersection(other).cloned().collect())
            }
            (Self::OneOf(one), Self::NoneOf(excluded))
            | (Self::NoneOf(excluded), Self::OneOf(one)) => {
                one_of(one.difference(excluded).cloned().collect())
            }
            (Self::NoneOf(one), Self::NoneOf(other)) => {
                Some(Self::NoneOf(one.union(other).cloned().collect()))
            }
            (Self::Is(one), Self::Is(other)) if one != other => None,
            (own, _) => Some(own.clone()),
        }
    }
}

impl End {
    fn is_tighter_low(self, other: Self) -> bool {
        self.value > other.value || (self.value == other.value && !self.included)
    }

    fn is_tighter_high(self, other: Self) -> bool {
        self.value < other.value || (self.value == other.value && !self.included)
    }
}

fn between(low: End, high: End) -> Option<Bound> {
    let is_empty =
        low.value > high.value || (low.value == high.value && !(low.included && high.included));
    (!is_empty).then_some(Bound::Between(low, high))
}

fn one_of(texts: BTreeSet<String>) -> Option<Bound> {
    (!texts.is_empty()).then_some(Bound::OneOf(texts))
}

/// The boxes in which an expression holds; `None` when there are too many to write out.
pub(super) fn regions(expression: &IdedExpr, environment: &Arc<Env>) -> Option<Vec<Region>> {
    Boxing { environment }.regions(expression, true)
}

struct Boxing<'e> {
    environment: &'e Arc<Env>,
}

impl Boxing<'_> {
    /// The boxes in which an expression comes out as `outcome`.
    fn regions(&self, expression: &IdedExpr, outcome: bool) -> Option<Vec<Region>> {
        if let Some(constant) = self.constant(expression) {
            let everywhere = vec![Region::everything()];
            return Some(if constant == outcome {
                everywhere
            } else {
                Vec::new()
            });
        }
        let Expr::Call(call) = &expression.expr else {
            return Some(flag(expression, outcome));
        };
        match (call.func_name.as_str(), call.args.as_slice()) {
            (operators::LOGICAL_NOT, [inner]) => self.regions(inner, !outcome),
            (operators::LOGICAL_AND | operators::LOGICAL_OR, [left, right]) => {
                let is_and = call.func_name == operators::LOGICAL_AND;
                let left = self.regions(left, outcome)?;
                let right = self.regions(right, outcome)?;
                let union = is_and != outcome;
                let all: Vec<Region> = if union {
                    left.into_iter().chain(right).collect()
                } else {
                    let pairs = left.iter().flat_map(|l| right.iter().map(move |r| (l, r)));
                    pairs.filter_map(|(l, r)| l.and(r)).collect()
                };
                (all.len() <= REGIONS_MAX).then_some(all)
            }
            _ => Some(comparison(call, outcome).unwrap_or_else(|| flag(expression, outcome))),
        }
    }

    /// The value of an expression that refers to no name.
    fn constant(&self, expression: &IdedExpr) -> Option<bool> {
        if has_names(expression) {
            return None;
        }
        holds(expression, &Context::with_env(Arc::clone(self.environment))).ok()
    }
}

fn has_names(expression: &IdedExpr) -> bool {
    match &expression.expr {
        Expr::Ident(_) | Expr::Select(_) => true,
        Expr::List(list) => list.elements.iter().any(has_names),
        Expr::Call(call) => {
            call.target.as_deref().is_some_and(has_names) || call.args.iter().any(has_names)
        }
        _ => false,
    }
}

/// A true-or-false name, or an expression that boxes do not model any further.
fn flag(expression: &IdedExpr, outcome: bool) -> Vec<Region> {
    let subject = match name_of(expression) {
        Some(name) => Subject::Value(name.text),
        None => Subject::Other(render(expression)),
    };
    vec![Region::of(subject, Bound::Is(outcome))]
}

/// The boxes of a comparison between a known name and literals; `None` when it is something else.
fn comparison(call: &CallExpr, outcome: bool) -> Option<Vec<Region>> {
    let [left, right] = call.args.as_slice() else {
        return None;
    };
    let operator = call.func_name.as_str();
    if operator == operators::IN {
        return membership(left, right, outcome);
    }
    let (name, literal, operator) = match (name_of(left), name_of(right)) {
        (Some(name), None) => (name, right, operator),
        (None, Some(name)) => (name, left, mirrored(operator)),
        _ => return None,
    };
    let operator = if outcome {
        operator
    } else {
        negated(operator)?
    };
    let Expr::Literal(literal) = &literal.expr else {
        return None;
    };
    match literal {
        LiteralValue::Int(whole) => numeric(name, operator, *whole.inner() as f64),
        LiteralValue::Double(number) => numeric(name, operator, *number.inner()),
        LiteralValue::String(text) => {
            let texts = BTreeSet::from([text.inner().to_owned()]);
            Some(textual(name, operator == operators::EQUALS, texts))
        }
        LiteralValue::Boolean(flag) => {
            let wanted = *flag.inner() == (operator == operators::EQUALS);
            Some(vec![Region::of(
                Subject::Value(name.text),
                Bound::Is(wanted),
            )])
        }
        _ => None,
    }
}

fn membership(left: &IdedExpr, right: &IdedExpr, outcome: bool) -> Option<Vec<Region>> {
    if let (Some(list), Expr::Literal(LiteralValue::String(text))) = (name_of(right), &left.expr) {
        let subject = Subject::Member(list.text, text.inner().to_owned());
        return Some(vec![Region::of(subject, Bound::Is(outcome))]);
    }
    let (name, Expr::List(list)) = (name_of(left)?, &right.expr) else {
        return None;
    };
    let texts: Option<BTreeSet<String>> = list
        .elements
        .iter()
        .map(|element| match &element.expr {
            Expr::Literal(LiteralValue::String(text)) => Some(text.inner().to_owned()),
            _ => None,
        })
        .collect();
    Some(textual(name, outcome, texts?))
}

/// The boxes of a text name that is, or is not, one of some texts.
fn textual(name: &'static Name, wanted: bool, texts: BTreeSet<String>) -> Vec<Region> {
    let all = match name.kind {
        Kind::Text(words) => words.all(),
        _ => None,
    };
    let bound = match (all, wanted) {
        (_, true) => one_of(texts),
        (None, false) => Some(Bound::NoneOf(texts)),
        (Some(all), false) => {
            let rest = all.iter().filter(|word| !texts.contains(**word));
            one_of(rest.map(|word| (*word).to_owned()).collect())
        }
    };
    let region = bound.map(|bound| Region::of(Subject::Value(name.text), bound));
    region.into_iter().collect()
}

/// The boxes of a number name compared with a number; `!=` gives one on either side. `None` for
/// names that are no numbers.
fn numeric(name: &'static Name, operator: &str, bound: f64) -> Option<Vec<Region>> {
    let (is_whole, most) = match name.kind {
        Kind::Whole(_, most) => (true, most as f64),
        Kind::Number(most) => (false, most),
        _ => return None,
    };
    let lowest = End {
        value: 0.0,
        included: true,
    };
    let highest = End {
        value: most,
        included: true,
    };
    let at = |included: bool| End {
        value: bound,
        included,
    };
    let ranges = match operator {
        operators::EQUALS => vec![(at(true), at(true))],
        operators::NOT_EQUALS => vec![(lowest, at(false)), (at(false), highest)],
        operators::LESS => vec![(lowest, at(false))],
        operators::LESS_EQUALS => vec![(lowest, at(true))],
        operators::GREATER => vec![(at(false), highest)],
        _ => vec![(at(true), highest)],
    };
    let regions = ranges
        .into_iter()
        .filter_map(|(low, high)| {
            let low = if low.is_tighter_low(lowest) {
                low
            } else {
                lowest
            };
            let high = if high.is_tighter_high(highest) {
                high
            } else {
                highest
            };
            let (low, high) = if is_whole {
                whole_ends(low, high)
            } else {
                (low, high)
            };
            let bound = between(low, high)?;
            let is_all = bound == Bound::Between(lowest, highest);
            Some(if is_all {
                Region::everything()
            } else {
                Region::of(Subject::Value(name.text), bound)
            })
        })
        .collect();
    Some(regions)
}

/// Moves the ends of a range to the whole numbers in it: `> 5` is `>= 6`. Beyond 2^53 neighbouring
/// whole numbers are one and the same to a float, so ends there stay as they are.
fn whole_ends(low: End, high: End) -> (End, End) {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let inward = |end: End, rounded: f64, step: f64| {
        let excluded = !end.included && rounded == end.value;
        if rounded.abs() >= EXACT {
            return end;
        }
        End {
            value: if excluded { rounded + step } else { rounded },
            included: true,
        }
    };
    (
        inward(low, low.value.ceil(), 1.0),
        inward(high, high.value.floor(), -1.0),
    )
}

fn mirrored(operator: &str) -> &str {
    match operator {
        operators::LESS => operators::GREATER,
        operators::LESS_EQUALS => operators::GREATER_EQUALS,
        operators::GREATER => operators::LESS,
        operators::GREATER_EQUALS => operators::LESS_EQUALS,
        same => same,
    }
}

fn negated(operator: &str) -> Option<&'static str> {
    Some(match operator {
        operators::EQUALS => operators::NOT_EQUALS,
        operators::NOT_EQUALS => operators::EQUALS,
        operators::LESS => operators::GREATER_EQUALS,
        operators::LESS_EQUALS => operators::GREATER,
        operators::GREATER => operators::LESS_EQUALS,
        operators::GREATER_EQUALS => operators::LESS,
        _ => return None,
    })
}
