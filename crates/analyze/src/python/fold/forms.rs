//! Forms in which programs hide texts: numbers, hexadecimal, base64, turned around, put together
//! out of lists. Only for guesses: what is found here is never taken to be certain, so that it need
//! not be exact to the last case.

use ruff_python_ast::{Comprehension, Expr, ExprCall};

use super::calls::{chr, join_characters};
use super::{Const, ELEMENTS_MAX, Folding, TEXT_BYTES_MAX, concatenation, written};
use crate::base64;

/// A call that only changes the form of a text or of bytes.
pub(super) fn called(call: &ExprCall, folding: &mut Folding<'_, '_>) -> Option<Const> {
    let arguments = &*call.arguments.args;
    if let Some(path) = folding.names.imported_path(&call.func) {
        return function(&path, arguments, folding);
    }
    match &*call.func {
        Expr::Name(name) => function(name.id.as_str(), arguments, folding),
        Expr::Attribute(method) => {
            let name = method.attr.as_str();
            if let Expr::Name(class) = &*method.value
                && matches!(class.id.as_str(), "bytes" | "bytearray" | "str")
            {
                return function(name, arguments, folding);
            }
            if name == "join" {
                return joined(&folding.fold(&method.value)?, arguments.first()?, folding);
            }
            let value = folding.fold(&method.value)?;
            let mut values = Vec::new();
            for argument in arguments {
                values.push(folding.fold(argument)?);
            }
            self::method(&value, name, &values)
        }
        _ => None,
    }
}

/// A function by its path, or a built-in one by its name.
fn function(path: &str, arguments: &[Expr], folding: &mut Folding<'_, '_>) -> Option<Const> {
    let is_known = matches!(
        path,
        "bytes"
            | "bytearray"
            | "fromhex"
            | "str"
            | "base64.b16decode"
            | "base64.b64decode"
            | "base64.decodebytes"
            | "base64.standard_b64decode"
            | "base64.urlsafe_b64decode"
            | "binascii.a2b_base64"
            | "binascii.a2b_hex"
            | "binascii.unhexlify"
            | "codecs.decode"
            | "codecs.encode"
    );
    if !is_known {
        return None;
    }
    let (first, rest) = arguments.split_first()?;
    let value = folding.fold(first)?;
    match path {
        "bytes" | "bytearray" => as_bytes(&value),
        "str" => match value {
            Const::Bytes(bytes) if !rest.is_empty() => text_of(&bytes),
            _ => None,
        },
        "fromhex" | "binascii.unhexlify" | "binascii.a2b_hex" | "base64.b16decode" => {
            hexadecimal(&plain(&value)?)
        }
        "codecs.decode" | "codecs.encode" => {
            let codec = plain(&folding.fold(rest.first()?)?)?;
            let text = plain(&value)?;
            match codec.replace(['-', '_'], "").as_str() {
                "rot13" => Some(Const::Text(
                    text.chars().map(turned).collect::<String>().into(),
                )),
                "base64" => based(&text),
                "hex" => hexadecimal(&text),
                _ => None,
            }
        }
        _ => based(&plain(&value)?),
    }
}

fn method(value: &Const, name: &str, arguments: &[Const]) -> Option<Const> {
    match (value, name, arguments) {
        (Const::Bytes(bytes), "decode", _) => text_of(bytes),
        (Const::Text(text), "encode", _) => Some(Const::Bytes(text.bytes().collect())),
        (Const::Text(text), "split", []) => parts(text.split_whitespace()),
        (Const::Text(text), "split", [Const::Text(separator), ..]) if !separator.is_empty() => {
            parts(text.split(&**separator))
        }
        (Const::Text(text), "replace", [Const::Text(from), Const::Text(to)]) => {
            replaced(text, from, to)
        }
        (Const::Text(text), "format", values) => filled(text, "{}", values),
        _ => None,
    }
}

