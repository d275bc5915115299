//! Reads JavaScript: what it requires, what it calls and how much it loops.
//!
//! Works on names as they are written and on names bound by `require` and `import`; it follows no
//! values. Parsing and its bounds belong to [`crate::tree`], the tables to [`names`].

mod names;

use std::collections::BTreeMap;

use atoll_types::Capability;
use tree_sitter::Node;

use crate::findings::Findings;
use crate::graph::has_cycle;
use crate::tree::{self, Grammar, Place, Script, Visitor};

const GRAMMAR: Grammar = Grammar {
    language: || tree_sitter_javascript::LANGUAGE.into(),
    filler: "\n;",
    filler_column: 1,
    stray_closer: "}",
};

/// The most bytes of a name that are looked at.
const NAME_BYTES_MAX: usize = 200;

/// Reads a script into `findings`.
pub(crate) fn analyze(bytes: &[u8], findings: &mut Findings) {
    findings.lines = bytes.split_inclusive(|byte| *byte == b'\n').count() as u64;
    let script = tree::parse(GRAMMAR, bytes);
    for (line, message) in &script.problems {
        findings.problem(*line, message);
    }
    let Some(tree) = script.tree() else { return };
    let mut bindings = Bindings {
        script: &script,
        names: BTreeMap::new(),
    };
    tree::walk(&script, tree, &mut bindings);
    let mut reader = Reader {
        script: &script,
        names: bindings.names,
        findings,
        functions: vec![Function::default()],
        exits: Vec::new(),
        ids: BTreeMap::new(),
        edges: Vec::new(),
    };
    let walked = tree::walk(&script, tree, &mut reader);
    let recursion = has_cycle(reader.ids.len(), &reader.edges);
    findings.recursion |= recursion;
    findings.instructions = walked.nodes;
    if walked.too_deep_line.is_some() {
        findings.problem(walked.too_deep_line, "nesting is too deep to be followed");
    }
}

/// First pass: which names stand for a module or a member of one.
struct Bindings<'s> {
    script: &'s Script,
    names: BTreeMap<String, String>,
}

impl Bindings<'_> {
    fn bind(&mut self, pattern: Node<'_>, module: &str) {
        match pattern.kind() {
            "identifier" => {
                let name = self.script.text(pattern).into_owned();
                self.names.insert(name, module.to_owned());
            }
            "object_pattern" | "named_imports" | "import_clause" | "namespace_import" => {
                let mut cursor = pattern.walk();
                for child in pattern.named_children(&mut cursor) {
                    self.bind_member(child, module);
                }
            }
            _ => {}
        }
    }

    fn bind_member(&mut self, node: Node<'_>, module: &str) {
        let (member, local) = match node.kind() {
            "shorthand_property_identifier_pattern" => (Some(node), Some(node)),
            "pair_pattern" => (
                node.child_by_field_name("key"),
                node.child_by_field_name("value"),
            ),
            "import_specifier" => {
                let name = node.child_by_field_name("name");
                (name, node.child_by_field_name("alias").or(name))
            }
            "identifier" => return self.bind(node, module),
            "namespace_import" | "named_imports" => return self.bind(node, module),
            _ => return,
        };
        if let (Some(member), Some(local)) = (member, local) {
            let path = format!("{module}.{}", self.script.text(member));
            self.names
                .insert(self.script.text(local).into_owned(), path);
        }
    }
}

impl<'tree> Visitor<'tree> for Bindings<'_> {
    fn enter(&mut self, node: Node<'tree>, _: Place<'tree>) {
        let (pattern, module) = match node.kind() {
            "variable_declarator" => {
                let value = node.child_by_field_name("value");
                let module = value.and_then(|value| required(self.script, value));
                (node.child_by_field_name("name"), module)
            }
            "import_statement" => {
                let source = node.child_by_field_name("source");
                let module = source.and_then(|source| string(self.script, source));
                (node.named_child(0), module)
            }
            _ => return,
        };
        if let (Some(pattern), Some(module)) = (pattern, module) {
            let module = module.strip_prefix("node:").unwrap_or(&module);
            self.bind(pattern, module);
        }
    }

    fn leave(&mut self, _: Node<'tree>, _: Place<'tree>) {}
}

