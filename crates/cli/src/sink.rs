//! Writes a program's output to this process's own streams, on a thread of its own.
//!
//! A write to a terminal or a pipe may wait for its reader for ever; limits and Ctrl-C must not.
//! One thread serves both streams, so that what was first is written first.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::BorrowedFd;

use atoll_engine::Stream;
use tokio::sync::{mpsc, oneshot};

/// Chunks that wait for their reader, at most.
const CHUNKS_MAX: usize = 1;

/// Where output goes. The thread begins with the first bytes.
#[derive(Default)]
pub(crate) struct Sink {
    writer: Option<Writer>,
}

/// A way to offer something to a sink.
pub(crate) struct Lines(mpsc::Sender<(Stream, Vec<u8>)>);

impl Lines {
    /// As [`Sink::offer`].
    pub(crate) fn offer(&self, stream: Stream, bytes: &[u8]) -> bool {
        self.0.try_send((stream, bytes.to_vec())).is_ok()
    }
}

struct Writer {
    chunks: mpsc::Sender<(Stream, Vec<u8>)>,
    ended: oneshot::Receiver<io::Result<()>>,
}

impl Sink {
    /// Hands bytes over; waits while earlier ones are not written. `false` when nobody reads them
    /// any more. Dropping the future hands nothing over.
    pub(crate) async fn write(&mut self, stream: Stream, bytes: &[u8]) -> bool {
        match self.writer() {
            Some(writer) => writer.chunks.send((stream, bytes.to_vec())).await.is_ok(),
            None => false,
        }
    }

    /// Hands over what may as well be left out, without waiting: it is left out while earlier
    /// bytes are not written. Whether it was taken.
    pub(crate) fn offer(&mut self, stream: Stream, bytes: &[u8]) -> bool {
        self.writer()
            .is_some_and(|writer| writer.chunks.try_send((stream, bytes.to_vec())).is_ok())
    }

    /// For somebody else who may offer something: what is offered stands in order with the rest.
    /// The sink is only finished once this is gone.
    pub(crate) fn lines(&mut self) -> Option<Lines> {
        Some(Lines(self.writer()?.chunks.clone()))
    }

    fn writer(&mut self) -> Option<&Writer> {
        if self.writer.is_none() {
            self.writer = start().ok();
        }
        self.writer.as_ref()
    }

    /// Waits until everything is written.
    pub(crate) async fn finish(self) -> io::Result<()> {
        let Some(writer) = self.writer else {
            return Ok(());
        };
        drop(writer.chunks);
        writer
            .ended
            .await
            .unwrap_or_else(|_| Err(io::Error::other("the writing thread was lost")))
    }
}

fn start() -> io::Result<Writer> {
    let (chunks, mut waiting) = mpsc::channel::<(Stream, Vec<u8>)>(CHUNKS_MAX);
    let (end, ended) = oneshot::channel();
    std::thread::Builder::new()
        .name("output".to_owned())
        .spawn(move || {
            let mut result = Ok(());
            while result.is_ok()
                && let Some((stream, bytes)) = waiting.blocking_recv()
            {
                result = write_all(stream, &bytes);
            }
            // Told before the channel closes, so that whoever sees it closed finds the reason.
            let _ = end.send(result);
        })?;
    Ok(Writer { chunks, ended })
}

/// Writes past the buffers of the standard library: what the program has written is passed on at
/// once, newline or not.
fn write_all(stream: Stream, bytes: &[u8]) -> io::Result<()> {
    let descriptor: BorrowedFd<'static> = match stream {
        Stream::Stdout => rustix::stdio::stdout(),
        Stream::Stderr => rustix::stdio::stderr(),
    };
    File::from(descriptor.try_clone_to_owned()?).write_all(bytes)
}
