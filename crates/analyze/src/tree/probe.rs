//! The pass that stops at the first syntax error instead of recovering from it.
//!
//! tree-sitter tells a logger about each of its operations, so the logger sees an error before
//! the costly part of recovery. It cannot stop the parser itself; the progress callback can, but
//! is only asked every 100 operations. Until then the lexer is fed empty statements without end:
//! recovery is most costly at the end of the text, so it must not get there.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};

use tree_sitter::{LogType, ParseOptions, ParseState, Parser};

use super::{Budget, CHUNK_BYTES, FILLERS, Grammar, Reports};

/// Fillers after which the parser must have left every construct that a filler may complete.
const FILLERS_UNTIL_SETTLED: u64 = 3;

/// The most bytes of filler that are fed without a break. One token (an unfinished comment, say)
/// can swallow them all, and no callback is asked within a token.
const FILLER_RUN_BYTES_MAX: usize = 2 * CHUNK_BYTES;

/// What is known about a text after the pass.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Probe {
    /// No error, and every construct is closed.
    Sound,
    /// The first error follows `at_byte`; the statements up to `complete_bytes` are complete.
    Broken {
        at_byte: usize,
        complete_bytes: usize,
    },
    /// No error, but the text ends inside a construct that starts after `complete_bytes`.
    Unclosed { complete_bytes: usize },
    /// The parser or the lexer used up what it may.
    OutOfBudget,
}

/// Watches a parse of `text` up to its first error.
pub(super) fn probe(grammar: Grammar, text: &[u8]) -> Probe {
    let rows = text.iter().filter(|byte| **byte == b'\n').count() as u64;
    let seen = top_level_states(grammar).and_then(|states| {
        let start = Watch {
            settled_row: rows + FILLERS_UNTIL_SETTLED,
            closer_row: rows + FILLERS as u64,
            filler_column: grammar.filler_column,
            top_level_states: states,
            ..Watch::default()
        };
        watch(grammar, text, start)
    });
    let Some(seen) = seen else {
        return Probe::OutOfBudget;
    };
    let complete_bytes = offset(text, seen.complete);
    let at_byte = offset(text, seen.position);
    let closer_refused = seen.broken && seen.position.row == seen.closer_row;
    if seen.broken && at_byte < text.trim_ascii_end().len() {
        Probe::Broken {
            at_byte,
            complete_bytes,
        }
    } else if seen.settled_rows == FILLERS as u64 - FILLERS_UNTIL_SETTLED
        && closer_refused != grammar.stray_closer.is_empty()
        && closer_refused == seen.broken
    {
        // Another reading that is still followed would be recovered at the end of the text.
        if seen.is_alone {
            Probe::Sound
        } else {
            Probe::OutOfBudget
        }
    } else {
        Probe::Unclosed { complete_bytes }
    }
}

/// The states in which the parser stands between two fillers when there is no program.
fn top_level_states(grammar: Grammar) -> Option<Vec<u64>> {
    let start = Watch {
        learning: true,
        closer_row: FILLERS as u64,
        filler_column: grammar.filler_column,
        ..Watch::default()
    };
    watch(grammar, &[], start).map(|learnt| learnt.top_level_states)
}

/// Parses `text` and fillers until an error, or until the parser has read enough fillers to have
/// settled. `None` when the budget was used up before.
fn watch(grammar: Grammar, text: &[u8], start: Watch) -> Option<Watch> {
    let mut parser = Parser::new();
    parser.set_language(&(grammar.language)()).ok()?;
    let watch = Arc::new(Mutex::new(start));
    let logger = Arc::clone(&watch);
    parser.set_logger(Some(Box::new(move |kind, message| {
        if matches!(kind, LogType::Parse)
            && let Ok(mut watch) = logger.lock()
        {
            watch.note(message);
        }
    })));

    let fillers = grammar.filler.repeat(FILLERS);
    let tail = [&fillers, grammar.stray_closer, &grammar.filler.repeat(64)].concat();
    let repeated = grammar.filler.repeat(CHUNK_BYTES);
    let mut feed = Feed {
        text,
        tail: tail.as_bytes(),
        repeated: repeated.as_bytes(),
        budget: Budget::of(text.len()),
        filler_run_bytes: 0,
        watch: &watch,
    };
    let mut reports = Reports::of(text.len());
    let enough_bytes = text.len() + tail.len() / 2;
    let mut progress = |state: &ParseState| {
        let exhausted = reports.count().is_break();
        let Ok(mut watch) = watch.lock() else {
            return ControlFlow::Break(());
        };
        watch.exhausted |= exhausted;
        if watch.is_over() || state.current_byte_offset() > enough_bytes {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    };
    let options = ParseOptions::new().progress_callback(&mut progress);
    parser.parse_with_options(&mut |offset, _| feed.read(offset), None, Some(options));
    let mut watch = watch.lock().ok()?;
    (!watch.exhausted).then(|| std::mem::take(&mut *watch))
}

/// What the lexer reads: the text, a few fillers, the stray closer, fillers without end.
struct Feed<'a> {
    text: &'a [u8],
    /// What follows the text first.
    tail: &'a [u8],
    /// What follows the tail, again and again. A multiple of the filler.
    repeated: &'a [u8],
    budget: Budget,
    filler_run_bytes: usize,
    watch: &'a Mutex<Watch>,
}

