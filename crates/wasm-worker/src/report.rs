//! Sends status frames to the engine.
//!
//! Owns the status pipe and the translation of an [`End`] into a frame, a text for the user and an
//! exit code. What the frames mean is the protocol's business.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, PoisonError};

use atoll_sandbox_wasm::protocol::{
    self, EXIT_FAILED, EXIT_REFUSED, EXIT_TRAPPED, Status, TEXT_BYTES_MAX,
};

use crate::end::End;

/// The write end of the status pipe.
///
/// All frames of one run together are smaller than a pipe's buffer, so sending never waits for the
/// engine.
pub(crate) struct Reporter {
    pipe: Mutex<File>,
}

impl Reporter {
    /// Takes over the pipe.
    pub(crate) fn new(pipe: OwnedFd) -> Self {
        Self {
            pipe: Mutex::new(File::from(pipe)),
        }
    }

    /// Sends one frame.
    pub(crate) fn send(&self, status: &Status) -> io::Result<()> {
        let frame = protocol::encode_status(status)?;
        let mut pipe = self.pipe.lock().unwrap_or_else(PoisonError::into_inner);
        pipe.write_all(&frame)
    }

    /// Makes a panic of any thread a frame instead of a text on the guest's standard error.
    pub(crate) fn report_panics(self: &Arc<Self>) {
        let reporter = Arc::clone(self);
        std::panic::set_hook(Box::new(move |panic| {
            let reason = format!("the WebAssembly worker panicked: {panic}");
            let _ = reporter.send(&Status::Failed { reason });
        }));
    }

    /// Sends the last frame and gives the worker's exit code.
    ///
    /// The exit code repeats what the frame says, as far as eight bits can: the engine compares
    /// the two.
    pub(crate) fn finish(&self, end: End) -> i32 {
        let (status, code) = match end {
            End::Exited { code, limit } => (Status::Exited { code, limit }, code & 0xff),
            End::Trapped {
                text,
                limit,
                details,
            } => {
                let status = Status::Trapped { text, limit };
                // The frame goes first: the guest's standard error may be full and stay so.
                let sent = self.send(&status);
                show(&details);
                return if sent.is_ok() {
                    EXIT_TRAPPED
                } else {
                    EXIT_FAILED
                };
            }
            End::Refused(reason) => (Status::Refused { reason }, EXIT_REFUSED),
            End::Failed(reason) => (Status::Failed { reason }, EXIT_FAILED),
        };
        match self.send(&status) {
            Ok(()) => code,
            Err(_) => EXIT_FAILED,
        }
    }
}

/// Shows the trap where the guest's own messages go, as other runtimes do.
fn show(details: &str) {
    let mut text = String::with_capacity(details.len().min(TEXT_BYTES_MAX));
    for character in details.chars().take(TEXT_BYTES_MAX) {
        if character.is_control() && character != '\n' {
            text.extend(character.escape_default());
        } else {
            text.push(character);
        }
    }
    text.push('\n');
    let _ = io::stderr().write_all(text.as_bytes());
}
