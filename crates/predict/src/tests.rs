use std::collections::BTreeSet;

use atoll_types::{
    Capability, Complexity, Confidence, Dependency, DependencySource, ExecutionClass, Level,
    LimitHit, LimitName, Past, PastRun, ProfileSource, ProgramKind, Quantiles, Status, Usage,
};
use proptest::prelude::*;

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
        disguised: BTreeSet::new(),
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
        level: None,
        input: None,
    }
}

/// These runs of the program, and none of its tenant.
fn known(runs: &[PastRun]) -> Past {
    Past {
        runs: runs.to_vec(),
        bounds: Vec::new(),
    }
}

#[test]
fn a_new_program_is_judged_by_what_others_needed_or_by_the_table() {
    let profile = predict(&script(), &Given::default(), &known(&[]), NOW);
    assert_eq!(profile.memory_footprint.source, ProfileSource::Model);
    assert_eq!(profile.memory_footprint.confidence, Confidence::Medium);
    let rows = |analysis: &Analysis| match predict(analysis, &Given::default(), &known(&[]), NOW)
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
    let profile = predict(&script(), &Given::default(), &known(&past), NOW);
    assert_eq!(profile.memory_footprint.quantiles.p50, 12 << 20);
    // Three runs do not show the most that it can need.
    let p99 = profile.memory_footprint.quantiles.p99;
    assert!(p99 > 13 << 20 && p99 <= 26 << 20, "{p99}");
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
    let fresh = predict(&script(), &Given::default(), &known(&[]), NOW).memory_footprint;
    let warned = predict(&script(), &Given::default(), &known(&[killed]), NOW).memory_footprint;
    assert_eq!(warned.quantiles.p99, 256 << 20);
    assert_eq!(warned.quantiles.p50, fresh.quantiles.p50);
    assert_eq!(warned.source, fresh.source);
    // A run that needed little lowers nothing.
    assert_eq!(
        predict(&script(), &Given::default(), &known(&[ran(1)]), NOW).memory_footprint,
        fresh
    );
}

#[test]
fn flags_and_dependencies_come_from_the_text_whatever_history_says() {
    let past = [ran(1), ran(1), ran(1)];
    for past in [&past[..], &[]] {
        let profile = predict(&script(), &Given::default(), &known(past), NOW);
        let flags: Vec<&str> = profile
            .security_flags
            .iter()
            .map(|flag| flag.name.as_str())
            .collect();
        assert_eq!(flags, ["network", "network-and-files-read"]);
        assert_eq!(profile.dependencies.len(), 1);
    }
}

fn any_run() -> impl Strategy<Value = PastRun> {
    let status = prop::sample::select(vec![
        Status::Exited,
        Status::Signalled,
        Status::Limit,
        Status::Refused,
        Status::Failed,
    ]);
    let limit = prop::option::of((
        prop::sample::select(vec![LimitName::Memory, LimitName::CpuTime, LimitName::Disk]),
        any::<u64>(),
    ));
    let level = prop::option::of(prop::sample::select(&Level::ALL[..]));
    let used = (any::<u64>(), any::<u64>(), any::<u64>());
    (
        used,
        status,
        limit,
        any::<u64>(),
        level,
        any::<Option<u64>>(),
    )
        .prop_map(
            |(
                (cpu_time_us, memory_peak_bytes, disk_bytes),
                status,
                limit,
                unix_ms,
                level,
                input,
            )| {
                PastRun {
                    usage: Usage {
                        cpu_time_us,
                        memory_peak_bytes,
                        disk_bytes,
                        ..Usage::default()
                    },
                    status,
                    limit: limit.map(|(name, value)| LimitHit { name, value }),
                    unix_ms,
                    level,
                    input,
                }
            },
        )
}

proptest! {
    /// Whoever writes history, by running programs, moves quantities and nothing else.
    #[test]
    fn no_history_changes_what_a_program_may_do(
        runs in prop::collection::vec(any_run(), 0..20),
        number in 0.0..1e18,
    ) {
        let given = Given {
            arguments: 1,
            argument_number_max: number,
            ..Given::default()
        };
        let fresh = predict(&script(), &given, &known(&[]), NOW);
        let poisoned = predict(&script(), &given, &known(&runs), NOW);
        prop_assert_eq!(&fresh.security_flags, &poisoned.security_flags);
        prop_assert_eq!(&fresh.dependencies, &poisoned.dependencies);
        for estimate in [
            &poisoned.cpu_demand,
            &poisoned.memory_footprint,
            &poisoned.io_intensity.operations,
            &poisoned.io_intensity.read_bytes,
            &poisoned.io_intensity.written_bytes,
        ] {
            let Quantiles { p50, p90, p99 } = estimate.quantiles;
            prop_assert!(p50 <= p90 && p90 <= p99, "{:?}", estimate);
        }
    }
}

#[test]
fn how_predictions_fared_moves_those_of_models_and_is_written_down() {
    let fresh = predict(&script(), &Given::default(), &known(&[]), NOW);
    let told = fresh.lesson.memory.unwrap();
    assert_eq!(told.plain, told.given);
    let missed = atoll_types::PastBounds {
        level: None,
        lesson: fresh.lesson,
        memory_bytes: told.given * 3,
        cpu_us: 1,
        at_least: false,
    };
    let past = Past {
        runs: Vec::new(),
        bounds: vec![missed; 30],
    };
    let given = Given {
        arguments: 1,
        argument_number_max: 704.0,
        ..Given::default()
    };
    let after = predict(&script(), &given, &past, NOW);
    assert_eq!(after.lesson.input, 704);
    let moved = after.lesson.memory.unwrap();
    assert!(moved.given > moved.plain * 2, "{moved:?}");
    assert_eq!(after.memory_footprint.quantiles.p90, moved.given);
    // What history knows is not corrected, and nothing is learned from how it fares.
    let past = Past {
        runs: vec![ran(1 << 20); 3],
        ..past
    };
    let known = predict(&script(), &given, &past, NOW);
    assert_eq!(known.memory_footprint.quantiles.p90, 1 << 20);
    assert_eq!(known.lesson.memory, None);
}
