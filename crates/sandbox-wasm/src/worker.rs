//! What a worker is started with, and the pipe on which it reports.
//!
//! Owns the jail a worker needs and the translation of a job into a request. What the reports mean
//! is decided by `ending`.

use std::fs::File;
use std::io::{self, Seek};
use std::os::fd::OwnedFd;

use atoll_jail::seccomp::Profile;
use atoll_jail::{Bind, Command, JailFile, JailSpec, Root, WORK_DIRECTORY, helper_binary};
use atoll_sandbox::{CreateError, Job};
use atoll_types::Limits;
use atoll_types::calls::CallRules;
use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
use rustix::pipe::{PipeFlags, pipe_with};
use tokio::net::unix::pipe;

use crate::protocol::{
    GuestKind, GuestLimits, Report, Request, STATUS_BYTES_MAX, StatusError, StatusReader,
    write_request,
};

/// The worker's file name, on the host and in the root of its jail.
const WORKER: &str = "atoll-wasm-worker";

/// Threads of a worker: the guest's, one that watches the time, one that reads files ahead. The
/// guest itself cannot start any.
const WORKER_THREADS: u32 = 3;

/// Descriptors a worker holds besides the guest's.
const WORKER_DESCRIPTORS: u32 = 16;

/// Memory of a worker besides the guest's: its own data, the compiler's, and the kernel's part for
/// both.
const WORKER_MEMORY_BYTES: u64 = 16 << 20;

/// Compiled code, and what is left of compiling it, in proportion to the program's size.
const COMPILED_BYTES_PER_BYTE: u64 = 16;

/// Variables of every guest; the message's own win.
const VARIABLES: [(&[u8], &[u8]); 2] = [(b"HOME", b"/work"), (b"LANG", b"C.UTF-8")];

/// The jail of a worker: nothing in it but the worker, `/dev/urandom` and its like, and the
/// guest's directory.
pub(crate) fn jail_spec(id: &str) -> Result<JailSpec, CreateError> {
    let host =
        helper_binary(WORKER).map_err(|error| CreateError::Environment(error.to_string()))?;
    let bind = Bind {
        host,
        guest: WORKER.into(),
    };
    Ok(JailSpec {
        name: id.to_owned(),
        root: Root {
            binds: vec![bind],
            devices: true,
            ..Root::default()
        },
    })
}

/// The limits of the jail around a worker whose guest has these.
pub(crate) fn jail_limits(guest: &Limits) -> Limits {
    Limits {
        processes: WORKER_THREADS,
        open_files: guest.open_files.saturating_add(WORKER_DESCRIPTORS),
        ..*guest
    }
}

/// The command that starts a worker on a job, and the pipe it reports on.
///
/// # Errors
/// [`io::ErrorKind::InvalidInput`] when the job is larger than the protocol allows; otherwise what
/// the kernel says about memory and pipes.
pub(crate) fn command(
    kind: GuestKind,
    job: Job,
    limits: &Limits,
) -> io::Result<(Command, StatusPipe)> {
    let program = job.program;
    let request = Request {
        kind,
        name: program.name,
        arguments: job.arguments,
        environment: variables(job.environment),
        working_directory: WORK_DIRECTORY.to_owned(),
        limits: guest_limits(limits, program.bytes.len() as u64),
    };
    let request = sealed(&request, &program.bytes)?;
    let (status, status_in) = pipe_with(PipeFlags::CLOEXEC)?;
    let files = job.files.into_iter().map(|file| JailFile {
        name: file.name,
        content: file.content,
        executable: false,
    });
    let command = Command {
        path: format!("/{WORKER}").into_bytes(),
        arguments: vec![WORKER.as_bytes().to_vec()],
        environment: Vec::new(),
        files: files.collect(),
        descriptors: vec![request, status_in],
        profile: Profile::WasmWorker,
        calls: CallRules::default(),
    };
    Ok((command, StatusPipe::new(status)?))
}

