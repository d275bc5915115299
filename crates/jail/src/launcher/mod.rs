//! The launcher: a small process that builds one jail and starts one program in it.
//!
//! It is a program of its own, started afresh for each jail, so that nothing of the supervisor's
//! memory is ever inside a jail, and so that everything here runs in a process with one thread.
//!
//! ```text
//! supervisor --plan--> launcher --clone3--> first process: pid 1 of the jail, child of the
//!                      writes id maps        supervisor; joins the cgroups, builds the root
//!            <-Spawned-  and exits            --clone3--> the program's process: gives up all
//!            --limits---------------------->              that it can before it knows its job
//!            <-Ready------------------------  puts them in force
//!            --start------------------------------------> places files, becomes the program
//!            <-Started----------------------
//!            <-Ended------------------------  waits for it, then exits
//! ```
//!
//! When the first process ends, for whatever reason, the kernel ends everything in its process
//! namespace. It ends itself when the supervisor's end of the socket closes.

pub(crate) mod confine;
mod device;
mod first;
pub(crate) mod identity;
mod keeper;
mod network;
mod program;
pub(crate) mod root;

pub(crate) use first::program_end;

use std::fs;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use atoll_types::Layer;

use crate::ablation;
use crate::control::{Receiver, send};
use crate::plan::{CgroupJoin, Failure, Plan, Reply};
use crate::sys::{self, Side};

/// The namespaces that exist before anything else is built; the cgroup namespace follows once the
/// cgroups are joined, so that its root is the jail's own group.
pub(crate) const NAMESPACES: i32 = libc::CLONE_NEWUSER
    | libc::CLONE_NEWNS
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWNET
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWUTS;

/// Builds the jail that the supervisor at the other end of `socket` asks for.
///
/// Returns in the launcher when the first process is on its own; in the first process it never
/// returns.
///
/// # Errors
/// When the supervisor is gone. Failures of single steps are reported to it instead.
pub fn run(socket: &OwnedFd) -> io::Result<()> {
    // Wherever the supervisor stands, its directory stays free.
    std::env::set_current_dir("/")?;
    // While there are privileges. Where this fails, a program that needs it is refused.
    let _ = sys::map_low_page();
    // The supervisor, which wakes what is inside, goes on: it has the next output or message to see
    // to. Nothing is lost where this fails but time.
    let _ = sys::wait_for_turns();
    let (plan, descriptors): (Plan, _) = Receiver::default().receive_blocking(socket.as_fd())?;
    match spawn(&plan, descriptors, socket) {
        Ok(()) => Ok(()),
        Err(failure) => send(socket.as_fd(), &Reply::Failed(failure), &[]),
    }
}

fn spawn(plan: &Plan, cgroups: Vec<OwnedFd>, socket: &OwnedFd) -> Result<(), Failure> {
    let kvm = device::kvm(plan)?;
    let (go_read, go_write) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)
        .map_err(|error| Failure::new(None, "make a pipe", &error.into()))?;
    // The supervisor becomes the parent: it can wait for the first process, and the launcher need
    // not stay around with its privileges.
    let born_into = match (plan.cgroups, cgroups.first()) {
        (CgroupJoin::BornInto, Some(directory)) => Some(directory.as_fd()),
        _ => None,
    };
    let side = sys::clone_process(
        ablation::namespaces(NAMESPACES) | libc::CLONE_PARENT,
        born_into,
    );
    let side = side.map_err(|error| namespaces_refused(&error))?;
    let Side::Parent { pid, pidfd } = side else {
        drop(go_write);
        first::live(plan, first::Given { cgroups, kvm }, socket, go_read);
    };
    drop((go_read, kvm));
    let mapped = identity::write_maps(pid, plan)
        .map_err(|error| Failure::new(Some(Layer::OwnUser), "map the jail's user ids", &error))
        .and_then(|()| announce(socket.as_fd(), &pidfd));
    match mapped {
        // One byte says that the maps are written; without it the first process ends.
        Ok(()) => {
            let _ = rustix::io::write(&go_write, &[1]);
            Ok(())
        }
        Err(failure) => {
            let _ = rustix::process::pidfd_send_signal(&pidfd, rustix::process::Signal::KILL);
            Err(failure)
        }
    }
}

fn announce(socket: BorrowedFd<'_>, pidfd: &OwnedFd) -> Result<(), Failure> {
    send(socket, &Reply::Spawned, &[pidfd.as_fd()])
        .map_err(|error| Failure::new(None, "report the first process", &error))
}

/// Names the layer behind a refused clone3 as well as the error number tells.
fn namespaces_refused(error: &io::Error) -> Failure {
    let limit = |file: &str| fs::read_to_string(file).is_ok_and(|text| text.trim() == "0");
    let (layer, attempt) = match error.raw_os_error() {
        Some(libc::EPERM) => (
            Layer::UserNamespace,
            "create a user namespace; see the sysctls kernel.unprivileged_userns_clone and \
             kernel.apparmor_restrict_unprivileged_userns",
        ),
        Some(libc::ENOSPC) if limit("/proc/sys/user/max_user_namespaces") => (
            Layer::UserNamespace,
            "create a user namespace; the sysctl user.max_user_namespaces is 0",
        ),
        Some(libc::ENOSPC) => (
            Layer::UserNamespace,
            "create namespaces; a sysctl user.max_*_namespaces is exhausted",
        ),
        Some(libc::ENOSYS) => (
            Layer::UserNamespace,
            "create namespaces with clone3, which needs Linux 5.7 or newer",
        ),
        _ => (Layer::UserNamespace, "create namespaces"),
    };
    Failure::new(Some(layer), attempt, error)
}
