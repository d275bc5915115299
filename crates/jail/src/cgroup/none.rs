//! No group: nothing holds the tree of processes as a whole, and what it uses is found by looking.
//!
//! What is seen is less than what is used: a process that ends between two looks without being
//! waited for is not counted, and neither is memory that was given back by then.

use std::fs;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use atoll_types::Limits;

use super::Group;
use crate::plan::CgroupJoin;

/// The processes of one jail: a process and all that come from it.
#[derive(Debug, Default)]
pub(super) struct NoGroup {
    /// The jail's first process, by its id on the host. Nothing takes the id before the supervisor
    /// has waited for it.
    first: OnceLock<u32>,
    cpu_time_us: AtomicU64,
    memory_peak_bytes: AtomicU64,
}

/// More processes than this are not looked at one by one.
const PROCESSES_MAX: usize = 10_000;

impl NoGroup {
    /// Every process inside, the first one in front.
    fn inside(&self) -> Vec<u32> {
        let mut found: Vec<u32> = self.first.get().copied().into_iter().collect();
        let mut next = 0;
        while let Some(process) = found.get(next).copied()
            && found.len() < PROCESSES_MAX
        {
            found.extend(children(process));
            next += 1;
        }
        found
    }
}

impl Group for NoGroup {
    fn entrance(&self) -> io::Result<(CgroupJoin, &[OwnedFd])> {
        Ok((CgroupJoin::None, &[]))
    }

    fn own_entrance(&self) -> io::Result<&[OwnedFd]> {
        Ok(&[])
    }

    fn entered(&self, first: BorrowedFd<'_>) {
        // Without an id nothing is seen, which is reported as nothing used.
        if let Some(process) = process_of(first) {
            let _ = self.first.set(process);
        }
    }

    fn cpu_time_us(&self) -> u64 {
        let seen = self.inside().into_iter().filter_map(cpu_time_us).sum();
        self.cpu_time_us
            .fetch_max(seen, Ordering::Relaxed)
            .max(seen)
    }

    fn memory_bytes(&self) -> u64 {
        let seen = self.inside().into_iter().filter_map(memory_bytes).sum();
        self.memory_peak_bytes.fetch_max(seen, Ordering::Relaxed);
        seen
    }

    fn memory_peak_bytes(&self) -> u64 {
        let now = self.memory_bytes();
        self.memory_peak_bytes.load(Ordering::Relaxed).max(now)
    }

    fn processes(&self) -> u32 {
        u32::try_from(self.inside().len()).unwrap_or(u32::MAX)
    }

    fn memory_kills(&self) -> u64 {
        0
    }

    fn process_refusals(&self) -> u64 {
        0
    }

    /// What holds instead is given to the program when it starts, and to nobody afterwards.
    fn set_limits(&self, _: &Limits) -> io::Result<()> {
        if self.first.get().is_some() {
            return Err(io::Error::new(
                io::ErrorKind::Unsupported,
                "without cgroups the limits of what runs cannot be changed",
            ));
        }
        Ok(())
    }

    fn try_remove(&self) -> bool {
        true
    }

    fn remove(&self) -> io::Result<()> {
        Ok(())
    }

    fn path(&self) -> PathBuf {
        PathBuf::new()
    }
}

/// The process behind a process descriptor, as proc_pid_fdinfo(5) has it.
fn process_of(descriptor: BorrowedFd<'_>) -> Option<u32> {
    let path = format!("/proc/self/fdinfo/{}", descriptor.as_raw_fd());
    let text = fs::read_to_string(path).ok()?;
    let process = text.lines().find_map(|line| line.strip_prefix("Pid:"))?;
    process.trim().parse().ok()
}

fn children(process: u32) -> Vec<u32> {
    let Ok(threads) = fs::read_dir(format!("/proc/{process}/task")) else {
        return Vec::new();
    };
    let lists = threads.flatten().filter_map(|thread| {
        let list = fs::read_to_string(thread.path().join("children"));
        list.ok()
    });
    lists
        .flat_map(|list| {
            let children = list
                .split_whitespace()
                .filter_map(|child| child.parse().ok());
            children.collect::<Vec<u32>>()
        })
        .collect()
}

/// CPU time of a process and of those it has waited for: fields 14 to 17 of proc_pid_stat(5).
fn cpu_time_us(process: u32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The second field may hold spaces and parentheses; everything after the last one is plain.
    let fields = text.rsplit_once(')')?.1.split_whitespace();
    let ticks: u64 = fields
        .skip(11)
        .take(4)
        .filter_map(|field| field.parse::<u64>().ok())
        .sum();
    Some(ticks.saturating_mul(TICK_US))
}

/// The kernel tells times to programs in hundredths of a second, whatever its own clock.
const TICK_US: u64 = 10_000;

/// Memory that is a process's own: `RssAnon` of proc_pid_status(5). An ended process has none.
fn memory_bytes(process: u32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let own = text
        .lines()
        .find_map(|line| line.strip_prefix("RssAnon:"))?;
    let kibibytes: u64 = own.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kibibytes << 10)
}
