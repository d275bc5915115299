//! What a compiler is asked, and what it answers.

use std::io::{self, Read, Write};

use serde::{Deserialize, Serialize};

use super::{FrameError, GuestKind, PROGRAM_BYTES_MAX, tidy};

/// The largest encoded [`CompileRequest`], in bytes.
const REQUEST_BYTES_MAX: usize = 1 << 10;

/// Memory taken before the first byte of a block is there.
const FIRST_BYTES: usize = 64 << 10;

/// What to compile, apart from the program's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompileRequest {
    /// What the program is taken for.
    pub kind: GuestKind,
}

/// What a compiler reports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum CompileStatus {
    /// It has closed itself in; nothing of the program has been read yet.
    Confined {
        /// System calls that are left to it.
        system_calls: u32,
    },
    /// The code is written.
    Compiled {
        /// Bytes of code.
        bytes: u64,
    },
    /// The program cannot be compiled.
    Refused {
        /// A sentence for the user.
        reason: String,
    },
    /// The compiler itself could not do its work.
    Failed {
        /// What failed.
        reason: String,
    },
}

/// What one compiler has reported so far, in the only order that makes sense.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CompileReport {
    /// System calls left to it, once it is closed in.
    pub confined: Option<u32>,
    /// How it went.
    pub end: Option<CompileStatus>,
}

impl CompileReport {
    /// Adds the next status.
    ///
    /// # Errors
    /// [`FrameError::OutOfOrder`] when it cannot come now; the report is unchanged then.
    pub fn accept(&mut self, status: CompileStatus) -> Result<(), FrameError> {
        let in_order = self.end.is_none()
            && match &status {
                CompileStatus::Confined { .. } => self.confined.is_none(),
                CompileStatus::Compiled { .. } | CompileStatus::Refused { .. } => {
                    self.confined.is_some()
                }
                CompileStatus::Failed { .. } => true,
            };
        if !in_order {
            return Err(FrameError::OutOfOrder);
        }
        match status {
            CompileStatus::Confined { system_calls } => self.confined = Some(system_calls),
            CompileStatus::Refused { reason } => {
                let reason = tidy(&reason);
                self.end = Some(CompileStatus::Refused { reason });
            }
            CompileStatus::Failed { reason } => {
                let reason = tidy(&reason);
                self.end = Some(CompileStatus::Failed { reason });
            }
            end @ CompileStatus::Compiled { .. } => self.end = Some(end),
        }
        Ok(())
    }
}

/// Writes a request and the program's bytes.
///
/// # Errors
/// [`io::ErrorKind::InvalidInput`] when the program is larger than [`PROGRAM_BYTES_MAX`]; errors of
/// the writer.
pub fn write_request(
    writer: &mut impl Write,
    request: CompileRequest,
    program: &[u8],
) -> io::Result<()> {
    let encoded = postcard::to_stdvec(&request)
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
    write_block(writer, &encoded, REQUEST_BYTES_MAX, "request")?;
    write_block(writer, program, PROGRAM_BYTES_MAX, "program")
}

/// Reads what [`write_request`] wrote.
///
/// # Errors
/// [`io::ErrorKind::InvalidData`] when a part is larger than its bound or is not a request; errors
/// of the reader.
pub fn read_request(reader: &mut impl Read) -> io::Result<(CompileRequest, Vec<u8>)> {
    let encoded = read_block(reader, REQUEST_BYTES_MAX, "request")?;
    let request = match postcard::take_from_bytes(&encoded) {
        Ok((request, [])) => request,
        Ok(_) | Err(_) => {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "not a request"));
        }
    };
    let program = read_block(reader, PROGRAM_BYTES_MAX, "program")?;
    Ok((request, program))
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
