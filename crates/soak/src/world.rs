//! What exists at one moment and could be left behind: processes, mounts, control groups,
//! namespaces, files, descriptors.
//!
//! Other programs run on the same machine. Processes are followed by ancestry, control groups by
//! the process that made them; where only the kernel's own count is to be had, some noise is
//! allowed, far below one for each job.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

const CGROUPS: &str = "/sys/fs/cgroup";

/// Hierarchies, slices and groups: as deep as a group of a sandbox can be.
const CGROUP_DEPTH: u32 = 4;

/// Kinds of kernel objects that are counted for the whole machine (`/proc/slabinfo`).
const OBJECTS: [&str; 5] = [
    "mnt_cache",
    "net_namespace",
    "pid_namespace",
    "user_namespace",
    "uts_namespace",
];

/// What other programs make meanwhile, and what the kernel keeps for a while.
const OBJECTS_NOISE: u64 = 300;

/// What exists.
#[derive(Debug, Clone)]
pub(crate) struct World {
    processes: u64,
    groups: BTreeSet<PathBuf>,
    mounts: BTreeSet<String>,
    namespaces: BTreeSet<String>,
    objects: BTreeMap<&'static str, u64>,
    files: BTreeSet<PathBuf>,
    descriptors: u64,
}

/// One line of a comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) what: String,
    pub(crate) number: u64,
    /// By how much it may grow.
    pub(crate) noise: u64,
}

impl World {
    /// Looks at everything now.
    pub(crate) fn look() -> Self {
        let below = descendants();
        let mut groups = BTreeSet::new();
        find_groups(Path::new(CGROUPS), CGROUP_DEPTH, &mut groups);
        Self {
            processes: below.len() as u64,
            groups,
            mounts: mounts(),
            namespaces: below.iter().flat_map(|id| namespaces(*id)).collect(),
            objects: objects(),
            files: files(),
            descriptors: entries(Path::new("/proc/self/fd")).len() as u64,
        }
    }

    /// Every count, in the order of the table.
    pub(crate) fn counts(&self) -> Vec<Count> {
        let exact = |what: &str, number: usize| Count {
            what: what.to_owned(),
            number: number as u64,
            noise: 0,
        };
        let mut counts = vec![
            Count {
                number: self.processes,
                ..exact("processes below this one", 0)
            },
            exact("control groups of this process", self.groups.len()),
            exact("mounts", self.mounts.len()),
            exact("namespaces of processes below", self.namespaces.len()),
            exact("files in the usual places", self.files.len()),
            Count {
                number: self.descriptors,
                ..exact("own descriptors", 0)
            },
        ];
        counts.extend(self.objects.iter().map(|(name, number)| Count {
            what: format!("{name} (whole machine)"),
            number: *number,
            noise: OBJECTS_NOISE,
        }));
        counts
    }

    /// What is there now and was not before, beyond the noise.
    pub(crate) fn differences(&self, now: &Self) -> Vec<String> {
        let mut found: Vec<String> = self
            .counts()
            .iter()
            .zip(now.counts())
            .filter(|(before, now)| now.number > before.number.saturating_add(before.noise))
            .map(|(before, now)| format!("{}: {} to {}", now.what, before.number, now.number))
            .collect();
        let new = |what: &str, path: String| format!("{what} left behind: {path}");
        let groups = now.groups.difference(&self.groups);
        found.extend(groups.map(|path| new("control group", path.display().to_string())));
        let mounts = now.mounts.difference(&self.mounts);
        found.extend(mounts.map(|point| new("mount", point.clone())));
        let files = now.files.difference(&self.files);
        found.extend(files.map(|path| new("file", path.display().to_string())));
        found
    }
}

/// Memory that this process has resident, in bytes (proc_pid_statm(5), with pages of 4 KiB).
pub(crate) fn resident_bytes() -> u64 {
    let text = fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = text.split(' ').nth(1).and_then(|pages| pages.parse().ok());
    pages.unwrap_or(0_u64).saturating_mul(4096)
}

