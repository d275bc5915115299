//! Version 2: one unified hierarchy.

use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use atoll_types::Limits;

use super::v1::{PERIOD_US, QUOTA_US_MIN};
use super::{Group, SLICE, files};
use crate::plan::CgroupJoin;

const CONTROLLERS: [&str; 3] = ["cpu", "memory", "pids"];

/// Whether a hierarchy offers every controller that is needed.
pub(super) fn has_controllers(root: &Path) -> bool {
    let offered = fs::read_to_string(root.join("cgroup.controllers")).unwrap_or_default();
    CONTROLLERS
        .iter()
        .all(|needed| offered.split_whitespace().any(|name| name == *needed))
}

/// One directory.
#[derive(Debug)]
pub(super) struct GroupV2 {
    directory: PathBuf,
}

impl GroupV2 {
    pub(super) fn create(root: &Path, name: &str) -> io::Result<Self> {
        let enable = "+cpu +memory +pids";
        files::write(root, "cgroup.subtree_control", enable)?;
        let name = files::group_name(name);
        let directory = files::make_group(&root.join(SLICE), &name, |slice| {
            files::write(slice, "cgroup.subtree_control", enable)
        })?;
        Ok(Self { directory })
    }
}

impl Group for GroupV2 {
    fn entrance(&self) -> io::Result<(CgroupJoin, Vec<OwnedFd>)> {
        let directory = fs::OpenOptions::new()
            .read(true)
            .custom_flags(libc::O_CLOEXEC | libc::O_DIRECTORY)
            .open(&self.directory)?;
        Ok((CgroupJoin::BornInto, vec![directory.into()]))
    }

    fn own_entrance(&self) -> io::Result<Vec<OwnedFd>> {
        let processes = fs::OpenOptions::new()
            .write(true)
            .custom_flags(libc::O_CLOEXEC)
            .open(self.directory.join("cgroup.procs"))?;
        Ok(vec![processes.into()])
    }

    fn cpu_time_us(&self) -> u64 {
        files::keyed(&self.directory, "cpu.stat", "usage_usec").unwrap_or(0)
    }

    fn memory_bytes(&self) -> u64 {
        files::number(&self.directory, "memory.current").unwrap_or(0)
    }

    /// Kernels before 5.19 have no `memory.peak`; what is in use now is the best known there.
    fn memory_peak_bytes(&self) -> u64 {
        files::number(&self.directory, "memory.peak").unwrap_or_else(|| self.memory_bytes())
    }

    fn processes(&self) -> u32 {
        let inside = files::number(&self.directory, "pids.current").unwrap_or(0);
        u32::try_from(inside).unwrap_or(u32::MAX)
    }

    fn memory_kills(&self) -> u64 {
        files::keyed(&self.directory, "memory.events", "oom_kill").unwrap_or(0)
    }

    fn process_refusals(&self) -> u64 {
        files::keyed(&self.directory, "pids.events", "max").unwrap_or(0)
    }

    fn set_limits(&self, limits: &Limits) -> io::Result<()> {
        files::write(&self.directory, "memory.max", limits.memory_bytes)?;
        if self.directory.join("memory.swap.max").exists() {
            files::write(&self.directory, "memory.swap.max", 0)?;
        }
        files::write(&self.directory, "pids.max", limits.processes)?;
        let quota = u64::from(limits.cpu_percent) * PERIOD_US / 100;
        let quota = quota.max(QUOTA_US_MIN);
        files::write(&self.directory, "cpu.max", format!("{quota} {PERIOD_US}"))
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
