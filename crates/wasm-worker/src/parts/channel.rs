//! The way to a part in another process: frames over a stream.
//!
//! Owns one stream and what may go wrong with it. The other side is hostile: a frame that is no
//! reply, is too long, answers another request or comes too late ends the channel, and every later
//! call fails at once. Who starts processes decides whether there will be another.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout_at};

use super::frame::{FRAME_BYTES_MAX, LENGTH_BYTES, NotAFrame, Reply, Request};
use super::remote::{CallFailed, Remote};
use super::value::Value;

/// Memory taken before the first byte of a frame is there.
const FIRST_BYTES: usize = 64 << 10;

/// The caller's end of a stream to another process.
pub struct Channel<S> {
    state: Mutex<State<S>>,
    deadline: Duration,
}

struct State<S> {
    /// Not there while a call uses it, so that a call that is abandoned midway ends the channel.
    stream: Option<S>,
    requests: u64,
    why_gone: String,
}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Channel<S> {
    /// A channel over `stream`. `deadline` bounds every call, for the case that the other process
    /// is not what it should be; it should be longer than the time that the process gives its
    /// part, whose end is an ordinary answer.
    pub fn new(stream: S, deadline: Duration) -> Self {
        Self {
            state: Mutex::new(State {
                stream: Some(stream),
                requests: 0,
                why_gone: "a call was abandoned".to_owned(),
            }),
            deadline,
        }
    }

    /// Whether every later call fails.
    pub async fn is_gone(&self) -> bool {
        self.state.lock().await.stream.is_none()
    }
}

#[async_trait::async_trait]
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Remote for Channel<S> {
    async fn call(
        &self,
        interface: &str,
        function: &str,
        arguments: Vec<Value>,
    ) -> Result<Vec<Value>, CallFailed> {
        let Ok(mut state) = self.state.try_lock() else {
            return Err(CallFailed::Unfit(
                "the part waits for an answer itself and cannot be entered again".to_owned(),
            ));
        };
        state.requests = state.requests.wrapping_add(1);
        let request = Request {
            number: state.requests,
            interface: interface.to_owned(),
            function: function.to_owned(),
            arguments,
        };
        let frame = request.encode().map_err(|error| unfit(&error))?;
        let Some(mut stream) = state.stream.take() else {
            return Err(CallFailed::Gone(state.why_gone.clone()));
        };
        let until = Instant::now() + self.deadline;
        match timeout_at(until, exchange(&mut stream, &frame, until)).await {
            Ok(Ok(reply)) if reply.number == request.number => {
                state.stream = Some(stream);
                reply.answer
            }
            Ok(Ok(_)) => Err(state.gone("it answered another call than the one it was asked")),
            Ok(Err(error)) if error.kind() == io::ErrorKind::TimedOut => Err(self.late(&mut state)),
            Ok(Err(error)) => Err(state.gone(&error.to_string())),
            Err(_) => Err(self.late(&mut state)),
        }
    }
}

impl<S> Channel<S> {
    fn late(&self, state: &mut State<S>) -> CallFailed {
        let after_ms = u64::try_from(self.deadline.as_millis()).unwrap_or(u64::MAX);
        state.gone(&format!("it did not answer within {after_ms} ms"));
        CallFailed::TooLate { after_ms }
    }
}

impl<S> State<S> {
    fn gone(&mut self, why: &str) -> CallFailed {
        self.why_gone = why.to_owned();
        CallFailed::Gone(self.why_gone.clone())
    }
}

fn unfit(error: &NotAFrame) -> CallFailed {
    CallFailed::Unfit(error.to_string())
}

async fn exchange<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    frame: &[u8],
    until: Instant,
) -> io::Result<Reply> {
    stream.write_all(frame).await?;
    stream.flush().await?;
    let bytes = read_frame(stream, Some(until)).await?;
    let bytes = bytes.ok_or_else(|| io::Error::other("it ended"))?;
    Reply::decode(&bytes).map_err(io::Error::other)
}

