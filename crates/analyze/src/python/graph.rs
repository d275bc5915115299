//! Which functions of a Python program may call which, by name, and whether some can reach
//! themselves.

use std::collections::HashMap;

/// A function, or a group of functions that a call may mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Node<'a> {
    /// The code outside all functions.
    Module,
    /// Functions (or classes) called by their plain name.
    Function(&'a str),
    /// The method of one class.
    Method { class: u32, name: &'a str },
    /// A method called on an instance of a class: its own, or an inherited one.
    OwnMethod { class: u32, name: &'a str },
    /// A method of any class.
    AnyMethod(&'a str),
}

/// Calls between functions.
#[derive(Debug, Default)]
pub(super) struct CallGraph<'a> {
    numbers: HashMap<Node<'a>, u32>,
    nodes: Vec<Node<'a>>,
    calls: Vec<(u32, u32)>,
    defined: Vec<bool>,
}

impl<'a> CallGraph<'a> {
    /// Notes that a function exists.
    pub(super) fn define(&mut self, node: Node<'a>) {
        let number = self.number(node);
        if let Some(defined) = self.defined.get_mut(number as usize) {
            *defined = true;
        }
        if let Node::Method { name, .. } = node {
            self.call(Node::AnyMethod(name), node);
        }
    }

    /// Notes that one function may call another.
    pub(super) fn call(&mut self, from: Node<'a>, to: Node<'a>) {
        let to = self.number(to);
        let from = self.number(from);
        self.calls.push((from, to));
    }

    /// Whether some function can reach itself. Call it last: it settles which methods are
    /// inherited.
    pub(super) fn has_cycle(&mut self) -> bool {
        self.settle_inheritance();
        crate::graph::has_cycle(self.nodes.len(), &self.calls)
    }

    fn settle_inheritance(&mut self) {
        let own: Vec<(u32, &'a str)> = self
            .nodes
            .iter()
            .filter_map(|node| match node {
                Node::OwnMethod { class, name } => Some((*class, *name)),
                _ => None,
            })
            .collect();
        for (class, name) in own {
            let method = Node::Method { class, name };
            let number = self.number(method);
            let is_defined = self.defined.get(number as usize) == Some(&true);
            let target = if is_defined {
                method
            } else {
                Node::AnyMethod(name)
            };
            self.call(Node::OwnMethod { class, name }, target);
        }
    }

    fn number(&mut self, node: Node<'a>) -> u32 {
        // There are fewer nodes than tokens, which are bounded far below.
        let next = u32::try_from(self.nodes.len()).unwrap_or(u32::MAX);
        let number = *self.numbers.entry(node).or_insert(next);
        if number == next {
            self.nodes.push(node);
            self.defined.push(false);
        }
        number
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NAMES: [&str; 6] = ["a", "b", "c", "d", "e", "f"];

    #[test]
    fn a_method_is_looked_for_in_its_own_class_first() {
        let run = |class| Node::Method { class, name: "run" };
        let mut graph = CallGraph::default();
        graph.define(run(1));
        graph.define(run(2));
        graph.call(run(1), Node::Function("helper"));
        graph.call(
            Node::Function("helper"),
            Node::OwnMethod {
                class: 2,
                name: "run",
            },
        );
        assert!(!graph.has_cycle());
        graph.call(
            Node::Function("helper"),
            Node::OwnMethod {
                class: 3,
                name: "run",
            },
        );
        assert!(graph.has_cycle());
    }

    proptest! {
        #[test]
        fn cycles_are_the_ones_a_matrix_finds(
            calls in proptest::collection::vec((0..6_usize, 0..6_usize), 0..14)
        ) {
            let mut graph = CallGraph::default();
            let mut reach = [[false; 6]; 6];
            for (from, to) in calls {
                graph.call(Node::Function(NAMES[from]), Node::Function(NAMES[to]));
                reach[from][to] = true;
            }
            for through in 0..6 {
                for from in 0..6 {
                    for to in 0..6 {
                        reach[from][to] |= reach[from][through] && reach[through][to];
                    }
                }
            }
            let expected = (0..6).any(|node| reach[node][node]);
            prop_assert_eq!(graph.has_cycle(), expected);
        }
    }
}
