//! Compiles one program in a process of its own.
//!
//! The program's bytes are hostile and the compiler is large, so each compilation has a new jail,
//! the message's own limits, and ends with its result. Nothing of one compilation can reach the
//! next.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read, Seek};
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use atoll_jail::{Jail, JailBeginning};
use atoll_sandbox::StartError;
use atoll_types::{Layer, LimitName, Limits};
use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
use rustix::pipe::{PipeFlags, pipe_with};
use tokio::net::unix::pipe;

use crate::error::{create_error, internal, start_error};
use crate::protocol::{
    CompileReport, CompileRequest, CompileStatus, FrameReader, GuestKind, NOTICE_BYTES_MAX,
    write_request,
};
use crate::worker::{begin_jail, command};

/// Memory that a compiler needs besides what follows from the program's size, and how much that is
/// for each of its bytes.
const COMPILER_MEMORY_BYTES: u64 = 64 << 20;

/// Compiled code for each byte of a program, at most.
const CODE_BYTES_PER_BYTE: u64 = 64;

/// Compiled code that even a small program may have: headers and alignment.
const CODE_BYTES_MIN: u64 = 1 << 20;

/// What is compiled, and what it may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Compilation<'a> {
    pub(crate) kind: GuestKind,
    pub(crate) program: &'a [u8],
    pub(crate) limits: &'a Limits,
    pub(crate) accept_missing: &'a BTreeSet<Layer>,
}

/// Compiles, in a jail that has been begun or in a new one.
///
/// # Errors
/// [`StartError::Program`] when the program cannot be compiled, [`StartError::Limit`] when it takes
/// more than it may.
pub(crate) async fn compile(
    compilation: Compilation<'_>,
    beginning: Option<JailBeginning>,
) -> Result<Vec<u8>, StartError> {
    let beginning = match beginning {
        Some(beginning) => beginning,
        None => begin_jail(&next_name()).map_err(start_error)?,
    };
    let limits = compiler_limits(compilation.limits, compilation.program.len() as u64);
    let finishing = beginning.finish(limits, compilation.accept_missing);
    let mut jail = finishing
        .await
        .map_err(|error| start_error(create_error(error)))?;
    let patience = Duration::from_millis(compilation.limits.wall_time_ms);
    let compiled = tokio::time::timeout(patience, compile_in(&mut jail, compilation)).await;
    let cpu_limit_us = compilation.limits.cpu_time_ms.saturating_mul(1000);
    let is_out_of_time = jail.usage().cpu_time_us >= cpu_limit_us;
    let limit = jail.limit_hit();
    let limit = limit.or_else(|| is_out_of_time.then_some(LimitName::CpuTime));
    // What could not be removed is found by the next sweep.
    let _ = jail.destroy().await;
    match (compiled, limit) {
        (Ok(Err(StartError::Internal { .. })), Some(limit)) => Err(StartError::Limit(limit)),
        (Ok(compiled), _) => compiled,
        (Err(_), _) => Err(StartError::Limit(LimitName::WallTime)),
    }
}

/// The limits of the compiler's jail. It runs instead of the program, so it may use as much.
fn compiler_limits(limits: &Limits, program_bytes: u64) -> Limits {
    Limits {
        processes: 1,
        memory_bytes: limits.memory_bytes.saturating_add(COMPILER_MEMORY_BYTES),
        disk_bytes: code_bytes_max(program_bytes),
        disk_files: 16,
        open_files: 32,
        ..*limits
    }
}

const fn code_bytes_max(program_bytes: u64) -> u64 {
    program_bytes
        .saturating_mul(CODE_BYTES_PER_BYTE)
        .saturating_add(CODE_BYTES_MIN)
}

