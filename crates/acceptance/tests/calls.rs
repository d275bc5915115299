//! Rules for calls, from the command line and from a policy, as somebody outside sees them.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
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

/// What both levels can be held to, with everything that is held up in it.
const BOTH: &str = r#"
set.calls = [
    "allow file.* /work/kept/mine",
    "deny=EROFS file.* /work/kept/**",
    "deny=ENOSPC file.make-directory /work/full",
    "deny=EEXIST after=2 file.open /work/often",
    "delay=30ms file.remove /work/gone",
    "deny=EBUSY file.rename /work/moved",
    "deny=ELOOP file.link /work/link",
    "trap file.make-directory /work/end",
]
set.audit = true
"#;

/// Meets each of them, and says how each call ended.
const MEETS: &str = "
import errno, os, time

def tried(name, call, *arguments):
    began = time.monotonic()
    try:
        call(*arguments)
        ended = 'done'
    except OSError as error:
        ended = errno.errorcode[error.errno]
    late = time.monotonic() - began >= 0.03
    print(name, ended, 'late' if late else 'soon', flush=True)

def write(path):
    with open(path, 'w') as file:
        file.write('x')

os.mkdir('kept')
tried('mine', write, 'kept/mine')
tried('other', write, '/work/kept/other')
tried('stat', os.stat, 'kept/none')
tried('full', os.mkdir, 'full')
for time_ in 'abcd':
    tried('often', write, 'often')
write('gone')
tried('gone', os.remove, 'gone')
write('moved')
tried('moved', os.rename, 'moved', 'there')
tried('link', os.symlink, 'there', 'link')
print(sorted(set(os.listdir('.')) - {'program.py'}), flush=True)
os.mkdir('end')
print('never')
";

/// The same script under the same rules at a level; `None` where it cannot run there.
fn at(case: &Case, level: &str, rules: &str, source: &str) -> Option<Report> {
    let policy =
        format!("[[rule]]\nid = \"all\"\nbecause = \"one rule\"\nset.level = \"{level}\"\n{rules}");
    let policy = write(case, "policy.toml", policy.as_bytes());
    let report = run(case, source, &["--policy", policy.to_str().unwrap()]);
    let decision = report.decision.as_ref().unwrap();
    if decision.level == level {
        return Some(report);
    }
    let text = format!("{:?}", decision.reasons);
    assert!(text.contains("make runtimes"), "{text}");
    eprintln!("left out: no interpreters for the level {level} are installed (`make runtimes`)");
    None
}

/// What was held up, in order, with the argument and what became of it.
fn held_up(report: &Report) -> Vec<(String, String, String)> {
    let records = report.calls.as_ref().unwrap().records.iter();
    let held_up = records.filter(|record| record.verdict != "allow");
    let shown = held_up.map(|record| {
        let argument = record.argument.as_ref().unwrap()["data"].clone();
        (record.call.clone(), argument, record.verdict.clone())
    });
    shown.collect()
}

#[test]
fn a_script_finds_the_same_rules_at_both_levels() {
    let case = Case::new();
    let process = at(&case, "process", BOTH, MEETS).unwrap();
    let said = text(&process);
    assert!(said.contains("gone done late"), "{process:?}");
    assert!(said.ends_with("['kept', 'moved', 'often']\n"), "{said}");
    assert_eq!(held_up(&process).len(), 9, "{process:?}");
    let Some(instance) = at(&case, "instance", BOTH, MEETS) else {
        return;
    };
    assert_eq!(text(&instance), said);
    assert_eq!(held_up(&instance), held_up(&process));
    assert_eq!(instance.status, process.status);
    assert_eq!(instance.reason, process.reason);
    assert_eq!(
        (instance.exit_code, instance.signal),
        (process.exit_code, process.signal)
    );
    let counts = |report: &Report, name: &str| report.calls.as_ref().unwrap().counts[name].clone();
    for call in [
        "file.make-directory",
        "file.remove",
        "file.rename",
        "file.link",
    ] {
        assert_eq!(counts(&instance, call), counts(&process, call), "{call}");
    }
    // What only this level sees.
    for call in ["file.write", "stream.write", "clock.read"] {
        assert!(counts(&instance, call)["allowed"] > 0, "{call}");
    }
}

#[test]
fn a_call_that_cannot_fail_cannot_be_denied() {
    let case = Case::new();
    let clock = "set.calls = [\"deny=EIO clock.read\"]\n";
    let Some(report) = at(&case, "instance", clock, "print('ran')") else {
        return;
    };
    assert_eq!(
        (report.status.as_str(), text(&report).as_str()),
        ("refused", "")
    );
    let reason = report.reason.unwrap();
    for part in [
        "level instance",
        "`deny=EIO clock.read`",
        "`clock.read` cannot fail",
    ] {
        assert!(reason.contains(part), "{reason}");
    }
    // Ending it there can be held.
    let clock = "set.calls = [\"trap clock.read\"]\nset.audit = true\n";
    let source = "import time\nprint('before', flush=True)\ntime.time()\nprint('after')";
    let report = at(&case, "instance", clock, source).unwrap();
    assert_eq!(text(&report), "before\n", "{report:?}");
    let reason = report.reason.unwrap();
    assert!(
        reason.contains("it made the call clock.read, for which"),
        "{reason}"
    );
    assert_eq!(report.calls.unwrap().counts["clock.read"]["trapped"], 1);
}
