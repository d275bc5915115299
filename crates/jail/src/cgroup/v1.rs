//! Version 1: one hierarchy for each controller, or for a few of them together.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::num::NonZero;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

use atoll_types::Limits;

use super::files::{self, CgroupMount, KeptFile, KeptFiles};
use super::{Group, SLICE};
use crate::plan::CgroupJoin;

/// Where the controllers that matter are mounted. Two of them may share a hierarchy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mounts {
    memory: PathBuf,
    pids: PathBuf,
    cpu: PathBuf,
    cpuacct: PathBuf,
}

impl Mounts {
    /// Picks the controllers out of what is mounted; says which are not, or cannot be used.
    pub(super) fn find(
        mounts: &[CgroupMount],
        writable: fn(&Path) -> bool,
    ) -> Result<Self, String> {
        let mut missing = Vec::new();
        let mut find = |controller: &str| {
            let found = mounts.iter().find(|mount| {
                mount.version == 1 && mount.controllers.iter().any(|name| name == controller)
            });
            if found.is_none() {
                missing.push(controller.to_owned());
            }
            found.map(|mount| mount.path.clone()).unwrap_or_default()
        };
        let found = Self {
            memory: find("memory"),
            pids: find("pids"),
            cpu: find("cpu"),
            cpuacct: find("cpuacct"),
        };
        if !missing.is_empty() {
            return Err(format!("cgroup version 1 lacks {}", missing.join(", ")));
        }
        if let Some(mount) = found.distinct().find(|mount| !writable(mount)) {
            return Err(format!("{} is not writable", mount.display()));
        }
        Ok(found)
    }

    /// Each hierarchy once.
    pub(crate) fn distinct(&self) -> impl Iterator<Item = &Path> {
        let all = [&self.memory, &self.pids, &self.cpu, &self.cpuacct];
        all.map(PathBuf::as_path)
            .into_iter()
            .collect::<BTreeSet<_>>()
            .into_iter()
    }
}

/// One directory in each hierarchy.
#[derive(Debug)]
pub(super) struct GroupV1 {
    memory: PathBuf,
    pids: PathBuf,
    cpu: PathBuf,
    directories: Vec<PathBuf>,
    files: KeptFiles,
    /// The `tasks` file of each directory.
    entrances: OnceLock<Vec<OwnedFd>>,
    /// What the kernel's counters said when the group was made or reset.
    before: Mutex<Counters>,
    /// The limits in force: memory, processes, CPU share.
    held: Mutex<Option<(u64, u32, u32)>>,
}

/// Counters of a group that only grow.
#[derive(Debug, Clone, Copy, Default)]
struct Counters {
    cpu_time_us: u64,
    memory_kills: u64,
    process_refusals: u64,
}

/// What an empty group may still account for, in bytes: the kernel's own objects, mostly.
const LEFT_BYTES_MAX: u64 = 2 << 20;

/// What a task of the root group weighs, and a group by default, whatever runs inside.
const TASK_SHARES: u64 = 1024;

/// The kernel's maximum for `cpu.shares`.
const SHARES_MAX: u64 = 262_144;

/// All sandboxes together weigh as much as one task of the host for each processor: as much as they
/// can use, so that neither they nor the host starve while both are busy.
fn slice_shares() -> u64 {
    let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
    TASK_SHARES
        .saturating_mul(processors as u64)
        .min(SHARES_MAX)
}

impl GroupV1 {
    pub(super) fn create(mounts: &Mounts, name: &str) -> io::Result<Self> {
        let name = files::group_name(name);
        let inside = |mount: &Path| mount.join(SLICE).join(&name);
        let (memory, pids) = (inside(&mounts.memory), inside(&mounts.pids));
        let mut group = Self {
            cpu: inside(&mounts.cpu),
            directories: Vec::new(),
            files: KeptFiles {
                cpu_time: KeptFile::new(&inside(&mounts.cpuacct), "cpuacct.usage"),
                memory: KeptFile::new(&memory, "memory.usage_in_bytes"),
                memory_peak: KeptFile::new(&memory, "memory.max_usage_in_bytes"),
                memory_events: KeptFile::new(&memory, "memory.oom_control"),
                processes: KeptFile::new(&pids, "pids.current"),
                process_events: KeptFile::new(&pids, "pids.events"),
            },
            memory,
            pids,
            entrances: OnceLock::new(),
            before: Mutex::default(),
            held: Mutex::default(),
        };
        let built = group.build(mounts, &name);
        match built {
            Ok(()) => Ok(group),
            Err(error) => {
                let _ = group.remove();
                Err(error)
            }
        }
    }

    fn build(&mut self, mounts: &Mounts, name: &str) -> io::Result<()> {
        for mount in mounts.distinct() {
            let slice = mount.join(SLICE);
            let directory = files::make_group(&slice, name, |slice| {
                if mount == mounts.cpu {
                    files::write(slice, "cpu.shares", slice_shares())?;
                }
                Ok(())
            })?;
            self.directories.push(directory);
        }
        files::write(&self.memory, "memory.swappiness", 0)
    }
}

