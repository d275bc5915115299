//! `atoll bench run`: a script from start to end as a whole process, nothing warm, side by side.

use std::collections::HashSet;
use std::io::Read as _;
use std::path::Path;
use std::process::Child;
use std::time::{Duration, Instant};

use rustix::process::{Pid, WaitOptions};

use super::peers::Subject;
use super::samples::{Figure, Samples, show};
use super::{HELLO, directory};
use crate::args::BenchArgs;
use crate::error::CliError;
use crate::terminal::{complain, size};

const ITERATIONS: u32 = 100;
const WARM_UPS: u32 = 3;

/// Runs long enough for its sandbox's keeper to be looked at.
const LINGER: &str = "import time\ntime.sleep(0.3)\nprint('hello')\n";

pub(super) fn run(args: &BenchArgs) -> Result<u8, CliError> {
    let place = directory()?;
    let state = place.path().join("state");
    let script = write(place.path(), "hello.py", HELLO)?;
    let mut subjects = vec![Subject::atoll(&state, &script)?];
    for (name, found) in [
        ("bubblewrap", Subject::bubblewrap(&script)),
        ("python", Subject::bare(&script)),
    ] {
        match found {
            Some(subject) => subjects.push(subject),
            None => complain(&format!("{name} is not installed and is left out\n")),
        }
    }
    let mut measured: Vec<(Subject, Samples)> = subjects
        .into_iter()
        .map(|subject| (subject, Samples::default()))
        .collect();
    for (subject, _) in &measured {
        for _ in 0..WARM_UPS {
            once(subject)?;
        }
    }
    adopt_orphans()?;
    // Taking turns spreads what else the host does evenly over all subjects.
    for _ in 0..args.iterations.unwrap_or(ITERATIONS) {
        for (subject, samples) in &mut measured {
            let cpu_before = cpu_of_children();
            samples.add(once(subject)?);
            wait_for_orphans(&HashSet::new());
            samples.add_cpu(cpu_of_children().saturating_sub(cpu_before));
        }
    }
    let linger = write(place.path(), "linger.py", LINGER)?;
    let mut figures = vec![peak_memory(&Subject::atoll(&state, &linger)?)?];
    let rows: Vec<_> = measured
        .iter()
        .map(|(subject, samples)| samples.row("run", subject.name, "hello.py"))
        .collect();
    let p50_us = |name| {
        let row = measured
            .iter()
            .position(|(subject, _)| subject.name == name);
        row.and_then(|index| rows.get(index))
            .map(|row| row.p50_us as f64)
    };
    figures.extend(Figure::ratio(
        "atoll_over_bubblewrap",
        p50_us("atoll"),
        p50_us("bubblewrap"),
        2,
    ));
    figures.extend(Figure::ratio(
        "atoll_over_python",
        p50_us("atoll"),
        p50_us("python"),
        2,
    ));
    show(args, &rows, &figures)
}

pub(super) fn write(
    directory: &Path,
    name: &str,
    text: &str,
) -> Result<std::path::PathBuf, CliError> {
    let path = directory.join(name);
    std::fs::write(&path, text).map_err(|source| CliError::System {
        attempt: "write the benchmark's script",
        source,
    })?;
    Ok(path)
}

/// Runs a subject once, checks that it did the job, and returns its time in microseconds.
pub(super) fn once(subject: &Subject) -> Result<u64, CliError> {
    let failed = |what: String| CliError::Bench {
        subject: subject.name.to_owned(),
        what,
    };
    let before = Instant::now();
    let output = subject
        .command()
        .output()
        .map_err(|error| failed(error.to_string()))?;
    let taken = before.elapsed();
    if !output.status.success() || output.stdout != b"hello\n" {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(failed(format!("{}: {}", output.status, said.trim())));
    }
    Ok(u64::try_from(taken.as_micros()).unwrap_or(u64::MAX))
}

/// The most memory the command itself has had resident, without the processes it started.
fn peak_memory(subject: &Subject) -> Result<Figure, CliError> {
    let failed = |what: String| CliError::Bench {
        subject: subject.name.to_owned(),
        what,
    };
    let mut child = subject
        .command()
        .spawn()
        .map_err(|error| failed(error.to_string()))?;
    let mut peak_bytes = 0;
    // The kernel keeps the peak; it is read until the process has ended, because afterwards
    // nothing tells it apart from what its children had.
    let status = loop {
        peak_bytes = resident_peak(&child).unwrap_or(peak_bytes);
        if let Some(status) = child
            .try_wait()
            .map_err(|error| failed(error.to_string()))?
        {
            break status;
        }
        std::thread::sleep(Duration::from_millis(1));
    };
    if !status.success() {
        let mut said = String::new();
        if let Some(mut stderr) = child.stderr.take() {
            let _ = stderr.read_to_string(&mut said);
        }
        return Err(failed(format!("{status}: {}", said.trim())));
    }
    Ok(Figure {
        figure: "atoll_resident_peak_bytes",
        value: peak_bytes as f64,
        shown: size(peak_bytes),
    })
}

/// `VmHWM` of a process, in bytes (proc_pid_status(5)).
fn resident_peak(child: &Child) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes.saturating_mul(1024))
}

/// What a subject leaves running when it ends is this process's to wait for, and counts as its.
pub(super) fn adopt_orphans() -> Result<(), CliError> {
    rustix::process::set_child_subreaper(Some(rustix::process::getpid())).map_err(|error| {
        CliError::System {
            attempt: "adopt what the subjects leave behind",
            source: error.into(),
        }
    })
}

/// Waits for every process that a subject did not wait for itself, which is every child but those
/// that there were before. Not part of its time.
pub(super) fn wait_for_orphans(before: &HashSet<Pid>) {
    for orphan in children().difference(before) {
        // What has been waited for in the meantime is gone.
        let _ = rustix::process::waitpid(Some(*orphan), WaitOptions::empty());
    }
}

/// Children of this process (proc_tid_children(5)).
pub(super) fn children() -> HashSet<Pid> {
    let tasks = std::fs::read_dir("/proc/self/task").into_iter().flatten();
    let lists = tasks.flatten().filter_map(|task| {
        let list = task.path().join("children");
        std::fs::read_to_string(list).ok()
    });
    lists
        .flat_map(|list| {
            let ids = list.split_whitespace().filter_map(|id| id.parse().ok());
            ids.filter_map(Pid::from_raw).collect::<Vec<_>>()
        })
        .collect()
}

/// CPU time of this process's ended children and theirs (proc_pid_stat(5), fields 16 and 17), at
/// the resolution of a clock tick.
pub(super) fn cpu_of_children() -> Duration {
    cpu_time(13)
}

/// CPU time of this process itself (fields 14 and 15).
pub(super) fn cpu_of_self() -> Duration {
    cpu_time(11)
}

/// The sum of two fields of /proc/self/stat, this many after the name.
fn cpu_time(skipped: usize) -> Duration {
    let read = || -> Option<u64> {
        let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
        let (_, fields) = stat.rsplit_once(") ")?;
        let mut fields = fields.split(' ').skip(skipped);
        let user: u64 = fields.next()?.parse().ok()?;
        let system: u64 = fields.next()?.parse().ok()?;
        let ticks_per_second = rustix::param::clock_ticks_per_second();
        user.saturating_add(system)
            .saturating_mul(1_000_000)
            .checked_div(ticks_per_second)
    };
    Duration::from_micros(read().unwrap_or(0))
}
