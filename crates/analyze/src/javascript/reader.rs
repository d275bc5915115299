//! The second pass: everything but bindings.

use tree_sitter::Node;

use super::bindings::Bindings;
use super::chain::{Chain, Keys, chain, guessed_module, is_link, required};
use super::uses::Use;
use super::{arguments, string, text};
use crate::findings::Findings;
use crate::flow::Flow;
use crate::tree::{Place, Script, Visitor};

/// Methods that call their first argument for each element.
const ITERATING: [&str; 16] = [
    "every",
    "filter",
    "find",
    "findIndex",
    "findLast",
    "findLastIndex",
    "flatMap",
    "forEach",
    "from",
    "map",
    "reduce",
    "reduceRight",
    "replaceAll",
    "some",
    "sort",
    "toSorted",
];

/// Conditions inside conditions that are looked at for a bound.
const CONDITION_DEPTH_MAX: usize = 8;

/// Reads a tree into findings.
pub(super) struct Reader<'s, 'f> {
    pub(super) script: &'s Script,
    pub(super) findings: &'f mut Findings,
    pub(super) bindings: Bindings<'s>,
    pub(super) flow: Flow,
    /// Texts that the program runs as code.
    pub(super) embedded: Vec<String>,
    /// Whether the value of the node at hand goes where its use is seen.
    pub(super) is_consumed: bool,
    /// Whether timers are set that fire for ever, and whether anything may end them.
    pub(super) has_interval: bool,
    pub(super) has_way_to_end_timers: bool,
    /// The open calls: the node of the arguments, and whether each element gets a call.
    calls: Vec<(usize, bool)>,
    /// The kinds of the open nodes.
    kinds: Vec<Kind>,
}

/// What has to be known about the nodes around one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Passes the value inside on unchanged.
    Wrapper,
    /// Takes the value in a way that is judged there.
    Consumer,
    Other,
}

impl<'s, 'f> Reader<'s, 'f> {
    pub(super) fn new(
        script: &'s Script,
        bindings: Bindings<'s>,
        findings: &'f mut Findings,
    ) -> Self {
        Self {
            script,
            findings,
            bindings,
            flow: Flow::new(),
            embedded: Vec::new(),
            is_consumed: false,
            has_interval: false,
            has_way_to_end_timers: false,
            calls: Vec::new(),
            kinds: Vec::new(),
        }
    }

    /// Judges what only shows at the end; returns the texts that run as code.
    pub(super) fn finish(self) -> Vec<String> {
        self.findings.recursion |= self.flow.has_recursion();
        self.findings.endless_loop |= self.has_interval && !self.has_way_to_end_timers;
        self.embedded
    }

    fn enter_function(&mut self, node: Node<'_>, place: Place<'_>) {
        self.findings.functions += 1;
        let runs_in_loop = place
            .parent
            .is_some_and(|parent| self.calls.last() == Some(&(parent.id(), true)));
        let loops = if runs_in_loop {
            self.flow.loops() + 1
        } else {
            0
        };
        let name = self.function_name(node, place);
        self.flow.open_function(name.as_deref(), loops);
        self.findings.loop_nesting(loops);
    }

    /// The name of a function: its own, or that of what it is assigned to. Those that are
    /// reached through an object begin with a dot.
    fn function_name(&self, node: Node<'_>, place: Place<'_>) -> Option<String> {
        if let Some(name) = node.child_by_field_name("name") {
            let name = text(self.script, name);
            let is_method = node.kind() == "method_definition";
            return Some(if is_method { format!(".{name}") } else { name });
        }
        let parent = place.parent?;
        let target = match parent.kind() {
            "variable_declarator" => parent.child_by_field_name("name")?,
            "assignment_expression" => parent.child_by_field_name("left")?,
            "pair" => parent.child_by_field_name("key")?,
            "field_definition" => parent.child_by_field_name("property")?,
            _ => return None,
        };
        match target.kind() {
            "identifier" => Some(text(self.script, target)),
            "member_expression" => {
                let property = target.child_by_field_name("property")?;
                Some(format!(".{}", text(self.script, property)))
            }
            "property_identifier" | "private_property_identifier" => {
                Some(format!(".{}", text(self.script, target)))
            }
            _ => None,
        }
    }

