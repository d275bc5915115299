//! Walks the syntax tree of a script.

use std::collections::HashSet;

use atoll_types::{Capability, DependencySource};
use tree_sitter::Node;

use super::functions::Functions;
use super::guesses::Guesses;
use super::run::{is_setting, is_stream};
use super::variables::Variables;
use super::words::{Word, word};
use super::{Trust, interpreters, work};
use crate::findings::Findings;
use crate::flow::Flow;
use crate::tree::{self, Place, Script, Visitor};

/// Words of one command that are looked at.
const WORDS_MAX: usize = 4096;

/// The longest name or condition that is looked at, in bytes.
const TEXT_BYTES_MAX: usize = 256;

/// A text that a script runs as commands.
#[derive(Debug)]
pub(super) struct Embedded {
    pub(super) text: String,
    /// The functions that it can call.
    pub(super) functions: HashSet<String>,
}

/// A pipeline that is open.
#[derive(Default)]
struct Pipeline {
    /// The function open around it, as a count, to tell whether it is inside the same one.
    functions: usize,
    never_ends: bool,
    /// Whether a part of it stops the others after some time or amount.
    is_limited: bool,
}

/// The second pass: everything but the functions.
pub(super) struct Reader<'s, 'f> {
    pub(super) script: &'s Script,
    /// The bytes of the script as they were written.
    source: &'s [u8],
    pub(super) findings: &'f mut Findings,
    pub(super) functions: Functions,
    pub(super) trust: &'f mut Trust,
    pub(super) guesses: Guesses,
    pub(super) flow: Flow,
    pub(super) variables: Variables,
    /// Texts that the script runs as commands.
    pub(super) embedded: Vec<Embedded>,
    /// The byte where the command that is being judged stands.
    pub(super) at: usize,
    pipelines: Vec<Pipeline>,
    functions_open: usize,
    /// Open conditions of loops.
    conditions: usize,
    /// Whether the command that is being judged is stopped after some time.
    pub(super) is_limited: bool,
    /// Whether the command that is being judged calls the function it stands in.
    calls_itself: bool,
    /// The node around the last command that called the function it stands in.
    last_self_call: Option<usize>,
}

impl<'s, 'f> Reader<'s, 'f> {
    pub(super) fn new(
        script: &'s Script,
        source: &'s [u8],
        functions: Functions,
        trust: &'f mut Trust,
        findings: &'f mut Findings,
    ) -> Self {
        Self {
            script,
            source,
            findings,
            functions,
            trust,
            guesses: Guesses::default(),
            at: 0,
            flow: Flow::new(),
            variables: Variables::default(),
            embedded: Vec::new(),
            pipelines: Vec::new(),
            functions_open: 0,
            conditions: 0,
            is_limited: false,
            calls_itself: false,
            last_self_call: None,
        }
    }

    /// Judges what only shows at the end; returns the texts that run as commands.
    pub(super) fn finish(self) -> Vec<Embedded> {
        self.findings.recursion |= self.flow.has_recursion();
        self.variables.judge(self.findings);
        self.embedded
    }

    /// A call of one of the script's own functions.
    pub(super) fn call_function(&mut self, name: &str) {
        self.flow.call(name);
        self.calls_itself = self.flow.is_inside(name);
        let in_pipeline = self
            .pipelines
            .last()
            .is_some_and(|pipeline| pipeline.functions == self.functions_open);
        if self.calls_itself && in_pipeline {
            // Each call starts more of them: a fork bomb.
            self.findings.endless_loop = true;
        }
    }

    /// The pipeline that is open ends when this command does.
    pub(super) fn limit_pipeline(&mut self) {
        if let Some(pipeline) = self.pipelines.last_mut() {
            pipeline.is_limited = true;
        }
    }

    /// A command that only ends when the rest of its pipeline does.
    pub(super) fn run_without_end(&mut self) {
        match self.pipelines.last_mut() {
            Some(pipeline) => pipeline.never_ends = true,
            None => self.findings.endless_loop = true,
        }
    }

