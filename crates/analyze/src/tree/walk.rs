//! Walks a syntax tree without recursion, within a bound on depth.

use tree_sitter::{Node, Tree, TreeCursor};

use super::Script;

/// The deepest nesting of syntax nodes that is looked at. Interpreters give up earlier.
const DEPTH_MAX: usize = 10_000;

/// Where a node stands.
#[derive(Clone, Copy)]
pub(crate) struct Place<'tree> {
    /// The node around it.
    pub(crate) parent: Option<Node<'tree>>,
    /// The name of the parent's field that holds it, if the grammar gives one.
    pub(crate) field: Option<&'tree str>,
}

/// Told about each node of a tree, before and after its children.
pub(crate) trait Visitor<'tree> {
    /// A node, before its children.
    fn enter(&mut self, node: Node<'tree>, place: Place<'tree>);
    /// The same node, after its children.
    fn leave(&mut self, node: Node<'tree>, place: Place<'tree>);
}

/// What a walk saw.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Walked {
    /// Named nodes of the program.
    pub(crate) nodes: u64,
    /// The line, counted from 1, where nesting went too deep to be followed.
    pub(crate) too_deep_line: Option<u64>,
}

/// Walks the nodes of the program, in the order of the text. The fillers are left out.
pub(crate) fn walk<'tree>(
    script: &Script,
    tree: &'tree Tree,
    visitor: &mut impl Visitor<'tree>,
) -> Walked {
    let mut walked = Walked::default();
    let mut cursor = tree.walk();
    let mut open: Vec<(Node<'tree>, Place<'tree>)> = Vec::new();
    loop {
        let node = cursor.node();
        let mut descend = false;
        if script.contains(node) || open.is_empty() {
            let place = Place {
                parent: open.last().map(|(parent, _)| *parent),
                field: cursor.field_name(),
            };
            walked.nodes += u64::from(node.is_named());
            visitor.enter(node, place);
            open.push((node, place));
            if open.len() < DEPTH_MAX {
                descend = cursor.goto_first_child();
            } else if node.child_count() > 0 && walked.too_deep_line.is_none() {
                walked.too_deep_line = Some(super::line(node));
            }
            if !descend {
                leave(&mut open, visitor);
            }
        }
        if !descend && !next(&mut cursor, &mut open, visitor) {
            return walked;
        }
    }
}

/// Moves on to the next node that is not below the current one; false at the end of the tree.
fn next<'tree>(
    cursor: &mut TreeCursor<'tree>,
    open: &mut Vec<(Node<'tree>, Place<'tree>)>,
    visitor: &mut impl Visitor<'tree>,
) -> bool {
    loop {
        if cursor.goto_next_sibling() {
            return true;
        }
        if !cursor.goto_parent() {
            return false;
        }
        leave(open, visitor);
    }
}

fn leave<'tree>(open: &mut Vec<(Node<'tree>, Place<'tree>)>, visitor: &mut impl Visitor<'tree>) {
    if let Some((node, place)) = open.pop() {
        visitor.leave(node, place);
    }
}
