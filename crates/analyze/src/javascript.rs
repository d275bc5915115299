//! Reads JavaScript as Node.js runs it: what it requires, what it calls, how it loops.
//!
//! Works on names as they are written and on the names that `require`, `import` and plain
//! assignments bind; values are only guessed ([`guesses`]), and scopes are told apart only where a
//! name of the host is the program's own ([`scopes`]), so elsewhere a name means everything it is
//! bound to anywhere. Parsing and its bounds belong to [`crate::tree`]. Bindings
//! are collected in [`bindings`], loops and functions followed in [`crate::flow`], uses of the host
//! judged in [`uses`] with the tables of [`modules`] and [`globals`], numbers folded in
//! [`numbers`].

mod bindings;
mod chain;
mod globals;
mod guesses;
mod modules;
mod numbers;
mod reader;
mod scopes;
mod uses;

use tree_sitter::{Node, Tree};

use self::bindings::Bindings;
use self::reader::Reader;
use self::scopes::Scopes;
use crate::findings::Findings;
use crate::tree::{self, Grammar, Script};

const GRAMMAR: Grammar = Grammar {
    language: || tree_sitter_javascript::LANGUAGE.into(),
    filler: "\n;",
    filler_column: 1,
    stray_closer: "\n}",
};

/// Texts inside the program that it runs as code, at most this many, and no deeper than this.
const EMBEDDED_MAX: usize = 16;
const EMBEDDED_DEPTH_MAX: usize = 3;

/// The longest name, path or string of the program that is looked at, in bytes.
const TEXT_BYTES_MAX: usize = 4096;

/// Arguments of one call that are looked at.
const ARGUMENTS_MAX: usize = 256;

/// Reads a program.
pub(crate) fn analyze(bytes: &[u8], findings: &mut Findings) {
    findings.lines = bytes.split_inclusive(|byte| *byte == b'\n').count() as u64;
    let mut waiting = vec![(bytes.to_vec(), 0)];
    let mut read = 0;
    while let Some((source, depth)) = waiting.pop() {
        read += 1;
        if read > EMBEDDED_MAX {
            findings.problem(
                None,
                "the program runs more texts as code than are looked at",
            );
            return;
        }
        for embedded in read_one(&source, findings) {
            if depth < EMBEDDED_DEPTH_MAX {
                waiting.push((embedded.into_bytes(), depth + 1));
            } else {
                findings.problem(None, "code inside code inside code is not looked at");
            }
        }
    }
}

/// Reads one text and returns the texts that it runs as code.
fn read_one(source: &[u8], findings: &mut Findings) -> Vec<String> {
    let script = tree::parse(GRAMMAR, source);
    for (line, message) in &script.problems {
        findings.problem(*line, message);
    }
    match script.tree() {
        Some(tree) => read_tree(&script, tree, findings),
        None => Vec::new(),
    }
}

fn read_tree(script: &Script, tree: &Tree, findings: &mut Findings) -> Vec<String> {
    let mut scopes = Scopes::new(script);
    tree::walk(script, tree, &mut scopes);
    let mut bindings = Bindings::new(script, scopes.finish());
    tree::walk(script, tree, &mut bindings);
    let mut reader = Reader::new(script, bindings, findings);
    let walked = tree::walk(script, tree, &mut reader);
    let embedded = reader.finish();
    findings.instructions = findings.instructions.saturating_add(walked.nodes);
    if let Some(line) = walked.too_deep_line {
        findings.problem(Some(line), "the nesting is too deep to be followed");
    }
    embedded
}

/// The text of a node; empty when it is longer than anything that is looked at. A name is given as
/// it is without escapes.
fn text(script: &Script, node: Node<'_>) -> String {
    if node.end_byte() - node.start_byte() > TEXT_BYTES_MAX {
        return String::new();
    }
    let text = script.text(node);
    if text.contains('\\') && node.kind().ends_with("identifier") {
        return unescaped_name(&text);
    }
    text.into_owned()
}

/// A name in which letters may be written as `\u0061` or `\u{61}`.
fn unescaped_name(text: &str) -> String {
    let mut pieces = text.split("\\u");
    let mut name = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (digits, rest) = match piece.strip_prefix('{') {
            Some(braced) => braced.split_once('}').unwrap_or((braced, "")),
            None => piece.split_at_checked(4).unwrap_or((piece, "")),
        };
        let code = u32::from_str_radix(digits, 16).ok();
        name.push(
            code.and_then(char::from_u32)
                .unwrap_or(char::REPLACEMENT_CHARACTER),
        );
        name.push_str(rest);
    }
    name
}

/// The value of a string literal, or of a template without substitutions. `None` for everything
/// else, for escapes that hide the text, and for texts that are too long.
fn string(script: &Script, node: Node<'_>) -> Option<String> {
    if !matches!(node.kind(), "string" | "template_string")
        || node.end_byte() - node.start_byte() > TEXT_BYTES_MAX
    {
        return None;
    }
    let mut cursor = node.walk();
    let mut value = String::new();
    for part in node.named_children(&mut cursor) {
        match part.kind() {
            "string_fragment" => value.push_str(&script.text(part)),
            "escape_sequence" => match &*script.text(part) {
                // A line goes on.
                "\\\n" | "\\\r" | "\\\r\n" | "\\\u{2028}" | "\\\u{2029}" => {}
                escape => value.push(unescaped(escape)?),
            },
            _ => return None,
        }
    }
    Some(value)
}

/// The character that an escape sequence stands for.
fn unescaped(escape: &str) -> Option<char> {
    let rest = escape.strip_prefix('\\')?;
    let digits = rest
        .strip_prefix('x')
        .or_else(|| rest.strip_prefix('u'))
        .map(|digits| digits.trim_start_matches('{').trim_end_matches('}'));
    if let Some(digits) = digits {
        return char::from_u32(u32::from_str_radix(digits, 16).ok()?);
    }
    let character = rest.chars().next()?;
    match character {
        'n' => Some('\n'),
        't' => Some('\t'),
        'r' => Some('\r'),
        'b' => Some('\u{8}'),
        'f' => Some('\u{c}'),
        'v' => Some('\u{b}'),
        '0'..='9' | '\n' | '\r' => None,
        other => Some(other),
    }
}

/// The arguments of a call or of `new`.
fn arguments(call: Node<'_>) -> Vec<Node<'_>> {
    let Some(list) = call.child_by_field_name("arguments") else {
        return Vec::new();
    };
    let mut cursor = list.walk();
    let named = list.named_children(&mut cursor);
    named
        .filter(|argument| argument.kind() != "comment")
        .take(ARGUMENTS_MAX)
        .collect()
}

#[cfg(test)]
mod tests;