    fn command(&mut self, node: Node<'_>) {
        self.calls_itself = false;
        let mut words = Vec::new();
        let mut cursor = node.walk();
        let parts: Vec<Node<'_>> = node
            .named_children(&mut cursor)
            .filter(|part| !is_aside(part.kind()))
            .take(WORDS_MAX)
            .collect();
        words.extend(parts.iter().map(|part| word(self.script, *part)));
        let line = tree::line(node);
        self.at = node.start_byte();
        let name = node.child_by_field_name("name");
        let name = name.map(|name| self.short(name)).unwrap_or_default();
        let is_own = matches!(&*name, "$0" | "${0}" | "\"$0\"" | "\"${0}\"");
        // The script starts itself.
        self.findings.recursion |= is_own;
        self.run(&words, line);
        if words.iter().any(|word| word.is_computed) {
            let mut guessed = Vec::new();
            for part in &parts {
                guessed.extend(self.guesses.words(self.script, *part));
            }
            if guessed != words {
                self.run(&guessed, line);
            }
        }
    }

    /// Notes a text that runs as commands.
    pub(super) fn run_text(&mut self, text: String) {
        // More are not looked at.
        if self.embedded.len() <= super::EMBEDDED_MAX {
            let functions = self.functions.at(self.at);
            self.trust.relies_on_functions |= !functions.is_empty();
            self.embedded.push(Embedded { text, functions });
        }
    }

    /// What a shell is given to read: `sh << END` and `sh <<< text`. That it runs what it reads
    /// was noted when it was started.
    fn input(&mut self, redirect: Node<'_>, place: Place<'_>) {
        let statement = place.parent.filter(|parent| parent.kind() != "command");
        let body = statement.and_then(|statement| statement.child_by_field_name("body"));
        let command = body.or(place.parent);
        let name = command.and_then(|command| command.child_by_field_name("name"));
        let name = name
            .map(|name| word(self.script, name).text)
            .unwrap_or_default();
        if !interpreters::is_shell(name.rsplit('/').next().unwrap_or_default()) {
            return;
        }
        let mut cursor = redirect.walk();
        let parts: Vec<Node<'_>> = redirect.named_children(&mut cursor).collect();
        for part in parts {
            let text = match (redirect.kind(), part.kind()) {
                ("heredoc_redirect", "heredoc_body") => self.script.text(part).into_owned(),
                ("herestring_redirect", _) => {
                    let words = self.guesses.words(self.script, part);
                    let texts: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
                    texts.join(" ")
                }
                _ => continue,
            };
            self.run_text(text);
        }
    }

    /// `export`, `local` and the like, which are commands of their own in the grammar.
    fn declaration(&mut self, node: Node<'_>) {
        let Some(keyword) = node.child(0) else { return };
        let keyword = self.short(keyword);
        self.findings
            .dependency(&keyword, DependencySource::StandardLibrary);
        if keyword == "export" {
            self.findings.capability(Capability::Environment);
        }
        let mut cursor = node.walk();
        for part in node.named_children(&mut cursor).take(WORDS_MAX) {
            if keyword == "unset" {
                let name = word(self.script, part);
                let is_variable = part.kind() == "variable_name";
                let text = if is_variable {
                    self.short(part)
                } else {
                    name.text.clone()
                };
                let is_plain = is_variable || (name.constant().is_some() && !name.is_option());
                self.trust.takes_functions |= !is_plain || self.functions.contains(&text);
            }
            if part.kind() == "variable_name" && keyword != "export" && keyword != "unset" {
                let name = self.short(part);
                self.variables.assign(&name, self.findings);
            }
        }
    }

    fn enter_loop(&mut self, node: Node<'_>) {
        self.findings.loops += 1;
        let is_endless = match node.kind() {
            "while_statement" => self.never_fails(node),
            "c_style_for_statement" => node.child_by_field_name("condition").is_none(),
            _ => false,
        };
        let depth = self.flow.open_loop(is_endless, None);
        self.findings.loop_nesting(depth);
        if let Some(variable) = node.child_by_field_name("variable") {
            let name = self.short(variable);
            self.variables.assign(&name, self.findings);
        }
        if let Some(condition) = node.child_by_field_name("condition")
            && node.kind() == "c_style_for_statement"
        {
            self.note_bound(condition);
        }
    }