    fn enter_loop(&mut self, node: Node<'_>, place: Place<'_>) {
        self.findings.loops += 1;
        let condition = node.child_by_field_name("condition");
        let is_endless = match node.kind() {
            "for_statement" => condition.is_none_or(|condition| self.always_holds(condition)),
            "while_statement" | "do_statement" => {
                condition.is_some_and(|condition| self.always_holds(condition))
            }
            _ => false,
        };
        let label = place
            .parent
            .filter(|parent| parent.kind() == "labeled_statement")
            .and_then(|parent| parent.child_by_field_name("label"))
            .map(|label| text(self.script, label));
        let depth = self.flow.open_loop(is_endless, label);
        self.findings.loop_nesting(depth);
        if let Some(condition) = condition {
            self.note_bound(node, condition, CONDITION_DEPTH_MAX);
        }
    }

    /// Whether a condition is a constant that holds.
    fn always_holds(&self, condition: Node<'_>) -> bool {
        let mut condition = condition;
        let mut negated = false;
        for _ in 0..CONDITION_DEPTH_MAX {
            let inner = match condition.kind() {
                "parenthesized_expression" => condition.named_child(0),
                "unary_expression" => {
                    let operator = condition.child_by_field_name("operator");
                    if operator.is_none_or(|operator| operator.kind() != "!") {
                        return false;
                    }
                    negated = !negated;
                    condition.child_by_field_name("argument")
                }
                "empty_statement" | "true" | ";" => return !negated,
                "false" => return negated,
                "number" => {
                    let is_zero = self.fold(condition) == Some(0);
                    return is_zero == negated;
                }
                _ => None,
            };
            match inner {
                Some(inner) => condition = inner,
                None => return false,
            }
        }
        false
    }

    /// Notes a number that a loop counts up to, or down from.
    fn note_bound(&mut self, node: Node<'_>, condition: Node<'_>, depth: usize) {
        let Some(depth) = depth.checked_sub(1) else {
            return;
        };
        match condition.kind() {
            "parenthesized_expression" => {
                if let Some(inner) = condition.named_child(0) {
                    self.note_bound(node, inner, depth);
                }
            }
            "binary_expression" => {
                let sides = ["left", "right"].map(|side| condition.child_by_field_name(side));
                let operator = condition.child_by_field_name("operator");
                match operator.map_or("", |operator| operator.kind()) {
                    "&&" | "||" => {
                        for side in sides.into_iter().flatten() {
                            self.note_bound(node, side, depth);
                        }
                    }
                    "<" | "<=" | ">" | ">=" | "!=" | "!==" => {
                        let bounds = sides
                            .into_iter()
                            .flatten()
                            .filter_map(|side| self.fold(side));
                        match bounds.max() {
                            Some(bound) if bound > 1 => self.findings.literal("range", bound),
                            Some(_) => self.note_start(node),
                            None => {}
                        }
                    }
                    _ => {}
                }
            }
            // `for (let i = 1000; i--;)`
            "update_expression" | "identifier" => self.note_start(node),
            _ => {}
        }
    }

    /// Notes what a `for` loop starts to count from.
    fn note_start(&mut self, node: Node<'_>) {
        let declaration = node.child_by_field_name("initializer");
        let declarator = declaration.and_then(|declaration| declaration.named_child(0));
        let value = declarator.and_then(|declarator| {
            declarator
                .child_by_field_name("value")
                .or_else(|| declarator.child_by_field_name("right"))
        });
        if let Some(start) = value.and_then(|value| self.fold(value)) {
            self.findings.literal("range", start);
        }
    }

