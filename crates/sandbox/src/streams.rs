//! A program's standard streams, seen from outside.

use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;

use tokio::sync::mpsc;

/// A program's standard streams.
#[derive(Debug)]
pub struct Streams {
    /// Where standard input is written; dropping it is end of file.
    pub stdin: InputEnd,
    /// Where standard output is read.
    pub stdout: OutputEnd,
    /// Where standard error is read.
    pub stderr: OutputEnd,
}

/// The outer end of standard input.
#[derive(Debug)]
pub enum InputEnd {
    /// The write end of a pipe.
    Pipe(OwnedFd),
    /// Takes pieces, as fast as the program asks for them.
    Pieces(mpsc::Sender<Vec<u8>>),
}

/// The outer end of an output stream.
#[derive(Debug)]
pub enum OutputEnd {
    /// The read end of a pipe.
    Pipe(OwnedFd),
    /// Pieces as they come; the sandbox bounds how many can wait, by the output limit.
    Pieces(mpsc::UnboundedReceiver<Vec<u8>>),
}

impl InputEnd {
    /// Writes everything and waits until it is taken, for callers outside of a runtime.
    ///
    /// # Errors
    /// When the program does not read any more.
    pub fn write_all(self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Pipe(pipe) => {
                rustix::io::ioctl_fionbio(&pipe, false)?;
                std::fs::File::from(pipe).write_all(bytes)
            }
            Self::Pieces(pieces) => pieces
                .blocking_send(bytes.to_vec())
                .map_err(|_| io::ErrorKind::BrokenPipe.into()),
        }
    }
}

impl OutputEnd {
    /// Reads everything until the end, for callers outside of a runtime.
    ///
    /// # Errors
    /// When reading fails.
    pub fn read_to_end(self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        match self {
            Self::Pipe(pipe) => {
                rustix::io::ioctl_fionbio(&pipe, false)?;
                std::fs::File::from(pipe).read_to_end(&mut bytes)?;
            }
            Self::Pieces(mut pieces) => {
                while let Some(piece) = pieces.blocking_recv() {
                    bytes.extend_from_slice(&piece);
                }
            }
        }
        Ok(bytes)
    }
}
