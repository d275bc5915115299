//! Version 2: one unified hierarchy, all of it or a part that was handed to this user.

use std::fmt;
use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use atoll_types::Limits;

use super::files::{self, KeptFile, KeptFiles};
use super::v1::{PERIOD_US, QUOTA_US_MIN};
use super::{CONTROLLERS, Group, SLICE};
use crate::plan::CgroupJoin;

/// The file that hands controllers to the groups below.
const HAND_DOWN: &str = "cgroup.subtree_control";

/// A group in which this process may make others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tree {
    root: PathBuf,
    /// Those of [`CONTROLLERS`] that it hands down.
    controllers: Vec<&'static str>,
}

impl fmt::Display for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cgroup version 2 at {}", self.root.display())
    }
}

impl Tree {
    /// Looks for a group that has at least these controllers and hands down all of
    /// [`CONTROLLERS`] that it has: the root of the hierarchy, this process's own group (which
    /// `own` names as in proc_pid_cgroup(5)), or one above that. Says why there is none.
    pub(super) fn find(
        mount: &Path,
        own: &str,
        least: &[&str],
        writable: fn(&Path) -> bool,
    ) -> Result<Self, String> {
        let mut why = Vec::new();
        for root in candidates(mount, own) {
            match Self::open(&root, least, writable) {
                Ok(tree) => return Ok(tree),
                Err(error) => why.push(format!("{} {error}", root.display())),
            }
        }
        // What is wrong with this process's own group says most.
        why.truncate(2);
        Err(why.pop().unwrap_or_default())
    }

    fn open(root: &Path, least: &[&str], writable: fn(&Path) -> bool) -> Result<Self, String> {
        let offered = words(root, "cgroup.controllers");
        if let Some(lacking) = least
            .iter()
            .find(|name| !offered.iter().any(|o| o == *name))
        {
            return Err(format!("has no controller {lacking}"));
        }
        if !writable(root) {
            return Err("is not writable".to_owned());
        }
        let controllers: Vec<&str> = CONTROLLERS
            .into_iter()
            .map(|(name, _)| name)
            .filter(|name| offered.iter().any(|offered| offered == name))
            .collect();
        if controllers.is_empty() {
            return Err("has no controller".to_owned());
        }
        let tree = Self {
            root: root.to_owned(),
            controllers,
        };
        tree.hand_down(root).or_else(|error| {
            // A group that hands controllers down may not hold processes itself, the root apart.
            if error.kind() != io::ErrorKind::ResourceBusy {
                return Err(format!("does not hand controllers down: {error}"));
            }
            tree.step_aside()
        })?;
        Ok(tree)
    }

    /// Hands the controllers down to the groups below, unless they are already.
    fn hand_down(&self, group: &Path) -> io::Result<()> {
        let handed = words(group, HAND_DOWN);
        let missing = self
            .controllers
            .iter()
            .filter(|name| !handed.iter().any(|h| h == *name));
        let change: Vec<String> = missing.map(|name| format!("+{name}")).collect();
        if change.is_empty() {
            return Ok(());
        }
        files::write(group, HAND_DOWN, change.join(" "))
    }

    /// Moves this process, which is alone in the group, into one of its own below.
    fn step_aside(&self) -> Result<(), String> {
        let own = std::process::id().to_string();
        if words(&self.root, "cgroup.procs") != [own] {
            return Err(
                "holds other processes; give Atoll a group of its own: systemd-run --user --scope \
                 -p Delegate=yes atoll ..."
                    .to_owned(),
            );
        }
        let aside = files::make_group(&self.slice(), &files::group_name("supervisor"), |_| Ok(()));
        aside
            .and_then(|group| files::write(&group, "cgroup.procs", 0))
            .and_then(|()| self.hand_down(&self.root))
            .map_err(|error| format!("does not let this process step aside: {error}"))
    }

    pub(super) fn slice(&self) -> PathBuf {
        self.root.join(SLICE)
    }

    pub(super) fn has(&self, controller: &str) -> bool {
        self.controllers.contains(&controller)
    }
}

/// The root of the hierarchy, then this process's own group and those above it.
fn candidates(mount: &Path, own: &str) -> Vec<PathBuf> {
    let own = own.lines().find_map(|line| line.strip_prefix("0::/"));
    let own = own.filter(|path| !path.is_empty() && !path.starts_with(".."));
    let own = own.map(|path| mount.join(path)).unwrap_or_default();
    let above = own
        .ancestors()
        .take_while(|path| *path != mount && path.starts_with(mount));
    std::iter::once(mount)
        .chain(above)
        .map(Path::to_owned)
        .collect()
}

