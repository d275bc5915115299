//! What a program in a sandbox must never change: settings of the host, and what would carry a
//! sandbox's user ids outside.
//!
//! Other programs run on the same machine, so only what nobody changes in passing is compared, and
//! what is looked for is told from other programs' by its owner.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The first of the user ids that only sandboxes have.
const SANDBOX_USER: u32 = 0x6000_0000;

/// Files of the kernel that attacks aim at.
const SETTINGS: [&str; 9] = [
    "/proc/sys/kernel/hostname",
    "/proc/sys/kernel/domainname",
    "/proc/sys/kernel/core_pattern",
    "/proc/sys/kernel/modprobe",
    "/proc/sys/kernel/hotplug",
    "/proc/sys/kernel/panic",
    "/proc/sys/fs/suid_dumpable",
    "/proc/sys/vm/overcommit_memory",
    "/sys/kernel/uevent_helper",
];

/// Where everybody may write, and where attacks try to.
const PLACES: [&str; 10] = [
    "/tmp",
    "/var/tmp",
    "/dev/shm",
    "/dev/mqueue",
    "/run",
    "/",
    "/usr",
    "/usr/bin",
    "/etc",
    "/dev",
];

/// Settings of the kernel, mounts, and interpreters, as text to be compared.
#[must_use]
pub fn settings() -> BTreeMap<String, String> {
    let read = |path: &Path| fs::read_to_string(path).unwrap_or_default();
    let mut found: BTreeMap<String, String> = SETTINGS
        .into_iter()
        .map(|path| (path.to_owned(), read(Path::new(path))))
        .collect();
    for hierarchy in entries(Path::new("/sys/fs/cgroup")) {
        for name in ["release_agent", "notify_on_release"] {
            let file = hierarchy.join(name);
            found.insert(file.display().to_string(), read(&file));
        }
    }
    let mounts = read(Path::new("/proc/self/mountinfo"));
    let points: Vec<_> = mounts
        .lines()
        .filter_map(|line| line.split(' ').nth(4))
        .collect();
    found.insert("mounts".to_owned(), points.join(" "));
    for program in ["/usr/bin/python3", "/usr/bin/env", "/bin/sh", "/usr/bin/su"] {
        found.insert(program.to_owned(), appearance(Path::new(program)));
    }
    found
}

/// Everything outside sandboxes that one of their programs has made: files, shared memory,
/// semaphores and queues of their users, their abstract sockets and keys.
#[must_use]
pub fn made_inside() -> Vec<String> {
    let places = PLACES.iter().map(Path::new);
    let mut found: Vec<String> = places.flat_map(files_made_inside).collect();
    for kind in ["shm", "msg", "sem"] {
        let text = fs::read_to_string(format!("/proc/sysvipc/{kind}")).unwrap_or_default();
        found.extend(sandbox_objects(kind, &text));
    }
    let sockets = fs::read_to_string("/proc/net/unix").unwrap_or_default();
    let own = sockets.lines().filter(|line| line.ends_with(" @own"));
    found.extend(own.map(|line| format!("socket {line}")));
    let keys = fs::read_to_string("/proc/keys").unwrap_or_default();
    let own = keys.lines().filter(|line| line.contains("canary"));
    found.extend(own.map(|line| format!("key {line}")));
    found
}

fn files_made_inside(place: &Path) -> Vec<String> {
    let by_sandbox = |path: &&PathBuf| {
        let owned = fs::symlink_metadata(path).is_ok_and(|kind| kind.uid() >= SANDBOX_USER);
        owned || path.ends_with("planted")
    };
    let found = entries(place);
    let found = found.iter().filter(by_sandbox);
    found
        .map(|path| format!("file {}", path.display()))
        .collect()
}

/// Rows of a list of System V objects whose owner or maker is a sandbox's user. The columns are
/// named in the first line, in another order for each kind.
fn sandbox_objects(kind: &str, text: &str) -> Vec<String> {
    let mut lines = text.lines();
    let header = lines.next().unwrap_or_default();
    let users: Vec<usize> = header
        .split_ascii_whitespace()
        .enumerate()
        .filter(|(_, name)| ["uid", "cuid"].contains(name))
        .map(|(column, _)| column)
        .collect();
    let of_sandbox = |line: &&str| {
        let fields: Vec<&str> = line.split_ascii_whitespace().collect();
        let mut ids = users.iter().filter_map(|column| fields.get(*column));
        ids.any(|id| id.parse::<u32>().is_ok_and(|id| id >= SANDBOX_USER))
    };
    let rows = lines.filter(of_sandbox);
    rows.map(|line| format!("{kind} {}", line.trim())).collect()
}

/// Kind, mode, length, times, owner and inode of a file.
#[must_use]
pub fn appearance(path: &Path) -> String {
    fs::symlink_metadata(path).map_or_else(
        |error| error.to_string(),
        |kind| {
            let times = (kind.mtime(), kind.mtime_nsec());
            let owner = (kind.uid(), kind.gid(), kind.nlink(), kind.ino());
            format!("{:o} {} {times:?} {owner:?}", kind.mode(), kind.len())
        },
    )
}

fn entries(directory: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(directory) else {
        return Vec::new();
    };
    entries.flatten().map(|entry| entry.path()).collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::chown;

    use super::*;

    #[test]
    fn what_a_sandbox_has_made_outside_is_seen() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("left");
        fs::write(&file, "").unwrap();
        assert_eq!(files_made_inside(place.path()), [""; 0]);
        chown(&file, Some(SANDBOX_USER + 7), None).unwrap();
        fs::write(place.path().join("planted"), "").unwrap();
        assert_eq!(files_made_inside(place.path()).len(), 2);
        let _ = made_inside();
    }

    #[test]
    fn objects_of_sandboxes_are_told_from_others() {
        let text = "  key shmid perms size cpid lpid nattch uid gid cuid cgid\n\
                    0 1 600 4096 7 7 0 0 0 0 0\n\
                    0 2 600 4096 7 7 0 1610612743 0 0 0\n\
                    0 3 600 4096 7 7 0 0 0 1610612744 0\n";
        let found = sandbox_objects("shm", text);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].starts_with("shm 0 2 "), "{found:?}");
    }

    #[test]
    fn settings_are_there_to_be_compared() {
        let settings = settings();
        assert!(!settings["/proc/sys/kernel/hostname"].is_empty());
        assert!(settings["mounts"].contains("/proc"));
        assert_eq!(settings, super::settings());
    }
}
