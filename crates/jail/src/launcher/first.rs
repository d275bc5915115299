//! The jail's first process: joins, builds, starts the program, waits for everything.

use std::fs;
use std::io::{self, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{OpenOptionsExt, fchown};
use std::path::Path;

use atoll_types::Layer;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, WaitOptions, WaitStatus, wait};

use super::{confine, program, root};
use crate::control::{Receiver, send};
use crate::plan::{CgroupJoin, Failure, GUEST_ID, Plan, ProgramEnd, Reply, Start, WORK_DIRECTORY};
use crate::sys;

/// The whole life of the first process.
pub(super) fn live(plan: &Plan, cgroups: Vec<OwnedFd>, socket: &OwnedFd, go: OwnedFd) -> ! {
    let end = match rustix::io::read(&go, &mut [0_u8; 1]) {
        Ok(1) => {
            drop(go);
            serve(plan, cgroups, socket)
        }
        _ => Ok(()),
    };
    if let Err(failure) = end {
        let _ = send(socket.as_fd(), &Reply::Failed(failure), &[]);
    }
    sys::exit_now(0);
}

fn serve(plan: &Plan, cgroups: Vec<OwnedFd>, socket: &OwnedFd) -> Result<(), Failure> {
    join(plan.cgroups, cgroups)?;
    own_identity(plan)?;
    let files = root::enter(plan, root::OWNER)?;
    name_host()?;
    send(socket.as_fd(), &Reply::Ready, &[files.directory.as_fd()])
        .map_err(|error| Failure::new(None, "report that the jail is ready", &error))?;
    let Ok((start, descriptors)) = Receiver::default().receive_blocking::<Start>(socket.as_fd())
    else {
        // The supervisor let the jail go before it was used.
        return Ok(());
    };
    let streams = program::Descriptors::from_received(descriptors)?;
    files.limit(start.disk_bytes, start.disk_files)?;
    drop(files);
    place_files(&start, &streams)?;
    let (pid, exec_failure) = program::spawn(plan, &start, streams)?;
    exec_failure?;
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
    reply(Reply::Started)?;
    match reap(pid, socket) {
        Some(end) => reply(Reply::Ended(end)),
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
    #[allow(
        deprecated,
        reason = "the only unshare that rustix offers for one's own process"
    )]
    rustix::thread::unshare(rustix::thread::UnshareFlags::NEWCGROUP).map_err(|error| {
        let attempt = "create a cgroup namespace";
        Failure::new(Some(Layer::CgroupNamespace), attempt, &error.into())
    })
}

/// Becomes the namespace's own user 0, which is nobody on the host.
fn own_identity(plan: &Plan) -> Result<(), Failure> {
    if !plan.own_users {
        return Ok(());
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
    rustix::system::sethostname(b"atoll").map_err(|error| {
        Failure::new(
            Some(Layer::UtsNamespace),
            "set the host name",
            &error.into(),
        )
    })
}

/// Writes the message's files into the working directory. Nothing of the guest has run yet, so
/// there is nothing planted to be followed.
fn place_files(start: &Start, streams: &program::Descriptors) -> Result<(), Failure> {
    let mut bundle = fs::File::from(
        streams
            .bundle
            .try_clone()
            .map_err(|error| Failure::new(None, "open the bundle of files", &error))?,
    );
    for file in &start.files {
        let name = String::from_utf8_lossy(&file.name);
        place_file(file, &mut bundle).map_err(|error| {
            let layer = (error.raw_os_error() == Some(libc::ENOSPC)).then_some(Layer::PrivateFiles);
            Failure::new(layer, format!("place the file {name:?}"), &error)
        })?;
    }
    Ok(())
}

fn place_file(file: &crate::plan::PlacedFile, bundle: &mut fs::File) -> io::Result<()> {
    use std::os::unix::ffi::OsStrExt;
    let name = std::ffi::OsStr::from_bytes(&file.name);
    let path = Path::new(WORK_DIRECTORY).join(name);
    let mode = if file.executable { 0o700 } else { 0o600 };
    let mut placed = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .custom_flags(libc::O_NOFOLLOW | libc::O_CLOEXEC)
        .open(path)?;
    fchown(&placed, Some(GUEST_ID), Some(GUEST_ID))?;
    let copied = io::copy(&mut io::Read::take(bundle, file.length), &mut placed)?;
    placed.flush()?;
    if copied == file.length {
        Ok(())
    } else {
        Err(io::ErrorKind::UnexpectedEof.into())
    }
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

fn program_end(status: WaitStatus) -> Option<ProgramEnd> {
    let exited = status.exit_status().map(ProgramEnd::Exited);
    exited.or_else(|| status.terminating_signal().map(ProgramEnd::Signalled))
}
