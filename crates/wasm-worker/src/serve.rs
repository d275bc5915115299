//! The worker: takes orders, runs guests, tells how they end.
//!
//! Owns the worker's loop. One thread does everything: it takes orders from the socket as they
//! come, starts each guest at once, and lets guests that wait or that take long have turns. Most
//! guests end in their first turn, before the next order is looked at.

use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::io::{self, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Waker};

use atoll_sandbox_wasm::polling::Polling;
use atoll_sandbox_wasm::protocol::{FrameReader, Notice, ORDER_BYTES_MAX, Order, Run, Settings};
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, recvmsg};
use tokio::io::Interest;
use tokio::net::UnixStream;
use tokio::sync::Notify;
use wasmtime::Engine;

use crate::clock::Counted;
use crate::confine::{Part, confine};
use crate::guest::{Control, Kept};
use crate::limiter::Budget;
use crate::outbox::Outbox;
use crate::program::{Linkers, Program};
use crate::ticker::Ticker;
use crate::{descriptors, host, runtime};

/// Bytes taken from the socket at once.
const READ_BYTES: usize = 64 << 10;

/// Descriptors that can come with one piece of the stream.
const DESCRIPTORS_MAX: usize = 8;

/// Serves until the supervisor closes the socket.
///
/// # Errors
/// When the worker itself cannot go on.
pub(crate) fn run() -> wasmtime::Result<()> {
    let [socket] = descriptors::take()?;
    let outbox = Outbox::new(socket.as_fd().try_clone_to_owned()?);
    report_panics(&outbox);
    let mut inbox = Inbox::default();
    let settings = inbox.begin(&socket)?;
    let engines = [
        runtime::guests(&settings)?,
        runtime::interpreters(&settings)?,
    ];
    let ticker = Ticker::start(engines.clone())?;
    let executor = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .build()?;
    let served = executor.block_on(async {
        let stream = UnixStream::from_std(socket.into())?;
        let worker = Worker::new(engines, settings, ticker, outbox)?;
        host::preview2::open_randomness();
        // It asks the kernel how many processors there are.
        let polling = Polling::new();
        let system_calls = confine(Part::Worker)?;
        worker.outbox.push(&Notice::Confined { system_calls });
        worker.outbox.send_all()?;
        worker.serve(stream, inbox, polling).await?;
        wasmtime::Result::Ok(())
    });
    // Guests that are still there end with the process.
    std::mem::forget(executor);
    served
}

/// Makes a panic of any thread a notice, and the end of the worker.
fn report_panics(outbox: &Outbox) {
    let outbox = outbox.clone();
    std::panic::set_hook(Box::new(move |panic| {
        outbox.push(&Notice::Failed {
            reason: format!("the WebAssembly worker panicked: {panic}"),
        });
        let _ = outbox.send_all();
        std::process::exit(126);
    }));
}

/// Something that goes on while orders are taken.
type Task = Pin<Box<dyn Future<Output = ()>>>;

/// Names and bytes of files.
pub(crate) type Given = Vec<(Vec<u8>, Vec<u8>)>;

/// What came before a message, for it.
pub(crate) struct Brought {
    pub(crate) files: Given,
    pub(crate) streams: Vec<OwnedFd>,
}

/// What all guests of this process share.
pub(crate) struct Worker {
    pub(crate) engines: [Engine; 2],
    pub(crate) linkers: Linkers,
    pub(crate) ticker: Ticker,
    pub(crate) outbox: Outbox,
    pub(crate) budget: Arc<Budget>,
    guests_max: usize,
    pub(crate) programs: RefCell<HashMap<u64, Rc<Program>>>,
    /// The guests that run.
    pub(crate) guests: RefCell<HashMap<u64, Control>>,
    /// What is to be polled besides, from now on.
    new: RefCell<Vec<Task>>,
    has_new: Notify,
    /// Messages that wait for a guest to end.
    waiting: RefCell<VecDeque<Run>>,
    /// Files of messages that have not begun.
    given: RefCell<HashMap<u64, Given>>,
    /// Their streams to other processes.
    streams: RefCell<HashMap<u64, Vec<OwnedFd>>>,
    /// Files of messages that have ended.
    pub(crate) kept: RefCell<HashMap<u64, Kept>>,
}