async fn compile_in(jail: &mut Jail, compilation: Compilation<'_>) -> Result<Vec<u8>, StartError> {
    let prepared = prepare(compilation).map_err(prepared)?;
    let (status, status_in) = pipe_with(PipeFlags::CLOEXEC).map_err(internal("make a pipe"))?;
    rustix::io::ioctl_fionbio(&status, true).map_err(internal("set up a pipe"))?;
    let code = memfd_create("code", MemfdFlags::CLOEXEC).map_err(internal("take memory"))?;
    let theirs = code
        .as_fd()
        .try_clone_to_owned()
        .map_err(internal("share memory"))?;
    let started = jail
        .start(command("compile", vec![prepared, status_in, theirs]))
        .await;
    // Nothing is written to the standard streams but panics.
    drop(started.map_err(|error| start_error(create_error(error)))?);
    let mut report = CompileReport::default();
    let heard = hear(status, &mut report).await;
    let ended = jail.wait().await;
    heard.map_err(internal("hear from the compiler"))?;
    match report.end {
        Some(CompileStatus::Compiled { bytes }) => {
            let max = code_bytes_max(compilation.program.len() as u64);
            read_code(code, bytes, max).map_err(internal("read the compiled program"))
        }
        Some(CompileStatus::Refused { reason }) => Err(StartError::Program(reason)),
        Some(CompileStatus::Failed { reason }) => {
            Err(internal("compile the program")(io::Error::other(reason)))
        }
        Some(CompileStatus::Confined { .. }) | None => {
            let text = format!("the compiler ended with {ended:?} and without a result");
            Err(internal("compile the program")(io::Error::other(text)))
        }
    }
}

/// Takes in the compiler's report until it closes its end.
async fn hear(status: OwnedFd, report: &mut CompileReport) -> io::Result<()> {
    let status = pipe::Receiver::from_owned_fd(status)?;
    let mut reader = FrameReader::new(NOTICE_BYTES_MAX);
    let mut bytes = [0; 4096];
    loop {
        status.readable().await?;
        match status.try_read(&mut bytes) {
            Ok(0) => return Ok(()),
            Ok(count) => reader.push(bytes.get(..count).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
            Err(error) => return Err(error),
        }
        let invalid = |error| io::Error::new(io::ErrorKind::InvalidData, error);
        while let Some(status) = reader.next_frame().map_err(invalid)? {
            report.accept(status).map_err(invalid)?;
        }
    }
}

/// The code, as long as the compiler says it is and no longer than it can be.
fn read_code(code: OwnedFd, bytes: u64, bytes_max: u64) -> io::Result<Vec<u8>> {
    if bytes > bytes_max {
        let text = format!("{bytes} bytes of code are more than such a program can have");
        return Err(io::Error::new(io::ErrorKind::InvalidData, text));
    }
    let mut file = File::from(code);
    file.rewind()?;
    let mut read = Vec::new();
    file.take(bytes).read_to_end(&mut read)?;
    if read.len() as u64 == bytes {
        Ok(read)
    } else {
        Err(io::ErrorKind::UnexpectedEof.into())
    }
}

/// The request in memory that nobody can change any more.
fn prepare(compilation: Compilation<'_>) -> io::Result<OwnedFd> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let mut file = File::from(memfd_create("request", flags)?);
    let request = CompileRequest {
        kind: compilation.kind,
    };
    write_request(&mut file, request, compilation.program)?;
    file.rewind()?;
    fcntl_add_seals(&file, all_seals())?;
    Ok(file.into())
}

/// Nobody can change a file in memory any more that has these.
pub(crate) fn all_seals() -> SealFlags {
    SealFlags::SEAL | SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE
}

/// A program that the protocol cannot carry is the message's fault; anything else is ours.
fn prepared(error: io::Error) -> StartError {
    if error.kind() == io::ErrorKind::InvalidInput {
        StartError::Program(error.to_string())
    } else {
        internal("prepare the compiler")(error)
    }
}

/// A name for a jail that belongs to no message.
pub(crate) fn next_name() -> String {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("wasm-{}-{number}", std::process::id())
}
