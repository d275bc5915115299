//! The promises of the score: parts that add up, a range, and growth.

use proptest::prelude::*;

use super::*;

/// What the score is made from, in a form that can be varied.
#[derive(Debug, Clone)]
struct Input {
    code_bytes: u64,
    lines: u64,
    instructions: u64,
    functions: u64,
    nesting: u32,
    literal: u64,
    recursion: bool,
    dependencies: [u8; 3],
    capabilities: Vec<Capability>,
}

impl Input {
    fn score(&self) -> Complexity {
        let mut findings = Findings::default();
        findings.lines = self.lines;
        findings.instructions = self.instructions;
        findings.functions = self.functions;
        findings.recursion = self.recursion;
        findings.loop_nesting(self.nesting);
        findings.literal("range", self.literal);
        let sources = [
            DependencySource::StandardLibrary,
            DependencySource::ThirdParty,
            DependencySource::Local,
        ];
        for (source, count) in sources.into_iter().zip(self.dependencies) {
            for number in 0..count {
                findings.dependency(&format!("{source:?}{number}"), source);
            }
        }
        for capability in &self.capabilities {
            findings.capability(*capability);
        }
        score(self.code_bytes, &findings)
    }
}

fn input() -> impl Strategy<Value = Input> {
    let capabilities =
        proptest::collection::vec(proptest::sample::select(Capability::ALL.to_vec()), 0..20);
    let counts = (any::<u64>(), any::<u64>(), any::<u64>(), any::<u64>());
    let rest = (
        any::<u32>(),
        any::<u64>(),
        any::<bool>(),
        any::<[u8; 3]>(),
        capabilities,
    );
    (counts, rest).prop_map(
        |(
            (code_bytes, lines, instructions, functions),
            (nesting, literal, recursion, dependencies, capabilities),
        )| Input {
            code_bytes,
            lines,
            instructions,
            functions,
            nesting,
            literal,
            recursion,
            dependencies: dependencies.map(|count| count / 4),
            capabilities,
        },
    )
}

#[test]
fn the_maxima_add_up_to_100() {
    let complexity = score(0, &Findings::default());
    let most: f64 = complexity.parts.iter().map(|part| part.points_max).sum();
    assert!((most - 100.0).abs() < 1e-9);
    assert!(complexity.score.abs() < 1e-9);
}

#[test]
fn the_worst_program_scores_100() {
    let worst = Input {
        code_bytes: u64::MAX,
        lines: u64::MAX,
        instructions: u64::MAX,
        functions: u64::MAX,
        nesting: u32::MAX,
        literal: u64::MAX,
        recursion: true,
        dependencies: [60, 60, 60],
        capabilities: Capability::ALL.to_vec(),
    };
    assert!((worst.score().score - 100.0).abs() < 1e-9);
}

proptest! {
    #[test]
    fn the_score_is_the_sum_of_parts_within_their_range(input in input()) {
        let complexity = input.score();
        let sum: f64 = complexity.parts.iter().map(|part| part.points).sum();
        prop_assert!((complexity.score - sum).abs() < 1e-9);
        prop_assert!((0.0..=100.0 + 1e-9).contains(&complexity.score));
        for part in &complexity.parts {
            prop_assert!((0.0..=part.points_max).contains(&part.points), "{part:?}");
            prop_assert!(part.points.is_sign_positive(), "{part:?}");
        }
    }

    #[test]
    fn more_of_anything_never_lowers_the_score(small in input(), more in input()) {
        let grown: [fn(&mut Input, &Input); 9] = [
            |input, more| input.code_bytes = input.code_bytes.saturating_add(more.code_bytes),
            |input, more| input.lines = input.lines.saturating_add(more.lines),
            |input, more| input.instructions = input.instructions.saturating_add(more.instructions),
            |input, more| input.functions = input.functions.saturating_add(more.functions),
            |input, more| input.nesting = input.nesting.saturating_add(more.nesting),
            |input, more| input.literal = input.literal.saturating_add(more.literal),
            |input, _| input.recursion = true,
            |input, more| {
                for (count, more) in input.dependencies.iter_mut().zip(more.dependencies) {
                    *count = count.saturating_add(more).min(80);
                }
            },
            |input, more| input.capabilities.extend(&more.capabilities),
        ];
        let before = small.score().score;
        for grow in grown {
            let mut large = small.clone();
            grow(&mut large, &more);
            prop_assert!(large.score().score >= before - 1e-9);
        }
    }
}
