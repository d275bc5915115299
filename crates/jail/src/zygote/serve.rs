//! The zygote's side: makes copies on request and tells how they ended.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use atoll_types::IoUsage;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, PidfdFlags, WaitOptions, getpid, pidfd_open, wait};
use rustix::thread::CapabilitySet;

use super::copy::{self, Descriptors};
use crate::ablation::{self, Part};
use crate::control::{Receiver, send};
use crate::counts::Counts;
use crate::launcher::{confine, program_end};
use crate::plan::{Failure, Fork, Reply};
use crate::sys::{self, BlockedSignals, Forked};

/// What the interpreter has to do around a fork.
pub trait Hooks {
    /// Just before.
    fn before(&self);
    /// Just after, in the original.
    fn in_original(&self);
    /// Just after, in the copy.
    fn in_copy(&self);
}

/// Why [`serve`] returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Served {
    /// This is a copy, confined, with its program's descriptors in place.
    Copy,
    /// The supervisor is gone.
    Done,
}

/// A copy that runs, and where to tell of its end.
struct Running {
    pid: Pid,
    socket: OwnedFd,
}

struct Zygote<'a> {
    hooks: &'a dyn Hooks,
    /// This process, whose process namespace children are born in unless they are copies.
    own: OwnedFd,
    running: Vec<Running>,
    counts: Option<Counts>,
    /// What those have read and written that have ended.
    done: IoUsage,
}

/// Makes copies of this process for the supervisor at the other end of `control`.
///
/// The process must have a single thread. In each copy this returns [`Served::Copy`]; every
/// descriptor but the program's is closed there, `control` included.
///
/// # Errors
/// When the process cannot be a zygote at all. What fails for one copy is reported for that copy.
pub fn serve(control: OwnedFd, hooks: &dyn Hooks) -> io::Result<Served> {
    let before = BlockedSignals::now()?;
    let children = sys::child_signals()?;
    let mut zygote = Zygote {
        hooks,
        own: pidfd_open(getpid(), PidfdFlags::empty())?,
        running: Vec::new(),
        counts: Counts::of_this_process(),
        done: IoUsage::default(),
    };
    // Nothing is executed from here on; what copies would have to empty one by one is empty then.
    confine::bound_capabilities(CapabilitySet::empty()).map_err(|failure| failure.error())?;
    send(control.as_fd(), &Reply::Ready, &[])?;
    let mut receiver = Receiver::default();
    loop {
        let mut watched = [
            PollFd::new(&control, PollFlags::IN),
            PollFd::new(&children, PollFlags::IN),
        ];
        match poll(&mut watched, None) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let [request, ended] = watched.map(|watched| watched.revents());
        if ended.contains(PollFlags::IN) {
            let _ = rustix::io::read(&children, &mut [0_u8; 128]);
            zygote.reap();
        }
        if request.is_empty() {
            continue;
        }
        let Ok((fork, descriptors)) = receiver.receive_blocking::<Fork>(control.as_fd()) else {
            return Ok(Served::Done);
        };
        if zygote.copy(&fork, descriptors)? == Forked::Child {
            // Every descriptor that is not the program's has been closed by its number.
            std::mem::forget((control, children, zygote, receiver));
            // The interpreter's own mask: nothing of the zygote's business is blocked.
            before.restore()?;
            return Ok(Served::Copy);
        }
    }
}

impl Zygote<'_> {
    /// Makes one copy. An error is the zygote's own: it must not go on then.
    fn copy(&mut self, fork: &Fork, descriptors: Vec<OwnedFd>) -> io::Result<Forked> {
        let Some(descriptors) = Descriptors::new(fork, descriptors) else {
            return Err(io::ErrorKind::InvalidData.into());
        };
        let tell = |failure| {
            // Whoever asked may be gone; then nobody misses the copy.
            let _ = send(descriptors.socket.as_fd(), &Reply::Failed(failure), &[]);
            Ok(Forked::Parent(0))
        };
        let first = match sys::first_process() {
            Ok(first) => first,
            Err(error) => return tell(Failure::new(None, "make a process namespace", &error)),
        };
        if !ablation::is_off(Part::PidNamespace) {
            sys::children_live_with(first.as_fd())?;
        }
        self.hooks.before();
        let forked = sys::fork();
        if matches!(forked, Ok(Forked::Child)) {
            self.hooks.in_copy();
            copy::confine(fork, descriptors);
            return Ok(Forked::Child);
        }
        self.hooks.in_original();
        sys::children_live_with(self.own.as_fd())?;
        let pid = match forked {
            Ok(Forked::Parent(pid)) => pid,
            Ok(Forked::Child) => 0,
            Err(error) => {
                end(&first);
                return tell(Failure::new(None, "fork the interpreter", &error));
            }
        };
        let spawned = send(
            descriptors.socket.as_fd(),
            &Reply::Spawned,
            &[first.as_fd()],
        );
        if spawned.is_err() {
            end(&first);
        }
        self.running.extend(Pid::from_raw(pid).map(|pid| Running {
            pid,
            socket: descriptors.socket,
        }));
        Ok(Forked::Parent(pid))
    }

    /// Waits for every child that has ended: copies, and first processes of theirs.
    fn reap(&mut self) {
        while let Ok(Some((pid, status))) = wait(WaitOptions::NOHANG) {
            let Some(end) = program_end(status) else {
                continue;
            };
            let all = self.counts.as_ref().and_then(Counts::waited_for);
            let its = all.map(|all| all.since(&self.done));
            self.done = all.unwrap_or(self.done);
            if let Some(place) = self.running.iter().position(|copy| copy.pid == pid) {
                let copy = self.running.swap_remove(place);
                let _ = send(copy.socket.as_fd(), &Reply::Ended(end, its), &[]);
            }
        }
    }
}

fn end(process: &OwnedFd) {
    let _ = rustix::process::pidfd_send_signal(process, rustix::process::Signal::KILL);
}
