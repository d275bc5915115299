//! A copy of a Python interpreter that waits for a program.
//!
//! Owns the script it runs (`zygote.py`) and what is said to it: a byte for each step on a socket,
//! the job itself in a file in memory. A copy holds no right that the program will not have, so
//! nothing here is trusted more for having started earlier.

use std::collections::BTreeSet;
use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::fs::FileExt as _;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use atoll_jail::{Command, Running, sys};
use atoll_sandbox::{Environment, Job};
use atoll_types::{IoUsage, Program, ProgramHash, ProgramKind};
use rustix::fs::MemfdFlags;
use rustix::net::SendFlags;
use tokio::time::timeout;

use crate::ahead;
use crate::interpreter::contains;

/// Where the script lies in the root directory, without the leading slash.
pub const SCRIPT_PLACE: &str = "etc/atoll/zygote.py";

/// The script of an interpreter that waits.
pub const SCRIPT: &str = include_str!("zygote.py");

/// What it loads to make copies of itself: see `build.rs`.
const LIBRARY: &[u8] = include_bytes!(env!("ATOLL_ZYGOTE_LIBRARY"));

/// The library as a file in memory.
pub(crate) fn library() -> io::Result<OwnedFd> {
    let mut file = std::fs::File::from(rustix::fs::memfd_create("library", MemfdFlags::CLOEXEC)?);
    file.write_all(LIBRARY)?;
    Ok(file.into())
}

/// A program that does a little of what most programs do.
const REHEARSAL: &str = include_str!("rehearsal.py");

/// A job that an interpreter goes through so that the first real one finds its memory ready.
pub(crate) fn rehearsal(modules: &BTreeSet<String>) -> Job {
    let text = [REHEARSAL, &ahead::first_steps(modules)].concat();
    Job {
        program: Program {
            name: "rehearsal.py".to_owned(),
            kind: ProgramKind::Python,
            hash: ProgramHash::of(text.as_bytes()),
            bytes: text.into_bytes().into(),
        },
        arguments: Vec::new(),
        files: Vec::new(),
        environment: Vec::new(),
        parts: None,
        calls: Default::default(),
    }
}

/// A job as a file in memory.
pub(crate) fn job_file(command: &Command) -> io::Result<std::fs::File> {
    let file = empty_job_file()?;
    write_job(&file, command)?;
    Ok(file)
}

