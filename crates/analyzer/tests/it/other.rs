//! Another process in the place of the one that reads: one that was taken over, or is broken.

use std::fs;
use std::path::{Path, PathBuf};

use atoll_analyze::analyze;
use atoll_analyzer::{Apart, LIMITS, NotRead};
use atoll_types::{Analysis, LimitName, Limits, ProgramKind};

use crate::read;

/// Less time and memory than for reading: it does neither quickly.
const LESS: Limits = Limits {
    wall_time_ms: 2_000,
    cpu_time_ms: 200,
    memory_bytes: 64 << 20,
    ..LIMITS
};

/// The program that stands there, built beside these tests.
fn other() -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let built = own.ancestors().nth(2).unwrap();
    let other = built.join("examples/other-analyzer");
    assert!(other.is_file(), "{} is not built", other.display());
    other
}

/// Does what is told, where a program in Python is to be read.
fn told(what: &str) -> Result<Analysis, NotRead> {
    let program = format!("{what}\nimport os\nos.system('ls')\n");
    let apart = Apart::with(other(), LESS);
    read(&apart, ProgramKind::Python, program.as_bytes())
}

fn processes_of(program: &Path) -> Vec<PathBuf> {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let found = processes.map(|entry| entry.path());
    found
        .filter(|path| fs::read_link(path.join("exe")).is_ok_and(|exe| exe == program))
        .collect()
}

#[test]
fn whatever_it_does_is_no_analysis_and_leaves_nothing() {
    for what in ["abort", "leave", "say nothing", "say and fail", "panic"] {
        let outcome = told(what);
        let is_right = match what {
            "say nothing" => matches!(outcome, Err(NotRead::Impossible)),
            _ => matches!(outcome, Err(NotRead::NoAnswer(Some(_)))),
        };
        assert!(is_right, "{what}: {outcome:?}");
    }
    for what in ["say noise", "say another"] {
        let outcome = told(what);
        assert!(matches!(outcome, Err(NotRead::Impossible)), "{outcome:?}");
    }
    for (what, limit) in [
        ("spin", LimitName::CpuTime),
        ("sleep", LimitName::WallTime),
        ("say and stay", LimitName::CpuTime),
        ("say too much", LimitName::Output),
        ("fill", LimitName::Memory),
    ] {
        match told(what) {
            Err(NotRead::Limit(hit, _)) => assert_eq!(hit, limit, "{what}"),
            outcome => panic!("{what}: {outcome:?}"),
        }
    }
    assert_eq!(processes_of(&other()), [] as [PathBuf; 0]);
}

/// It has read the program, so it can say of it what it likes; nothing here can know better. What
/// follows from what it says, it cannot say otherwise.
#[test]
fn a_process_that_was_taken_over_can_call_its_program_harmless() {
    let said = told("say harmless").unwrap();
    assert!(said.is_complete() && said.host_calls.is_empty());
    let program = "say harmless\nimport os\nos.system('ls')\n";
    let comment = "#".repeat(program.len());
    assert_eq!(said, analyze(ProgramKind::Python, comment.as_bytes()));
}
