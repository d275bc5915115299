//! Constants in Python expressions: what `10 ** 6`, `"sys" + "tem"` or `N * 2` come to.
//!
//! Only what is needed to see how much work a program asks for and which names it spells in
//! pieces. Numbers saturate, texts are bounded, and each question takes a bounded number of steps.

use std::rc::Rc;

use ruff_python_ast::{
    Expr, ExprBinOp, ExprCall, ExprSubscript, InterpolatedStringElement, Number, Operator, UnaryOp,
};

use super::names::Names;

/// How many nodes one question may look at. Bounds its recursion as well.
const STEPS_MAX: u32 = 256;

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
    within(expr, names, &mut STEPS_MAX.clone())
}

/// The same, within the steps that are left of an earlier question.
pub(super) fn within(expr: &Expr, names: &Names<'_>, steps: &mut u32) -> Option<Const> {
    *steps = steps.checked_sub(1)?;
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
                        parts.push(written(&within(&part.expression, names, steps)?)?);
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
        Expr::Name(name) => names.constant(name.id.as_str(), steps),
        Expr::Named(named) => within(&named.value, names, steps),
        Expr::UnaryOp(operation) => {
            let operand = within(&operation.operand, names, steps)?;
            unary(operation.op, &operand)
        }
        Expr::BinOp(operation) => binary_expression(operation, names, steps),
        Expr::Subscript(subscript) => slice(subscript, names, steps),
        Expr::Call(call) => called(call, names, steps),
        Expr::Attribute(attribute) => {
            let is_maxsize = attribute.attr.as_str() == "maxsize"
                && names
                    .paths(&attribute.value)
                    .iter()
                    .any(|path| path == "sys");
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

fn binary_expression(operation: &ExprBinOp, names: &Names<'_>, steps: &mut u32) -> Option<Const> {
    let left = within(&operation.left, names, steps)?;
    let right = within(&operation.right, names, steps)?;
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
fn slice(subscript: &ExprSubscript, names: &Names<'_>, steps: &mut u32) -> Option<Const> {
    let Const::Text(text) = within(&subscript.value, names, steps)? else {
        return None;
    };
    let mut characters: Vec<char> = text.chars().collect();
    let mut number = |expr: &Expr| match within(expr, names, steps)? {
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

/// Calls of built-in functions and text methods that only compute.
fn called(call: &ExprCall, names: &Names<'_>, steps: &mut u32) -> Option<Const> {
    if !call.arguments.keywords.is_empty() {
        return None;
    }
    let arguments = &*call.arguments.args;
    match &*call.func {
        Expr::Name(function) => {
            if function.id.as_str() == "chr" {
                return chr(&within(arguments.first()?, names, steps)?);
            }
            let mut values = Vec::new();
            for argument in arguments {
                values.push(within(argument, names, steps)?);
            }
            built_in(function.id.as_str(), &values)
        }
        Expr::Attribute(method) => {
            let Const::Text(text) = within(&method.value, names, steps)? else {
                return None;
            };
            if method.attr.as_str() == "join" {
                return joined(&text, arguments.first()?, names, steps);
            }
            let mut values = Vec::new();
            for argument in arguments {
                values.push(within(argument, names, steps)?);
            }
            text_method(&text, method.attr.as_str(), &values)
        }
        _ => None,
    }
}

fn chr(value: &Const) -> Option<Const> {
    let Const::Int(number) = value else {
        return None;
    };
    let character = u32::try_from(*number).ok().and_then(char::from_u32)?;
    Some(Const::Text(character.to_string().into()))
}

fn built_in(function: &str, values: &[Const]) -> Option<Const> {
    match (function, values) {
        ("int", [Const::Int(number)]) => Some(Const::Int(*number)),
        ("int", [Const::Float(number)]) => Some(Const::Int(*number as i128)),
        ("int", [Const::Text(text)]) => Some(Const::Int(text.trim().parse().ok()?)),
        ("float", [value]) => Some(Const::Float(value.as_float()?)),
        ("abs", [Const::Int(number)]) => Some(Const::Int(number.saturating_abs())),
        ("len", [value]) => Some(Const::Int(i128::from(value.length()?))),
        ("str", [value]) => Some(Const::Text(written(value)?.into())),
        ("pow", [Const::Int(base), Const::Int(exponent)]) => {
            integers(*base, Operator::Pow, *exponent)
        }
        ("min" | "max", values) => {
            let mut numbers = values.iter().map(|value| match value {
                Const::Int(number) => Some(*number),
                _ => None,
            });
            let first = numbers.next()??;
            let pick = if function == "min" {
                i128::min
            } else {
                i128::max
            };
            let picked = numbers.try_fold(first, |best, number| Some(pick(best, number?)))?;
            Some(Const::Int(picked))
        }
        _ => None,
    }
}

fn text_method(text: &str, method: &str, values: &[Const]) -> Option<Const> {
    let changed: String = match (method, values) {
        ("lower", []) => text.to_lowercase(),
        ("upper", []) => text.to_uppercase(),
        ("strip", []) => text.trim().to_owned(),
        ("swapcase", []) if text.is_ascii() => text
            .chars()
            .map(|c| {
                if c.is_ascii_uppercase() {
                    c.to_ascii_lowercase()
                } else {
                    c.to_ascii_uppercase()
                }
            })
            .collect(),
        ("replace", [Const::Text(from), Const::Text(to)]) if to.len() <= from.len() => {
            text.replace(&**from, to)
        }
        _ => return None,
    };
    Some(concatenation(std::iter::once(changed.as_str())))
}

/// `glue.join(...)` of a list or tuple of texts, of a text, or of `map(chr, [...])`.
fn joined(glue: &str, parts: &Expr, names: &Names<'_>, steps: &mut u32) -> Option<Const> {
    let (elements, are_numbers) = match parts {
        Expr::List(list) => (&list.elts, false),
        Expr::Tuple(tuple) => (&tuple.elts, false),
        Expr::Call(call) => {
            let is_map = call
                .func
                .as_name_expr()
                .is_some_and(|name| name.id.as_str() == "map");
            match &*call.arguments.args {
                [Expr::Name(function), Expr::List(list)]
                    if is_map && function.id.as_str() == "chr" =>
                {
                    (&list.elts, true)
                }
                [text] => {
                    let is_reversed = call
                        .func
                        .as_name_expr()
                        .is_some_and(|name| name.id.as_str() == "reversed");
                    let Const::Text(text) = within(text, names, steps)? else {
                        return None;
                    };
                    let backwards = text.chars().rev().collect::<String>();
                    return is_reversed.then(|| join_characters(glue, &backwards));
                }
                _ => return None,
            }
        }
        text => {
            let Const::Text(text) = within(text, names, steps)? else {
                return None;
            };
            return Some(join_characters(glue, &text));
        }
    };
    let mut texts = Vec::new();
    for element in elements {
        let mut value = within(element, names, steps)?;
        if are_numbers {
            value = chr(&value)?;
        }
        texts.push(value.into_text()?);
    }
    let length: usize = texts.iter().map(|text| text.len() + glue.len()).sum();
    (length <= 2 * TEXT_BYTES_MAX).then(|| concatenation(std::iter::once(&*texts.join(glue))))
}

fn join_characters(glue: &str, text: &str) -> Const {
    if glue.is_empty() {
        return Const::Text(text.into());
    }
    let characters = text.chars().count() as u64;
    let length = characters.saturating_mul(glue.len() as u64 + 1);
    if length > TEXT_BYTES_MAX as u64 {
        return Const::Sequence(length);
    }
    let parts: Vec<String> = text.chars().map(String::from).collect();
    Const::Text(parts.join(glue).into())
}
