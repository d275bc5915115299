//! Constants in Python expressions: what `10 ** 6`, `"sys" + "tem"` or `N * 2` come to.
//!
//! Only what is needed to see how much work a program asks for and which names it spells in
//! pieces. Numbers saturate, texts are bounded, and each question takes a bounded number of steps.

mod calls;

use std::rc::Rc;

use ruff_python_ast::{
    Expr, ExprBinOp, ExprSubscript, InterpolatedStringElement, Number, Operator, UnaryOp,
};

use super::names::Names;

/// How many nodes one question may look at, and how deep, through the values of names too.
const STEPS_MAX: u32 = 256;
const LEVELS_MAX: u32 = 48;

/// The longest text that is put together, in bytes.
const TEXT_BYTES_MAX: usize = 4096;

/// A constant value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Const {
    /// An integer or a truth value, saturated.
    Int(i128),
    Float(f64),
    Text(Rc<str>),
    Bytes(Rc<[u8]>),
    /// A list, tuple or set of that many elements, or a text too long to keep.
    Sequence(u64),
}

impl Const {
    pub(super) fn into_text(self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text.to_string()),
            _ => None,
        }
    }

    /// The number, rounded up and saturated; `None` for what is not a number or below zero.
    pub(super) fn as_amount(&self) -> Option<u64> {
        match self {
            Self::Int(number) if *number < 0 => None,
            Self::Int(number) => Some(u64::try_from(*number).unwrap_or(u64::MAX)),
            Self::Float(number) if *number >= 0.0 => {
                // The cast saturates, which is what is wanted.
                Some(number.ceil() as u64)
            }
            _ => None,
        }
    }

    /// Elements of a text or sequence.
    pub(super) fn length(&self) -> Option<u64> {
        match self {
            Self::Text(text) => Some(text.chars().count() as u64),
            Self::Bytes(bytes) => Some(bytes.len() as u64),
            Self::Sequence(length) => Some(*length),
            Self::Int(_) | Self::Float(_) => None,
        }
    }

    /// What Python's `bool()` says.
    pub(super) fn is_true(&self) -> bool {
        match self {
            Self::Int(number) => *number != 0,
            Self::Float(number) => *number != 0.0,
            Self::Text(text) => !text.is_empty(),
            Self::Bytes(bytes) => !bytes.is_empty(),
            Self::Sequence(length) => *length != 0,
        }
    }

    fn as_float(&self) -> Option<f64> {
        match self {
            Self::Int(number) => Some(*number as f64),
            Self::Float(number) => Some(*number),
            _ => None,
        }
    }
}

/// The constant an expression comes to, when it does.
pub(super) fn constant(expr: &Expr, names: &Names<'_>) -> Option<Const> {
    Folding {
        names,
        steps: STEPS_MAX,
        levels: LEVELS_MAX,
    }
    .fold(expr)
}

/// One question, with what is left of its bounds.
pub(super) struct Folding<'n, 'a> {
    names: &'n Names<'a>,
    steps: u32,
    levels: u32,
}

impl Folding<'_, '_> {
    /// The constant a part of the expression, or the value of a name in it, comes to.
    pub(super) fn fold(&mut self, expr: &Expr) -> Option<Const> {
        self.steps = self.steps.checked_sub(1)?;
        let Some(levels) = self.levels.checked_sub(1) else {
            // The whole question ends here, or names would be taken for having no answer.
            self.steps = 0;
            return None;
        };
        self.levels = levels;
        let value = part(expr, self);
        self.levels += 1;
        value
    }

    /// Whether a bound was reached, so that no answer says nothing.
    pub(super) fn is_cut(&self) -> bool {
        self.steps == 0
    }
}

