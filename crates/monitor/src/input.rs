//! Feeds standard input to a program that may read it all, in part or not at all.
//!
//! Owns the write end of the program's standard input. It does not read the caller's own standard
//! input; whoever does hands chunks over through a bounded channel.

use std::os::fd::OwnedFd;

use atoll_types::Content;
use tokio::io::AsyncWriteExt;
use tokio::net::unix::pipe;
use tokio::sync::mpsc;

use crate::WatchError;

/// What a program reads from standard input.
#[derive(Debug, Default)]
pub enum Input {
    /// End of file at once.
    #[default]
    Empty,
    /// These bytes, then end of file.
    Bytes(Content),
    /// Chunks as they come; end of file when the sender is dropped. The sender notices a program
    /// that no longer reads by its channel being closed.
    Channel(mpsc::Receiver<Vec<u8>>),
}

pub(crate) fn open(stdin: OwnedFd) -> Result<pipe::Sender, WatchError> {
    pipe::Sender::from_owned_fd(stdin).map_err(|source| WatchError {
        stream: "standard input",
        source,
    })
}

/// Writes all input and closes the pipe. A program that closes its standard input early is no
/// error: the rest is dropped, as a shell's pipe would do.
pub(crate) async fn feed(mut stdin: pipe::Sender, input: Input) {
    match input {
        Input::Empty => {}
        Input::Bytes(bytes) => {
            let _ = stdin.write_all(&bytes).await;
        }
        Input::Channel(mut chunks) => {
            while let Some(chunk) = chunks.recv().await {
                if stdin.write_all(&chunk).await.is_err() {
                    break;
                }
            }
        }
    }
}
