//! The functions that a script defines, and where their names certainly mean them.
//!
//! A definition holds for what follows it in the same list of commands, and inside of it. Anywhere
//! else the name may still mean the command of that name, so both are judged.

use std::collections::{HashMap, HashSet};

use crate::tree::{Place, Script, Visitor};
use tree_sitter::Node;

use super::words::word;

/// Definitions that are remembered.
const FUNCTIONS_MAX: usize = 10_000;

/// Definitions of one name that are remembered with their places.
const PLACES_MAX: usize = 8;

/// Commands that a shell looks for before it looks for functions.
const SPECIAL: [&str; 15] = [
    ".", ":", "break", "continue", "eval", "exec", "exit", "export", "readonly", "return", "set",
    "shift", "times", "trap", "unset",
];

/// The functions of a script.
#[derive(Debug, Default)]
pub(super) struct Functions {
    /// First and last byte of where the name means the function.
    places: HashMap<String, Vec<(usize, usize)>>,
    /// Functions of the script around this one that are there from the start.
    outer: HashSet<String>,
}

impl Functions {
    /// Whether the script has a function of this name anywhere.
    pub(super) fn contains(&self, name: &str) -> bool {
        self.outer.contains(name) || self.places.contains_key(name)
    }

    /// Whether the name certainly means a function at this byte.
    pub(super) fn holds(&self, name: &str, at: usize) -> bool {
        if SPECIAL.contains(&name) {
            return false;
        }
        let is_here = |places: &Vec<(usize, usize)>| {
            places.iter().any(|(start, end)| *start < at && at < *end)
        };
        self.outer.contains(name) || self.places.get(name).is_some_and(is_here)
    }

    /// The functions that are certainly there at this byte.
    pub(super) fn at(&self, at: usize) -> HashSet<String> {
        let own = self.places.keys().filter(|name| self.holds(name, at));
        own.chain(&self.outer).cloned().collect()
    }
}

/// The first pass: collects definitions.
pub(super) struct Definitions<'s> {
    script: &'s Script,
    pub(super) functions: Functions,
}

impl<'s> Definitions<'s> {
    pub(super) fn new(script: &'s Script, outer: HashSet<String>) -> Self {
        Self {
            script,
            functions: Functions {
                places: HashMap::new(),
                outer,
            },
        }
    }
}

impl<'tree> Visitor<'tree> for Definitions<'_> {
    fn enter(&mut self, node: Node<'tree>, place: Place<'tree>) {
        if node.kind() != "function_definition" || self.functions.places.len() >= FUNCTIONS_MAX {
            return;
        }
        let Some(name) = node.child_by_field_name("name") else {
            return;
        };
        let name = word(self.script, name).text;
        let list = place.parent.filter(|parent| {
            let is_list = matches!(
                parent.kind(),
                "program" | "compound_statement" | "do_group" | "subshell"
            );
            // In the background it is another shell that knows it.
            is_list && node.next_sibling().is_none_or(|next| next.kind() != "&")
        });
        let places = self.functions.places.entry(name).or_default();
        if let Some(list) = list
            && places.len() < PLACES_MAX
        {
            places.push((node.start_byte(), list.end_byte().saturating_add(1)));
        }
    }

    fn leave(&mut self, _: Node<'tree>, _: Place<'tree>) {}
}
