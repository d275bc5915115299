//! Reads shell scripts: which commands they start, which files they redirect and how they loop.
//!
//! Works on words as they are written; it expands nothing. Parsing and its bounds belong to
//! [`crate::tree`], the tables of commands to [`commands`].

mod commands;

use std::collections::{BTreeMap, HashSet};

use atoll_types::Capability;
use tree_sitter::Node;

use crate::findings::Findings;
use crate::graph::has_cycle;
use crate::tree::{self, Grammar, Place, Script, Visitor};

/// Larger scripts are not read: the grammar takes time quadratic in the length of a pipeline,
/// half a second for one of this size.
const SOURCE_BYTES_MAX: usize = 128 << 10;

/// What is looked at of a loop to see its condition.
const HEAD_BYTES_MAX: usize = 64;

const GRAMMAR: Grammar = Grammar {
    language: || tree_sitter_bash::LANGUAGE.into(),
    filler: "\n:;",
    filler_column: 2,
    stray_closer: ")",
};

/// Reads a script into `findings`.
pub(crate) fn analyze(bytes: &[u8], findings: &mut Findings) {
    findings.lines = bytes.split_inclusive(|byte| *byte == b'\n').count() as u64;
    if bytes.len() > SOURCE_BYTES_MAX {
        let message = format!("scripts of more than {SOURCE_BYTES_MAX} bytes are not read");
        findings.problem(None, &message);
        return;
    }
    let script = tree::parse(GRAMMAR, bytes);
    for (line, message) in &script.problems {
        findings.problem(*line, message);
    }
    let Some(tree) = script.tree() else { return };
    let mut reader = Reader {
        script: &script,
        findings,
        functions: Vec::new(),
        exits: Vec::new(),
        ids: BTreeMap::new(),
        edges: Vec::new(),
        defined: HashSet::new(),
        calls: BTreeMap::new(),
    };
    let walked = tree::walk(&script, tree, &mut reader);
    reader.finish();
    findings.instructions = walked.nodes;
    if walked.too_deep_line.is_some() {
        findings.problem(walked.too_deep_line, "nesting is too deep to be followed");
    }
}

struct Reader<'s, 'f> {
    script: &'s Script,
    findings: &'f mut Findings,
    /// The functions around the current node and the loops open in each.
    functions: Vec<(u32, u32)>,
    /// For each open loop, whether it has no condition and no way out was seen.
    exits: Vec<bool>,
    ids: BTreeMap<String, u32>,
    edges: Vec<(u32, u32)>,
    defined: HashSet<String>,
    /// Commands by name, and whether one of them got an argument that names something.
    calls: BTreeMap<String, Vec<String>>,
}

fn is_loop(kind: &str) -> bool {
    matches!(
        kind,
        "while_statement" | "for_statement" | "c_style_for_statement"
    )
}

impl Reader<'_, '_> {
    fn id(&mut self, name: &str) -> u32 {
        let next = u32::try_from(self.ids.len()).unwrap_or(u32::MAX);
        *self.ids.entry(name.to_owned()).or_insert(next)
    }

    fn is_endless(&self, node: Node<'_>) -> bool {
        // Only the head matters; a loop's text may be the whole program, and loops nest.
        let start = node.start_byte();
        let text = self
            .script
            .slice(start, node.end_byte().min(start + HEAD_BYTES_MAX));
        let head: Vec<&str> = text.split([' ', ';', '\n']).take(2).collect();
        matches!(
            head.as_slice(),
            ["while", "true" | ":"] | ["until", "false"]
        ) || text.starts_with("for ((;;))")
            || text.starts_with("for((;;))")
    }

    fn command(&mut self, node: Node<'_>) {
        let Some(name) = node.child_by_field_name("name") else {
            return;
        };
        let name = self
            .script
            .text(name)
            .trim_matches(['"', '\'', '\\'])
            .to_owned();
        let mut cursor = node.walk();
        let arguments: Vec<String> = node
            .children_by_field_name("argument", &mut cursor)
            .take(64)
            .map(|argument| self.script.text(argument).chars().take(1_000).collect())
            .collect();
        if matches!(name.as_str(), "break" | "exit" | "return" | "exec")
            && let Some(endless) = self.exits.last_mut()
        {
            *endless = false;
        }
        let line = tree::line(node);
        if name.contains(['$', '`']) {
            self.findings.capability(Capability::DynamicCode);
            let message = "the name of a command is only known when the script runs";
            self.findings.problem(Some(line), message);
            return;
        }
        let to = self.id(&name);
        if let Some((from, _)) = self.functions.last() {
            self.edges.push((*from, to));
        }
        commands::arguments(&name, &arguments, line, self.findings);
        self.calls
            .entry(name)
            .or_default()
            .extend(arguments.into_iter().take(8));
    }

    fn redirect(&mut self, node: Node<'_>) {
        let target = node.child_by_field_name("destination");
        let target = target
            .map(|target| self.script.text(target))
            .unwrap_or_default();
        let text = self.script.text(node);
        if target.starts_with("/dev/tcp/") || target.starts_with("/dev/udp/") {
            self.findings.capability(Capability::Network);
        } else if target != "/dev/null" && !text.contains(">&") && !text.contains("<&") {
            self.findings.capability(if text.contains('>') {
                Capability::FilesWrite
            } else {
                Capability::FilesRead
            });
        }
    }

    /// Judges what needs the whole script: recursion, and which commands are its own functions.
    fn finish(mut self) {
        let names = self.defined.clone();
        let own: HashSet<u32> = names.iter().map(|name| self.id(name)).collect();
        self.edges.retain(|(_, to)| own.contains(to));
        if has_cycle(self.ids.len(), &self.edges) {
            self.findings.recursion = true;
            // A function of a script that starts itself has nothing to return for: it multiplies.
            self.findings.endless_loop = true;
        }
        for (name, arguments) in &self.calls {
            if !self.defined.contains(name) {
                commands::command(name, arguments, self.findings);
            }
        }
    }
}

impl<'tree> Visitor<'tree> for Reader<'_, '_> {
    fn enter(&mut self, node: Node<'tree>, _: Place<'tree>) {
        match node.kind() {
            "function_definition" => {
                self.findings.functions += 1;
                let name = node.child_by_field_name("name");
                let name = name.map(|name| self.script.text(name)).unwrap_or_default();
                let id = self.id(&name);
                self.functions.push((id, 0));
                if self.defined.len() < 1_000 {
                    self.defined.insert(name.into_owned());
                }
            }
            kind if is_loop(kind) => {
                self.findings.loops += 1;
                self.exits.push(self.is_endless(node));
                let depth = u32::try_from(self.exits.len()).unwrap_or(u32::MAX);
                self.findings.loop_nesting(depth);
            }
            "command" | "declaration_command" => self.command(node),
            "file_redirect" => self.redirect(node),
            "&" => self.findings.capability(Capability::Processes),
            "simple_expansion" if &*self.script.text(node) == "$RANDOM" => {
                self.findings.capability(Capability::Randomness);
            }
            "word" if self.script.text(node).starts_with("/proc/") => {
                self.findings.capability(Capability::SystemInformation);
            }
            _ => {}
        }
    }

    fn leave(&mut self, node: Node<'tree>, _: Place<'tree>) {
        if is_loop(node.kind()) && self.exits.pop() == Some(true) {
            self.findings.endless_loop = true;
        } else if node.kind() == "function_definition" {
            self.functions.pop();
        }
    }
}

#[cfg(test)]
mod tests;