/// The module in `require("module")` or `require("module").member`, in any `await`.
fn required(script: &Script, node: Node<'_>) -> Option<String> {
    match node.kind() {
        "await_expression" => required(script, node.named_child(0)?),
        "member_expression" => {
            let object = node.child_by_field_name("object")?;
            if object.kind() != "call_expression" {
                return None;
            }
            let member = script.text(node.child_by_field_name("property")?);
            Some(format!("{}.{member}", required(script, object)?))
        }
        "call_expression" => {
            let function = node.child_by_field_name("function")?;
            if !matches!(&*script.text(function), "require" | "import") {
                return None;
            }
            string(script, argument(node, 0)?)
        }
        _ => None,
    }
}

/// The value of a string literal without escapes.
fn string(script: &Script, node: Node<'_>) -> Option<String> {
    let is_plain = node.kind() == "string"
        || (node.kind() == "template_string" && !script.text(node).contains("${"));
    let text = script.text(node);
    (is_plain && !text.contains('\\')).then(|| text.trim_matches(['"', '\'', '`']).to_owned())
}

fn argument<'tree>(call: Node<'tree>, index: u32) -> Option<Node<'tree>> {
    call.child_by_field_name("arguments")?.named_child(index)
}

/// A whole number as JavaScript writes it.
fn number(script: &Script, node: Node<'_>) -> Option<u64> {
    let text = script.text(node).replace('_', "");
    if let Some(hex) = text.strip_prefix("0x") {
        return u64::from_str_radix(hex, 16).ok();
    }
    if let Ok(value) = text.trim_end_matches('n').parse() {
        return Some(value);
    }
    let value: f64 = text.parse().ok()?;
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the cast saturates, which is what a literal does"
    )]
    (value >= 0.0).then_some(value as u64)
}

#[derive(Default)]
struct Function {
    id: Option<u32>,
    loops: u32,
}

/// Second pass: everything else.
struct Reader<'s, 'f> {
    script: &'s Script,
    names: BTreeMap<String, String>,
    findings: &'f mut Findings,
    /// The functions around the current node; the first is the program.
    functions: Vec<Function>,
    /// For each open endless loop, whether a way out was seen; `None` opens another function.
    exits: Vec<Option<bool>>,
    ids: BTreeMap<String, u32>,
    edges: Vec<(u32, u32)>,
}

fn is_function(kind: &str) -> bool {
    kind.contains("function") && kind != "function" || kind == "method_definition"
}

impl Reader<'_, '_> {
    fn id(&mut self, name: &str) -> u32 {
        let next = u32::try_from(self.ids.len()).unwrap_or(u32::MAX);
        *self.ids.entry(name.to_owned()).or_insert(next)
    }

    fn is_loop(&self, node: Node<'_>) -> bool {
        match node.kind() {
            "while_statement" | "do_statement" | "for_statement" | "for_in_statement" => true,
            "call_expression" => node
                .child_by_field_name("function")
                .and_then(|function| function.child_by_field_name("property"))
                .is_some_and(|property| names::ITERATORS.contains(&&*self.script.text(property))),
            _ => false,
        }
    }

    fn is_endless(&self, node: Node<'_>) -> bool {
        let Some(condition) = node.child_by_field_name("condition") else {
            return node.kind() == "for_statement";
        };
        let text = self.script.text(condition);
        let is_loop = matches!(
            node.kind(),
            "while_statement" | "do_statement" | "for_statement"
        );
        is_loop && matches!(text.trim_matches(['(', ')', ' ']), "true" | "1" | ";" | "")
    }

    /// The name of a function, from its definition or from what it is assigned to.
    fn function_name(&self, node: Node<'_>, place: Place<'_>) -> Option<String> {
        let named = node.child_by_field_name("name").or_else(|| {
            let parent = place.parent?;
            (parent.kind() == "variable_declarator")
                .then(|| parent.child_by_field_name("name"))
                .flatten()
        })?;
        Some(self.script.text(named).into_owned())
    }

    /// The dotted path of a callee with bound names replaced.
    fn path(&self, node: Node<'_>) -> Option<String> {
        if let Some(module) = required(self.script, node) {
            return Some(module.trim_start_matches("node:").to_owned());
        }
        if node.end_byte() - node.start_byte() > NAME_BYTES_MAX {
            return None;
        }
        let text = self.script.text(node).replace("?.", ".");
        let (head, rest) = text.split_once('.').unwrap_or((&text, ""));
        if let Some(after) = text.strip_prefix("require(") {
            let (module, member) = after.split_once(')')?;
            let module = module.trim_matches(['"', '\'', '`']);
            return Some(format!("{}{member}", module.trim_start_matches("node:")));
        }
        let head = self.names.get(head).map_or(head, String::as_str);
        Some(if rest.is_empty() {
            head.to_owned()
        } else {
            format!("{head}.{rest}")
        })
    }

