//! Words of a command: their text where it is constant.

use tree_sitter::Node;

use crate::tree::Script;

/// The longest word that is looked at, in bytes. Longer ones count as computed.
const WORD_BYTES_MAX: usize = 64 * 1024;

/// Parts of one word that are looked at.
const PARTS_MAX: usize = 1024;

/// Strings inside concatenations inside strings that are followed.
const DEPTH_MAX: usize = 4;

/// One word.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Word {
    /// The text, with nothing in place of what is computed.
    pub(super) text: String,
    /// Whether some of it is computed: an expansion, a substitution.
    pub(super) is_computed: bool,
    /// Whether the shell replaces it by the files or the list that it stands for.
    pub(super) is_pattern: bool,
}

impl Word {
    /// The text, if all of it is constant.
    pub(super) fn constant(&self) -> Option<&str> {
        (!self.is_computed && !self.is_pattern).then_some(self.text.as_str())
    }

    /// Whether it is an option, such as `-n`.
    pub(super) fn is_option(&self) -> bool {
        self.text.len() > 1 && self.text.starts_with('-')
    }
}

/// The word that a node stands for.
pub(super) fn word(script: &Script, node: Node<'_>) -> Word {
    let mut word = Word::default();
    append(script, node, &mut word, DEPTH_MAX);
    // Words of the grammar by themselves.
    if matches!(&*word.text, "[" | "]" | "{" | "}") {
        word.is_pattern = false;
    }
    word
}

fn append(script: &Script, node: Node<'_>, word: &mut Word, depth: usize) {
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
            let text = script.text(node);
            word.is_pattern |= node.kind() == "extglob_pattern" || is_pattern(&text);
            unescape(&text, word);
        }
        "raw_string" => word.text.push_str(inside(&script.text(node), "'")),
        "string_content" => unescape_quoted(&script.text(node), word),
        "ansi_c_string" => {
            let text = script.text(node);
            let text = text.strip_prefix('$').unwrap_or(&text);
            word.is_computed |= text.contains('\\');
            word.text.push_str(inside(text, "'"));
        }
        "string" | "translated_string" | "concatenation" | "command_name" => {
            parts(script, node, word, depth);
        }
        "brace_expression" => {
            word.is_pattern = true;
            word.text.push_str(&script.text(node));
        }
        _ => word.is_computed = true,
    }
}

/// The parts of a string or concatenation, with the white space that stands between them.
fn parts(script: &Script, node: Node<'_>, word: &mut Word, depth: usize) {
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
        append(script, part, word, depth);
        end = part.end_byte();
    }
    if is_string {
        word.text
            .push_str(&script.slice(end, node.end_byte().saturating_sub(1)));
    }
}

/// Whether a word outside of quotes stands for the files it matches, or for a list.
fn is_pattern(text: &str) -> bool {
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => {
                characters.next();
            }
            '*' | '?' | '[' | '{' => return true,
            _ => {}
        }
    }
    false
}

/// A word without the backslashes and quotes in it.
pub(super) fn unquoted(text: &str) -> String {
    let mut word = Word::default();
    unescape(text, &mut word);
    word.text.replace(['"', '\''], "")
}

/// The text of `$'...'`, or of a format of `printf`. `None` for what is not a text.
pub(super) fn unescaped_ansi(text: &str) -> Option<String> {
    let text = text
        .strip_prefix("$'")
        .and_then(|text| text.strip_suffix('\''))
        .unwrap_or(text);
    let mut made = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        made.push_str(before);
        let kind = after.chars().next()?;
        let (radix, start, longest) = match kind {
            'x' => (16, 1, 2),
            'u' => (16, 1, 4),
            '0'..='7' => (8, 0, 3),
            _ => (0, 0, 0),
        };
        if radix == 0 {
            made.push(match kind {
                'n' => '\n',
                't' => '\t',
                'r' => '\r',
                other => other,
            });
            rest = after.get(kind.len_utf8()..)?;
            continue;
        }
        let digits: String = after
            .chars()
            .skip(start)
            .take(longest)
            .take_while(|digit| digit.is_digit(radix))
            .collect();
        let code = u32::from_str_radix(&digits, radix)
            .ok()
            .filter(|code| *code > 0)?;
        made.push(char::from_u32(code)?);
        rest = after.get(start + digits.len()..)?;
    }
    made.push_str(rest);
    Some(made)
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
