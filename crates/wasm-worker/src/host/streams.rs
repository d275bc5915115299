//! Standard input, output and error of one guest.
//!
//! Owns the bound on output, the input that has arrived, and who waits for more of it. Where output
//! goes and where input comes from is the worker's business: it gives a [`Sink`], and it feeds an
//! [`Input`] through its [`Feed`].

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use wasmtime_wasi::cli::{IsTerminal, StdinStream, StdoutStream};
use wasmtime_wasi::p2::{InputStream, OutputStream, Pollable, StreamError, StreamResult};

use super::enter::Ended;

/// The most that a guest may write to a stream without looking again whether there is room.
const PERMIT_BYTES_MAX: usize = 64 << 10;

/// Which of the two output streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OutputName {
    /// Standard output.
    Output,
    /// Standard error.
    Error,
}

/// Nobody takes the output any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Closed;

/// Takes what a guest writes, in the order in which it writes it.
pub(crate) trait Sink: Send {
    /// How many bytes there is room for, at least one. `Pending` lets the guest wait until the
    /// waker is called; only the last waker of each stream needs to be kept.
    fn poll_room(
        &mut self,
        name: OutputName,
        context: &mut Context<'_>,
    ) -> Poll<Result<usize, Closed>>;

    /// Takes all these bytes: at most what there was room for, or 64 KiB more when both streams
    /// were told of the same room.
    fn put(&mut self, name: OutputName, bytes: &[u8]);
}

/// Why output was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OutputError {
    /// Nobody takes it any more.
    Closed,
    /// The guest wrote more than it may.
    Limit,
}

struct Shared {
    sink: Box<dyn Sink>,
    bytes_max: u64,
    left: u64,
    over: bool,
}

/// One of the two output streams; a clone is the same stream.
#[derive(Clone)]
pub(crate) struct Output {
    shared: Arc<Mutex<Shared>>,
    name: OutputName,
}

impl Output {
    /// Standard output and standard error, which together take `bytes_max` bytes.
    pub(crate) fn pair(sink: Box<dyn Sink>, bytes_max: u64) -> (Self, Self) {
        let shared = Arc::new(Mutex::new(Shared {
            sink,
            bytes_max,
            left: bytes_max,
            over: false,
        }));
        let output = Self {
            shared: Arc::clone(&shared),
            name: OutputName::Output,
        };
        let error = Self {
            shared,
            name: OutputName::Error,
        };
        (output, error)
    }

    /// Bytes that this stream and the other one have taken.
    pub(crate) fn taken(&self) -> u64 {
        let shared = self.lock();
        shared.bytes_max.saturating_sub(shared.left)
    }

    /// Whether the guest tried to write more than it may.
    pub(crate) fn is_over(&self) -> bool {
        self.lock().over
    }

    /// Writes some of the bytes.
    pub(crate) fn poll_write(
        &self,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<Result<usize, OutputError>> {
        let mut shared = self.lock();
        if bytes.is_empty() {
            return Poll::Ready(Ok(0));
        }
        if shared.left == 0 {
            shared.over = true;
            return Poll::Ready(Err(OutputError::Limit));
        }
        let room = match shared.sink.poll_room(self.name, context) {
            Poll::Ready(Ok(room)) => room,
            Poll::Ready(Err(Closed)) => return Poll::Ready(Err(OutputError::Closed)),
            Poll::Pending => return Poll::Pending,
        };
        let left = usize::try_from(shared.left).unwrap_or(usize::MAX);
        let count = bytes.len().min(room.max(1)).min(left);
        let part = bytes.get(..count).unwrap_or_default();
        shared.sink.put(self.name, part);
        shared.left = shared.left.saturating_sub(count as u64);
        Poll::Ready(Ok(count))
    }

    /// Whether there is room, or nothing to wait for.
    pub(crate) fn poll_ready(&self, context: &mut Context<'_>) -> Poll<()> {
        let mut shared = self.lock();
        if shared.left == 0 {
            return Poll::Ready(());
        }
        shared.sink.poll_room(self.name, context).map(|_| ())
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Default)]
struct Arrived {
    bytes: VecDeque<Bytes>,
    /// How many the guest has taken.
    taken: u64,
    ended: bool,
    asked: bool,
    waiting: Vec<Waker>,
}

/// Standard input; a clone is the same stream.
#[derive(Clone)]
pub(crate) struct Input {
    arrived: Arc<Mutex<Arrived>>,
    ask: Arc<dyn Fn() + Send + Sync>,
}

/// The other end of an [`Input`].
#[derive(Clone)]
pub(crate) struct Feed {
    arrived: Arc<Mutex<Arrived>>,
}

impl Feed {
    /// Adds bytes.
    pub(crate) fn push(&self, bytes: Bytes) {
        let mut arrived = lock(&self.arrived);
        if !bytes.is_empty() && !arrived.ended {
            arrived.bytes.push_back(bytes);
        }
        arrived.asked = false;
        wake(arrived);
    }

    /// Says that there will be no more.
    pub(crate) fn end(&self) {
        let mut arrived = lock(&self.arrived);
        arrived.ended = true;
        wake(arrived);
    }
}

impl Input {
    /// Nothing yet. `ask` is called when the guest reads and nothing is there, once until bytes
    /// have been pushed; it may push at once.
    pub(crate) fn new(ask: impl Fn() + Send + Sync + 'static) -> (Self, Feed) {
        let arrived = Arc::new(Mutex::new(Arrived::default()));
        let feed = Feed {
            arrived: Arc::clone(&arrived),
        };
        let ask = Arc::new(ask);
        (Self { arrived, ask }, feed)
    }

