//! Frames on their way to the supervisor.
//!
//! Owns the buffer between the guests and the socket. Guests put notices in; the worker's loop
//! sends them, many at once where many are there.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Mutex, PoisonError};

use atoll_sandbox_wasm::protocol::{NOTICE_BYTES_MAX, Notice, write_frame};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::net::{SendFlags, send};
use tokio::sync::Notify;

/// Bytes that may wait. A guest that adds more waits for the supervisor, and with it all others:
/// the supervisor always reads.
const WAITING_BYTES_MAX: usize = 1 << 20;

/// Where notices go.
#[derive(Debug, Clone)]
pub(crate) struct Outbox {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    socket: OwnedFd,
    buffer: Mutex<Vec<u8>>,
    filled: Notify,
}

impl Outbox {
    /// An outbox for a socket that does not block.
    pub(crate) fn new(socket: OwnedFd) -> Self {
        Self {
            inner: Arc::new(Inner {
                socket,
                buffer: Mutex::new(Vec::new()),
                filled: Notify::new(),
            }),
        }
    }

    /// Adds a notice. Names in its texts are the guests' own and may be long; they are cut where it
    /// would not fit otherwise.
    pub(crate) fn push(&self, notice: &Notice) {
        let mut buffer = self.buffer();
        if write_frame(&mut buffer, notice, NOTICE_BYTES_MAX).is_err() {
            // What does not fit even then is a fault of this program.
            let _ = write_frame(&mut buffer, &notice.clone().tidied(), NOTICE_BYTES_MAX);
        }
        let waiting = buffer.len();
        drop(buffer);
        if waiting > WAITING_BYTES_MAX {
            let _ = self.send_all();
        } else {
            self.inner.filled.notify_one();
        }
    }

    /// Returns when there is something to send.
    pub(crate) async fn filled(&self) {
        self.inner.filled.notified().await;
    }

    /// Sends everything that waits, and waits for the supervisor to take it.
    ///
    /// # Errors
    /// When nobody reads any more.
    pub(crate) fn send_all(&self) -> io::Result<()> {
        let mut buffer = self.buffer();
        let mut sent = 0;
        while let Some(rest) = buffer.get(sent..).filter(|rest| !rest.is_empty()) {
            match send(&self.inner.socket, rest, SendFlags::NOSIGNAL) {
                Ok(count) => sent = sent.saturating_add(count),
                Err(rustix::io::Errno::INTR) => {}
                Err(rustix::io::Errno::AGAIN) => {
                    let mut socket = [PollFd::from_borrowed_fd(
                        self.inner.socket.as_fd(),
                        PollFlags::OUT,
                    )];
                    match poll(&mut socket, None) {
                        Ok(_) | Err(rustix::io::Errno::INTR) => {}
                        Err(error) => return Err(error.into()),
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
        buffer.clear();
        Ok(())
    }

    fn buffer(&self) -> std::sync::MutexGuard<'_, Vec<u8>> {
        self.inner
            .buffer
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
