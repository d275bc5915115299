//! Control groups behind one small trait: version 2, version 1, chosen by looking at the host.
//!
//! Plain files, no library: the supervisor writes a handful of them for each sandbox and reads two
//! or three while it runs. Every group lives under one parent, the node's slice, named [`SLICE`];
//! the slice is made on demand and removed when it is empty.

mod files;
mod v1;
mod v2;

use std::io;
use std::os::fd::OwnedFd;
use std::path::PathBuf;

use atoll_types::{Layer, LimitName, Limits};

use crate::plan::CgroupJoin;

pub(crate) use files::sweep;

/// The parent of every group, below the root of each hierarchy.
pub(crate) const SLICE: &str = "atoll";

/// A group (or one in each hierarchy) that holds one sandbox.
pub(crate) trait Group: Send + Sync {
    /// What the jail's first process needs to get in.
    fn entrance(&self) -> io::Result<(CgroupJoin, Vec<OwnedFd>)>;

    /// Files that a process gets in by writing "0" to, when it cannot be born inside.
    fn own_entrance(&self) -> io::Result<Vec<OwnedFd>>;

    /// CPU time of everything that was ever inside, in microseconds.
    fn cpu_time_us(&self) -> u64;

    /// Memory in use now, in bytes, files in memory included.
    fn memory_bytes(&self) -> u64;

    /// The most memory ever in use, in bytes.
    fn memory_peak_bytes(&self) -> u64;

    /// Processes and threads inside now.
    fn processes(&self) -> u32;

    /// How often the kernel ended a process for the memory limit.
    fn memory_kills(&self) -> u64;

    /// How often the kernel refused a new process for the process limit.
    fn process_refusals(&self) -> u64;

    /// Changes the limits of what already runs inside.
    fn set_limits(&self, limits: &Limits) -> io::Result<()>;

    /// Removes the group if the kernel lets go of it at once; whether it did.
    fn try_remove(&self) -> bool;

    /// Removes the group, waiting for the kernel if need be; everything inside must have ended.
    fn remove(&self) -> io::Result<()>;

    /// Where it is, for error messages.
    fn path(&self) -> PathBuf;
}

/// What this host offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Hierarchies {
    /// One unified hierarchy with all controllers, mounted here.
    V2(PathBuf),
    /// A mount point for each controller.
    V1(v1::Mounts),
    /// Not usable, and why.
    Unusable(String),
}

/// The layers that cgroups put in force.
pub(crate) const LAYERS: [Layer; 3] = [Layer::MemoryLimit, Layer::ProcessLimit, Layer::CpuLimit];

impl Hierarchies {
    /// Looks at what is mounted.
    pub(crate) fn probe() -> Self {
        match std::fs::read_to_string("/proc/self/mountinfo") {
            Ok(mounts) => Self::from_mounts(&files::cgroup_mounts(&mounts)),
            Err(error) => Self::Unusable(format!("failed to read /proc/self/mountinfo: {error}")),
        }
    }

    fn from_mounts(mounts: &[files::CgroupMount]) -> Self {
        let unified = mounts.iter().find(|mount| mount.version == 2);
        if let Some(mount) = unified
            && v2::has_controllers(&mount.path)
        {
            return Self::V2(mount.path.clone());
        }
        match v1::Mounts::find(mounts) {
            Ok(found) => Self::V1(found),
            Err(missing) => Self::Unusable(format!(
                "no cgroup hierarchy with the controllers {missing}; mount cgroup version 2, or \
                 start this command where it may use one"
            )),
        }
    }

    /// One sentence for reports.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::V2(path) => format!("cgroup version 2 at {}", path.display()),
            Self::V1(_) => "cgroup version 1 (memory, pids, cpu, cpuacct)".to_owned(),
            Self::Unusable(reason) => reason.clone(),
        }
    }

    /// Makes a group, without limits yet.
    pub(crate) fn create(&self, name: &str) -> io::Result<Box<dyn Group>> {
        match self {
            Self::V2(root) => Ok(Box::new(v2::GroupV2::create(root, name)?)),
            Self::V1(mounts) => Ok(Box::new(v1::GroupV1::create(mounts, name)?)),
            Self::Unusable(reason) => Err(io::Error::other(reason.clone())),
        }
    }

    /// The directories that hold this node's groups.
    pub(crate) fn slices(&self) -> Vec<PathBuf> {
        match self {
            Self::V2(root) => vec![root.join(SLICE)],
            Self::V1(mounts) => mounts.distinct().map(|mount| mount.join(SLICE)).collect(),
            Self::Unusable(_) => Vec::new(),
        }
    }
}

/// Refused new processes that are ordinary under a process limit: a program that sizes its pool by
/// trial is refused a few times. In a fork bomb each process that the limit allows is refused at
/// least once, and they end then, so half of them must be enough to tell.
fn ordinary_refusals(limits: &Limits) -> u64 {
    u64::from(limits.processes / 2).max(8)
}

/// The limit a group reports as hit while the program runs.
pub(crate) fn limit_hit(group: &dyn Group, limits: &Limits) -> Option<LimitName> {
    if group.memory_kills() > 0 {
        Some(LimitName::Memory)
    } else if group.process_refusals() > ordinary_refusals(limits) {
        Some(LimitName::Processes)
    } else {
        None
    }
}

#[cfg(test)]
mod tests;
