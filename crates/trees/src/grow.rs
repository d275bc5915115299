//! Growing one tree: always the leaf whose split gains most is split next.

use crate::bins::{Column, MISSING, round};
use crate::tree::{Node, Side, Tree};

/// Significant digits of a leaf's value. What is rounded away, later trees make up for.
const VALUE_DIGITS: usize = 5;

/// A split that gains less than this is noise of the arithmetic.
const GAIN_MIN: f64 = 1e-10;

/// How far a tree grows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Growth {
    pub(crate) leaves: usize,
    pub(crate) leaf_rows_min: usize,
    pub(crate) l2: f64,
}

/// What is summed up of rows: in a bin, on a side of a split, in a leaf.
#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    gradient: f64,
    weight: f64,
    rows: u32,
}

impl Sum {
    fn add(&mut self, gradient: f64, weight: f64) {
        self.gradient += gradient;
        self.weight += weight;
        self.rows += 1;
    }

    fn plus(self, other: Self) -> Self {
        Self {
            gradient: self.gradient + other.gradient,
            weight: self.weight + other.weight,
            rows: self.rows + other.rows,
        }
    }

    fn minus(self, other: Self) -> Self {
        Self {
            gradient: self.gradient - other.gradient,
            weight: self.weight - other.weight,
            rows: self.rows.saturating_sub(other.rows),
        }
    }

    /// How much the loss falls when these rows take their best common value, to second order.
    fn gain(self, l2: f64) -> f64 {
        self.gradient * self.gradient / (self.weight + l2)
    }
}

/// The sums of one feature: a sum for each bin, and that of missing values.
#[derive(Debug)]
struct Histogram {
    bins: Vec<Sum>,
    missing: Sum,
}

/// A split that could be made.
#[derive(Debug, Clone, Copy)]
struct Split {
    gain: f64,
    /// The place of the feature among those that this tree sees.
    column: usize,
    /// The last bin that goes left.
    bin: u8,
    missing: Side,
    left: Sum,
}

/// A leaf that may be split yet.
struct Leaf {
    /// Its place among the nodes.
    node: usize,
    rows: Vec<u32>,
    sum: Sum,
    histograms: Vec<Histogram>,
    best: Option<Split>,
}

/// A node of a tree that grows; sides are places among the nodes.
enum Grown {
    Leaf(f64),
    Split {
        feature: u16,
        threshold: f32,
        missing: Side,
        left: usize,
        right: usize,
    },
}

/// Grows one tree.
pub(crate) struct Grower<'a> {
    growth: Growth,
    /// The features that this tree sees, with their numbers.
    columns: Vec<(u16, &'a Column)>,
    /// The gradient and the weight of every row.
    gradients: &'a [(f64, f64)],
    nodes: Vec<Grown>,
    leaves: Vec<Leaf>,
}

