//! What a guest can reach: the WASI side of a request.
//!
//! Owns the grant, the same for modules and components: arguments, environment, the three standard
//! streams, one directory, clocks and randomness. Nothing else; sockets exist as functions that
//! answer "access denied", because ordinary toolchains import them whether they are used or not.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;

use atoll_sandbox_wasm::protocol::Request;
use wasmtime_wasi::cli::{InputFile, OutputFile};
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxBuilder};

use crate::end::End;
use crate::runtime;

/// The names under which a guest finds its one directory. wasi-libc resolves relative paths
/// against `/`; `/work` is the directory's path at other levels of isolation, so that the same
/// arguments work everywhere; programs that look for the preopened directory `.` by name find it.
/// `/` comes first because some standard libraries take the first one as working directory.
const DIRECTORY_NAMES: [&str; 3] = ["/", "/work", "."];

/// Random bytes a guest gets from one call at most.
const RANDOM_BYTES_MAX: u64 = 16 << 20;

/// Prepares everything the request grants, and opens the directory.
///
/// # Errors
/// [`End::Refused`] when an argument or variable cannot be given to a guest, [`End::Failed`] when
/// the directory or a stream is not there.
pub(crate) fn builder(request: &Request) -> Result<WasiCtxBuilder, End> {
    let mut builder = WasiCtx::builder();
    builder.arg(&request.name);
    for (index, argument) in request.arguments.iter().enumerate() {
        let what = format!("argument {}", index.saturating_add(1));
        builder.arg(text(argument, &what)?);
    }
    for (name, value) in &request.environment {
        let name = text(name, "the name of an environment variable")?;
        let value = text(value, &format!("environment variable {name}"))?;
        builder.env(name, value);
    }
    grant(&mut builder, request).map_err(|error| End::Failed(runtime::describe(&error)))?;
    Ok(builder)
}

fn grant(builder: &mut WasiCtxBuilder, request: &Request) -> wasmtime::Result<()> {
    builder
        .stdin(InputFile::new(duplicate(io::stdin())?))
        .stdout(OutputFile::new(duplicate(io::stdout())?))
        .stderr(OutputFile::new(duplicate(io::stderr())?))
        .max_random_size(RANDOM_BYTES_MAX)
        .allow_tcp(false)
        .allow_udp(false)
        .allow_ip_name_lookup(false)
        // The worker has one guest and one thread: while the guest waits for a file, nothing else
        // has to go on. Must come before the directory, which copies the choice.
        .allow_blocking_current_thread(true);
    for name in DIRECTORY_NAMES {
        builder.preopened_dir(&request.working_directory, name, FsPerms::ReadWrite)?;
    }
    Ok(())
}

/// The guest's stream as a file of its own, without the buffers of the standard library.
fn duplicate(stream: impl AsFd) -> io::Result<File> {
    stream.as_fd().try_clone_to_owned().map(File::from)
}

/// WASI gives text to guests, where the system allows any bytes.
fn text<'a>(bytes: &'a [u8], what: &str) -> Result<&'a str, End> {
    std::str::from_utf8(bytes).map_err(|_| {
        End::Refused(format!(
            "{what} is not valid UTF-8, which WebAssembly programs require"
        ))
    })
}