    /// All of the input, known from the beginning.
    pub(crate) fn whole(bytes: Bytes) -> Self {
        let (input, feed) = Self::new(|| ());
        feed.push(bytes);
        feed.end();
        input
    }

    /// Takes up to `count` bytes; none are the end.
    pub(crate) fn poll_take(&self, context: &mut Context<'_>, count: usize) -> Poll<Bytes> {
        match self.poll_ready(context) {
            Poll::Ready(()) => {}
            Poll::Pending => return Poll::Pending,
        }
        let mut arrived = lock(&self.arrived);
        let Some(first) = arrived.bytes.front_mut() else {
            return Poll::Ready(Bytes::new());
        };
        let taken = first.split_to(count.min(first.len()));
        if first.is_empty() {
            arrived.bytes.pop_front();
        }
        arrived.taken = arrived.taken.saturating_add(taken.len() as u64);
        Poll::Ready(taken)
    }

    /// Whether there are bytes, or the end.
    pub(crate) fn poll_ready(&self, context: &mut Context<'_>) -> Poll<()> {
        let mut arrived = lock(&self.arrived);
        if !arrived.bytes.is_empty() || arrived.ended {
            return Poll::Ready(());
        }
        let waker = context.waker();
        if !arrived.waiting.iter().any(|known| known.will_wake(waker)) {
            arrived.waiting.push(waker.clone());
        }
        let ask = !std::mem::replace(&mut arrived.asked, true);
        drop(arrived);
        if ask {
            (self.ask)();
        }
        Poll::Pending
    }

    /// How many bytes the guest has read.
    pub(crate) fn taken(&self) -> u64 {
        lock(&self.arrived).taken
    }

    /// How many bytes can be read without waiting.
    pub(crate) fn available(&self) -> u64 {
        let arrived = lock(&self.arrived);
        arrived.bytes.iter().map(|bytes| bytes.len() as u64).sum()
    }
}

fn lock(arrived: &Mutex<Arrived>) -> MutexGuard<'_, Arrived> {
    arrived.lock().unwrap_or_else(PoisonError::into_inner)
}

fn wake(mut arrived: MutexGuard<'_, Arrived>) {
    let waiting = std::mem::take(&mut arrived.waiting);
    drop(arrived);
    for waker in waiting {
        waker.wake();
    }
}

impl IsTerminal for Output {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Output {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

impl AsyncWrite for Output {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Output::poll_write(&self, context, bytes).map_err(|error| match error {
            OutputError::Closed => io::ErrorKind::BrokenPipe.into(),
            OutputError::Limit => io::Error::other(Ended::Output),
        })
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[async_trait::async_trait]
impl Pollable for Output {
    async fn ready(&mut self) {
        poll_fn(|context| self.poll_ready(context)).await;
    }
}

#[async_trait::async_trait]
impl OutputStream for Output {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        let mut shared = self.lock();
        let left = usize::try_from(shared.left).unwrap_or(usize::MAX);
        let part = bytes.get(..bytes.len().min(left)).unwrap_or_default();
        if !part.is_empty() {
            shared.sink.put(self.name, part);
        }
        shared.left = shared.left.saturating_sub(part.len() as u64);
        if part.len() < bytes.len() {
            shared.over = true;
            return Err(StreamError::Trap(Ended::Output.into()));
        }
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        let mut context = Context::from_waker(Waker::noop());
        match self.lock().sink.poll_room(self.name, &mut context) {
            Poll::Ready(Ok(room)) => Ok(room.clamp(1, PERMIT_BYTES_MAX)),
            Poll::Ready(Err(Closed)) => Err(StreamError::Closed),
            Poll::Pending => Ok(0),
        }
    }

    async fn blocking_write_and_flush(&mut self, mut bytes: Bytes) -> StreamResult<()> {
        while !bytes.is_empty() {
            let written = poll_fn(|context| Output::poll_write(self, context, &bytes)).await;
            let count = written.map_err(|error| match error {
                OutputError::Closed => StreamError::Closed,
                OutputError::Limit => StreamError::Trap(Ended::Output.into()),
            })?;
            let _ = bytes.split_to(count);
        }
        Ok(())
    }
}

impl IsTerminal for Input {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdinStream for Input {
    fn async_stream(&self) -> Box<dyn AsyncRead + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn InputStream> {
        Box::new(self.clone())
    }
}

impl AsyncRead for Input {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.poll_take(context, buffer.remaining()).map(|bytes| {
            buffer.put_slice(&bytes);
            Ok(())
        })
    }
}

#[async_trait::async_trait]
impl Pollable for Input {
    async fn ready(&mut self) {
        poll_fn(|context| self.poll_ready(context)).await;
    }
}

#[async_trait::async_trait]
impl InputStream for Input {
    fn read(&mut self, count: usize) -> StreamResult<Bytes> {
        if count == 0 {
            return Ok(Bytes::new());
        }
        let mut context = Context::from_waker(Waker::noop());
        match self.poll_take(&mut context, count.min(PERMIT_BYTES_MAX)) {
            Poll::Ready(bytes) if bytes.is_empty() => Err(StreamError::Closed),
            Poll::Ready(bytes) => Ok(bytes),
            Poll::Pending => Ok(Bytes::new()),
        }
    }
}
