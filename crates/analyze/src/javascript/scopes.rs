//! Where a name of the host is the program's own.
//!
//! A declaration makes the name its own in the block or function around it, and a parameter in its
//! function; there it never means the host's. A `var` of the whole program does not: it may be
//! another word for what the host has put there, as for `require`. With `with`, nothing is sure.

use std::collections::HashMap;

use tree_sitter::Node;

use super::{globals, text};
use crate::tree::{Place, Script, Visitor};

/// Places that are remembered. Beyond, a name counts as the host's.
const PLACES_MAX: usize = 4096;

/// What the names of the host are in which places.
#[derive(Debug, Default)]
pub(super) struct OwnNames {
    /// First and last byte of the places where a name is the program's own, in order of the first.
    places: HashMap<String, Vec<(usize, usize)>>,
    count: usize,
    /// The places where a name is looked up in some object first.
    has_with: bool,
}

impl OwnNames {
    /// Whether a name that stands at a byte is the program's own.
    pub(super) fn holds(&self, name: &str, at: usize) -> bool {
        let places = self.places.get(name).filter(|_| !self.has_with);
        places.is_some_and(|places| {
            // Places lie inside each other or apart.
            let before = places.partition_point(|(start, _)| *start <= at);
            let before = places.get(..before).unwrap_or_default();
            before
                .iter()
                .rev()
                .take(NESTED_MAX)
                .any(|(_, end)| at < *end)
        })
    }

    fn note(&mut self, name: String, place: (usize, usize)) {
        let is_own = globals::is_global(&name) && name != "arguments";
        if is_own && self.count < PLACES_MAX {
            self.count += 1;
            self.places.entry(name).or_default().push(place);
        }
    }

    fn close(&mut self) {
        for places in self.places.values_mut() {
            places.sort_unstable();
        }
    }
}

/// Places in front of a name that are looked at.
const NESTED_MAX: usize = 64;

/// Collects the declarations of a program.
pub(super) struct Scopes<'s> {
    script: &'s Script,
    own: OwnNames,
    /// The bytes of the open blocks and functions.
    open: Vec<Open>,
}

struct Open {
    node: usize,
    is_function: bool,
    start: usize,
    end: usize,
}

impl<'s> Scopes<'s> {
    pub(super) fn new(script: &'s Script) -> Self {
        Self {
            script,
            own: OwnNames::default(),
            open: Vec::new(),
        }
    }

    pub(super) fn finish(mut self) -> OwnNames {
        self.own.close();
        self.own
    }

    /// A name that belongs to the innermost block, or to the function if it is a `var`.
    fn declare(&mut self, name: Node<'_>, is_var: bool) {
        if name.kind() != "identifier" {
            return;
        }
        let around = self
            .open
            .iter()
            .rev()
            .find(|open| open.is_function || !is_var);
        // Outside of all blocks and functions only a `var` is not the program's own.
        let place = match around {
            Some(open) => (open.start, open.end),
            None if is_var => return,
            None => (0, usize::MAX),
        };
        self.own.note(text(self.script, name), place);
    }

    fn parameter(&mut self, name: Node<'_>, from: usize, to: usize) {
        if name.kind() == "identifier" {
            self.own.note(text(self.script, name), (from, to));
        }
    }

    /// The parameters of a function. What stands in front of them is evaluated around it.
    fn function(&mut self, node: Node<'_>) {
        let end = node.end_byte();
        if let Some(parameter) = node.child_by_field_name("parameter") {
            self.parameter(parameter, parameter.start_byte(), end);
        }
        if let Some(parameters) = node.child_by_field_name("parameters") {
            let mut cursor = parameters.walk();
            for parameter in parameters.named_children(&mut cursor) {
                self.parameter(parameter, parameters.start_byte(), end);
            }
        }
    }

    fn imported(&mut self, part: Node<'_>) {
        let mut cursor = part.walk();
        for name in part.named_children(&mut cursor) {
            match name.kind() {
                "identifier" => self.declare(name, false),
                "namespace_import" => self.imported(name),
                "named_imports" => {
                    let mut cursor = name.walk();
                    for specifier in name.named_children(&mut cursor) {
                        let local = specifier
                            .child_by_field_name("alias")
                            .or_else(|| specifier.child_by_field_name("name"));
                        if let Some(local) = local {
                            self.declare(local, false);
                        }
                    }
                }
                _ => {}
            }
        }
    }
}

impl<'tree> Visitor<'tree> for Scopes<'_> {
    fn enter(&mut self, node: Node<'tree>, place: Place<'tree>) {
        let parent = place.parent.map_or("", |parent| parent.kind());
        let name = || node.child_by_field_name("name");
        let kind = node.kind();
        match kind {
            "with_statement" => self.own.has_with = true,
            "function_declaration" | "generator_function_declaration" | "class_declaration"
                if matches!(parent, "program" | "statement_block" | "export_statement") =>
            {
                if let Some(name) = name() {
                    self.declare(name, false);
                }
            }
            "variable_declarator" => {
                if let Some(name) = name() {
                    self.declare(name, parent != "lexical_declaration");
                }
            }
            "import_clause" => self.imported(node),
            "catch_clause" => {
                if let Some(name) = node.child_by_field_name("parameter") {
                    self.parameter(name, node.start_byte(), node.end_byte());
                }
            }
            _ => {}
        }
        if super::reader::is_function(kind) {
            self.function(node);
        }
        let is_function = place.field == Some("body") && super::reader::is_function(parent);
        let is_block = matches!(
            kind,
            "statement_block" | "for_statement" | "for_in_statement" | "switch_body"
        );
        if is_block || is_function {
            self.open.push(Open {
                node: node.id(),
                is_function,
                start: node.start_byte(),
                end: node.end_byte(),
            });
        }
        if kind == "for_in_statement"
            && let Some("const" | "let") = node.child_by_field_name("kind").map(|kind| kind.kind())
            && let Some(name) = node.child_by_field_name("left")
        {
            self.declare(name, false);
        }
    }

    fn leave(&mut self, node: Node<'tree>, _: Place<'tree>) {
        if self.open.last().is_some_and(|open| open.node == node.id()) {
            self.open.pop();
        }
    }
}
