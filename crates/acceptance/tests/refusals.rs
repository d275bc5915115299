//! Where this host cannot enforce what was decided, the program is not run and the missing
//! mechanism is named.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    dead_code,
    reason = "a test ends at the first surprise, and uses only some of what the suites share"
)]

mod support;

use std::process::Command;

use atoll_acceptance::exit_code::REFUSED;

use crate::support::{Case, in_own_mounts, python};

/// Hides a controller from one process: its hierarchies are no longer mounted there.
fn without_control_groups() -> &'static str {
    "for mount in $(awk '$3 ~ /^cgroup/ { print $2 }' /proc/mounts | sort -r); do \
         umount -l \"$mount\"; \
     done"
}

#[test]
fn without_control_groups_nothing_runs_and_the_limits_are_named() {
    let case = Case::new();
    let program = python(&case);
    let finished = case.finish(in_own_mounts(&case, without_control_groups(), &program));
    finished.fails(
        REFUSED,
        &["memory-limit", "process-limit", "cpu-limit", "cgroup"],
    );
    assert_eq!(finished.stdout(), "", "the program must not have run");
}

#[test]
fn without_root_nothing_runs_and_the_missing_identity_is_named() {
    let case = Case::new();
    let program = python(&case);
    let state = case.directory().join("state");
    std::fs::create_dir(&state).unwrap();
    for path in [case.directory(), &state, &program] {
        std::os::unix::fs::chown(path, Some(65_534), Some(65_534)).unwrap();
    }
    let mut command = Command::new("setpriv");
    case.atoll.prepare(&mut command);
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
    command
        .arg(case.atoll.program())
        .arg("--state-dir")
        .arg(&state);
    command.arg("run").arg(&program);
    let finished = case.finish(command);
    finished.fails(REFUSED, &["own-user", "root"]);
    assert_eq!(finished.stdout(), "", "the program must not have run");
}
