//! Speaks with an agent from the start of a job on, in a task of its own.
//!
//! Owns the stream while a program runs: it sends the job, its input and what is ordered meanwhile,
//! hands output on, and holds the agent to the [`ledger`](crate::ledger). An agent that breaks the
//! rules, or does not stop when told, has its boundary ended.

use std::collections::VecDeque;
use std::io::{self, Cursor};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use atoll_sandbox::{Ending, Job, Leaving, LeftFile, StartError};
use atoll_types::{Content, LimitName, Limits, Usage};
use serde_bytes::ByteBuf;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep, sleep_until};

use crate::agent::Agent;
use crate::ledger::{Ledger, Step};
use crate::outside::Outside;
use crate::protocol::{
    Ended, JobFile, Notice, Order, OutputStream, PIECE_BYTES_MAX, ProgramEnd, Refusal, Run,
};
use crate::remote::internal;
use crate::wire::{WireReader, WireWriter};

/// How long a program that is told to stop may take until its boundary is ended.
const STOP_TIME: Duration = Duration::from_secs(3);

/// How long the owner of a boundary may take to know why it ended, and how often it is asked.
const LAST_WORDS_TIME: Duration = Duration::from_millis(200);
const LAST_WORDS_TRIES: u32 = 20;

/// Bytes of the job that are sent with the order itself, and that may wait to be sent.
const AHEAD_BYTES: usize = 4 * PIECE_BYTES_MAX;

/// What is known of the program while it runs.
#[derive(Default)]
pub(crate) struct Shared(Mutex<Known>);

#[derive(Default)]
struct Known {
    usage: Usage,
    limit: Option<LimitName>,
    refused: Option<String>,
}

impl Shared {
    /// What was used, and the limit that was hit, as the agent tells.
    pub(crate) fn progress(&self) -> (Usage, Option<LimitName>) {
        let known = self.known();
        (known.usage, known.limit)
    }

    /// Why limits were not changed, once.
    pub(crate) fn refused(&self) -> Option<String> {
        self.known().refused.take()
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counters only grow.
    fn note(&self, usage: &Usage, limit: Option<LimitName>) {
        let mut known = self.known();
        let before = known.usage;
        known.usage = Usage {
            wall_time_us: 0,
            cpu_time_us: before.cpu_time_us.max(usage.cpu_time_us),
            memory_peak_bytes: before.memory_peak_bytes.max(usage.memory_peak_bytes),
            output_bytes: 0,
            disk_bytes: usage.disk_bytes,
            processes_peak: before.processes_peak.max(usage.processes_peak),
            io: match (before.io, usage.io) {
                (Some(before), Some(io)) => Some(before.max(&io)),
                (before, io) => before.or(io),
            },
        };
        known.limit = known.limit.or(limit);
    }
}

/// What the sandbox wants of its agent.
pub(crate) enum Command {
    Order(Order),
    Stop,
    Collect {
        bytes_max: u64,
        files_max: u64,
        answer: oneshot::Sender<io::Result<Vec<Leaving>>>,
    },
}

/// How a job ended.
#[derive(Debug, Clone)]
pub(crate) struct Conclusion {
    pub(crate) ending: Ending,
}

impl Conclusion {
    pub(crate) fn lost(why: &str) -> Self {
        let ending = Ending::Lost(why.to_owned());
        Self { ending }
    }
}

/// Where input comes from, and where everything else goes.
pub(crate) struct Ends {
    pub(crate) input: mpsc::Receiver<Vec<u8>>,
    pub(crate) stdout: mpsc::UnboundedSender<Vec<u8>>,
    pub(crate) stderr: mpsc::UnboundedSender<Vec<u8>>,
    pub(crate) started: oneshot::Sender<Result<(), StartError>>,
    pub(crate) ended: oneshot::Sender<Conclusion>,
}

pub(crate) struct Driver {
    reader: WireReader,
    writer: WireWriter,
    ledger: Ledger,
    outside: Arc<dyn Outside>,
    shared: Arc<Shared>,
    commands: mpsc::UnboundedReceiver<Command>,
    contents: Contents,
    input: Input,
    stdout: Option<mpsc::UnboundedSender<Vec<u8>>>,
    stderr: Option<mpsc::UnboundedSender<Vec<u8>>>,
    started: Option<oneshot::Sender<Result<(), StartError>>>,
    ended: Option<oneshot::Sender<Conclusion>>,
    collecting: Option<Collecting>,
    /// When the boundary is ended unless something happens, and why.
    deadline: Option<(Instant, &'static str)>,
}

/// What is still to be sent of a job's files.
#[derive(Default)]
struct Contents {
    files: VecDeque<Content>,
    /// How much of the first one is sent.
    sent: usize,
}

/// Standard input on its way.
struct Input {
    /// Where it comes from, until that is at its end or nobody reads it.
    pieces: Option<mpsc::Receiver<Vec<u8>>>,
    /// The piece that is being sent.
    piece: Vec<u8>,
    sent: usize,
    /// Whether the program takes another piece.
    wanted: bool,
}

/// What was left, as far as it is told.
struct Collecting {
    left: Vec<Leaving>,
    /// The file whose bytes come.
    open: Option<OpenFile>,
    answer: oneshot::Sender<io::Result<Vec<Leaving>>>,
}

struct OpenFile {
    path: Vec<u8>,
    file: crate::protocol::LeftFile,
    content: Vec<u8>,
}

/// Why the conversation is over.
enum Over {
    /// The stream ended or broke. Whoever owns the boundary may know why.
    Gone(String),
    /// The boundary has to be ended.
    Ended(String),
}

impl Driver {
    pub(crate) fn new(
        agent: Agent,
        outside: Arc<dyn Outside>,
        shared: Arc<Shared>,
        commands: mpsc::UnboundedReceiver<Command>,
        ends: Ends,
    ) -> Self {
        Self {
            reader: agent.reader,
            writer: agent.writer,
            ledger: agent.ledger,
            outside,
            shared,
            commands,
            contents: Contents::default(),
            input: Input {
                pieces: Some(ends.input),
                piece: Vec::new(),
                sent: 0,
                wanted: true,
            },
            stdout: Some(ends.stdout),
            stderr: Some(ends.stderr),
            started: Some(ends.started),
            ended: Some(ends.ended),
            collecting: None,
            deadline: None,
        }
    }

