//! Finds recursion in call graphs: whether some function can reach itself.
//!
//! Knows nothing about where the graph comes from. Iterative, so that a chain of a million calls
//! does not use up the stack.

/// Whether the directed graph has a cycle. Nodes are numbered from 0; an edge that names a node
/// outside the graph is ignored. Takes time and memory linear in nodes and edges.
pub(crate) fn has_cycle(nodes: usize, edges: &[(u32, u32)]) -> bool {
    let known = |node: u32| (node as usize) < nodes;
    let edges = || {
        edges
            .iter()
            .copied()
            .filter(|(from, to)| known(*from) && known(*to))
    };
    // Kahn's algorithm (1962): take away nodes nothing leads to; what cannot be taken away is on
    // a cycle or behind one.
    let mut callers = vec![0_u32; nodes];
    for (_, to) in edges() {
        if let Some(count) = callers.get_mut(to as usize) {
            *count = count.saturating_add(1);
        }
    }
    let callees = Successors::new(nodes, edges);
    let mut free: Vec<u32> = (0_u32..)
        .zip(&callers)
        .filter(|(_, count)| **count == 0)
        .map(|(node, _)| node)
        .collect();
    let mut taken = 0;
    while let Some(node) = free.pop() {
        taken += 1;
        for &to in callees.of(node) {
            if let Some(count) = callers.get_mut(to as usize) {
                *count -= 1;
                if *count == 0 {
                    free.push(to);
                }
            }
        }
    }
    taken < nodes
}

/// Edges grouped by the node they leave.
struct Successors {
    /// Where the edges of each node start in `targets`, and one more for the end.
    starts: Vec<usize>,
    targets: Vec<u32>,
}

impl Successors {
    fn new<I: Iterator<Item = (u32, u32)>>(nodes: usize, edges: impl Fn() -> I) -> Self {
        let mut starts = vec![0_usize; nodes + 1];
        for (from, _) in edges() {
            if let Some(start) = starts.get_mut(from as usize + 1) {
                *start += 1;
            }
        }
        let mut sum = 0;
        for start in &mut starts {
            sum += *start;
            *start = sum;
        }
        let mut targets = vec![0; sum];
        let mut next = starts.clone();
        for (from, to) in edges() {
            if let Some(at) = next.get_mut(from as usize)
                && let Some(target) = targets.get_mut(*at)
            {
                *target = to;
                *at += 1;
            }
        }
        Self { starts, targets }
    }

    fn of(&self, node: u32) -> &[u32] {
        let node = node as usize;
        let start = self.starts.get(node).copied().unwrap_or_default();
        let end = self.starts.get(node + 1).copied().unwrap_or_default();
        self.targets.get(start..end).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_call_to_oneself_is_a_cycle_and_a_chain_is_none() {
        assert!(has_cycle(1, &[(0, 0)]));
        assert!(has_cycle(3, &[(0, 1), (1, 2), (2, 1)]));
        assert!(!has_cycle(3, &[(0, 1), (1, 2), (0, 2), (0, 2)]));
        assert!(!has_cycle(0, &[]));
    }

    #[test]
    fn edges_out_of_the_graph_are_ignored() {
        assert!(!has_cycle(2, &[(0, 7), (7, 0), (u32::MAX, u32::MAX)]));
    }

    #[test]
    fn a_million_calls_in_a_row_do_not_use_up_the_stack() {
        let mut edges: Vec<_> = (0..999_999).map(|node| (node, node + 1)).collect();
        assert!(!has_cycle(1_000_000, &edges));
        edges.push((999_999, 0));
        assert!(has_cycle(1_000_000, &edges));
    }

    proptest! {
        #[test]
        fn agrees_with_reachability(edges in prop::collection::vec((0_u32..12, 0_u32..12), 0..30)) {
            let mut reaches = [[false; 12]; 12];
            for (from, to) in &edges {
                reaches[*from as usize][*to as usize] = true;
            }
            for via in 0..12 {
                for from in 0..12 {
                    for to in 0..12 {
                        reaches[from][to] |= reaches[from][via] && reaches[via][to];
                    }
                }
            }
            let expected = (0..12).any(|node| reaches[node][node]);
            prop_assert_eq!(has_cycle(12, &edges), expected);
        }
    }
}