impl Worker {
    fn new(
        engines: [Engine; 2],
        settings: Settings,
        ticker: Ticker,
        outbox: Outbox,
    ) -> wasmtime::Result<Rc<Self>> {
        Ok(Rc::new(Self {
            linkers: Linkers::new(&engines)?,
            engines,
            ticker,
            outbox,
            budget: Budget::new(settings.memory_bytes),
            guests_max: settings.guests_max as usize,
            programs: RefCell::default(),
            guests: RefCell::default(),
            new: RefCell::default(),
            has_new: Notify::new(),
            waiting: RefCell::default(),
            given: RefCell::default(),
            streams: RefCell::default(),
            kept: RefCell::default(),
        }))
    }

    async fn serve(
        self: &Rc<Self>,
        socket: UnixStream,
        mut inbox: Inbox,
        mut polling: Polling,
    ) -> io::Result<()> {
        // Orders may have come together with the first one.
        self.obey_all(&mut inbox)?;
        let mut tasks = FuturesUnordered::new();
        loop {
            tasks.extend(self.new.borrow_mut().drain(..));
            tokio::select! {
                biased;
                ready = socket.readable() => {
                    ready?;
                    let received = socket.try_io(Interest::READABLE, || {
                        inbox.receive(socket.as_fd())
                    });
                    match received {
                        Ok(0) => return Ok(()),
                        Ok(_) => {
                            polling.came();
                            let orders = self.obey_all(&mut inbox)?;
                            self.outbox.send_all()?;
                            polling.wait(orders == 1 && self.guests.borrow().is_empty());
                        }
                        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                        Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                        Err(error) => return Err(error),
                    }
                }
                () = self.outbox.filled() => self.outbox.send_all()?,
                () = self.has_new.notified() => {}
                // One turn or two, then whatever else there is.
                _ = tasks.next(), if !tasks.is_empty() => {}
                () = tokio::task::yield_now(), if polling.is_on() => polling.looked(),
            }
        }
    }

    /// Answers with how many orders there were.
    fn obey_all(self: &Rc<Self>, inbox: &mut Inbox) -> io::Result<usize> {
        let mut orders = 0_usize;
        while let Some(order) = inbox.next()? {
            self.obey(order, inbox)?;
            orders = orders.saturating_add(1);
        }
        Ok(orders)
    }

    fn obey(self: &Rc<Self>, order: Order, inbox: &mut Inbox) -> io::Result<()> {
        match order {
            Order::Begin(_) => return Err(invalid("a second beginning")),
            Order::Load { program, kind } => {
                let code = inbox.descriptors.pop_front();
                let code = code.ok_or_else(|| invalid("a program without its code"))?;
                let notice = match Program::load(self, kind, code) {
                    Ok(loaded) => {
                        self.programs.borrow_mut().insert(program, Rc::new(loaded));
                        Notice::Loaded { program }
                    }
                    Err(reason) => Notice::Unusable { program, reason },
                };
                self.outbox.push(&notice);
            }
            Order::Keep { program, instances } => {
                let loaded = self.programs.borrow().get(&program).map(Rc::clone);
                if let Some(loaded) = loaded {
                    loaded.keep(self, program, instances);
                }
            }
            Order::Give {
                message,
                name,
                bytes,
            } => {
                let mut given = self.given.borrow_mut();
                let files = given.entry(message).or_default();
                match files.last_mut().filter(|(last, _)| *last == name) {
                    Some((_, content)) => content.extend_from_slice(&bytes),
                    None => files.push((name, bytes)),
                }
            }
            Order::Stream { message } => {
                let stream = inbox.descriptors.pop_front();
                let stream = stream.ok_or_else(|| invalid("a stream without its descriptor"))?;
                let mut streams = self.streams.borrow_mut();
                streams.entry(message).or_default().push(stream);
            }
            Order::Serve(serve) => {
                let streams = self.streams.borrow_mut().remove(&serve.message);
                self.serve_parts(*serve, streams.unwrap_or_default());
            }
            Order::Run(run) => {
                if self.guests.borrow().len() < self.guests_max {
                    self.start(*run);
                } else {
                    self.waiting.borrow_mut().push_back(*run);
                }
            }
            Order::Input {
                message,
                bytes,
                ends,
            } => {
                if let Some(control) = self.guests.borrow().get(&message) {
                    control.feed(bytes, ends);
                }
            }
            Order::Memory { message, bytes } => {
                if let Some(control) = self.guests.borrow().get(&message) {
                    control.bound.set(bytes);
                }
            }
            Order::Stop { message } => self.stop(message),
            Order::Collect { message } => {
                if let Some(kept) = self.kept.borrow_mut().remove(&message) {
                    kept.send(&self.outbox, message);
                }
                self.outbox.push(&Notice::Collected { message });
            }
            Order::Release { message } => {
                self.kept.borrow_mut().remove(&message);
            }
        }
        Ok(())
    }

