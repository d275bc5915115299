//! A stream that notes when the first byte came.

use std::io::{self, Write};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Instant;

use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};

/// Standard output or standard error of a measured run.
#[derive(Clone)]
pub(crate) struct Output {
    descriptor: u8,
    show: bool,
    first: Arc<Mutex<Option<Instant>>>,
}

impl Output {
    /// With `show`, what is written goes to the same stream of this process as well.
    pub(crate) fn new(descriptor: u8, show: bool, first: &Arc<Mutex<Option<Instant>>>) -> Self {
        Self {
            descriptor,
            show,
            first: Arc::clone(first),
        }
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
}

impl AsyncWrite for Output {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if let Ok(mut first) = self.first.lock() {
            first.get_or_insert_with(Instant::now);
        }
        if self.show && self.descriptor == 1 {
            io::stdout().write_all(bytes)?;
        } else if self.show {
            io::stderr().write_all(bytes)?;
        }
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
