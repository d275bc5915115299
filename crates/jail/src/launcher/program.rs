//! The program's own process: from fork to execve, with every layer put in force on the way.

use std::ffi::CString;
use std::io;
use std::os::fd::{AsFd, OwnedFd, RawFd};

use atoll_types::Layer;
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::Pid;

use super::confine;
use crate::plan::{Failure, Plan, Start, WORK_DIRECTORY};
use crate::sys::{self, Side};

/// What the program is started with, apart from its arguments.
pub(super) struct Descriptors {
    /// Bytes of the files to place.
    pub(super) bundle: OwnedFd,
    /// The program's descriptors, from 0 on: standard streams first.
    program: Vec<OwnedFd>,
}

impl Descriptors {
    /// Takes apart what came with a [`Start`]: the bundle, then the program's descriptors.
    pub(super) fn from_received(received: Vec<OwnedFd>) -> Result<Self, Failure> {
        let mut received = received.into_iter();
        let bundle = received.next();
        let program: Vec<OwnedFd> = received.collect();
        match bundle {
            Some(bundle) if program.len() >= 3 => Ok(Self { bundle, program }),
            _ => Err(Failure::new(
                None,
                "receive descriptors",
                &io::ErrorKind::InvalidData.into(),
            )),
        }
    }

    /// One more than the highest number a descriptor of the program will have.
    fn count(&self) -> RawFd {
        RawFd::try_from(self.program.len()).unwrap_or(RawFd::MAX)
    }
}

/// Forks the program and waits until it has either started or failed to. The inner result is the
/// program's: a failure before its first instruction.
pub(super) fn spawn(
    plan: &Plan,
    start: &Start,
    descriptors: Descriptors,
) -> Result<(Pid, Result<(), Failure>), Failure> {
    let failed = |attempt| move |error: io::Error| Failure::new(None, attempt, &error);
    let (report_read, report_write) =
        pipe_with(PipeFlags::CLOEXEC).map_err(|error| failed("make a pipe")(error.into()))?;
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
        Side::Child => become_program(plan, start, &descriptors, &report_write),
    };
    drop((report_write, descriptors));
    let pid = Pid::from_raw(pid).ok_or_else(|| {
        Failure::new(None, "fork the program", &io::ErrorKind::InvalidData.into())
    })?;
    // A successful execve closes the pipe without a word.
    let mut report = Vec::new();
    io::Read::read_to_end(&mut std::fs::File::from(report_read), &mut report)
        .map_err(failed("read the program's report"))?;
    let outcome = match postcard::from_bytes::<Failure>(&report) {
        Ok(failure) => Err(failure),
        Err(_) if report.is_empty() => Ok(()),
        Err(_) => Err(failed("read the program's report")(
            io::ErrorKind::InvalidData.into(),
        )),
    };
    Ok((pid, outcome))
}

fn become_program(plan: &Plan, start: &Start, descriptors: &Descriptors, report: &OwnedFd) -> ! {
    // Out of the way of the program's own descriptors.
    let lifted = rustix::io::fcntl_dupfd_cloexec(report, descriptors.count());
    let report = lifted.as_ref().unwrap_or(report);
    let Err(failure) = prepare(plan, start, descriptors);
    if let Ok(bytes) = postcard::to_stdvec(&failure) {
        let _ = rustix::io::write(report, &bytes);
    }
    sys::exit_now(127);
}

/// Gives everything up, step by step, and becomes the program. Never returns `Ok`.
fn prepare(
    plan: &Plan,
    start: &Start,
    descriptors: &Descriptors,
) -> Result<std::convert::Infallible, Failure> {
    let path = c_string(&start.path)?;
    let arguments = c_strings(&start.arguments)?;
    let environment = c_strings(&start.environment)?;
    rustix::process::setsid().map_err(|error| failure(None, "start a session", error.into()))?;
    sys::reset_signals();
    confine::resource_limits(&start.resource_limits)?;
    std::env::set_current_dir(WORK_DIRECTORY).map_err(|error| {
        failure(
            Some(Layer::PrivateFiles),
            "enter the working directory",
            error,
        )
    })?;
    confine::drop_capabilities(plan.own_users)?;
    confine::no_new_privileges()?;
    // Landlock opens the directories it names, so it comes before descriptors are rearranged.
    confine::landlock()?;
    arrange(descriptors)
        .map_err(|error| failure(Some(Layer::ClosedDescriptors), "arrange descriptors", error))?;
    // Last: from here on only execve, or a report and an end, are left to do.
    sys::install_filter(&plan.filter).map_err(|error| {
        failure(
            Some(Layer::Seccomp),
            "install the system call filter",
            error,
        )
    })?;
    let error = sys::execute(&path, &arguments, &environment);
    let attempt = format!("execute {}", String::from_utf8_lossy(&start.path));
    Err(failure(None, attempt, error))
}

/// Puts the program's descriptors at 0, 1, 2, ... and lets every other one end with execve.
fn arrange(descriptors: &Descriptors) -> io::Result<()> {
    let count = descriptors.count();
    // Copies above all targets first, so that no target overwrites a source still needed.
    let lifted: Vec<OwnedFd> = descriptors
        .program
        .iter()
        .map(|descriptor| Ok(rustix::io::fcntl_dupfd_cloexec(descriptor, count)?))
        .collect::<io::Result<_>>()?;
    for (target, source) in (0..).zip(&lifted) {
        sys::place_descriptor(source.as_fd(), target)?;
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

fn failure(layer: Option<Layer>, attempt: impl Into<String>, error: io::Error) -> Failure {
    Failure::new(layer, attempt, &error)
}
