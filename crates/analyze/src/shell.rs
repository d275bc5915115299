//! Reads shell scripts: which commands they run, what they redirect, how they loop.
//!
//! Works on words as they are written; what is not constant is only guessed ([`guesses`]), to see
//! more. Parsing and its
//! bounds belong to [`crate::tree`]. The syntax tree is read in [`reader`], words in [`words`],
//! one command with its arguments is judged in [`run`] with the tables of [`commands`] and
//! [`wrappers`].

mod commands;
mod functions;
mod guesses;
mod interpreters;
mod reader;
mod run;
mod variables;
mod words;
mod work;
mod wrappers;

use std::collections::HashSet;

use self::functions::Definitions;
use self::reader::{Embedded, Reader};
use crate::findings::Findings;
use crate::tree::{self, Grammar};

const GRAMMAR: Grammar = Grammar {
    language: || tree_sitter_bash::LANGUAGE.into(),
    filler: "\n:;",
    filler_column: 2,
    // The parser's state between two commands is not the same in a block.
    stray_closer: "",
};

/// Texts inside the script that it runs as commands, at most this many, and no deeper than this.
const EMBEDDED_MAX: usize = 32;
const EMBEDDED_DEPTH_MAX: usize = 3;

/// Reads a script.
pub(crate) fn analyze(bytes: &[u8], findings: &mut Findings) {
    findings.lines = bytes.split_inclusive(|byte| *byte == b'\n').count() as u64;
    let mut waiting = vec![(bytes.to_vec(), 0, HashSet::new())];
    let mut read = 0;
    let mut trust = Trust::default();
    while let Some((source, depth, functions)) = waiting.pop() {
        read += 1;
        if read > EMBEDDED_MAX {
            let message = "the script runs more texts as commands than are looked at";
            findings.problem(None, message);
            return;
        }
        for embedded in read_one(&source, functions, &mut trust, findings) {
            if depth < EMBEDDED_DEPTH_MAX {
                waiting.push((embedded.text.into_bytes(), depth + 1, embedded.functions));
            } else {
                findings.problem(
                    None,
                    "commands inside commands inside commands are not looked at",
                );
            }
        }
    }
    if trust.relies_on_functions && trust.takes_functions {
        let message = "a function may be taken away, so that its name means a command";
        findings.problem(None, message);
    }
}

/// What holds for a script and all texts that it runs.
#[derive(Debug, Default)]
struct Trust {
    /// Whether some name was taken to mean a function and nothing else.
    relies_on_functions: bool,
    /// Whether some function may be taken away.
    takes_functions: bool,
}

/// Reads one text, in which these functions are there, and returns the texts that it runs as
/// commands.
fn read_one(
    source: &[u8],
    functions: HashSet<String>,
    trust: &mut Trust,
    findings: &mut Findings,
) -> Vec<Embedded> {
    let script = tree::parse(GRAMMAR, &without_read_write(source));
    for (line, message) in &script.problems {
        findings.problem(*line, message);
    }
    let Some(tree) = script.tree() else {
        return Vec::new();
    };
    let mut definitions = Definitions::new(&script, functions);
    tree::walk(&script, tree, &mut definitions);
    let mut reader = Reader::new(&script, source, definitions.functions, trust, findings);
    let walked = tree::walk(&script, tree, &mut reader);
    let embedded = reader.finish();
    findings.instructions = findings.instructions.saturating_add(walked.nodes);
    if let Some(line) = walked.too_deep_line {
        findings.problem(Some(line), "the nesting is too deep to be followed");
    }
    embedded
}

/// The source with `>>` for the operator `<>`, which the grammar does not know.
fn without_read_write(source: &[u8]) -> Vec<u8> {
    let mut text = source.to_vec();
    let places = source.windows(2).enumerate();
    for (place, _) in places.filter(|(_, pair)| *pair == b"<>") {
        if let Some(byte) = text.get_mut(place) {
            *byte = b'>';
        }
    }
    text
}

#[cfg(test)]
mod tests;