/// What the runtime holds the guest to. The worker's own share is taken off the memory, so that a
/// guest that grows too far is refused by the runtime and not killed by the kernel. No time: the
/// kernel ends a worker whose time is over, and loops that look at the time run a third longer.
fn guest_limits(limits: &Limits, program_bytes: u64) -> GuestLimits {
    let compiled_bytes = program_bytes.saturating_mul(COMPILED_BYTES_PER_BYTE);
    let worker_bytes = WORKER_MEMORY_BYTES.saturating_add(compiled_bytes);
    GuestLimits::new(limits.memory_bytes.saturating_sub(worker_bytes), 0)
}

fn variables(own: Vec<(Vec<u8>, Vec<u8>)>) -> Vec<(Vec<u8>, Vec<u8>)> {
    let default = VARIABLES.map(|(name, value)| (name.to_vec(), value.to_vec()));
    let mut variables: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
    for (name, value) in default.into_iter().chain(own) {
        variables.retain(|(known, _)| *known != name);
        variables.push((name, value));
    }
    variables
}

/// The request in memory that nobody can change any more.
fn sealed(request: &Request, program: &[u8]) -> io::Result<OwnedFd> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let mut file = File::from(memfd_create("request", flags)?);
    write_request(&mut file, request, program)?;
    file.rewind()?;
    let seals = SealFlags::SEAL | SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE;
    fcntl_add_seals(&file, seals)?;
    Ok(file.into())
}

/// The read end of a worker's status pipe, and what came out of it so far.
#[derive(Debug)]
pub(crate) struct StatusPipe {
    pipe: pipe::Receiver,
    reader: StatusReader,
    report: Report,
}

/// What the next look at a status pipe finds.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// The report has a new part.
    News,
    /// The worker has closed its end.
    Closed,
    /// What came is not to be believed, and neither is what follows.
    Wrong(StatusError),
}

impl StatusPipe {
    fn new(pipe: OwnedFd) -> io::Result<Self> {
        rustix::io::ioctl_fionbio(&pipe, true)?;
        Ok(Self {
            pipe: pipe::Receiver::from_owned_fd(pipe)?,
            reader: StatusReader::default(),
            report: Report::default(),
        })
    }

    /// What the worker has said so far.
    pub(crate) fn report(&self) -> &Report {
        &self.report
    }

    /// Waits for the next status. Cancelling loses nothing.
    pub(crate) async fn next(&mut self) -> io::Result<Next> {
        loop {
            if let Some(next) = self.take() {
                return Ok(next);
            }
            self.pipe.readable().await?;
            if let Some(next) = self.read()? {
                return Ok(next);
            }
        }
    }

    /// Takes in what an ended worker left, without waiting. Whatever is wrong with it leaves the
    /// report as far as it was right.
    pub(crate) fn drain(&mut self) {
        let mut bytes = [0; STATUS_BYTES_MAX];
        loop {
            match self.take() {
                Some(Next::News) => {}
                // The first wrong byte ends this, however much follows.
                Some(Next::Wrong(_) | Next::Closed) => return,
                // Asks the kernel itself: the runtime may not have heard yet of what is there.
                None => match rustix::io::read(&self.pipe, &mut bytes) {
                    Ok(count) if count > 0 => self.push(&bytes, count),
                    Ok(_) | Err(_) => return,
                },
            }
        }
    }

    /// The next status among the bytes that are already here.
    fn take(&mut self) -> Option<Next> {
        let next = self.reader.next_status().and_then(|status| match status {
            Some(status) => self.report.accept(status).map(|()| true),
            None => Ok(false),
        });
        match next {
            Ok(true) => Some(Next::News),
            Ok(false) => None,
            Err(error) => Some(Next::Wrong(error)),
        }
    }

