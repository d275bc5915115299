//! Tests of reading JavaScript.

use atoll_types::{Analysis, Capability, ProgramKind};

fn read(text: &str) -> Analysis {
    crate::analyze(ProgramKind::JavaScript, text.as_bytes())
}

#[test]
fn the_json_example_is_understood() {
    let analysis = read(include_str!(
        "../../../../examples/json-transform/transform.js"
    ));
    assert_eq!(analysis.problems, []);
    assert!(analysis.is_complete() && analysis.loops >= 6);
    assert!(!analysis.recursion);
}

#[test]
fn files_and_modules() {
    let analysis = read("const {readFileSync: r} = require('node:fs'); r('a'); require('@a/b/c');");
    assert!(analysis.host_calls.contains("fs.readFileSync"));
    assert!(analysis.capabilities.contains(&Capability::FilesRead));
    assert!(!analysis.capabilities.contains(&Capability::FilesWrite));
    assert!(
        analysis
            .dependencies
            .iter()
            .any(|found| found.name == "@a/b")
    );
}

#[test]
fn recursion_and_code_made_at_run_time() {
    assert!(read("const f = (n) => f(n - 1); f(3);").recursion);
    let analysis = read("eval(process.argv[2]);");
    assert!(analysis.capabilities.contains(&Capability::DynamicCode));
    assert!(!analysis.is_complete());
}

#[test]
fn nested_brackets_do_not_use_up_the_stack() {
    assert!(!read(&"[".repeat(100_000)).is_complete());
}