fn empty_job_file() -> io::Result<std::fs::File> {
    Ok(rustix::fs::memfd_create("job", MemfdFlags::CLOEXEC)?.into())
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
#[must_use]
pub fn suits(job: &Job) -> bool {
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
#[must_use]
pub fn may_be_forked(environment: &Environment) -> bool {
    let customizes = |directory: &PathBuf| {
        ["sitecustomize", "usercustomize"].iter().any(|name| {
            directory.join(name).with_extension("py").exists() || directory.join(name).exists()
        })
    };
    environment.kind == ProgramKind::Python
        && !environment.dependencies.as_ref().is_some_and(customizes)
}

/// The supervisor's end of an interpreter's socket. It is watched only while something is waited
/// for: one that is watched all the time wakes this process whenever the interpreter reads, too.
struct Control(UnixStream);

impl Control {
    fn new(socket: UnixStream) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        Ok(Self(socket))
    }

    /// Says a word, for which there is always room.
    fn say(&self, word: u8) -> io::Result<()> {
        rustix::net::send(&self.0, &[word], SendFlags::NOSIGNAL)?;
        Ok(())
    }

    async fn hear<const N: usize>(&self) -> io::Result<[u8; N]> {
        let mut heard = [0; N];
        let mut rest = heard.as_mut_slice();
        while !rest.is_empty() {
            match (&self.0).read(rest) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(count) => rest = rest.get_mut(count..).unwrap_or_default(),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    sys::readable(self.0.as_fd()).await?;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(heard)
    }
}

/// The supervisor's ends of what an interpreter is started with.
pub struct Ends {
    control: Control,
    job: std::fs::File,
    /// The interpreter's ends, in the order of its descriptors.
    inner: Vec<OwnedFd>,
}

impl Ends {
    /// New ones.
    ///
    /// # Errors
    /// When the kernel has none.
    pub fn new() -> io::Result<Self> {
        let (ours, theirs) = UnixStream::pair()?;
        let job = empty_job_file()?;
        let inner = vec![theirs.into(), job.try_clone()?.into()];
        Ok(Self {
            control: Control::new(ours)?,
            job,
            inner,
        })
    }

    /// The interpreter's descriptors, for its command.
    #[must_use]
    pub fn take_inner(&mut self) -> Vec<OwnedFd> {
        std::mem::take(&mut self.inner)
    }

    /// Waits until the interpreter is ready. Its streams are the program's later.
    ///
    /// # Errors
    /// When it never is.
    pub async fn ready(self, streams: Running) -> io::Result<Waiting> {
        let waiting = Waiting {
            control: self.control,
            job: self.job,
            streams,
        };
        waiting.ready().await?;
        Ok(waiting)
    }
}

/// An interpreter that waits.
pub struct Waiting {
    control: Control,
    job: std::fs::File,
    streams: Running,
}

/// A program that was handed to an interpreter.
pub struct Handed {
    control: Control,
    /// What the interpreter has said when the program started.
    started: Option<Begun>,
}

/// What was so when a program started in an interpreter that had waited for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Begun {
    /// What the interpreter had read and written until then; `None` where nobody counts.
    pub done: Option<IoUsage>,
}

/// Bytes of the kernel's count that come along.
const COUNT_BYTES: usize = 128;

/// What the interpreter does to say it, which is not the program's: its text has about 100 bytes.
const SAYING: IoUsage = IoUsage {
    reads: 1,
    writes: 1,
    read_bytes: 100,
    written_bytes: 1 + COUNT_BYTES as u64,
};

/// Why a program did not start in a waiting interpreter.
#[derive(Debug)]
pub enum NotStarted {
    /// Its files could not be placed.
    Files(io::Error),
    /// The interpreter is gone or broke the rules.
    Lost(io::Error),
}

impl Handed {
    /// Waits until the program starts.
    ///
    /// # Errors
    /// When it does not.
    pub async fn started(&mut self) -> Result<Begun, NotStarted> {
        if let Some(begun) = self.started {
            return Ok(begun);
        }
        match self.control.hear().await.map_err(NotStarted::Lost)? {
            [b'S'] => {
                let count: [u8; COUNT_BYTES] =
                    self.control.hear().await.map_err(NotStarted::Lost)?;
                let done = atoll_jail::parse_io(&count).map(|done| done.plus(&SAYING));
                Ok(*self.started.insert(Begun { done }))
            }
            [b'F'] => {
                let number = self.control.hear().await.map_err(NotStarted::Lost)?;
                let number = i32::from_le_bytes(number);
                Err(NotStarted::Files(io::Error::from_raw_os_error(number)))
            }
            [other] => Err(NotStarted::Lost(unexpected(other))),
        }
    }
}

impl Waiting {
    async fn ready(&self) -> io::Result<()> {
        match timeout(READY_TIMEOUT, self.control.hear()).await {
            Ok(Ok([b'R'])) => Ok(()),
            Ok(Ok([other])) => Err(unexpected(other)),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(io::ErrorKind::TimedOut.into()),
        }
    }

    /// Lets the interpreter go through a job of which nothing is seen later.
    ///
    /// # Errors
    /// When it is of no use any more.
    pub async fn rehearse(&self, rehearsal: &Command) -> io::Result<()> {
        write_job(&self.job, rehearsal)?;
        self.control.say(b'P')?;
        self.ready().await
    }

    /// Lets the interpreter draw random numbers anew, as a copy does when it is made.
    ///
    /// # Errors
    /// When it is of no use any more.
    pub async fn draw_anew(&self) -> io::Result<()> {
        self.control.say(b'D')?;
        self.ready().await
    }

    /// Hands over a job, prepared as for an interpreter that would start now, and answers with the
    /// program's streams at once.
    ///
    /// # Errors
    /// When the interpreter is gone, or the job cannot be written down.
    pub fn hand_over(self, command: &Command) -> Result<(Running, Handed), NotStarted> {
        write_job(&self.job, command).map_err(NotStarted::Files)?;
        self.control.say(b'J').map_err(NotStarted::Lost)?;
        let handed = Handed {
            control: self.control,
            started: None,
        };
        Ok((self.streams, handed))
    }
}

/// Writes a job as the script reads it. The interpreter's own path is no argument of the script.
fn write_job(file: &std::fs::File, command: &Command) -> io::Result<()> {
    let mut head = Vec::with_capacity(1024);
    let arguments = command.arguments.get(1..).unwrap_or_default();
    for strings in [arguments, &command.environment] {
        write_string(&mut head, strings.len().to_string().as_bytes())?;
        for string in strings {
            write_string(&mut head, string)?;
        }
    }
    write_string(&mut head, command.files.len().to_string().as_bytes())?;
    for file in &command.files {
        let mode = if file.executable { 0o700 } else { 0o600 };
        write_string(&mut head, &file.name)?;
        write_string(&mut head, mode.to_string().as_bytes())?;
        write_string(&mut head, file.content.len().to_string().as_bytes())?;
    }
    let mut bytes = (head.len() as u64).to_le_bytes().to_vec();
    bytes.append(&mut head);
    let mut position = 0;
    let contents = command.files.iter().map(|file| &*file.content);
    for part in std::iter::once(bytes.as_slice()).chain(contents) {
        file.write_all_at(part, position)?;
        position += part.len() as u64;
    }
    Ok(())
}

/// Strings have a zero byte behind them.
fn write_string(head: &mut Vec<u8>, string: &[u8]) -> io::Result<()> {
    if string.contains(&0) {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    head.extend_from_slice(string);
    head.push(0);
    Ok(())
}

fn unexpected(byte: u8) -> io::Error {
    let what = format!("the waiting interpreter said {byte:#04x}");
    io::Error::new(io::ErrorKind::InvalidData, what)
}
