//! Frames: a length, then a value.

use std::io;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The bytes of a frame's length.
const LENGTH_BYTES: usize = 4;

/// Bytes that have been read and may stay in the buffer until it is moved together.
const SLACK_BYTES: usize = 64 << 10;

/// Appends a value as a frame.
///
/// # Errors
/// [`io::ErrorKind::InvalidInput`] when it is larger than `bytes_max`; nothing is appended then.
pub fn write_frame(
    buffer: &mut Vec<u8>,
    value: &impl Serialize,
    bytes_max: usize,
) -> io::Result<()> {
    let start = buffer.len();
    buffer.extend_from_slice(&[0; LENGTH_BYTES]);
    let appended = append(buffer, value);
    let length = buffer.len().saturating_sub(start + LENGTH_BYTES);
    let checked = appended.and_then(|()| {
        let fits = u32::try_from(length).ok().filter(|_| length <= bytes_max);
        fits.ok_or_else(|| {
            let text = format!("the request has {length} bytes; at most {bytes_max} fit");
            io::Error::new(io::ErrorKind::InvalidInput, text)
        })
    });
    match (checked, buffer.get_mut(start..)) {
        (Ok(length), Some([a, b, c, d, ..])) => {
            [*a, *b, *c, *d] = length.to_le_bytes();
            Ok(())
        }
        (result, _) => {
            buffer.truncate(start);
            result.map(|_| ())
        }
    }
}

fn append(buffer: &mut Vec<u8>, value: &impl Serialize) -> io::Result<()> {
    let taken = std::mem::take(buffer);
    *buffer = postcard::to_extend(value, taken)
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
    Ok(())
}

/// Cuts a stream of bytes into frames.
///
/// Memory is bounded by the largest frame plus what one `push` brings.
#[derive(Debug)]
pub struct FrameReader {
    buffer: Vec<u8>,
    /// Where the first frame that has not been taken begins.
    start: usize,
    bytes_max: usize,
    broken: bool,
}

/// Why a stream is not believed any further.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// A frame claims to be larger than any frame is.
    #[error("a frame of {0} bytes is larger than any frame")]
    TooLarge(usize),
    /// The bytes are not a frame.
    #[error("a frame cannot be decoded")]
    Malformed,
    /// A frame came at a time when it cannot come.
    #[error("a frame came out of order")]
    OutOfOrder,
}

impl FrameReader {
    /// A reader of frames of at most so many bytes.
    #[must_use]
    pub const fn new(bytes_max: usize) -> Self {
        Self {
            buffer: Vec::new(),
            start: 0,
            bytes_max,
            broken: false,
        }
    }

    /// Takes over the next bytes of the stream. Once a frame was wrong, bytes are ignored.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.broken {
            return;
        }
        if self.start == self.buffer.len() {
            self.buffer.clear();
            self.start = 0;
        } else if self.start > SLACK_BYTES {
            self.buffer.drain(..self.start);
            self.start = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// The next complete frame, or `None` until more bytes are there.
    ///
    /// # Errors
    /// When the stream is not a stream of frames; every later call fails as well.
    pub fn next_frame<T: DeserializeOwned>(&mut self) -> Result<Option<T>, FrameError> {
        if self.broken {
            return Err(FrameError::Malformed);
        }
        let result = self.take();
        if result.is_err() {
            self.broken = true;
            self.buffer = Vec::new();
            self.start = 0;
        }
        result
    }

    fn take<T: DeserializeOwned>(&mut self) -> Result<Option<T>, FrameError> {
        let waiting = self.buffer.get(self.start..).unwrap_or_default();
        let Some((length, rest)) = waiting.split_first_chunk::<LENGTH_BYTES>() else {
            return Ok(None);
        };
        let length = u32::from_le_bytes(*length) as usize;
        if length > self.bytes_max {
            return Err(FrameError::TooLarge(length));
        }
        let Some(frame) = rest.get(..length) else {
            return Ok(None);
        };
        let value = match postcard::take_from_bytes(frame) {
            Ok((value, [])) => value,
            Ok(_) | Err(_) => return Err(FrameError::Malformed),
        };
        self.start = self.start.saturating_add(length + LENGTH_BYTES);
        Ok(Some(value))
    }
}
