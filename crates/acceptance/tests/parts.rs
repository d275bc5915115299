//! Programs made of several components, as a user gives them to the command.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    dead_code,
    reason = "a test ends at the first surprise, and uses only some of what the suites share"
)]

mod support;

use std::fs;
use std::path::PathBuf;

use atoll_acceptance::exit_code::REFUSED;
use serde_json::Value;

use crate::support::Case;

const APP: &str = include_str!("../../sandbox-wasm/tests/it/parts/app.wat");
const CALC: &str = include_str!("../../sandbox-wasm/tests/it/parts/calc.wat");

/// Adds, then sees a trap of the part and goes on.
const STEPS: &str = "
  (if (i32.ne (call $add (i32.const 2) (i32.const 40)) (i32.const 42))
    (then (return (i32.const 1))))
  (if (i32.eqz (call $fails (i32.const 2))) (then (return (i32.const 1))))
  (i32.ne (call $value (i32.const 0)) (i32.const 1))";

fn component(case: &Case, name: &str, text: &str) -> PathBuf {
    let path = case.path(name);
    fs::write(&path, wat::parse_str(text).unwrap()).unwrap();
    path
}

/// The application, and the option that gives it its part.
fn given(case: &Case, options: &str) -> (String, String) {
    let app = component(case, "app.wasm", &APP.replace("(;STEPS;)", STEPS));
    let calc = component(case, "calc.wasm", CALC);
    let part = format!("calc={}{options}", calc.display());
    (app.to_str().unwrap().to_owned(), part)
}

fn json(case: &Case, command: &str, arguments: &[&str]) -> (Value, i32) {
    let mut all = vec![command, "--json"];
    all.extend(arguments);
    let finished = case.command(all);
    let value = serde_json::from_str(&finished.stdout());
    let value = value.unwrap_or_else(|error| panic!("{error}: {}", finished.0.stderr_text()));
    (value, finished.0.code())
}

#[test]
fn a_program_runs_with_its_part_where_it_was_decided() {
    let case = Case::new();
    for (options, means, exit_code) in [
        (",alone=store", "other-store", 0),
        (",trust=acme", "other-process", 0),
        (",trust=acme,risk=0.9", "other-process", 0),
        (",alone=process", "other-process", 0),
        // A trap of a part that is linked is the program's own.
        ("", "linked", 134),
    ] {
        let (app, part) = given(&case, options);
        let (outcome, code) = json(&case, "run", &["--part", &part, &app]);
        assert_eq!(code, exit_code, "{options}: {outcome:#}");
        let split = &outcome["decision"]["split"];
        assert_eq!(split["crossings"][0]["means"], means, "{options}");
        assert_eq!(split["crossings"][0]["callee"], "calc");
        let reasons = outcome["decision"]["reasons"].as_array().unwrap();
        let of_parts = reasons.iter().filter(|reason| reason["from"] == "parts");
        assert!(of_parts.count() >= 1, "{options}: {reasons:#?}");
        let (explained, _) = json(&case, "explain", &["--part", &part, &app]);
        let explained_split = &explained["decision"]["split"];
        assert_eq!(explained_split["crossings"][0]["means"], means, "{options}");
        assert_eq!(explained["runnable"], true);
    }
}

#[test]
fn what_does_not_fit_together_is_refused_by_name() {
    let case = Case::new();
    let (app, part) = given(&case, "");
    let refused = |arguments: &[&str], says: &str| {
        let (outcome, code) = json(&case, "run", arguments);
        assert_eq!(code, REFUSED, "{outcome:#}");
        let reason = outcome["reason"].as_str().unwrap();
        assert!(reason.contains(says), "{reason}");
    };
    let other = part.replacen("calc=", "other=", 1);
    refused(
        &["--part", &part, "--part", &other, &app],
        "acme:tools/calc@1.0.0",
    );
    let text = case.path("text.wasm");
    fs::write(&text, "no component").unwrap();
    let text = format!("calc={}", text.display());
    refused(&["--part", &text, &app], "the part `calc` cannot be used");
    refused(
        &["--part", &part, "--together", "app,nobody", &app],
        "there is no part `nobody`; the parts are app, calc",
    );
    refused(
        &["--part", &part, "--level", "vm", &app],
        "the level vm was decided",
    );
    let calc = part.strip_prefix("calc=").unwrap();
    let (again, alone) = (format!("more={}", app), case.run(["--part", &other, calc]));
    assert_eq!(alone.0.code(), REFUSED);
    assert!(
        alone.0.stderr_text().contains("is not a command"),
        "{}",
        alone.0.stderr_text()
    );
    refused(&["--part", &again, &app], "acme:tools/calc@1.0.0");
}

#[test]
fn only_components_have_parts() {
    let case = Case::new();
    let (_, part) = given(&case, "");
    let script = case.path("hello.py");
    fs::write(&script, "print('hello')\n").unwrap();
    let finished = case.run(["--part", &part, script.to_str().unwrap()]);
    assert_eq!(finished.0.code(), 125);
    assert!(
        finished
            .0
            .stderr_text()
            .contains("only a WebAssembly component"),
        "{}",
        finished.0.stderr_text()
    );
}
