//! Rules for calls, from the command line and from a policy, as somebody outside sees them.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    dead_code,
    reason = "a test ends at the first surprise, and uses only some of what the suites share"
)]

mod support;

use atoll_acceptance::Report;
use atoll_acceptance::exit_code::REFUSED;

use crate::support::{Case, write};

const WRITES: &str = "
import errno, os
try: open('kept', 'w').write('x')
except OSError as error: print(errno.errorcode[error.errno])
os.mkdir('made')
print(os.listdir('.'))
";

fn run(case: &Case, source: &str, options: &[&str]) -> Report {
    let program = write(case, "program.py", source.as_bytes());
    let mut command = case.atoll.command();
    command.args(["run", "--json"]).args(options).arg(program);
    let finished = case.finish(command);
    Report::parse(finished.stdout_bytes())
        .unwrap_or_else(|problem| panic!("{problem}: {}", finished.text()))
}

fn text(report: &Report) -> String {
    String::from_utf8_lossy(&report.stdout()).into_owned()
}

#[test]
fn without_rules_nothing_is_said_of_calls() {
    let report = run(&Case::new(), WRITES, &[]);
    assert!(report.calls.is_none());
    let calls = report.decision.unwrap().calls;
    assert!(calls.rules.is_empty() && !calls.audit);
}

#[test]
fn what_was_called_is_in_the_outcome_and_on_the_screen() {
    let case = Case::new();
    let rules = ["--call", "deny=ENOSPC file.open /work/kept", "--audit"];
    let report = run(&case, WRITES, &rules);
    assert_eq!(report.status, "exited", "{report:?}");
    assert!(text(&report).starts_with("ENOSPC\n"), "{report:?}");
    let calls = report.calls.as_ref().unwrap();
    assert_eq!(calls.counts["file.open"]["denied"], 1, "{calls:?}");
    assert_eq!(calls.counts["file.make-directory"]["allowed"], 1);
    let mut records = calls.records.iter();
    let denied = records
        .find(|record| record.verdict == "deny=ENOSPC")
        .unwrap();
    assert_eq!(denied.call, "file.open");
    assert_eq!(denied.argument.as_ref().unwrap()["data"], "/work/kept");
    let decision = report.decision.as_ref().unwrap();
    assert_eq!(decision.calls.rules, ["deny=ENOSPC file.open /work/kept"]);
    assert!(decision.reasons.iter().any(|reason| reason.from == "calls"));

    let program = write(&case, "again.py", WRITES.as_bytes());
    let mut command = case.atoll.command();
    command.arg("run").args(rules).arg(program);
    let shown = case.finish(command);
    let shown = shown.text();
    for part in [
        "calls: ",
        "file.make-directory",
        "deny=ENOSPC file.open /work/kept",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let shown = case.command(["history", report.id.as_deref().unwrap()]);
    let shown = shown.stdout();
    assert!(shown.contains("file.make-directory"), "{shown}");
}

#[test]
fn a_trap_is_a_violation() {
    let case = Case::new();
    let report = run(&case, WRITES, &["--call", "trap file.make-directory"]);
    assert_eq!((report.status.as_str(), report.signal), ("signalled", None));
    let reason = report.reason.unwrap();
    assert!(reason.contains("file.make-directory"), "{reason}");
    let shown = case.command(["history", report.id.as_deref().unwrap()]);
    let shown = shown.stdout();
    assert!(
        shown.contains("it tried what its sandbox forbids"),
        "{shown}"
    );
}

#[test]
fn a_rule_that_cannot_be_held_refuses_the_message() {
    let case = Case::new();
    for rule in ["deny=EIO file.read", "trap program.execute /bin/sh"] {
        let report = run(&case, "print('ran')", &["--call", rule]);
        assert_eq!(
            (report.status.as_str(), text(&report).as_str()),
            ("refused", "")
        );
        let reason = report.reason.unwrap();
        assert!(reason.contains(rule), "{reason}");
    }
    let program = write(&case, "program.py", b"print('ran')");
    let program = program.to_str().unwrap();
    let ended = case.run(["--call", "deny=EIO clock.read", program]);
    assert_eq!(ended.0.code(), REFUSED, "{}", ended.text());
    let explained = case.command(["explain", "--call", "deny=EIO clock.read", program]);
    let explained = explained.stdout();
    assert!(explained.contains("would refuse it"), "{explained}");
}

#[test]
fn a_policy_has_the_first_word() {
    let case = Case::new();
    let policy = r#"
[floor]
calls = ["deny=EROFS file.open /work/kept"]

[[rule]]
id = "all"
because = "one rule"
set.level = "process"
set.calls = ["delay=1ms file.make-directory"]
set.audit = true
"#;
    let policy = write(&case, "policy.toml", policy.as_bytes());
    let policy = policy.to_str().unwrap();
    let options = [
        "--policy",
        policy,
        "--call",
        "allow file.open",
        "--call",
        "trap *",
    ];
    let report = run(&case, WRITES, &options[..4]);
    assert!(text(&report).starts_with("EROFS\n"), "{report:?}");
    let calls = report.calls.unwrap();
    assert_eq!(calls.counts["file.make-directory"]["delayed"], 1);
    let rules = report.decision.unwrap().calls.rules;
    assert_eq!(rules.len(), 3);
    assert_eq!(rules[2], "allow file.open");
}
