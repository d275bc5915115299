//! Reads status frames as what they are: bytes from a process that may have been taken over.
//!
//! Owns the bounds, the order and the cleaning of what a worker reports. What to believe of it is
//! decided elsewhere, beside what the kernel says.

use super::{STATUS_BYTES_MAX, Status, TEXT_BYTES_MAX, decode_whole};

/// Cuts a byte stream into [`Status`] frames.
///
/// Holds at most one frame: memory is bounded by [`STATUS_BYTES_MAX`] plus what one `push` brings.
#[derive(Debug, Default)]
pub struct StatusReader {
    buffer: Vec<u8>,
    broken: bool,
}

/// Why a worker's report is not believed any further.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StatusError {
    /// A frame claims to be larger than any frame is.
    #[error("a status frame of {0} bytes is larger than any frame")]
    TooLarge(usize),
    /// The bytes are not a status frame.
    #[error("a status frame cannot be decoded")]
    Malformed,
    /// A frame came at a time when it cannot come.
    #[error("a status frame came out of order")]
    OutOfOrder,
}

impl StatusReader {
    /// Takes over the next bytes of the stream. Once a frame was wrong, bytes are ignored.
    pub fn push(&mut self, bytes: &[u8]) {
        if !self.broken {
            self.buffer.extend_from_slice(bytes);
        }
    }

    /// The next complete frame, or `None` until more bytes are there.
    ///
    /// # Errors
    /// When the stream is not a stream of frames; every later call fails as well.
    pub fn next_status(&mut self) -> Result<Option<Status>, StatusError> {
        if self.broken {
            return Err(StatusError::Malformed);
        }
        let result = self.take();
        if result.is_err() {
            self.broken = true;
            self.buffer = Vec::new();
        }
        result
    }

    fn take(&mut self) -> Result<Option<Status>, StatusError> {
        let Some((length, rest)) = self.buffer.split_first_chunk::<4>() else {
            return Ok(None);
        };
        let length = u32::from_le_bytes(*length) as usize;
        if length > STATUS_BYTES_MAX {
            return Err(StatusError::TooLarge(length));
        }
        let Some(frame) = rest.get(..length) else {
            return Ok(None);
        };
        let status = decode_whole(frame).ok_or(StatusError::Malformed)?;
        self.buffer.drain(..length.saturating_add(4));
        Ok(Some(tidy(status)))
    }
}

/// What one worker has reported so far, in the only order that makes sense.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// System calls left to the worker, once it is ready.
    pub ready: Option<u32>,
    /// Microseconds of compilation, once the program has started.
    pub started: Option<u64>,
    /// How the program ended, or why it did not start.
    pub end: Option<Status>,
}

impl Report {
    /// Adds the next frame.
    ///
    /// # Errors
    /// [`StatusError::OutOfOrder`] when the frame cannot come now; the report is unchanged then.
    pub fn accept(&mut self, status: Status) -> Result<(), StatusError> {
        let in_order = self.end.is_none()
            && match &status {
                Status::Ready { .. } => self.ready.is_none() && self.started.is_none(),
                Status::Started { .. } => self.ready.is_some() && self.started.is_none(),
                Status::Exited { .. } | Status::Trapped { .. } => self.started.is_some(),
                Status::Refused { .. } => self.ready.is_some() && self.started.is_none(),
                Status::Failed { .. } => true,
            };
        if !in_order {
            return Err(StatusError::OutOfOrder);
        }
        match status {
            Status::Ready { system_calls } => self.ready = Some(system_calls),
            Status::Started { compile_us } => self.started = Some(compile_us),
            end => self.end = Some(end),
        }
        Ok(())
    }
}

/// Bounds and cleans every text of a status: names inside it are the guest's own.
pub(super) fn tidy(status: Status) -> Status {
    match status {
        Status::Trapped { text, limit } => Status::Trapped {
            text: tidy_text(&text),
            limit,
        },
        Status::Refused { reason } => Status::Refused {
            reason: tidy_text(&reason),
        },
        Status::Failed { reason } => Status::Failed {
            reason: tidy_text(&reason),
        },
        Status::Ready { .. } | Status::Started { .. } | Status::Exited { .. } => status,
    }
}

/// Replaces what a terminal or a log would obey, apart from line ends, and cuts at a character.
fn tidy_text(text: &str) -> String {
    let mut tidied = String::with_capacity(text.len().min(TEXT_BYTES_MAX));
    for character in text.chars() {
        let character = if character == '\n' || !is_unsafe_to_show(character) {
            character
        } else {
            char::REPLACEMENT_CHARACTER
        };
        if tidied.len().saturating_add(character.len_utf8()) > TEXT_BYTES_MAX {
            break;
        }
        tidied.push(character);
    }
    tidied
}

/// Control characters, and the marks that reorder the text around them (Unicode Standard Annex 9).
fn is_unsafe_to_show(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}'
                | '\u{2066}'..='\u{2069}'
        )
}
