//! The jail's first process: joins, builds, starts the program, waits for everything.

use std::os::fd::{AsFd, OwnedFd};

use atoll_types::Layer;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{DumpableBehavior, Pid, WaitOptions, WaitStatus, wait};

use super::{confine, keeper, network, program, root};
use crate::ablation::{self, Part};
use crate::control::{Receiver, send};
use crate::counts::Counts;
use crate::plan::{CgroupJoin, DiskLimits, Failure, Plan, ProgramEnd, Reply};
use crate::sys;

/// What a first process gets of the launcher, which has more rights.
pub(super) struct Given {
    pub(super) cgroups: Vec<OwnedFd>,
    pub(super) kvm: Option<OwnedFd>,
}

/// The whole life of the first process.
pub(super) fn live(plan: &Plan, given: Given, socket: &OwnedFd, go: OwnedFd) -> ! {
    let end = match rustix::io::read(&go, &mut [0_u8; 1]) {
        Ok(1) => {
            drop(go);
            serve(plan, given, socket)
        }
        _ => Ok(()),
    };
    leave(end, socket)
}

/// Ends this process, and tells why if that is not as it should be.
pub(super) fn leave(end: Result<(), Failure>, socket: &OwnedFd) -> ! {
    if let Err(failure) = end {
        let _ = send(socket.as_fd(), &Reply::Failed(failure), &[]);
    }
    sys::exit_now(0);
}

fn serve(plan: &Plan, given: Given, socket: &OwnedFd) -> Result<(), Failure> {
    join(plan.cgroups, given.cgroups)?;
    own_identity(plan)?;
    match root::enter(plan, given.kvm)? {
        Some(files) => serve_program(plan, socket, files),
        None => keeper::keep(plan, socket),
    }
}

/// Serves one program, as the first process of its process namespace.
pub(super) fn serve_program(
    plan: &Plan,
    socket: &OwnedFd,
    files: root::PrivateFiles,
) -> Result<(), Failure> {
    name_host()?;
    let counts = Counts::of_this_process();
    let program = program::fork(plan, socket)?;
    let Ok((limits, _)) = Receiver::default().receive_blocking::<DiskLimits>(socket.as_fd()) else {
        // The supervisor let the jail go before it was used.
        return Ok(());
    };
    let limits = ablation::disk_limits(limits);
    files.limit(limits.bytes, limits.files)?;
    // The program's process is there already, and so never holds the socket.
    let way_out = plan.way_out.map(network::open_way_out).transpose()?;
    let mut descriptors = vec![files.directory.as_fd()];
    descriptors.extend(way_out.as_ref().map(AsFd::as_fd));
    send(socket.as_fd(), &Reply::Ready, &descriptors)
        .map_err(|error| Failure::new(None, "report that the jail is ready", &error))?;
    drop((files, way_out));
    // From here on it is the program's process that listens to the supervisor.
    let Some((pid, before)) = program.start()? else {
        return Ok(());
    };
    confine::drop_capabilities_only().map_err(|error| {
        Failure::new(
            Some(Layer::NoCapabilities),
            "drop the first process's capabilities",
            &error,
        )
    })?;
    let reply = |message| {
        send(socket.as_fd(), &message, &[])
            .map_err(|error| Failure::new(None, "report the program's state", &error))
    };
    reply(Reply::Started(before))?;
    match reap(pid, socket) {
        // The orphans that have ended are among them; what still runs is not.
        Some(end) => reply(Reply::Ended(end, counts.and_then(|it| it.waited_for()))),
        None => Ok(()),
    }
}

/// Joins the cgroups, then hides everything above them.
fn join(how: CgroupJoin, cgroups: Vec<OwnedFd>) -> Result<(), Failure> {
    if how == CgroupJoin::Tasks {
        for tasks in cgroups {
            rustix::io::write(&tasks, b"0").map_err(|error| {
                Failure::new(Some(Layer::MemoryLimit), "join a cgroup", &error.into())
            })?;
        }
    }
    if ablation::is_off(Part::CgroupNamespace) {
        return Ok(());
    }
    #[allow(
        deprecated,
        reason = "the only unshare that rustix offers for one's own process"
    )]
    rustix::thread::unshare(rustix::thread::UnshareFlags::NEWCGROUP).map_err(|error| {
        let attempt = "create a cgroup namespace";
        Failure::new(Some(Layer::CgroupNamespace), attempt, &error.into())
    })
}

/// Becomes the namespace's own user 0, which is nobody on the host. Where there is only one id to
/// have, the program shares it, and this process must not be open to it all the same.
fn own_identity(plan: &Plan) -> Result<(), Failure> {
    if !plan.own_users {
        return rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable).map_err(
            |error| Failure::new(None, "close the first process to others", &error.into()),
        );
    }
    let failed = |error: rustix::io::Errno| {
        Failure::new(Some(Layer::OwnUser), "take own ids", &error.into())
    };
    let (user, group) = (rustix::fs::Uid::ROOT, rustix::fs::Gid::ROOT);
    rustix::thread::set_thread_groups(&[]).map_err(failed)?;
    rustix::thread::set_thread_res_gid(group, group, group).map_err(failed)?;
    rustix::thread::set_thread_res_uid(user, user, user).map_err(failed)
}

fn name_host() -> Result<(), Failure> {
    if ablation::is_off(Part::UtsNamespace) {
        return Ok(());
    }
    rustix::system::sethostname(b"atoll").map_err(|error| {
        Failure::new(
            Some(Layer::UtsNamespace),
            "set the host name",
            &error.into(),
        )
    })
}

/// Waits for the program, and for whatever else becomes an orphan. `None` when the supervisor is
/// gone.
fn reap(program: Pid, socket: &OwnedFd) -> Option<ProgramEnd> {
    let children = sys::child_signals().ok()?;
    loop {
        while let Ok(Some((pid, status))) = wait(WaitOptions::NOHANG) {
            if pid == program
                && let Some(end) = program_end(status)
            {
                return Some(end);
            }
        }
        let mut watched = [
            PollFd::new(&children, PollFlags::IN),
            // Nothing more is expected from the supervisor; any event means that it is gone.
            PollFd::new(socket, PollFlags::RDHUP),
        ];
        let _ = poll(&mut watched, None);
        let [children_ready, supervisor] = &watched;
        if supervisor
            .revents()
            .intersects(PollFlags::RDHUP | PollFlags::HUP | PollFlags::ERR)
        {
            return None;
        }
        if children_ready.revents().contains(PollFlags::IN) {
            let _ = rustix::io::read(&children, &mut [0_u8; 128]);
        }
    }
}

/// How a process ended, unless it has only stopped.
pub(crate) fn program_end(status: WaitStatus) -> Option<ProgramEnd> {
    let exited = status.exit_status().map(ProgramEnd::Exited);
    exited.or_else(|| status.terminating_signal().map(ProgramEnd::Signalled))
}
