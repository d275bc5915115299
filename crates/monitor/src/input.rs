//! Feeds standard input to a program that may read it all, in part or not at all.
//!
//! Owns the outer end of the program's standard input. It does not read the caller's own standard
//! input; whoever does hands chunks over through a bounded channel.

use atoll_sandbox::InputEnd;
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

/// The largest piece that is handed over at once, in bytes.
const PIECE_BYTES: usize = 256 << 10;

/// Where input goes.
pub(crate) enum Stdin {
    Pipe(pipe::Sender),
    Pieces(mpsc::Sender<Vec<u8>>),
}

impl Stdin {
    /// Whether it was taken; a program that reads no more is no error.
    async fn write_all(&mut self, bytes: &[u8]) -> bool {
        match self {
            Self::Pipe(pipe) => pipe.write_all(bytes).await.is_ok(),
            Self::Pieces(pieces) => {
                for piece in bytes.chunks(PIECE_BYTES) {
                    if pieces.send(piece.to_vec()).await.is_err() {
                        return false;
                    }
                }
                true
            }
        }
    }
}

pub(crate) fn open(stdin: InputEnd) -> Result<Stdin, WatchError> {
    match stdin {
        InputEnd::Pieces(pieces) => Ok(Stdin::Pieces(pieces)),
        InputEnd::Pipe(pipe) => {
            let sender = pipe::Sender::from_owned_fd(pipe).map_err(|source| WatchError {
                stream: "standard input",
                source,
            })?;
            Ok(Stdin::Pipe(sender))
        }
    }
}

/// Writes all input and closes the stream. A program that closes its standard input early is no
/// error: the rest is dropped, as a shell's pipe would do.
pub(crate) async fn feed(mut stdin: Stdin, input: Input) {
    match input {
        Input::Empty => {}
        Input::Bytes(bytes) => {
            stdin.write_all(&bytes).await;
        }
        Input::Channel(mut chunks) => {
            while let Some(chunk) = chunks.recv().await {
                if !stdin.write_all(&chunk).await {
                    break;
                }
            }
        }
    }
}
