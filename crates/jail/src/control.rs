//! Length-prefixed messages with descriptors over a Unix stream socket.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Descriptors one message may carry at most; the kernel's own bound is 253.
pub(crate) const DESCRIPTORS_MAX: usize = 16;

/// Bytes one message may have at most: arguments and environment together stay below this.
pub(crate) const MESSAGE_BYTES_MAX: usize = 8 << 20;

const LENGTH_BYTES: usize = 4;

/// Sends one message and waits until the socket has taken all of it.
///
/// # Errors
/// When the message is too large, cannot be encoded, or the other end is gone.
pub(crate) fn send<T: Serialize>(
    socket: BorrowedFd<'_>,
    message: &T,
    descriptors: &[BorrowedFd<'_>],
) -> io::Result<()> {
    let body = postcard::to_stdvec(message).map_err(io::Error::other)?;
    if body.len() > MESSAGE_BYTES_MAX || descriptors.len() > DESCRIPTORS_MAX {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "message too large",
        ));
    }
    let length = u32::try_from(body.len())
        .map_err(io::Error::other)?
        .to_le_bytes();
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS_MAX))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !descriptors.is_empty() && !control.push(SendAncillaryMessage::ScmRights(descriptors)) {
        return Err(io::Error::other("too many descriptors"));
    }
    let parts = [IoSlice::new(&length), IoSlice::new(&body)];
    let sent = retry(|| sendmsg(socket, &parts, &mut control, SendFlags::NOSIGNAL))?;
    let rest = [length.as_slice(), body.as_slice()].concat();
    send_all(socket, rest.get(sent..).unwrap_or_default())
}

fn send_all(socket: BorrowedFd<'_>, mut rest: &[u8]) -> io::Result<()> {
    while !rest.is_empty() {
        let sent = retry(|| rustix::net::send(socket, rest, SendFlags::NOSIGNAL))?;
        rest = rest.get(sent..).unwrap_or_default();
    }
    Ok(())
}

/// Collects one message from a socket, in as many reads as it takes.
#[derive(Debug, Default)]
pub(crate) struct Receiver {
    bytes: Vec<u8>,
    descriptors: Vec<OwnedFd>,
}

/// What a read brought.
#[derive(Debug)]
pub(crate) enum Received<T> {
    /// A whole message with its descriptors.
    Message(T, Vec<OwnedFd>),
    /// Not enough yet.
    Incomplete,
    /// The other end has closed the socket.
    Closed,
}

impl Receiver {
    /// Reads once and reports whether a message is complete.
    ///
    /// # Errors
    /// `WouldBlock` on a socket that does not block and has nothing; other errors when the other
    /// end broke the rules or the socket failed.
    pub(crate) fn receive<T: DeserializeOwned>(
        &mut self,
        socket: impl AsFd,
    ) -> io::Result<Received<T>> {
        let missing = self.missing()?;
        let mut chunk = vec![0_u8; missing.min(64 << 10)];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS_MAX))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let flags = RecvFlags::CMSG_CLOEXEC;
        let read = recvmsg(
            socket.as_fd(),
            &mut [IoSliceMut::new(&mut chunk)],
            &mut control,
            flags,
        )?;
        for message in control.drain() {
            if let RecvAncillaryMessage::ScmRights(received) = message {
                self.descriptors.extend(received);
            }
        }
        if read.bytes == 0 {
            return Ok(Received::Closed);
        }
        self.bytes
            .extend_from_slice(chunk.get(..read.bytes).unwrap_or_default());
        if self.missing()? > 0 {
            return Ok(Received::Incomplete);
        }
        let body = self.bytes.get(LENGTH_BYTES..).unwrap_or_default();
        let message = postcard::from_bytes(body).map_err(io::Error::other)?;
        self.bytes.clear();
        Ok(Received::Message(
            message,
            std::mem::take(&mut self.descriptors),
        ))
    }

    /// Reads until a message is complete. For sockets that block.
    ///
    /// # Errors
    /// `UnexpectedEof` when the other end closes first; else as [`Self::receive`].
    pub(crate) fn receive_blocking<T: DeserializeOwned>(
        &mut self,
        socket: BorrowedFd<'_>,
    ) -> io::Result<(T, Vec<OwnedFd>)> {
        loop {
            match self.receive(socket) {
                Ok(Received::Message(message, descriptors)) => return Ok((message, descriptors)),
                Ok(Received::Incomplete) => {}
                Ok(Received::Closed) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Bytes still needed: first for the length, then for the body it announces.
    fn missing(&self) -> io::Result<usize> {
        let Some(length) = self.bytes.first_chunk::<LENGTH_BYTES>() else {
            return Ok(LENGTH_BYTES - self.bytes.len());
        };
        let length = u32::from_le_bytes(*length) as usize;
        if length > MESSAGE_BYTES_MAX {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "message too large",
            ));
        }
        Ok((LENGTH_BYTES + length).saturating_sub(self.bytes.len()))
    }
}

fn retry<T>(mut attempt: impl FnMut() -> rustix::io::Result<T>) -> rustix::io::Result<T> {
    loop {
        match attempt() {
            Err(rustix::io::Errno::INTR) => {}
            result => return result,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn messages_and_descriptors_arrive_in_order() {
        let (left, right) = UnixStream::pair().unwrap();
        let sender = std::thread::spawn(move || {
            let null = std::fs::File::open("/dev/null").unwrap();
            send(left.as_fd(), &vec![1_u8; 300_000], &[null.as_fd()]).unwrap();
            send(left.as_fd(), &vec![2_u8; 3], &[]).unwrap();
        });
        let mut receiver = Receiver::default();
        let (first, descriptors): (Vec<u8>, _) = receiver.receive_blocking(right.as_fd()).unwrap();
        assert_eq!(first, vec![1; 300_000]);
        assert_eq!(descriptors.len(), 1);
        let (second, descriptors): (Vec<u8>, _) = receiver.receive_blocking(right.as_fd()).unwrap();
        assert_eq!(second, vec![2; 3]);
        assert!(descriptors.is_empty());
        sender.join().unwrap();
        let end = receiver
            .receive_blocking::<Vec<u8>>(right.as_fd())
            .unwrap_err();
        assert_eq!(end.kind(), io::ErrorKind::UnexpectedEof);
    }

    #[test]
    fn an_announced_length_beyond_the_bound_is_refused() {
        let (left, right) = UnixStream::pair().unwrap();
        rustix::io::write(&left, &u32::MAX.to_le_bytes()).unwrap();
        let error = Receiver::default()
            .receive_blocking::<Vec<u8>>(right.as_fd())
            .unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    }
}
