//! A program that runs: its streams, its limits, its end.
//!
//! Owns the time between a program's start and its end, and that all of its output is told before
//! its end is. It does not know what the limits are for; the host does.

use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

use atoll_remote::protocol::{Ended, Notice, Order, OutputStream, PIECE_BYTES_MAX, ProgramEnd};
use atoll_remote::{WireReader, WireWriter};
use atoll_sandbox::{Ending, InputEnd, OutputEnd, Sandbox, Streams};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::unix::pipe;
use tokio::time::{Instant, sleep_until};

/// How often the host is told what has been used.
const PROGRESS_EVERY: Duration = Duration::from_millis(50);

/// How long a stream may stay open and empty after every process of the program was ended. Its end
/// normally comes at once; what holds it open longer refuses to die.
const DRAIN_TIME: Duration = Duration::from_secs(2);

/// Output is read while less than this waits to be sent.
const WAITING_BYTES_MAX: usize = 4 * PIECE_BYTES_MAX;

/// A running program and its streams.
pub(super) struct Running<'a> {
    sandbox: &'a mut dyn Sandbox,
    stdin: Input,
    stdout: Source,
    stderr: Source,
    /// Output that may still be sent. The host ends a program that writes more.
    output_left: i128,
}

/// Standard input, and what of it has not been taken yet.
struct Input {
    pipe: Option<pipe::Sender>,
    piece: Vec<u8>,
    written: usize,
    ends: bool,
}

/// One output stream, until its end.
struct Source {
    pipe: Option<pipe::Receiver>,
    chunk: Vec<u8>,
}

/// What happened to standard input.
enum Taken {
    All,
    Closed,
}

impl<'a> Running<'a> {
    pub(super) fn new(
        sandbox: &'a mut dyn Sandbox,
        streams: Streams,
        output_bytes: u64,
    ) -> io::Result<Self> {
        let stdin = match streams.stdin {
            InputEnd::Pipe(pipe) => pipe::Sender::from_owned_fd(pipe)?,
            InputEnd::Pieces(_) => return Err(io::ErrorKind::Unsupported.into()),
        };
        Ok(Self {
            sandbox,
            stdin: Input {
                pipe: Some(stdin),
                piece: Vec::new(),
                written: 0,
                ends: false,
            },
            stdout: Source::open(streams.stdout)?,
            stderr: Source::open(streams.stderr)?,
            output_left: output_bytes.into(),
        })
    }

    /// Until the program has ended and the host was told so.
    pub(super) async fn run(
        mut self,
        reader: &mut WireReader,
        writer: &mut WireWriter,
    ) -> io::Result<()> {
        let mut progress = Instant::now() + PROGRESS_EVERY;
        let ending = loop {
            writer.try_flush()?;
            let sending = writer.waiting_bytes() > 0;
            let reads = self.output_left >= 0 && writer.waiting_bytes() < WAITING_BYTES_MAX;
            let feeds = self.stdin.is_waiting();
            let (stdout, stderr) = (&mut self.stdout, &mut self.stderr);
            let (reads_out, reads_err) = (reads && stdout.is_open(), reads && stderr.is_open());
            let output = tokio::select! {
                biased;
                order = reader.next::<Order>() => {
                    // Without a host there is nobody to run for.
                    let order = order?.ok_or(io::ErrorKind::UnexpectedEof)?;
                    obey(order, self.sandbox, &mut self.stdin, writer)?;
                    None
                }
                // Before output, of which there may always be some.
                () = sleep_until(progress), if writer.waiting_bytes() < WAITING_BYTES_MAX => {
                    progress = Instant::now() + PROGRESS_EVERY;
                    writer.queue(&Notice::Progress {
                        usage: self.sandbox.usage(),
                        limit: self.sandbox.limit_hit(),
                    })?;
                    None
                }
                bytes = stdout.read(), if reads_out => Some((OutputStream::Stdout, bytes)),
                bytes = stderr.read(), if reads_err => Some((OutputStream::Stderr, bytes)),
                ending = self.sandbox.wait() => break ending,
                taken = self.stdin.write(), if feeds => {
                    self.stdin.piece = Vec::new();
                    writer.queue(&match taken {
                        Taken::All => Notice::WantsInput,
                        Taken::Closed => Notice::InputClosed,
                    })?;
                    None
                }
                flushed = writer.flush(), if sending => {
                    flushed?;
                    None
                }
            };
            if let Some((stream, bytes)) = output {
                self.output_left -= bytes.len() as i128;
                tell_output(writer, stream, bytes)?;
            }
        };
        self.end(ending, reader, writer).await
    }

