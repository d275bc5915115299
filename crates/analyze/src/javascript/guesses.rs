//! What texts most likely are that a program puts together: out of pieces, turned around, in
//! base64, out of character codes.
//!
//! A guess is only good for finding more. Scopes, loops and everything a program can do to a name
//! between two places are not thought of, so what is guessed is always reported as not known, too.

use std::cell::Cell;
use std::collections::HashMap;

use tree_sitter::Node;

use super::{TEXT_BYTES_MAX, arguments, string, text};
use crate::base64;
use crate::tree::Script;

/// Names whose values are kept, and their bytes in all.
const NAMES_MAX: usize = 10_000;
const KEPT_BYTES_MAX: usize = 1 << 20;

/// Nodes that are looked at for one program in all, and bytes of values that are made.
const STEPS_MAX: u64 = 1 << 18;
const VALUE_BYTES_MAX: u64 = 2 << 20;

/// Elements of a list, and expressions inside each other that are followed.
const ELEMENTS_MAX: usize = 256;
const DEPTH_MAX: usize = 24;

/// A value. Numbers are texts as well.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Guess {
    Text(String),
    List(Vec<String>),
    Object(Vec<(String, String)>),
}

impl Guess {
    fn bytes(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::List(elements) => elements.iter().map(|element| element.len() + 32).sum(),
            Self::Object(pairs) => pairs
                .iter()
                .map(|pair| pair.0.len() + pair.1.len() + 64)
                .sum(),
        }
    }
}

/// The values of names.
#[derive(Debug, Default)]
pub(super) struct Guesses {
    values: HashMap<String, Guess>,
    kept_bytes: usize,
    pub(super) steps: Cell<u64>,
    pub(super) value_bytes: Cell<u64>,
}

impl Guesses {
    /// Keeps the first value that a name gets.
    pub(super) fn bind(&mut self, script: &Script, name: Node<'_>, value: Node<'_>) {
        if name.kind() != "identifier" || self.values.len() >= NAMES_MAX {
            return;
        }
        let name = text(script, name);
        if self.values.contains_key(&name) {
            return;
        }
        let Some(value) = self.value(script, value, DEPTH_MAX) else {
            return;
        };
        self.kept_bytes = self.kept_bytes.saturating_add(value.bytes());
        if self.kept_bytes <= KEPT_BYTES_MAX {
            self.values.insert(name, value);
        }
    }

    /// The text that an expression most likely comes to.
    pub(super) fn text(&self, script: &Script, node: Node<'_>) -> Option<String> {
        match self.value(script, node, DEPTH_MAX)? {
            Guess::Text(text) => Some(text),
            _ => None,
        }
    }

    fn value(&self, script: &Script, node: Node<'_>, depth: usize) -> Option<Guess> {
        let depth = depth.checked_sub(1)?;
        let steps = self
            .steps
            .get()
            .checked_add(1)
            .filter(|steps| *steps <= STEPS_MAX)?;
        self.steps.set(steps);
        let value = self.part(script, node, depth)?;
        let made = self.value_bytes.get().saturating_add(value.bytes() as u64);
        let is_short = match &value {
            Guess::Text(text) => text.len() <= TEXT_BYTES_MAX,
            Guess::List(elements) => elements.len() <= ELEMENTS_MAX,
            Guess::Object(pairs) => pairs.len() <= ELEMENTS_MAX,
        };
        if !is_short || value.bytes() > 16 * TEXT_BYTES_MAX || made > VALUE_BYTES_MAX {
            return None;
        }
        self.value_bytes.set(made);
        Some(value)
    }

    fn inner_text(&self, script: &Script, node: Node<'_>, depth: usize) -> Option<String> {
        match self.value(script, node, depth)? {
            Guess::Text(text) => Some(text),
            _ => None,
        }
    }

