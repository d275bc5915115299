//! What words most likely come to when the shell expands them.
//!
//! A guess is only good for finding more: a command is judged as it is written first, with all that
//! is not known of it, and then once more as it is guessed. So what can change a variable unseen,
//! and how the shell splits and matches words, need not be followed to the last case.

use std::collections::HashMap;

use tree_sitter::Node;

use super::words::{Word, unescaped_ansi, unquoted};
use crate::tree::Script;

/// Variables whose values are kept, and the bytes of all their values.
const NAMES_MAX: usize = 4096;
const KEPT_BYTES_MAX: usize = 1 << 20;

/// Bytes of one value, and words that one expansion gives.
const VALUE_BYTES_MAX: usize = 4096;
const WORDS_MAX: usize = 256;

/// Nodes that are looked at for one script in all, and bytes that are put together.
const STEPS_MAX: u64 = 1 << 17;
const MADE_BYTES_MAX: u64 = 1 << 20;

/// Expansions inside each other that are followed.
const DEPTH_MAX: usize = 12;

/// The values of variables.
#[derive(Debug, Default)]
pub(super) struct Guesses {
    values: HashMap<String, Vec<String>>,
    kept_bytes: usize,
    pub(super) steps: u64,
    pub(super) made_bytes: u64,
}

/// The words that are being put together.
#[derive(Default)]
struct Fields {
    words: Vec<Word>,
    current: Option<Word>,
}

impl Fields {
    fn push(&mut self, text: &str) {
        let current = self.current.get_or_insert_default();
        if current.text.len() + text.len() <= VALUE_BYTES_MAX {
            current.text.push_str(text);
        } else {
            current.is_computed = true;
        }
    }

    fn unknown(&mut self) {
        self.current.get_or_insert_default().is_computed = true;
    }

    fn end(&mut self) {
        if let Some(word) = self.current.take()
            && self.words.len() < WORDS_MAX
        {
            self.words.push(word);
        }
    }

    /// Words that are split at white space, as an expansion outside of quotes is.
    fn push_split(&mut self, text: &str) {
        if text.starts_with(char::is_whitespace) {
            self.end();
        }
        for (number, part) in text.split_whitespace().enumerate() {
            if self.words.len() >= WORDS_MAX {
                return;
            }
            if number > 0 {
                self.end();
            }
            self.push(part);
        }
        if text.ends_with(char::is_whitespace) {
            self.end();
        }
    }

    fn push_all(&mut self, words: &[String]) {
        for (number, word) in words.iter().enumerate() {
            if number > 0 {
                self.end();
            }
            self.push(word);
        }
    }
}

impl Guesses {
    /// The words that a node most likely expands to.
    pub(super) fn words(&mut self, script: &Script, node: Node<'_>) -> Vec<Word> {
        let mut fields = Fields::default();
        self.expand(script, node, false, &mut fields, DEPTH_MAX);
        fields.end();
        let bytes: usize = fields.words.iter().map(|word| word.text.len()).sum();
        self.made_bytes = self.made_bytes.saturating_add(bytes as u64);
        fields.words
    }

    /// Keeps what an assignment gives to a variable.
    pub(super) fn assign(&mut self, script: &Script, name: &str, value: Node<'_>) {
        let mut values = Vec::new();
        if value.kind() == "array" {
            let mut cursor = value.walk();
            let elements: Vec<Node<'_>> =
                value.named_children(&mut cursor).take(WORDS_MAX).collect();
            for element in elements {
                values.extend(self.words(script, element));
            }
        } else {
            let mut fields = Fields::default();
            self.expand(script, value, true, &mut fields, DEPTH_MAX);
            fields.end();
            values = fields.words;
        }
        let texts = values.iter().map(|word| word.constant().map(str::to_owned));
        match texts.take(WORDS_MAX).collect::<Option<Vec<String>>>() {
            Some(texts) => self.set(name, texts),
            None => {
                self.values.remove(name);
            }
        }
    }

    /// Gives a variable its words.
    pub(super) fn set(&mut self, name: &str, words: Vec<String>) {
        let bytes: usize = words.iter().map(|word| word.len() + 24).sum();
        self.kept_bytes = self.kept_bytes.saturating_add(bytes);
        let has_room = self.values.len() < NAMES_MAX && self.kept_bytes <= KEPT_BYTES_MAX;
        if has_room && bytes <= 4 * VALUE_BYTES_MAX {
            self.values.insert(name.to_owned(), words);
        } else {
            self.values.remove(name);
        }
    }