impl<'a> Feed<'a> {
    fn read(&mut self, offset: usize) -> &'a [u8] {
        if offset < self.text.len() {
            self.filler_run_bytes = 0;
            if let Some(chunk) = self.budget.read(self.text, offset) {
                return chunk;
            }
            if let Ok(mut watch) = self.watch.lock() {
                watch.exhausted |= !watch.broken;
            }
        }
        let after_text = offset.saturating_sub(self.text.len());
        let rest = match self.tail.get(after_text..) {
            Some(rest) if !rest.is_empty() => rest,
            _ => {
                let into = after_text.saturating_sub(self.tail.len()) % self.repeated.len();
                self.repeated.get(into..).unwrap_or_default()
            }
        };
        let chunk = rest.get(..CHUNK_BYTES).unwrap_or(rest);
        self.filler_run_bytes += chunk.len();
        if self.filler_run_bytes > FILLER_RUN_BYTES_MAX {
            // Ends the token that swallows all this. The parser goes on reading for the next one.
            self.filler_run_bytes = 0;
            return &[];
        }
        chunk
    }
}

/// A place in the text as tree-sitter counts: rows from 0, columns in bytes from 0.
#[derive(Debug, Clone, Copy, Default)]
struct Position {
    row: u64,
    column: u64,
}

/// What the logger has seen.
#[derive(Debug, Default)]
struct Watch {
    /// Where the parser stands.
    position: Position,
    /// The last place between two statements at the top level.
    complete: Position,
    /// Whether an error was found.
    broken: bool,
    /// Whether a budget was used up before any error.
    exhausted: bool,
    /// The next row at whose start the parser must stand at the top level.
    settled_row: u64,
    /// The row before the stray closer.
    closer_row: u64,
    /// The column between two fillers.
    filler_column: u64,
    /// The parser's states between two fillers at the top level.
    top_level_states: Vec<u64>,
    /// Whether the states are being learnt, from fillers alone.
    learning: bool,
    /// How many rows after the text the parser began at the top level.
    settled_rows: u64,
    /// Whether only one reading of the text was left when it did so last.
    is_alone: bool,
}

impl Watch {
    /// Whether more of the parse would tell nothing more.
    fn is_over(&self) -> bool {
        self.broken || self.exhausted
    }

    fn note(&mut self, message: &str) {
        if self.is_over() {
            return;
        }
        // Said when no version of the parse is left that has no error.
        if message.starts_with("resume version") {
            self.broken = true;
        } else if let Some(step) = Step::read(message) {
            self.step(&step);
        }
    }

    fn step(&mut self, step: &Step) {
        self.position = step.position;
        if step.position.row >= self.closer_row {
            return;
        }
        let between = step.position.column == self.filler_column;
        if self.learning {
            if between {
                self.top_level_states.push(step.state);
            }
        } else if self.top_level_states.contains(&step.state) {
            // Other readings of the text may be followed at the same time; one that stands at
            // the top level is enough.
            if between && step.position.row == self.settled_row {
                self.settled_rows += 1;
                self.settled_row += 1;
                self.is_alone = step.versions == 1;
            }
            self.complete = step.position;
        }
    }
}

/// The message tree-sitter logs before each step of a version of the parse.
struct Step {
    /// Readings of the text that are followed at the same time.
    versions: u64,
    state: u64,
    position: Position,
}

impl Step {
    fn read(message: &str) -> Option<Self> {
        let fields = message.strip_prefix("process version:")?;
        let mut numbers = fields
            .split(", ")
            .map(|field| field.rsplit(':').next()?.parse::<u64>().ok());
        let _version = numbers.next()?;
        Some(Self {
            versions: numbers.next()??,
            state: numbers.next()??,
            position: Position {
                row: numbers.next()??,
                column: numbers.next()??,
            },
        })
    }
}

/// The offset of a position; the end of the text for positions after it.
fn offset(text: &[u8], position: Position) -> usize {
    let mut row_start = 0;
    for _ in 0..position.row {
        let rest = text.get(row_start..).unwrap_or_default();
        match rest.iter().position(|byte| *byte == b'\n') {
            Some(line_bytes) => row_start += line_bytes + 1,
            None => return text.len(),
        }
    }
    let column = usize::try_from(position.column).unwrap_or(usize::MAX);
    row_start.saturating_add(column).min(text.len())
}
