//! Tests of reading shell scripts.

use atoll_types::{Analysis, Capability, ProgramKind};

fn read(text: &str) -> Analysis {
    crate::analyze(ProgramKind::Shell, text.as_bytes())
}

#[test]
fn the_log_example_is_understood() {
    let text = include_str!("../../../../examples/log-pipeline/top-paths.sh");
    let analysis = read(text);
    assert_eq!(analysis.problems, []);
    assert!(analysis.capabilities.contains(&Capability::FilesWrite));
}

#[test]
fn fork_bombs_are_recursive() {
    let text = include_str!("../../../../examples/fork-bomb-shell/bomb.sh");
    assert!(read(text).recursion);
}

#[test]
fn nested_brackets_do_not_use_up_the_stack() {
    assert!(!read(&"(".repeat(100_000)).is_complete());
}