impl GroupV1 {
    /// The counters since the beginning of the group.
    fn counters(&self) -> Counters {
        let read = |found: Option<u64>| found.unwrap_or(0);
        Counters {
            cpu_time_us: read(self.files.cpu_time.number()) / 1000,
            memory_kills: read(self.files.memory_events.keyed("oom_kill")),
            process_refusals: read(self.files.process_events.keyed("max")),
        }
    }

    fn before(&self) -> Counters {
        *self.before.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The limit with swap must never be below the one without, so growing starts with the former
    /// and shrinking with the latter. Kernels without swap accounting lack the former.
    fn limit_memory(&self, bytes: u64) -> io::Result<()> {
        let (plain, with_swap) = ("memory.limit_in_bytes", "memory.memsw.limit_in_bytes");
        if !self.memory.join(with_swap).exists() {
            return files::write(&self.memory, plain, bytes);
        }
        let grows = files::number(&self.memory, plain).is_some_and(|now| now < bytes);
        let order = if grows {
            [with_swap, plain]
        } else {
            [plain, with_swap]
        };
        order
            .iter()
            .try_for_each(|file| files::write(&self.memory, file, bytes))
    }
}

impl Group for GroupV1 {
    /// A process that moves itself, alone in its thread group, through `tasks` takes tens of
    /// microseconds; any other way waits for an RCU grace period, about 7 ms.
    fn entrance(&self) -> io::Result<(CgroupJoin, &[OwnedFd])> {
        Ok((CgroupJoin::Tasks, self.own_entrance()?))
    }

    fn own_entrance(&self) -> io::Result<&[OwnedFd]> {
        let open = |directory: &PathBuf| {
            let tasks = directory.join("tasks");
            Ok(fs::OpenOptions::new().write(true).open(tasks)?.into())
        };
        files::opened_once(&self.entrances, || {
            self.directories.iter().map(open).collect()
        })
    }

    fn cpu_time_us(&self) -> u64 {
        let now = self.files.cpu_time.number().unwrap_or(0) / 1000;
        now.saturating_sub(self.before().cpu_time_us)
    }

    fn memory_bytes(&self) -> u64 {
        self.files.memory.number().unwrap_or(0)
    }

    fn memory_peak_bytes(&self) -> u64 {
        self.files.memory_peak.number().unwrap_or(0)
    }

    fn processes(&self) -> u32 {
        let inside = self.files.processes.number().unwrap_or(0);
        u32::try_from(inside).unwrap_or(u32::MAX)
    }

    fn members(&self, count_max: usize) -> Vec<u32> {
        files::members(&self.pids, count_max)
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
        let wanted = (limits.memory_bytes, limits.processes, limits.cpu_percent);
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if *held == Some(wanted) {
            return Ok(());
        }
        // Should only some be set, all are set again the next time.
        *held = None;
        self.limit_memory(limits.memory_bytes)?;
        files::write(&self.pids, "pids.max", limits.processes)?;
        files::write(&self.cpu, "cpu.cfs_period_us", PERIOD_US)?;
        let quota = u64::from(limits.cpu_percent) * PERIOD_US / 100;
        files::write(&self.cpu, "cpu.cfs_quota_us", quota.max(QUOTA_US_MIN))?;
        *held = Some(wanted);
        Ok(())
    }

    fn reset(&self) -> bool {
        self.renew(0)
    }

    fn renew(&self, staying: u32) -> bool {
        // What cannot be read is not known to be small.
        let number = |file: &KeptFile| file.number().unwrap_or(u64::MAX);
        if number(&self.files.processes) > staying.into() {
            return false;
        }
        if staying > 0 && number(&self.files.memory) > LEFT_BYTES_MAX {
            // Pages of the host's files that were read first by what was inside.
            let _ = files::write(&self.memory, "memory.force_empty", 0);
        }
        if number(&self.files.memory) > LEFT_BYTES_MAX {
            return false;
        }
        *self.before.lock().unwrap_or_else(PoisonError::into_inner) = self.counters();
        files::write(&self.memory, "memory.max_usage_in_bytes", 0).is_ok()
    }

    fn try_remove(&self) -> bool {
        self.directories
            .iter()
            .all(|directory| files::try_remove_group(directory))
    }

    fn remove(&self) -> io::Result<()> {
        self.directories
            .iter()
            .try_for_each(|directory| files::remove_group(directory))
    }

    fn path(&self) -> PathBuf {
        self.memory.clone()
    }
}

/// The kernel's default period for CPU quotas, and the smallest quota it takes.
pub(super) const PERIOD_US: u64 = 100_000;
pub(super) const QUOTA_US_MIN: u64 = 1_000;
