//! Version 2: one unified hierarchy, all of it or a part that was handed to this user.

use std::fmt;
use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

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
}

impl GroupV2 {
    pub(super) fn create(tree: &Tree, name: &str) -> io::Result<Self> {
        let name = files::group_name(name);
        let directory = files::make_group(&tree.slice(), &name, |slice| tree.hand_down(slice))?;
        let file = |name| KeptFile::new(&directory, name);
        Ok(Self {
            controllers: tree.controllers.clone(),
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
            directory,
        })
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

    /// Kernels before 5.19 have no `memory.peak`; what is in use now is the best known there.
    fn memory_peak_bytes(&self) -> u64 {
        self.files
            .memory_peak
            .number()
            .unwrap_or_else(|| self.memory_bytes())
    }

    fn processes(&self) -> u32 {
        let inside = self.files.processes.number().unwrap_or(0);
        u32::try_from(inside).unwrap_or(u32::MAX)
    }

    fn memory_kills(&self) -> u64 {
        self.files.memory_events.keyed("oom_kill").unwrap_or(0)
    }

    fn process_refusals(&self) -> u64 {
        self.files.process_events.keyed("max").unwrap_or(0)
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
