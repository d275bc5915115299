//! What the engine and a WebAssembly worker say to each other.
//!
//! Owns the shapes, their encoding and the bounds of both directions. It does no I/O of its own
//! beyond the reader or writer it is given, and it knows nothing of jails or of the runtime.
//!
//! ```text
//! engine --request--> descriptor 3: length | Request (postcard) | length | program bytes
//! engine <--status--- descriptor 4: (length | Status (postcard))*
//! ```
//!
//! Lengths are 32-bit little-endian. The guest can reach neither descriptor, but the worker runs
//! the guest's code and may be taken over. So status frames are hostile bytes: [`StatusReader`]
//! bounds them, never panics, and [`Report`] accepts only the order
//! `Ready, Started, (Exited | Trapped)`, with `Refused` and `Failed` possible before `Started`.

use std::io::{self, Read, Write};

use atoll_types::{LimitName, ProgramKind};
use serde::{Deserialize, Serialize};

mod status;

pub use status::{Report, StatusError, StatusReader};

/// The worker's descriptor with the request.
pub const REQUEST_DESCRIPTOR: i32 = 3;

/// The worker's descriptor for status frames, the write end of a pipe.
pub const STATUS_DESCRIPTOR: i32 = 4;

/// The largest program a worker accepts, in bytes.
pub const PROGRAM_BYTES_MAX: usize = 64 << 20;

/// The largest encoded [`Request`], in bytes: arguments and environment together.
pub const REQUEST_BYTES_MAX: usize = 4 << 20;

/// The largest encoded [`Status`], in bytes.
pub const STATUS_BYTES_MAX: usize = 32 << 10;

/// The longest text in a [`Status`], in bytes; longer texts are cut before they are sent, and
/// again when they arrive.
pub const TEXT_BYTES_MAX: usize = 16 << 10;

/// The worker's own exit code when the program trapped.
pub const EXIT_TRAPPED: i32 = 124;

/// The worker's own exit code when it refused the program.
pub const EXIT_REFUSED: i32 = 125;

/// The worker's own exit code when it failed itself.
pub const EXIT_FAILED: i32 = 126;

/// What a worker is to run, apart from the program's bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// A core module or a component.
    pub kind: GuestKind,
    /// The program's own name, its first argument.
    pub name: String,
    /// Arguments after the program's own name.
    pub arguments: Vec<Vec<u8>>,
    /// Environment variables, in order.
    pub environment: Vec<(Vec<u8>, Vec<u8>)>,
    /// The directory, as the worker sees it, that the guest finds as `/`, `/work` and `.`.
    pub working_directory: String,
    /// Bounds that the runtime enforces, inside the bounds of the jail.
    pub limits: GuestLimits,
}

/// What kind of WebAssembly a program is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum GuestKind {
    /// A core module: a WASI preview 1 command.
    Module,
    /// A component: a `wasi:cli/command`.
    Component,
}

impl GuestKind {
    /// The kind for a program, when it is WebAssembly.
    #[must_use]
    pub const fn of(kind: ProgramKind) -> Option<Self> {
        match kind {
            ProgramKind::WasmModule => Some(Self::Module),
            ProgramKind::WasmComponent => Some(Self::Component),
            ProgramKind::Python
            | ProgramKind::JavaScript
            | ProgramKind::Shell
            | ProgramKind::Native => None,
        }
    }
}

/// Bounds for the one guest of a worker. The runtime enforces them; the jail's own limits hold
/// whatever the runtime does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct GuestLimits {
    /// Linear memories and tables of all instances together, in bytes. Beyond it `memory.grow` and
    /// `table.grow` answer -1.
    pub memory_bytes: u64,
    /// Elements of all tables together.
    pub table_elements: u64,
    /// Core instances of a component; a module has one.
    pub instances: u32,
    /// Tables of all instances together.
    pub tables: u32,
    /// Linear memories of all instances together.
    pub memories: u32,
    /// The WebAssembly stack, in bytes. Deeper recursion traps.
    pub stack_bytes: u32,
    /// Time from the guest's start to a trap, in milliseconds. 0 means that the runtime watches no
    /// clock, which makes loops faster; the jail's owner then ends the whole worker.
    pub run_time_ms: u64,
}

