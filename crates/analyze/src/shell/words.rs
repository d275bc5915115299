//! Words of a command: their text where it is constant.

use tree_sitter::Node;

use super::constants::Constants;
use super::printed::{printed, unescaped};
use crate::tree::Script;

/// The longest word that is looked at, in bytes. Longer ones count as computed.
const WORD_BYTES_MAX: usize = 64 * 1024;

/// Parts of one word that are looked at.
const PARTS_MAX: usize = 1024;

/// Strings inside concatenations inside strings that are followed.
const DEPTH_MAX: usize = 8;

/// One word.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Word {
    /// The text, with nothing in place of what is computed.
    pub(super) text: String,
    /// Whether some of it is computed: an expansion, a substitution.
    pub(super) is_computed: bool,
}

impl Word {
    /// The text, if all of it is constant.
    pub(super) fn constant(&self) -> Option<&str> {
        (!self.is_computed).then_some(self.text.as_str())
    }

    /// Whether it is an option, such as `-n`.
    pub(super) fn is_option(&self) -> bool {
        self.text.len() > 1 && self.text.starts_with('-')
    }
}

/// The word that a node stands for.
pub(super) fn word(script: &Script, node: Node<'_>, constants: &Constants) -> Word {
    let mut word = Word::default();
    append(script, node, constants, &mut word, DEPTH_MAX);
    word
}

/// The words that a node stands for: several when it is an expansion that is split, or an array.
pub(super) fn words(script: &Script, node: Node<'_>, constants: &Constants) -> Vec<Word> {
    let plain = |text: &str| Word {
        text: text.to_owned(),
        is_computed: false,
    };
    let mut inner = node;
    while matches!(inner.kind(), "command_name" | "string") && inner.named_child_count() == 1 {
        let Some(child) = inner.named_child(0) else {
            break;
        };
        inner = child;
    }
    let at = node.start_byte();
    let text = script.text(inner);
    let is_whole = script.text(node).trim_matches('"').len() == text.len();
    let bare = text.trim_start_matches(['$', '{']).trim_end_matches('}');
    let array = match bare {
        "@" | "*" => Some("@"),
        bare => bare
            .strip_suffix("[@]")
            .or_else(|| bare.strip_suffix("[*]")),
    };
    if is_expansion(inner) && is_whole {
        if let Some(known) = array.and_then(|array| constants.words(array, at)) {
            return known.iter().map(|word| plain(word)).collect();
        }
        let is_split = !script.text(node).starts_with('"');
        if let Some(value) = named(script, inner).and_then(|name| constants.value(&name, at))
            && is_split
        {
            return value.split_whitespace().map(plain).collect();
        }
    }
    vec![word(script, node, constants)]
}

fn is_expansion(node: Node<'_>) -> bool {
    matches!(node.kind(), "simple_expansion" | "expansion")
}

/// The variable whose value an expansion takes as it is.
fn named(script: &Script, expansion: Node<'_>) -> Option<String> {
    let text = script.text(expansion);
    let bare = text.strip_prefix('$')?;
    let bare = bare
        .strip_prefix('{')
        .and_then(|bare| bare.strip_suffix('}'))
        .unwrap_or(bare);
    let is_name = |character: char| character.is_ascii_alphanumeric() || character == '_';
    (!bare.is_empty() && bare.chars().all(is_name)).then(|| bare.to_owned())
}

/// What a substitution of one command that only prints comes to.
fn substituted(
    script: &Script,
    node: Node<'_>,
    constants: &Constants,
    depth: usize,
) -> Option<String> {
    let command = node
        .named_child(0)
        .filter(|_| node.named_child_count() == 1)?;
    if command.kind() != "command" {
        return None;
    }
    let mut cursor = command.walk();
    let mut texts = Vec::new();
    for part in command.named_children(&mut cursor).take(PARTS_MAX) {
        let mut part_word = Word::default();
        append(script, part, constants, &mut part_word, depth);
        texts.push(part_word.constant()?.to_owned());
    }
    let (name, arguments) = texts.split_first()?;
    printed(name, arguments)
}

fn append(script: &Script, node: Node<'_>, constants: &Constants, word: &mut Word, depth: usize) {
    let Some(depth) = depth.checked_sub(1) else {
        word.is_computed = true;
        return;
    };
    if node.end_byte() - node.start_byte() > WORD_BYTES_MAX {
        word.is_computed = true;
        return;
    }
    match node.kind() {
        "word" | "number" | "extglob_pattern" | "regex" => {
            unescape(&script.text(node), word);
        }
        "raw_string" => word.text.push_str(inside(&script.text(node), "'")),
        "string_content" => unescape_quoted(&script.text(node), word),
        "ansi_c_string" => {
            let text = script.text(node);
            let text = text.strip_prefix('$').unwrap_or(&text);
            match unescaped(inside(text, "'")) {
                Some(text) => word.text.push_str(&text),
                None => word.is_computed = true,
            }
        }
        "string" | "translated_string" | "concatenation" | "command_name" => {
            parts(script, node, constants, word, depth);
        }
        "simple_expansion" | "expansion" => {
            let name = named(script, node);
            match name.and_then(|name| constants.value(&name, node.start_byte())) {
                Some(value) => word.text.push_str(value),
                None => word.is_computed = true,
            }
        }
        "command_substitution" => match substituted(script, node, constants, depth) {
            Some(text) => word.text.push_str(&text),
            None => word.is_computed = true,
        },
        "brace_expression" => word.text.push_str(&script.text(node)),
        _ => word.is_computed = true,
    }
}

/// The parts of a string or concatenation, with the white space that stands between them.
fn parts(script: &Script, node: Node<'_>, constants: &Constants, word: &mut Word, depth: usize) {
    let is_string = node.kind() == "string";
    let mut cursor = node.walk();
    let mut end = node.start_byte() + usize::from(is_string);
    for (number, part) in node.named_children(&mut cursor).enumerate() {
        if number >= PARTS_MAX {
            word.is_computed = true;
            return;
        }
        if is_string {
            word.text.push_str(&script.slice(end, part.start_byte()));
        }
        append(script, part, constants, word, depth);
        end = part.end_byte();
    }
    if is_string {
        word.text
            .push_str(&script.slice(end, node.end_byte().saturating_sub(1)));
    }
}

fn inside<'a>(text: &'a str, quote: &str) -> &'a str {
    let text = text.strip_prefix(quote).unwrap_or(text);
    text.strip_suffix(quote).unwrap_or(text)
}

/// Outside of quotes a backslash keeps the next character as it is, and hides a line break.
fn unescape(text: &str, word: &mut Word) {
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some('\n') | None => {}
                Some(next) => word.text.push(next),
            },
            other => word.text.push(other),
        }
    }
}

/// Inside double quotes only some characters can be escaped.
fn unescape_quoted(text: &str, word: &mut Word) {
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        if character == '\\' {
            match characters.peek() {
                Some('$' | '`' | '"' | '\\') => {}
                Some('\n') => {
                    characters.next();
                    continue;
                }
                _ => word.text.push('\\'),
            }
            if let Some(next) = characters.next() {
                word.text.push(next);
            }
        } else {
            word.text.push(character);
        }
    }
}
