//! Texts that are written down, or follow from those by plain means: joined, turned around, made
//! of character codes, decoded from base64.

use std::collections::{HashMap, HashSet};

use tree_sitter::Node;

use super::{TEXT_BYTES_MAX, arguments, string, text, unescaped};
use crate::tree::Script;

/// Names that are remembered.
const NAMES_MAX: usize = 20_000;

/// Expressions inside expressions that are followed.
const DEPTH_MAX: usize = 24;

/// Elements of one list that are looked at.
const ELEMENTS_MAX: usize = 1024;

/// A value that is known.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Value {
    Text(String),
    Number(u32),
    Bytes(Vec<u8>),
    List(Vec<Value>),
}

impl Value {
    fn into_text(self) -> Option<String> {
        match self {
            Self::Text(text) => (text.len() <= TEXT_BYTES_MAX).then_some(text),
            Self::Number(number) => Some(number.to_string()),
            Self::Bytes(_) | Self::List(_) => None,
        }
    }
}

/// The names of a program that always stand for the same text or list.
#[derive(Debug, Default)]
pub(super) struct Texts {
    /// `None` for names that stand for different things.
    values: HashMap<String, Option<Value>>,
    /// Names whose lists may be changed.
    open: HashSet<String>,
}

impl Texts {
    /// Notes what a name is bound to in one place.
    pub(super) fn bind(&mut self, script: &Script, name: String, value: Option<Node<'_>>) {
        let value = value.and_then(|value| self.value(script, value, DEPTH_MAX));
        if self.values.len() >= NAMES_MAX && !self.values.contains_key(&name) {
            return;
        }
        self.values
            .entry(name)
            .and_modify(|known| {
                if *known != value {
                    *known = None;
                }
            })
            .or_insert(value);
    }

    /// Notes that a name is handed to where the list it stands for can be changed.
    pub(super) fn hand_out(&mut self, name: String) {
        if self.open.len() < NAMES_MAX {
            self.open.insert(name);
        } else {
            self.values.clear();
        }
    }

    /// The text that an expression always comes to.
    pub(super) fn fold(&self, script: &Script, node: Node<'_>) -> Option<String> {
        self.value(script, node, DEPTH_MAX)?.into_text()
    }

    fn value(&self, script: &Script, node: Node<'_>, depth: usize) -> Option<Value> {
        let depth = depth.checked_sub(1)?;
        if node.end_byte() - node.start_byte() > TEXT_BYTES_MAX {
            return None;
        }
        match node.kind() {
            "string" => string(script, node).map(Value::Text),
            "template_string" => self.template(script, node, depth),
            "number" => text(script, node).parse().ok().map(Value::Number),
            "identifier" => {
                let name = text(script, node);
                let known = self.values.get(&name)?.clone()?;
                let is_open = matches!(known, Value::List(_)) && self.open.contains(&name);
                (!is_open).then_some(known)
            }
            "parenthesized_expression" => self.value(script, node.named_child(0)?, depth),
            "binary_expression" => {
                if node.child_by_field_name("operator")?.kind() != "+" {
                    return None;
                }
                let side = |field| {
                    let side = node.child_by_field_name(field)?;
                    self.value(script, side, depth)
                };
                match (side("left")?, side("right")?) {
                    (Value::Number(_), Value::Number(_)) => None,
                    (left, right) => Some(Value::Text(left.into_text()? + &right.into_text()?)),
                }
            }
            "array" => {
                let mut cursor = node.walk();
                let elements = node.named_children(&mut cursor);
                let elements = elements.filter(|element| element.kind() != "comment");
                if node.named_child_count() > ELEMENTS_MAX {
                    return None;
                }
                let values: Option<Vec<Value>> = elements
                    .map(|element| self.value(script, element, depth))
                    .collect();
                values.map(Value::List)
            }
            "subscript_expression" => {
                let list = self.value(script, node.child_by_field_name("object")?, depth)?;
                let index = self.value(script, node.child_by_field_name("index")?, depth)?;
                match (list, index) {
                    (Value::List(list), Value::Number(index)) => {
                        list.get(usize::try_from(index).ok()?).cloned()
                    }
                    (Value::Text(text), Value::Number(index)) => {
                        let letter = text.chars().nth(usize::try_from(index).ok()?)?;
                        Some(Value::Text(letter.to_string()))
                    }
                    _ => None,
                }
            }
            "call_expression" => self.call(script, node, depth),
            _ => None,
        }
    }

    fn template(&self, script: &Script, node: Node<'_>, depth: usize) -> Option<Value> {
        let mut cursor = node.walk();
        let mut made = String::new();
        for part in node.named_children(&mut cursor) {
            match part.kind() {
                "string_fragment" => made.push_str(&script.text(part)),
                "escape_sequence" => made.push(unescaped(&script.text(part))?),
                "template_substitution" => {
                    let value = self.value(script, part.named_child(0)?, depth)?;
                    made.push_str(&value.into_text()?);
                }
                _ => return None,
            }
        }
        Some(Value::Text(made))
    }

