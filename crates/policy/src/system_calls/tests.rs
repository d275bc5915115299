//! Which programs get by with fewer system calls.

use atoll_types::Dependency;

use super::*;
use crate::testing::{able, program};

fn imports(name: &str, source: DependencySource) -> Analysis {
    Analysis {
        dependencies: vec![Dependency {
            name: name.to_owned(),
            source,
        }],
        ..program(ProgramKind::Python)
    }
}

fn choice(analysis: &Analysis) -> SystemCalls {
    needed(analysis).0
}

#[test]
fn the_tables_are_sorted_without_repetition() {
    assert!(MODULES.is_sorted_by(|left, right| left < right));
    assert!(CALLS.is_sorted_by(|left, right| left < right));
}

#[test]
fn a_python_program_that_was_understood_gets_few_calls() {
    let harmless = [
        Capability::FilesRead,
        Capability::FilesWrite,
        Capability::Environment,
        Capability::Time,
        Capability::Randomness,
        Capability::SystemInformation,
        Capability::Introspection,
    ];
    let analysis = able(ProgramKind::Python, &harmless);
    assert_eq!(choice(&analysis), SystemCalls::Strict);
    // Whatever is new has to be thought about.
    assert_eq!(harmless.len() + WIDE.len(), Capability::ALL.len());
}

#[test]
fn every_other_capability_widens() {
    for capability in WIDE {
        let (choice, why) = needed(&able(ProgramKind::Python, &[capability]));
        assert_eq!(choice, SystemCalls::Processes);
        assert!(why.contains(capability.name()), "{why}");
    }
}

#[test]
fn modules_that_are_not_known_to_be_harmless_widen() {
    let standard = DependencySource::StandardLibrary;
    assert_eq!(choice(&imports("json", standard)), SystemCalls::Strict);
    for (name, source) in [
        ("asyncio", standard),
        ("concurrent", standard),
        ("_posixsubprocess", standard),
        ("json", DependencySource::Local),
        ("json", DependencySource::ThirdParty),
        ("numpy", DependencySource::ThirdParty),
    ] {
        let (choice, why) = needed(&imports(name, source));
        assert_eq!(choice, SystemCalls::Processes, "{name}");
        assert!(why.contains(name), "{why}");
    }
}

#[test]
fn functions_that_need_other_calls_widen() {
    let mut analysis = program(ProgramKind::Python);
    analysis.host_calls.insert("os.stat".to_owned());
    assert_eq!(choice(&analysis), SystemCalls::Strict);
    analysis.host_calls.insert("os.getpgid".to_owned());
    let (choice, why) = needed(&analysis);
    assert_eq!(choice, SystemCalls::Processes);
    assert!(why.contains("os.getpgid"), "{why}");
}

#[test]
fn other_kinds_get_what_they_may_need() {
    for (kind, expected) in [
        (ProgramKind::JavaScript, SystemCalls::Processes),
        (ProgramKind::Shell, SystemCalls::Processes),
        (ProgramKind::Native, SystemCalls::Processes),
        (ProgramKind::WasmModule, SystemCalls::Strict),
        (ProgramKind::WasmComponent, SystemCalls::Strict),
    ] {
        assert_eq!(choice(&program(kind)), expected, "{kind:?}");
    }
}
