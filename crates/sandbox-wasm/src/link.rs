//! What the supervisor knows of one worker, and the task that talks to it.
//!
//! Owns the worker's socket and jail, the messages inside it and the programs it has loaded. Every
//! message that is handed in comes to exactly one [`Finished`]: the worker says how it ended, or
//! the worker is gone. What a worker says counts only where it fits what it was told; one that says
//! anything else has been taken over and is ended.

mod called;
mod input;
mod keeping;
mod last;
mod outgoing;

use std::collections::{HashMap, HashSet};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use atoll_jail::Jail;
use atoll_types::calls::{CallAudit, CallRecord};
use atoll_types::{LimitName, Limits};
use tokio::io::Interest;
use tokio::net::UnixStream;
use tokio::sync::{Notify, mpsc, oneshot};

use input::Feeding;
use last::{lost, said};
use outgoing::Outgoing;

use crate::polling::Polling;
use crate::protocol::{
    FrameReader, GuestEnd, GuestUsage, NOTICE_BYTES_MAX, Notice, Order, OutputStream,
};

/// Bytes read from a worker at once.
const READ_BYTES: usize = 64 << 10;

/// How long a worker that is told to end may take.
const END_TIME: Duration = Duration::from_secs(5);

/// How far output may pass its limit before the worker is known not to hold it: what one notice
/// can carry.
const OUTPUT_SLACK_BYTES: u64 = NOTICE_BYTES_MAX as u64;

/// How a message came to its end.
#[derive(Debug)]
pub struct Finished {
    /// What the worker says of it, or why nobody knows.
    pub end: Result<GuestEnd, Lost>,
    /// What it used.
    pub usage: GuestUsage,
    /// What it called, if that was to be taken down and its worker came to saying so.
    pub calls: Option<CallAudit>,
    /// What it wrote to standard output, where that was kept.
    pub stdout: Vec<u8>,
    /// What it wrote to standard error, where that was kept.
    pub stderr: Vec<u8>,
}

/// A worker ended with messages inside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lost {
    /// What happened to it.
    pub reason: String,
    /// The limit of the whole worker that it ran into.
    pub limit: Option<LimitName>,
    /// The signal that ended it.
    pub signal: Option<i32>,
}

/// Where a message's output goes.
#[derive(Debug)]
pub(crate) enum Output {
    /// Into its [`Finished`].
    Kept {
        /// Standard output so far.
        stdout: Vec<u8>,
        /// Standard error so far.
        stderr: Vec<u8>,
    },
    /// To whoever reads the other ends.
    Streams {
        /// Standard output.
        stdout: mpsc::UnboundedSender<Vec<u8>>,
        /// Standard error.
        stderr: mpsc::UnboundedSender<Vec<u8>>,
    },
}

/// Where a message's standard input comes from.
#[derive(Debug)]
pub(crate) enum Input {
    /// It came with the message.
    Whole,
    /// From here, once it is asked for.
    Pieces(mpsc::Receiver<Vec<u8>>),
    /// A task hands it over.
    Fed(Feeding),
}

/// A message inside the worker.
#[derive(Debug)]
pub(crate) struct Inside {
    pub(crate) output: Output,
    /// Bytes of output that may still come.
    pub(crate) output_left: u64,
    pub(crate) input: Input,
    /// Whether the worker keeps its files until it is told to release them.
    pub(crate) keeps_files: bool,
    /// Whether nobody will ask for them.
    pub(crate) is_released: bool,
    /// The first of its calls as far as they have been told, if they are taken down.
    pub(crate) calls: Option<Vec<CallRecord>>,
    /// What it has used so far.
    pub(crate) usage: Arc<Mutex<GuestUsage>>,
    pub(crate) finished: oneshot::Sender<Finished>,
}

/// An order, with the descriptor that it speaks of.
pub(crate) type Sent = (Order, Option<Arc<OwnedFd>>);

/// A file that a message has left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Left {
    pub(crate) path: Vec<u8>,
    /// `None` for a symbolic link, the only other thing that there is.
    pub(crate) bytes: Option<Vec<u8>>,
}

struct Collecting {
    files: Vec<Left>,
    bytes_left: u64,
    files_left: u64,
    done: oneshot::Sender<io::Result<Vec<Left>>>,
}

