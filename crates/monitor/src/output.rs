//! Hands a program's output over and cuts it at the output limit.
//!
//! Owns the read ends of standard output and standard error. Memory is bounded by one chunk for
//! each stream plus, when output is kept, the output limit. It does not know why a program ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use atoll_sandbox::{Ending, OutputEnd};
use atoll_types::{LimitName, Usage};
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};

use crate::{Cause, Flow, Observer, Phase, Stream, WatchError, Watched};

/// Bytes read at once: as much as a pipe holds by default (pipe(7)).
const CHUNK_BYTES: usize = 64 * 1024;

/// How long a pipe may stay open and empty after everything inside has been killed. End of file
/// normally comes at once; this bounds the wait for a holder of the pipe that refuses to die.
const DRAIN_TIME: Duration = Duration::from_millis(100);

/// Why forwarding ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Forwarded {
    /// Nothing more will come.
    EndOfFile,
    /// There was more output than the limit allows.
    OverLimit,
    /// The observer has no reader any more.
    Closed,
}

impl Forwarded {
    /// What this means for the program, if anything: one that closes its output may run on.
    pub(crate) const fn cause(self) -> Option<Cause> {
        match self {
            Self::EndOfFile => None,
            Self::OverLimit => Some(Cause::Limit(LimitName::Output)),
            Self::Closed => Some(Cause::OutputClosed),
        }
    }
}

/// Both output streams of one program.
pub(crate) struct Output {
    stdout: Source,
    stderr: Source,
    tally: Tally,
}

/// One stream: where it comes from, until that is at its end, and the chunk read last.
struct Source {
    reader: Option<Reader>,
    chunk: Vec<u8>,
}

enum Reader {
    Pipe(pipe::Receiver),
    Pieces(mpsc::UnboundedReceiver<Vec<u8>>),
}

/// How many bytes have come, for whoever else wants to know. Clones are the same one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seen(Arc<AtomicU64>);

impl Seen {
    pub(crate) fn bytes(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    fn add(&self, bytes: u64) {
        self.0.fetch_add(bytes, Ordering::Relaxed);
    }
}

/// What has been seen, and what of it was kept.
struct Tally {
    limit_bytes: u64,
    seen: Seen,
    keep: bool,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    truncated: bool,
}

impl Output {
    pub(crate) fn open(
        stdout: OutputEnd,
        stderr: OutputEnd,
        limit_bytes: u64,
        keep: bool,
    ) -> Result<Self, WatchError> {
        Ok(Self {
            stdout: Source::open("standard output", stdout)?,
            stderr: Source::open("standard error", stderr)?,
            tally: Tally {
                limit_bytes,
                seen: Seen::default(),
                keep,
                stdout: Vec::new(),
                stderr: Vec::new(),
                truncated: false,
            },
        })
    }

    /// How much has come.
    pub(crate) fn seen(&self) -> Seen {
        self.tally.seen.clone()
    }

    /// Forwards until both streams end, the limit is passed or the observer has no reader.
    pub(crate) async fn forward(
        &mut self,
        observer: &mut dyn Observer,
        mut phases: watch::Receiver<Phase>,
    ) -> Forwarded {
        let Self {
            stdout,
            stderr,
            tally,
        } = self;
        let mut drain_until = None;
        while stdout.is_open() || stderr.is_open() {
            let draining = drain_until.is_some();
            let (stream, bytes) = tokio::select! {
                // The order matters while draining: the time may only end an empty pipe. Before
                // that it lets the signals through; the output limit keeps a flood on standard
                // output from starving standard error for long.
                biased;
                changed = phases.changed(), if !draining => {
                    let phase = *phases.borrow_and_update();
                    match phase {
                        Phase::Running(usage) if changed.is_ok() => observer.progress(&usage),
                        Phase::Running(_) | Phase::Draining => {
                            drain_until = Some(Instant::now() + DRAIN_TIME);
                        }
                    }
                    continue;
                }
                bytes = stdout.read(), if stdout.is_open() => (Stream::Stdout, bytes),
                bytes = stderr.read(), if stderr.is_open() => (Stream::Stderr, bytes),
                () = sleep_until(drain_until.unwrap_or_else(Instant::now)), if draining => {
                    return Forwarded::EndOfFile;
                }
            };
            if bytes.is_empty() {
                continue;
            }
            let admitted = tally.admit(stream, bytes);
            if !admitted.is_empty() && observer.output(stream, admitted).await == Flow::Closed {
                return Forwarded::Closed;
            }
            if tally.truncated {
                return Forwarded::OverLimit;
            }
        }
        Forwarded::EndOfFile
    }

