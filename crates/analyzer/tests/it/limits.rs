//! What reading takes is limited: real programs, and less than reading them takes.

use atoll_analyzer::{Analyzer, Apart, LIMITS, NotRead};
use atoll_types::{Analysis, Capability, ExecutionClass, LimitName, Limits};
use atoll_types::{Program, ProgramHash, ProgramKind};

use crate::{block_on, read};

/// Nearly as many tokens as are read of a program in Python, and names that depend on each other.
fn bomb() -> String {
    let lines = (1..90_000).map(|number| format!("a{number} = a{}\n", number - 1));
    lines.collect()
}

fn installed() -> std::path::PathBuf {
    atoll_jail::helper_binary("atoll-analyzer").unwrap()
}

fn limit_hit(limits: Limits) -> LimitName {
    let apart = Apart::with(installed(), limits);
    match read(&apart, ProgramKind::Python, bomb().as_bytes()) {
        Err(NotRead::Limit(limit, _)) => limit,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_program_that_takes_too_much_memory_is_given_up() {
    let limits = Limits {
        memory_bytes: 24 << 20,
        ..LIMITS
    };
    assert_eq!(limit_hit(limits), LimitName::Memory);
}

#[test]
fn a_program_that_takes_too_much_processor_time_is_given_up() {
    let limits = Limits {
        cpu_time_ms: 1,
        ..LIMITS
    };
    assert_eq!(limit_hit(limits), LimitName::CpuTime);
}

#[test]
fn a_program_that_takes_too_long_is_given_up() {
    let limits = Limits {
        wall_time_ms: 1,
        ..LIMITS
    };
    assert_eq!(limit_hit(limits), LimitName::WallTime);
}

#[test]
fn the_most_that_is_read_fits_into_the_limits() {
    let analysis = read(&Apart::default(), ProgramKind::Python, bomb().as_bytes()).unwrap();
    assert!(analysis.is_complete(), "{:?}", analysis.problems);
}

fn analyzed(apart: Apart, text: &str) -> Analysis {
    let program = Program {
        name: "a.py".to_owned(),
        kind: ProgramKind::Python,
        bytes: text.as_bytes().into(),
        hash: ProgramHash::of(text.as_bytes()),
    };
    block_on(Analyzer::new(apart).analyze(&program))
}

/// Policy sees a program that was not understood, whatever kept it from being so.
#[test]
fn a_program_that_was_given_up_counts_as_not_understood() {
    let less = Limits {
        memory_bytes: 24 << 20,
        ..LIMITS
    };
    let text = bomb();
    for (apart, reason) in [
        (Apart::with(installed(), less), "24 MiB of memory"),
        (Apart::with("/nowhere".into(), LIMITS), "no jail"),
    ] {
        let analysis = analyzed(apart.clone(), &text);
        assert!(analysis.capabilities.contains(&Capability::Unanalyzed));
        assert_eq!(analysis.execution_class, ExecutionClass::Unbounded);
        assert_eq!(analysis.code_bytes, text.len() as u64);
        let message = &analysis.problems[0].message;
        assert!(message.contains(reason), "{message}");
        // A program of usual size does not depend on any of it.
        assert!(analyzed(apart, "print(1)\n").is_complete());
    }
}