    fn enter_call(&mut self, node: Node<'_>) {
        let callee = node
            .child_by_field_name("function")
            .or_else(|| node.child_by_field_name("constructor"));
        let list = node.child_by_field_name("arguments");
        let given = arguments(node);
        let method = callee
            .and_then(|callee| callee.child_by_field_name("property"))
            .map(|property| text(self.script, property));
        let first = given.first().map_or("", |first| first.kind());
        let is_callable = is_function(first) || matches!(first, "identifier" | "member_expression");
        let second_is_function = given
            .get(1)
            .is_some_and(|second| is_function(second.kind()));
        let iterates = method.is_some_and(|method| {
            ITERATING.contains(&method.as_str())
                && (if matches!(&*method, "from" | "replaceAll") {
                    second_is_function
                } else {
                    is_callable
                })
        });
        if iterates {
            self.findings.loops += 1;
            let depth = self.flow.loops() + 1;
            self.findings.loop_nesting(depth);
        }
        self.calls
            .push((list.map_or(0, |list| list.id()), iterates));

        let Some(callee) = callee else { return };
        if callee.kind() == "import" {
            let is_plain = required(self.script, node);
            self.import(is_plain.as_deref(), Self::line(node));
            let guess = || guessed_module(self.script, node, &self.bindings.guesses);
            let guessed = if is_plain.is_none() { guess() } else { None };
            if let Some(module) = &guessed {
                self.import(Some(module), Self::line(node));
            }
            if let Some(module) = is_plain.or(guessed)
                && !self.is_consumed
            {
                self.use_whole(&module);
            }
        } else if is_link(callee) || callee.kind() == "parenthesized_expression" {
            let how = Use::Called {
                arguments: &given,
                is_new: node.kind() == "new_expression",
            };
            let callee = self.use_node(callee, how);
            self.note_call(&callee);
        }
        // A function that is handed to another may be called by it.
        for argument in given
            .iter()
            .filter(|argument| argument.kind() == "identifier")
        {
            let name = text(self.script, *argument);
            self.flow.call(&name);
        }
    }

    fn note_call(&mut self, callee: &super::chain::Chain) {
        use super::chain::Root;
        match (&callee.root, callee.properties.as_slice()) {
            (Root::Name(name), []) => self.flow.call(name),
            (Root::Name(name), [method]) if matches!(name.as_str(), "this" | "exports") => {
                self.flow.call(&format!(".{method}"));
            }
            (Root::Name(name), [exports, method]) if name == "module" && exports == "exports" => {
                self.flow.call(&format!(".{method}"));
            }
            _ => {}
        }
    }

    /// A chain that is not part of a longer one and is not called.
    fn enter_link(&mut self, node: Node<'_>, place: Place<'_>) {
        let Some(parent) = place.parent else { return };
        let is_inner = place.field == Some("object") && is_link(parent);
        let is_called = matches!(parent.kind(), "call_expression" | "new_expression")
            && matches!(place.field, Some("function" | "constructor"));
        if is_inner || is_called || is_declared(place) || is_asked_for_its_type(parent, place) {
            return;
        }
        let how = if is_bound(parent, place) {
            Use::Bound
        } else {
            Use::Value
        };
        self.use_node(node, how);
    }

    /// Judges one use of the chain that ends in a node. What is guessed of it comes on top.
    fn use_node(&mut self, node: Node<'_>, how: Use<'_, '_>) -> Chain {
        let line = Self::line(node);
        let written = chain(self.script, node, &self.bindings.guesses, Keys::Written);
        self.use_chain(&written, how, line);
        if written.is_computed {
            let guessed = chain(self.script, node, &self.bindings.guesses, Keys::Guessed);
            if guessed != written {
                self.use_chain(&guessed, how, line);
            }
        }
        written
    }

    /// Whether the value of the node that is being entered goes where its use is seen.
    fn finds_consumer(&self) -> bool {
        let around = self.kinds.iter().rev().find(|kind| **kind != Kind::Wrapper);
        around == Some(&Kind::Consumer)
    }

    fn use_whole(&mut self, module: &str) {
        let canonical = super::modules::canonical(module);
        let mut links = canonical.split('.');
        let top = links.next().unwrap_or_default();
        self.note_all(super::modules::member(top, &links.collect::<Vec<_>>()));
    }

    fn source(&mut self, statement: Node<'_>) {
        let source = statement.child_by_field_name("source");
        if let Some(module) = source.and_then(|source| string(self.script, source)) {
            self.import(Some(&module), Self::line(statement));
            // What is exported again may be used by whoever imports it.
            if statement.kind() == "export_statement" {
                self.use_whole(&module);
            }
        }
    }

    fn jump(&mut self, node: Node<'_>) {
        let label = node
            .child_by_field_name("label")
            .map(|label| text(self.script, label));
        if node.kind() == "break_statement" {
            self.flow.jump_out(label.as_deref());
        } else {
            self.flow.jump_on(label.as_deref());
        }
    }
}