fn words(group: &Path, file: &str) -> Vec<String> {
    let text = fs::read_to_string(group.join(file)).unwrap_or_default();
    text.split_whitespace().map(str::to_owned).collect()
}

/// One directory.
#[derive(Debug)]
pub(super) struct GroupV2 {
    directory: PathBuf,
    controllers: Vec<&'static str>,
    files: KeptFiles,
    /// The directory itself, for processes that are born inside.
    entrance: OnceLock<Vec<OwnedFd>>,
    /// The file `cgroup.procs`, for those that are not.
    own_entrance: OnceLock<Vec<OwnedFd>>,
    /// What the kernel's counters said when the group was made or renewed.
    before: Mutex<Counters>,
}

/// Counters of a group that only grow, but for the last.
#[derive(Debug, Clone, Copy, Default)]
struct Counters {
    memory_kills: u64,
    process_refusals: u64,
    memory_peak_bytes: u64,
    /// The most memory that was seen in use since.
    memory_seen_bytes: u64,
}

/// What a group may still account for, in bytes: the kernel's own objects, mostly.
const LEFT_BYTES_MAX: u64 = 2 << 20;

impl GroupV2 {
    pub(super) fn create(tree: &Tree, name: &str) -> io::Result<Self> {
        let name = files::group_name(name);
        let directory = files::make_group(&tree.slice(), &name, |slice| tree.hand_down(slice))?;
        Ok(Self::at(directory, tree.controllers.clone()))
    }

    fn at(directory: PathBuf, controllers: Vec<&'static str>) -> Self {
        let file = |name| KeptFile::new(&directory, name);
        Self {
            files: KeptFiles {
                cpu_time: file("cpu.stat"),
                memory: file("memory.current"),
                memory_peak: file("memory.peak"),
                memory_events: file("memory.events"),
                processes: file("pids.current"),
                process_events: file("pids.events"),
            },
            entrance: OnceLock::new(),
            own_entrance: OnceLock::new(),
            before: Mutex::default(),
            controllers,
            directory,
        }
    }

    fn before(&self) -> MutexGuard<'_, Counters> {
        self.before.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The counters since the beginning of the group.
    fn counters(&self) -> Counters {
        let read = |found: Option<u64>| found.unwrap_or(0);
        Counters {
            memory_kills: read(self.files.memory_events.keyed("oom_kill")),
            process_refusals: read(self.files.process_events.keyed("max")),
            memory_peak_bytes: read(self.files.memory_peak.number()),
            memory_seen_bytes: 0,
        }
    }

    /// Version 2 would end processes to get below a new limit; like version 1, this refuses then.
    fn limit_memory(&self, bytes: u64) -> io::Result<()> {
        let above = || self.memory_bytes().saturating_sub(bytes);
        if above() > 0 {
            // What cannot be reclaimed is refused below. Kernels before 5.19 lack the file.
            let _ = files::write(&self.directory, "memory.reclaim", above());
        }
        if above() > 0 {
            return Err(io::ErrorKind::ResourceBusy.into());
        }
        files::write(&self.directory, "memory.max", bytes)?;
        if self.directory.join("memory.swap.max").exists() {
            files::write(&self.directory, "memory.swap.max", 0)?;
        }
        Ok(())
    }
}

impl Group for GroupV2 {
    fn entrance(&self) -> io::Result<(CgroupJoin, &[OwnedFd])> {
        let opened = files::opened_once(&self.entrance, || {
            Ok(vec![fs::File::open(&self.directory)?.into()])
        });
        Ok((CgroupJoin::BornInto, opened?))
    }

    fn own_entrance(&self) -> io::Result<&[OwnedFd]> {
        files::opened_once(&self.own_entrance, || {
            let processes = self.directory.join("cgroup.procs");
            let opened = fs::OpenOptions::new().write(true).open(processes)?;
            Ok(vec![opened.into()])
        })
    }

    fn cpu_time_us(&self) -> u64 {
        self.files.cpu_time.keyed("usage_usec").unwrap_or(0)
    }

    fn memory_bytes(&self) -> u64 {
        self.files.memory.number().unwrap_or(0)
    }

    /// Kernels before 5.19 have no `memory.peak`, and it never falls: what was seen in use is the
    /// best known there, and as long as a renewed group stays below its earlier peak.
    fn memory_peak_bytes(&self) -> u64 {
        let peak = self.files.memory_peak.number().unwrap_or(0);
        let mut before = self.before();
        if peak > before.memory_peak_bytes {
            return peak;
        }
        before.memory_seen_bytes = before.memory_seen_bytes.max(self.memory_bytes());
        before.memory_seen_bytes
    }

