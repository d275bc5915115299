//! Where names of the host are the program's own.
//!
//! A declared name means the same thing in all of its scope, also before the declaration: until
//! then it is undefined or may not be used, but it never is the global of that name.

use std::collections::HashMap;

use tree_sitter::Node;

use super::globals;

/// Places of one name that are remembered. Beyond that it counts as the global.
const PLACES_MAX: usize = 64;

/// How far a declaration reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// The block around it.
    Block,
    /// The function around it.
    Function,
}

/// A scope, by the bytes of the program that it covers.
#[derive(Debug, Clone, Copy)]
struct Scope {
    start: usize,
    end: usize,
    is_function: bool,
}

/// Names of the host that the program declares itself.
#[derive(Debug, Default)]
pub(super) struct OwnNames {
    open: Vec<Scope>,
    places: HashMap<String, Vec<Scope>>,
}

impl OwnNames {
    /// Whether the name, used at this byte, is the program's own.
    pub(super) fn holds(&self, name: &str, at: usize) -> bool {
        let places = self.places.get(name);
        places.is_some_and(|places| {
            places
                .iter()
                .any(|scope| scope.start <= at && at < scope.end)
        })
    }

    pub(super) fn enter(&mut self, node: Node<'_>) {
        if let Some(is_function) = scope(node.kind()) {
            self.open.push(Scope {
                start: node.start_byte(),
                end: node.end_byte(),
                is_function,
            });
        }
    }

    pub(super) fn leave(&mut self, node: Node<'_>) {
        if scope(node.kind()).is_some() {
            self.open.pop();
        }
    }

    /// Notes a declaration in the innermost scope that is open.
    pub(super) fn declare(&mut self, name: &str, reach: Reach) {
        if !globals::is_global(name) {
            return;
        }
        let mut scopes = self.open.iter().rev();
        let around = scopes.find(|scope| scope.is_function || reach == Reach::Block);
        if let Some(scope) = around {
            let places = self.places.entry(name.to_owned()).or_default();
            if places.len() < PLACES_MAX {
                places.push(*scope);
            }
        }
    }
}

/// Whether nodes of this kind are scopes, and whether of a function.
fn scope(kind: &str) -> Option<bool> {
    match kind {
        "program"
        | "function_declaration"
        | "function_expression"
        | "generator_function"
        | "generator_function_declaration"
        | "arrow_function"
        | "method_definition"
        | "class_static_block" => Some(true),
        "statement_block" | "for_statement" | "for_in_statement" | "switch_body" => Some(false),
        _ => None,
    }
}
