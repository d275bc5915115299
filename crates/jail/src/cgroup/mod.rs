//! Control groups behind one small trait: version 2, version 1 or none, chosen by looking at the
//! host.
//!
//! Plain files, no library: the supervisor writes a handful of them for each sandbox and reads two
//! or three while it runs. Every group lives under one parent, the node's slice, named [`SLICE`];
//! the slice is made on demand and removed when it is empty. Whether a jail may do without a
//! controller is not decided here.

mod files;
mod none;
mod v1;
mod v2;

use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use atoll_types::{Layer, LimitName, Limits};

use crate::plan::CgroupJoin;

pub(crate) use files::sweep;

/// The parent of every group, below the root of each hierarchy.
pub(crate) const SLICE: &str = "atoll";

/// A group (or one in each hierarchy) that holds one sandbox.
pub(crate) trait Group: Send + Sync {
    /// What the jail's first process needs to get in.
    fn entrance(&self) -> io::Result<(CgroupJoin, &[OwnedFd])>;

    /// Files that a process gets in by writing "0" to, when it cannot be born inside.
    fn own_entrance(&self) -> io::Result<&[OwnedFd]>;

    /// Told once of the first process that is inside.
    fn entered(&self, _first: BorrowedFd<'_>) {}

    /// CPU time of everything that was ever inside, in microseconds.
    fn cpu_time_us(&self) -> u64;

    /// Memory in use now, in bytes, files in memory included.
    fn memory_bytes(&self) -> u64;

    /// The most memory ever in use, in bytes.
    fn memory_peak_bytes(&self) -> u64;

    /// Processes and threads inside now.
    fn processes(&self) -> u32;

    /// The processes inside now, no more than so many.
    fn members(&self, _count_max: usize) -> Vec<u32> {
        Vec::new()
    }

    /// How often the kernel ended a process for the memory limit.
    fn memory_kills(&self) -> u64;

    /// How often the kernel refused a new process for the process limit.
    fn process_refusals(&self) -> u64;

    /// Changes the limits of what already runs inside.
    fn set_limits(&self, limits: &Limits) -> io::Result<()>;

    /// Makes the group as good as new for another sandbox, if nothing is inside any more and next
    /// to no memory is left to it; whether it did. Making one anew takes many times as long.
    fn reset(&self) -> bool {
        false
    }

    /// Lets the counters begin anew for another program, if no more than so many processes are
    /// inside and next to no memory is left to the group; whether it did.
    fn renew(&self, _staying: u32) -> bool {
        false
    }

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
    /// A part of the unified hierarchy.
    V2(v2::Tree),
    /// A mount point for each controller.
    V1(v1::Mounts),
    /// None that can be used, and why. What setrlimit offers is all there is then.
    None(String),
}

/// The controllers, with the layers that they put in force.
const CONTROLLERS: [(&str, Layer); 3] = [
    ("memory", Layer::MemoryLimit),
    ("pids", Layer::ProcessLimit),
    ("cpu", Layer::CpuLimit),
];

impl Hierarchies {
    /// Looks at what is mounted, and which part of it this process may use.
    pub(crate) fn probe() -> Self {
        let read = |path: &str| {
            std::fs::read_to_string(path).map_err(|error| format!("failed to read {path}: {error}"))
        };
        let own = read("/proc/self/cgroup").unwrap_or_default();
        match read("/proc/self/mountinfo") {
            Ok(mounts) => Self::among(&files::cgroup_mounts(&mounts), &own, files::writable),
            Err(why) => Self::None(why),
        }
    }