    /// Starts a guest, and gives it its first turn.
    fn start(self: &Rc<Self>, run: Run) {
        let program = self.programs.borrow().get(&run.program).map(Rc::clone);
        let given = self.given.borrow_mut().remove(&run.message);
        let streams = self.streams.borrow_mut().remove(&run.message);
        let brought = Brought {
            files: given.unwrap_or_default(),
            streams: streams.unwrap_or_default(),
        };
        let (guest, clock) = self.guest(program, run, brought);
        let mut turns = Counted::new(Box::pin(guest), clock);
        let mut nobody = Context::from_waker(Waker::noop());
        if Pin::new(&mut turns).poll(&mut nobody).is_pending() {
            self.spawn(turns);
        }
    }

    /// Goes on with something while orders are taken.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + 'static) {
        self.new.borrow_mut().push(Box::pin(task));
        self.has_new.notify_one();
    }

    /// Starts what has waited for a place. Not at once: whoever ends is still on the stack.
    pub(crate) fn start_waiting(self: &Rc<Self>) {
        if self.waiting.borrow().is_empty() {
            return;
        }
        let worker = Rc::clone(self);
        self.spawn(async move {
            while worker.guests.borrow().len() < worker.guests_max {
                let next = worker.waiting.borrow_mut().pop_front();
                let Some(run) = next else { return };
                worker.start(run);
            }
        });
    }

    fn stop(self: &Rc<Self>, message: u64) {
        if let Some(control) = self.guests.borrow().get(&message) {
            control.stop();
            return;
        }
        let mut waiting = self.waiting.borrow_mut();
        let before = waiting.len();
        waiting.retain(|run| run.message != message);
        if waiting.len() < before {
            self.given.borrow_mut().remove(&message);
            self.streams.borrow_mut().remove(&message);
            self.outbox.push(&Notice::Ended {
                message,
                end: atoll_sandbox_wasm::protocol::GuestEnd::Stopped,
                usage: Default::default(),
                calls: None,
            });
        }
    }
}

/// Orders on their way in, with the descriptors that came with them.
struct Inbox {
    reader: FrameReader,
    descriptors: VecDeque<OwnedFd>,
    bytes: Vec<u8>,
}

impl Default for Inbox {
    fn default() -> Self {
        Self {
            reader: FrameReader::new(ORDER_BYTES_MAX),
            descriptors: VecDeque::new(),
            bytes: vec![0; READ_BYTES],
        }
    }
}

impl Inbox {
    /// Waits for the first order.
    fn begin(&mut self, socket: &OwnedFd) -> io::Result<Settings> {
        loop {
            match self.next()? {
                Some(Order::Begin(settings)) => return Ok(settings),
                Some(_) => return Err(invalid("an order before the first one")),
                None => {}
            }
            let mut waits = [rustix::event::PollFd::new(
                socket,
                rustix::event::PollFlags::IN,
            )];
            rustix::event::poll(&mut waits, None)?;
            if self.receive(socket)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }

    fn receive(&mut self, socket: impl AsFd) -> io::Result<usize> {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS_MAX))];
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let mut parts = [IoSliceMut::new(&mut self.bytes)];
        let received = recvmsg(socket, &mut parts, &mut ancillary, RecvFlags::CMSG_CLOEXEC)?;
        for message in ancillary.drain() {
            if let RecvAncillaryMessage::ScmRights(descriptors) = message {
                self.descriptors.extend(descriptors);
            }
        }
        if received.flags.contains(ReturnFlags::CTRUNC) {
            return Err(invalid("more descriptors than expected"));
        }
        let bytes = self.bytes.get(..received.bytes).unwrap_or_default();
        self.reader.push(bytes);
        Ok(received.bytes)
    }

    fn next(&mut self) -> io::Result<Option<Order>> {
        let next = self.reader.next_frame();
        next.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
    }
}

/// Orders come from the supervisor; one that makes no sense is a fault of one of the two programs.
fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_owned())
}