    /// Whether the condition of `while` always holds, or that of `until` never does.
    fn never_fails(&self, node: Node<'_>) -> bool {
        let is_until = node
            .child(0)
            .is_some_and(|keyword| keyword.kind() == "until");
        let condition = node.child_by_field_name("condition");
        let text = condition
            .map(|condition| self.short(condition))
            .unwrap_or_default();
        let text: String = text.split_whitespace().collect();
        let holds = matches!(
            &*text,
            "true" | ":" | "((1))" | "[1]" | "[[1]]" | "[true]" | "[:]"
        );
        let fails = matches!(&*text, "false" | "((0))");
        if is_until { fails } else { holds }
    }

    /// A comparison with a number that bounds a loop.
    fn note_bound(&mut self, node: Node<'_>) {
        let operator = node.child_by_field_name("operator");
        let operator = operator
            .map(|operator| self.short(operator))
            .unwrap_or_default();
        let is_bound = matches!(
            &*operator,
            "<" | "<=" | ">" | ">=" | "!=" | "-lt" | "-le" | "-gt" | "-ge" | "-ne"
        );
        if !is_bound {
            return;
        }
        for side in ["left", "right"] {
            let number = node.child_by_field_name(side).map(|side| self.short(side));
            if let Some(number) = number.and_then(|number| number.parse().ok()) {
                self.findings.literal("range", number);
            }
        }
    }

    fn redirect(&mut self, node: Node<'_>) {
        let Some(destination) = node.child_by_field_name("destination") else {
            return;
        };
        let Word {
            text, is_computed, ..
        } = word(self.script, destination);
        let start = node.start_byte();
        let operator = self
            .source
            .get(start..destination.start_byte())
            .unwrap_or_default();
        let operator = String::from_utf8_lossy(operator);
        let operator = operator.trim_matches(|part: char| part.is_ascii_digit() || part == ' ');
        let copies = matches!(operator, ">&" | "<&");
        let is_descriptor = text == "-" || text.chars().all(|digit| digit.is_ascii_digit());
        if copies && is_descriptor && !is_computed {
            return;
        }
        if text.starts_with("/dev/tcp/") || text.starts_with("/dev/udp/") {
            self.findings.capability(Capability::Network);
            return;
        }
        if is_stream(&text) && !is_computed {
            return;
        }
        if operator.contains('>') {
            self.findings.capability(Capability::FilesWrite);
            if is_setting(&text) {
                self.findings.capability(Capability::SystemChange);
            }
        }
        if operator.contains('<') {
            self.findings.capability(Capability::FilesRead);
        }
    }

    fn expansion(&mut self, node: Node<'_>) {
        let mut cursor = node.walk();
        for part in node.children(&mut cursor).take(4) {
            match part.kind() {
                "variable_name" => {
                    let name = self.short(part);
                    self.variables.use_value(&name);
                }
                // `${!name}` takes the value of a variable whose name is computed.
                "!" => self.findings.capability(Capability::Environment),
                _ => {}
            }
        }
    }

    /// A text that names places where the system tells about itself, or makes randomness.
    fn note_place(&mut self, node: Node<'_>) {
        let text = self.short(node);
        let text = text.trim_start_matches(['\'', '"']);
        let starts = |places: &[&str]| places.iter().any(|place| text.starts_with(place));
        if starts(&[
            "/proc",
            "/sys",
            "/etc/passwd",
            "/etc/shadow",
            "/etc/group",
            "/etc/os-release",
        ]) {
            self.findings.capability(Capability::SystemInformation);
        } else if starts(&["/dev/urandom", "/dev/random"]) {
            self.findings.capability(Capability::Randomness);
        } else if starts(&["/dev/tcp/", "/dev/udp/"]) {
            self.findings.capability(Capability::Network);
        }
    }

    /// The text of a node; empty when it is long.
    fn short(&self, node: Node<'_>) -> String {
        if node.end_byte() - node.start_byte() > TEXT_BYTES_MAX {
            return String::new();
        }
        self.script.text(node).into_owned()
    }

