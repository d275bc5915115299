//! Orders on their way to a worker.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};

use crate::protocol::{ORDER_BYTES_MAX, Order, write_frame};

/// Frames that have not been sent.
#[derive(Debug, Default)]
pub(super) struct Outgoing {
    chunks: VecDeque<Chunk>,
}

/// Frames that are sent together. A descriptor goes with the first byte.
#[derive(Debug, Default)]
struct Chunk {
    bytes: Vec<u8>,
    sent: usize,
    descriptor: Option<Arc<OwnedFd>>,
}

impl Outgoing {
    /// Adds an order, with the descriptor that it speaks of.
    pub(super) fn push(
        &mut self,
        order: &Order,
        descriptor: Option<Arc<OwnedFd>>,
    ) -> io::Result<()> {
        if descriptor.is_some() || self.chunks.is_empty() {
            self.chunks.push_back(Chunk {
                descriptor,
                ..Chunk::default()
            });
        }
        match self.chunks.back_mut() {
            Some(chunk) => write_frame(&mut chunk.bytes, order, ORDER_BYTES_MAX),
            None => Ok(()),
        }
    }

    /// Sends as much as the worker takes now.
    pub(super) fn send(&mut self, socket: BorrowedFd<'_>) -> io::Result<()> {
        while let Some(chunk) = self.chunks.front_mut() {
            let rest = chunk.bytes.get(chunk.sent..).unwrap_or_default();
            if rest.is_empty() {
                self.chunks.pop_front();
                continue;
            }
            let sent = send_with(socket, rest, chunk.descriptor.as_ref())?;
            chunk.descriptor = None;
            chunk.sent = chunk.sent.saturating_add(sent);
        }
        Ok(())
    }

    /// Everything that has not been sent.
    #[cfg(test)]
    pub(super) fn take(&mut self) -> Vec<u8> {
        let chunks = self.chunks.drain(..);
        chunks.flat_map(|chunk| chunk.bytes).collect()
    }

    /// Forgets what has not been sent.
    pub(super) fn clear(&mut self) {
        self.chunks.clear();
    }
}

fn send_with(
    socket: BorrowedFd<'_>,
    bytes: &[u8],
    descriptor: Option<&Arc<OwnedFd>>,
) -> io::Result<usize> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    let descriptors = descriptor.map(|descriptor| [descriptor.as_fd()]);
    if let Some(descriptors) = &descriptors {
        ancillary.push(SendAncillaryMessage::ScmRights(descriptors));
    }
    let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
    let sent = sendmsg(socket, &[IoSlice::new(bytes)], &mut ancillary, flags)?;
    Ok(sent)
}