/// A text with other letters in some places.
fn replaced(text: &str, from: &str, to: &str) -> Option<Const> {
    let times = if from.is_empty() {
        text.len() + 1
    } else {
        text.matches(from).count()
    };
    let bytes = text.len().saturating_add(times.saturating_mul(to.len()));
    (bytes <= TEXT_BYTES_MAX).then(|| Const::Text(text.replace(from, to).into()))
}

fn parts<'t>(parts: impl Iterator<Item = &'t str>) -> Option<Const> {
    let parts: Vec<Const> = parts
        .take(ELEMENTS_MAX)
        .map(|part| Const::Text(part.into()))
        .collect();
    Some(Const::List(parts.into()))
}

/// `template % values`.
pub(super) fn percent(
    template: &str,
    values: &Expr,
    folding: &mut Folding<'_, '_>,
) -> Option<Const> {
    let values = match values {
        Expr::Tuple(tuple) => {
            let mut values = Vec::new();
            for value in tuple.elts.iter().take(ELEMENTS_MAX) {
                values.push(folding.fold(value)?);
            }
            values
        }
        value => vec![folding.fold(value)?],
    };
    filled(template, "%s", &values)
}

/// A text with its gaps filled in order.
fn filled(text: &str, gap: &str, values: &[Const]) -> Option<Const> {
    let mut pieces = text.split(gap);
    let mut made = pieces.next()?.to_owned();
    let mut values = values.iter();
    for piece in pieces {
        made.push_str(&written(values.next()?)?);
        made.push_str(piece);
        if made.len() > TEXT_BYTES_MAX {
            return None;
        }
    }
    Some(Const::Text(made.into()))
}

/// `glue.join(...)` of what is only guessed.
fn joined(glue: &Const, parts: &Expr, folding: &mut Folding<'_, '_>) -> Option<Const> {
    let Const::Text(glue) = glue else { return None };
    let codes = match parts {
        Expr::Generator(inner) => codes_of(&inner.elt, &inner.generators)?,
        Expr::ListComp(inner) => codes_of(&inner.elt, &inner.generators)?,
        Expr::Call(call) => {
            let function = call.func.as_name_expr().map(|name| name.id.as_str());
            match (function, &*call.arguments.args) {
                (Some("map"), [Expr::Name(by), codes]) if by.id.as_str() == "chr" => codes,
                (Some("reversed"), [value]) => {
                    let value = reversed(&folding.fold(value)?)?;
                    return joined_value(glue, &value);
                }
                _ => return joined_value(glue, &folding.fold(parts)?),
            }
        }
        _ => return joined_value(glue, &folding.fold(parts)?),
    };
    let characters: Option<Vec<Const>> = match folding.fold(codes)? {
        Const::List(codes) => codes.iter().map(chr).collect(),
        Const::Bytes(codes) => codes
            .iter()
            .map(|code| chr(&Const::Int(i128::from(*code))))
            .collect(),
        _ => None,
    };
    joined_value(glue, &Const::List(characters?.into()))
}

fn joined_value(glue: &str, value: &Const) -> Option<Const> {
    match value {
        Const::Text(text) => Some(join_characters(glue, text)),
        Const::List(elements) => {
            let texts: Option<Vec<String>> = elements
                .iter()
                .map(|element| element.clone().into_text())
                .collect();
            join(glue, &texts?)
        }
        _ => None,
    }
}

/// Texts with a text between them.
pub(super) fn join(glue: &str, texts: &[String]) -> Option<Const> {
    let between = glue.len().saturating_mul(texts.len());
    let bytes = texts
        .iter()
        .fold(between, |sum, text| sum.saturating_add(text.len()));
    (bytes <= 2 * TEXT_BYTES_MAX).then(|| concatenation(std::iter::once(&*texts.join(glue))))
}

