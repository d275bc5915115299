//! The processes of a container, of which this is the first.
//!
//! Owns hearing of their ends: also of those that have lost their parents, who come to the first
//! process. How they are started is not known here.

use std::io;

use atoll_jail::ProgramEnd;
use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitOptions, WaitStatus, kill_process_group, wait, waitpid};
use tokio::signal::unix::{Signal as Signals, SignalKind, signal};

/// The process of a program, and everything it started.
pub(crate) struct Processes {
    program: Pid,
    ended: Option<ProgramEnd>,
    /// Tells that some child has ended.
    signals: Signals,
    /// Whether every process here is the program's.
    owns_all: bool,
    /// The most processes and threads of everybody that the kernel has told of.
    all_peak: u16,
    /// How many that had lost their parents have failed.
    failed_orphans: u32,
}

/// The signals of ended children. They have to be heard from before the first child is started.
pub(crate) fn hear() -> io::Result<Signals> {
    signal(SignalKind::child())
}

impl Processes {
    pub(crate) fn new(program: u32, signals: Signals) -> io::Result<Self> {
        let program = i32::try_from(program).ok().and_then(Pid::from_raw);
        Ok(Self {
            program: program.ok_or(io::ErrorKind::InvalidData)?,
            ended: None,
            signals,
            owns_all: std::process::id() == 1,
            all_peak: 0,
            failed_orphans: 0,
        })
    }

    /// Waits for the program's end. Cancelling loses nothing.
    pub(crate) async fn wait(&mut self) -> ProgramEnd {
        loop {
            self.reap();
            if let Some(ended) = self.ended {
                return ended;
            }
            // They never end; if they did, there would be nobody left to hear from.
            if self.signals.recv().await.is_none() {
                return ProgramEnd::Signalled(Signal::KILL.as_raw());
            }
        }
    }

    /// How the program ended, if that is known.
    pub(crate) const fn ended(&self) -> Option<ProgramEnd> {
        self.ended
    }

    /// Hears of everything that has ended.
    fn reap(&mut self) -> bool {
        loop {
            let ended = if self.owns_all {
                wait(WaitOptions::NOHANG)
            } else {
                waitpid(Some(self.program), WaitOptions::NOHANG)
            };
            match ended {
                Ok(Some((process, status))) => {
                    if process == self.program {
                        self.ended = self.ended.or_else(|| end(status));
                    } else if status.exit_status() != Some(0) {
                        self.failed_orphans = self.failed_orphans.saturating_add(1);
                    }
                }
                Ok(None) => return false,
                Err(Errno::INTR) => {}
                // Nothing is left.
                Err(_) => return true,
            }
        }
    }

    /// Processes and threads of the program now, where all that are here are its own; else none are
    /// seen. One that has ended counts until its parent has heard of it, as it does for the limit.
    pub(crate) fn count(&self) -> u32 {
        if !self.owns_all {
            return 0;
        }
        let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
        let own = std::process::id();
        entries
            .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
            .filter(|process| *process != own)
            .filter_map(threads)
            .fold(0, u32::saturating_add)
    }

    /// How many there may have been at once, beside the program's first: those of now, and those
    /// that have failed while nobody but the first process of all was left to hear of it. Where
    /// each forks until it may not, all fail together, and faster than they could be counted.
    pub(crate) fn at_once_max(&self) -> u32 {
        self.count().saturating_add(self.failed_orphans)
    }

    /// Whether there may be more processes and threads than at any time before. Far cheaper than
    /// counting those of the program, and asked often.
    pub(crate) fn may_have_more(&mut self) -> bool {
        let all = rustix::system::sysinfo().procs;
        let has_more = all > self.all_peak;
        self.all_peak = self.all_peak.max(all);
        has_more
    }

    /// Ends the program and everything that it started.
    pub(crate) fn kill(&self) {
        // What has ended already is what is wanted.
        // The group of the first process stands for every process but that one (kill(2)).
        let group = if self.owns_all {
            Pid::INIT
        } else {
            self.program
        };
        let _ = kill_process_group(group, Signal::KILL);
    }

    /// Ends everything, and waits until nothing of it is left.
    pub(crate) async fn gone(&mut self) {
        loop {
            self.kill();
            if self.reap() {
                return;
            }
            if self.signals.recv().await.is_none() {
                return;
            }
        }
    }
}

/// Threads of a process: a line of proc_pid_status(5), which says 1 of one that has ended.
fn threads(process: u32) -> Option<u32> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let mut lines = status.lines();
    let threads = lines.find_map(|line| line.strip_prefix("Threads:"))?;
    threads.trim().parse().ok()
}

fn end(status: WaitStatus) -> Option<ProgramEnd> {
    status
        .exit_status()
        .map(ProgramEnd::Exited)
        .or_else(|| status.terminating_signal().map(ProgramEnd::Signalled))
}
