//! Has a program read by a process in a jail of its own.
//!
//! Owns that process from its start to its end: its limits, what it is given, how long it is
//! listened to, and that nothing is left of it.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Seek as _, Write as _};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use atoll_jail::seccomp::Profile;
use atoll_jail::{
    Bind, Command, HelperMissing, Jail, JailBeginning, JailError, JailSpec, ProgramEnd, Root,
    helper_binary,
};
use atoll_types::calls::CallRules;
use atoll_types::{Analysis, Content, Layer, LimitName, Limits, ProgramKind};
use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
use tokio::io::AsyncReadExt as _;
use tokio::net::unix::pipe;

use crate::answer::{ANSWER_BYTES_MAX, from_answer};

/// The file name of the process's program, on the host and in the root of its jail.
const HELPER: &str = "atoll-analyzer";

/// Where the process finds the bytes of the program that it reads.
pub const PROGRAM_DESCRIPTOR: i32 = 3;

/// What reading one program may take: three times the CPU time, and four times the memory, that the
/// costliest programs take of those that the bounds of the readers let pass.
pub const LIMITS: Limits = Limits {
    wall_time_ms: 30_000,
    cpu_time_ms: 10_000,
    cpu_percent: 100,
    memory_bytes: 512 << 20,
    // A reader needs a second thread for what is nested deeply.
    processes: 2,
    // It writes no file; a limit of nothing is not a limit.
    disk_bytes: 4096,
    disk_files: 16,
    output_bytes: ANSWER_BYTES_MAX as u64,
    open_files: 16,
};

/// How often it is looked at how much CPU time was taken.
const LOOK_INTERVAL: Duration = Duration::from_millis(20);

/// How programs are read apart.
#[derive(Debug, Clone)]
pub struct Apart {
    /// Another program than the installed one.
    helper: Option<PathBuf>,
    limits: Limits,
}

impl Default for Apart {
    fn default() -> Self {
        Self {
            helper: None,
            limits: LIMITS,
        }
    }
}