/// The collection of `chr(code) for code in codes`.
fn codes_of<'e>(element: &'e Expr, clauses: &'e [Comprehension]) -> Option<&'e Expr> {
    let [clause] = clauses else { return None };
    let call = element.as_call_expr()?;
    let is_chr = call.func.as_name_expr()?.id.as_str() == "chr";
    let [Expr::Name(argument)] = &*call.arguments.args else {
        return None;
    };
    let is_plain = clause.ifs.is_empty() && clause.target.as_name_expr()?.id == argument.id;
    (is_chr && is_plain).then_some(&clause.iter)
}

fn reversed(value: &Const) -> Option<Const> {
    match value {
        Const::Text(text) => Some(Const::Text(text.chars().rev().collect::<String>().into())),
        Const::List(elements) => Some(Const::List(elements.iter().rev().cloned().collect())),
        _ => None,
    }
}

/// `list[index]`, and every so many elements of a list or of bytes.
pub(super) fn part_of(value: &Const, slice: &Expr, folding: &mut Folding<'_, '_>) -> Option<Const> {
    if folding.is_strict() {
        return None;
    }
    if let Expr::Slice(range) = slice {
        if range.lower.is_some() || range.upper.is_some() {
            return None;
        }
        let step = match range.step.as_deref().map(|step| folding.fold(step)) {
            Some(Some(Const::Int(step))) => step,
            Some(_) => return None,
            None => 1,
        };
        return match value {
            Const::List(elements) => Some(Const::List(strided(elements, step)?.into())),
            Const::Bytes(bytes) => Some(Const::Bytes(strided(bytes, step)?.into())),
            _ => None,
        };
    }
    let (Const::List(elements), Const::Int(index)) = (value, folding.fold(slice)?) else {
        return None;
    };
    let length = i128::try_from(elements.len()).ok()?;
    let index = if index < 0 {
        index.saturating_add(length)
    } else {
        index
    };
    elements.get(usize::try_from(index).ok()?).cloned()
}

/// Every so many elements, from the end when the step is below zero.
pub(super) fn strided<T: Clone>(elements: &[T], step: i128) -> Option<Vec<T>> {
    let width = usize::try_from(step.unsigned_abs())
        .ok()
        .filter(|width| *width > 0)?;
    Some(if step < 0 {
        elements.iter().rev().step_by(width).cloned().collect()
    } else {
        elements.iter().step_by(width).cloned().collect()
    })
}

fn as_bytes(value: &Const) -> Option<Const> {
    let byte = |code: &Const| match code {
        Const::Int(code) => u8::try_from(*code).ok(),
        _ => None,
    };
    match value {
        Const::Bytes(_) => Some(value.clone()),
        Const::Text(text) => Some(Const::Bytes(text.bytes().collect())),
        Const::List(codes) => Some(Const::Bytes(codes.iter().map(byte).collect::<Option<_>>()?)),
        _ => None,
    }
}

fn text_of(bytes: &[u8]) -> Option<Const> {
    Some(Const::Text(std::str::from_utf8(bytes).ok()?.into()))
}

/// A text, or bytes that are one.
fn plain(value: &Const) -> Option<String> {
    match value {
        Const::Text(text) => Some(text.to_string()),
        Const::Bytes(bytes) => String::from_utf8(bytes.to_vec()).ok(),
        _ => None,
    }
}

fn based(text: &str) -> Option<Const> {
    Some(Const::Bytes(base64::decode(text)?.into()))
}

fn hexadecimal(text: &str) -> Option<Const> {
    let digits: Vec<u8> = text
        .chars()
        .filter(|character| !character.is_ascii_whitespace())
        .map(|digit| u8::try_from(digit.to_digit(16)?).ok())
        .collect::<Option<_>>()?;
    let pairs = digits.chunks_exact(2);
    let is_whole = pairs.remainder().is_empty();
    let bytes = pairs.map(|pair| pair.iter().fold(0_u8, |value, digit| (value << 4) | digit));
    is_whole.then(|| Const::Bytes(bytes.collect()))
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