impl<'a> Grower<'a> {
    /// `gradients` holds for each row the slope of the loss, downwards, and its weight; both are
    /// summed up over `rows` only.
    pub(crate) fn new(
        growth: Growth,
        columns: Vec<(u16, &'a Column)>,
        gradients: &'a [(f64, f64)],
        rows: Vec<u32>,
    ) -> Self {
        let mut grower = Self {
            growth,
            columns,
            gradients,
            nodes: vec![Grown::Leaf(0.0)],
            leaves: Vec::new(),
        };
        let histograms = grower.histograms(&rows);
        let sum = grower.sum(&rows);
        grower.add_leaf(0, rows, sum, histograms);
        grower
    }

    /// The finished tree; `value` gives the value of a leaf from its rows.
    pub(crate) fn tree(mut self, value: impl Fn(&[u32]) -> f64) -> Tree {
        while self.leaves.len() < self.growth.leaves && self.split_best() {}
        for leaf in &self.leaves {
            if let Some(node) = self.nodes.get_mut(leaf.node) {
                *node = Grown::Leaf(value(&leaf.rows));
            }
        }
        let mut nodes = Vec::with_capacity(self.nodes.len());
        self.write(0, &mut nodes);
        // Growth stays within the bounds of a tree; a tree that adds nothing stands for what is not
        // one, such as values beyond the range of 32 bits.
        let features = self
            .columns
            .iter()
            .map(|(feature, _)| usize::from(*feature) + 1);
        Tree::new(&nodes, features.max().unwrap_or(0)).unwrap_or_else(|_| Tree::nothing())
    }

    /// Appends a node and all below it, left before right. As deep as the tree at most.
    fn write(&self, at: usize, nodes: &mut Vec<Node>) {
        match self.nodes.get(at) {
            Some(Grown::Leaf(value)) => nodes.push(Node::Leaf(round(*value, VALUE_DIGITS) as f32)),
            Some(Grown::Split {
                feature,
                threshold,
                missing,
                left,
                right,
            }) => {
                nodes.push(Node::Split {
                    feature: *feature,
                    threshold: *threshold,
                    missing: *missing,
                });
                self.write(*left, nodes);
                self.write(*right, nodes);
            }
            None => {}
        }
    }

    /// Splits the leaf that gains most by it, the first of several. False when none gains.
    fn split_best(&mut self) -> bool {
        let gains = self.leaves.iter().enumerate();
        let gains = gains.filter_map(|(at, leaf)| Some((at, leaf.best?)));
        let best = gains.reduce(|best, next| {
            if next.1.gain > best.1.gain {
                next
            } else {
                best
            }
        });
        let Some((at, split)) = best else {
            return false;
        };
        let Some((feature, column)) = self.columns.get(split.column).copied() else {
            return false;
        };
        let leaf = self.leaves.swap_remove(at);
        let place = self.nodes.len();
        self.nodes.extend([Grown::Leaf(0.0), Grown::Leaf(0.0)]);
        if let Some(node) = self.nodes.get_mut(leaf.node) {
            let threshold = column.thresholds.get(usize::from(split.bin));
            *node = Grown::Split {
                feature,
                // Beyond the last threshold everything that is there goes left.
                threshold: threshold.copied().unwrap_or(f32::MAX),
                missing: split.missing,
                left: place,
                right: place + 1,
            };
        }
        let (left, right): (Vec<u32>, Vec<u32>) = leaf
            .rows
            .iter()
            .partition(|row| goes_left(&split, column, **row));
        // The smaller side is counted; the larger one is what remains.
        let (left_histograms, right_histograms) = if left.len() <= right.len() {
            let counted = self.histograms(&left);
            let remaining = remaining(leaf.histograms, &counted);
            (counted, remaining)
        } else {
            let counted = self.histograms(&right);
            (remaining(leaf.histograms, &counted), counted)
        };
        self.add_leaf(place, left, split.left, left_histograms);
        self.add_leaf(
            place + 1,
            right,
            leaf.sum.minus(split.left),
            right_histograms,
        );
        true
    }

    fn add_leaf(&mut self, node: usize, rows: Vec<u32>, sum: Sum, histograms: Vec<Histogram>) {
        let mut best: Option<Split> = None;
        if rows.len() >= 2 * self.growth.leaf_rows_min {
            for (column, histogram) in histograms.iter().enumerate() {
                best = self.split(column, histogram, sum, best);
            }
        }
        self.leaves.push(Leaf {
            node,
            rows,
            sum,
            histograms,
            best,
        });
    }

    /// The better of `best` and the best split at this feature.
    fn split(
        &self,
        column: usize,
        histogram: &Histogram,
        sum: Sum,
        mut best: Option<Split>,
    ) -> Option<Split> {
        let l2 = self.growth.l2;
        let rows_min = u32::try_from(self.growth.leaf_rows_min).unwrap_or(u32::MAX);
        let unsplit = sum.gain(l2);
        let mut present = Sum::default();
        for (bin, in_bin) in (0_u8..=MISSING).zip(&histogram.bins) {
            if in_bin.rows == 0 {
                continue;
            }
            present = present.plus(*in_bin);
            for &missing in sides(present, histogram.missing, sum) {
                let left = match missing {
                    Side::Left => present.plus(histogram.missing),
                    Side::Right => present,
                };
                let right = sum.minus(left);
                if left.rows < rows_min || right.rows < rows_min {
                    continue;
                }
                let gain = left.gain(l2) + right.gain(l2) - unsplit;
                if gain > best.map_or(GAIN_MIN, |best| best.gain) {
                    best = Some(Split {
                        gain,
                        column,
                        bin,
                        missing,
                        left,
                    });
                }
            }
        }
        best
    }

    fn sum(&self, rows: &[u32]) -> Sum {
        let mut sum = Sum::default();
        for (gradient, weight) in self.gradients_of(rows) {
            sum.add(gradient, weight);
        }
        sum
    }

    fn histograms(&self, rows: &[u32]) -> Vec<Histogram> {
        let gradients: Vec<(f64, f64)> = self.gradients_of(rows).collect();
        let columns = self.columns.iter();
        columns
            .map(|(_, column)| {
                let mut histogram = Histogram {
                    bins: vec![Sum::default(); column.thresholds.len() + 1],
                    missing: Sum::default(),
                };
                for (row, (gradient, weight)) in rows.iter().zip(&gradients) {
                    let bin = column.bins.get(*row as usize).copied().unwrap_or(MISSING);
                    let bin = histogram.bins.get_mut(usize::from(bin));
                    bin.unwrap_or(&mut histogram.missing)
                        .add(*gradient, *weight);
                }
                histogram
            })
            .collect()
    }

    fn gradients_of<'r>(&self, rows: &'r [u32]) -> impl Iterator<Item = (f64, f64)> + use<'a, 'r> {
        let gradients = self.gradients;
        let of_row = move |row: &u32| gradients.get(*row as usize).copied();
        rows.iter().map(move |row| of_row(row).unwrap_or_default())
    }
}

/// The sides that missing values could go to. Where none is missing, those of later rows go with
/// the greater part.
fn sides(present: Sum, missing: Sum, all: Sum) -> &'static [Side] {
    if missing.rows > 0 {
        &[Side::Left, Side::Right]
    } else if 2 * u64::from(present.rows) >= u64::from(all.rows) {
        &[Side::Left]
    } else {
        &[Side::Right]
    }
}

fn goes_left(split: &Split, column: &Column, row: u32) -> bool {
    match column.bins.get(row as usize) {
        None | Some(&MISSING) => split.missing == Side::Left,
        Some(bin) => *bin <= split.bin,
    }
}

/// What remains of histograms without the rows of others.
fn remaining(mut all: Vec<Histogram>, without: &[Histogram]) -> Vec<Histogram> {
    for (all, without) in all.iter_mut().zip(without) {
        for (sum, taken) in all.bins.iter_mut().zip(&without.bins) {
            *sum = sum.minus(*taken);
        }
        all.missing = all.missing.minus(without.missing);
    }
    all
}
