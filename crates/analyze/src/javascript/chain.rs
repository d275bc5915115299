//! Chains of names: `fs.promises.readFile`, `require("fs")["readFile"]`, `process?.env.HOME`.

use tree_sitter::Node;

use super::guesses::Guesses;
use super::{arguments, string, text};
use crate::tree::Script;

/// The longest chain that is followed.
const LINKS_MAX: usize = 32;

/// A chain of names from a root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Chain {
    pub(super) root: Root,
    /// The properties, in order, up to the first that is computed.
    pub(super) properties: Vec<String>,
    /// Whether a computed property follows.
    pub(super) is_computed: bool,
    /// The properties that are written down behind a computed one.
    pub(super) rest: Vec<String>,
    /// Whether the chain goes on beyond what was followed.
    pub(super) is_cut: bool,
    /// Whether the root is a function, whose constructor makes code out of text.
    pub(super) is_of_function: bool,
    /// The byte where the root stands.
    pub(super) at: usize,
}

/// Which keys in `object[key]` count as known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keys {
    /// Those that are written there.
    Written,
    /// Those that can be guessed, too.
    Guessed,
}

/// Where a chain starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Root {
    /// A name.
    Name(String),
    /// A module that is required or imported on the spot.
    Module(String),
    /// Any other expression.
    Unknown,
}

/// Whether the node is a link of a chain.
pub(super) fn is_link(node: Node<'_>) -> bool {
    matches!(
        node.kind(),
        "member_expression"
            | "subscript_expression"
            | "identifier"
            | "shorthand_property_identifier"
            | "this"
    )
}

/// Follows a chain from its last property to its root.
pub(super) fn chain(script: &Script, node: Node<'_>, guesses: &Guesses, keys: Keys) -> Chain {
    let mut chain = Chain {
        root: Root::Unknown,
        properties: Vec::new(),
        is_computed: false,
        rest: Vec::new(),
        is_cut: false,
        is_of_function: false,
        at: node.start_byte(),
    };
    let mut node = Some(node);
    for link_number in 0.. {
        let Some(link) = node else { break };
        chain.at = link.start_byte();
        if link_number == LINKS_MAX {
            chain.is_cut = true;
            break;
        }
        node = match link.kind() {
            "member_expression" => {
                let property = link.child_by_field_name("property");
                let property = property.map(|property| text(script, property));
                chain.properties.push(property.unwrap_or_default());
                link.child_by_field_name("object")
            }
            "subscript_expression" => {
                match link
                    .child_by_field_name("index")
                    .map(|index| key(script, index, guesses, keys))
                {
                    Some(Some(index)) => chain.properties.push(index),
                    _ => {
                        chain.is_computed = true;
                        chain.rest.append(&mut chain.properties);
                    }
                }
                link.child_by_field_name("object")
            }
            "parenthesized_expression" | "await_expression" => link.named_child(0),
            // The value of a sequence is its last expression.
            "sequence_expression" => {
                let last = u32::try_from(link.named_child_count()).unwrap_or_default();
                last.checked_sub(1).and_then(|last| link.named_child(last))
            }
            "identifier" | "shorthand_property_identifier" | "this" => {
                chain.root = Root::Name(text(script, link));
                None
            }
            "call_expression" => {
                let module = required(script, link);
                if let Some(module) = module.or_else(|| guessed_module(script, link, guesses)) {
                    chain.root = Root::Module(module);
                }
                chain.is_of_function = is_prototype_of_function(script, link);
                None
            }
            kind => {
                chain.is_of_function = makes_function(kind);
                None
            }
        };
    }
    chain.properties.reverse();
    chain
}

/// The text of a constant property name: a string, a number, or strings added up.
fn key(script: &Script, index: Node<'_>, guesses: &Guesses, keys: Keys) -> Option<String> {
    let written = match index.kind() {
        "number" => Some(text(script, index)),
        "binary_expression" => joined(script, index),
        _ => string(script, index),
    };
    let is_guessed = keys == Keys::Guessed;
    written.or_else(|| is_guessed.then(|| guesses.text(script, index)).flatten())
}

fn makes_function(kind: &str) -> bool {
    super::reader::is_function(kind) || kind == "class"
}

/// `Object.getPrototypeOf(async () => {})`.
fn is_prototype_of_function(script: &Script, call: Node<'_>) -> bool {
    let function = call.child_by_field_name("function");
    let is_asked =
        function.is_some_and(|function| text(script, function).contains("etPrototypeOf"));
    is_asked
        && arguments(call)
            .first()
            .is_some_and(|first| makes_function(first.kind()))
}

/// The module that a call of `require` or `import` most likely loads.
pub(super) fn guessed_module(script: &Script, call: Node<'_>, guesses: &Guesses) -> Option<String> {
    if !loads_module(script, call) {
        return None;
    }
    guesses.text(script, *arguments(call).first()?)
}

fn loads_module(script: &Script, call: Node<'_>) -> bool {
    call.child_by_field_name("function")
        .is_some_and(|function| {
            function.kind() == "import"
                || (function.kind() == "identifier" && text(script, function) == "require")
        })
}

/// The value of constant strings added up, such as `"con" + "structor"`.
pub(super) fn joined(script: &Script, node: Node<'_>) -> Option<String> {
    let mut parts = Vec::new();
    let mut node = node;
    for _ in 0..LINKS_MAX {
        if node.kind() == "parenthesized_expression" {
            node = node.named_child(0)?;
        } else if node.kind() == "binary_expression" {
            let operator = node.child_by_field_name("operator")?;
            if operator.kind() != "+" {
                return None;
            }
            parts.push(string(script, node.child_by_field_name("right")?)?);
            node = node.child_by_field_name("left")?;
        } else {
            parts.push(string(script, node)?);
            parts.reverse();
            return Some(parts.concat());
        }
    }
    None
}

/// The module of `require("module")` or `import("module")`, as it is written.
pub(super) fn required(script: &Script, call: Node<'_>) -> Option<String> {
    if !loads_module(script, call) {
        return None;
    }
    joined(script, *arguments(call).first()?)
}