    /// Ends what the program has left running, and tells the rest.
    async fn end(
        mut self,
        ending: Ending,
        reader: &mut WireReader,
        writer: &mut WireWriter,
    ) -> io::Result<()> {
        // Before anything that was left running can use more.
        let (usage, limit) = (self.sandbox.usage(), self.sandbox.limit_hit());
        self.sandbox.stop();
        self.stdin.pipe = None;
        let mut until = Instant::now() + DRAIN_TIME;
        while self.output_left >= 0 && (self.stdout.is_open() || self.stderr.is_open()) {
            let (stdout, stderr) = (&mut self.stdout, &mut self.stderr);
            let (reads_out, reads_err) = (stdout.is_open(), stderr.is_open());
            let (stream, bytes) = tokio::select! {
                biased;
                bytes = stdout.read(), if reads_out => (OutputStream::Stdout, bytes),
                bytes = stderr.read(), if reads_err => (OutputStream::Stderr, bytes),
                () = sleep_until(until) => break,
            };
            self.output_left -= bytes.len() as i128;
            tell_output(writer, stream, bytes)?;
            // What the host orders meanwhile makes no difference any more, but its end does.
            while writer.waiting_bytes() >= WAITING_BYTES_MAX {
                tokio::select! {
                    flushed = writer.flush() => flushed?,
                    order = reader.next::<Order>() => {
                        order?.ok_or(io::ErrorKind::UnexpectedEof)?;
                    }
                }
            }
            until = Instant::now() + DRAIN_TIME;
        }
        let end = match ending {
            Ending::Exited(code) => ProgramEnd::Exited(code),
            Ending::Signalled(signal) => ProgramEnd::Signalled(signal),
            Ending::Violated(what) => ProgramEnd::Violated(what),
            Ending::Trapped(why) | Ending::Lost(why) => ProgramEnd::Lost(why),
        };
        let ended = Ended { end, usage, limit };
        writer.queue(&Notice::Ended(ended))?;
        writer.flush().await
    }
}

/// Does what the host orders while a program runs.
fn obey(
    order: Order,
    sandbox: &mut dyn Sandbox,
    stdin: &mut Input,
    writer: &mut WireWriter,
) -> io::Result<()> {
    match order {
        Order::Input { bytes, ends } => {
            stdin.ends |= ends;
            if !bytes.is_empty() {
                stdin.piece = bytes;
                stdin.written = 0;
            }
            stdin.close_if_done();
            Ok(())
        }
        Order::SetLimits(limits) => match sandbox.set_limits(&limits) {
            Ok(()) => Ok(()),
            Err(error) => writer.queue(&Notice::LimitsRefused {
                reason: error.to_string(),
            }),
        },
        Order::Stop => {
            sandbox.stop();
            Ok(())
        }
        Order::Prepare { .. }
        | Order::Begin(_)
        | Order::Rehearse
        | Order::Run(_)
        | Order::Content(_)
        | Order::Collect { .. } => Err(super::out_of_order()),
    }
}

fn tell_output(writer: &mut WireWriter, stream: OutputStream, bytes: &[u8]) -> io::Result<()> {
    if bytes.is_empty() {
        return Ok(());
    }
    let bytes = bytes.to_vec();
    writer.queue(&Notice::Output { stream, bytes })
}

impl Input {
    const fn is_waiting(&self) -> bool {
        !self.piece.is_empty() && self.pipe.is_some()
    }

    fn close_if_done(&mut self) {
        if self.ends && self.piece.is_empty() {
            self.pipe = None;
        }
    }

    /// Writes the rest of the piece. Cancelling loses nothing.
    async fn write(&mut self) -> Taken {
        let taken = self.write_all().await;
        match taken {
            Taken::All if !self.ends => {}
            Taken::All | Taken::Closed => self.pipe = None,
        }
        taken
    }

    async fn write_all(&mut self) -> Taken {
        while let Some(rest) = self.piece.get(self.written..).filter(|it| !it.is_empty()) {
            let Some(pipe) = &mut self.pipe else {
                return Taken::Closed;
            };
            match pipe.write(rest).await {
                Ok(count) => self.written = self.written.saturating_add(count),
                // A program that reads no more.
                Err(_) => return Taken::Closed,
            }
        }
        Taken::All
    }
}

impl Source {
    fn open(end: OutputEnd) -> io::Result<Self> {
        let pipe: OwnedFd = match end {
            OutputEnd::Pipe(pipe) => pipe,
            OutputEnd::Pieces(_) => return Err(io::ErrorKind::Unsupported.into()),
        };
        Ok(Self {
            pipe: Some(pipe::Receiver::from_owned_fd(pipe)?),
            chunk: vec![0; PIECE_BYTES_MAX],
        })
    }

    const fn is_open(&self) -> bool {
        self.pipe.is_some()
    }

    /// The next bytes; none when the stream has just ended. Cancelling loses nothing.
    async fn read(&mut self) -> &[u8] {
        let count = match &mut self.pipe {
            None => 0,
            // A pipe fails to be read only when it is broken for good, which is an end, too.
            Some(pipe) => pipe.read(&mut self.chunk).await.unwrap_or(0),
        };
        if count == 0 {
            self.pipe = None;
        }
        self.chunk.get(..count).unwrap_or_default()
    }
}
