//! Which system calls a program may make is decided, said, and held.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    dead_code,
    reason = "a test ends at the first surprise, and uses only some of what the suites share"
)]

mod support;

use atoll_acceptance::Report;

use crate::support::{Case, write};

const PLAIN: &str = "import json, sys\nprint(json.dumps(sys.argv[1:]))\n";
const THREADED: &str = "import threading\n\
    t = threading.Thread(target=print, args=('from a thread',))\nt.start()\nt.join()\n";

fn run(case: &Case, source: &str, options: &[&str]) -> Report {
    let program = write(case, "program.py", source.as_bytes());
    let mut command = case.atoll.command();
    command.args(["run", "--json"]).args(options).arg(program);
    let finished = case.finish(command);
    Report::parse(finished.stdout_bytes())
        .unwrap_or_else(|problem| panic!("{problem}: {}", finished.text()))
}

/// The choice, the reason that names it, and what the layer says is in force.
fn said(report: &Report) -> (String, String, String) {
    let decision = report.decision.as_ref().unwrap();
    let named = format!("system calls `{}`", decision.system_calls);
    let mut reasons = decision.reasons.iter().map(|reason| &reason.text);
    let reason = reasons.find(|text| text.starts_with(&named)).unwrap();
    let layers = report.enforcement["layers"].as_array().unwrap();
    let mut layers = layers.iter().filter(|layer| layer["layer"] == "seccomp");
    let detail = layers.next().unwrap()["detail"].as_str().unwrap();
    (
        decision.system_calls.clone(),
        reason.clone(),
        detail.to_owned(),
    )
}

fn allowed(detail: &str) -> usize {
    let words: Vec<&str> = detail.split(' ').collect();
    let at = words
        .windows(2)
        .position(|pair| pair == ["system", "calls"])
        .unwrap();
    words[at - 1].parse().unwrap()
}

#[test]
fn a_script_that_was_understood_runs_with_at_most_80_system_calls() {
    let case = Case::new();
    let report = run(&case, PLAIN, &[]);
    assert_eq!(report.stdout(), b"[]\n");
    let (choice, reason, detail) = said(&report);
    assert_eq!(choice, "strict");
    assert!(reason.contains("understood"), "{reason}");
    assert!(detail.starts_with("strict: "), "{detail}");
    assert!((1..=80).contains(&allowed(&detail)), "{detail}");
}

#[test]
fn a_script_with_threads_gets_the_calls_for_them() {
    let case = Case::new();
    let report = run(&case, THREADED, &[]);
    assert_eq!(report.stdout(), b"from a thread\n");
    let (choice, reason, detail) = said(&report);
    assert_eq!(choice, "processes");
    assert!(reason.contains("`threads`"), "{reason}");
    assert!(allowed(&detail) > 80, "{detail}");
}

#[test]
fn a_floor_of_the_policy_refuses_threads_to_whoever_wants_them() {
    let case = Case::new();
    let policy = "[floor]\nsystem_calls = \"strict\"\n\
        [[rule]]\nid = \"all\"\nbecause = \"a test\"\nset.level = \"process\"\n";
    let policy = write(&case, "policy.toml", policy.as_bytes());
    let report = run(&case, THREADED, &["--policy", policy.to_str().unwrap()]);
    assert_eq!(report.decision.as_ref().unwrap().system_calls, "strict");
    assert_eq!(report.exit_code, Some(1), "{report:?}");
    let stderr = String::from_utf8(report.stderr()).unwrap();
    assert!(stderr.contains("can't start new thread"), "{stderr}");
}

#[test]
fn explain_and_history_say_which_calls_were_decided() {
    let case = Case::new();
    let program = write(&case, "program.py", PLAIN.as_bytes());
    let program = program.to_str().unwrap();
    let explained = case.command(["explain", program]);
    assert!(
        explained.stdout().contains("system calls strict"),
        "{}",
        explained.stdout()
    );
    let report = run(&case, THREADED, &[]);
    let shown = case.command(["history", report.id.as_ref().unwrap()]);
    assert!(
        shown.stdout().contains("system calls processes"),
        "{}",
        shown.stdout()
    );
}