/// A program in a worker.
#[derive(Debug)]
enum Loaded {
    /// The worker has not answered yet; these wait for it.
    Asked(Vec<oneshot::Sender<Result<(), String>>>),
    Ready,
    Unusable(String),
}

#[derive(Default)]
struct State {
    outgoing: Outgoing,
    inside: HashMap<u64, Inside>,
    collecting: HashMap<u64, Collecting>,
    /// Messages that have ended and whose files somebody may still ask for.
    kept: HashSet<u64>,
    programs: HashMap<u64, Loaded>,
    /// Instances of interpreters that wait, as far as the worker has said.
    waiting: HashMap<u64, u32>,
    /// How many of them it was told to keep.
    kept_waiting: HashMap<u64, u32>,
    /// Who wants to know what the worker takes of memory.
    asks_memory: Vec<oneshot::Sender<u64>>,
    next_message: u64,
    served: u64,
    confined: Option<u32>,
    waits_for_confined: Option<oneshot::Sender<Result<u32, Lost>>>,
    /// New limits for its jail.
    limits: Option<Limits>,
    /// It takes no more messages, and ends when those inside have.
    closing: bool,
    /// It is ended with whatever is inside.
    killed: Option<String>,
    ended: Option<Lost>,
    idle_since: Option<Instant>,
}

/// What the supervisor's tasks share about one worker.
pub(crate) struct Link {
    state: Mutex<State>,
    changed: Notify,
    gone: Notify,
}

