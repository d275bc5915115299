//! Streams of files. A file in memory never makes anybody wait.

use std::fmt;

use bytes::Bytes;
use wasmtime_wasi::p2::{InputStream, OutputStream, Pollable, StreamError, StreamResult};

use crate::host::SharedFiles;
use crate::host::errno::Errno;
use crate::host::files::NodeId;

/// The most that one read gives or one write takes.
const PIECE_BYTES_MAX: usize = 64 << 10;

/// An error of the host inside the error of a stream, from which a guest gets the code back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct HostError(pub(super) Errno);

impl fmt::Display for HostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the call failed: {:?}", self.0)
    }
}

impl std::error::Error for HostError {}

impl From<HostError> for StreamError {
    fn from(error: HostError) -> Self {
        Self::LastOperationFailed(error.into())
    }
}

/// Holds a file open on its own.
pub(super) struct Held {
    files: SharedFiles,
    node: NodeId,
}

impl Held {
    pub(super) fn new(files: &SharedFiles, node: NodeId) -> Result<Self, Errno> {
        files.lock().hold(node)?;
        Ok(Self::opened(files, node))
    }

    /// Takes over what was opened.
    pub(super) fn opened(files: &SharedFiles, node: NodeId) -> Self {
        Self {
            files: files.clone(),
            node,
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.files.lock().close(self.node);
    }
}

/// Reads a file from a position on.
pub(super) struct FileInput {
    held: Held,
    position: u64,
}

impl FileInput {
    pub(super) const fn new(held: Held, position: u64) -> Self {
        Self { held, position }
    }
}

#[async_trait::async_trait]
impl Pollable for FileInput {
    async fn ready(&mut self) {}
}

#[async_trait::async_trait]
impl InputStream for FileInput {
    fn read(&mut self, count: usize) -> StreamResult<Bytes> {
        if count == 0 {
            return Ok(Bytes::new());
        }
        let Held { files, node } = &self.held;
        let mut files = files.lock();
        let size = files.stat(*node).map_err(HostError)?.size;
        let rest = usize::try_from(size.saturating_sub(self.position)).unwrap_or(usize::MAX);
        let mut buffer = vec![0; count.min(PIECE_BYTES_MAX).min(rest)];
        let read = files
            .read(*node, self.position, &mut buffer)
            .map_err(HostError)?;
        if read == 0 {
            return Err(StreamError::Closed);
        }
        self.position = self.position.saturating_add(read as u64);
        Ok(buffer.into())
    }
}

/// Writes a file from a position on, or at its end.
pub(super) struct FileOutput {
    held: Held,
    /// `None` writes at the end, wherever that is.
    position: Option<u64>,
}

impl FileOutput {
    pub(super) const fn new(held: Held, position: Option<u64>) -> Self {
        Self { held, position }
    }
}

#[async_trait::async_trait]
impl Pollable for FileOutput {
    async fn ready(&mut self) {}
}

#[async_trait::async_trait]
impl OutputStream for FileOutput {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        let Held { files, node } = &self.held;
        let mut files = files.lock();
        let mut rest = bytes.as_ref();
        while !rest.is_empty() {
            let at = match self.position {
                Some(position) => position,
                None => files.stat(*node).map_err(HostError)?.size,
            };
            let written = files.write(*node, at, rest).map_err(HostError)?;
            if let Some(position) = &mut self.position {
                *position = position.saturating_add(written as u64);
            }
            rest = rest.get(written..).unwrap_or_default();
        }
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(PIECE_BYTES_MAX)
    }

    async fn blocking_write_and_flush(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.write(bytes)
    }
}