    fn expand(
        &mut self,
        script: &Script,
        node: Node<'_>,
        is_quoted: bool,
        fields: &mut Fields,
        depth: usize,
    ) {
        self.steps = self.steps.saturating_add(1);
        let is_spent = self.steps > STEPS_MAX || self.made_bytes > MADE_BYTES_MAX;
        let is_long = node.end_byte() - node.start_byte() > VALUE_BYTES_MAX;
        let Some(depth) = depth.checked_sub(1).filter(|_| !is_spent && !is_long) else {
            return fields.unknown();
        };
        match node.kind() {
            "word" | "number" | "variable_name" => fields.push(&unquoted(&script.text(node))),
            "raw_string" => fields.push(script.text(node).trim_matches('\'')),
            "string_content" => fields.push(&script.text(node).replace("\\$", "$")),
            "ansi_c_string" => match unescaped_ansi(&script.text(node)) {
                Some(text) => fields.push(&text),
                None => fields.unknown(),
            },
            "string" | "translated_string" => {
                fields.push("");
                let mut end = node.start_byte() + 1;
                let mut cursor = node.walk();
                for part in node.named_children(&mut cursor).take(WORDS_MAX) {
                    fields.push(&script.slice(end, part.start_byte()));
                    self.expand(script, part, true, fields, depth);
                    end = part.end_byte();
                }
                fields.push(&script.slice(end, node.end_byte().saturating_sub(1)));
            }
            "concatenation" | "command_name" => {
                let mut cursor = node.walk();
                for part in node.named_children(&mut cursor).take(WORDS_MAX) {
                    self.expand(script, part, is_quoted, fields, depth);
                }
            }
            "simple_expansion" | "expansion" => {
                match self.parameter(&script.text(node)) {
                    Some(words) if is_quoted => fields.push_all(&words),
                    Some(words) => words.iter().enumerate().for_each(|(number, word)| {
                        if number > 0 {
                            fields.end();
                        }
                        fields.push_split(word);
                    }),
                    None => fields.unknown(),
                };
            }
            "command_substitution" => match self.printed(script, node, depth) {
                Some(text) if is_quoted => fields.push(&text),
                Some(text) => fields.push_split(&text),
                None => fields.unknown(),
            },
            _ => fields.unknown(),
        }
    }

    /// What `$name`, `${name}` and the like come to.
    fn parameter(&mut self, text: &str) -> Option<Vec<String>> {
        let bare = text.strip_prefix('$')?;
        let bare = bare
            .strip_prefix('{')
            .and_then(|bare| bare.strip_suffix('}'))
            .unwrap_or(bare);
        let is_name = |character: char| character.is_ascii_alphanumeric() || character == '_';
        let name_of = |text: &str| -> String { text.chars().take_while(|c| is_name(*c)).collect() };
        if let Some(indirect) = bare.strip_prefix('!') {
            let name = self.values.get(&name_of(indirect))?.first()?.clone();
            return self.values.get(&name).cloned();
        }
        if matches!(bare, "@" | "*") {
            return self.values.get("@").cloned();
        }
        let name = name_of(bare);
        let rest = bare.get(name.len()..).unwrap_or_default();
        let known = self.values.get(&name);
        let words = match rest {
            "" if name == "IFS" && known.is_none() => vec![" ".to_owned()],
            "" => vec![known?.first()?.clone()],
            "[@]" | "[*]" => known?.clone(),
            _ => {
                let or_else = [":-", ":=", "-", "="]
                    .into_iter()
                    .find_map(|mark| rest.strip_prefix(mark));
                match (known.and_then(|known| known.first()), or_else) {
                    (Some(value), Some(_)) => vec![value.clone()],
                    (None, Some(instead)) => vec![unquoted(instead)],
                    (Some(value), None) => vec![substring(value, rest.strip_prefix(':')?)?],
                    (None, None) => return None,
                }
            }
        };
        let bytes: usize = words.iter().map(String::len).sum();
        self.made_bytes = self.made_bytes.saturating_add(bytes as u64);
        Some(words)
    }

    /// What a substitution prints that is one `echo` or `printf`.
    fn printed(&mut self, script: &Script, node: Node<'_>, depth: usize) -> Option<String> {
        let command = node
            .named_child(0)
            .filter(|_| node.named_child_count() == 1)?;
        if command.kind() != "command" {
            return None;
        }
        let mut fields = Fields::default();
        let mut cursor = command.walk();
        for part in command.named_children(&mut cursor).take(WORDS_MAX) {
            self.expand(script, part, false, &mut fields, depth);
            fields.end();
        }
        let texts: Option<Vec<&str>> = fields.words.iter().map(Word::constant).collect();
        let texts = texts?;
        let (name, arguments) = texts.split_first()?;
        match *name {
            "echo" => Some(arguments.join(" ")),
            "printf" => formatted(arguments),
            _ => None,
        }
    }
}

/// `${value:start:length}`.
fn substring(value: &str, places: &str) -> Option<String> {
    let (start, length) = places.split_once(':').unwrap_or((places, "4096"));
    let (start, length) = (start.trim().parse().ok()?, length.trim().parse().ok()?);
    Some(value.chars().skip(start).take(length).collect())
}

/// What `printf` makes of a format and its arguments.
fn formatted(arguments: &[&str]) -> Option<String> {
    let (format, values) = arguments.split_first()?;
    let format = unescaped_ansi(format)?;
    let mut values = values.iter();
    let mut made = String::new();
    let mut pieces = format.split('%');
    made.push_str(pieces.next()?);
    for piece in pieces {
        let mark = piece.chars().next();
        if !matches!(mark, Some('s' | 'b' | 'd')) {
            return None;
        }
        let value = values.next().copied().unwrap_or_default();
        if mark == Some('b') {
            made.push_str(&unescaped_ansi(value)?);
        } else {
            made.push_str(value);
        }
        made.push_str(piece.get(1..)?);
        if made.len() > VALUE_BYTES_MAX {
            return None;
        }
    }
    Some(made.trim_end_matches('\n').to_owned())
}
