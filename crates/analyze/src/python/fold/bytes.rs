//! Bytes that are written down in another form: numbers, hexadecimal, base64, turned around.

use std::rc::Rc;

use ruff_python_ast::{Expr, ExprCall};

use super::{Const, Folding, TEXT_BYTES_MAX, elements};

/// A call that only changes the form of bytes.
pub(super) fn called(call: &ExprCall, folding: &mut Folding<'_, '_>) -> Option<Const> {
    let paths = folding.names.paths(&call.func);
    let first = call.arguments.args.first()?;
    let function = match &*call.func {
        Expr::Name(name) if paths.is_empty() => name.id.as_str(),
        Expr::Attribute(method) if is_bytes_type(&method.value) => method.attr.as_str(),
        _ => paths.first()?.as_str(),
    };
    match function {
        "bytes" | "bytearray" => from_numbers(first, folding),
        "fromhex" | "binascii.unhexlify" | "binascii.a2b_hex" | "base64.b16decode" => {
            hexadecimal(&text(&folding.fold(first)?)?)
        }
        "base64.b64decode"
        | "base64.standard_b64decode"
        | "base64.decodebytes"
        | "base64.urlsafe_b64decode"
        | "binascii.a2b_base64" => base64(&text(&folding.fold(first)?)?),
        "codecs.decode" | "codecs.encode" => {
            let codec = call.arguments.args.get(1)?;
            let codec = text(&folding.fold(codec)?)?;
            let value = text(&folding.fold(first)?)?;
            match codec.replace(['-', '_'], "").as_str() {
                "rot13" => {
                    let turned: String = value.chars().map(turned).collect();
                    Some(Const::Text(turned.into()))
                }
                "base64" if function == "codecs.decode" => base64(&value),
                "hex" if function == "codecs.decode" => hexadecimal(&value),
                _ => None,
            }
        }
        _ => None,
    }
}

/// A method of bytes.
pub(super) fn method(bytes: &[u8], name: &str) -> Option<Const> {
    let text = std::str::from_utf8(bytes).ok()?;
    (name == "decode").then(|| Const::Text(text.into()))
}

/// `bytes[::-1]`.
pub(super) fn reversed(bytes: &[u8], slice: &Expr) -> Option<Const> {
    let range = slice.as_slice_expr()?;
    let step = range.step.as_deref()?.as_unary_op_expr()?;
    let is_reversed = range.lower.is_none()
        && range.upper.is_none()
        && step.op == ruff_python_ast::UnaryOp::USub
        && step.operand.is_number_literal_expr();
    is_reversed.then(|| Const::Bytes(bytes.iter().rev().copied().collect()))
}

/// The letter thirteen further on in the alphabet.
fn turned(letter: char) -> char {
    let turn = |first: u8| {
        let place = (u32::from(letter) - u32::from(first) + 13) % 26;
        char::from_u32(u32::from(first) + place).unwrap_or(letter)
    };
    match letter {
        'a'..='z' => turn(b'a'),
        'A'..='Z' => turn(b'A'),
        other => other,
    }
}

fn is_bytes_type(expr: &Expr) -> bool {
    let name = expr.as_name_expr().map(|name| name.id.as_str());
    matches!(name, Some("bytes" | "bytearray"))
}

/// A text, or bytes that are one.
fn text(value: &Const) -> Option<String> {
    match value {
        Const::Text(text) => Some(text.to_string()),
        Const::Bytes(bytes) => String::from_utf8(bytes.to_vec()).ok(),
        _ => None,
    }
}

fn from_numbers(numbers: &Expr, folding: &mut Folding<'_, '_>) -> Option<Const> {
    let mut bytes = Vec::new();
    for element in elements(folding.names.literal(numbers))?
        .iter()
        .take(TEXT_BYTES_MAX)
    {
        // Numbers are looked at here, for each would count as a step of the question.
        let number = element.as_number_literal_expr()?.value.as_int()?.as_u8()?;
        bytes.push(number);
    }
    Some(Const::Bytes(bytes.into()))
}

/// The text of character codes that are written down.
pub(super) fn characters(numbers: &Expr, folding: &Folding<'_, '_>) -> Option<String> {
    let numbers = elements(folding.names.literal(numbers))?;
    let code = |element: &Expr| {
        let number = element.as_number_literal_expr()?.value.as_int()?.as_u64()?;
        char::from_u32(u32::try_from(number).ok()?)
    };
    numbers.iter().take(TEXT_BYTES_MAX).map(code).collect()
}

fn hexadecimal(text: &str) -> Option<Const> {
    let digits: Vec<u32> = text
        .chars()
        .filter(|character| !character.is_ascii_whitespace())
        .map(|digit| digit.to_digit(16))
        .collect::<Option<_>>()?;
    let bytes: Rc<[u8]> = digits
        .chunks_exact(2)
        .map(|pair| pair.iter().fold(0_u32, |value, digit| value * 16 + digit))
        .filter_map(|value| u8::try_from(value).ok())
        .collect();
    digits
        .len()
        .is_multiple_of(2)
        .then_some(Const::Bytes(bytes))
}

/// Python's decoders leave out what is not of the alphabet.
fn base64(text: &str) -> Option<Const> {
    crate::base64::decode(text).map(|bytes| Const::Bytes(bytes.into()))
}
