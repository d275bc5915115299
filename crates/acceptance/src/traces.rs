//! What a run could leave behind: processes, control groups, mounts, files.
//!
//! Processes are followed by ancestry and control groups by their members, so that another run on
//! the same machine is never mistaken for a leftover of this one.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

const CGROUPS: &str = "/sys/fs/cgroup";

/// The processes below one process at one moment, and the control groups that hold them.
#[derive(Debug, Clone, Default)]
pub struct Descendants {
    /// Process id to start time in clock ticks: together they name a process for ever.
    processes: BTreeMap<u32, u64>,
    /// Directories of control groups made for those processes.
    cgroups: BTreeSet<PathBuf>,
}

impl Descendants {
    /// Looks at everything below `root` now.
    #[must_use]
    pub fn of(root: u32) -> Self {
        let table = process_table();
        let mut found = BTreeSet::from([root]);
        loop {
            let before = found.len();
            let children = table
                .iter()
                .filter(|(_, (parent, _))| found.contains(parent));
            let children: Vec<u32> = children.map(|(process, _)| *process).collect();
            found.extend(children);
            if found.len() == before {
                break;
            }
        }
        found.remove(&root);
        let own = cgroups_of("self");
        let cgroups = found
            .iter()
            .flat_map(|process| cgroups_of(&process.to_string()));
        Self {
            cgroups: cgroups.filter(|path| !own.contains(path)).collect(),
            processes: found
                .iter()
                .filter_map(|process| Some((*process, table.get(process)?.1)))
                .collect(),
        }
    }

    /// How many processes were seen.
    #[must_use]
    pub fn processes(&self) -> usize {
        self.processes.len()
    }

    /// How many control groups of their own they had.
    #[must_use]
    pub fn cgroups(&self) -> usize {
        self.cgroups.len()
    }

    /// Those of the processes that still exist.
    #[must_use]
    pub fn alive(&self) -> Vec<u32> {
        let table = process_table();
        let same = |process: &u32, start: &u64| table.get(process).is_some_and(|(_, s)| s == start);
        let alive = self
            .processes
            .iter()
            .filter(|(process, start)| same(process, start));
        alive.map(|(process, _)| *process).collect()
    }

    /// Those of the control groups that still exist.
    #[must_use]
    pub fn remaining_cgroups(&self) -> Vec<PathBuf> {
        self.cgroups
            .iter()
            .filter(|path| path.is_dir())
            .cloned()
            .collect()
    }
}

/// Mounts of this namespace and files in the usual places that carry Atoll's name, apart from what
/// is below `ours`.
#[must_use]
pub fn leftovers(ours: &Path) -> BTreeSet<String> {
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let mounts = mounts
        .lines()
        .filter_map(|line| line.split(' ').nth(4))
        .filter(|point| point.contains("atoll") && !Path::new(point).starts_with(ours))
        .map(|point| format!("mount {point}"));
    let directories = ["/tmp", "/var/tmp", "/run", "/dev/shm", "/dev/mqueue"];
    let files = directories
        .iter()
        .filter_map(|directory| fs::read_dir(directory).ok())
        .flat_map(Iterator::flatten)
        .filter(|entry| entry.file_name().to_string_lossy().starts_with("atoll"))
        .map(|entry| format!("file {}", entry.path().display()));
    mounts.chain(files).collect()
}

/// Every process: id to parent and start time.
fn process_table() -> BTreeMap<u32, (u32, u64)> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return BTreeMap::new();
    };
    entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter_map(|process: u32| Some((process, stat(process)?)))
        .collect()
}

/// Parent and start time from `/proc/PID/stat` (proc_pid_stat(5), fields 4 and 22). A zombie has
/// ended and only waits to be reaped: it does not count.
fn stat(process: u32) -> Option<(u32, u64)> {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let (_, fields) = text.rsplit_once(')')?;
    let mut fields = fields.split_ascii_whitespace();
    if fields.next()? == "Z" {
        return None;
    }
    let parent = fields.next()?.parse().ok()?;
    let start = fields.nth(17)?.parse().ok()?;
    Some((parent, start))
}

/// The directories of the control groups of a process, version 1 and 2.
fn cgroups_of(process: &str) -> BTreeSet<PathBuf> {
    let text = fs::read_to_string(format!("/proc/{process}/cgroup")).unwrap_or_default();
    text.lines().flat_map(directories_of).collect()
}

fn directories_of(line: &str) -> Vec<PathBuf> {
    let mut parts = line.splitn(3, ':').skip(1);
    let (Some(controllers), Some(path)) = (parts.next(), parts.next()) else {
        return Vec::new();
    };
    let relative = path.trim_start_matches('/');
    if relative.is_empty() {
        return Vec::new();
    }
    let hierarchies: Vec<&str> = if controllers.is_empty() {
        vec!["", "unified"]
    } else {
        vec![controllers.trim_start_matches("name=")]
    };
    hierarchies
        .into_iter()
        .map(|hierarchy| Path::new(CGROUPS).join(hierarchy).join(relative))
        .filter(|path| path.is_dir())
        .collect()
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn a_child_is_seen_while_it_lives_and_not_afterwards() {
        let mut child = Command::new("sleep")
            .arg("60")
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let seen = Descendants::of(std::process::id());
        assert!(seen.alive().contains(&child.id()), "{seen:?}");
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(!seen.alive().contains(&child.id()));
    }
}
