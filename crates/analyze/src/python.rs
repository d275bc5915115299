//! Reads Python source.
//!
//! The text is measured first ([`nesting`]), for the parser and everything after it recurse, and
//! is parsed only when it is known to be shallow and small enough. Then two walks over the tree
//! follow: one collects what each name is bound to ([`collect`], [`names`]), one reads
//! ([`reader`]). Between them stand [`closed`] and [`shadow`], which say of which names that can
//! be relied on.
//! What another module imports or what a library does is not seen; the tables in
//! [`capabilities`] and [`stdlib`] stand for it.

mod builtins;
mod capabilities;
mod closed;
mod collect;
mod comprehension;
mod fold;
mod graph;
mod inner;
mod names;
mod nesting;
mod reader;
mod shadow;
mod source;
mod stdlib;

use std::collections::HashSet;
use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

use ruff_python_ast::ModModule;
use ruff_python_parser::{Mode, ParseOptions, Parsed, parse_unchecked};

use self::collect::Collector;
use self::inner::InnerText;
use self::nesting::{DEPTH_MAX, Shape};
use self::reader::Reader;
use self::source::Lines;
pub(crate) use self::source::{Encoding, declared_encoding, plain_encoding};
use crate::findings::Findings;

/// The most bytes of source that are read.
const SOURCE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Nesting up to which a program is read on the calling thread.
const DEPTH_ON_CALLER: u32 = 150;

/// Stack that one level of nesting takes at most, when the tree is walked and freed. Holds for
/// builds without optimisation too; a test goes to the limit.
const STACK_BYTES_PER_LEVEL: usize = 8 * 1024;

/// Stack that one level takes at most when a tree is only freed.
const FREE_BYTES_PER_LEVEL: usize = 2 * 1024;

/// The most syntax errors that are listed.
const SYNTAX_ERRORS_MAX: usize = 8;

pub(crate) fn is_standard_module(name: &str) -> bool {
    stdlib::contains(name)
}

/// Reads a Python program.
pub(crate) fn analyze(bytes: &[u8], findings: &mut Findings) {
    findings.lines = source::line_count(bytes);
    if bytes.len() > SOURCE_BYTES_MAX {
        let megabytes = SOURCE_BYTES_MAX / (1024 * 1024);
        findings.problem(
            None,
            &format!("more than {megabytes} MiB of source; not read"),
        );
        return;
    }
    let text = match source::decode(bytes) {
        Ok(text) => text,
        Err(undecodable) => {
            findings.problem(undecodable.line, &undecodable.message);
            return;
        }
    };
    let problem = match Shape::of(&text) {
        Shape::AtMost(depth) if depth <= DEPTH_MAX => return read(&text, depth, findings),
        Shape::Broken if nesting::bound_if_broken(&text) <= DEPTH_MAX => {
            return read(&text, DEPTH_MAX, findings);
        }
        Shape::AtMost(_) => format!("nested deeper than {DEPTH_MAX} levels; not read"),
        Shape::Broken => {
            "syntax error: brackets or quotes do not match; too large to tell where".to_owned()
        }
        Shape::TooManyTokens => format!("more than {} tokens; not read", nesting::TOKENS_MAX),
    };
    findings.problem(None, &problem);
}

/// Reads a text that nests no deeper than `depth`, unless it has syntax errors.
fn read(text: &str, depth: u32, findings: &mut Findings) {
    let Some(program) = parse(text) else {
        findings.problem(None, "failed to parse the program");
        return;
    };
    let depth = if program.has_invalid_syntax() {
        report_errors(text, &program, findings);
        nesting::bound_if_broken(text)
    } else {
        depth
    };
    if depth <= DEPTH_ON_CALLER {
        examine(text, program, findings);
    } else {
        examine_on_deep_stack(text, program, depth, findings);
    }
}

fn report_errors(text: &str, program: &Parsed<ModModule>, findings: &mut Findings) {
    let lines = Lines::of(text);
    for error in program.errors().iter().take(SYNTAX_ERRORS_MAX) {
        let line = lines.line_of(error.location.start().to_usize());
        findings.problem(Some(line), &format!("syntax error: {}", error.error));
    }
}

/// Walks and frees a tree that may be too deep for the stack of the calling thread. A tree that
/// turned out to be deeper than allowed is only freed.
fn examine_on_deep_stack(
    text: &str,
    program: Parsed<ModModule>,
    depth: u32,
    findings: &mut Findings,
) {
    let is_allowed = depth <= DEPTH_MAX;
    let stack_bytes = if is_allowed {
        // The programs quoted inside add their own levels.
        STACK_BYTES_PER_LEVEL * (depth + 2 * DEPTH_ON_CALLER) as usize
    } else {
        // No token makes more levels than a bracket does.
        FREE_BYTES_PER_LEVEL * depth.min(3 * nesting::TOKENS_MAX) as usize
    };
    // Without a thread the tree would be freed right here, on a stack it does not fit. It is
    // leaked instead.
    let program = ManuallyDrop::new(program);
    let is_examined = thread::scope(|scope| {
        let examine = || {
            let program = ManuallyDrop::into_inner(program);
            if is_allowed {
                examine(text, program, findings);
            }
        };
        // Only the part of the stack that is touched takes memory.
        let reader = thread::Builder::new().stack_size(stack_bytes);
        match reader.spawn_scoped(scope, examine) {
            Ok(reader) => reader.join().is_ok(),
            Err(_) => false,
        }
    });
    if !is_examined {
        findings.problem(None, "failed to read a deeply nested program");
    }
}

/// Reads a program that was parsed, and frees it.
fn examine(text: &str, program: Parsed<ModModule>, findings: &mut Findings) {
    let lines = Lines::of(text);
    let mut collector = Collector::default();
    collector.body(program.suite());
    let inner = inner::texts(text, &program, &lines, collector.names());
    let mut collector = Collector::default();
    collector.body(program.suite());
    for inner in &inner {
        collector.body(inner.program.suite());
    }
    let mut names = collector.into_names();
    let quoted = inner.iter().map(|inner| &**inner.program.suite());
    closed::settle(
        std::iter::once(&**program.suite()).chain(quoted),
        &mut names,
    );
    let inner_texts: HashSet<String> = inner.iter().map(|inner| inner.text.clone()).collect();
    let mut reader = Reader::new(&names, lines, &inner_texts, findings);
    reader.body(program.suite());
    for InnerText { program, line, .. } in &inner {
        reader.inner_body(program.suite(), Lines::One(*line));
    }
    reader.finish();
}

/// Parses a text that was measured. `None` when the parser itself breaks, which no input is known
/// to cause, but which must not take the process along.
fn parse(text: &str) -> Option<Parsed<ModModule>> {
    let options = ParseOptions::from(Mode::Module);
    catch_unwind(AssertUnwindSafe(|| parse_unchecked(text, options)))
        .ok()
        .and_then(Parsed::try_into_module)
}

#[cfg(test)]
mod tests;
