use std::collections::BTreeSet;

use atoll_types::{
    Capability, Complexity, Confidence, Dependency, DependencySource, ExecutionClass, LimitHit,
    LimitName, ProfileSource, ProgramKind, Status, Usage,
};

use super::*;

const NOW: u64 = 1_800_000_000_000;

pub(crate) fn script() -> Analysis {
    Analysis {
        kind: ProgramKind::Python,
        code_bytes: 2_000,
        lines: 60,
        functions: 3,
        loops: 2,
        loop_nesting_max: 1,
        recursion: false,
        instructions: 500,
        literals: Vec::new(),
        dependencies: vec![Dependency {
            name: "requests".to_owned(),
            source: DependencySource::ThirdParty,
        }],
        host_calls: BTreeSet::new(),
        capabilities: BTreeSet::from([Capability::Network, Capability::FilesRead]),
        execution_class: ExecutionClass::Short,
        complexity: Complexity::default(),
        declared_memory_bytes: None,
        problems: Vec::new(),
    }
}

fn ran(memory_peak_bytes: u64) -> PastRun {
    PastRun {
        usage: Usage {
            memory_peak_bytes,
            ..Usage::default()
        },
        status: Status::Exited,
        limit: None,
        unix_ms: NOW - 1000,
    }
}

#[test]
fn a_new_program_is_judged_by_what_others_needed_or_by_the_table() {
    let profile = predict(&script(), &Given::default(), &[], NOW);
    assert_eq!(profile.memory_footprint.source, ProfileSource::Model);
    assert_eq!(profile.memory_footprint.confidence, Confidence::Medium);
    let rows = |analysis: &Analysis| match predict(analysis, &Given::default(), &[], NOW)
        .memory_footprint
        .source
    {
        ProfileSource::Table { rows } => rows,
        other => panic!("{other:?}"),
    };
    let shell = Analysis {
        kind: ProgramKind::Shell,
        ..script()
    };
    assert_eq!(rows(&shell), ["shell", "short"]);
}

#[test]
fn a_known_program_is_judged_by_its_runs() {
    let past = [ran(11 << 20), ran(13 << 20), ran(12 << 20)];
    let profile = predict(&script(), &Given::default(), &past, NOW);
    assert_eq!(profile.memory_footprint.quantiles.p50, 12 << 20);
    assert_eq!(profile.memory_footprint.quantiles.p99, 13 << 20);
    assert_eq!(
        profile.memory_footprint.source,
        ProfileSource::History { runs: 3 }
    );
}

#[test]
fn a_program_that_died_at_a_limit_once_is_expected_to_need_more() {
    let killed = PastRun {
        status: Status::Limit,
        limit: Some(LimitHit {
            name: LimitName::Memory,
            value: 256 << 20,
        }),
        ..ran(250 << 20)
    };
    let fresh = predict(&script(), &Given::default(), &[], NOW).memory_footprint;
    let warned = predict(&script(), &Given::default(), &[killed], NOW).memory_footprint;
    assert_eq!(warned.quantiles.p99, 256 << 20);
    assert_eq!(warned.quantiles.p50, fresh.quantiles.p50);
    assert_eq!(warned.source, fresh.source);
    // A run that needed little lowers nothing.
    assert_eq!(
        predict(&script(), &Given::default(), &[ran(1)], NOW).memory_footprint,
        fresh
    );
}

#[test]
fn flags_and_dependencies_come_from_the_text_whatever_history_says() {
    let past = [ran(1), ran(1), ran(1)];
    for past in [&past[..], &[]] {
        let profile = predict(&script(), &Given::default(), past, NOW);
        let flags: Vec<&str> = profile
            .security_flags
            .iter()
            .map(|flag| flag.name.as_str())
            .collect();
        assert_eq!(flags, ["network", "network-and-files-read"]);
        assert_eq!(profile.dependencies.len(), 1);
    }
}
