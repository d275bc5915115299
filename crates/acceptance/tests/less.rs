//! Hosts that give less than a level needs, and policies that accept that: what is accepted to be
//! missing is named, everything else holds as ever, and nothing is left.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    dead_code,
    reason = "a test ends at the first surprise, and uses only some of what the suites share"
)]

mod support;

use std::fs;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use atoll_acceptance::exit_code::{LIMIT, REFUSED};
use atoll_acceptance::{Report, repository};
use serde_json::Value;

use crate::support::{Case, Finished, in_own_mounts, python, write};

/// An id that nobody else has, another one each time.
fn user() -> u32 {
    static COUNT: AtomicU32 = AtomicU32::new(61_178);
    COUNT.fetch_add(1, Ordering::Relaxed)
}

const GROUPS: [&str; 3] = ["memory-limit", "process-limit", "cpu-limit"];
const ALL: [&str; 4] = ["own-user", "memory-limit", "process-limit", "cpu-limit"];

/// A policy that accepts this to be missing, and runs everything as a process.
fn policy(case: &Case, accepted: &[&str]) -> PathBuf {
    let text = format!(
        "[defaults]\naccept_missing = {accepted:?}\n\
         limits = {{ wall_time = \"20s\", memory = \"128MiB\", processes = 16 }}\n\
         [[rule]]\nid = \"all\"\nbecause = \"a test\"\nset.level = \"process\"\n"
    );
    write(case, "policy.toml", text.as_bytes())
}

/// `atoll` with these arguments as an ordinary user who owns the case's files, where nobody uses
/// control groups.
fn as_user(case: &Case, arguments: &[&Path]) -> Finished {
    let user = user();
    let state = case.directory().join(format!("state-{user}"));
    fs::create_dir_all(&state).unwrap();
    chown(case.directory(), Some(user), Some(user)).unwrap();
    for entry in fs::read_dir(case.directory()).unwrap() {
        chown(entry.unwrap().path(), Some(user), Some(user)).unwrap();
    }
    let mut command = Command::new("setpriv");
    case.atoll.prepare(&mut command);
    let id = user.to_string();
    command.args(["--reuid", &id, "--regid", &id, "--clear-groups", "--"]);
    command
        .arg(case.atoll.program())
        .arg("--state-dir")
        .arg(state);
    let finished = case.finish({
        command.args(arguments);
        command
    });
    assert_eq!(processes_of(user), [""; 0]);
    finished
}

fn processes_of(user: u32) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let status = fs::read_to_string(entry.path().join("status")).unwrap_or_default();
        if status.contains(&format!("Uid:\t{user}\t")) {
            found.push(status);
        }
    }
    found
}

fn run_as_user(case: &Case, policy: &Path, program: &Path) -> Finished {
    let [run, option] = ["run", "--policy"].map(Path::new);
    as_user(case, &[run, option, policy, program])
}

