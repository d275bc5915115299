//! Reading and writing the files of control groups, and finding where they are mounted.

use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// One mounted cgroup file system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CgroupMount {
    pub(super) version: u8,
    pub(super) path: PathBuf,
    /// Controllers of a version 1 hierarchy; empty for version 2.
    pub(super) controllers: Vec<String>,
}

/// The cgroup mounts in the text of `/proc/self/mountinfo` (proc_pid_mountinfo(5)).
pub(super) fn cgroup_mounts(mountinfo: &str) -> Vec<CgroupMount> {
    mountinfo.lines().filter_map(cgroup_mount).collect()
}

fn cgroup_mount(line: &str) -> Option<CgroupMount> {
    let (front, back) = line.split_once(" - ")?;
    let path = PathBuf::from(unescape(front.split(' ').nth(4)?));
    let mut back = back.split(' ');
    let version = match back.next()? {
        "cgroup2" => 2,
        "cgroup" => 1,
        _ => return None,
    };
    let options = back.nth(1).unwrap_or_default();
    let controllers = match version {
        1 => options.split(',').map(str::to_owned).collect(),
        _ => Vec::new(),
    };
    Some(CgroupMount {
        version,
        path,
        controllers,
    })
}

/// Undoes the octal escapes of mountinfo for the characters that matter in paths.
fn unescape(path: &str) -> String {
    path.replace("\\040", " ")
        .replace("\\011", "\t")
        .replace("\\012", "\n")
        .replace("\\134", "\\")
}

/// Whether this process may make groups in a directory.
pub(super) fn writable(directory: &Path) -> bool {
    let needed = rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK;
    let flags = rustix::fs::AtFlags::EACCESS;
    rustix::fs::accessat(rustix::fs::CWD, directory, needed, flags).is_ok()
}

/// Writes one value. Cgroup files take a whole value in one write and are never created.
pub(super) fn write(directory: &Path, file: &str, value: impl ToString) -> io::Result<()> {
    let path = directory.join(file);
    fs::OpenOptions::new()
        .write(true)
        .custom_flags(libc::O_CLOEXEC)
        .open(&path)
        .and_then(|mut opened| io::Write::write_all(&mut opened, value.to_string().as_bytes()))
        .map_err(|error| {
            // A group that somebody has removed since its file was opened.
            let kind = match error.raw_os_error() {
                Some(libc::ENODEV) => io::ErrorKind::NotFound,
                _ => error.kind(),
            };
            io::Error::new(kind, format!("{} ({error})", path.display()))
        })
}

/// Reads a file that holds one number; `None` when it is not there or says `max`.
pub(super) fn number(directory: &Path, file: &str) -> Option<u64> {
    number_in(&fs::read_to_string(directory.join(file)).ok()?)
}

/// Reads the number after `key` in a file of `key number` lines.
pub(super) fn keyed(directory: &Path, file: &str, key: &str) -> Option<u64> {
    number_after(key, &fs::read_to_string(directory.join(file)).ok()?)
}

fn number_in(text: &str) -> Option<u64> {
    text.trim().parse().ok()
}

fn number_after(key: &str, text: &str) -> Option<u64> {
    text.lines().find_map(|line| {
        let (name, value) = line.split_once(' ')?;
        (name == key).then(|| value.trim().parse().ok())?
    })
}

/// The processes of a group, no more than so many.
pub(super) fn members(directory: &Path, count_max: usize) -> Vec<u32> {
    let text = fs::read_to_string(directory.join("cgroup.procs")).unwrap_or_default();
    let numbers = text.lines().filter_map(|line| line.parse().ok());
    numbers.take(count_max).collect()
}

/// A file of a group that is read many times: opened for the first time, and then kept. Opening one
/// takes ten times as long as reading it.
#[derive(Debug)]
pub(super) struct KeptFile {
    path: PathBuf,
    opened: OnceLock<fs::File>,
}

/// More than any of these files has.
const KEPT_FILE_BYTES: usize = 2048;

impl KeptFile {
    pub(super) fn new(directory: &Path, name: &str) -> Self {
        Self {
            path: directory.join(name),
            opened: OnceLock::new(),
        }
    }

    /// The number that the file holds; `None` when it is not there or says `max`.
    pub(super) fn number(&self) -> Option<u64> {
        self.read(number_in)
    }

    /// The number after `key` in a file of `key number` lines.
    pub(super) fn keyed(&self, key: &str) -> Option<u64> {
        self.read(|text| number_after(key, text))
    }

