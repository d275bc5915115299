//! Forests as text that can be kept in a repository: JSON with one tree a line.
//!
//! ```text
//! {"format":"atoll-trees","version":1,
//! "features":["loops","bytes"],
//! "models":[
//! {"quantile":0.5,"initial":3.25,"trees":[
//! [[1,2048.5,0],-0.5,0.75],
//! [0.125]
//! ]}
//! ]}
//! ```
//!
//! A tree is a list of its nodes, a split before its left side and that before its right side. A
//! leaf is a number; a split is its feature, its threshold, and the side of missing values (0 for
//! left, 1 for right). The order says what belongs together, so there are no references that could
//! lead astray. Text is taken for hostile: it is bounded and all of it is checked.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, SeqAccess, Visitor};

use crate::forest::{Forest, ForestError, Model};
use crate::tree::{Node, Side, Tree, TreeError};

/// The most bytes of text that are read.
pub const TEXT_BYTES_MAX: usize = 8 << 20;

const FORMAT: &str = "atoll-trees";
const VERSION: u32 = 1;

/// Why text is not a forest.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It is longer than any forest.
    #[error("failed to read a forest: it has {0} bytes, and at most {TEXT_BYTES_MAX} are read")]
    TooLong(usize),
    /// It is not JSON of the right shape; the source says where.
    #[error("failed to read a forest: it is not in the format; train it again")]
    Malformed(#[source] serde_json::Error),
    /// It is of another format or version.
    #[error(
        "failed to read a forest: it is {format:?} version {version}, not {FORMAT:?} version \
         {VERSION}; train it again with this version"
    )]
    Version {
        /// The format that it says it has.
        format: String,
        /// The version that it says it has.
        version: u32,
    },
    /// Its nodes are not trees.
    #[error("failed to read a forest: tree {tree} of quantile {quantile} is wrong: {reason}")]
    Tree {
        /// The model.
        quantile: f64,
        /// The tree, from 0.
        tree: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// Its parts do not fit together.
    #[error("failed to read a forest: {0}")]
    Forest(#[from] ForestError),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ForestText {
    format: String,
    version: u32,
    features: Vec<String>,
    models: Vec<ModelText>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ModelText {
    quantile: f64,
    initial: f64,
    trees: Vec<Vec<Node>>,
}

impl Forest {
    /// Reads a forest from text.
    ///
    /// # Errors
    /// When the text is not a forest that [`Forest::to_text`] could have written.
    pub fn from_text(text: &str) -> Result<Self, ReadError> {
        if text.len() > TEXT_BYTES_MAX {
            return Err(ReadError::TooLong(text.len()));
        }
        let read: ForestText = serde_json::from_str(text).map_err(ReadError::Malformed)?;
        if read.format != FORMAT || read.version != VERSION {
            return Err(ReadError::Version {
                format: read.format,
                version: read.version,
            });
        }
        let models = read.models.iter();
        let models: Result<Vec<Model>, ReadError> = models
            .map(|text| model(text, read.features.len()))
            .collect();
        Ok(Self::new(read.features, models?)?)
    }

    /// Writes the forest as text, with a line end at its end. The same forest is the same text.
    #[must_use]
    pub fn to_text(&self) -> String {
        let names: Vec<String> = self.features().iter().map(|name| quoted(name)).collect();
        let models: Vec<String> = self.models().iter().map(model_text).collect();
        format!(
            "{{\"format\":\"{FORMAT}\",\"version\":{VERSION},\n\"features\":[{}],\n\
             \"models\":[\n{}\n]}}\n",
            names.join(","),
            models.join(",\n")
        )
    }
}

fn model(text: &ModelText, features: usize) -> Result<Model, ReadError> {
    let trees = text.trees.iter().enumerate().map(|(tree, nodes)| {
        Tree::new(nodes, features).map_err(|error: TreeError| ReadError::Tree {
            quantile: text.quantile,
            tree,
            reason: error.to_string(),
        })
    });
    Ok(Model {
        quantile: text.quantile,
        initial: text.initial,
        trees: trees.collect::<Result<_, _>>()?,
    })
}

fn quoted(name: &str) -> String {
    serde_json::Value::from(name).to_string()
}

fn model_text(model: &Model) -> String {
    let trees: Vec<String> = model.trees.iter().map(tree_text).collect();
    let line_end = if trees.is_empty() { "" } else { "\n" };
    format!(
        "{{\"quantile\":{},\"initial\":{},\"trees\":[{line_end}{}{line_end}]}}",
        model.quantile,
        model.initial,
        trees.join(",\n")
    )
}

fn tree_text(tree: &Tree) -> String {
    let nodes: Vec<String> = tree.nodes().map(node_text).collect();
    format!("[{}]", nodes.join(","))
}

fn node_text(node: Node) -> String {
    match node {
        Node::Leaf(value) => number_text(value),
        Node::Split {
            feature,
            threshold,
            missing,
        } => format!(
            "[{feature},{},{}]",
            number_text(threshold),
            u8::from(missing == Side::Right)
        ),
    }
}

/// The shortest text that is read back as the same number.
fn number_text(number: f32) -> String {
    let plain = format!("{number}");
    let scientific = format!("{number:e}");
    if scientific.len() < plain.len() {
        scientific
    } else {
        plain
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a leaf's value, or a list of feature, threshold and side (0 or 1)")
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
        // Too large a number becomes infinite here, and is refused with the tree.
        Ok(Node::Leaf(value as f32))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Leaf(value as f32))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Leaf(value as f32))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Node, A::Error> {
        let feature = list.next_element()?;
        let threshold = list.next_element()?;
        let side: Option<u8> = list.next_element()?;
        let missing = match side {
            Some(0) => Side::Left,
            Some(1) => Side::Right,
            Some(_) | None => return Err(A::Error::custom("the side of a split is not 0 or 1")),
        };
        match (feature, threshold) {
            (Some(feature), Some(threshold)) => Ok(Node::Split {
                feature,
                threshold,
                missing,
            }),
            _ => Err(A::Error::custom("a split is not complete")),
        }
    }
}

#[cfg(test)]
mod tests;
