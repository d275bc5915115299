//! One decision tree: its nodes in the order in which they are met, left before right.

use std::hint::select_unpredictable;

/// The most leaves of a tree. Its depth is below this, too.
pub const LEAVES_MAX: usize = 31;

/// Trees that are walked down side by side.
const TREES_AT_ONCE: usize = 4;

/// Where a row whose value is missing goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Left,
    Right,
}

/// One node as it is written: a split is followed by all of its left side, then by its right side.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Node {
    /// What the tree adds for rows that end here.
    Leaf(f32),
    /// Values up to `threshold` go left, greater ones right.
    Split {
        feature: u16,
        threshold: f32,
        missing: Side,
    },
}

/// A tree that has been checked: evaluation ends for every row.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tree {
    nodes: Box<[Step]>,
}

/// A node for evaluation. The left side of a split is the next node; its right side lies further
/// on, so there can be no cycle.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Step {
    /// The threshold of a split, or the value of a leaf.
    number: f32,
    feature: u16,
    /// How far on the left side begins: 1, or 0 for a leaf.
    left: u8,
    /// How far on the right side begins: at least 2, or 0 for a leaf.
    right: u8,
    missing_right: bool,
}

/// Why nodes are not a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TreeError {
    #[error("it has more than {LEAVES_MAX} leaves")]
    TooLarge,
    #[error("a side of a split is not there")]
    Incomplete,
    #[error("nodes follow after its last leaf")]
    Surplus,
    #[error("it asks for feature {0}, which there is not")]
    Feature(u16),
    #[error("a threshold or a value is not a finite number")]
    NotFinite,
}

impl Tree {
    /// Checks nodes and makes a tree of them. Features are numbered from 0 to `features - 1`.
    pub(crate) fn new(nodes: &[Node], features: usize) -> Result<Self, TreeError> {
        if nodes.len() > 2 * LEAVES_MAX - 1 {
            return Err(TreeError::TooLarge);
        }
        let mut steps: Vec<Step> = Vec::with_capacity(nodes.len());
        // Read from the end, the sizes of both sides are known when their split comes.
        let mut sizes: Vec<u8> = Vec::new();
        for node in nodes.iter().rev() {
            steps.push(match *node {
                Node::Leaf(value) => {
                    sizes.push(1);
                    Step::leaf(value)
                }
                Node::Split {
                    feature,
                    threshold,
                    missing,
                } => {
                    let (Some(left), Some(right)) = (sizes.pop(), sizes.pop()) else {
                        return Err(TreeError::Incomplete);
                    };
                    if usize::from(feature) >= features {
                        return Err(TreeError::Feature(feature));
                    }
                    // At most 61 nodes: the sum cannot overflow.
                    sizes.push(left.saturating_add(right).saturating_add(1));
                    Step {
                        number: threshold,
                        feature,
                        left: 1,
                        right: left.saturating_add(1),
                        missing_right: missing == Side::Right,
                    }
                }
            });
        }
        match sizes.as_slice() {
            [_] => {}
            [] => return Err(TreeError::Incomplete),
            [..] => return Err(TreeError::Surplus),
        }
        if !steps.iter().all(|step| step.number.is_finite()) {
            return Err(TreeError::NotFinite);
        }
        steps.reverse();
        Ok(Self {
            nodes: steps.into_boxed_slice(),
        })
    }

    /// A tree that adds nothing to any row.
    pub(crate) fn nothing() -> Self {
        Self {
            nodes: Box::new([Step::leaf(0.0)]),
        }
    }

    /// The nodes as they are written.
    pub(crate) fn nodes(&self) -> impl Iterator<Item = Node> {
        self.nodes.iter().map(|step| {
            if step.right == 0 {
                return Node::Leaf(step.number);
            }
            Node::Split {
                feature: step.feature,
                threshold: step.number,
                missing: if step.missing_right {
                    Side::Right
                } else {
                    Side::Left
                },
            }
        })
    }

    /// The length of the shortest row that has every feature it asks for.
    pub(crate) fn features_needed(&self) -> usize {
        let splits = self.nodes.iter().filter(|step| step.right > 0);
        let features = splits.map(|step| usize::from(step.feature) + 1);
        features.max().unwrap_or(0)
    }

    /// The value of the leaf that a row ends in. A value that the row does not have is missing.
    pub(crate) fn value(&self, row: &[f32]) -> f32 {
        let [value] = values([self], row);
        value
    }
}

