//! Ctrl-C and its relatives: the first ends the run, and the sandbox with it.

use std::sync::atomic::{AtomicI32, Ordering};

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::error::CliError;

/// Waits for the signals that ask a process to end.
pub(crate) struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Signal,
}

/// Which signal came, for whoever did not wait for it.
#[derive(Debug, Default)]
pub(crate) struct Came(AtomicI32);

impl Came {
    /// The signal's number, when one came.
    pub(crate) fn signal(&self) -> Option<i32> {
        Some(self.0.load(Ordering::Relaxed)).filter(|signal| *signal != 0)
    }
}

impl Signals {
    /// From now on these signals no longer end the process by themselves.
    pub(crate) fn install() -> Result<Self, CliError> {
        let install = |kind| {
            signal(kind).map_err(|source| CliError::System {
                attempt: "listen for signals",
                source,
            })
        };
        Ok(Self {
            interrupt: install(SignalKind::interrupt())?,
            terminate: install(SignalKind::terminate())?,
            hang_up: install(SignalKind::hangup())?,
        })
    }

    /// Waits for the first, and notes which it was.
    pub(crate) async fn wait(&mut self, came: &Came) {
        let kind = tokio::select! {
            _ = self.interrupt.recv() => SignalKind::interrupt(),
            _ = self.terminate.recv() => SignalKind::terminate(),
            _ = self.hang_up.recv() => SignalKind::hangup(),
        };
        came.0.store(kind.as_raw_value(), Ordering::Relaxed);
    }
}