impl Link {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(State::default()),
            changed: Notify::new(),
            gone: Notify::new(),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends an order.
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidInput`] when it is too large to be sent.
    pub(crate) fn order(&self, order: &Order) -> io::Result<()> {
        self.state().outgoing.push(order, None)?;
        self.changed.notify_one();
        Ok(())
    }

    /// Lets go of the files that a message has left, or will leave.
    pub(crate) fn release(&self, message: u64) {
        let mut state = self.state();
        if let Some(inside) = state.inside.get_mut(&message) {
            inside.is_released = true;
        } else if state.kept.remove(&message) {
            // It is too small not to fit.
            let _ = state.outgoing.push(&Order::Release { message }, None);
        }
        drop(state);
        self.changed.notify_one();
    }

    /// Hands a message in. `run` makes its orders of the number it goes by.
    ///
    /// # Errors
    /// When the worker takes no more messages, or an order is too large.
    pub(crate) fn run(
        &self,
        inside: Inside,
        orders: impl FnOnce(u64) -> Vec<Sent>,
    ) -> io::Result<u64> {
        let mut state = self.state();
        if state.ended.is_some() || state.closing {
            return Err(io::ErrorKind::NotConnected.into());
        }
        state.next_message = state.next_message.saturating_add(1);
        let message = state.next_message;
        for (order, descriptor) in orders(message) {
            state.outgoing.push(&order, descriptor)?;
        }
        state.served = state.served.saturating_add(1);
        state.idle_since = None;
        state.inside.insert(message, inside);
        drop(state);
        self.changed.notify_one();
        Ok(message)
    }

    /// Makes sure that a program is loaded, and waits until it is.
    pub(crate) async fn load(
        &self,
        program: u64,
        load: &Order,
        code: &Arc<OwnedFd>,
    ) -> Result<(), LoadError> {
        let answer = {
            let mut state = self.state();
            match state.programs.get_mut(&program) {
                Some(Loaded::Ready) => return Ok(()),
                Some(Loaded::Unusable(reason)) => {
                    return Err(LoadError::Unusable(reason.clone()));
                }
                Some(Loaded::Asked(waiting)) => {
                    let (answer, answered) = oneshot::channel();
                    waiting.push(answer);
                    answered
                }
                None => {
                    if state.ended.is_some() || state.closing {
                        return Err(LoadError::Gone);
                    }
                    let (answer, answered) = oneshot::channel();
                    let pushed = state.outgoing.push(load, Some(Arc::clone(code)));
                    pushed.map_err(|_| LoadError::Gone)?;
                    state.programs.insert(program, Loaded::Asked(vec![answer]));
                    self.changed.notify_one();
                    answered
                }
            }
        };
        match answer.await {
            Ok(loaded) => loaded.map_err(LoadError::Unusable),
            Err(_) => Err(LoadError::Gone),
        }
    }

    /// Whether a program is loaded and can run.
    pub(crate) fn has(&self, program: u64) -> bool {
        matches!(self.state().programs.get(&program), Some(Loaded::Ready))
    }

    /// Asks for the files that a message has left, within these bounds.
    pub(crate) async fn collect(
        &self,
        message: u64,
        bytes_max: u64,
        files_max: u64,
    ) -> io::Result<Vec<Left>> {
        let (done, collected) = oneshot::channel();
        {
            let mut state = self.state();
            if state.ended.is_some() {
                return Err(io::ErrorKind::NotConnected.into());
            }
            let collecting = Collecting {
                files: Vec::new(),
                bytes_left: bytes_max,
                files_left: files_max,
                done,
            };
            state.collecting.insert(message, collecting);
            state.outgoing.push(&Order::Collect { message }, None)?;
        }
        self.changed.notify_one();
        match collected.await {
            Ok(collected) => collected,
            Err(_) => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    /// Waits until the worker has closed itself in.
    pub(crate) async fn confined(&self) -> Result<u32, Lost> {
        let waiting = {
            let mut state = self.state();
            if let Some(system_calls) = state.confined {
                return Ok(system_calls);
            }
            if let Some(lost) = &state.ended {
                return Err(lost.clone());
            }
            let (answer, answered) = oneshot::channel();
            state.waits_for_confined = Some(answer);
            answered
        };
        waiting.await.unwrap_or_else(|_| Err(gone()))
    }

    /// What the worker takes of memory now, in bytes.
    pub(crate) async fn memory_bytes(&self) -> Option<u64> {
        let (answer, answered) = oneshot::channel();
        self.state().asks_memory.push(answer);
        self.changed.notify_one();
        answered.await.ok()
    }

    /// Changes the limits of the worker's jail.
    pub(crate) fn set_limits(&self, limits: Limits) {
        self.state().limits = Some(limits);
        self.changed.notify_one();
    }

    /// Takes no more messages; the worker ends when those inside have.
    pub(crate) fn close(&self) {
        self.state().closing = true;
        self.changed.notify_one();
    }

    /// Ends the worker now, with whatever is inside.
    pub(crate) fn kill(&self, why: &str) {
        let mut state = self.state();
        if state.killed.is_none() {
            state.killed = Some(why.to_owned());
        }
        state.closing = true;
        drop(state);
        self.changed.notify_one();
    }

    /// Returns when nothing of the worker is left.
    pub(crate) async fn gone(&self) {
        loop {
            let gone = self.gone.notified();
            if self.state().ended.is_some() {
                return;
            }
            gone.await;
        }
    }

    /// Whether it takes messages.
    pub(crate) fn is_open(&self) -> bool {
        let state = self.state();
        state.ended.is_none() && !state.closing
    }

    /// Messages inside it.
    pub(crate) fn messages(&self) -> usize {
        self.state().inside.len()
    }

    /// Messages it has been given, ever.
    pub(crate) fn served(&self) -> u64 {
        self.state().served
    }

    /// Programs it has loaded, ever.
    pub(crate) fn programs(&self) -> usize {
        self.state().programs.len()
    }

    /// For how long nothing has been inside it.
    pub(crate) fn idle(&self) -> Option<Duration> {
        let state = self.state();
        let since = state.idle_since.filter(|_| state.is_empty());
        since.map(|since| since.elapsed())
    }
}

/// Why a program is not in a worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LoadError {
    /// It cannot run; a sentence for the user.
    Unusable(String),
    /// The worker is gone.
    Gone,
}

fn gone() -> Lost {
    Lost {
        reason: "the WebAssembly worker is gone".to_owned(),
        limit: None,
        signal: None,
    }
}

impl State {
    /// Whether no message needs the worker any more.
    fn is_empty(&self) -> bool {
        self.inside.is_empty() && self.collecting.is_empty() && self.kept.is_empty()
    }

    /// Whether the worker can go.
    fn is_done(&self) -> bool {
        self.closing && self.is_empty()
    }

    /// Believes a notice or does not; the error says what is wrong with it.
    fn accept(&mut self, notice: Notice, link: &Arc<Link>) -> Result<(), &'static str> {
        match notice.tidied() {
            Notice::Confined { system_calls } => {
                if self.confined.replace(system_calls).is_some() {
                    return Err("it closed itself in twice");
                }
                if let Some(waiting) = self.waits_for_confined.take() {
                    let _ = waiting.send(Ok(system_calls));
                }
            }
            Notice::Waiting { program, instances } => {
                if !matches!(self.programs.get(&program), Some(Loaded::Ready)) {
                    return Err(UNKNOWN);
                }
                self.waiting.insert(program, instances);
            }
            Notice::Loaded { program } => self.loaded(program, Ok(()))?,
            Notice::Unusable { program, reason } => self.loaded(program, Err(reason))?,
            Notice::Output {
                message,
                stream,
                bytes,
            } => self.output(message, stream, bytes)?,
            Notice::WantsInput { message } => {
                let inside = self.inside.get_mut(&message).ok_or(UNKNOWN)?;
                let feeding = match std::mem::replace(&mut inside.input, Input::Whole) {
                    Input::Whole => return Err("it asked for input that it has"),
                    Input::Fed(feeding) => feeding,
                    Input::Pieces(pieces) => Feeding::start(Arc::clone(link), message, pieces),
                };
                feeding.want();
                inside.input = Input::Fed(feeding);
            }
            // Whoever may raise the bound looks at the usage; this says that looking is worth it.
            Notice::WantsMemory { message, .. } => {
                self.inside.get(&message).ok_or(UNKNOWN)?;
            }
            Notice::Progress { message, usage } => {
                let inside = self.inside.get(&message).ok_or(UNKNOWN)?;
                *inside.usage.lock().unwrap_or_else(PoisonError::into_inner) = usage;
            }
            Notice::Ended {
                message,
                end,
                usage,
                calls,
            } => {
                let inside = self.inside.get_mut(&message).ok_or(UNKNOWN)?;
                let calls = called::audit(inside.calls.take(), calls)?;
                let inside = self.inside.remove(&message).ok_or(UNKNOWN)?;
                *inside.usage.lock().unwrap_or_else(PoisonError::into_inner) = usage;
                if inside.keeps_files && inside.is_released {
                    // It is too small not to fit.
                    let _ = self.outgoing.push(&Order::Release { message }, None);
                    link.changed.notify_one();
                } else if inside.keeps_files {
                    self.kept.insert(message);
                }
                finish(inside, Ok(end), usage, calls);
                if self.inside.is_empty() {
                    self.idle_since = Some(Instant::now());
                }
            }
            Notice::Called { message, records } => {
                let inside = self.inside.get_mut(&message).ok_or(UNKNOWN)?;
                called::take(inside.calls.as_mut(), records)?;
            }
            Notice::Left {
                message,
                path,
                bytes,
            } => self.left(message, path, bytes)?,
            Notice::LeftBytes { message, bytes } => self.left_bytes(message, &bytes)?,
            Notice::Collected { message } => {
                let collecting = self.collecting.remove(&message).ok_or(UNKNOWN)?;
                let _ = collecting.done.send(Ok(collecting.files));
            }
            Notice::Failed { reason } => self.killed = Some(reason),
        }
        Ok(())
    }

    fn loaded(&mut self, program: u64, loaded: Result<(), String>) -> Result<(), &'static str> {
        let slot = self.programs.get_mut(&program).ok_or(UNKNOWN)?;
        let Loaded::Asked(waiting) = slot else {
            return Err("it loaded a program twice");
        };
        for waiting in std::mem::take(waiting) {
            let _ = waiting.send(loaded.clone());
        }
        *slot = match loaded {
            Ok(()) => Loaded::Ready,
            Err(reason) => Loaded::Unusable(reason),
        };
        Ok(())
    }

    fn output(
        &mut self,
        message: u64,
        stream: OutputStream,
        bytes: Vec<u8>,
    ) -> Result<(), &'static str> {
        let inside = self.inside.get_mut(&message).ok_or(UNKNOWN)?;
        let left = inside.output_left.checked_sub(bytes.len() as u64);
        inside.output_left = left.ok_or("it let more output pass than its guest may write")?;
        match (&mut inside.output, stream) {
            (Output::Kept { stdout, .. }, OutputStream::Stdout) => append(stdout, bytes),
            (Output::Kept { stderr, .. }, OutputStream::Stderr) => append(stderr, bytes),
            // Nobody may read any more.
            (Output::Streams { stdout, .. }, OutputStream::Stdout) => {
                let _ = stdout.send(bytes);
            }
            (Output::Streams { stderr, .. }, OutputStream::Stderr) => {
                let _ = stderr.send(bytes);
            }
        }
        Ok(())
    }

    fn left(
        &mut self,
        message: u64,
        path: Vec<u8>,
        bytes: Option<u64>,
    ) -> Result<(), &'static str> {
        let collecting = self.collecting.get_mut(&message).ok_or(UNKNOWN)?;
        let files_left = collecting.files_left.checked_sub(1);
        collecting.files_left = files_left.ok_or("its guest left more files than it may have")?;
        if !is_plain(&path) {
            return Err("it named a file that cannot be");
        }
        let bytes = bytes.map(|_| Vec::new());
        collecting.files.push(Left { path, bytes });
        Ok(())
    }

    fn left_bytes(&mut self, message: u64, bytes: &[u8]) -> Result<(), &'static str> {
        let collecting = self.collecting.get_mut(&message).ok_or(UNKNOWN)?;
        let left = collecting.bytes_left.checked_sub(bytes.len() as u64);
        collecting.bytes_left = left.ok_or("its guest left more bytes than it may have")?;
        let file = collecting.files.last_mut();
        let file = file.and_then(|file| file.bytes.as_mut());
        file.ok_or("it sent bytes of no file")?
            .extend_from_slice(bytes);
        Ok(())
    }
}

/// What a worker says of a message or program that it does not have.
const UNKNOWN: &str = "it spoke of something it was never given";

/// Whether a path goes straight down: no part is empty, `.` or `..`.
fn is_plain(path: &[u8]) -> bool {
    let mut parts = path.split(|byte| *byte == b'/');
    parts.all(|part| !matches!(part, b"" | b"." | b"..") && !part.contains(&0))
}

fn append(all: &mut Vec<u8>, bytes: Vec<u8>) {
    if all.is_empty() {
        *all = bytes;
    } else {
        all.extend_from_slice(&bytes);
    }
}

fn finish(
    inside: Inside,
    end: Result<GuestEnd, Lost>,
    usage: GuestUsage,
    calls: Option<CallAudit>,
) {
    let (stdout, stderr) = match inside.output {
        Output::Kept { stdout, stderr } => (stdout, stderr),
        Output::Streams { .. } => (Vec::new(), Vec::new()),
    };
    // Whoever waited may have gone away.
    let _ = inside.finished.send(Finished {
        end,
        usage,
        calls,
        stdout,
        stderr,
    });
}

/// How much output a worker may pass on for a guest that may write so much.
pub(crate) const fn output_allowance(output_bytes: u64) -> u64 {
    output_bytes.saturating_add(OUTPUT_SLACK_BYTES)
}

/// Talks to a worker until it is gone, and then removes its jail. To be run as a task of its own.
pub(crate) async fn attend(
    link: Arc<Link>,
    socket: UnixStream,
    last_words: OwnedFd,
    mut jail: Jail,
) {
    let why = talk(&link, &socket, &mut jail).await;
    // Messages from now on go to another one.
    link.state().closing = true;
    drop(socket);
    if why.is_some() {
        jail.stop();
    }
    // One whose socket is closed ends by itself.
    let ended = match tokio::time::timeout(END_TIME, jail.wait()).await {
        Ok(ended) => ended,
        Err(_) => {
            jail.stop();
            None
        }
    };
    let lost = lost(&jail, ended, why.or_else(|| said(&last_words)));
    // What could not be removed is found by the next sweep.
    let _ = jail.destroy().await;
    let mut state = link.state();
    for (_, inside) in state.inside.drain() {
        let usage = *inside.usage.lock().unwrap_or_else(PoisonError::into_inner);
        finish(inside, Err(lost.clone()), usage, None);
    }
    state.collecting.clear();
    state.kept.clear();
    state.programs.clear();
    state.asks_memory.clear();
    state.outgoing.clear();
    if let Some(waiting) = state.waits_for_confined.take() {
        let _ = waiting.send(Err(lost.clone()));
    }
    state.ended = Some(lost);
    drop(state);
    link.gone.notify_waiters();
}

/// Returns when the worker has to go; with why, if that is not its own end or a wish of ours.
async fn talk(link: &Arc<Link>, socket: &UnixStream, jail: &mut Jail) -> Option<String> {
    let mut reader = FrameReader::new(NOTICE_BYTES_MAX);
    let mut bytes = vec![0; READ_BYTES];
    let mut blocked = false;
    let mut polling = Polling::new();
    loop {
        tokio::select! {
            biased;
            ready = socket.readable() => {
                if ready.is_err() {
                    return None;
                }
                match socket.try_read(&mut bytes) {
                    Ok(0) => return None,
                    Ok(count) => {
                        polling.came();
                        reader.push(bytes.get(..count).unwrap_or_default());
                    }
                    Err(error) if is_passing(&error) => continue,
                    // It ended without having read everything; what it said is still there.
                    Err(_) => return last_words(link, socket, &mut reader, &mut bytes),
                }
                let mut state = link.state();
                loop {
                    match reader.next_frame::<Notice>() {
                        Ok(Some(notice)) => {
                            if let Err(wrong) = state.accept(notice, link) {
                                return Some(format!("the worker is not to be trusted: {wrong}"));
                            }
                        }
                        Ok(None) => break,
                        Err(error) => {
                            return Some(format!("the worker is not to be trusted: {error}"));
                        }
                    }
                }
                if state.killed.is_some() {
                    return state.killed.clone();
                }
                if state.is_done() {
                    return None;
                }
            }
            ready = socket.writable(), if blocked => {
                if ready.is_err() {
                    return None;
                }
                match send(socket, &mut link.state()) {
                    Ok(()) => blocked = false,
                    Err(error) if is_passing(&error) => {}
                    Err(_) => return None,
                }
            }
            () = link.changed.notified() => {
                let mut state = link.state();
                if state.killed.is_some() {
                    return state.killed.clone();
                }
                if state.is_done() {
                    return None;
                }
                for asks in state.asks_memory.drain(..) {
                    let _ = asks.send(jail.memory_bytes());
                }
                if let Some(limits) = state.limits.take() {
                    // Should the kernel refuse, the old ones hold.
                    let _ = jail.set_limits(limits);
                }
                match send(socket, &mut state) {
                    Ok(()) => polling.wait(state.inside.len() == 1),
                    Err(error) if is_passing(&error) => blocked = true,
                    Err(_) => return None,
                }
            }
            _ = jail.wait() => return last_words(link, socket, &mut reader, &mut bytes),
            () = tokio::task::yield_now(), if polling.is_on() => polling.looked(),
        }
    }
}

fn send(socket: &UnixStream, state: &mut State) -> io::Result<()> {
    socket.try_io(Interest::WRITABLE, || state.outgoing.send(socket.as_fd()))
}

/// Whether trying again later can help.
fn is_passing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
    )
}

/// What an ended worker said of its own end: it may still be in the socket.
fn last_words(
    link: &Arc<Link>,
    socket: &UnixStream,
    reader: &mut FrameReader,
    bytes: &mut [u8],
) -> Option<String> {
    drain(link, socket, reader, bytes);
    link.state().killed.clone()
}

/// Takes in what an ended worker left behind, as far as it is right.
fn drain(link: &Arc<Link>, socket: &UnixStream, reader: &mut FrameReader, bytes: &mut [u8]) {
    while let Ok(count) = rustix::io::read(socket, &mut *bytes) {
        if count == 0 {
            return;
        }
        reader.push(bytes.get(..count).unwrap_or_default());
        let mut state = link.state();
        while let Ok(Some(notice)) = reader.next_frame::<Notice>() {
            if state.accept(notice, link).is_err() {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests;
