//! Variables of a script that have one value, which is written down.
//!
//! A variable counts when the script assigns it once, at its top level, where nothing decides
//! whether that happens, and nothing else of the script sets it. Where it is used before, it may
//! still come from outside.

use std::collections::HashMap;

use tree_sitter::Node;

use super::words::{Word, word};
use crate::tree::{Place, Script, Visitor};

/// Variables that are remembered.
const VARIABLES_MAX: usize = 10_000;

/// Words of one array that are remembered.
const ARRAY_MAX: usize = 256;

/// The longest value that is remembered, in bytes.
const VALUE_BYTES_MAX: usize = 4096;

/// What one variable holds, from some byte of the script on.
#[derive(Debug, Clone)]
struct Known {
    from: usize,
    words: Vec<String>,
}

/// The variables that have one value.
#[derive(Debug, Default)]
pub(super) struct Constants {
    /// `None` for those that have no single value.
    variables: HashMap<String, Option<Known>>,
    /// Whether another file may set any of them.
    is_open: bool,
}

impl Constants {
    /// The value of a variable where it is used at this byte.
    pub(super) fn value(&self, name: &str, at: usize) -> Option<&str> {
        match self.words(name, at)? {
            [word] => Some(word),
            _ => None,
        }
    }

    /// The elements of an array, or the positional parameters for the name `@`.
    pub(super) fn words(&self, name: &str, at: usize) -> Option<&[String]> {
        let known = self.variables.get(name)?.as_ref()?;
        (known.from <= at && !self.is_open).then_some(known.words.as_slice())
    }

    fn set(&mut self, name: String, known: Option<Known>) {
        if self.variables.len() < VARIABLES_MAX {
            self.variables
                .entry(name)
                .and_modify(|before| *before = None)
                .or_insert(known);
        } else {
            self.is_open = true;
        }
    }
}

/// The pass that collects them.
pub(super) struct Collector<'s> {
    script: &'s Script,
    pub(super) constants: Constants,
    /// Open nodes whose inside may run never, later, or somewhere else.
    conditions: usize,
}

impl<'s> Collector<'s> {
    pub(super) fn new(script: &'s Script) -> Self {
        Self {
            script,
            constants: Constants::default(),
            conditions: 0,
        }
    }

    fn text(&self, node: Node<'_>) -> String {
        if node.end_byte() - node.start_byte() > VALUE_BYTES_MAX {
            return String::new();
        }
        self.script.text(node).into_owned()
    }

    fn constant(&self, node: Node<'_>) -> Option<String> {
        let Word { text, is_computed } = word(self.script, node, &self.constants);
        (!is_computed && text.len() <= VALUE_BYTES_MAX).then_some(text)
    }

    fn assign(&mut self, assignment: Node<'_>, place: Place<'_>) {
        let Some(name) = assignment.child_by_field_name("name") else {
            return;
        };
        let name_text = self.text(name);
        let name_text = name_text.split('[').next().unwrap_or_default().to_owned();
        let is_plain = name.kind() == "variable_name";
        let value = assignment.child_by_field_name("value");
        let end = value.map_or(assignment.end_byte(), |value| value.start_byte());
        let is_added = self.script.slice(name.end_byte(), end).contains('+');
        // Before a command it is set for that command alone.
        let is_for_command = place
            .parent
            .is_some_and(|parent| parent.kind() == "command");
        let known = if is_plain && !is_added && !is_for_command && self.conditions == 0 {
            value.and_then(|value| self.words(value))
        } else {
            None
        };
        let from = assignment.end_byte();
        self.constants
            .set(name_text, known.map(|words| Known { from, words }));
    }

    fn words(&self, value: Node<'_>) -> Option<Vec<String>> {
        if value.kind() != "array" {
            return Some(vec![self.constant(value)?]);
        }
        let mut cursor = value.walk();
        let elements = value.named_children(&mut cursor).take(ARRAY_MAX);
        elements.map(|element| self.constant(element)).collect()
    }

    /// Commands that set variables.
    fn command(&mut self, command: Node<'_>) {
        let Some(name) = command.child_by_field_name("name") else {
            return;
        };
        let name = self.text(name);
        let mut cursor = command.walk();
        let arguments: Vec<Node<'_>> = command
            .children_by_field_name("argument", &mut cursor)
            .take(ARRAY_MAX)
            .collect();
        match name.as_str() {
            "." | "source" => self.constants.is_open = true,
            "read" | "getopts" | "mapfile" | "readarray" | "printf" | "let" | "unset" => {
                for argument in arguments {
                    let name = self.text(argument);
                    let name = name.split('=').next().unwrap_or_default().to_owned();
                    self.constants.set(name, None);
                }
            }
            "shift" => self.constants.set("@".to_owned(), None),
            "set" => {
                let Some((first, rest)) = arguments.split_first() else {
                    return;
                };
                if self.text(*first) == "--" {
                    let words: Option<Vec<String>> =
                        rest.iter().map(|word| self.constant(*word)).collect();
                    let from = command.end_byte();
                    let is_certain = self.conditions == 0;
                    let words = words.filter(|_| is_certain);
                    self.constants
                        .set("@".to_owned(), words.map(|words| Known { from, words }));
                }
            }
            _ => {}
        }
    }
}

impl<'tree> Visitor<'tree> for Collector<'_> {
    fn enter(&mut self, node: Node<'tree>, place: Place<'tree>) {
        match node.kind() {
            "variable_assignment" => self.assign(node, place),
            "command" => self.command(node),
            "for_statement" => {
                if let Some(variable) = node.child_by_field_name("variable") {
                    let name = self.text(variable);
                    self.constants.set(name, None);
                }
            }
            _ => {}
        }
        self.conditions += usize::from(is_condition(node.kind()));
    }

    fn leave(&mut self, node: Node<'tree>, _: Place<'tree>) {
        self.conditions -= usize::from(is_condition(node.kind()));
    }
}

/// Whether what is inside may not happen, or not in this shell.
fn is_condition(kind: &str) -> bool {
    matches!(
        kind,
        "function_definition"
            | "if_statement"
            | "while_statement"
            | "for_statement"
            | "c_style_for_statement"
            | "case_statement"
            | "list"
            | "pipeline"
            | "subshell"
            | "command_substitution"
            | "process_substitution"
            | "negated_command"
            | "declaration_command"
    )
}
