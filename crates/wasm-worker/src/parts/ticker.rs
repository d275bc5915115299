//! Moves a runtime's epoch on, so that guests give way.

use std::io;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use wasmtime::Engine;

/// The thread only sleeps.
const STACK_BYTES: usize = 64 << 10;

/// A thread that increments the epoch of an engine at intervals, until this is dropped or the
/// engine is gone. Every store of the engine must expect epochs that pass.
#[derive(Debug)]
pub struct Ticker {
    _stop: Sender<()>,
}

impl Ticker {
    /// Starts the thread; a worker must do so before it gives up starting threads.
    ///
    /// # Errors
    /// When there is no thread to be had.
    pub fn start(engine: &Engine, every: Duration) -> io::Result<Self> {
        let (stop, stopped) = channel();
        let engine = engine.weak();
        thread::Builder::new()
            .name("ticker".to_owned())
            .stack_size(STACK_BYTES)
            .spawn(move || {
                while stopped.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
                    let Some(engine) = engine.upgrade() else {
                        return;
                    };
                    engine.increment_epoch();
                }
            })?;
        Ok(Self { _stop: stop })
    }
}
