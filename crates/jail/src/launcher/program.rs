//! The program's own process: from fork to execve, with every layer put in force on the way.

use std::convert::Infallible;
use std::ffi::{CString, OsStr};
use std::fs;
use std::io::{self, Write};
use std::os::fd::{AsFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use atoll_types::{IoUsage, Layer};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::Pid;
use serde::{Deserialize, Serialize};

use super::confine;
use crate::ablation::{self, Part};
use crate::calls;
use crate::control::Receiver;
use crate::counts::Counts;
use crate::plan::{Failure, GUEST_ID, PlacedFile, Plan, Start, WORK_DIRECTORY};
use crate::sys::{self, Side};

/// More descriptors than any program is started with; those that only lead to it stay above.
const PROGRAM_DESCRIPTORS_MAX: RawFd = 64;

/// What the program is started with, apart from its arguments.
struct Descriptors {
    /// Bytes of the files to place.
    bundle: OwnedFd,
    /// Where the supervisor is asked about calls, if there are rules for them.
    calls: Option<OwnedFd>,
    /// The program's descriptors, from 0 on: standard streams first.
    program: Vec<OwnedFd>,
}

impl Descriptors {
    /// Takes apart what came with a [`Start`]: the bundle, the socket for calls if there is one,
    /// then the program's descriptors.
    fn from_received(start: &Start, received: Vec<OwnedFd>) -> Result<Self, Failure> {
        let mut received = received.into_iter();
        let bundle = received.next();
        let calls = start.calls.as_ref().and_then(|_| received.next());
        // Out of the way of the program's own descriptors.
        let lift = |socket| rustix::io::fcntl_dupfd_cloexec(socket, PROGRAM_DESCRIPTORS_MAX);
        let calls = calls.map(lift).transpose();
        let calls = calls.map_err(|error| failed("receive descriptors")(error.into()))?;
        let program: Vec<OwnedFd> = received.collect();
        match bundle {
            Some(bundle) if program.len() >= 3 => Ok(Self {
                bundle,
                calls,
                program,
            }),
            _ => Err(failed("receive descriptors")(invalid())),
        }
    }
}

/// What the program's process says before it is the program: silence, or nothing after
/// [`Report::Becomes`], is success.
#[derive(Serialize, Deserialize)]
enum Report {
    /// Nothing is read or written any more until the program is executed; so much was until then.
    Becomes(IoUsage),
    /// A step failed before the program's first instruction.
    Failed(Failure),
    /// The supervisor is gone.
    Alone,
}

/// A process that has given up everything it can before it knows what to become.
pub(super) struct Waiting {
    pid: Pid,
    /// A byte lets it listen to the supervisor.
    go: OwnedFd,
    report: OwnedFd,
}

/// Forks the process that will be the program.
pub(super) fn fork(plan: &Plan, socket: &OwnedFd) -> Result<Waiting, Failure> {
    let pipe =
        || pipe_with(PipeFlags::CLOEXEC).map_err(|error| failed("make a pipe")(error.into()));
    let ((go_read, go), (report, report_write)) = (pipe()?, pipe()?);
    let side = sys::clone_process(0, None).map_err(|error| {
        let limited = error.raw_os_error() == Some(libc::EAGAIN);
        Failure::new(
            limited.then_some(Layer::ProcessLimit),
            "fork the program",
            &error,
        )
    })?;
    let pid = match side {
        Side::Parent { pid, .. } => pid,
        Side::Child => {
            drop((go, report));
            become_program(plan, socket, &go_read, &report_write);
        }
    };
    let pid = Pid::from_raw(pid).ok_or_else(|| failed("fork the program")(invalid()))?;
    Ok(Waiting { pid, go, report })
}

impl Waiting {
    /// Lets the process listen, and waits until it is the program; what it has read and written
    /// before. `None` when the supervisor is gone.
    pub(super) fn start(self) -> Result<Option<(Pid, Option<IoUsage>)>, Failure> {
        // A process that has failed already does not listen, and its report says why.
        let _ = rustix::io::write(&self.go, &[1]);
        // A successful execve closes the pipe without a word.
        let mut report = Vec::new();
        io::Read::read_to_end(&mut fs::File::from(self.report), &mut report)
            .map_err(failed("read the program's report"))?;
        let (mut rest, mut before) = (report.as_slice(), None);
        while !rest.is_empty() {
            let next = postcard::take_from_bytes::<Report>(rest)
                .map_err(|_| failed("read the program's report")(invalid()))?;
            match next {
                (Report::Becomes(done), behind) => (before, rest) = (Some(done), behind),
                (Report::Failed(failure), _) => return Err(failure),
                (Report::Alone, _) => return Ok(None),
            }
        }
        Ok(Some((self.pid, before)))
    }
}

fn become_program(plan: &Plan, socket: &OwnedFd, go: &OwnedFd, report: &OwnedFd) -> ! {
    // Out of the way of the program's own descriptors.
    let lifted = rustix::io::fcntl_dupfd_cloexec(report, PROGRAM_DESCRIPTORS_MAX);
    let report = lifted.as_ref().unwrap_or(report);
    let counts = Counts::of_this_process();
    // Its descriptor is gone when the program's own are arranged, which may be as many as allowed.
    let becomes = move || {
        if let Some(mut done) = counts.as_ref().and_then(Counts::whole) {
            // Saying so is nothing the program does, either.
            done.writes += 1;
            let said = postcard::to_stdvec(&Report::Becomes(done)).unwrap_or_default();
            done.written_bytes += said.len() as u64;
            say(report, &Report::Becomes(done));
        }
    };
    let told = give_up(plan).and_then(|()| listen(socket, go));
    let said = match told {
        Ok(Some((start, descriptors))) => {
            let Err(failure) = prepare(plan, &start, descriptors, becomes);
            Report::Failed(failure)
        }
        Ok(None) => Report::Alone,
        Err(failure) => Report::Failed(failure),
    };
    say(report, &said);
    sys::exit_now(127);
}

fn say(pipe: &OwnedFd, report: &Report) {
    if let Ok(bytes) = postcard::to_stdvec(report) {
        let _ = rustix::io::write(pipe, &bytes);
    }
}

/// Gives up, step by step, everything that placing files and becoming the program do not need.
fn give_up(plan: &Plan) -> Result<(), Failure> {
    rustix::process::setsid().map_err(|error| failure(None, "start a session", error.into()))?;
    sys::reset_signals();
    if plan.zygote {
        // Its copies give up the rest.
        confine::keep_what_confining_takes()?;
        return confine::no_new_privileges();
    }
    if plan.runtime {
        // Its kernel and its programs take turns many times before there is any output, and each of
        // those would wait. Nothing is lost where this fails but time.
        let _ = sys::wait_no_longer();
        confine::keep_what_containers_take()?;
    } else {
        confine::drop_capabilities(plan.own_users.then_some(GUEST_ID))?;
    }
    // As the one it belongs to: the keeper of a jail may not enter it.
    std::env::set_current_dir(WORK_DIRECTORY).map_err(|error| {
        failure(
            Some(Layer::PrivateFiles),
            "enter the working directory",
            error,
        )
    })?;
    confine::no_new_privileges()?;
    if plan.runtime {
        // Landlock would keep it from mounting anything.
        return Ok(());
    }
    // Landlock opens the directories it names, so it comes before descriptors are rearranged.
    confine::landlock(plan.landlock, plan.way_out)
}

/// Waits for what to become. `None` when the supervisor is gone.
fn listen(socket: &OwnedFd, go: &OwnedFd) -> Result<Option<(Start, Descriptors)>, Failure> {
    if !matches!(rustix::io::read(go, &mut [0_u8; 1]), Ok(1)) {
        return Ok(None);
    }
    let Ok((start, received)) = Receiver::default().receive_blocking::<Start>(socket.as_fd())
    else {
        return Ok(None);
    };
    let descriptors = Descriptors::from_received(&start, received)?;
    Ok(Some((start, descriptors)))
}

/// Places the files and becomes the program, which is announced. Never returns `Ok`.
fn prepare(
    plan: &Plan,
    start: &Start,
    descriptors: Descriptors,
    becomes: impl FnOnce(),
) -> Result<Infallible, Failure> {
    let path = c_string(&start.path)?;
    let path = if start.execute_low {
        sys::lower(&path).map_err(|error| {
            let attempt = "keep the program from executing others, which needs CAP_SYS_RAWIO";
            failure(Some(Layer::Seccomp), attempt, error)
        })?
    } else {
        &path
    };
    let arguments = c_strings(&start.arguments)?;
    let environment = c_strings(&start.environment)?;
    place_files(&start.files, descriptors.bundle)?;
    if let Some(socket) = &descriptors.calls {
        // It has all that the program will have, and has to be there before the program's limits.
        let attempt = "make the process that carries out calls";
        calls::grow_hand(socket).map_err(|error| failure(None, attempt, error))?;
    }
    if !plan.stays_root() {
        // Nobody could raise them again for a copy or a container.
        confine::resource_limits(&start.resource_limits)?;
    }
    becomes();
    arrange(&descriptors.program)
        .map_err(|error| failure(Some(Layer::ClosedDescriptors), "arrange descriptors", error))?;
    if let (Some(filter), Some(socket)) = (&start.calls, &descriptors.calls) {
        // Before the other one, which may not let this process install any or send anything.
        calls::install(filter, socket).map_err(|error| {
            let attempt = "let calls wait for an answer, which needs Linux 5.19 or newer";
            failure(Some(Layer::Seccomp), attempt, error)
        })?;
    }
    // Last: from here on only execve, or a report and an end, are left to do.
    start.filter.install().map_err(|error| {
        failure(
            Some(Layer::Seccomp),
            "install the system call filter",
            error,
        )
    })?;
    let error = sys::execute(path, &arguments, &environment);
    let attempt = format!("execute {}", String::from_utf8_lossy(&start.path));
    Err(failure(None, attempt, error))
}

/// Writes the message's files into the working directory. Nothing of the guest has run yet, so
/// there is nothing planted to be followed.
fn place_files(files: &[PlacedFile], bundle: OwnedFd) -> Result<(), Failure> {
    let mut bundle = fs::File::from(bundle);
    for file in files {
        place_file(file, &mut bundle).map_err(|error| {
            let name = String::from_utf8_lossy(&file.name);
            let layer = (error.raw_os_error() == Some(libc::ENOSPC)).then_some(Layer::PrivateFiles);
            Failure::new(layer, format!("place the file {name:?}"), &error)
        })?;
    }
    Ok(())
}

fn place_file(file: &PlacedFile, bundle: &mut fs::File) -> io::Result<()> {
    let name = OsStr::from_bytes(&file.name);
    let mode = if file.executable { 0o700 } else { 0o600 };
    let mut placed = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .custom_flags(libc::O_NOFOLLOW | libc::O_CLOEXEC)
        .open(Path::new(WORK_DIRECTORY).join(name))?;
    let copied = io::copy(&mut io::Read::take(bundle, file.length), &mut placed)?;
    placed.flush()?;
    if copied == file.length {
        Ok(())
    } else {
        Err(io::ErrorKind::UnexpectedEof.into())
    }
}

/// Puts the program's descriptors at 0, 1, 2, ... and lets every other one end with execve.
fn arrange(program: &[OwnedFd]) -> io::Result<()> {
    let count = RawFd::try_from(program.len()).unwrap_or(RawFd::MAX);
    if count > PROGRAM_DESCRIPTORS_MAX {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    // Copies above all targets first, so that no target overwrites a source still needed.
    let lifted: Vec<OwnedFd> = program
        .iter()
        .map(|descriptor| Ok(rustix::io::fcntl_dupfd_cloexec(descriptor, count)?))
        .collect::<io::Result<_>>()?;
    for (target, source) in (0..).zip(&lifted) {
        sys::place_descriptor(source.as_fd(), target)?;
    }
    if ablation::is_off(Part::ClosedDescriptors) {
        return Ok(());
    }
    sys::close_on_exec_from(count.unsigned_abs())
}

fn c_string(bytes: &[u8]) -> Result<CString, Failure> {
    CString::new(bytes).map_err(|_| {
        failure(
            None,
            "pass a string with a NUL byte",
            io::ErrorKind::InvalidInput.into(),
        )
    })
}

fn c_strings(strings: &[Vec<u8>]) -> Result<Vec<CString>, Failure> {
    strings.iter().map(|string| c_string(string)).collect()
}

fn invalid() -> io::Error {
    io::ErrorKind::InvalidData.into()
}

fn failed(attempt: &'static str) -> impl Fn(io::Error) -> Failure {
    move |error| Failure::new(None, attempt, &error)
}

fn failure(layer: Option<Layer>, attempt: impl Into<String>, error: io::Error) -> Failure {
    Failure::new(layer, attempt, &error)
}
