//! Parses scripts with tree-sitter in bounded memory and time, and walks their syntax trees.
//!
//! Owns the budgets, the guard against costly error recovery and the walk; knows nothing about
//! what the nodes of a language mean.
//!
//! tree-sitter reads a valid program in time and memory linear in its size. Its recovery from
//! syntax errors is another matter: a few kilobytes of errors can cost seconds and gigabytes, in
//! single steps that no callback can interrupt. So nothing is ever recovered here. A first pass
//! ([`probe`]) watches the parser and stops it at the first error; the line at fault is blanked
//! out and the pass starts again, a few times at most; only a text that came through without
//! an error is parsed into a tree.
//!
//! The lexers are C code, too, and trust the text to be well-behaved. They get ASCII only.

mod probe;
mod walk;

use std::borrow::Cow;
use std::ops::ControlFlow;

use tree_sitter::{Language, Node, ParseOptions, ParseState, Parser, Tree};

use self::probe::{Probe, probe};
pub(crate) use self::walk::{Place, Visitor, walk};

/// The most bytes of a script that are parsed.
pub(crate) const SOURCE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// tree-sitter asks its progress callback after every 100 operations. 20,000 reports cover about
/// 1.3 MB of ordinary source and at most about 200 MB of memory.
const REPORTS_MAX: usize = 20_000;

/// Operations for each byte of source. Ordinary source needs 1 to 5; an ambiguous construct can
/// make the parser follow many readings of the same text at once.
const OPERATIONS_PER_BYTE_MAX: usize = 16;

/// Reports that are allowed whatever the size of the source is.
const REPORTS_MIN: usize = 100;

/// Bytes handed to the lexer at a time. Small, so that reading again and again shows.
const CHUNK_BYTES: usize = 256;

/// How often the lexer may read each byte. Ordinary source needs less than 3; some constructs
/// (an unfinished comment, a here-document) make it read to the end for every token.
const READS_PER_BYTE_MAX: usize = 32;

/// Bytes the lexer may read whatever the size of the source is.
const READ_BYTES_MIN: usize = 64 * 1024;

/// Lines at fault that are blanked out before the rest of a script is given up.
const REPAIRS_MAX: usize = 8;

/// Empty statements after the program. They show that every construct in it was closed: the
/// parser stands at the top level again when it has read a few of them.
const FILLERS: usize = 8;

/// What parsing needs to know about a language.
#[derive(Clone, Copy)]
pub(crate) struct Grammar {
    /// The tables and the lexer.
    pub(crate) language: fn() -> Language,
    /// A line break and an empty statement; it may follow any complete program. It has to end the
    /// readings that would take it for something else, as `;` does.
    pub(crate) filler: &'static str,
    /// The column at which a filler is complete and the parser is between two statements.
    pub(crate) filler_column: u64,
    /// Something that is a syntax error at the top level, but not inside an open block. Needed
    /// where the parser's state between two statements is the same in a block; else empty.
    pub(crate) stray_closer: &'static str,
}

/// A script and what could be parsed of it.
pub(crate) struct Script {
    /// The tree; `None` when no part of the script could be parsed within the budgets.
    tree: Option<Tree>,
    /// The bytes of the script.
    source: Vec<u8>,
    /// How much of the source the tree covers; behind that come fillers.
    program_bytes: usize,
    /// What is wrong with the script: the line, counted from 1, and a plain sentence.
    pub(crate) problems: Problems,
}

impl Script {
    /// The text of a node, with what is not UTF-8 replaced.
    pub(crate) fn text(&self, node: Node<'_>) -> Cow<'_, str> {
        self.slice(node.start_byte(), node.end_byte())
    }

    /// The text between two offsets, with what is not UTF-8 replaced.
    pub(crate) fn slice(&self, start: usize, end: usize) -> Cow<'_, str> {
        let end = end.min(self.program_bytes);
        String::from_utf8_lossy(self.source.get(start..end).unwrap_or_default())
    }

    /// Whether a node belongs to the program and not to what was appended to it.
    pub(crate) fn contains(&self, node: Node<'_>) -> bool {
        node.start_byte() < self.program_bytes
    }

