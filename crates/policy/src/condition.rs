//! Conditions: the `when` of a rule, written in CEL (the Common Expression Language).
//!
//! A condition is parsed and checked once, when the policy is read: every name must exist, every
//! operator must fit its operands, and the result must be true or false. Only a small, total part
//! of CEL is accepted (no loops, no maps, no regular expressions), so that the time to evaluate a
//! condition is bounded by its length. What can still go wrong at run time is arithmetic: division
//! by zero and overflow.

mod check;
mod explain;
mod render;
mod value;

use std::sync::Arc;

use cel::common::types::CelBool;
use cel::parser::{ParseErrors, PrattParser};
use cel::{Context, Env, IdedExpr, Value};

pub(crate) use explain::why;
pub(crate) use render::{name_of, render};
pub(crate) use value::{Facts, bind};

/// The longest condition, in bytes.
pub(crate) const LENGTH_MAX: usize = 1000;

/// The deepest nesting of brackets.
const NESTING_MAX: u16 = 24;

/// A checked condition.
#[derive(Debug)]
pub(crate) struct Condition {
    source: String,
    expression: IdedExpr,
}

/// Something wrong with a condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Complaint {
    /// Byte offset into the condition.
    pub(crate) at: usize,
    /// What is wrong.
    pub(crate) message: String,
    /// What would make it right.
    pub(crate) help: Option<String>,
}

impl Complaint {
    fn new(at: usize, message: impl Into<String>) -> Self {
        Self {
            at,
            message: message.into(),
            help: None,
        }
    }
}

/// The functions that conditions may call.
pub(crate) fn environment() -> Arc<Env> {
    Arc::new(Env::default().with_optional_support(false).with_stdlib())
}

impl Condition {
    /// Parses and checks a condition.
    pub(crate) fn compile(source: &str) -> Result<Self, Vec<Complaint>> {
        if source.len() > LENGTH_MAX {
            let message = format!("the condition is longer than {LENGTH_MAX} bytes");
            return Err(vec![Complaint {
                help: Some("split it into several rules".to_owned()),
                ..Complaint::new(0, message)
            }]);
        }
        if let Some(at) = too_deep(source) {
            let message = format!("the condition nests deeper than {NESTING_MAX} brackets");
            return Err(vec![Complaint::new(at, message)]);
        }
        let expression = PrattParser::new()
            .max_recursion_depth(NESTING_MAX)
            .parse(source)
            .map_err(|errors| syntax_complaints(source, &errors))?;
        let problems = check::check(&expression);
        if problems.is_empty() {
            return Ok(Self {
                source: source.to_owned(),
                expression,
            });
        }
        Err(located(source, problems))
    }

    /// The condition as it was written.
    pub(crate) fn source(&self) -> &str {
        &self.source
    }

    /// Its syntax tree.
    pub(crate) fn expression(&self) -> &IdedExpr {
        &self.expression
    }

    /// Whether the condition holds.
    ///
    /// # Errors
    /// Says which arithmetic went wrong.
    pub(crate) fn holds(&self, context: &Context<'_, '_>) -> Result<bool, String> {
        holds(&self.expression, context)
    }
}

/// Whether an expression that was checked to be true or false holds.
pub(crate) fn holds(expression: &IdedExpr, context: &Context<'_, '_>) -> Result<bool, String> {
    let value = Value::resolve_val(expression, context).map_err(|error| error.to_string())?;
    value
        .downcast_ref::<CelBool>()
        .map(|flag| *flag.inner())
        .ok_or_else(|| "the result is neither true nor false".to_owned())
}

/// Where brackets nest too deep. Counts brackets in texts too, which nobody needs that many of.
fn too_deep(source: &str) -> Option<usize> {
    let mut depth = 0_u16;
    source.bytes().position(|byte| {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth > NESTING_MAX
    })
}

/// The parser's own errors, with offsets.
fn syntax_complaints(source: &str, errors: &ParseErrors) -> Vec<Complaint> {
    let complaints: Vec<Complaint> = errors
        .errors
        .iter()
        .map(|error| {
            let message = error
                .msg
                .trim_start_matches("Syntax error: ")
                .replace(
                    "mismatched input '<EOF>' expecting",
                    "it ends too early, expecting",
                )
                .replace("mismatched input", "unexpected");
            Complaint::new(
                offset(source, error.pos),
                format!("the condition is not valid CEL: {message}"),
            )
        })
        .collect();
    // What follows the first error is mostly an echo of it.
    complaints.into_iter().take(1).collect()
}

/// A line and column, both from 1, as a byte offset.
fn offset(source: &str, (line, column): (isize, isize)) -> usize {
    let line_index = usize::try_from(line - 1).unwrap_or(0);
    let line_start: usize = source
        .split_inclusive('\n')
        .take(line_index)
        .map(str::len)
        .sum();
    let column = usize::try_from(column - 1).unwrap_or(0);
    source.floor_char_boundary(line_start.saturating_add(column))
}

/// Gives each problem its place. The quick parser keeps no positions, so the condition is parsed
/// a second time by the one that does.
fn located(source: &str, problems: Vec<check::Problem>) -> Vec<Complaint> {
    let without_place = |problem: check::Problem| Complaint {
        at: 0,
        message: problem.message,
        help: problem.help,
    };
    let Ok(program) = cel::Program::compile(source) else {
        return problems.into_iter().map(without_place).collect();
    };
    check::check(program.expression())
        .into_iter()
        .map(|problem| {
            let place = program.source_info().offset_for(problem.node);
            let at = place.map_or(0, |(start, _)| start as usize);
            Complaint {
                at: source.floor_char_boundary(at),
                ..without_place(problem)
            }
        })
        .collect()
}

#[cfg(test)]
mod tests;
