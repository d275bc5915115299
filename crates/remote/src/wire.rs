//! The stream between a host and an agent: frames in both directions.
//!
//! Owns reading and writing without blocking, on whatever the stream is made of: a socket, a pair
//! of pipes, a port of a virtual machine. What is said is not known here.

use std::io;
use std::os::fd::OwnedFd;

use atoll_frame::{FrameReader, write_frame};
use rustix::io::Errno;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::unix::AsyncFd;
use tokio::io::{Interest, Ready};

/// Bytes read at once.
const READ_BYTES: usize = 64 << 10;

/// The reading half.
pub struct WireReader {
    stream: AsyncFd<OwnedFd>,
    frames: FrameReader,
    buffer: Vec<u8>,
}

/// The writing half.
pub struct WireWriter {
    stream: AsyncFd<OwnedFd>,
    buffer: Vec<u8>,
    sent: usize,
    frame_bytes_max: usize,
}

/// Both halves of a stream, which may be one descriptor twice. Frames that come have at most
/// `read_bytes_max` bytes and those that go `write_bytes_max`. It has to be called inside a Tokio
/// runtime.
///
/// # Errors
/// When a descriptor cannot be waited for.
pub fn wire(
    input: OwnedFd,
    output: OwnedFd,
    read_bytes_max: usize,
    write_bytes_max: usize,
) -> io::Result<(WireReader, WireWriter)> {
    rustix::io::ioctl_fionbio(&input, true)?;
    rustix::io::ioctl_fionbio(&output, true)?;
    let reader = WireReader {
        stream: watched(input, Interest::READABLE)?,
        frames: FrameReader::new(read_bytes_max),
        buffer: vec![0; READ_BYTES],
    };
    let writer = WireWriter {
        stream: watched(output, Interest::WRITABLE)?,
        buffer: Vec::new(),
        sent: 0,
        frame_bytes_max: write_bytes_max,
    };
    Ok((reader, writer))
}

#[allow(
    deprecated,
    reason = "what owns its descriptor, and never hands it out, closes it after it was watched"
)]
fn watched(stream: OwnedFd, interest: Interest) -> io::Result<AsyncFd<OwnedFd>> {
    AsyncFd::with_interest(stream, interest)
}

impl WireReader {
    /// The next value; `None` at the end of the stream. Cancelling loses nothing.
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidData`] when what comes is no such frame; errors of the stream.
    pub async fn next<T: DeserializeOwned>(&mut self) -> io::Result<Option<T>> {
        loop {
            let next = self.frames.next_frame();
            let next = next.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
            if let Some(value) = next {
                return Ok(Some(value));
            }
            // What is there already needs no look at whether it is.
            let count = match rustix::io::read(&self.stream, &mut self.buffer) {
                Ok(count) => count,
                Err(Errno::INTR) => continue,
                Err(Errno::AGAIN) => {
                    let mut guard = self.stream.readable().await?;
                    guard.clear_ready_matching(Ready::READABLE);
                    // What came between the attempt and the clearing would wake nobody.
                    match rustix::io::read(guard.get_inner(), &mut self.buffer) {
                        Ok(count) => count,
                        Err(Errno::INTR | Errno::AGAIN) => continue,
                        Err(error) => return Err(error.into()),
                    }
                }
                Err(error) => return Err(error.into()),
            };
            if count == 0 {
                return Ok(None);
            }
            let bytes = self.buffer.get(..count).unwrap_or_default();
            self.frames.push(bytes);
        }
    }
}

impl WireWriter {
    /// Appends a value to what is to be written.
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidInput`] when it is too large; nothing was appended then.
    pub fn queue(&mut self, value: &impl Serialize) -> io::Result<()> {
        if self.sent == self.buffer.len() {
            self.buffer.clear();
            self.sent = 0;
        }
        write_frame(&mut self.buffer, value, self.frame_bytes_max)
    }

    /// Bytes that have still to be written.
    #[must_use]
    pub fn waiting_bytes(&self) -> usize {
        self.buffer.len().saturating_sub(self.sent)
    }

    /// Writes what the stream takes at once.
    ///
    /// # Errors
    /// Errors of the stream.
    pub fn try_flush(&mut self) -> io::Result<()> {
        while let Some(rest) = self.buffer.get(self.sent..).filter(|rest| !rest.is_empty()) {
            match rustix::io::write(&self.stream, rest) {
                Ok(count) => self.sent = self.sent.saturating_add(count),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Writes everything that is queued. Cancelling loses nothing.
    ///
    /// # Errors
    /// Errors of the stream.
    pub async fn flush(&mut self) -> io::Result<()> {
        loop {
            self.try_flush()?;
            if self.waiting_bytes() == 0 {
                return Ok(());
            }
            let mut guard = self.stream.writable().await?;
            guard.clear_ready();
            drop(guard);
            // As for reading: what became possible before the clearing would wake nobody.
            self.try_flush()?;
        }
    }
}