    /// The tree, when there is one.
    pub(crate) fn tree(&self) -> Option<&Tree> {
        self.tree.as_ref()
    }
}

/// Lines, counted from 1, and what is wrong there.
type Problems = Vec<(Option<u64>, &'static str)>;

/// The line of a node, counted from 1.
pub(crate) fn line(node: Node<'_>) -> u64 {
    node.start_position().row as u64 + 1
}

/// Parses as much of a script as can be parsed without error recovery.
pub(crate) fn parse(grammar: Grammar, source: &[u8]) -> Script {
    let mut script = Script {
        tree: None,
        source: source.to_vec(),
        program_bytes: 0,
        problems: Vec::new(),
    };
    if source.len() > SOURCE_BYTES_MAX {
        let message = "the script is larger than 4 MiB and was not read";
        script.problems.push((None, message));
        return script;
    }
    if source.contains(&0) {
        // Some interpreters skip them, so that what runs is not what is read here.
        let message = "the script contains zero bytes";
        script.problems.push((None, message));
    }
    let mut text = hide_non_ascii(source);
    if !repair(grammar, &mut text, &mut script.problems) {
        return script;
    }
    script.program_bytes = text.len();
    let last_row = row_at(&text, text.trim_ascii_end().len().saturating_sub(1));
    for _ in 0..FILLERS {
        text.extend_from_slice(grammar.filler.as_bytes());
    }
    script.tree = parse_sound(grammar, &text);
    match &script.tree {
        Some(tree) if completes_program(tree, script.program_bytes) => {
            script
                .problems
                .push((Some(last_row as u64 + 1), INCOMPLETE));
        }
        Some(_) => {}
        None => script.problems.push((None, OUT_OF_BUDGET)),
    }
    script
}

/// The text as the C code of the grammars gets it: what is not ASCII becomes a letter, or a space
/// where it is white space, byte by byte, so that offsets stay. The scanners look characters up
/// in tables that end before Unicode does.
fn hide_non_ascii(source: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(source.len());
    for chunk in source.utf8_chunks() {
        for character in chunk.valid().chars() {
            let hidden = match u8::try_from(character) {
                Ok(byte) if byte.is_ascii() => byte,
                // The byte order mark counts as white space in JavaScript.
                _ if character.is_whitespace() || character == '\u{feff}' => b' ',
                _ => b'z',
            };
            text.extend(std::iter::repeat_n(hidden, character.len_utf8()));
        }
        text.extend(chunk.invalid().iter().map(|_| b'z'));
    }
    text
}

/// Whether the first filler completes the last statement of the program instead of following it.
fn completes_program(tree: &Tree, program_bytes: usize) -> bool {
    let root = tree.root_node();
    let first = program_bytes + 1;
    let Some(mut filler) = root.descendant_for_byte_range(first, first + 1) else {
        return false;
    };
    // A bare `;` may well end the last statement.
    if !filler.is_named()
        && filler
            .parent()
            .is_some_and(|parent| parent.start_byte() < first)
    {
        return false;
    }
    while let Some(parent) = filler.parent() {
        if parent == root {
            return false;
        }
        if parent.start_byte() < first {
            return true;
        }
        filler = parent;
    }
    false
}

const INCOMPLETE: &str = "the script ends in the middle of a statement";
const UNCLOSED: &str = "the script ends inside something that it opened and never closed";
const UNCLOSED_HERE: &str = "the script ends inside something that this line opens";
const OUT_OF_BUDGET: &str = "the script is too large or too intricate to be parsed in full";

/// Takes faulty lines out of the text until the rest is sound; false when nothing is left that
/// could be parsed.
fn repair(grammar: Grammar, text: &mut Vec<u8>, problems: &mut Problems) -> bool {
    let mut blanked = Vec::new();
    // The last two rounds are for what is left before the first place that cannot be repaired.
    for round in 0..REPAIRS_MAX + 2 {
        let complete_bytes = match probe(grammar, text) {
            Probe::Sound => return true,
            Probe::OutOfBudget => {
                problems.push((None, OUT_OF_BUDGET));
                return false;
            }
            Probe::Unclosed { complete_bytes } => {
                let row = row_at(text, complete_bytes);
                if grammar.stray_closer.is_empty() {
                    problems.push((Some(row as u64 + 1), UNCLOSED_HERE));
                    complete_bytes
                } else {
                    // Blocks look like the top level, so nothing is known to be complete.
                    problems.push((None, UNCLOSED));
                    return false;
                }
            }
            Probe::Broken {
                at_byte,
                complete_bytes,
            } => {
                let row = row_at(text, at_byte);
                problems.push((Some(row as u64 + 1), "syntax error"));
                if round < REPAIRS_MAX && !blanked.contains(&row) {
                    blank_row(text, at_byte);
                    blanked.push(row);
                    continue;
                }
                complete_bytes
            }
        };
        // A text that ends between two statements at the top level is sound.
        text.truncate(complete_bytes);
    }
    false
}

/// The row of an offset, or of the first thing after it that is not white space; from 0.
fn row_at(text: &[u8], at_byte: usize) -> usize {
    let (before, after) = text.split_at_checked(at_byte).unwrap_or((text, &[]));
    let skipped = after
        .iter()
        .take_while(|byte| byte.is_ascii_whitespace())
        .filter(|byte| **byte == b'\n')
        .count();
    before.iter().filter(|byte| **byte == b'\n').count() + skipped
}

/// Overwrites with spaces the row that [`row_at`] finds.
fn blank_row(text: &mut [u8], at_byte: usize) {
    let blank_bytes = text
        .iter()
        .skip(at_byte)
        .take_while(|byte| byte.is_ascii_whitespace())
        .count();
    let at_byte = (at_byte + blank_bytes).min(text.len());
    let (before, after) = text.split_at_mut(at_byte);
    let row_before = before.iter_mut().rev().take_while(|byte| **byte != b'\n');
    let row_after = after.iter_mut().take_while(|byte| **byte != b'\n');
    row_before.chain(row_after).for_each(|byte| *byte = b' ');
}

/// Parses a text that [`probe`] found sound.
fn parse_sound(grammar: Grammar, text: &[u8]) -> Option<Tree> {
    let mut parser = Parser::new();
    parser.set_language(&(grammar.language)()).ok()?;
    let mut budget = Budget::of(text.len());
    let mut reports = Reports::of(text.len());
    let mut progress = |_: &ParseState| reports.count();
    parser.parse_with_options(
        &mut |offset, _| budget.read(text, offset).unwrap_or_default(),
        None,
        Some(ParseOptions::new().progress_callback(&mut progress)),
    )
}

/// How many more progress reports may come.
struct Reports {
    left: usize,
}

impl Reports {
    fn of(text_bytes: usize) -> Self {
        let in_proportion = text_bytes * OPERATIONS_PER_BYTE_MAX / 100;
        Self {
            left: (REPORTS_MIN + in_proportion).min(REPORTS_MAX),
        }
    }

    /// Counts a report; breaks when no more may come.
    fn count(&mut self) -> ControlFlow<()> {
        match self.left.checked_sub(1) {
            Some(left) => {
                self.left = left;
                ControlFlow::Continue(())
            }
            None => ControlFlow::Break(()),
        }
    }
}

/// What the lexer may still read.
struct Budget {
    bytes: usize,
}

impl Budget {
    fn of(text_bytes: usize) -> Self {
        Self {
            bytes: text_bytes * READS_PER_BYTE_MAX + READ_BYTES_MIN,
        }
    }

    /// The next bytes for the lexer; `None` when it has read enough.
    fn read<'a>(&mut self, text: &'a [u8], offset: usize) -> Option<&'a [u8]> {
        let rest = text.get(offset..).unwrap_or_default();
        let chunk = rest.get(..CHUNK_BYTES).unwrap_or(rest);
        self.bytes = self.bytes.checked_sub(chunk.len())?;
        Some(chunk)
    }
}

#[cfg(test)]
mod tests;
