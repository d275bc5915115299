//! What processes have read and written, as the kernel counts it in `/proc/PID/io` (proc(5)).
//!
//! The figures of a process take in those of its children, but only once it has waited for them:
//! of children that nobody waits for, because their parent ignores the signal of their end, nothing
//! is ever told. A process begins with nothing when it is forked, and execve changes nothing.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;

use atoll_types::IoUsage;
use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::process::{DumpableBehavior, dumpable_behavior, set_dumpable_behavior};

/// More than the lines that are read have, with numbers of any size.
pub(crate) const TEXT_BYTES: usize = 256;

/// The counters of this process, opened once: reading an open one takes about a microsecond.
#[derive(Debug)]
pub(crate) struct Counts {
    /// Of the process and of all that it has waited for.
    whole: File,
    /// Of its thread alone.
    own: File,
}

impl Counts {
    /// Those of this process, which has one thread; `None` where there is no `/proc`. They stay
    /// those of this process in one that is forked from it.
    pub(crate) fn of_this_process() -> Option<Self> {
        // A process that has changed its user may not open its own files.
        let was_open = matches!(dumpable_behavior(), Ok(DumpableBehavior::Dumpable));
        if !was_open {
            set_dumpable_behavior(DumpableBehavior::Dumpable).ok()?;
        }
        let opened = Self::open();
        if !was_open {
            set_dumpable_behavior(DumpableBehavior::NotDumpable).ok()?;
        }
        opened.ok()
    }

    fn open() -> io::Result<Self> {
        let open = |path: &str| -> io::Result<File> {
            let flags = OFlags::RDONLY | OFlags::CLOEXEC;
            Ok(openat(CWD, path, flags, Mode::empty())?.into())
        };
        Ok(Self {
            whole: open("/proc/self/io")?,
            own: open("/proc/thread-self/io")?,
        })
    }

    /// What the process and all that it has waited for have done, this look included.
    pub(crate) fn whole(&self) -> Option<IoUsage> {
        read(&self.whole).map(with_look)
    }

    /// What those have done that it has waited for.
    pub(crate) fn waited_for(&self) -> Option<IoUsage> {
        let own = with_look(read(&self.own)?);
        Some(read(&self.whole)?.0.since(&own))
    }
}

/// Looking counts, too, but only afterwards.
fn with_look((mut done, length): (IoUsage, u64)) -> IoUsage {
    done.reads = done.reads.saturating_add(1);
    done.read_bytes = done.read_bytes.saturating_add(length);
    done
}

/// The figures in an open file, and how many bytes they took.
fn read(file: &File) -> Option<(IoUsage, u64)> {
    let mut text = [0; TEXT_BYTES];
    let length = rustix::io::pread(file.as_fd(), &mut text, 0).ok()?;
    Some((parse(text.get(..length)?)?, length as u64))
}

/// What a process and all that it has waited for have done; `None` where this process may not know.
pub(crate) fn of_process(process: u32) -> Option<IoUsage> {
    read(&File::open(format!("/proc/{process}/io")).ok()?).map(|(done, _)| done)
}

/// The figures in the kernel's text, which may end anywhere behind them.
#[must_use]
pub fn parse(text: &[u8]) -> Option<IoUsage> {
    let mut done = [None; 4];
    let lines = text.split_inclusive(|byte| *byte == b'\n');
    // A number that is cut off is another number.
    for line in lines.filter_map(|line| line.strip_suffix(b"\n")) {
        let mut parts = std::str::from_utf8(line).ok()?.split(": ");
        let place = match parts.next()? {
            "rchar" => 0,
            "wchar" => 1,
            "syscr" => 2,
            "syscw" => 3,
            _ => continue,
        };
        *done.get_mut(place)? = Some(parts.next()?.parse().ok()?);
    }
    let [read_bytes, written_bytes, reads, writes] = done;
    Some(IoUsage {
        reads: reads?,
        writes: writes?,
        read_bytes: read_bytes?,
        written_bytes: written_bytes?,
    })
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};

    use super::*;

    #[test]
    fn the_kernels_text_is_understood() {
        let text = b"rchar: 12\nwchar: 34\nsyscr: 5\nsyscw: 6\nread_bytes: 0\nwrite_by";
        let expected = IoUsage {
            reads: 5,
            writes: 6,
            read_bytes: 12,
            written_bytes: 34,
        };
        assert_eq!(parse(text), Some(expected));
        assert_eq!(parse(b"rchar: 12\nwchar: 34\nsyscr: 5\nsyscw: 6"), None);
        assert_eq!(parse(b"rchar: -1\nwchar: 34\nsyscr: 5\nsyscw: 6\n"), None);
        assert_eq!(parse(&[0xff; 64]), None);
        assert_eq!(parse(b""), None);
    }

    #[test]
    fn a_process_knows_what_it_did() {
        // Of this thread only: other tests run beside it.
        let before = read(&Counts::of_this_process().unwrap().own).unwrap().0;
        let own = File::open("/proc/thread-self/io").unwrap();
        let mut null = std::fs::OpenOptions::new()
            .write(true)
            .open("/dev/null")
            .unwrap();
        let mut zero = File::open("/dev/zero").unwrap();
        let first = read(&own).unwrap().0;
        assert!(first.reads > before.reads);
        for _ in 0..10 {
            null.write_all(&[0; 100]).unwrap();
            zero.read_exact(&mut [0; 1000]).unwrap();
        }
        let done = read(&own).unwrap().0.since(&first);
        assert_eq!((done.reads, done.writes), (11, 10));
        assert_eq!(done.written_bytes, 1000);
        assert!((10_000..10_256).contains(&done.read_bytes), "{done:?}");
    }

    #[test]
    fn of_a_process_that_is_not_there_nothing_is_known() {
        assert_eq!(of_process(u32::MAX), None);
        assert!(of_process(std::process::id()).is_some());
    }
}
