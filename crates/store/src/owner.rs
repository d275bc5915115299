//! Which process is at work on a message, in a form that outlives the process.
//!
//! A process id alone is used again by the kernel; together with the start time and the boot it
//! never is.

use std::fs;
use std::io;

/// The process that runs a message.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Owner {
    /// Process id.
    pub pid: u32,
    /// When the process started, in clock ticks since boot (field 22 of `/proc/PID/stat`).
    pub start_ticks: u64,
    /// The boot this was in (`/proc/sys/kernel/random/boot_id`). Without it, a service that
    /// starts early in each boot could be taken for its own predecessor.
    pub boot_id: String,
}

impl Owner {
    /// The calling process. It does not change, so ask once.
    ///
    /// # Errors
    /// When `/proc` is not mounted or not readable.
    pub fn this_process() -> io::Result<Self> {
        let pid = std::process::id();
        let stat = fs::read("/proc/self/stat")?;
        let (_, start_ticks) = parse_stat(&stat).ok_or_else(|| {
            io::Error::new(
                io::ErrorKind::InvalidData,
                "unexpected form of /proc/self/stat",
            )
        })?;
        Ok(Self {
            pid,
            start_ticks,
            boot_id: boot_id()?,
        })
    }

    /// Whether that very process still runs. In doubt it does: marking a living message as
    /// interrupted would be wrong for good, asking again later is not.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        match boot_id() {
            Ok(boot_id) if boot_id != self.boot_id => return false,
            _ => {}
        }
        match fs::read(format!("/proc/{}/stat", self.pid)) {
            Ok(stat) => match parse_stat(&stat) {
                Some((state, start_ticks)) => {
                    start_ticks == self.start_ticks && !matches!(state, b'Z' | b'X')
                }
                None => true,
            },
            // ESRCH is what reading gives when the process ends between opening and reading.
            Err(error) => {
                error.kind() != io::ErrorKind::NotFound
                    && error.raw_os_error() != Some(rustix::io::Errno::SRCH.raw_os_error())
            }
        }
    }
}

fn boot_id() -> io::Result<String> {
    let text = fs::read_to_string("/proc/sys/kernel/random/boot_id")?;
    Ok(text.trim().to_owned())
}

/// The state letter and the start time. The name in parentheses may hold anything, even
/// parentheses, so fields are counted from the last one.
fn parse_stat(stat: &[u8]) -> Option<(u8, u64)> {
    let name_end = stat.iter().rposition(|byte| *byte == b')')?;
    let rest = std::str::from_utf8(stat.get(name_end + 1..)?).ok()?;
    let mut fields = rest.split_ascii_whitespace();
    let state = *fields.next()?.as_bytes().first()?;
    // The state is field 3 and the start time field 22, see proc_pid_stat(5).
    let start_ticks = fields.nth(18)?.parse().ok()?;
    Some((state, start_ticks))
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn this_process_is_alive_and_its_like_are_not() {
        let me = Owner::this_process().unwrap();
        assert!(me.is_alive());
        let earlier = Owner {
            start_ticks: me.start_ticks + 1,
            ..me.clone()
        };
        assert!(!earlier.is_alive());
        let other_boot = Owner {
            boot_id: "another".to_owned(),
            ..me.clone()
        };
        assert!(!other_boot.is_alive());
        // Above the highest process id that Linux hands out.
        let nobody = Owner { pid: 1 << 23, ..me };
        assert!(!nobody.is_alive());
    }

    #[test]
    fn a_zombie_is_not_alive() {
        let mut child = Command::new("/bin/cat")
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let stat = fs::read(format!("/proc/{}/stat", child.id())).unwrap();
        let owner = Owner {
            pid: child.id(),
            start_ticks: parse_stat(&stat).unwrap().1,
            boot_id: boot_id().unwrap(),
        };
        assert!(owner.is_alive());
        child.kill().unwrap();
        // Killed but not waited for: a zombie as soon as the kernel has seen to it.
        while owner.is_alive() {
            std::thread::yield_now();
        }
        child.wait().unwrap();
        assert!(!owner.is_alive());
    }

    #[test]
    fn a_hostile_process_name_does_not_confuse() {
        let stat = b"7 (a) R 1 ) b) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4242 0";
        assert_eq!(parse_stat(stat), Some((b'S', 4242)));
        assert_eq!(parse_stat(b"7 (a) S 1"), None);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            let _ = parse_stat(&bytes);
        }
    }
}