/// The bytes of one frame without its length, or `None` at the end of the stream.
async fn read_frame<S: AsyncRead + Unpin>(
    stream: &mut S,
    until: Option<Instant>,
) -> io::Result<Option<Vec<u8>>> {
    let mut head = Vec::with_capacity(LENGTH_BYTES);
    fill(stream, &mut head, LENGTH_BYTES, until).await?;
    if head.is_empty() {
        return Ok(None);
    }
    let head: [u8; LENGTH_BYTES] = head
        .try_into()
        .map_err(|_| io::Error::other("it ended inside a frame"))?;
    let length = u32::from_le_bytes(head) as usize;
    if length > FRAME_BYTES_MAX {
        return Err(io::Error::other(NotAFrame::TooLong));
    }
    // The length is only a claim until the bytes are there, so memory grows with what arrives.
    let mut bytes = Vec::with_capacity(length.min(FIRST_BYTES));
    fill(stream, &mut bytes, length, until).await?;
    if bytes.len() < length {
        return Err(io::Error::other("it ended inside a frame"));
    }
    Ok(Some(bytes))
}

/// Reads until `bytes` has `length` bytes or the stream ends. A stream that blocks cannot be
/// interrupted, so the time is looked at after every piece.
async fn fill<S: AsyncRead + Unpin>(
    stream: &mut S,
    bytes: &mut Vec<u8>,
    length: usize,
    until: Option<Instant>,
) -> io::Result<()> {
    while bytes.len() < length {
        let missing = length.saturating_sub(bytes.len());
        let mut piece = (&mut *stream).take(missing as u64);
        if piece.read_buf(bytes).await? == 0 {
            return Ok(());
        }
        if bytes.len() < length && until.is_some_and(|until| Instant::now() >= until) {
            return Err(io::ErrorKind::TimedOut.into());
        }
    }
    Ok(())
}

/// Why serving a caller ended early.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The stream broke.
    #[error("the stream to the caller broke")]
    Stream(#[from] io::Error),
    /// The caller sent something else than requests.
    #[error("the caller sent something else than a request")]
    Request(#[from] NotAFrame),
}

/// Answers calls of `part` that arrive on `stream`, one after another, until the caller closes it.
///
/// # Errors
/// When the stream breaks or the caller does not keep to the protocol; then there is nobody left
/// whom the part could serve.
pub async fn serve<S>(stream: &mut S, part: &dyn Remote) -> Result<(), ServeError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    while let Some(bytes) = read_frame(stream, None).await? {
        let Request {
            number,
            interface,
            function,
            arguments,
        } = Request::decode(&bytes)?;
        drop(bytes);
        let answer = part.call(&interface, &function, arguments).await;
        let frame = Reply { number, answer }.encode().or_else(|error| {
            let answer = Err(unfit(&error));
            Reply { number, answer }.encode()
        })?;
        stream.write_all(&frame).await?;
        stream.flush().await?;
    }
    Ok(())
}

/// A socket that blocks its thread, for a process that has nothing else to do while a call is
/// under way, and no way to be told about sockets that are ready. Reading and writing are the only
/// system calls it makes once it exists.
#[derive(Debug)]
pub struct BlockingStream(UnixStream);

impl BlockingStream {
    /// Takes over a socket. With a `patience`, no single read or write waits longer; a caller's
    /// end needs one, as nothing else interrupts it.
    ///
    /// # Errors
    /// When the socket does not take the settings.
    pub fn new(socket: UnixStream, patience: Option<Duration>) -> io::Result<Self> {
        socket.set_nonblocking(false)?;
        socket.set_read_timeout(patience)?;
        socket.set_write_timeout(patience)?;
        Ok(Self(socket))
    }
}

/// The kernel says "would block" when the patience is over.
fn out_of_patience(error: io::Error) -> io::Error {
    if error.kind() == io::ErrorKind::WouldBlock {
        io::ErrorKind::TimedOut.into()
    } else {
        error
    }
}

impl AsyncRead for BlockingStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        to: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = loop {
            match self.0.read(to.initialize_unfilled()) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other,
            }
        };
        Poll::Ready(read.map(|count| to.advance(count)).map_err(out_of_patience))
    }
}

impl AsyncWrite for BlockingStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = loop {
            match self.0.write(bytes) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other,
            }
        };
        Poll::Ready(written.map_err(out_of_patience))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.0.shutdown(std::net::Shutdown::Write))
    }
}
