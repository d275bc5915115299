//! Program text inside a Python program: what `exec`, `eval` and `compile` are given, as far as it
//! can be guessed.
//!
//! They are parsed like the program itself and read along with it, so that code does not become
//! invisible by being quoted once. What is too large, too deep or broken is left out, and the
//! reader then reports the call as running text it cannot see.

use ruff_python_ast::visitor::source_order::{SourceOrderVisitor, walk_expr};
use ruff_python_ast::{Expr, ModModule};
use ruff_python_parser::Parsed;
use ruff_text_size::Ranged;

use super::fold;
use super::names::Names;
use super::nesting::Shape;
use super::source::Lines;

/// The most texts of one program that are parsed.
const TEXTS_MAX: usize = 32;

/// The deepest nesting of such a text. It adds to the stack of the program around it.
const DEPTH_MAX: u32 = 100;

/// A quoted text that was parsed.
pub(super) struct InnerText {
    pub(super) text: String,
    pub(super) program: Parsed<ModModule>,
    /// The line of the program it stands on.
    pub(super) line: u64,
}

/// The texts a program quotes and runs, and the ones those run in turn.
pub(super) fn texts(
    program_text: &str,
    program: &Parsed<ModModule>,
    lines: &Lines<'_>,
    names: &Names<'_>,
) -> Vec<InnerText> {
    let functions = ["exec", "eval", "compile"];
    // A name can be spelled in other letters, or in pieces.
    let is_plain = program_text.is_ascii() && !program_text.contains("builtins");
    if is_plain && !functions.iter().any(|name| program_text.contains(name)) {
        return Vec::new();
    }
    let mut inner: Vec<InnerText> = Vec::new();
    let mut waiting = quoted(program, lines, names);
    while let Some((text, line)) = waiting.pop() {
        if inner.len() >= TEXTS_MAX || inner.iter().any(|known| known.text == text) {
            continue;
        }
        // `eval` allows white space before the expression.
        let code = text.trim_start_matches([' ', '\t']);
        if !matches!(Shape::of(code), Shape::AtMost(depth) if depth <= DEPTH_MAX) {
            continue;
        }
        let Some(program) = super::parse(code).filter(Parsed::has_valid_syntax) else {
            continue;
        };
        waiting.extend(quoted(&program, &Lines::One(line), names));
        inner.push(InnerText {
            text,
            program,
            line,
        });
    }
    inner
}

/// Texts that are the first argument of some call of one of the functions.
fn quoted(program: &Parsed<ModModule>, lines: &Lines<'_>, names: &Names<'_>) -> Vec<(String, u64)> {
    let mut finder = Finder {
        found: Vec::new(),
        names,
        lines,
    };
    finder.visit_body(program.suite());
    finder.found
}

struct Finder<'l, 't, 'n> {
    found: Vec<(String, u64)>,
    names: &'l Names<'n>,
    lines: &'l Lines<'t>,
}

impl<'a> SourceOrderVisitor<'a> for Finder<'_, '_, '_> {
    fn visit_expr(&mut self, expr: &'a Expr) {
        if let Expr::Call(call) = expr
            && let Some(argument) = call.arguments.find_argument_value("source", 0)
            && runs_text(&call.func, self.names)
            && self.found.len() < TEXTS_MAX
            && let Some(text) = fold::guess(argument, self.names)
            && let Some(text) = text.into_program_text()
        {
            let line = self.lines.line_of(call.start().to_usize());
            self.found.push((text, line));
        }
        walk_expr(self, expr);
    }
}

fn runs_text(function: &Expr, names: &Names<'_>) -> bool {
    let name = match function {
        Expr::Name(name) => name.id.as_str(),
        Expr::Attribute(attribute) => attribute.attr.as_str(),
        _ => "",
    };
    let runs = |name: &str| matches!(name, "exec" | "eval" | "compile");
    let leads = |path: &String| path.strip_prefix("builtins.").is_some_and(runs);
    runs(name) || names.paths(function).iter().any(leads)
}
