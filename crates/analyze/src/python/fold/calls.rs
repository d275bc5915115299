//! Calls that only compute: built-in functions and methods of texts.

use ruff_python_ast::{Expr, ExprCall, Operator};

use super::{Const, Folding, TEXT_BYTES_MAX, concatenation, integers, written};

/// Calls of built-in functions and text methods that only compute.
pub(super) fn called(call: &ExprCall, folding: &mut Folding<'_, '_>) -> Option<Const> {
    if !call.arguments.keywords.is_empty() {
        return None;
    }
    let arguments = &*call.arguments.args;
    match &*call.func {
        Expr::Name(function) => {
            if function.id.as_str() == "chr" {
                return chr(&folding.fold(arguments.first()?)?);
            }
            let mut values = Vec::new();
            for argument in arguments {
                values.push(folding.fold(argument)?);
            }
            built_in(function.id.as_str(), &values)
        }
        Expr::Attribute(method) => {
            let Const::Text(text) = folding.fold(&method.value)? else {
                return None;
            };
            if method.attr.as_str() == "join" {
                return joined(&text, arguments.first()?, folding);
            }
            let mut values = Vec::new();
            for argument in arguments {
                values.push(folding.fold(argument)?);
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
fn joined(glue: &str, parts: &Expr, folding: &mut Folding<'_, '_>) -> Option<Const> {
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
                    let Const::Text(text) = folding.fold(text)? else {
                        return None;
                    };
                    let backwards = text.chars().rev().collect::<String>();
                    return is_reversed.then(|| join_characters(glue, &backwards));
                }
                _ => return None,
            }
        }
        text => {
            let Const::Text(text) = folding.fold(text)? else {
                return None;
            };
            return Some(join_characters(glue, &text));
        }
    };
    let mut texts = Vec::new();
    for element in elements {
        let mut value = folding.fold(element)?;
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
