//! Constants in Python expressions: what `10 ** 6`, `"sys" + "tem"` or `N * 2` come to.
//!
//! Only what is needed to see how much work a program asks for and which names it spells in
//! pieces. Each question is asked in one of two ways ([`Certainty`]): what the value certainly is,
//! or what it could well be. Numbers that are too large to be kept exactly are never brought back
//! into range, texts are bounded, and each question and each program gets a bounded number of
//! steps and bytes.

mod calls;
mod forms;

use std::rc::Rc;

use ruff_python_ast::{
    ConversionFlag, Expr, ExprBinOp, ExprFString, ExprSubscript, InterpolatedStringElement, Number,
    Operator, UnaryOp,
};

use super::names::Names;

/// How many nodes one question may look at, and how deep, through the values of names too.
const STEPS_MAX: u32 = 256;
const LEVELS_MAX: u32 = 48;

/// The longest text that is put together, in bytes.
const TEXT_BYTES_MAX: usize = 4096;

/// The most elements of a list whose elements are kept.
const ELEMENTS_MAX: usize = 1024;

/// Integers from here on may have been cut off, so only operations that make them larger are
/// followed.
const LARGE: i128 = 1 << 62;

/// How sure an answer has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Certainty {
    /// The value is what the program has there, or the place is not reached.
    Certain,
    /// The value is what the program most likely has there. Only good for finding more.
    Guess,
}

/// A constant value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Const {
    /// An integer, saturated.
    Int(i128),
    Truth(bool),
    Float(f64),
    Text(Rc<str>),
    Bytes(Rc<[u8]>),
    /// A list or tuple with its elements, none of which is a list. Only guessed.
    List(Rc<[Const]>),
    /// A list or tuple of that many elements, or a text too long to keep.
    Sequence(u64),
}

impl Const {
    pub(super) fn into_text(self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text.to_string()),
            _ => None,
        }
    }

    /// The program that `exec` makes of it, which takes bytes as UTF-8.
    pub(super) fn into_program_text(self) -> Option<String> {
        match self {
            Self::Bytes(bytes) => String::from_utf8(bytes.to_vec()).ok(),
            other => other.into_text(),
        }
    }

    /// The number, rounded up and saturated; `None` for what is not a number or below zero.
    pub(super) fn as_amount(&self) -> Option<u64> {
        match self {
            Self::Int(number) if *number < 0 => None,
            Self::Int(number) => Some(u64::try_from(*number).unwrap_or(u64::MAX)),
            Self::Truth(truth) => Some(u64::from(*truth)),
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
            Self::List(elements) => Some(elements.len() as u64),
            Self::Sequence(length) => Some(*length),
            Self::Int(_) | Self::Truth(_) | Self::Float(_) => None,
        }
    }

    /// What Python's `bool()` says.
    pub(super) fn is_true(&self) -> bool {
        match self {
            Self::Int(number) => *number != 0,
            Self::Truth(truth) => *truth,
            Self::Float(number) => *number != 0.0,
            Self::Text(text) => !text.is_empty(),
            Self::Bytes(bytes) => !bytes.is_empty(),
            Self::List(elements) => !elements.is_empty(),
            Self::Sequence(length) => *length != 0,
        }
    }

    /// The bytes it takes to keep the value.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Bytes(bytes) => bytes.len(),
            Self::List(elements) => {
                let inside = elements.iter().map(|element| match element {
                    Self::Text(text) => text.len(),
                    Self::Bytes(bytes) => bytes.len(),
                    _ => 0,
                });
                size_of_val::<[Self]>(elements) + inside.sum::<usize>()
            }
            Self::Int(_) | Self::Truth(_) | Self::Float(_) | Self::Sequence(_) => 0,
        }
    }

    fn as_float(&self) -> Option<f64> {
        match self {
            // Beyond this a float has not every integer.
            Self::Int(number) if number.unsigned_abs() <= 1 << 53 => Some(*number as f64),
            Self::Float(number) => Some(*number),
            _ => None,
        }
    }
}

/// The constant an expression certainly comes to.
pub(super) fn constant(expr: &Expr, names: &Names<'_>) -> Option<Const> {
    question(expr, names, Certainty::Certain)
}

/// The constant an expression most likely comes to. Nothing may be left out because of it.
pub(super) fn guess(expr: &Expr, names: &Names<'_>) -> Option<Const> {
    question(expr, names, Certainty::Guess)
}