    /// Sends the beginning of the job.
    pub(crate) fn begin(mut self, job: Job, limits: &Limits) -> Result<Self, StartError> {
        let broken = |error| internal("hand the job to the agent")(io::Error::other(error));
        self.ledger.take(Step::Run(limits)).map_err(broken)?;
        let files = job.files.iter();
        let mut run = Run {
            name: job.program.name,
            kind: job.program.kind,
            bytes: job.program.bytes.len() as u64,
            arguments: job.arguments.into_iter().map(ByteBuf::from).collect(),
            environment: job
                .environment
                .into_iter()
                .map(|(name, value)| (ByteBuf::from(name), ByteBuf::from(value)))
                .collect(),
            files: files
                .map(|file| JobFile {
                    name: file.name.clone(),
                    bytes: file.content.len() as u64,
                })
                .collect(),
            limits: *limits,
            content: Vec::new(),
        };
        let files = job.files.into_iter().map(|file| file.content);
        self.contents.files = std::iter::once(job.program.bytes).chain(files).collect();
        while let Some(piece) = self.contents.next() {
            run.content.extend_from_slice(piece);
            if run.content.len() >= AHEAD_BYTES {
                break;
            }
        }
        let queued = self.writer.queue(&Order::Run(Box::new(run)));
        queued.map_err(|error| {
            StartError::Program(format!("its arguments and variables do not fit: {error}"))
        })?;
        // Most jobs are on their way with this.
        self.writer.try_flush().map_err(internal("send the job"))?;
        Ok(self)
    }

    /// Until the sandbox lets go of its agent, or the agent is lost.
    pub(crate) async fn drive(mut self) {
        let Err(over) = self.speak().await else {
            return;
        };
        self.outside.kill();
        let why = match over {
            Over::Ended(why) => why,
            Over::Gone(why) => last_words(&*self.outside).await.unwrap_or(why),
        };
        if let Some(started) = self.started.take() {
            let lost = internal("start a job")(io::Error::other(why.clone()));
            let _ = started.send(Err(lost));
        }
        if let Some(collecting) = self.collecting.take() {
            let _ = collecting.answer.send(Err(io::Error::other(why.clone())));
        }
        if let Some(ended) = self.ended.take() {
            let _ = ended.send(Conclusion::lost(&why));
        }
    }