/// Every process below this one, those that nobody has waited for included.
fn descendants() -> BTreeSet<u32> {
    let table: Vec<(u32, u32)> = entries(Path::new("/proc"))
        .iter()
        .filter_map(|path| path.file_name()?.to_str()?.parse().ok())
        .filter_map(|process: u32| Some((process, parent(process)?)))
        .collect();
    let own = std::process::id();
    let mut found = BTreeSet::from([own]);
    loop {
        let before = found.len();
        let children = table.iter().filter(|(_, parent)| found.contains(parent));
        let children: Vec<u32> = children.map(|(process, _)| *process).collect();
        found.extend(children);
        if found.len() == before {
            break;
        }
    }
    found.remove(&own);
    found
}

/// The parent from `/proc/PID/stat` (proc_pid_stat(5), field 4).
fn parent(process: u32) -> Option<u32> {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let (_, fields) = text.rsplit_once(") ")?;
    fields.split(' ').nth(1)?.parse().ok()
}

fn namespaces(process: u32) -> Vec<String> {
    entries(&PathBuf::from(format!("/proc/{process}/ns")))
        .iter()
        .filter_map(|path| fs::read_link(path).ok()?.to_str().map(str::to_owned))
        .collect()
}

/// Control groups end in `.COUNT.PROCESS.START`, with the process that made them.
fn find_groups(directory: &Path, depth: u32, found: &mut BTreeSet<PathBuf>) {
    let own = std::process::id().to_string();
    for path in entries(directory) {
        let is_directory = fs::symlink_metadata(&path).is_ok_and(|kind| kind.is_dir());
        if !is_directory {
            continue;
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.rsplit('.').nth(1) == Some(&own) {
            found.insert(path.clone());
        }
        if depth > 0 {
            find_groups(&path, depth - 1, found);
        }
    }
}

fn mounts() -> BTreeSet<String> {
    let text = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let points = text.lines().filter_map(|line| {
        let mut fields = line.split(' ');
        Some(format!("{} at {}", fields.next()?, fields.nth(3)?))
    });
    points.collect()
}

/// Objects in use of the kinds that matter; nothing where the kernel does not tell.
fn objects() -> BTreeMap<&'static str, u64> {
    let text = fs::read_to_string("/proc/slabinfo").unwrap_or_default();
    let number = |name: &str| -> Option<u64> {
        let line = text.lines().find(|line| line.starts_with(name))?;
        line.split_ascii_whitespace().nth(1)?.parse().ok()
    };
    OBJECTS
        .into_iter()
        .filter_map(|name| Some((name, number(name)?)))
        .collect()
}

/// Whatever carries Atoll's name where temporary files go.
fn files() -> BTreeSet<PathBuf> {
    let places = ["/dev/shm", "/dev/mqueue", "/run", "/var/tmp"];
    let places = places.into_iter().map(PathBuf::from);
    let named = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("atoll")
    };
    places
        .chain([std::env::temp_dir()])
        .flat_map(|place| entries(&place))
        .filter(named)
        .collect()
}

fn entries(directory: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(directory) else {
        return Vec::new();
    };
    entries.flatten().map(|entry| entry.path()).collect()
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on fails by panicking"
)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn what_was_left_is_told() {
        let before = World::look();
        let mut child = Command::new("sleep")
            .arg("60")
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let kept = fs::File::open("/dev/null").unwrap();
        let directory = format!("/dev/shm/atoll-soak-test-{}", std::process::id());
        fs::create_dir(&directory).unwrap();
        let differences = before.differences(&World::look()).join("\n");
        fs::remove_dir(&directory).unwrap();
        drop(kept);
        child.kill().unwrap();
        child.wait().unwrap();
        for what in ["processes", "descriptors", directory.as_str()] {
            assert!(differences.contains(what), "{what}: {differences}");
        }
        assert!(resident_bytes() > 4096);
    }
}