fn question(expr: &Expr, names: &Names<'_>, certainty: Certainty) -> Option<Const> {
    Folding {
        names,
        certainty,
        steps: STEPS_MAX,
        levels: LEVELS_MAX,
    }
    .fold(expr)
}

/// The text that the value of an expression certainly begins with.
pub(super) fn prefix(expr: &Expr, names: &Names<'_>) -> Option<String> {
    let text = |expr: &Expr| constant(expr, names)?.into_text();
    match expr {
        // What is put into an f-string or into `format` comes behind what stands before it.
        Expr::FString(literal) => match literal.value.elements().next()? {
            InterpolatedStringElement::Literal(part)
                if literal.value.literals().next().is_none() =>
            {
                Some(part.value.to_string())
            }
            _ => None,
        },
        Expr::Call(call) => {
            let method = call.func.as_attribute_expr()?;
            let template = text(&method.value)?;
            let (before, _) = template.split_once("{}")?;
            let is_plain = method.attr.as_str() == "format" && !before.contains(['{', '}']);
            is_plain.then(|| before.to_owned())
        }
        // The other side may have its own idea of these.
        Expr::BinOp(operation) if names.has_plain_operators() => {
            let left = text(&operation.left)?;
            match operation.op {
                Operator::Add => Some(left),
                Operator::Mod => left.split('%').next().map(str::to_owned),
                _ => None,
            }
        }
        _ => None,
    }
}

/// One question, with what is left of its bounds.
pub(super) struct Folding<'n, 'a> {
    names: &'n Names<'a>,
    pub(super) certainty: Certainty,
    steps: u32,
    levels: u32,
}

impl Folding<'_, '_> {
    /// The constant a part of the expression, or the value of a name in it, comes to.
    pub(super) fn fold(&mut self, expr: &Expr) -> Option<Const> {
        self.steps = self.steps.checked_sub(1)?;
        self.names.charge_step()?;
        let Some(levels) = self.levels.checked_sub(1) else {
            // The whole question ends here, or names would be taken for having no answer.
            self.steps = 0;
            return None;
        };
        self.levels = levels;
        let value = part(expr, self);
        self.levels += 1;
        self.names
            .charge_bytes(value.as_ref().map_or(0, Const::bytes))?;
        value
    }

    /// Whether only what is certain counts.
    fn is_strict(&self) -> bool {
        self.certainty == Certainty::Certain
    }

    /// Whether a name means the built-in function of that name.
    fn is_built_in(&self, name: &str) -> bool {
        !self.is_strict() || self.names.is_certainly_built_in(name)
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
        Expr::BooleanLiteral(literal) => Some(Const::Truth(literal.value)),
        Expr::StringLiteral(literal) => {
            let parts = literal.value.as_slice().iter();
            Some(concatenation(parts.map(|part| part.as_str())))
        }
        Expr::BytesLiteral(literal) if literal.value.len() > TEXT_BYTES_MAX => {
            Some(Const::Sequence(literal.value.len() as u64))
        }
        Expr::BytesLiteral(literal) => Some(Const::Bytes(literal.value.bytes().collect())),
        Expr::FString(literal) => filled_in(literal, folding),
        Expr::List(list) => list_of(&list.elts, folding),
        Expr::Tuple(tuple) => list_of(&tuple.elts, folding),
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
                && folding.names.imported_path(&attribute.value).as_deref() == Some("sys");
            is_maxsize.then_some(Const::Int(i128::from(i64::MAX)))
        }
        _ => None,
    }
}