    fn processes(&self) -> u32 {
        let inside = self.files.processes.number().unwrap_or(0);
        u32::try_from(inside).unwrap_or(u32::MAX)
    }

    fn members(&self, count_max: usize) -> Vec<u32> {
        files::members(&self.directory, count_max)
    }

    fn memory_kills(&self) -> u64 {
        let now = self.files.memory_events.keyed("oom_kill").unwrap_or(0);
        now.saturating_sub(self.before().memory_kills)
    }

    fn process_refusals(&self) -> u64 {
        let now = self.files.process_events.keyed("max").unwrap_or(0);
        now.saturating_sub(self.before().process_refusals)
    }

    fn set_limits(&self, limits: &Limits) -> io::Result<()> {
        for controller in &self.controllers {
            match *controller {
                "memory" => self.limit_memory(limits.memory_bytes)?,
                "pids" => {
                    files::write(&self.directory, "pids.max", limits.processes)?;
                }
                _ => {
                    let quota = u64::from(limits.cpu_percent) * PERIOD_US / 100;
                    let quota = quota.max(QUOTA_US_MIN);
                    files::write(&self.directory, "cpu.max", format!("{quota} {PERIOD_US}"))?;
                }
            }
        }
        Ok(())
    }

    fn renew(&self, staying: u32) -> bool {
        // Without a controller nobody knows what is left.
        let number = |file: &KeptFile| file.number().unwrap_or(u64::MAX);
        if number(&self.files.processes) > staying.into() {
            return false;
        }
        let left = number(&self.files.memory);
        if left > LEFT_BYTES_MAX {
            // Pages of the host's files that were read first by what was inside.
            let _ = files::write(&self.directory, "memory.reclaim", left);
        }
        if number(&self.files.memory) > LEFT_BYTES_MAX {
            return false;
        }
        *self.before() = self.counters();
        true
    }

    fn try_remove(&self) -> bool {
        files::try_remove_group(&self.directory)
    }

    fn remove(&self) -> io::Result<()> {
        files::remove_group(&self.directory)
    }

    fn path(&self) -> PathBuf {
        self.directory.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a group of the kernel's shows, in files that stay as they are.
    struct Shown(tempfile::TempDir);

    impl Shown {
        fn new(processes: u32, memory_bytes: u64, peak_bytes: u64, kills: u64) -> Self {
            let shown = Self(tempfile::tempdir().unwrap());
            shown.show("pids.current", &processes.to_string());
            shown.show("pids.events", "max 7\n");
            shown.show("memory.current", &memory_bytes.to_string());
            shown.show("memory.peak", &peak_bytes.to_string());
            shown.show("memory.events", &format!("low 0\noom_kill {kills}\n"));
            shown
        }

        fn show(&self, file: &str, text: &str) {
            fs::write(self.0.path().join(file), text).unwrap();
        }

        fn group(&self) -> GroupV2 {
            GroupV2::at(self.0.path().to_owned(), vec!["memory", "pids", "cpu"])
        }
    }

    #[test]
    fn a_renewed_group_counts_from_then_on() {
        let shown = Shown::new(1, 1 << 20, 64 << 20, 3);
        let group = shown.group();
        assert_eq!(group.memory_kills(), 3);
        assert_eq!(group.process_refusals(), 7);
        assert_eq!(group.memory_peak_bytes(), 64 << 20);
        assert!(group.renew(1));
        assert_eq!((group.memory_kills(), group.process_refusals()), (0, 0));
        assert_eq!(group.memory_peak_bytes(), 1 << 20);
        // What is seen in use, as long as it is less than before.
        for (now, seen) in [(8, 8), (2, 8)] {
            shown.show("memory.current", &(now << 20).to_string());
            assert_eq!(group.memory_peak_bytes(), seen << 20);
        }
        shown.show("memory.peak", &(65 << 20).to_string());
        assert_eq!(group.memory_peak_bytes(), 65 << 20);
    }

    #[test]
    fn a_group_with_something_left_or_unknown_is_not_renewed() {
        assert!(!Shown::new(2, 1 << 20, 1 << 20, 0).group().renew(1));
        assert!(!Shown::new(1, 3 << 20, 3 << 20, 0).group().renew(1));
        for file in ["pids.current", "memory.current"] {
            let shown = Shown::new(1, 1 << 20, 1 << 20, 0);
            fs::remove_file(shown.0.path().join(file)).unwrap();
            assert!(!shown.group().renew(1), "{file}");
        }
    }
}