/// Layers that the outcome says are missing, and whether there are others that are in force.
fn missing(finished: &Finished) -> Vec<String> {
    let report = Report::parse(finished.stdout_bytes()).unwrap();
    assert_eq!(report.status, "exited", "{report:?}");
    let Some(Value::Array(layers)) = report.enforcement.get("layers").cloned() else {
        panic!("{report:?}");
    };
    assert!(layers.len() >= 20, "{layers:?}");
    let missing = layers.iter().filter(|layer| layer["state"] == "missing");
    missing
        .map(|layer| layer["layer"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn an_ordinary_user_runs_what_a_policy_accepts_and_hears_what_is_missing() {
    let case = Case::new();
    let policy = policy(&case, &ALL);
    let program = python(&case);
    let finished = run_as_user(&case, &policy, &program);
    assert_eq!(finished.code(), 0, "{}", finished.text());
    assert_eq!(finished.stdout(), "hello\n");
    for name in ALL {
        assert!(finished.text().contains(name), "{}", finished.text());
    }
    let [run, json, option] = ["run", "--json", "--policy"].map(Path::new);
    let finished = as_user(&case, &[run, json, option, &policy, &program]);
    assert_eq!(missing(&finished), ALL);
}

#[test]
fn what_is_not_accepted_is_refused_and_only_that_is_named() {
    let case = Case::new();
    let finished = run_as_user(&case, &policy(&case, &GROUPS), &python(&case));
    finished.fails(REFUSED, &["own-user", "accept_missing", "docs/policy.md"]);
    assert!(
        !finished.text().contains("memory-limit"),
        "{}",
        finished.text()
    );
    assert_eq!(finished.stdout(), "", "the program must not have run");
}

#[test]
fn an_ordinary_users_program_gets_out_no_more_than_anybodys() {
    let case = Case::new();
    let probe = repository().join("examples/host-probe/probe.py");
    let program = write(&case, "probe.py", &fs::read(probe).unwrap());
    let finished = run_as_user(&case, &policy(&case, &ALL), &program);
    let said = finished.stdout();
    assert!(said.ends_with("got 0 of the things tried\n"), "{said}");
}

#[test]
fn an_ordinary_users_program_meets_the_limits_that_are_left() {
    let case = Case::new();
    let policy = policy(&case, &ALL);
    let greedy = "b = []\nwhile True: b.append(bytearray(1 << 20))";
    let finished = run_as_user(&case, &policy, &write(&case, "a.py", greedy.as_bytes()));
    assert!(
        finished.text().contains("MemoryError"),
        "{}",
        finished.text()
    );

    let bomb = "import os, time\nn = 1\ntry:\n    while os.fork(): n += 1\n    time.sleep(30)\n\
                except OSError: print(n, flush=True)";
    let finished = run_as_user(&case, &policy, &write(&case, "b.py", bomb.as_bytes()));
    assert_eq!(finished.stdout(), "16\n", "{}", finished.text());

    let full =
        "open('/tmp/a', 'wb').write(bytes(100 << 20)); open('b', 'wb').write(bytes(90 << 20))";
    let finished = run_as_user(&case, &policy, &write(&case, "c.py", full.as_bytes()));
    finished.fails(LIMIT, &["disk"]);

    let busy = "import os\nif os.fork():\n    os.wait()\nwhile True: pass";
    let program = write(&case, "d.py", busy.as_bytes());
    let text = fs::read_to_string(&policy).unwrap();
    let shorter = text.replace("limits = {", "limits = { cpu_time = \"1s\",");
    let policy = write(&case, "policy.toml", shorter.as_bytes());
    run_as_user(&case, &policy, &program).fails(LIMIT, &["cpu-time"]);
}

#[test]
fn root_without_control_groups_still_gives_ids_of_their_own() {
    let case = Case::new();
    let program = python(&case);
    let accepted = policy(&case, &GROUPS);
    let hide = "for mount in $(awk '$3 ~ /^cgroup/ { print $2 }' /proc/mounts | sort -r); do \
                umount -l \"$mount\"; done";
    let mut command = in_own_mounts(&case, hide, Path::new("--json"));
    command.arg("--policy").arg(&accepted).arg(&program);
    assert_eq!(missing(&case.finish(command)), GROUPS);
}

#[test]
fn the_sysctl_that_forbids_user_namespaces_is_named() {
    let case = Case::new();
    let script = "echo 0 > /proc/sys/user/max_user_namespaces && exec \"$@\"";
    let mut command = Command::new("unshare");
    case.atoll.prepare(&mut command);
    command.args(["--user", "--map-root-user", "sh", "-c", script, "sh"]);
    command.arg(case.atoll.program()).arg("run").arg("--policy");
    command.arg(policy(&case, &ALL)).arg(python(&case));
    let finished = case.finish(command);
    finished.fails(REFUSED, &["user-namespace", "user.max_user_namespaces"]);
    assert_eq!(finished.stdout(), "", "the program must not have run");
}

#[test]
fn root_of_a_container_without_ids_to_give_is_an_ordinary_user() {
    let case = Case::new();
    let mut command = Command::new("unshare");
    case.atoll.prepare(&mut command);
    command
        .args(["--user", "--map-root-user"])
        .arg(case.atoll.program());
    command.args(["run", "--json", "--policy"]);
    command.arg(policy(&case, &ALL)).arg(python(&case));
    let missing = missing(&case.finish(command));
    assert_eq!(missing.first().unwrap(), "own-user", "{missing:?}");
}

#[test]
fn the_doctor_tells_an_ordinary_user_the_truth() {
    let case = Case::new();
    let finished = as_user(&case, &["doctor", "--json"].map(Path::new));
    let diagnosis: Value = serde_json::from_str(&finished.stdout()).unwrap();
    let process = diagnosis["levels"]
        .as_array()
        .unwrap()
        .iter()
        .find(|level| level["level"] == "process")
        .unwrap();
    assert_eq!(process["available"], false);
    let because = process["because"].as_str().unwrap();
    assert!(
        because.contains("own-user") && because.contains("accept_missing"),
        "{because}"
    );
    let mechanisms = process["mechanisms"].as_array().unwrap();
    let available = |name: &str| {
        let found = mechanisms.iter().find(|one| one["name"] == name).unwrap();
        found["available"].as_bool().unwrap()
    };
    for name in [
        "user-namespace",
        "seccomp",
        "read-only-root",
        "no-capabilities",
    ] {
        assert!(available(name), "{mechanisms:?}");
    }
    assert!(!available("own-user"), "{mechanisms:?}");
}
