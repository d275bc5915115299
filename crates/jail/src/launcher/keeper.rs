//! The keeper of a jail that serves several programs, one after the other.
//!
//! It stands where the first process of other jails stands, and owns what they share: the root, the
//! user namespace and the cgroups. All else is made anew for each program, as in any jail: the
//! keeper forks a first process into namespaces of its own, with private files of its own, and
//! waits for its end, before which the kernel ends every process of that namespace. Then it waits
//! to be asked for the next one.
//!
//! It knows nothing of any program: limits, files, arguments and the system call filter go from the
//! supervisor to the first process and the program's process, past it. The program is in another
//! process namespace, has another user id, and cannot see, signal or reach it.

use std::os::fd::{AsFd, OwnedFd};

use atoll_types::Layer;
use rustix::process::{Pid, WaitOptions, waitpid};

use super::{confine, first, root};
use crate::ablation;
use crate::control::{Receiver, send};
use crate::plan::{Failure, Plan, Renew, Reply};
use crate::sys::{self, Side};

/// What each program has of its own. The user namespace is the jail's, and the cgroup namespace
/// shows the jail's own group already.
const NAMESPACES: i32 = libc::CLONE_NEWNS
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWNET
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWUTS;

/// Makes a first process for one program after the other, until the supervisor is gone.
pub(super) fn keep(plan: &Plan, socket: &OwnedFd) -> Result<(), Failure> {
    confine::keep_what_confining_takes()?;
    loop {
        serve_next(plan, socket)?;
        let asked = Receiver::default().receive_blocking::<Renew>(socket.as_fd());
        if !asked.is_ok_and(|(asked, _)| asked.word == Renew::WORD) {
            return Ok(());
        }
    }
}

/// Makes a first process and waits for its end, and with it that of everything it has started.
fn serve_next(plan: &Plan, socket: &OwnedFd) -> Result<(), Failure> {
    let failed = |error: &std::io::Error| {
        Failure::new(Some(Layer::PidNamespace), "make a first process", error)
    };
    let side = sys::clone_process(ablation::namespaces(NAMESPACES), None);
    let (pid, pidfd) = match side.map_err(|error| failed(&error))? {
        Side::Parent { pid, pidfd } => (pid, pidfd),
        Side::Child => {
            let served = root::furnish_next(plan)
                .and_then(|files| first::serve_program(plan, socket, files));
            first::leave(served, socket)
        }
    };
    send(socket.as_fd(), &Reply::Began, &[pidfd.as_fd()])
        .map_err(|error| Failure::new(None, "report the first process", &error))?;
    let pid = Pid::from_raw(pid).ok_or(std::io::ErrorKind::InvalidData.into());
    let pid = pid.map_err(|error| failed(&error))?;
    loop {
        match waitpid(Some(pid), WaitOptions::empty()) {
            Err(rustix::io::Errno::INTR) => {}
            Ok(_) => return Ok(()),
            Err(error) => return Err(failed(&error.into())),
        }
    }
}