    fn part(&self, script: &Script, node: Node<'_>, depth: usize) -> Option<Guess> {
        let field = |name| node.child_by_field_name(name);
        match node.kind() {
            "string" => string(script, node).map(Guess::Text),
            "number" => Some(Guess::Text(text(script, node))),
            "template_string" => self.template(script, node, depth).map(Guess::Text),
            "identifier" => self.values.get(&text(script, node)).cloned(),
            "parenthesized_expression" => self.value(script, node.named_child(0)?, depth),
            "binary_expression" if field("operator")?.kind() == "+" => {
                let left = self.inner_text(script, field("left")?, depth)?;
                let right = self.inner_text(script, field("right")?, depth)?;
                Some(Guess::Text(left + &right))
            }
            "array" => {
                let mut cursor = node.walk();
                let mut elements = Vec::new();
                for element in node.named_children(&mut cursor).take(ELEMENTS_MAX) {
                    elements.push(self.inner_text(script, element, depth)?);
                }
                Some(Guess::List(elements))
            }
            "object" => self.object(script, node, depth),
            "subscript_expression" => {
                let object = self.value(script, field("object")?, depth)?;
                let key = self.inner_text(script, field("index")?, depth)?;
                member(&object, &key)
            }
            "member_expression" => {
                let object = self.value(script, field("object")?, depth)?;
                member(&object, &text(script, field("property")?))
            }
            "call_expression" => self.call(script, node, depth),
            _ => None,
        }
    }

    fn template(&self, script: &Script, node: Node<'_>, depth: usize) -> Option<String> {
        if let Some(text) = string(script, node) {
            return Some(text);
        }
        let mut made = String::new();
        let mut cursor = node.walk();
        for part in node.named_children(&mut cursor).take(ELEMENTS_MAX) {
            match part.kind() {
                "string_fragment" => made.push_str(&text(script, part)),
                "template_substitution" => {
                    made.push_str(&self.inner_text(script, part.named_child(0)?, depth)?);
                }
                _ => return None,
            }
            if made.len() > TEXT_BYTES_MAX {
                return None;
            }
        }
        Some(made)
    }

    fn object(&self, script: &Script, node: Node<'_>, depth: usize) -> Option<Guess> {
        let mut pairs = Vec::new();
        let mut cursor = node.walk();
        for pair in node.named_children(&mut cursor).take(ELEMENTS_MAX) {
            let key = pair.child_by_field_name("key");
            let value = pair.child_by_field_name("value");
            if let (Some(key), Some(value)) = (key, value)
                && let Some(value) = self.inner_text(script, value, depth)
            {
                let key = string(script, key).unwrap_or_else(|| text(script, key));
                pairs.push((key, value));
            }
        }
        Some(Guess::Object(pairs))
    }