    fn module(&mut self, node: Option<Node<'_>>, line: u64) {
        match node.and_then(|node| string(self.script, node)) {
            Some(name) => names::module(&name, self.findings),
            None => {
                self.findings.capability(Capability::DynamicCode);
                let message = "the name of a module is only known when the script runs";
                self.findings.problem(Some(line), message);
            }
        }
    }

    fn call(&mut self, node: Node<'_>, callee: Node<'_>) {
        let Some(path) = self.path(callee) else {
            return;
        };
        let line = tree::line(node);
        match path.as_str() {
            "require" | "import" => self.module(argument(node, 0), line),
            "eval" | "Function" => {
                self.findings.capability(Capability::DynamicCode);
                self.findings.host_call(&path);
                if argument(node, 0).is_none_or(|code| string(self.script, code).is_none()) {
                    let message = "code is made while the script runs";
                    self.findings.problem(Some(line), message);
                }
            }
            _ => names::call(&path, self.findings),
        }
        let (role, index) = match path.rsplit('.').next().unwrap_or_default() {
            "Array" => ("allocate", 0),
            "repeat" => ("repeat", 0),
            "alloc" | "allocUnsafe" | "ArrayBuffer" => ("allocate", 0),
            name if name.ends_with("Array") => ("allocate", 0),
            "setTimeout" | "setInterval" => ("sleep", 1),
            _ => return self.edge(&path),
        };
        let value = argument(node, index).and_then(|node| number(self.script, node));
        if let Some(value) = value {
            self.findings.literal(role, value);
        }
    }

    fn edge(&mut self, path: &str) {
        let name = path.strip_prefix("this.").unwrap_or(path);
        if name.contains('.') {
            return;
        }
        let to = self.id(name);
        let from = self.functions.iter().rev().find_map(|function| function.id);
        if let Some(from) = from {
            self.edges.push((from, to));
        }
    }

    fn open(&mut self, node: Node<'_>, place: Place<'_>) {
        if is_function(node.kind()) {
            self.findings.functions += 1;
            let name = self.function_name(node, place);
            let id = name.map(|name| self.id(&name));
            // A callback of an iteration runs inside its loop.
            let loops = match place.parent.map(|parent| parent.kind()) {
                Some("arguments") => self.functions.last().map_or(0, |outer| outer.loops),
                _ => 0,
            };
            self.functions.push(Function { id, loops });
            self.exits.push(None);
        }
        if self.is_loop(node) {
            self.findings.loops += 1;
            if let Some(function) = self.functions.last_mut() {
                function.loops += 1;
                self.findings.loop_nesting(function.loops);
            }
            if self.is_endless(node) {
                self.exits.push(Some(false));
            }
        }
    }
}

impl<'tree> Visitor<'tree> for Reader<'_, '_> {
    fn enter(&mut self, node: Node<'tree>, place: Place<'tree>) {
        self.open(node, place);
        match node.kind() {
            "break_statement" | "return_statement" | "throw_statement" | "yield_expression" => {
                if let Some(Some(exit)) = self.exits.last_mut() {
                    *exit = true;
                }
            }
            "call_expression" => {
                if let Some(callee) = node.child_by_field_name("function") {
                    self.call(node, callee);
                }
            }
            "new_expression" => {
                if let Some(callee) = node.child_by_field_name("constructor") {
                    self.call(node, callee);
                }
            }
            "import_statement" | "export_statement" => {
                if let Some(source) = node.child_by_field_name("source") {
                    self.module(Some(source), tree::line(node));
                }
            }
            "member_expression" => {
                if let Some(path) = self.path(node) {
                    names::member(&path, self.findings);
                }
            }
            "identifier" => names::member(&self.script.text(node), self.findings),
            "with_statement" => self.findings.capability(Capability::Introspection),
            "binary_expression" if place.field == Some("condition") => {
                let right = node.child_by_field_name("right");
                if let Some(value) = right.and_then(|right| number(self.script, right)) {
                    self.findings.literal("range", value);
                }
            }
            _ => {}
        }
    }

    fn leave(&mut self, node: Node<'tree>, _: Place<'tree>) {
        if self.is_loop(node) {
            if let Some(function) = self.functions.last_mut() {
                function.loops = function.loops.saturating_sub(1);
            }
            if self.is_endless(node) && self.exits.pop() == Some(Some(false)) {
                self.findings.endless_loop = true;
            }
        }
        if is_function(node.kind()) {
            self.functions.pop();
            self.exits.pop();
        }
    }
}

#[cfg(test)]
mod tests;