    /// Version 2 where it has every controller, else version 1 where it has, else what version 2
    /// has.
    fn among(mounts: &[files::CgroupMount], own: &str, writable: fn(&Path) -> bool) -> Self {
        let every: Vec<&str> = CONTROLLERS.map(|(name, _)| name).into();
        let unified = mounts.iter().find(|mount| mount.version == 2);
        let in_version_2 = |least: &[&str]| match unified {
            Some(mount) => v2::Tree::find(&mount.path, own, least, writable),
            None => Err("cgroup version 2 is not mounted".to_owned()),
        };
        let why_not_2 = match in_version_2(&every) {
            Ok(tree) => return Self::V2(tree),
            Err(why) => why,
        };
        let why_not_1 = match v1::Mounts::find(mounts, writable) {
            Ok(found) => return Self::V1(found),
            Err(why) => why,
        };
        match in_version_2(&[]) {
            Ok(tree) => Self::V2(tree),
            Err(_) => Self::None(format!("{why_not_2}; {why_not_1}")),
        }
    }

    /// The layers that cannot be put in force, each with the reason.
    pub(crate) fn missing(&self) -> Vec<(Layer, String)> {
        let lacks = |controller: &str| match self {
            Self::V1(_) => None,
            Self::V2(tree) if tree.has(controller) => None,
            Self::V2(tree) => Some(format!("{tree} has no controller {controller}")),
            Self::None(why) => Some(why.clone()),
        };
        let instead = |layer| match layer {
            Layer::MemoryLimit => "only the data of each process is bounded, by RLIMIT_DATA",
            Layer::ProcessLimit => "only RLIMIT_NPROC bounds it",
            _ => "no share; the CPU time that is seen is bounded, and RLIMIT_CPU for each process",
        };
        CONTROLLERS
            .into_iter()
            .filter_map(|(name, layer)| {
                Some((layer, format!("{}: {}", instead(layer), lacks(name)?)))
            })
            .collect()
    }

    /// One sentence for reports.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::V2(tree) => tree.to_string(),
            Self::V1(_) => "cgroup version 1 (memory, pids, cpu, cpuacct)".to_owned(),
            Self::None(why) => why.clone(),
        }
    }

    /// Makes a group, without limits yet.
    pub(crate) fn create(&self, name: &str) -> io::Result<Box<dyn Group>> {
        match self {
            Self::V2(tree) => Ok(Box::new(v2::GroupV2::create(tree, name)?)),
            Self::V1(mounts) => Ok(Box::new(v1::GroupV1::create(mounts, name)?)),
            Self::None(_) => Ok(Box::new(none::NoGroup::default())),
        }
    }

    /// CPU time of all that was in this node's groups, in microseconds, for as long as there has
    /// been one without a break; `None` without groups.
    pub(crate) fn cpu_time_us(&self) -> Option<u64> {
        self.slices().iter().find_map(|slice| {
            let first = files::number(slice, "cpuacct.usage").map(|used_ns| used_ns / 1000);
            first.or_else(|| files::keyed(slice, "cpu.stat", "usage_usec"))
        })
    }

    /// What the groups around this node's groups leave them of memory, in bytes, as a container's
    /// limit does; `None` where nothing is limited.
    pub(crate) fn memory_limit_bytes(&self) -> Option<u64> {
        let mut within = self.slices();
        if within.is_empty() {
            // Where they are usually mounted, and a container sees its own limit.
            within = ["/sys/fs/cgroup/any", "/sys/fs/cgroup/memory/any"]
                .map(PathBuf::from)
                .into();
        }
        memory_limit_above(&within)
    }

    /// The directories that hold this node's groups.
    pub(crate) fn slices(&self) -> Vec<PathBuf> {
        match self {
            Self::V2(tree) => vec![tree.slice()],
            Self::V1(mounts) => mounts.distinct().map(|mount| mount.join(SLICE)).collect(),
            Self::None(_) => Vec::new(),
        }
    }
}

/// The least that a group above these is limited to.
fn memory_limit_above(groups: &[PathBuf]) -> Option<u64> {
    let above = groups.iter().flat_map(|group| group.ancestors().skip(1));
    let limit = |group: &Path| {
        let limit = files::number(group, "memory.max");
        limit.or_else(|| files::number(group, "memory.limit_in_bytes"))
    };
    above.filter_map(limit).min()
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
