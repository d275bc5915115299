//! Numbers that are written down, or follow from those by plain arithmetic.

use tree_sitter::Node;

use super::text;
use crate::tree::Script;

/// Operators inside operators that are followed.
const DEPTH_MAX: usize = 16;

/// The whole number an expression stands for, saturated at [`u64::MAX`]. Names are looked up in
/// `named`. `None` for negative numbers and for everything that is not known.
pub(super) fn fold(
    script: &Script,
    node: Node<'_>,
    named: &dyn Fn(&str) -> Option<u64>,
) -> Option<u64> {
    fold_to(script, node, named, DEPTH_MAX).map(whole)
}

fn fold_to(
    script: &Script,
    node: Node<'_>,
    named: &dyn Fn(&str) -> Option<u64>,
    depth: usize,
) -> Option<f64> {
    let depth = depth.checked_sub(1)?;
    let value = match node.kind() {
        "number" => literal(&text(script, node))?,
        "identifier" => float(named(&text(script, node))?),
        "parenthesized_expression" => fold_to(script, node.named_child(0)?, named, depth)?,
        "binary_expression" => {
            let side = |field| fold_to(script, node.child_by_field_name(field)?, named, depth);
            let (left, right) = (side("left")?, side("right")?);
            match node.child_by_field_name("operator")?.kind() {
                "+" => left + right,
                "-" => left - right,
                "*" => left * right,
                "/" => left / right,
                "**" => left.powf(right),
                "<<" => left * right.exp2(),
                _ => return None,
            }
        }
        _ => return None,
    };
    (value >= 0.0).then_some(value)
}

/// The value of a number literal: decimal, with exponent, hexadecimal, octal, binary, big.
fn literal(text: &str) -> Option<f64> {
    let text = text.replace('_', "").to_ascii_lowercase();
    let radix = [("0x", 16), ("0o", 8), ("0b", 2)];
    for (prefix, radix) in radix {
        if let Some(digits) = text.strip_prefix(prefix) {
            let digits = digits.trim_end_matches('n');
            let value = u64::from_str_radix(digits, radix);
            return Some(value.map_or(f64::INFINITY, float));
        }
    }
    text.trim_end_matches('n').parse().ok()
}

#[allow(
    clippy::cast_precision_loss,
    reason = "an order of magnitude is all that is asked for"
)]
fn float(value: u64) -> f64 {
    value as f64
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast saturates, which is what is wanted"
)]
fn whole(value: f64) -> u64 {
    value as u64
}