/// A text with values in it.
fn filled_in(literal: &ExprFString, folding: &mut Folding<'_, '_>) -> Option<Const> {
    let mut parts = Vec::new();
    for element in literal.value.elements() {
        match element {
            InterpolatedStringElement::Literal(part) => parts.push(part.value.to_string()),
            InterpolatedStringElement::Interpolation(part) => {
                let is_plain = part.format_spec.is_none()
                    && part.debug_text.is_none()
                    && part.conversion == ConversionFlag::None;
                if !is_plain {
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

/// A list or tuple: with its elements where those are written down, with its length otherwise.
fn list_of(elements: &[Expr], folding: &mut Folding<'_, '_>) -> Option<Const> {
    let are_written = elements.len() <= ELEMENTS_MAX && elements.iter().all(Expr::is_literal_expr);
    if !folding.is_strict() && are_written {
        let mut values = Vec::new();
        for element in elements {
            folding.names.charge_step()?;
            // None of them asks anything further.
            values.push(part(element, folding)?);
        }
        return Some(Const::List(values.into()));
    }
    let is_open = elements.iter().any(Expr::is_starred_expr);
    (!is_open).then_some(Const::Sequence(elements.len() as u64))
}

/// A text put together from parts; only its length when it is too long to keep.
fn concatenation<'t>(parts: impl Iterator<Item = &'t str>) -> Const {
    let mut text = String::new();
    let mut bytes = 0_usize;
    let mut characters = 0_u64;
    for part in parts {
        bytes = bytes.saturating_add(part.len());
        characters += part.chars().count() as u64;
        if bytes <= TEXT_BYTES_MAX {
            text.push_str(part);
        }
    }
    if bytes <= TEXT_BYTES_MAX {
        Const::Text(text.into())
    } else {
        Const::Sequence(characters)
    }
}

/// A constant as `str()` writes it, where that is simple.
fn written(value: &Const) -> Option<String> {
    match value {
        Const::Text(text) => Some(text.to_string()),
        Const::Int(number) if number.abs() < LARGE => Some(number.to_string()),
        _ => None,
    }
}

fn unary(operator: UnaryOp, operand: &Const) -> Option<Const> {
    match (operator, operand) {
        (UnaryOp::Not, operand) => Some(Const::Truth(!operand.is_true())),
        (UnaryOp::USub, Const::Int(number)) if is_exact(*number) => {
            Some(Const::Int(number.saturating_neg()))
        }
        (UnaryOp::USub, Const::Float(number)) => Some(Const::Float(-number)),
        (UnaryOp::UAdd, Const::Int(_) | Const::Float(_)) => Some(operand.clone()),
        (UnaryOp::Invert, Const::Int(number)) if is_exact(*number) => Some(Const::Int(!number)),
        _ => None,
    }
}

fn binary_expression(operation: &ExprBinOp, folding: &mut Folding<'_, '_>) -> Option<Const> {
    let left = folding.fold(&operation.left)?;
    if let (Const::Text(template), Operator::Mod, false) =
        (&left, operation.op, folding.is_strict())
    {
        return forms::percent(template, &operation.right, folding);
    }
    let right = folding.fold(&operation.right)?;
    let is_power = operation.op == Operator::Pow;
    let is_whole = |value: &Const| matches!(value, Const::Int(number) if *number >= 0);
    if folding.is_strict() && is_power && !(is_whole(&left) && is_whole(&right)) {
        // The last digit of such a power depends on the library.
        return None;
    }
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
        Const::Sequence((text.chars().count() as u64).saturating_mul(times as u64))
    }
}

/// Whether an integer has not been cut off.
fn is_exact(number: i128) -> bool {
    number.abs() < LARGE
}

fn integers(left: i128, operator: Operator, right: i128) -> Option<Const> {
    if !is_exact(left) || !is_exact(right) {
        // More than can be kept stays more than can be kept.
        let grows = matches!(
            operator,
            Operator::Add | Operator::Mult | Operator::Pow | Operator::LShift
        );
        let is_large = if operator == Operator::Mult {
            left > 0 && right > 0
        } else {
            left > 1 && right >= 0
        };
        return (grows && is_large).then_some(Const::Int(i128::MAX));
    }
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
        Operator::Pow => left.powf(right),
        _ => return None,
    };
    (!value.is_nan()).then_some(Const::Float(value))
}

/// `text[i]`, `text[a:b]` and `text[::-1]`.
fn slice(subscript: &ExprSubscript, folding: &mut Folding<'_, '_>) -> Option<Const> {
    let value = folding.fold(&subscript.value)?;
    let Const::Text(text) = value else {
        return forms::part_of(&value, &subscript.slice, folding);
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
                (Some(Some(step)), None, None) if step != 0 => {
                    characters = forms::strided(&characters, step)?;
                }
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
        index => {
            let index = number(index)?;
            // Before the first there is nothing.
            let is_inside = index.saturating_add(length) >= 0;
            let character = is_inside.then(|| characters.get(place(index))).flatten();
            character?.to_string()
        }
    };
    Some(Const::Text(text.into()))
}
