//! Chains of names: `fs.promises.readFile`, `require("fs")["readFile"]`, `process?.env.HOME`.

use tree_sitter::Node;

use super::texts::Texts;
use super::{arguments, text};
use crate::tree::Script;

/// The longest chain that is followed.
const LINKS_MAX: usize = 32;

/// The longest name of a function that may load a module: `process.mainModule.require`.
const CALLEE_LINKS_MAX: usize = 4;

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

/// Where a chain starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Root {
    /// A name.
    Name(String),
    /// A module that is required or imported on the spot.
    Module(String),
    /// A call of something that may be `require` under another name.
    Loaded {
        /// The name and properties of what is called.
        name: String,
        properties: Vec<String>,
        /// The module, if that is what it is.
        module: String,
    },
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
pub(super) fn chain(script: &Script, node: Node<'_>, texts: &Texts) -> Chain {
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
                    .map(|index| key(script, index, texts))
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
                match required(script, link, texts) {
                    Some(module) => chain.root = Root::Module(module),
                    None => {
                        chain.is_of_function = asks_for_prototype(script, link);
                        if let Some(loaded) = loaded(script, link, texts) {
                            chain.root = loaded;
                        }
                    }
                }
                None
            }
            kind => {
                chain.is_of_function = matches!(
                    kind,
                    "arrow_function" | "function_expression" | "generator_function"
                );
                None
            }
        };
    }
    chain.properties.reverse();
    chain
}

/// The text of a constant property name.
fn key(script: &Script, index: Node<'_>, texts: &Texts) -> Option<String> {
    match index.kind() {
        "number" => Some(text(script, index)),
        _ => texts.fold(script, index),
    }
}

/// Whether a call asks for the prototype of something, which may be a function.
fn asks_for_prototype(script: &Script, call: Node<'_>) -> bool {
    let function = call.child_by_field_name("function");
    let name = function.map(|function| text(script, function));
    matches!(
        name.as_deref(),
        Some("Object.getPrototypeOf" | "Reflect.getPrototypeOf")
    )
}

/// The module of `require("module")` or `import("module")`, as it is written.
pub(super) fn required(script: &Script, call: Node<'_>, texts: &Texts) -> Option<String> {
    let function = call.child_by_field_name("function")?;
    let is_require = function.kind() == "import"
        || (function.kind() == "identifier" && text(script, function) == "require");
    if !is_require {
        return None;
    }
    texts.fold(script, *arguments(call).first()?)
}

/// A call with one text by a plain name, which may be another name of `require`.
fn loaded(script: &Script, call: Node<'_>, texts: &Texts) -> Option<Root> {
    let given = arguments(call);
    let [module] = given.as_slice() else {
        return None;
    };
    let module = texts.fold(script, *module)?;
    let mut function = call.child_by_field_name("function")?;
    let mut properties = Vec::new();
    for _ in 0..CALLEE_LINKS_MAX {
        if function.kind() == "identifier" {
            properties.reverse();
            return Some(Root::Loaded {
                name: text(script, function),
                properties,
                module,
            });
        }
        properties.push(text(script, function.child_by_field_name("property")?));
        function = function.child_by_field_name("object")?;
    }
    None
}