    fn enter_function(&mut self, node: Node<'_>) {
        self.findings.functions += 1;
        self.functions_open += 1;
        let name = node.child_by_field_name("name");
        let name = name.map(|name| word(self.script, name).text);
        self.flow.open_function(name.as_deref(), 0);
    }
}

impl<'tree> Visitor<'tree> for Reader<'_, '_> {
    fn enter(&mut self, node: Node<'tree>, place: Place<'tree>) {
        if is_loop_condition(place) {
            self.conditions += 1;
        }
        match node.kind() {
            "command" => self.command(node),
            "declaration_command" | "unset_command" => self.declaration(node),
            "function_definition" => self.enter_function(node),
            "while_statement" | "for_statement" | "c_style_for_statement" => self.enter_loop(node),
            "pipeline" => {
                self.findings.capability(Capability::Processes);
                self.pipelines.push(Pipeline {
                    functions: self.functions_open,
                    ..Pipeline::default()
                });
            }
            "command_substitution" | "process_substitution" | "subshell" => {
                self.findings.capability(Capability::Processes);
            }
            "&" => {
                self.findings.capability(Capability::Processes);
                let around = place.parent.map(|parent| parent.id());
                if around.is_some() && self.last_self_call == around {
                    // A function that starts itself in the background and goes on.
                    self.findings.endless_loop = true;
                }
            }
            "file_redirect" => self.redirect(node),
            "heredoc_redirect" | "herestring_redirect" => self.input(node, place),
            "variable_name" if place.parent.is_some_and(is_arithmetic) => {
                let name = self.short(node);
                self.variables.use_value(&name);
            }
            "simple_expansion" | "expansion" => self.expansion(node),
            "variable_assignment" => {
                if let Some(name) = node.child_by_field_name("name") {
                    let name = self.short(name);
                    let name = name.split('[').next().unwrap_or_default();
                    self.variables.assign(name, self.findings);
                    if let Some(value) = node.child_by_field_name("value") {
                        self.guesses.assign(self.script, name, value);
                    }
                }
            }
            "binary_expression" if self.conditions > 0 => self.note_bound(node),
            "brace_expression" => {
                if let Some(largest) = work::brace(&self.short(node)) {
                    self.findings.literal("range", largest);
                }
            }
            "word" | "raw_string" | "string_content" => self.note_place(node),
            _ => {}
        }
    }

    fn leave(&mut self, node: Node<'tree>, place: Place<'tree>) {
        if is_loop_condition(place) {
            self.conditions -= 1;
        }
        match node.kind() {
            "command" => {
                let around = place.parent.map(|parent| parent.id());
                self.last_self_call = around.filter(|_| self.calls_itself);
                self.calls_itself = false;
            }
            "function_definition" => {
                self.functions_open -= 1;
                self.flow.close_function();
            }
            "while_statement" | "for_statement" | "c_style_for_statement" => {
                self.findings.endless_loop |= self.flow.close_loop();
            }
            "pipeline" => {
                if let Some(pipeline) = self.pipelines.pop()
                    && pipeline.never_ends
                    && !pipeline.is_limited
                {
                    self.findings.endless_loop = true;
                }
            }
            _ => {}
        }
    }
}

/// Whether a node is the condition of a `while` or `until` loop.
fn is_loop_condition(place: Place<'_>) -> bool {
    place.field == Some("condition")
        && place
            .parent
            .is_some_and(|parent| parent.kind() == "while_statement")
}

/// Whether a part of a command is not one of its words.
fn is_aside(kind: &str) -> bool {
    matches!(
        kind,
        "variable_assignment"
            | "file_redirect"
            | "herestring_redirect"
            | "comment"
            | "heredoc_redirect"
            | "subshell"
    )
}

/// Whether a variable inside is used by its name alone, as arithmetic does.
fn is_arithmetic(node: Node<'_>) -> bool {
    matches!(
        node.kind(),
        "arithmetic_expansion" | "binary_expression" | "parenthesized_expression"
    )
}