    pub(crate) fn into_watched(
        self,
        cause: Cause,
        ending: Option<Ending>,
        usage: Usage,
    ) -> Watched {
        Watched {
            cause,
            ending,
            usage: Usage {
                output_bytes: self.tally.seen.bytes(),
                ..usage
            },
            stdout: self.tally.stdout,
            stderr: self.tally.stderr,
            truncated: self.tally.truncated,
        }
    }
}

impl Source {
    fn open(name: &'static str, end: OutputEnd) -> Result<Self, WatchError> {
        let pipe = match end {
            OutputEnd::Pipe(pipe) => pipe,
            OutputEnd::Pieces(pieces) => {
                return Ok(Self {
                    reader: Some(Reader::Pieces(pieces)),
                    chunk: Vec::new(),
                });
            }
        };
        let reader = pipe::Receiver::from_owned_fd(pipe).map_err(|source| WatchError {
            stream: name,
            source,
        })?;
        Ok(Self {
            reader: Some(Reader::Pipe(reader)),
            chunk: vec![0; CHUNK_BYTES],
        })
    }

    const fn is_open(&self) -> bool {
        self.reader.is_some()
    }

    /// The next bytes; none when the stream has just ended. Cancelling loses nothing.
    async fn read(&mut self) -> &[u8] {
        let length = match &mut self.reader {
            None => return &[],
            // A pipe fails to be read only when it is broken for good, which is an end, too.
            Some(Reader::Pipe(pipe)) => pipe.read(&mut self.chunk).await.unwrap_or(0),
            Some(Reader::Pieces(pieces)) => {
                self.chunk = pieces.recv().await.unwrap_or_default();
                self.chunk.len()
            }
        };
        if length == 0 {
            self.reader = None;
        }
        self.chunk.get(..length).unwrap_or_default()
    }
}

impl Tally {
    /// Counts bytes, keeps what is to be kept, and returns the part that fits into the limit.
    fn admit<'a>(&mut self, stream: Stream, bytes: &'a [u8]) -> &'a [u8] {
        let room = self.limit_bytes.saturating_sub(self.seen.bytes());
        self.seen.add(bytes.len() as u64);
        let fitting = usize::try_from(room).unwrap_or(usize::MAX).min(bytes.len());
        self.truncated |= fitting < bytes.len();
        let admitted = bytes.get(..fitting).unwrap_or_default();
        if self.keep {
            match stream {
                Stream::Stdout => self.stdout.extend_from_slice(admitted),
                Stream::Stderr => self.stderr.extend_from_slice(admitted),
            }
        }
        admitted
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn output_is_cut_exactly_at_the_limit(
            limit_bytes in 0_u64..2_000,
            chunks in prop::collection::vec((any::<bool>(), 0_usize..300), 0..20),
        ) {
            let mut tally = Tally {
                limit_bytes,
                seen: Seen::default(),
                keep: true,
                stdout: Vec::new(),
                stderr: Vec::new(),
                truncated: false,
            };
            let mut written = 0;
            for (first, length) in chunks {
                let stream = if first { Stream::Stdout } else { Stream::Stderr };
                tally.admit(stream, &vec![b'x'; length]);
                written += length as u64;
            }
            let kept = (tally.stdout.len() + tally.stderr.len()) as u64;
            prop_assert_eq!(kept, written.min(limit_bytes));
            prop_assert_eq!(tally.truncated, written > limit_bytes);
            prop_assert_eq!(tally.seen.bytes(), written);
        }
    }
}
