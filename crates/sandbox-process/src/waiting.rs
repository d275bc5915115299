//! A copy of a Python interpreter that waits for a program.
//!
//! Owns the script it runs (`zygote.py`) and what is said to it: a byte for each step on a socket,
//! the job itself in a file in memory. A copy holds no right that the program will not have, so
//! nothing here is trusted more for having started earlier.

use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::time::Duration;

use atoll_jail::{Command, Running};
use atoll_sandbox::{Environment, Job};
use atoll_types::ProgramKind;
use rustix::fs::MemfdFlags;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::time::timeout;

use crate::interpreter::contains;

/// Where the script lies in the root directory, without the leading slash.
pub(crate) const SCRIPT_PLACE: &str = "etc/atoll/zygote.py";

/// The script.
pub(crate) const SCRIPT: &str = include_str!("zygote.py");

/// What it loads to make copies of itself: see `build.rs`.
const LIBRARY: &[u8] = include_bytes!(env!("ATOLL_ZYGOTE_LIBRARY"));

/// The library as a file in memory.
pub(crate) fn library() -> io::Result<OwnedFd> {
    let mut file = std::fs::File::from(rustix::fs::memfd_create("library", MemfdFlags::CLOEXEC)?);
    file.write_all(LIBRARY)?;
    Ok(file.into())
}

/// A copy is ready within a millisecond.
const READY_TIMEOUT: Duration = Duration::from_secs(20);

/// Variables that an interpreter, or a library below it, looks at only when it starts.
const EARLY_VARIABLES: [&[u8]; 7] = [
    b"PYTHON",
    b"LD_",
    b"LC_",
    b"LANG",
    b"GLIBC_",
    b"MALLOC_",
    b"OPENSSL_",
];

/// Whether an interpreter that started without a job runs it as one that starts with it would.
/// Apart from variables, that concerns how a script's file is read: its encoding and zero bytes.
pub(crate) fn suits(job: &Job) -> bool {
    let is_early = |name: &[u8]| EARLY_VARIABLES.iter().any(|early| name.starts_with(early));
    let source = &job.program.bytes;
    let mut first_lines = source.split(|byte| *byte == b'\n').take(2);
    let declares_encoding = |line: &[u8]| {
        let marks: [&[u8]; 2] = [b"coding:", b"coding="];
        marks.iter().any(|mark| contains(line, mark))
    };
    !job.environment.iter().any(|(name, _)| is_early(name))
        && !first_lines.any(declares_encoding)
        && !source.contains(&0)
}

/// Whether an interpreter of an environment can be a copy of another. Dependencies that change how
/// an interpreter starts need one that starts with them.
pub(crate) fn may_be_forked(environment: &Environment) -> bool {
    let customizes = |directory: &PathBuf| {
        ["sitecustomize", "usercustomize"].iter().any(|name| {
            directory.join(name).with_extension("py").exists() || directory.join(name).exists()
        })
    };
    environment.kind == ProgramKind::Python
        && !environment.dependencies.as_ref().is_some_and(customizes)
}

/// The supervisor's ends of what an interpreter is started with.
pub(crate) struct Ends {
    control: UnixStream,
    job: std::fs::File,
    /// The interpreter's ends, in the order of its descriptors.
    inner: Vec<OwnedFd>,
}

impl Ends {
    pub(crate) fn new() -> io::Result<Self> {
        let (ours, theirs) = std::os::unix::net::UnixStream::pair()?;
        ours.set_nonblocking(true)?;
        let job = rustix::fs::memfd_create("job", MemfdFlags::CLOEXEC)?;
        let inner = vec![theirs.into(), job.try_clone()?];
        Ok(Self {
            control: UnixStream::from_std(ours)?,
            job: job.into(),
            inner,
        })
    }

    /// The interpreter's descriptors, for its command.
    pub(crate) fn take_inner(&mut self) -> Vec<OwnedFd> {
        std::mem::take(&mut self.inner)
    }

    /// Waits until the interpreter is ready. Its streams are the program's later.
    pub(crate) async fn ready(mut self, streams: Running) -> io::Result<Waiting> {
        match timeout(READY_TIMEOUT, self.control.read_u8()).await {
            Ok(Ok(b'R')) => Ok(Waiting {
                control: self.control,
                job: self.job,
                streams,
            }),
            Ok(Ok(other)) => Err(unexpected(other)),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(io::ErrorKind::TimedOut.into()),
        }
    }
}

/// An interpreter that waits.
pub(crate) struct Waiting {
    control: UnixStream,
    job: std::fs::File,
    streams: Running,
}

/// Why a program did not start in a waiting interpreter.
#[derive(Debug)]
pub(crate) enum NotStarted {
    /// Its files could not be placed.
    Files(io::Error),
    /// The interpreter is gone or broke the rules.
    Lost(io::Error),
}

impl Waiting {
    /// Hands over a job, prepared as for an interpreter that would start now, and answers with the
    /// program's streams once it runs.
    pub(crate) async fn start(mut self, command: &Command) -> Result<Running, NotStarted> {
        write_job(&self.job, command).map_err(NotStarted::Files)?;
        let answer = async {
            self.control.write_u8(b'J').await?;
            self.control.read_u8().await
        };
        match answer.await.map_err(NotStarted::Lost)? {
            b'S' => Ok(self.streams),
            b'F' => {
                let number = self.control.read_i32_le().await;
                let number = number.map_err(NotStarted::Lost)?;
                Err(NotStarted::Files(io::Error::from_raw_os_error(number)))
            }
            other => Err(NotStarted::Lost(unexpected(other))),
        }
    }
}

/// Writes a job as the script reads it. The interpreter's own path is no argument of the script.
fn write_job(file: &std::fs::File, command: &Command) -> io::Result<()> {
    let mut out = io::BufWriter::new(file);
    let arguments = command.arguments.get(1..).unwrap_or_default();
    for strings in [arguments, &command.environment] {
        write_number(&mut out, strings.len())?;
        for string in strings {
            write_string(&mut out, string)?;
        }
    }
    write_number(&mut out, command.files.len())?;
    for file in &command.files {
        write_string(&mut out, &file.name)?;
        write_number(&mut out, if file.executable { 0o700 } else { 0o600 })?;
        write_string(&mut out, &file.content)?;
    }
    out.flush()
}

fn write_string(out: &mut impl Write, string: &[u8]) -> io::Result<()> {
    write_number(out, string.len())?;
    out.write_all(string)
}

fn write_number(out: &mut impl Write, number: usize) -> io::Result<()> {
    let number = u64::try_from(number).map_err(io::Error::other)?;
    out.write_all(&number.to_le_bytes())
}

fn unexpected(byte: u8) -> io::Error {
    let what = format!("the waiting interpreter said {byte:#04x}");
    io::Error::new(io::ErrorKind::InvalidData, what)
}