fn part(expr: &Expr, folding: &mut Folding<'_, '_>) -> Option<Const> {
    match expr {
        Expr::NumberLiteral(literal) => match &literal.value {
            Number::Int(number) => Some(Const::Int(number.as_u64().map_or(i128::MAX, i128::from))),
            Number::Float(number) => Some(Const::Float(*number)),
            Number::Complex { .. } => None,
        },
        Expr::BooleanLiteral(literal) => Some(Const::Int(i128::from(literal.value))),
        Expr::StringLiteral(literal) => {
            let parts = literal.value.as_slice().iter();
            Some(concatenation(parts.map(|part| part.as_str())))
        }
        Expr::BytesLiteral(literal) if literal.value.len() > TEXT_BYTES_MAX => {
            Some(Const::Sequence(literal.value.len() as u64))
        }
        Expr::BytesLiteral(literal) => Some(Const::Bytes(literal.value.bytes().collect())),
        Expr::FString(literal) => {
            let mut parts = Vec::new();
            for element in literal.value.elements() {
                match element {
                    InterpolatedStringElement::Literal(part) => parts.push(part.value.to_string()),
                    InterpolatedStringElement::Interpolation(part) => {
                        if part.format_spec.is_some() || part.debug_text.is_some() {
                            return None;
                        }
                        parts.push(written(&folding.fold(&part.expression)?)?);
                    }
                }
            }
            // The literal halves of `"a" f"b"` are not among the elements.
            let has_plain_part = literal.value.literals().next().is_some();
            (!has_plain_part).then(|| concatenation(parts.iter().map(String::as_str)))
        }
        Expr::List(list) => length_of(&list.elts),
        Expr::Tuple(tuple) => length_of(&tuple.elts),
        Expr::Set(set) => length_of(&set.elts),
        Expr::Name(name) => folding.names.constant(name.id.as_str(), folding),
        Expr::Named(named) => folding.fold(&named.value),
        Expr::UnaryOp(operation) => {
            let operand = folding.fold(&operation.operand)?;
            unary(operation.op, &operand)
        }
        Expr::BinOp(operation) => binary_expression(operation, folding),
        Expr::Subscript(subscript) => slice(subscript, folding),
        Expr::Call(call) => calls::called(call, folding),
        Expr::Attribute(attribute) => {
            let is_maxsize = attribute.attr.as_str() == "maxsize"
                && attribute
                    .value
                    .as_name_expr()
                    .is_some_and(|name| name.id.as_str() == "sys");
            is_maxsize.then_some(Const::Int(i128::from(i64::MAX)))
        }
        _ => None,
    }
}

fn length_of(elements: &[Expr]) -> Option<Const> {
    let is_open = elements.iter().any(Expr::is_starred_expr);
    (!is_open).then_some(Const::Sequence(elements.len() as u64))
}

/// A text put together from parts; only its length when it is too long to keep.
fn concatenation<'t>(parts: impl Iterator<Item = &'t str>) -> Const {
    let mut text = String::new();
    let mut length = 0_u64;
    for part in parts {
        length += part.len() as u64;
        if length <= TEXT_BYTES_MAX as u64 {
            text.push_str(part);
        }
    }
    if length <= TEXT_BYTES_MAX as u64 {
        Const::Text(text.into())
    } else {
        Const::Sequence(length)
    }
}

/// A constant as `str()` writes it, where that is simple.
fn written(value: &Const) -> Option<String> {
    match value {
        Const::Text(text) => Some(text.to_string()),
        Const::Int(number) => Some(number.to_string()),
        _ => None,
    }
}

fn unary(operator: UnaryOp, operand: &Const) -> Option<Const> {
    match (operator, operand) {
        (UnaryOp::Not, operand) => Some(Const::Int(i128::from(!operand.is_true()))),
        (UnaryOp::USub, Const::Int(number)) => Some(Const::Int(number.saturating_neg())),
        (UnaryOp::USub, Const::Float(number)) => Some(Const::Float(-number)),
        (UnaryOp::UAdd, Const::Int(_) | Const::Float(_)) => Some(operand.clone()),
        (UnaryOp::Invert, Const::Int(number)) => Some(Const::Int(!number)),
        _ => None,
    }
}

fn binary_expression(operation: &ExprBinOp, folding: &mut Folding<'_, '_>) -> Option<Const> {
    let left = folding.fold(&operation.left)?;
    let right = folding.fold(&operation.right)?;
    match (&left, operation.op, &right) {
        (Const::Int(left), operator, Const::Int(right)) => integers(*left, operator, *right),
        (Const::Text(left), Operator::Add, Const::Text(right)) => {
            Some(concatenation([&**left, &**right].into_iter()))
        }
        (Const::Bytes(left), Operator::Add, Const::Bytes(right)) => {
            let length = left.len() + right.len();
            Some(if length <= TEXT_BYTES_MAX {
                Const::Bytes(left.iter().chain(right.iter()).copied().collect())
            } else {
                Const::Sequence(length as u64)
            })
        }
        (Const::Text(text), Operator::Mult, Const::Int(times))
        | (Const::Int(times), Operator::Mult, Const::Text(text)) => Some(repeated(text, *times)),
        (Const::Int(times), Operator::Mult, sequence)
        | (sequence, Operator::Mult, Const::Int(times))
            if sequence.length().is_some() =>
        {
            let times = u64::try_from(*times).unwrap_or(if *times < 0 { 0 } else { u64::MAX });
            Some(Const::Sequence(sequence.length()?.saturating_mul(times)))
        }
        (left, Operator::Add, right) if left.length().is_some() => Some(Const::Sequence(
            left.length()?.saturating_add(right.length()?),
        )),
        (left, operator, right) => floats(left.as_float()?, operator, right.as_float()?),
    }
}

