//! Calls that only compute: built-in functions and methods of texts. What is only guessed is in
//! [`forms`].

use ruff_python_ast::{Expr, ExprCall, Operator};

use super::{Const, Folding, TEXT_BYTES_MAX, concatenation, forms, integers, is_exact, written};

/// Calls of built-in functions and text methods that only compute.
pub(super) fn called(call: &ExprCall, folding: &mut Folding<'_, '_>) -> Option<Const> {
    if !folding.is_strict()
        && let Some(value) = forms::called(call, folding)
    {
        return Some(value);
    }
    if !call.arguments.keywords.is_empty() {
        return None;
    }
    let arguments = &*call.arguments.args;
    match &*call.func {
        Expr::Name(function) => {
            if !folding.is_built_in(function.id.as_str()) {
                return None;
            }
            if let ("chr", [code]) = (function.id.as_str(), arguments) {
                return chr(&folding.fold(code)?);
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
                let [parts] = arguments else { return None };
                return joined(&text, parts, folding);
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

pub(super) fn chr(value: &Const) -> Option<Const> {
    let Const::Int(number) = value else {
        return None;
    };
    let character = u32::try_from(*number).ok().and_then(char::from_u32)?;
    Some(Const::Text(character.to_string().into()))
}

fn built_in(function: &str, values: &[Const]) -> Option<Const> {
    match (function, values) {
        ("int", [Const::Int(number)]) => Some(Const::Int(*number)),
        ("int", [Const::Float(number)]) if number.is_finite() => Some(Const::Int(*number as i128)),
        ("int", [Const::Text(text)]) if text.is_ascii() => {
            Some(Const::Int(text.trim_ascii().parse().ok()?))
        }
        ("float", [value]) => Some(Const::Float(value.as_float()?)),
        ("abs", [Const::Int(number)]) if is_exact(*number) => {
            Some(Const::Int(number.saturating_abs()))
        }
        ("len", [value]) => Some(Const::Int(i128::from(value.length()?))),
        ("str", [value]) => Some(Const::Text(written(value)?.into())),
        ("pow", [Const::Int(base), Const::Int(exponent)]) if *exponent >= 0 => {
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
    // Beyond ASCII, Python and Rust do not agree on letters and white space.
    if !text.is_ascii() || text.contains(|c: char| ('\x1c'..='\x1f').contains(&c)) {
        return None;
    }
    let changed: String = match (method, values) {
        ("lower", []) => text.to_lowercase(),
        ("upper", []) => text.to_uppercase(),
        ("strip", []) => text.trim().to_owned(),
        ("swapcase", []) => text
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
            // `map(chr, [...])` and `reversed(text)`, where the names mean what they usually do.
            let function = call.func.as_name_expr()?.id.as_str();
            let is_known = matches!(function, "map" | "reversed") && folding.is_built_in(function);
            if !is_known || !call.arguments.keywords.is_empty() {
                return None;
            }
            let is_map = call
                .func
                .as_name_expr()
                .is_some_and(|name| name.id.as_str() == "map");
            match &*call.arguments.args {
                [Expr::Name(function), Expr::List(list)]
                    if is_map && function.id.as_str() == "chr" && folding.is_built_in("chr") =>
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
    forms::join(glue, &texts)
}

pub(super) fn join_characters(glue: &str, text: &str) -> Const {
    if glue.is_empty() {
        return Const::Text(text.into());
    }
    let characters = text.chars().count() as u64;
    let bytes = text
        .len()
        .saturating_add(text.len().saturating_mul(glue.len()));
    if bytes > TEXT_BYTES_MAX {
        let glue = (glue.chars().count() as u64).saturating_mul(characters.saturating_sub(1));
        return Const::Sequence(characters.saturating_add(glue));
    }
    let parts: Vec<String> = text.chars().map(String::from).collect();
    Const::Text(parts.join(glue).into())
}