impl<'tree> Visitor<'tree> for Reader<'_, '_> {
    fn enter(&mut self, node: Node<'tree>, place: Place<'tree>) {
        self.is_consumed = self.finds_consumer();
        if is_caught(place) {
            self.flow.open_caught();
        }
        match node.kind() {
            kind if is_function(kind) => self.enter_function(node, place),
            "class_static_block" => self.flow.open_function(None, 0),
            kind if is_loop(kind) => self.enter_loop(node, place),
            "switch_statement" => self.flow.open_switch(),
            "break_statement" | "continue_statement" => self.jump(node),
            "return_statement" | "yield_expression" => self.flow.leave_function(),
            "throw_statement" => self.flow.throw(),
            "call_expression" | "new_expression" => self.enter_call(node),
            "import_statement" | "export_statement" => self.source(node),
            "string" | "template_string" => self.note_place(node),
            _ if is_link(node) => self.enter_link(node, place),
            _ => {}
        }
        self.kinds.push(kind(node));
    }

    fn leave(&mut self, node: Node<'tree>, place: Place<'tree>) {
        self.kinds.pop();
        match node.kind() {
            kind if is_function(kind) => self.flow.close_function(),
            "class_static_block" => self.flow.close_function(),
            kind if is_loop(kind) => {
                self.findings.endless_loop |= self.flow.close_loop();
            }
            "switch_statement" => self.flow.close_switch(),
            "call_expression" | "new_expression" => {
                self.calls.pop();
            }
            _ => {}
        }
        if is_caught(place) {
            self.flow.close_caught();
        }
    }
}

/// Whether exceptions in a node are caught right around it.
fn is_caught(place: Place<'_>) -> bool {
    place.field == Some("body")
        && place.parent.is_some_and(|parent| {
            parent.kind() == "try_statement" && parent.child_by_field_name("handler").is_some()
        })
}

pub(super) fn is_function(kind: &str) -> bool {
    matches!(
        kind,
        "function_declaration"
            | "function_expression"
            | "generator_function"
            | "generator_function_declaration"
            | "arrow_function"
            | "method_definition"
    )
}

fn is_loop(kind: &str) -> bool {
    matches!(
        kind,
        "for_statement" | "for_in_statement" | "while_statement" | "do_statement"
    )
}

fn is_pattern(node: Node<'_>) -> bool {
    matches!(node.kind(), "identifier" | "object_pattern")
}

/// Whether an identifier stands where a name is introduced, not used.
fn is_declared(place: Place<'_>) -> bool {
    let Some(parent) = place.parent else {
        return false;
    };
    match parent.kind() {
        "formal_parameters" | "import_specifier" | "import_clause" | "namespace_import"
        | "catch_clause" | "rest_pattern" | "array_pattern" => true,
        "arrow_function" => place.field == Some("parameter"),
        "pair_pattern" => place.field == Some("value"),
        kind => {
            let introduces = place.field == Some("name")
                && (is_function(kind)
                    || matches!(kind, "variable_declarator" | "class" | "class_declaration"));
            let is_target = place.field == Some("left")
                && matches!(
                    kind,
                    "assignment_expression"
                        | "assignment_pattern"
                        | "for_in_statement"
                        | "object_assignment_pattern"
                );
            introduces || (is_target && parent.child_by_field_name("left").is_some_and(is_pattern))
        }
    }
}

/// Whether only the type of a value is asked for.
fn is_asked_for_its_type(parent: Node<'_>, place: Place<'_>) -> bool {
    let operator = parent.child_by_field_name("operator");
    match operator.map_or("", |operator| operator.kind()) {
        "typeof" => true,
        "instanceof" => place.field == Some("right"),
        _ => false,
    }
}

/// Whether the first pass gave the value a name.
fn is_bound(parent: Node<'_>, place: Place<'_>) -> bool {
    match (parent.kind(), place.field) {
        ("variable_declarator", Some("value")) => {
            parent.child_by_field_name("name").is_some_and(is_pattern)
        }
        ("assignment_expression" | "assignment_pattern", Some("right")) => {
            parent.child_by_field_name("left").is_some_and(is_pattern)
        }
        _ => false,
    }
}

/// The kind of a node, for those inside it.
fn kind(node: Node<'_>) -> Kind {
    match node.kind() {
        "parenthesized_expression" | "await_expression" => Kind::Wrapper,
        "member_expression"
        | "subscript_expression"
        | "expression_statement"
        | "variable_declarator" => Kind::Consumer,
        "assignment_expression" => match node.child_by_field_name("left") {
            Some(left) if is_pattern(left) => Kind::Consumer,
            _ => Kind::Other,
        },
        _ => Kind::Other,
    }
}