    fn read<T>(&self, find: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        let file = match self.opened.get() {
            Some(file) => file,
            // One that cannot be opened now may be later: this process may have too many open.
            None => {
                let file = fs::File::open(&self.path).ok()?;
                self.opened.get_or_init(|| file)
            }
        };
        let mut bytes = [0; KEPT_FILE_BYTES];
        let length = file.read_at(&mut bytes, 0).ok()?;
        find(std::str::from_utf8(bytes.get(..length)?).ok()?)
    }
}

/// What is read many times for each sandbox.
#[derive(Debug)]
pub(super) struct KeptFiles {
    pub(super) cpu_time: KeptFile,
    pub(super) memory: KeptFile,
    pub(super) memory_peak: KeptFile,
    pub(super) memory_events: KeptFile,
    pub(super) processes: KeptFile,
    pub(super) process_events: KeptFile,
}

/// Descriptors that are opened when they are wanted for the first time.
pub(super) fn opened_once(
    kept: &OnceLock<Vec<OwnedFd>>,
    open: impl FnOnce() -> io::Result<Vec<OwnedFd>>,
) -> io::Result<&[OwnedFd]> {
    if kept.get().is_none() {
        // Whoever was faster has opened the same.
        let _ = kept.set(open()?);
    }
    Ok(kept.get().map_or(&[], Vec::as_slice))
}

/// Makes the slice and a group in it. Another process may remove the empty slice in between.
pub(super) fn make_group(
    slice: &Path,
    name: &str,
    prepare_slice: impl Fn(&Path) -> io::Result<()>,
) -> io::Result<PathBuf> {
    const ATTEMPTS: u32 = 20;
    let group = slice.join(name);
    for _ in 0..ATTEMPTS {
        match fs::create_dir(slice) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(named(slice, &error)),
        }
        match prepare_slice(slice).and_then(|()| fs::create_dir(&group)) {
            Ok(()) => return Ok(group),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(named(&group, &error)),
        }
    }
    Err(io::Error::other(format!(
        "{} keeps disappearing",
        slice.display()
    )))
}

fn named(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{} ({error})", path.display()))
}

/// Removes a group, then the slice when nothing else is in it; `false` when the group stays.
pub(super) fn try_remove_group(group: &Path) -> bool {
    match fs::remove_dir(group) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return false,
        _ => {}
    }
    remove_empty_slice(group);
    true
}

/// Fails while other sandboxes exist, which is as it should be.
fn remove_empty_slice(group: &Path) {
    if let Some(slice) = group.parent() {
        let _ = fs::remove_dir(slice);
    }
}

/// Removes a group whose last process has just ended, then the slice when nothing else is in it.
///
/// The kernel may count a process that has been waited for as inside for a moment longer.
pub(super) fn remove_group(group: &Path) -> io::Result<()> {
    const ATTEMPTS: u32 = 400;
    const PAUSE: Duration = Duration::from_millis(5);
    for attempt in 0.. {
        match fs::remove_dir(group) {
            Ok(()) => break,
            Err(error) if error.kind() == io::ErrorKind::NotFound => break,
            Err(error) if error.kind() == io::ErrorKind::ResourceBusy && attempt < ATTEMPTS => {
                std::thread::sleep(if attempt < 20 { PAUSE / 50 } else { PAUSE });
            }
            Err(error) => return Err(named(group, &error)),
        }
    }
    remove_empty_slice(group);
    Ok(())
}

/// Removes groups whose owner died without removing them. A group's name ends in its owner's
/// process id and start time, so a reused id is told apart.
pub(crate) fn sweep(slice: &Path) {
    let Ok(groups) = fs::read_dir(slice) else {
        return;
    };
    for group in groups.flatten() {
        let name = group.file_name();
        let Some(owner) = name.to_str().and_then(owner) else {
            continue;
        };
        if start_time(owner.0) != Some(owner.1) && fs::remove_dir(group.path()).is_ok() {
            let _ = fs::remove_dir(slice);
        }
    }
}

fn owner(name: &str) -> Option<(u32, u64)> {
    let mut parts = name.rsplit('.');
    let start = parts.next()?.parse().ok()?;
    Some((parts.next()?.parse().ok()?, start))
}

/// A group name that no other group has and that [`sweep`] understands.
pub(crate) fn group_name(name: &str) -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let process = std::process::id();
    format!(
        "{name}.{count}.{process}.{}",
        start_time(process).unwrap_or(0)
    )
}

/// When a process started, in clock ticks since boot: field 22 of proc_pid_stat(5).
fn start_time(process: u32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The second field may hold spaces and parentheses; everything after the last one is plain.
    text.rsplit_once(')')?
        .1
        .split_whitespace()
        .nth(19)?
        .parse()
        .ok()
}
