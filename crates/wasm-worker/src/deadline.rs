//! Stops the guest when its time is over.
//!
//! Owns one thread that sleeps and then moves the runtime's epoch on, once: the guest's next loop
//! or call traps, with a backtrace that shows where it was. A guest that waits inside a host
//! function is not reached; whoever owns the jail ends the whole worker then.

use std::io;
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use wasmtime::Engine;

/// The thread only sleeps.
const STACK_BYTES: usize = 64 << 10;

/// A deadline whose time does not run yet.
pub(crate) struct Deadline {
    begin: SyncSender<()>,
}

impl Deadline {
    /// Starts the thread; it must exist before the worker gives up starting threads.
    pub(crate) fn prepare(engine: &Engine, after: Duration) -> io::Result<Self> {
        let (begin, begun) = sync_channel(1);
        let engine = engine.weak();
        thread::Builder::new()
            .name("deadline".to_owned())
            .stack_size(STACK_BYTES)
            .spawn(move || {
                if begun.recv().is_err() {
                    return;
                }
                // The other end stays open while the program runs; closing it means the end.
                if begun.recv_timeout(after) == Err(RecvTimeoutError::Timeout)
                    && let Some(engine) = engine.upgrade()
                {
                    engine.increment_epoch();
                }
            })?;
        Ok(Self { begin })
    }

    /// Lets the time run.
    pub(crate) fn begin(&self) -> io::Result<()> {
        self.begin
            .send(())
            .map_err(|_| io::Error::other("failed to begin the deadline: its thread has ended"))
    }
}
