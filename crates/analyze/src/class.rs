//! The execution class: an order of magnitude for how long a program computes, from its text.
//!
//! The estimate counts elementary steps. A loop whose bound is not written down is taken to go
//! round [`ROUNDS_ASSUMED`] times; the largest number that sizes work is taken to bound one of the
//! loops. So
//!
//! ```text
//! steps = max(largest literal, ROUNDS_ASSUMED) * ROUNDS_ASSUMED ^ (nesting - 1)
//! ```
//!
//! without loops only the largest literal, for `bytes(10 ** 9)` needs none. The limits of the
//! classes follow from what they promise (about 1 ms, 0.1 s, 10 s) and how many such steps a
//! second holds: 10^7 for scripts, 10^9 for compiled code.
//!
//! Evidence that outweighs the estimate: a loop with no way out, or a program of which nothing
//! could be read, is [`ExecutionClass::Unbounded`]; recursion, whose depth no number states, and
//! programs read in part only are at least [`ExecutionClass::Medium`].

use atoll_types::{Capability, ExecutionClass, ProgramKind};

use crate::findings::Findings;

/// Rounds of a loop whose bound is not known.
const ROUNDS_ASSUMED: f64 = 100.0;

/// Beginnings of roles whose numbers cost no computing: time asleep and memory declared.
const IDLE_ROLES: [&str; 2] = ["sleep", "memory"];

/// The class of a program.
pub(crate) fn judge(kind: ProgramKind, findings: &Findings) -> ExecutionClass {
    let is_partial = findings.has_capability(Capability::Unanalyzed);
    if findings.endless_loop || (is_partial && findings.instructions == 0) {
        return ExecutionClass::Unbounded;
    }
    let literal =
        findings.largest_literal(|role| !IDLE_ROLES.iter().any(|idle| role.starts_with(idle)));
    let steps = steps(literal, findings.loop_nesting_max, findings.loops);
    let estimate = class_of(steps, steps_per_second(kind));
    if findings.recursion || is_partial {
        estimate.max(ExecutionClass::Medium)
    } else {
        estimate
    }
}

/// The estimate of the module documentation.
fn steps(literal: u64, nesting: u32, loops: u64) -> f64 {
    let literal = literal as f64;
    let nesting = nesting.max(u32::from(loops > 0));
    if nesting == 0 {
        return literal;
    }
    let inner = i32::try_from(nesting - 1).unwrap_or(i32::MAX);
    literal.max(ROUNDS_ASSUMED) * ROUNDS_ASSUMED.powi(inner)
}

fn steps_per_second(kind: ProgramKind) -> f64 {
    match kind {
        ProgramKind::Python | ProgramKind::JavaScript | ProgramKind::Shell => 1e7,
        ProgramKind::Native | ProgramKind::WasmModule | ProgramKind::WasmComponent => 1e9,
    }
}

fn class_of(steps: f64, per_second: f64) -> ExecutionClass {
    let seconds = steps / per_second;
    if seconds < 1e-5 {
        ExecutionClass::Trivial
    } else if seconds <= 0.1 {
        ExecutionClass::Short
    } else if seconds <= 10.0 {
        ExecutionClass::Medium
    } else {
        ExecutionClass::Long
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn judged(nesting: u32, literal: u64) -> ExecutionClass {
        let mut findings = Findings::default();
        findings.loops = u64::from(nesting);
        findings.instructions = 1;
        findings.loop_nesting(nesting);
        findings.literal("range", literal);
        judge(ProgramKind::Python, &findings)
    }

    #[test]
    fn loops_and_literals_decide() {
        assert_eq!(judged(0, 0), ExecutionClass::Trivial);
        assert_eq!(judged(1, 10), ExecutionClass::Short);
        assert_eq!(judged(1, 1_000_000), ExecutionClass::Short);
        assert_eq!(judged(1, 10_000_000), ExecutionClass::Medium);
        assert_eq!(judged(2, 10), ExecutionClass::Short);
        assert_eq!(judged(2, 1_000_000), ExecutionClass::Medium);
        assert_eq!(judged(3, 1_000_000), ExecutionClass::Long);
        assert_eq!(judged(0, 1_000_000_000_000), ExecutionClass::Long);
    }

    #[test]
    fn compiled_code_gets_further() {
        let mut findings = Findings::default();
        findings.loops = 1;
        findings.literal("count", 100_000_000);
        assert_eq!(judge(ProgramKind::Native, &findings), ExecutionClass::Short);
        assert_eq!(
            judge(ProgramKind::Python, &findings),
            ExecutionClass::Medium
        );
    }

    #[test]
    fn evidence_outweighs_the_estimate() {
        let mut findings = Findings::default();
        findings.recursion = true;
        assert_eq!(
            judge(ProgramKind::Python, &findings),
            ExecutionClass::Medium
        );
        findings.endless_loop = true;
        assert_eq!(
            judge(ProgramKind::Python, &findings),
            ExecutionClass::Unbounded
        );
        let mut unread = Findings::default();
        unread.problem(None, "unread");
        assert_eq!(
            judge(ProgramKind::Python, &unread),
            ExecutionClass::Unbounded
        );
        unread.instructions = 10;
        assert_eq!(judge(ProgramKind::Python, &unread), ExecutionClass::Medium);
    }

    #[test]
    fn sleeping_and_memory_are_not_computing() {
        let mut findings = Findings::default();
        findings.literal("sleep.milliseconds", u64::MAX);
        findings.literal("memory.pages", u64::MAX);
        assert_eq!(
            judge(ProgramKind::Python, &findings),
            ExecutionClass::Trivial
        );
    }

    proptest! {
        #[test]
        fn more_of_anything_never_lowers_the_class(
            nesting in 0..40_u32,
            literal: u64,
            more_nesting in 0..40_u32,
            more_literal: u64,
        ) {
            let class = judged(nesting, literal);
            prop_assert!(judged(nesting + more_nesting, literal) >= class);
            prop_assert!(judged(nesting, literal.saturating_add(more_literal)) >= class);
        }
    }
}
