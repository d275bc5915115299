//! What two processes say to each other about one part.
//!
//! Owns the shapes, their encoding and their bounds. A frame is a 32-bit little-endian length and
//! that many bytes. The caller sends a [`Request`] and reads one [`Reply`] before it sends the
//! next; the number of a request comes back with its reply. Either side may be hostile.

use super::remote::CallFailed;
use super::value::{DEPTH_MAX, NotValues, Reader, Value, encode, put_bytes, put_number};

/// The longest frame, in bytes, without its length.
pub const FRAME_BYTES_MAX: usize = 8 << 20;

/// Bytes in front of a frame that hold its length.
pub(super) const LENGTH_BYTES: usize = 4;

/// The longest name of an interface or function, in bytes.
const NAME_BYTES_MAX: usize = 1 << 10;

/// A call.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// The caller's number for it.
    pub number: u64,
    /// The interface, as the part that is called names it.
    pub interface: String,
    /// The function.
    pub function: String,
    /// What it is called with.
    pub arguments: Vec<Value>,
}

/// What came of a call.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// The number of the request.
    pub number: u64,
    /// What the function returned, or why there is nothing.
    pub answer: Result<Vec<Value>, CallFailed>,
}

/// Why bytes are not a frame, or something does not fit into one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAFrame {
    /// The bytes are something else.
    #[error("the bytes are not a frame")]
    Malformed,
    /// The frame is longer than allowed.
    #[error("a frame has at most {FRAME_BYTES_MAX} bytes")]
    TooLong,
    /// Its values are not values.
    #[error("its values are wrong: {0}")]
    Values(#[from] NotValues),
}

mod outcome {
    pub(super) const ANSWERED: u8 = 0;
    pub(super) const TRAPPED: u8 = 1;
    pub(super) const TOO_LATE: u8 = 2;
    pub(super) const STOPPED: u8 = 3;
    pub(super) const GONE: u8 = 4;
    pub(super) const NOT_OFFERED: u8 = 5;
    pub(super) const UNFIT: u8 = 6;
}

impl Request {
    /// The whole frame, with its length.
    ///
    /// # Errors
    /// When it is larger than a frame or its values are more than a message holds.
    pub fn encode(&self) -> Result<Vec<u8>, NotAFrame> {
        framed(|to| {
            put_number(to, self.number);
            put_bytes(to, self.interface.as_bytes());
            put_bytes(to, self.function.as_bytes());
            Ok(encode(&self.arguments, to)?)
        })
    }

    /// Reads a frame without its length.
    ///
    /// # Errors
    /// When the bytes are not a request.
    pub fn decode(bytes: &[u8]) -> Result<Self, NotAFrame> {
        let mut reader = Reader::new(bytes);
        let request = Self {
            number: reader.number()?,
            interface: name(&mut reader)?,
            function: name(&mut reader)?,
            arguments: reader.values(DEPTH_MAX)?,
        };
        whole(&reader, request)
    }
}

impl Reply {
    /// The whole frame, with its length.
    ///
    /// # Errors
    /// When it is larger than a frame or its values are more than a message holds.
    pub fn encode(&self) -> Result<Vec<u8>, NotAFrame> {
        framed(|to| {
            put_number(to, self.number);
            let mut text = |kind: u8, text: &str| {
                to.push(kind);
                put_bytes(to, text.as_bytes());
            };
            match &self.answer {
                Ok(values) => {
                    to.push(outcome::ANSWERED);
                    encode(values, to)?;
                }
                Err(CallFailed::Trapped(why)) => text(outcome::TRAPPED, why),
                Err(CallFailed::Stopped(why)) => text(outcome::STOPPED, why),
                Err(CallFailed::Gone(why)) => text(outcome::GONE, why),
                Err(CallFailed::NotOffered(what)) => text(outcome::NOT_OFFERED, what),
                Err(CallFailed::Unfit(why)) => text(outcome::UNFIT, why),
                Err(CallFailed::TooLate { after_ms }) => {
                    to.push(outcome::TOO_LATE);
                    put_number(to, *after_ms);
                }
            }
            Ok(())
        })
    }

    /// Reads a frame without its length. Texts are cut.
    ///
    /// # Errors
    /// When the bytes are not a reply.
    pub fn decode(bytes: &[u8]) -> Result<Self, NotAFrame> {
        let mut reader = Reader::new(bytes);
        let number = reader.number()?;
        let kind = reader.byte()?;
        let answer = match kind {
            outcome::ANSWERED => Ok(reader.values(DEPTH_MAX)?),
            outcome::TOO_LATE => Err(CallFailed::TooLate {
                after_ms: reader.number()?,
            }),
            kind => {
                let text = reader.text()?.to_owned();
                let failed = match kind {
                    outcome::TRAPPED => CallFailed::Trapped(text),
                    outcome::STOPPED => CallFailed::Stopped(text),
                    outcome::GONE => CallFailed::Gone(text),
                    outcome::NOT_OFFERED => CallFailed::NotOffered(text),
                    outcome::UNFIT => CallFailed::Unfit(text),
                    _ => return Err(NotAFrame::Malformed),
                };
                Err(failed.cut())
            }
        };
        whole(&reader, Self { number, answer })
    }
}

fn name(reader: &mut Reader<'_>) -> Result<String, NotAFrame> {
    let name = reader.text()?;
    if name.len() > NAME_BYTES_MAX {
        return Err(NotAFrame::Malformed);
    }
    Ok(name.to_owned())
}

fn whole<T>(reader: &Reader<'_>, read: T) -> Result<T, NotAFrame> {
    reader
        .is_empty()
        .then_some(read)
        .ok_or(NotAFrame::Malformed)
}

fn framed(write: impl FnOnce(&mut Vec<u8>) -> Result<(), NotAFrame>) -> Result<Vec<u8>, NotAFrame> {
    let mut frame = vec![0; LENGTH_BYTES];
    write(&mut frame)?;
    let length = frame.len().saturating_sub(LENGTH_BYTES);
    if length > FRAME_BYTES_MAX {
        return Err(NotAFrame::TooLong);
    }
    let length = u32::try_from(length).map_err(|_| NotAFrame::TooLong)?;
    for (place, byte) in frame.iter_mut().zip(length.to_le_bytes()) {
        *place = byte;
    }
    Ok(frame)
}
