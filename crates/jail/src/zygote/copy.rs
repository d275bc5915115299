//! The copy's side: from the fork to an interpreter that may do nothing but run its program.

use std::io;
use std::os::fd::{AsFd, OwnedFd, RawFd};

use atoll_types::Layer;
use rustix::io::fcntl_dupfd_cloexec;
use rustix::process::{DumpableBehavior, set_dumpable_behavior};

use crate::ablation::{self, Part};
use crate::control::send;
use crate::launcher::{confine, root};
use crate::plan::{Failure, Fork, Reply, WORK_DIRECTORY};
use crate::sys;

/// What comes along with a [`Fork`].
pub(super) struct Descriptors {
    /// The copy's own connection to the supervisor.
    pub(super) socket: OwnedFd,
    /// The program's, from 0 on.
    program: Vec<OwnedFd>,
    /// `tasks` or `cgroup.procs` files, to write "0" to.
    cgroups: Vec<OwnedFd>,
}

impl Descriptors {
    /// Takes apart what was received; `None` when something is missing.
    pub(super) fn new(fork: &Fork, mut received: Vec<OwnedFd>) -> Option<Self> {
        if received.len() < fork.descriptors + 1 || fork.descriptors < 3 {
            return None;
        }
        let cgroups = received.split_off(fork.descriptors + 1);
        let program = received.split_off(1);
        Some(Self {
            socket: received.pop()?,
            program,
            cgroups,
        })
    }
}

/// Confines this process, which is a fresh copy of the zygote. Returns only on success, with the
/// program's descriptors as the only ones that are open.
pub(super) fn confine(fork: &Fork, descriptors: Descriptors) {
    let Descriptors {
        socket,
        program,
        cgroups,
    } = descriptors;
    let last = match prepare(fork, &socket, &program, &cgroups) {
        Ok(last) => last,
        Err(failure) => fail(&socket, failure),
    };
    // All of them were closed by their numbers, but for the last.
    std::mem::forget((socket, program, cgroups));
    // Not before the descriptors have low numbers: of those of a zygote with many copies, more are
    // in use than a program may have.
    if let Err(failure) = confine::resource_limits(&fork.resource_limits) {
        fail(&last, failure);
    }
    if let Err(error) = fork.filter.install() {
        let failure = Failure::new(
            Some(Layer::Seccomp),
            "install the system call filter",
            &error,
        );
        fail(&last, failure);
    }
}

fn fail(socket: &OwnedFd, failure: Failure) -> ! {
    let _ = send(socket.as_fd(), &Reply::Failed(failure), &[]);
    sys::exit_now(127);
}

/// Everything but the limits of processes and the filter. Answers with the socket, the one
/// descriptor that is not the program's and still open.
fn prepare(
    fork: &Fork,
    socket: &OwnedFd,
    program: &[OwnedFd],
    cgroups: &[OwnedFd],
) -> Result<OwnedFd, Failure> {
    let own = !ablation::is_off(Part::OwnGroups);
    for tasks in cgroups.iter().filter(|_| own) {
        rustix::io::write(tasks, b"0")
            .map_err(|error| failed(Some(Layer::MemoryLimit), "join a cgroup", error.into()))?;
    }
    leave_namespaces(fork.own_network)?;
    let user = ablation::user_of_copy(fork.user);
    let directory = root::furnish_copy(user, ablation::disk_limits(fork.disk))?;
    rustix::process::setsid().map_err(|error| failed(None, "start a session", error.into()))?;
    confine::become_nobody(Some(user))?;
    std::env::set_current_dir(WORK_DIRECTORY).map_err(|error| {
        let attempt = "enter the working directory";
        failed(Some(Layer::PrivateFiles), attempt, error)
    })?;
    // Taking another id has closed the process's own files in /proc to it; execve would open them.
    let open = DumpableBehavior::Dumpable;
    set_dumpable_behavior(open)
        .map_err(|error| failed(None, "open the copy's files in /proc", error.into()))?;
    confine::landlock(fork.landlock, None)?;
    send(socket.as_fd(), &Reply::Ready, &[directory.as_fd()])
        .map_err(|error| failed(None, "report that the copy is ready", error))?;
    // Closed with the others, by its number.
    std::mem::forget(directory);
    arrange(program, socket)
        .map_err(|error| failed(Some(Layer::ClosedDescriptors), "arrange descriptors", error))
}

/// Moves into namespaces that nobody else is in. That of the processes is there already; those of
/// the host name and of System V IPC are the zygote's, because no system call of a program reaches
/// what they separate.
fn leave_namespaces(network: bool) -> Result<(), Failure> {
    let mut namespaces = libc::CLONE_NEWNS | libc::CLONE_NEWCGROUP;
    if network {
        namespaces |= libc::CLONE_NEWNET;
    }
    sys::leave_namespaces(ablation::namespaces(namespaces))
        .map_err(|error| failed(Some(Layer::MountNamespace), "create namespaces", error))
}

/// Puts the program's descriptors at 0, 1, 2, ... and closes all others, apart from a copy of the
/// socket just above them.
fn arrange(program: &[OwnedFd], socket: &OwnedFd) -> io::Result<OwnedFd> {
    let count = RawFd::try_from(program.len()).map_err(io::Error::other)?;
    // Copies above all targets first, so that no target overwrites a source still needed.
    let lifted: Vec<OwnedFd> = program
        .iter()
        .chain([socket])
        .map(|descriptor| Ok(fcntl_dupfd_cloexec(descriptor, count + 1)?))
        .collect::<io::Result<_>>()?;
    for (target, source) in (0..).zip(&lifted) {
        sys::place_descriptor(source.as_fd(), target)?;
    }
    std::mem::forget(lifted);
    if !ablation::is_off(Part::ClosedDescriptors) {
        sys::close_from(count.unsigned_abs() + 1)?;
    }
    sys::take_descriptor(count)
}

fn failed(layer: Option<Layer>, attempt: &str, error: io::Error) -> Failure {
    Failure::new(layer, attempt, &error)
}