/// Why a program was not read.
#[derive(Debug, thiserror::Error)]
pub enum NotRead {
    /// The program that reads is not installed.
    #[error(transparent)]
    Missing(#[from] HelperMissing),
    /// There is no jail to read it in.
    #[error("no jail could be made to read it in")]
    Jail(#[source] JailError),
    /// Something of this process's own failed.
    #[error("failed to {0}")]
    Internal(&'static str, #[source] io::Error),
    /// Reading it takes more than it may.
    #[error("reading it took more than {}", amount(.0, .1))]
    Limit(LimitName, Limits),
    /// The process broke off.
    #[error("the process that read it ended without an answer: {}", ended(.0))]
    NoAnswer(Option<ProgramEnd>),
    /// The process answered what cannot be.
    #[error("the process that read it gave an answer that no such program has")]
    Impossible,
}

impl NotRead {
    /// Why, with all causes, in one sentence.
    #[must_use]
    pub fn describe(&self) -> String {
        let mut text = format!("too large to be read without a jail, and {self}");
        let mut source = std::error::Error::source(self);
        while let Some(error) = source {
            text.push_str(": ");
            text.push_str(&error.to_string());
            source = error.source();
        }
        text
    }
}

fn amount(limit: &LimitName, limits: &Limits) -> String {
    match limit {
        LimitName::CpuTime => format!("{} ms of CPU time", limits.cpu_time_ms),
        LimitName::WallTime => format!("{} ms", limits.wall_time_ms),
        LimitName::Memory => format!("{} MiB of memory", limits.memory_bytes >> 20),
        LimitName::Processes | LimitName::Disk | LimitName::Output => {
            format!("its {limit} limit allows")
        }
    }
}

fn ended(end: &Option<ProgramEnd>) -> String {
    match end {
        Some(ProgramEnd::Exited(code)) => format!("exit code {code}"),
        Some(ProgramEnd::Signalled(signal)) => format!("signal {signal}"),
        None => "its jail ended first".to_owned(),
    }
}

impl Apart {
    /// Reads with another program than the installed one, or within other limits.
    #[must_use]
    pub const fn with(helper: PathBuf, limits: Limits) -> Self {
        Self {
            helper: Some(helper),
            limits,
        }
    }

    /// Reads a program. Whatever happens, nothing is left of the process when this returns.
    ///
    /// # Errors
    /// [`NotRead`]; nothing is known about the program then.
    pub async fn read(&self, kind: ProgramKind, program: &Content) -> Result<Analysis, NotRead> {
        let beginning = self.begin()?;
        // Copying may take milliseconds, and others wait for this thread.
        let copied = Content::clone(program);
        let sealed = tokio::task::spawn_blocking(move || sealed(&copied)).await;
        let sealed = sealed
            .unwrap_or_else(|error| Err(io::Error::other(error)))
            .map_err(|error| NotRead::Internal("hand over the program", error))?;
        // Its own filter and limits hold where a host has no more: it reads, and starts nothing.
        let accept_missing = BTreeSet::from(Layer::DISPENSABLE);
        let finishing = beginning.finish(self.limits, &accept_missing);
        let mut jail = finishing.await.map_err(NotRead::Jail)?;
        let patience = Duration::from_millis(self.limits.wall_time_ms);
        let answering = tokio::time::timeout(patience, self.ask(&mut jail, kind, sealed));
        let answered = answering.await;
        let limit = jail.limit_hit();
        // What could not be removed is found by the next sweep.
        let _ = jail.destroy().await;
        let answer = match (answered, limit) {
            (Ok(Ok(answer)), _) => answer,
            (Ok(Err(NotRead::NoAnswer(_))), Some(limit)) => return Err(self.over(limit)),
            (Ok(Err(error)), _) => return Err(error),
            (Err(_), _) => return Err(self.over(LimitName::WallTime)),
        };
        from_answer(&answer, kind, program.len() as u64).ok_or(NotRead::Impossible)
    }

    const fn over(&self, limit: LimitName) -> NotRead {
        NotRead::Limit(limit, self.limits)
    }

    /// A jail with nothing in it but the program that reads.
    fn begin(&self) -> Result<JailBeginning, NotRead> {
        let host = match &self.helper {
            Some(helper) => helper.clone(),
            None => helper_binary(HELPER)?,
        };
        let bind = Bind {
            host,
            guest: HELPER.into(),
        };
        let spec = JailSpec {
            name: next_name(),
            root: Root {
                binds: vec![bind],
                ..Root::default()
            },
        };
        Jail::begin(&spec).map_err(NotRead::Jail)
    }

    /// Everything that the process says until its end, which has to be a good one.
    async fn ask(
        &self,
        jail: &mut Jail,
        kind: ProgramKind,
        sealed: OwnedFd,
    ) -> Result<Vec<u8>, NotRead> {
        let running = jail.start(command(kind, sealed)).await;
        let stdout = running.map_err(NotRead::Jail)?.stdout;
        let answer = tokio::select! {
            heard = hear(stdout) => {
                heard.map_err(|error| NotRead::Internal("hear the analysis", error))?
            }
            () = self.out_of_time(jail) => return Err(self.over(LimitName::CpuTime)),
        };
        if answer.len() > ANSWER_BYTES_MAX {
            return Err(self.over(LimitName::Output));
        }
        // It may close its output and go on.
        loop {
            tokio::select! {
                end = jail.wait() => return match end {
                    Some(ProgramEnd::Exited(0)) => Ok(answer),
                    end => Err(NotRead::NoAnswer(end)),
                },
                () = tokio::time::sleep(LOOK_INTERVAL) => {}
            }
            if self.is_out_of_time(jail) {
                return Err(self.over(LimitName::CpuTime));
            }
        }
    }

    /// Completes when the CPU time is used up. The kernel's own limit counts whole seconds.
    async fn out_of_time(&self, jail: &Jail) {
        while !self.is_out_of_time(jail) {
            tokio::time::sleep(LOOK_INTERVAL).await;
        }
    }

    fn is_out_of_time(&self, jail: &Jail) -> bool {
        jail.usage().cpu_time_us >= self.limits.cpu_time_ms.saturating_mul(1000)
    }
}

fn command(kind: ProgramKind, sealed: OwnedFd) -> Command {
    Command {
        path: format!("/{HELPER}").into_bytes(),
        arguments: vec![HELPER.into(), kind.name().into()],
        environment: Vec::new(),
        files: Vec::new(),
        descriptors: vec![sealed],
        profile: Profile::Reader,
        calls: CallRules::default(),
    }
}

/// What comes out of a pipe until it is closed, or a little more than any answer has.
async fn hear(stdout: OwnedFd) -> io::Result<Vec<u8>> {
    let stdout = pipe::Receiver::from_owned_fd(stdout)?;
    let mut answer = Vec::new();
    let bytes_max = ANSWER_BYTES_MAX as u64 + 1;
    stdout.take(bytes_max).read_to_end(&mut answer).await?;
    Ok(answer)
}

/// The program in memory that nobody can change any more.
fn sealed(program: &[u8]) -> io::Result<OwnedFd> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let mut file = File::from(memfd_create("program", flags)?);
    file.write_all(program)?;
    file.rewind()?;
    let seals = SealFlags::SEAL | SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE;
    fcntl_add_seals(&file, seals)?;
    Ok(file.into())
}

/// A name for a jail that belongs to no message.
fn next_name() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("analysis-{}-{number}", std::process::id())
}
