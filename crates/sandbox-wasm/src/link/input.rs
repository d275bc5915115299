//! Hands standard input over, a piece whenever a worker asks for one.

use std::sync::Arc;

use tokio::sync::{Notify, mpsc};
use tokio::task::AbortHandle;

use super::Link;
use crate::protocol::{Order, PIECE_BYTES_MAX};

/// A task that hands standard input over. It ends with the input, or when this is dropped.
#[derive(Debug)]
pub(crate) struct Feeding {
    wanted: Arc<Notify>,
    task: AbortHandle,
}

impl Feeding {
    /// Starts the task.
    pub(super) fn start(link: Arc<Link>, message: u64, input: mpsc::Receiver<Vec<u8>>) -> Self {
        let wanted = Arc::new(Notify::new());
        let task = tokio::spawn(feed(link, message, input, Arc::clone(&wanted)));
        Self {
            wanted,
            task: task.abort_handle(),
        }
    }

    /// Lets it hand over one more piece.
    pub(super) fn want(&self) {
        self.wanted.notify_one();
    }
}

impl Drop for Feeding {
    fn drop(&mut self) {
        // Whoever writes input for a message that has ended must hear of it.
        self.task.abort();
    }
}

async fn feed(
    link: Arc<Link>,
    message: u64,
    mut input: mpsc::Receiver<Vec<u8>>,
    wanted: Arc<Notify>,
) {
    loop {
        wanted.notified().await;
        // Nothing is no answer to a guest that waits for something.
        let piece = loop {
            match input.recv().await {
                Some(piece) if piece.is_empty() => {}
                other => break other,
            }
        };
        let Some(piece) = piece else {
            let _ = hand_over(&link, message, &[], true);
            return;
        };
        for part in piece.chunks(PIECE_BYTES_MAX) {
            if hand_over(&link, message, part, false).is_err() {
                return;
            }
        }
    }
}

fn hand_over(link: &Link, message: u64, bytes: &[u8], ends: bool) -> std::io::Result<()> {
    link.order(&Order::Input {
        message,
        bytes: bytes.to_vec(),
        ends,
    })
}