    async fn speak(&mut self) -> Result<(), Over> {
        loop {
            self.fill()?;
            let deadline = self.deadline.map_or_else(Instant::now, |(when, _)| when);
            let sending = self.writer.waiting_bytes() > 0;
            tokio::select! {
                biased;
                command = self.commands.recv() => match command {
                    Some(command) => self.command(command)?,
                    None => return Ok(()),
                },
                notice = self.reader.next::<Notice>() => {
                    let notice = notice.map_err(broken)?;
                    self.notice(notice.ok_or_else(gone)?)?;
                }
                flushed = self.writer.flush(), if sending => flushed.map_err(broken)?,
                piece = self.input.next(), if self.input.is_wanted() => self.feed(piece)?,
                () = sleep_until(deadline), if self.deadline.is_some() => {
                    let why = self.deadline.map_or("", |(_, why)| why);
                    return Err(Over::Ended(why.to_owned()));
                }
            }
        }
    }

    /// Sends what waits and more of the job's files, until the stream takes no more or everything
    /// is sent.
    fn fill(&mut self) -> Result<(), Over> {
        loop {
            self.writer.try_flush().map_err(broken)?;
            if self.writer.waiting_bytes() > 0 {
                return Ok(());
            }
            let Some(piece) = self.contents.next() else {
                return Ok(());
            };
            let order = Order::Content(piece.to_vec());
            self.writer.queue(&order).map_err(broken)?;
        }
    }

    fn command(&mut self, command: Command) -> Result<(), Over> {
        match command {
            Command::Order(order) => self.writer.queue(&order).map_err(broken),
            Command::Stop if self.ended.is_none() || self.deadline.is_some() => Ok(()),
            Command::Stop => {
                let why = "the program did not end when it was stopped";
                self.deadline = Some((Instant::now() + STOP_TIME, why));
                self.writer.queue(&Order::Stop).map_err(broken)
            }
            Command::Collect {
                bytes_max,
                files_max,
                answer,
            } => {
                let step = Step::Collect {
                    bytes_max,
                    files_max,
                };
                if let Err(error) = self.ledger.take(step) {
                    let _ = answer.send(Err(io::Error::other(error)));
                    return Ok(());
                }
                self.collecting = Some(Collecting {
                    left: Vec::new(),
                    open: None,
                    answer,
                });
                self.await_files();
                let order = Order::Collect { bytes_max };
                self.writer.queue(&order).map_err(broken)
            }
        }
    }

    /// An agent that tells what is left has to go on telling.
    fn await_files(&mut self) {
        let why = "the agent behind the boundary did not tell which files are left";
        self.deadline = Some((Instant::now() + self.outside.patience(), why));
    }

    fn feed(&mut self, piece: Option<Vec<u8>>) -> Result<(), Over> {
        let order = match piece {
            Some(bytes) => {
                self.ledger.take(Step::Input).map_err(breach)?;
                self.input.wanted = false;
                Order::Input { bytes, ends: false }
            }
            None => {
                self.input.pieces = None;
                Order::Input {
                    bytes: Vec::new(),
                    ends: true,
                }
            }
        };
        self.writer.queue(&order).map_err(broken)
    }

    fn notice(&mut self, notice: Notice) -> Result<(), Over> {
        self.ledger.accept(&notice).map_err(breach)?;
        match notice.tidied() {
            Notice::Failed { reason } => {
                let why = format!("the agent behind the boundary failed: {reason}");
                return Err(Over::Ended(why));
            }
            Notice::Started => {
                if let Some(started) = self.started.take() {
                    let _ = started.send(Ok(()));
                }
            }
            Notice::NotStarted(refusal) => {
                if let Some(started) = self.started.take() {
                    let _ = started.send(Err(start_error(refusal)));
                }
            }
            Notice::WantsInput => self.input.wanted = true,
            Notice::InputClosed => self.input.close(),
            Notice::Output { stream, bytes } => {
                let end = match stream {
                    OutputStream::Stdout => &self.stdout,
                    OutputStream::Stderr => &self.stderr,
                };
                // Nobody reads it any more, which is not the agent's business.
                let _ = end.as_ref().map(|end| end.send(bytes));
            }
            Notice::Progress { usage, limit } => self.shared.note(&usage, limit),
            Notice::LimitsRefused { reason } => self.shared.known().refused = Some(reason),
            Notice::Ended(ended) => self.end(ended),
            Notice::Left { path, file } => self.left(path, file),
            Notice::LeftBytes(bytes) => self.left_bytes(&bytes),
            Notice::Collected => self.collected(),
            // The ledger has accepted none of these.
            Notice::Hello(_)
            | Notice::Prepared
            | Notice::Ready { .. }
            | Notice::Refused(_)
            | Notice::Rehearsed => {}
        }
        Ok(())
    }