    fn call(&self, script: &Script, node: Node<'_>, depth: usize) -> Option<Guess> {
        let function = node.child_by_field_name("function")?;
        let given = arguments(node);
        let argument = |index: usize| self.inner_text(script, *given.get(index)?, depth);
        let is_short = function.end_byte() - function.start_byte() <= FUNCTION_BYTES_MAX;
        let whole = if is_short {
            text(script, function)
        } else {
            String::new()
        };
        match whole.as_str() {
            "atob" => return decoded(&argument(0)?, "base64"),
            "Buffer.from" => return decoded(&argument(0)?, argument(1).as_deref().unwrap_or("")),
            "String" => return argument(0).map(Guess::Text),
            "String.fromCharCode" | "String.fromCodePoint" => {
                let mut codes = Vec::new();
                for argument in &given {
                    match self.value(script, spread(*argument), depth)? {
                        Guess::Text(code) => codes.push(code),
                        Guess::List(elements) => codes.extend(elements),
                        Guess::Object(_) => return None,
                    }
                }
                return characters(&codes).map(Guess::Text);
            }
            _ => {}
        }
        let object = self.value(script, function.child_by_field_name("object")?, depth)?;
        let method = text(script, function.child_by_field_name("property")?);
        match (object, method.as_str()) {
            (object, "toString") => Some(object),
            (Guess::Text(text), "split") => {
                let separator = argument(0)?;
                let parts: Vec<String> = if separator.is_empty() {
                    text.chars().take(ELEMENTS_MAX).map(String::from).collect()
                } else {
                    let parts = text.split(&separator).take(ELEMENTS_MAX);
                    parts.map(str::to_owned).collect()
                };
                Some(Guess::List(parts))
            }
            (Guess::Text(text), "concat") => {
                let mut made = text;
                for index in 0..given.len() {
                    made.push_str(&argument(index)?);
                    if made.len() > TEXT_BYTES_MAX {
                        return None;
                    }
                }
                Some(Guess::Text(made))
            }
            (Guess::Text(text), "replace" | "replaceAll") => {
                let (from, to) = (argument(0)?, argument(1)?);
                let times = if method == "replace" {
                    1
                } else {
                    TEXT_BYTES_MAX
                };
                let found = text.matches(&from).count().min(times);
                if from.is_empty() || text.len() + found * to.len() > TEXT_BYTES_MAX {
                    return None;
                }
                Some(Guess::Text(text.replacen(&from, &to, times)))
            }
            (Guess::Text(text), "toLowerCase") => Some(Guess::Text(text.to_lowercase())),
            (Guess::Text(text), "toUpperCase") => Some(Guess::Text(text.to_uppercase())),
            (Guess::Text(text), "trim") => Some(Guess::Text(text.trim().to_owned())),
            (Guess::List(mut elements), "reverse") => {
                elements.reverse();
                Some(Guess::List(elements))
            }
            (Guess::List(elements), "map") => {
                let by = text(script, *given.first()?);
                let characters = elements
                    .iter()
                    .map(|code| characters(std::slice::from_ref(code)));
                let characters: Option<Vec<String>> = characters.collect();
                by.contains("fromCharCode")
                    .then_some(Guess::List(characters?))
            }
            (Guess::List(elements), "join") => {
                let glue = argument(0).unwrap_or_else(|| ",".to_owned());
                let bytes: usize = elements
                    .iter()
                    .map(|element| element.len() + glue.len())
                    .sum();
                (bytes <= TEXT_BYTES_MAX).then(|| Guess::Text(elements.join(&glue)))
            }
            _ => None,
        }
    }
}

/// The longest name of a function that is known here.
const FUNCTION_BYTES_MAX: usize = 32;

/// The list in `...list`.
fn spread(argument: Node<'_>) -> Node<'_> {
    let inner = argument.named_child(0);
    inner
        .filter(|_| argument.kind() == "spread_element")
        .unwrap_or(argument)
}

fn member(object: &Guess, key: &str) -> Option<Guess> {
    match object {
        Guess::Text(text) => {
            let letter = text.chars().nth(key.parse().ok()?)?;
            Some(Guess::Text(letter.to_string()))
        }
        Guess::List(elements) => elements
            .get(key.parse::<usize>().ok()?)
            .cloned()
            .map(Guess::Text),
        Guess::Object(pairs) => {
            let pair = pairs.iter().rev().find(|pair| pair.0 == key)?;
            Some(Guess::Text(pair.1.clone()))
        }
    }
}

fn decoded(text: &str, encoding: &str) -> Option<Guess> {
    let bytes = match encoding {
        "base64" | "base64url" => base64::decode(text)?,
        "hex" => {
            let digits: Option<Vec<u32>> = text.chars().map(|digit| digit.to_digit(16)).collect();
            let pairs = digits?;
            let byte = |pair: &[u32]| {
                let value = pair.iter().fold(0, |value, digit| value * 16 + digit);
                u8::try_from(value).unwrap_or_default()
            };
            pairs.chunks_exact(2).map(byte).collect()
        }
        _ => text.as_bytes().to_vec(),
    };
    String::from_utf8(bytes).ok().map(Guess::Text)
}

/// The text of character codes.
fn characters(codes: &[String]) -> Option<String> {
    let character = |code: &String| {
        let digits = code
            .strip_prefix("0x")
            .map(|digits| u32::from_str_radix(digits, 16).ok());
        char::from_u32(digits.unwrap_or_else(|| code.parse().ok())?)
    };
    codes.iter().map(character).collect()
}