/// The sum of the values of trees, in their order.
pub(crate) fn sum(trees: &[Tree], row: &[f32]) -> f64 {
    let (chunks, rest) = trees.as_chunks::<TREES_AT_ONCE>();
    let many = chunks
        .iter()
        .flat_map(|trees| values(trees.each_ref(), row));
    let last = rest.iter().map(|tree| tree.value(row));
    many.chain(last).map(f64::from).sum()
}

/// The values of a few trees, which are walked down side by side: the processor does not wait for
/// one comparison to begin with the next, and none of them is a branch that it would have to guess.
fn values<const N: usize>(trees: [&Tree; N], row: &[f32]) -> [f32; N] {
    let mut walks = trees.map(|tree| (tree.nodes.as_ref(), 0.0));
    loop {
        let mut moved = 0;
        for (nodes, number) in &mut walks {
            // A checked tree ends in a leaf, which leads nowhere, so there always is a node.
            if let Some(step) = nodes.first() {
                let advance = step.advance(row);
                *nodes = nodes.get(advance..).unwrap_or_default();
                *number = step.number;
                moved |= advance;
            }
        }
        if moved == 0 {
            return walks.map(|(_, number)| number);
        }
    }
}

impl Step {
    /// How far on the next node of a row is; 0 at a leaf.
    #[inline]
    fn advance(&self, row: &[f32]) -> usize {
        let value = row.get(usize::from(self.feature));
        let value = value.copied().unwrap_or(f32::NAN);
        let goes_right = (value > self.number) | (value.is_nan() & self.missing_right);
        select_unpredictable(goes_right, self.right, self.left).into()
    }

    const fn leaf(value: f32) -> Self {
        Self {
            number: value,
            feature: 0,
            left: 0,
            right: 0,
            missing_right: false,
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    pub(crate) const fn split(feature: u16, threshold: f32, missing: Side) -> Node {
        Node::Split {
            feature,
            threshold,
            missing,
        }
    }

    #[test]
    fn rows_end_in_the_leaf_that_the_splits_say() {
        let nodes = [
            split(0, 1.0, Side::Right),
            Node::Leaf(10.0),
            split(1, -2.0, Side::Left),
            Node::Leaf(20.0),
            Node::Leaf(30.0),
        ];
        let tree = Tree::new(&nodes, 2).unwrap();
        for (row, value) in [
            ([1.0, f32::NAN], 10.0),
            ([1.5, -2.0], 20.0),
            ([1.5, f32::NAN], 20.0),
            ([f32::NAN, 0.0], 30.0),
            ([f32::INFINITY, f32::INFINITY], 30.0),
            ([f32::NEG_INFINITY, 0.0], 10.0),
        ] {
            assert_eq!(tree.value(&row), value, "{row:?}");
        }
        assert_eq!(tree.value(&[]), 20.0, "what is not there is missing");
        assert_eq!(tree.nodes().collect::<Vec<_>>(), nodes);
    }

    #[test]
    fn what_is_not_a_tree_is_refused() {
        let leaf = Node::Leaf(1.0);
        let node = split(0, 1.0, Side::Left);
        for (nodes, error) in [
            (vec![], TreeError::Incomplete),
            (vec![node], TreeError::Incomplete),
            (vec![node, leaf], TreeError::Incomplete),
            (vec![leaf, leaf], TreeError::Surplus),
            (vec![leaf; 62], TreeError::TooLarge),
            (vec![Node::Leaf(f32::NAN)], TreeError::NotFinite),
            (
                vec![split(0, f32::INFINITY, Side::Left), leaf, leaf],
                TreeError::NotFinite,
            ),
            (
                vec![split(3, 0.0, Side::Left), leaf, leaf],
                TreeError::Feature(3),
            ),
        ] {
            assert_eq!(Tree::new(&nodes, 3), Err(error), "{nodes:?}");
        }
    }

    proptest! {
        #[test]
        fn any_nodes_are_refused_or_evaluated_to_a_leaf(
            parts in prop::collection::vec((0_u16..4, -3_i8..3, any::<bool>()), 0..40),
            row in prop::collection::vec(-3.0..3.0_f32, 4),
        ) {
            let nodes: Vec<Node> = parts
                .iter()
                .map(|(feature, number, is_leaf)| {
                    let number = f32::from(*number);
                    if *is_leaf { Node::Leaf(number) } else { split(*feature, number, Side::Left) }
                })
                .collect();
            if let Ok(tree) = Tree::new(&nodes, 4) {
                let value = tree.value(&row);
                prop_assert!(nodes.contains(&Node::Leaf(value)));
                prop_assert_eq!(tree.nodes().collect::<Vec<_>>(), nodes);
            }
        }
    }
}
