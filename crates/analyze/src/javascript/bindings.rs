//! The first pass: which names stand for a module, for a part of one, or for a number.

use std::collections::{BTreeSet, HashMap};

use tree_sitter::Node;

use super::chain::{Chain, Keys, Root, chain, is_link};
use super::guesses::Guesses;
use super::scopes::OwnNames;
use super::{globals, modules, numbers, string, text};
use crate::tree::{Place, Script, Visitor};

/// Names that are remembered.
const NAMES_MAX: usize = 20_000;

/// Things one name may stand for.
const MEANINGS_MAX: usize = 8;

/// Patterns inside patterns that are followed.
const PATTERN_DEPTH_MAX: usize = 8;

/// What names stand for.
pub(super) struct Bindings<'s> {
    script: &'s Script,
    /// Paths from the host, such as `fs.promises`, by local name.
    paths: HashMap<String, BTreeSet<String>>,
    /// Numbers, by local name; `None` when a name is bound to different ones.
    numbers: HashMap<String, Option<u64>>,
    pub(super) guesses: Guesses,
    own: OwnNames,
}

impl<'s> Bindings<'s> {
    pub(super) fn new(script: &'s Script, own: OwnNames) -> Self {
        Self {
            script,
            paths: HashMap::new(),
            numbers: HashMap::new(),
            guesses: Guesses::default(),
            own,
        }
    }

    /// The number that a name always stands for.
    pub(super) fn number(&self, name: &str) -> Option<u64> {
        self.numbers.get(name).copied().flatten()
    }

    /// The paths from the host that a chain may stand for. Empty when it has nothing to do with
    /// the host.
    pub(super) fn resolve(&self, chain: &Chain) -> Vec<String> {
        let starts: Vec<&str> = match &chain.root {
            Root::Module(module) => vec![module],
            Root::Name(name) => {
                let bound = self.paths.get(name).into_iter().flatten();
                let mut starts: Vec<&str> = bound.map(String::as_str).collect();
                if globals::is_global(name) && !self.own.holds(name, chain.at) {
                    // Not to be taken for the built-in module of that name.
                    starts.push(if name == "module" { "commonjs" } else { name });
                }
                starts
            }
            Root::Unknown => return Vec::new(),
        };
        starts
            .into_iter()
            .map(|start| normal(start, &chain.properties))
            .collect()
    }

    fn bind_path(&mut self, name: String, path: String) {
        if self.paths.len() >= NAMES_MAX && !self.paths.contains_key(&name) {
            return;
        }
        let paths = self.paths.entry(name).or_default();
        if paths.len() < MEANINGS_MAX {
            paths.insert(path);
        }
    }

    fn bind_number(&mut self, name: String, value: Option<u64>) {
        if self.numbers.len() < NAMES_MAX {
            self.numbers
                .entry(name)
                .and_modify(|known| {
                    if *known != value {
                        *known = None;
                    }
                })
                .or_insert(value);
        }
    }

    /// Binds what a pattern names to what a path offers.
    fn bind(&mut self, pattern: Node<'_>, path: &str, depth: usize) {
        if depth > PATTERN_DEPTH_MAX {
            return;
        }
        match pattern.kind() {
            "identifier" | "shorthand_property_identifier_pattern" => {
                self.bind_path(text(self.script, pattern), path.to_owned());
            }
            "assignment_pattern" | "object_assignment_pattern" => {
                if let Some(left) = pattern.child_by_field_name("left") {
                    self.bind(left, path, depth + 1);
                }
            }
            "object_pattern" => {
                let mut cursor = pattern.walk();
                for property in pattern.named_children(&mut cursor) {
                    self.bind_property(property, path, depth);
                }
            }
            _ => {}
        }
    }

    fn bind_property(&mut self, property: Node<'_>, path: &str, depth: usize) {
        let member = |name: &str| normal(path, &[name.to_owned()]);
        match property.kind() {
            "shorthand_property_identifier_pattern" => {
                let name = text(self.script, property);
                self.bind(property, &member(&name), depth + 1);
            }
            "object_assignment_pattern" => {
                if let Some(left) = property.child_by_field_name("left") {
                    let name = text(self.script, left);
                    self.bind(left, &member(&name), depth + 1);
                }
            }
            "pair_pattern" => {
                let key = property.child_by_field_name("key");
                let value = property.child_by_field_name("value");
                if let (Some(key), Some(value)) = (key, value) {
                    let name = match key.kind() {
                        "property_identifier" => Some(text(self.script, key)),
                        _ => string(self.script, key),
                    };
                    // A computed key may be any member, so the name stands for the whole.
                    let path = name.map_or_else(|| path.to_owned(), |name| member(&name));
                    self.bind(value, &path, depth + 1);
                }
            }
            "rest_pattern" => {
                if let Some(rest) = property.named_child(0) {
                    self.bind(rest, path, depth + 1);
                }
            }
            _ => {}
        }
    }