    fn call(&self, script: &Script, call: Node<'_>, depth: usize) -> Option<Value> {
        let function = call.child_by_field_name("function")?;
        let given = arguments(call);
        if function.kind() == "identifier" {
            let encoded = self.value(script, *given.first()?, depth)?.into_text()?;
            return match text(script, function).as_str() {
                "atob" => letters(&crate::base64::decode(&encoded)?),
                _ => None,
            };
        }
        let object = function.child_by_field_name("object")?;
        let method = text(script, function.child_by_field_name("property")?);
        if object.kind() == "identifier" {
            match (text(script, object).as_str(), method.as_str()) {
                ("String", "fromCharCode" | "fromCodePoint") => {
                    return self.characters(script, &given, depth);
                }
                ("Buffer", "from") => return self.buffer(script, &given, depth),
                _ => {}
            }
        }
        let value = self.value(script, object, depth)?;
        let mut texts = Vec::new();
        for argument in &given {
            texts.push(self.value(script, *argument, depth)?.into_text()?);
        }
        method_of(value, &method, &texts)
    }

    fn characters(&self, script: &Script, given: &[Node<'_>], depth: usize) -> Option<Value> {
        let mut made = String::new();
        let mut add = |value: Value| {
            let Value::Number(code) = value else {
                return None;
            };
            made.push(char::from_u32(code)?);
            Some(())
        };
        for argument in given {
            if argument.kind() != "spread_element" {
                add(self.value(script, *argument, depth)?)?;
            } else if let Value::List(list) = self.value(script, argument.named_child(0)?, depth)? {
                for code in list {
                    add(code)?;
                }
            } else {
                return None;
            }
        }
        // Arguments beyond those that are looked at would be left out.
        (given.len() < 8).then_some(Value::Text(made))
    }

    fn buffer(&self, script: &Script, given: &[Node<'_>], depth: usize) -> Option<Value> {
        let source = self.value(script, *given.first()?, depth)?;
        let encoding = match given.get(1) {
            Some(encoding) => self.value(script, *encoding, depth)?.into_text()?,
            None => "utf8".to_owned(),
        };
        let bytes = match (source, encoding.as_str()) {
            (Value::Text(text), "base64" | "base64url") => crate::base64::decode(&text)?,
            (Value::Text(text), "hex") => hexadecimal(&text)?,
            (Value::Text(text), "utf8" | "utf-8") => text.into_bytes(),
            (Value::List(list), _) => list
                .into_iter()
                .map(|value| match value {
                    Value::Number(number) => u8::try_from(number).ok(),
                    _ => None,
                })
                .collect::<Option<Vec<u8>>>()?,
            _ => return None,
        };
        Some(Value::Bytes(bytes))
    }
}

/// A method of a text, list or buffer that changes nothing.
fn method_of(value: Value, method: &str, given: &[String]) -> Option<Value> {
    match (value, method, given) {
        (Value::Text(text), "split", [separator]) if separator.is_empty() => {
            let letters = text.chars().map(|letter| Value::Text(letter.to_string()));
            Some(Value::List(letters.collect()))
        }
        (Value::Text(text), "split", [separator]) => {
            let parts = text.split(separator.as_str());
            Some(Value::List(
                parts.map(|part| Value::Text(part.to_owned())).collect(),
            ))
        }
        // Patterns are not followed, and a dollar sign has a meaning of its own.
        (Value::Text(text), "replace" | "replaceAll", [from, to]) if !to.contains('$') => {
            let times = if method == "replace" { 1 } else { usize::MAX };
            let made = text.replacen(from.as_str(), to, times);
            (made.len() <= TEXT_BYTES_MAX).then_some(Value::Text(made))
        }
        (Value::Text(text), "concat", given) => Some(Value::Text(text + &given.concat())),
        (Value::Text(text), "toLowerCase", []) => Some(Value::Text(text.to_lowercase())),
        (Value::Text(text), "trim" | "toString", []) => Some(Value::Text(text.trim().to_owned())),
        (Value::List(list), "reverse", []) => Some(Value::List(list.into_iter().rev().collect())),
        (Value::List(list), "join", given) => {
            let separator = given.first().map_or(",", String::as_str);
            let texts: Option<Vec<String>> = list.into_iter().map(Value::into_text).collect();
            Some(Value::Text(texts?.join(separator)))
        }
        (Value::Bytes(bytes), "toString", given) => {
            let is_text = given
                .first()
                .is_none_or(|encoding| matches!(&**encoding, "utf8" | "utf-8" | "ascii"));
            let text = String::from_utf8(bytes).ok().filter(|_| is_text)?;
            Some(Value::Text(text))
        }
        _ => None,
    }
}

/// A text with one character for each byte.
fn letters(bytes: &[u8]) -> Option<Value> {
    Some(Value::Text(
        bytes.iter().map(|byte| char::from(*byte)).collect(),
    ))
}

fn hexadecimal(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u32> = text
        .chars()
        .map(|digit| digit.to_digit(16))
        .collect::<Option<_>>()?;
    let values = digits
        .chunks_exact(2)
        .map(|pair| pair.iter().fold(0, |value, digit| value * 16 + digit));
    values.map(|value| u8::try_from(value).ok()).collect()
}