impl GuestLimits {
    /// The bounds for a guest that may use `memory_bytes` of memory and `run_time_ms` of time;
    /// what the message does not decide has values that programs in practice stay far below.
    #[must_use]
    pub const fn new(memory_bytes: u64, run_time_ms: u64) -> Self {
        Self {
            memory_bytes,
            table_elements: 4 << 20,
            instances: 256,
            tables: 256,
            memories: 64,
            stack_bytes: 1 << 20,
            run_time_ms,
        }
    }
}

/// What a worker reports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Status {
    /// The worker has closed itself in; nothing of the program has been read yet.
    Ready {
        /// System calls that are left to the worker; 0 when only the jail's own filter holds.
        system_calls: u32,
    },
    /// The program is compiled and its imports are there; its code runs next.
    Started {
        /// Time that validation and compilation took, in microseconds.
        compile_us: u64,
    },
    /// The program ended by itself.
    Exited {
        /// Its exit code.
        code: i32,
        /// The limit it ran into before it gave up with a code other than 0.
        limit: Option<LimitName>,
    },
    /// The runtime stopped the program.
    Trapped {
        /// Names the trap.
        text: String,
        /// The limit behind it, when there is one.
        limit: Option<LimitName>,
    },
    /// The program cannot be run.
    Refused {
        /// A sentence for the user.
        reason: String,
    },
    /// The worker itself could not do its work.
    Failed {
        /// What failed.
        reason: String,
    },
}

/// Writes a request and the program's bytes.
///
/// # Errors
/// [`io::ErrorKind::InvalidInput`] when either part is larger than its bound; errors of the writer.
pub fn write_request(writer: &mut impl Write, request: &Request, program: &[u8]) -> io::Result<()> {
    let encoded = postcard::to_stdvec(request)
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
    write_block(writer, &encoded, REQUEST_BYTES_MAX, "request")?;
    write_block(writer, program, PROGRAM_BYTES_MAX, "program")
}

/// Reads what [`write_request`] wrote.
///
/// # Errors
/// [`io::ErrorKind::InvalidData`] when a part is larger than its bound or is not a request; errors
/// of the reader.
pub fn read_request(reader: &mut impl Read) -> io::Result<(Request, Vec<u8>)> {
    let encoded = read_block(reader, REQUEST_BYTES_MAX, "request")?;
    let request = decode_whole(&encoded)
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "not a request"))?;
    let program = read_block(reader, PROGRAM_BYTES_MAX, "program")?;
    Ok((request, program))
}

/// Encodes one status frame, with its length in front. Texts are cut to [`TEXT_BYTES_MAX`].
///
/// # Errors
/// [`io::ErrorKind::InvalidInput`] when the status cannot be encoded.
pub fn encode_status(status: &Status) -> io::Result<Vec<u8>> {
    let encoded = postcard::to_stdvec(&status::tidy(status.clone()))
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
    let mut frame = Vec::with_capacity(encoded.len().saturating_add(4));
    write_block(&mut frame, &encoded, STATUS_BYTES_MAX, "status")?;
    Ok(frame)
}

/// Decodes a value that must fill `bytes` exactly.
fn decode_whole<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Option<T> {
    match postcard::take_from_bytes(bytes) {
        Ok((value, [])) => Some(value),
        Ok(_) | Err(_) => None,
    }
}

fn write_block(
    writer: &mut impl Write,
    bytes: &[u8],
    bytes_max: usize,
    what: &str,
) -> io::Result<()> {
    let length = u32::try_from(bytes.len())
        .ok()
        .filter(|_| bytes.len() <= bytes_max);
    let Some(length) = length else {
        let text = format!(
            "the {what} has {} bytes; at most {bytes_max} fit",
            bytes.len()
        );
        return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
    };
    writer.write_all(&length.to_le_bytes())?;
    writer.write_all(bytes)
}

/// Memory taken before the first byte of a block is there.
const FIRST_BYTES: usize = 64 << 10;

fn read_block(reader: &mut impl Read, bytes_max: usize, what: &str) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    reader.read_exact(&mut length)?;
    let length = u32::from_le_bytes(length) as usize;
    if length > bytes_max {
        let text = format!("the {what} claims {length} bytes; at most {bytes_max} are accepted");
        return Err(io::Error::new(io::ErrorKind::InvalidData, text));
    }
    // The length is only a claim until the bytes are there, so memory grows with what arrives.
    let mut bytes = Vec::with_capacity(length.min(FIRST_BYTES));
    reader.take(length as u64).read_to_end(&mut bytes)?;
    if bytes.len() < length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests;