fn repeated(text: &str, times: i128) -> Const {
    let times = usize::try_from(times).unwrap_or(if times < 0 { 0 } else { usize::MAX });
    let length = text.len().saturating_mul(times);
    if length <= TEXT_BYTES_MAX {
        Const::Text(text.repeat(times).into())
    } else {
        Const::Sequence(length as u64)
    }
}

fn integers(left: i128, operator: Operator, right: i128) -> Option<Const> {
    let value = match operator {
        Operator::Add => left.saturating_add(right),
        Operator::Sub => left.saturating_sub(right),
        Operator::Mult => left.saturating_mul(right),
        Operator::FloorDiv => floor_division(left, right)?.0,
        Operator::Mod => floor_division(left, right)?.1,
        Operator::Pow if right < 0 => return floats(left as f64, operator, right as f64),
        Operator::Pow => {
            let exponent = u32::try_from(right).unwrap_or(u32::MAX);
            left.saturating_pow(exponent)
        }
        Operator::LShift => {
            let factor = u32::try_from(right)
                .ok()
                .and_then(|by| 1_i128.checked_shl(by));
            match factor {
                Some(factor) if factor > 0 => left.saturating_mul(factor),
                _ if left == 0 || right < 0 => 0,
                _ => i128::MAX,
            }
        }
        Operator::RShift => left >> u32::try_from(right).ok()?.min(127),
        Operator::BitOr => left | right,
        Operator::BitXor => left ^ right,
        Operator::BitAnd => left & right,
        Operator::Div => return floats(left as f64, operator, right as f64),
        Operator::MatMult => return None,
    };
    Some(Const::Int(value))
}

/// Quotient and remainder as Python has them: the remainder has the divisor's sign.
fn floor_division(left: i128, right: i128) -> Option<(i128, i128)> {
    let quotient = left.checked_div(right)?;
    let remainder = left.checked_rem(right)?;
    if remainder != 0 && (remainder < 0) != (right < 0) {
        Some((quotient.checked_sub(1)?, remainder.checked_add(right)?))
    } else {
        Some((quotient, remainder))
    }
}

fn floats(left: f64, operator: Operator, right: f64) -> Option<Const> {
    let value = match operator {
        Operator::Add => left + right,
        Operator::Sub => left - right,
        Operator::Mult => left * right,
        Operator::Div if right != 0.0 => left / right,
        Operator::FloorDiv if right != 0.0 => (left / right).floor(),
        Operator::Pow => left.powf(right),
        _ => return None,
    };
    (!value.is_nan()).then_some(Const::Float(value))
}

/// `text[i]`, `text[a:b]` and `text[::-1]`.
fn slice(subscript: &ExprSubscript, folding: &mut Folding<'_, '_>) -> Option<Const> {
    let Const::Text(text) = folding.fold(&subscript.value)? else {
        return None;
    };
    let mut characters: Vec<char> = text.chars().collect();
    let mut number = |expr: &Expr| match folding.fold(expr)? {
        Const::Int(number) => Some(number),
        _ => None,
    };
    let length = i128::try_from(characters.len()).ok()?;
    let place = |index: i128| {
        let index = if index < 0 {
            index.saturating_add(length)
        } else {
            index
        };
        usize::try_from(index.clamp(0, length)).unwrap_or(0)
    };
    let text: String = match &*subscript.slice {
        Expr::Slice(range) => {
            let step = range.step.as_deref().map(&mut number);
            match (step, &range.lower, &range.upper) {
                (Some(Some(-1)), None, None) => characters.reverse(),
                (None | Some(Some(1)), lower, upper) => {
                    let lower = match lower {
                        Some(lower) => place(number(lower)?),
                        None => 0,
                    };
                    let upper = match upper {
                        Some(upper) => place(number(upper)?),
                        None => characters.len(),
                    };
                    characters = characters.get(lower..upper.max(lower))?.to_vec();
                }
                _ => return None,
            }
            characters.into_iter().collect()
        }
        index => characters.get(place(number(index)?))?.to_string(),
    };
    Some(Const::Text(text.into()))
}