    fn end(&mut self, ended: Ended) {
        self.shared.note(&ended.usage, ended.limit);
        self.stdout = None;
        self.stderr = None;
        self.input.close();
        self.deadline = None;
        let ending = match ended.end {
            ProgramEnd::Exited(code) => Ending::Exited(code),
            ProgramEnd::Signalled(signal) => Ending::Signalled(signal),
            ProgramEnd::Violated(what) => Ending::Violated(what),
            ProgramEnd::Lost(why) => Ending::Lost(why),
        };
        if let Some(end) = self.ended.take() {
            let _ = end.send(Conclusion { ending });
        }
    }

    fn left(
        &mut self,
        path: Vec<u8>,
        file: Result<crate::protocol::LeftFile, atoll_types::SkipReason>,
    ) {
        self.await_files();
        let Some(collecting) = &mut self.collecting else {
            return;
        };
        match file {
            Err(reason) => collecting.left.push(Leaving {
                path,
                file: Err(reason),
            }),
            Ok(file) => {
                collecting.open = Some(OpenFile {
                    path,
                    file,
                    content: Vec::new(),
                });
                collecting.close_if_complete();
            }
        }
    }

    fn left_bytes(&mut self, bytes: &[u8]) {
        self.await_files();
        if let Some(collecting) = &mut self.collecting {
            if let Some(open) = &mut collecting.open {
                open.content.extend_from_slice(bytes);
            }
            collecting.close_if_complete();
        }
    }

    fn collected(&mut self) {
        self.deadline = None;
        if let Some(collecting) = self.collecting.take() {
            let _ = collecting.answer.send(Ok(collecting.left));
        }
    }
}

impl Contents {
    /// The next piece; `None` when everything is sent.
    fn next(&mut self) -> Option<&[u8]> {
        while self
            .files
            .front()
            .is_some_and(|file| self.sent >= file.len())
        {
            self.files.pop_front();
            self.sent = 0;
        }
        let file = self.files.front()?;
        let end = file.len().min(self.sent.saturating_add(PIECE_BYTES_MAX));
        let piece = file.get(self.sent..end);
        self.sent = end;
        piece
    }
}

impl Input {
    const fn is_wanted(&self) -> bool {
        self.wanted && self.pieces.is_some()
    }

    fn close(&mut self) {
        self.pieces = None;
        self.piece = Vec::new();
    }

    /// The next piece; `None` at the end of the input. Cancelling loses nothing.
    async fn next(&mut self) -> Option<Vec<u8>> {
        while self.sent >= self.piece.len() {
            self.piece = self.pieces.as_mut()?.recv().await?;
            self.sent = 0;
        }
        let end = self
            .piece
            .len()
            .min(self.sent.saturating_add(PIECE_BYTES_MAX));
        let piece = self.piece.get(self.sent..end).unwrap_or_default().to_vec();
        self.sent = end;
        Some(piece)
    }
}

impl Collecting {
    /// Hands a file over once all of it is there.
    fn close_if_complete(&mut self) {
        let complete = |open: &mut OpenFile| {
            !open.file.follows || open.content.len() as u64 >= open.file.bytes
        };
        if let Some(open) = self.open.take_if(complete) {
            self.left.push(Leaving {
                path: open.path,
                file: Ok(LeftFile {
                    bytes: open.file.bytes,
                    executable: open.file.executable,
                    shared: open.file.shared,
                    content: Box::new(Cursor::new(open.content)),
                }),
            });
        }
    }
}

/// Why the boundary ended. The stream may end a little before its owner knows.
async fn last_words(outside: &dyn Outside) -> Option<String> {
    for _ in 0..LAST_WORDS_TRIES {
        if let Some(why) = outside.last_words() {
            return Some(why);
        }
        sleep(LAST_WORDS_TIME / LAST_WORDS_TRIES).await;
    }
    outside.last_words()
}

fn start_error(refusal: Refusal) -> StartError {
    match refusal {
        Refusal::NotEnforceable(missing) => StartError::NotEnforceable {
            level: atoll_types::Level::Process,
            missing,
        },
        Refusal::Environment(text) | Refusal::Program(text) => StartError::Program(text),
        Refusal::Limit(limit) => StartError::Limit(limit),
        Refusal::Internal { attempt, reason } => StartError::Internal {
            attempt,
            source: io::Error::other(reason),
        },
    }
}

fn gone() -> Over {
    Over::Gone("the agent behind the boundary ended".to_owned())
}

fn broken(error: io::Error) -> Over {
    let over = match error.kind() {
        io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => Over::Ended,
        _ => Over::Gone,
    };
    over(format!(
        "the stream to the agent behind the boundary broke: {error}"
    ))
}

fn breach(breach: crate::ledger::Breach) -> Over {
    Over::Ended(format!("{breach}, so it was ended"))
}
