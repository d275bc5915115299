use std::collections::BTreeSet;

use atoll_types::{Complexity, Dependency, Literal};
use proptest::prelude::*;

use super::*;

fn estimates(analysis: &Analysis) -> Estimates {
    super::estimates(analysis, &Given::default())
}

const KINDS: [ProgramKind; 6] = ProgramKind::ALL;
const CLASSES: [ExecutionClass; 5] = [
    ExecutionClass::Trivial,
    ExecutionClass::Short,
    ExecutionClass::Medium,
    ExecutionClass::Long,
    ExecutionClass::Unbounded,
];

fn program(kind: ProgramKind) -> Analysis {
    Analysis {
        kind,
        code_bytes: 1000,
        lines: 40,
        functions: 2,
        loops: 1,
        loop_nesting_max: 1,
        recursion: false,
        instructions: 300,
        literals: Vec::new(),
        dependencies: Vec::new(),
        host_calls: BTreeSet::new(),
        disguised: BTreeSet::new(),
        capabilities: BTreeSet::new(),
        execution_class: ExecutionClass::Short,
        complexity: Complexity::default(),
        declared_memory_bytes: None,
        problems: Vec::new(),
    }
}

fn importing(names: &[&str]) -> Analysis {
    Analysis {
        dependencies: names
            .iter()
            .map(|name| Dependency {
                name: (*name).to_owned(),
                source: DependencySource::ThirdParty,
            })
            .collect(),
        ..program(ProgramKind::Python)
    }
}

fn rows(analysis: &Analysis) -> Vec<String> {
    match estimates(analysis).memory_bytes.source {
        ProfileSource::Table { rows } => rows,
        source @ (ProfileSource::History { .. }
        | ProfileSource::Model
        | ProfileSource::Trial { .. }) => panic!("{source:?}"),
    }
}

#[test]
fn the_module_tables_are_sorted_and_closed() {
    for kind in KINDS {
        let table = modules_for(kind);
        assert!(table.windows(2).all(|pair| pair[0].name < pair[1].name));
        for module in table {
            for included in module.includes {
                assert!(
                    table.iter().any(|other| other.name == *included),
                    "{included}"
                );
            }
        }
    }
}

#[test]
fn imports_add_up_without_counting_shared_parts_twice() {
    let p50 = |names: &[&str]| estimates(&importing(names)).memory_bytes.quantiles.p50;
    assert!(p50(&["numpy"]) > p50(&[]));
    assert_eq!(p50(&["pandas", "numpy"]), p50(&["pandas"]));
    assert!(p50(&["pandas", "requests"]) > p50(&["pandas"]));
    assert_eq!(p50(&["numpy", "numpy"]), p50(&["numpy"]));
    assert_eq!(
        rows(&importing(&["numpy", "pandas", "requests"])),
        ["python", "pandas", "requests", "short"]
    );
}

#[test]
fn modules_without_a_row_lower_the_confidence() {
    let known = estimates(&importing(&["numpy"])).memory_bytes;
    let unknown = estimates(&importing(&["numpy", "made_up", "made_up_too"])).memory_bytes;
    assert_eq!(known.confidence, Confidence::Medium);
    assert_eq!(unknown.confidence, Confidence::Low);
    assert_eq!(
        unknown.quantiles.p50 - known.quantiles.p50,
        UNKNOWN_MODULE.memory_kib * KIB
    );
    // A standard library module without a row is part of the base figure.
    let mut standard = importing(&["made_up"]);
    standard.dependencies[0].source = DependencySource::StandardLibrary;
    assert_eq!(rows(&standard), ["python", "short"]);
}

#[test]
fn what_was_not_understood_lowers_the_confidence() {
    let mut analysis = program(ProgramKind::JavaScript);
    assert_eq!(estimates(&analysis).cpu_us.confidence, Confidence::Medium);
    analysis.capabilities.insert(Capability::Unanalyzed);
    assert_eq!(estimates(&analysis).cpu_us.confidence, Confidence::Low);
}

#[test]
fn declared_memory_and_large_allocations_raise_memory() {
    let plain = program(ProgramKind::WasmModule);
    let mut declared = plain.clone();
    declared.declared_memory_bytes = Some(100 * MIB);
    let plain = estimates(&plain).memory_bytes.quantiles;
    let declared = estimates(&declared).memory_bytes.quantiles;
    assert_eq!(declared.p50, plain.p50 + 100 * MIB);
    assert!(declared.p99 > plain.p99);

    let mut list = program(ProgramKind::Python);
    list.literals = vec![Literal {
        role: "repeat".to_owned(),
        value: 10_000_000,
    }];
    let small = estimates(&program(ProgramKind::Python))
        .memory_bytes
        .quantiles;
    let large = estimates(&list).memory_bytes.quantiles;
    assert_eq!(large.p50, small.p50);
    assert_eq!(large.p99, small.p99 + 80_000_000);
}

#[test]
fn files_written_raise_input_and_output() {
    let mut analysis = program(ProgramKind::Python);
    let printing = estimates(&analysis).written_bytes.quantiles;
    analysis.capabilities.insert(Capability::FilesWrite);
    let writing = estimates(&analysis).written_bytes.quantiles;
    assert!(writing.p50 > printing.p50 && writing.p99 > printing.p99);
}

#[test]
fn a_heavier_class_widens_cpu_time_and_memory() {
    for kind in KINDS {
        let of = |execution_class| {
            estimates(&Analysis {
                execution_class,
                ..program(kind)
            })
        };
        for pair in CLASSES.windows(2) {
            let (light, heavy) = (of(pair[0]), of(pair[1]));
            assert!(light.cpu_us.quantiles.p90 <= heavy.cpu_us.quantiles.p90);
            assert!(light.cpu_us.quantiles.p99 < heavy.cpu_us.quantiles.p99);
            assert!(light.memory_bytes.quantiles.p90 <= heavy.memory_bytes.quantiles.p90);
            assert!(light.memory_bytes.quantiles.p99 <= heavy.memory_bytes.quantiles.p99);
        }
    }
}

proptest! {
    #[test]
    fn quantiles_are_ordered_whatever_the_program_states(
        kind in prop::sample::select(&KINDS[..]),
        execution_class in prop::sample::select(&CLASSES[..]),
        code_bytes: u64,
        declared_memory_bytes: Option<u64>,
        value: u64,
        role in "repeat|range|memory.pages",
    ) {
        let analysis = Analysis {
            code_bytes,
            execution_class,
            declared_memory_bytes,
            literals: vec![Literal { role, value }],
            ..program(kind)
        };
        let found = estimates(&analysis);
        let io = [found.io.operations, found.io.read_bytes];
        let others = [found.cpu_us, found.memory_bytes, found.written_bytes];
        for part in others.into_iter().chain(io) {
            let q = part.quantiles;
            prop_assert!(q.p50 <= q.p90 && q.p90 <= q.p99, "{q:?}");
        }
    }
}