    /// `import name, { a as b }, * as all from "module"`.
    fn import(&mut self, statement: Node<'_>) {
        let source = statement.child_by_field_name("source");
        let Some(module) = source.and_then(|source| string(self.script, source)) else {
            return;
        };
        let module = normal(&module, &[]);
        let mut cursor = statement.walk();
        for clause in statement.named_children(&mut cursor) {
            if clause.kind() == "import_clause" {
                let mut cursor = clause.walk();
                for part in clause.named_children(&mut cursor) {
                    self.import_part(part, &module);
                }
            }
        }
    }

    fn import_part(&mut self, part: Node<'_>, module: &str) {
        match part.kind() {
            "identifier" => self.bind_path(text(self.script, part), module.to_owned()),
            "namespace_import" => {
                if let Some(name) = part.named_child(0) {
                    self.bind_path(text(self.script, name), module.to_owned());
                }
            }
            "named_imports" => {
                let mut cursor = part.walk();
                for specifier in part.named_children(&mut cursor) {
                    let name = specifier.child_by_field_name("name");
                    let local = specifier.child_by_field_name("alias").or(name);
                    if let (Some(name), Some(local)) = (name, local) {
                        let path = normal(module, &[text(self.script, name)]);
                        self.bind_path(text(self.script, local), path);
                    }
                }
            }
            _ => {}
        }
    }

    /// `target = value`, in a declaration or not.
    fn assign(&mut self, target: Node<'_>, value: Node<'_>) {
        if target.kind() == "identifier" {
            let number = numbers::fold(self.script, value, &|name| self.number(name));
            if number.is_some() || self.numbers.contains_key(&text(self.script, target)) {
                self.bind_number(text(self.script, target), number);
            }
        }
        let is_chain = is_link(value)
            || matches!(value.kind(), "call_expression" | "await_expression")
            || value.kind() == "parenthesized_expression";
        if is_chain {
            let keys = [Keys::Written, Keys::Guessed];
            let chains = keys.map(|keys| chain(self.script, value, &self.guesses, keys));
            let [written, guessed] = &chains;
            let chains = chains.iter().take(if written == guessed { 1 } else { 2 });
            for chain in chains {
                for path in self.resolve(chain) {
                    self.bind(target, &path, 0);
                }
            }
        }
        if self.makes_require(value) {
            self.bind(target, "require", 0);
        }
        self.guesses.bind(self.script, target, value);
    }

    /// Whether an expression is `createRequire(...)`, whose result loads modules.
    fn makes_require(&self, value: Node<'_>) -> bool {
        let function = value.child_by_field_name("function");
        function
            .filter(|function| value.kind() == "call_expression" && is_link(*function))
            .is_some_and(|function| {
                let function = chain(self.script, function, &self.guesses, Keys::Written);
                let paths = self.resolve(&function);
                paths.iter().any(|path| path == "module.createRequire")
            })
    }
}

/// A path in the one form that the tables know.
fn normal(start: &str, properties: &[String]) -> String {
    let mut start = modules::canonical(start);
    let mut properties = properties;
    // The global object has everything that is global; a module's default is the module.
    while let Some((first, rest)) = properties.split_first() {
        if globals::is_global_object(&start) {
            start = first.clone();
            properties = rest;
        } else if first == "default" {
            properties = rest;
        } else {
            break;
        }
    }
    std::iter::once(start.as_str())
        .chain(properties.iter().map(String::as_str))
        .collect::<Vec<_>>()
        .join(".")
}

impl<'tree> Visitor<'tree> for Bindings<'_> {
    fn enter(&mut self, node: Node<'tree>, _: Place<'tree>) {
        let fields = match node.kind() {
            "import_statement" => return self.import(node),
            "variable_declarator" => ("name", "value"),
            "assignment_expression" | "assignment_pattern" => ("left", "right"),
            // A name that is counted with stands for no fixed number.
            "update_expression" | "augmented_assignment_expression" => {
                let argument = node.child_by_field_name("argument");
                let target = argument.or_else(|| node.child_by_field_name("left"));
                if let Some(target) = target {
                    self.bind_number(text(self.script, target), None);
                }
                return;
            }
            _ => return,
        };
        let target = node.child_by_field_name(fields.0);
        let value = node.child_by_field_name(fields.1);
        if let (Some(target), Some(value)) = (target, value) {
            self.assign(target, value);
        }
    }

    fn leave(&mut self, _: Node<'tree>, _: Place<'tree>) {}
}