    /// Reads what is there; `None` when that was something, or nothing yet.
    fn read(&mut self) -> io::Result<Option<Next>> {
        let mut bytes = [0; STATUS_BYTES_MAX];
        match self.pipe.try_read(&mut bytes) {
            Ok(0) => Ok(Some(Next::Closed)),
            Ok(count) => {
                self.push(&bytes, count);
                Ok(None)
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn push(&mut self, bytes: &[u8], count: usize) {
        self.reader.push(bytes.get(..count).unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::protocol::{Status, encode_status, read_request};

    fn block_on<T>(future: impl Future<Output = T>) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        runtime.unwrap().block_on(future)
    }

    fn pipe() -> (StatusPipe, File) {
        let (status, status_in) = pipe_with(PipeFlags::CLOEXEC).unwrap();
        (StatusPipe::new(status).unwrap(), File::from(status_in))
    }

    fn frame(status: &Status) -> Vec<u8> {
        encode_status(status).unwrap()
    }

    #[test]
    fn frames_come_out_one_by_one_then_the_end() {
        block_on(async {
            let (mut status, mut worker) = pipe();
            let ready = frame(&Status::Ready { system_calls: 4 });
            let (first, rest) = ready.split_at(3);
            worker.write_all(first).unwrap();
            let early = tokio::time::timeout(std::time::Duration::ZERO, status.next()).await;
            assert!(early.is_err(), "half a frame is no news");
            worker.write_all(rest).unwrap();
            worker
                .write_all(&frame(&Status::Started { compile_us: 9 }))
                .unwrap();
            drop(worker);
            assert_eq!(status.next().await.unwrap(), Next::News);
            assert_eq!(status.report().ready, Some(4));
            assert_eq!(status.report().started, None);
            assert_eq!(status.next().await.unwrap(), Next::News);
            assert_eq!(status.report().started, Some(9));
            assert_eq!(status.next().await.unwrap(), Next::Closed);
        });
    }

    #[test]
    fn a_worker_that_was_taken_over_is_heard_until_its_first_wrong_byte() {
        block_on(async {
            let (mut status, mut worker) = pipe();
            worker
                .write_all(&frame(&Status::Ready { system_calls: 4 }))
                .unwrap();
            worker
                .write_all(&frame(&Status::Started { compile_us: 9 }))
                .unwrap();
            worker.write_all(&[0xff; 40_000]).unwrap();
            let exited = Status::Exited {
                code: 0,
                limit: None,
            };
            worker.write_all(&frame(&exited)).unwrap();
            // Its end of the pipe stays open: nothing here waits for it.
            status.drain();
            assert_eq!(status.report().started, Some(9));
            assert_eq!(status.report().end, None);
        });
    }

    #[test]
    fn a_frame_at_the_wrong_time_is_wrong() {
        block_on(async {
            let (mut status, mut worker) = pipe();
            worker
                .write_all(&frame(&Status::Started { compile_us: 9 }))
                .unwrap();
            let next = status.next().await.unwrap();
            assert_eq!(next, Next::Wrong(StatusError::OutOfOrder));
            assert_eq!(*status.report(), Report::default());
        });
    }

    #[test]
    fn a_request_cannot_be_changed_once_it_is_sent() {
        let request = Request {
            kind: GuestKind::Module,
            name: "a.wasm".to_owned(),
            arguments: Vec::new(),
            environment: variables(vec![(b"HOME".to_vec(), b"/".to_vec())]),
            working_directory: WORK_DIRECTORY.to_owned(),
            limits: GuestLimits::new(1, 0),
        };
        let mut file = File::from(sealed(&request, b"\0asm").unwrap());
        let (read, program) = read_request(&mut file).unwrap();
        assert_eq!((read, program.as_slice()), (request, b"\0asm".as_slice()));
        assert!(file.write_all(b"x").is_err());
        assert!(file.set_len(0).is_err());
    }

    #[test]
    fn the_messages_own_variables_win() {
        let own = vec![
            (b"LANG".to_vec(), b"de".to_vec()),
            (b"A".to_vec(), Vec::new()),
        ];
        let expected: [(&[u8], &[u8]); 3] = [(b"HOME", b"/work"), (b"LANG", b"de"), (b"A", b"")];
        let expected = expected.map(|(name, value)| (name.to_vec(), value.to_vec()));
        assert_eq!(variables(own), expected);
    }

    #[test]
    fn the_worker_takes_its_share_of_the_memory() {
        let limits = |memory_bytes| Limits {
            memory_bytes,
            ..crate::PROBE_LIMITS
        };
        let guest = |memory_bytes, program_bytes| {
            guest_limits(&limits(memory_bytes), program_bytes).memory_bytes
        };
        assert_eq!(guest(64 << 20, 0), 48 << 20);
        assert_eq!(guest(64 << 20, 1 << 20), 32 << 20);
        assert_eq!(guest(8 << 20, 0), 0);
        assert_eq!(guest(u64::MAX, u64::MAX), 0);
    }
}
