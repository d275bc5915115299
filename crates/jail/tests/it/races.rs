//! Programs that change things as fast as they can while their jail is looked at or taken down, as
//! often as `ATOLL_RACES` says (default 1,000).

use std::collections::BTreeMap;
use std::io::Read as _;
use std::time::Duration;

use atoll_jail::{Command, Jail};
use atoll_types::Limits;

use crate::support::{LIMITS, block_on, create, shell, spec};

/// First of the host's user ids that jails have.
const JAIL_USER: u32 = 0x6000_0000;

/// The processes of a race come and go; this many at once are enough.
const RACING: Limits = Limits {
    processes: 12,
    ..LIMITS
};

/// Runs a command again and again, each time for another while, and looks at the jail then.
fn race(name: &str, command: impl Fn() -> Command, look: impl AsyncFn(&mut Jail, u32)) {
    let rounds = std::env::var("ATOLL_RACES").ok();
    let rounds: u32 = rounds.map_or(1000, |rounds| rounds.parse().unwrap());
    block_on(async {
        for round in 0..rounds {
            let mut jail = create(&spec(name), RACING).await.unwrap();
            let streams = jail.start(command()).await.unwrap();
            // Spread over the time in which a program starts and races, in no order.
            let pause_us = u64::from(round).wrapping_mul(0x9E37_79B9) % 6_000;
            tokio::time::sleep(Duration::from_micros(pause_us)).await;
            look(&mut jail, round).await;
            // The groups can only be removed when no process is left in them.
            jail.destroy().await.unwrap();
            drop(streams);
        }
    });
}

#[test]
fn a_name_that_changes_all_the_time_is_never_followed() {
    let directory = tempfile::tempdir().unwrap();
    let canary = directory.path().join("canary");
    std::fs::write(&canary, "canary").unwrap();
    let canary = canary.to_str().unwrap();
    let script = format!(
        "mkdir d; while :; do ln -sf {canary} taken; ln -sfn / d/up; rm -f taken d/up; \
         echo own > taken; mkdir d/up; rmdir d/up; done"
    );
    race(
        "race-links",
        || shell(&script),
        async |jail, round| {
            let left = jail.leavings().await.unwrap();
            for leaving in left {
                let Ok(file) = leaving.file else { continue };
                let mut text = String::new();
                file.content.take(100).read_to_string(&mut text).unwrap();
                let own = ["", "own\n"].contains(&text.as_str());
                assert!(own, "round {round}: {:?} held {text:?}", leaving.path);
            }
        },
    );
}

#[test]
fn no_process_outruns_the_end_of_its_jail() {
    // Each process makes two more and ends, so that whoever looks finds others than it killed.
    let script = "f() { f & f & exit; }; f & f & wait";
    race("race-forks", || shell(script), async |jail, _| jail.stop());
}

#[test]
fn no_process_forks_its_way_out_of_its_groups() {
    let script = "f() { f & exit; }; f & f & f & f & wait";
    race(
        "race-groups",
        || shell(script),
        async |_, round| {
            let outside = outside_groups();
            assert!(outside.is_empty(), "round {round}: {outside:?}");
        },
    );
}

#[test]
fn a_program_that_replaces_itself_all_the_time_ends_all_the_same() {
    let script = "exec sh -c \"$0\" \"$0\"";
    let command = || {
        let mut command = shell(script);
        command.arguments.push(script.as_bytes().to_vec());
        command
    };
    race("race-execs", command, async |jail, _| jail.stop());
}

/// Processes below this one, jails' users only, that are not in the groups of a jail.
fn outside_groups() -> Vec<String> {
    let mut found = Vec::new();
    for (process, status) in descendants() {
        let user = field(&status, "Uid:").and_then(|user| user.parse::<u32>().ok());
        if user.is_none_or(|user| user < JAIL_USER) {
            continue;
        }
        let groups = std::fs::read_to_string(format!("/proc/{process}/cgroup"));
        let groups = groups.unwrap_or_default();
        let held = groups.lines().filter(|line| {
            let controllers = line.split(':').nth(1).unwrap_or_default();
            ["memory", "pids", "cpu"].contains(&controllers) || line.starts_with("0::/atoll/")
        });
        let inside = held.clone().count() > 0 && held.clone().all(|line| line.contains("/atoll/"));
        if !inside && is_alive(process) {
            found.push(format!("{process}: {groups}"));
        }
    }
    found
}

/// Whether a process goes on. For one that is about to end, the kernel names the root as its group.
/// The flags are field 9 of proc_pid_stat(5), `PF_EXITING` is from linux/sched.h.
fn is_alive(process: u32) -> bool {
    const PF_EXITING: u64 = 4;
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let fields = stat.rsplit_once(") ").map(|(_, fields)| fields);
    let flags = fields.and_then(|fields| fields.split(' ').nth(6)?.parse::<u64>().ok());
    flags.is_some_and(|flags| flags & PF_EXITING == 0)
}

/// Every process below this one, with its status.
fn descendants() -> BTreeMap<u32, String> {
    let all: BTreeMap<u32, String> = std::fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter_map(|process: u32| {
            let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
            Some((process, status))
        })
        .collect();
    let mut below = vec![std::process::id()];
    let mut found = BTreeMap::new();
    while let Some(parent) = below.pop() {
        for (process, status) in &all {
            if field(status, "PPid:") == Some(parent.to_string()) {
                below.push(*process);
                found.insert(*process, status.clone());
            }
        }
    }
    found
}

/// The first word after a name in `/proc/PID/status`.
fn field(status: &str, name: &str) -> Option<String> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_ascii_whitespace().next().map(str::to_owned)
}
