//! One worker process: its jail, its start, and messages going into it.

use std::collections::BTreeSet;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use atoll_jail::seccomp::Profile;
use atoll_jail::{Bind, Command, Jail, JailBeginning, JailSpec, Root, helper_binary};
use atoll_sandbox::CreateError;
use atoll_types::calls::CallRules;
use atoll_types::{Enforcement, Layer, LayerReport, LayerState, Level, Limits};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use tokio::net::UnixStream;
use tokio::sync::{mpsc, oneshot};

use crate::code::Code;
use crate::error::{create_error, internal_create};
use crate::link::{
    Finished, Input, Inside, Link, LoadError, Output, Sent, attend, output_allowance,
};
use crate::protocol::{
    GuestKind, GuestUsage, ORDER_BYTES_MAX, Order, Run, Serve, Settings, write_frame,
};

/// The worker's file name, on the host and in the root of its jail.
pub(crate) const WORKER: &str = "atoll-wasm-worker";

/// Threads of a worker: one for all guests, one that watches the time. A guest cannot start any.
const WORKER_THREADS: u32 = 2;

/// Descriptors a worker holds, and those that come with programs.
const WORKER_DESCRIPTORS: u32 = 1024;

/// Memory of a worker besides its guests': its own data, and the kernel's part.
pub(crate) const WORKER_MEMORY_BYTES: u64 = 32 << 20;

/// Instances of each interpreter that wait in a worker for scripts.
const INSTANCES_KEPT: u32 = 4;

/// How long a worker may take until it has closed itself in.
const START_TIME: Duration = Duration::from_secs(20);

/// The jail of a worker or a compiler: nothing in it but the program itself.
pub(crate) fn begin_jail(id: &str) -> Result<JailBeginning, CreateError> {
    let host =
        helper_binary(WORKER).map_err(|error| CreateError::Environment(error.to_string()))?;
    let bind = Bind {
        host,
        guest: WORKER.into(),
    };
    let spec = JailSpec {
        name: id.to_owned(),
        root: Root {
            binds: vec![bind],
            devices: true,
            ..Root::default()
        },
    };
    Jail::begin(&spec).map_err(create_error)
}

/// The command that starts the helper program in one of its parts.
pub(crate) fn command(part: &str, descriptors: Vec<OwnedFd>) -> Command {
    Command {
        path: format!("/{WORKER}").into_bytes(),
        arguments: vec![WORKER.as_bytes().to_vec(), part.as_bytes().to_vec()],
        environment: Vec::new(),
        files: Vec::new(),
        descriptors,
        profile: Profile::WasmWorker,
        calls: CallRules::default(),
    }
}

/// What a worker is made for.
#[derive(Debug, Clone)]
pub(crate) struct Making {
    /// What its jail may use.
    pub(crate) limits: Limits,
    /// What it is told.
    pub(crate) settings: Settings,
    /// Whether it serves more than one message.
    pub(crate) is_shared: bool,
    pub(crate) accept_missing: BTreeSet<Layer>,
}

impl Making {
    /// A worker for messages of many, until it is replaced: one core, and memory for guests.
    pub(crate) fn shared(memory_bytes: u64, guests_max: u32, accept: &BTreeSet<Layer>) -> Self {
        Self {
            limits: around(memory_bytes),
            settings: Settings {
                guests_max,
                memory_bytes,
                reserves: true,
            },
            is_shared: true,
            accept_missing: accept.clone(),
        }
    }

    /// A worker for one message with these limits, in so many stores.
    pub(crate) fn own(guest: &Limits, stores: u32, accept: &BTreeSet<Layer>) -> Self {
        Self {
            limits: own_limits(guest),
            settings: Settings {
                guests_max: stores,
                // The message's own limit is what holds it, and the jail.
                memory_bytes: u64::MAX,
                reserves: true,
            },
            is_shared: false,
            accept_missing: accept.clone(),
        }
    }
}

/// The limits of the jail around a worker for one message with these.
pub(crate) fn own_limits(guest: &Limits) -> Limits {
    Limits {
        cpu_percent: guest.cpu_percent,
        ..around(guest.memory_bytes)
    }
}

/// The limits of the jail around guests that have so much memory.
fn around(memory_bytes: u64) -> Limits {
    Limits {
        // Each message has a time of its own, and a worker none.
        wall_time_ms: u64::from(u32::MAX),
        cpu_time_ms: u64::from(u32::MAX),
        cpu_percent: 100,
        memory_bytes: memory_bytes.saturating_add(WORKER_MEMORY_BYTES),
        processes: WORKER_THREADS,
        // It cannot make files; images of programs' memory are some to the kernel.
        disk_bytes: 512 << 20,
        disk_files: 1_000,
        output_bytes: 1 << 20,
        open_files: WORKER_DESCRIPTORS,
    }
}

/// A worker that has closed itself in and takes messages.
pub(crate) struct Worker {
    pub(crate) link: Arc<Link>,
    pub(crate) enforcement: Enforcement,
    is_shared: bool,
}

/// A worker that is being started. When nobody waits for it any more, it ends.
struct Abandoned<'a>(&'a Link);

impl Drop for Abandoned<'_> {
    fn drop(&mut self) {
        self.0.kill("nobody waits for it any more");
    }
}

impl Worker {
    /// Starts a worker in a jail that is being built.
    pub(crate) async fn start(
        beginning: JailBeginning,
        making: &Making,
    ) -> Result<Arc<Self>, CreateError> {
        let finishing = beginning.finish(making.limits, &making.accept_missing);
        let mut jail = finishing.await.map_err(create_error)?;
        let layers = jail.layers(Profile::WasmWorker);
        let (socket, theirs) = sockets().map_err(internal_create("make a socket"))?;
        let settings = Settings {
            reserves: is_enforced(&layers, Layer::MemoryLimit),
            ..making.settings
        };
        begin(&socket, settings).map_err(internal_create("set up a worker"))?;
        let started = jail.start(command("serve", vec![theirs])).await;
        let streams = match started {
            Ok(streams) => streams,
            Err(error) => {
                let _ = jail.destroy().await;
                return Err(create_error(error));
            }
        };
        let socket = UnixStream::from_std(socket.into());
        let socket = socket.map_err(internal_create("watch a socket"))?;
        let link = Link::new();
        // Nobody reads its standard output; guests have streams of their own.
        let attending = attend(Arc::clone(&link), socket, streams.stderr, jail);
        tokio::spawn(attending);
        let abandoned = Abandoned(&link);
        let confined = tokio::time::timeout(START_TIME, link.confined()).await;
        std::mem::forget(abandoned);
        let system_calls = match confined {
            Ok(Ok(system_calls)) => system_calls,
            Ok(Err(lost)) => return Err(not_started(&lost.reason)),
            Err(_) => {
                link.kill("it did not start in time");
                return Err(not_started("it took too long"));
            }
        };
        let report = instance_layer(Some(system_calls));
        if report.state == LayerState::Missing {
            link.kill("it is not closed in");
            return Err(CreateError::NotEnforceable {
                level: Level::Instance,
                missing: vec![report],
            });
        }
        let mut layers = layers;
        layers.push(report);
        let enforcement = Enforcement {
            level: Level::Instance,
            layers,
        };
        Ok(Arc::new(Self {
            link,
            enforcement,
            is_shared: making.is_shared,
        }))
    }

    /// Makes sure that the worker has a program.
    pub(crate) async fn load(&self, code: &Code) -> Result<(), LoadError> {
        if self.link.has(code.number) {
            return Ok(());
        }
        let program = code.number;
        let load = Order::Load {
            program,
            kind: code.kind,
        };
        self.link.load(program, &load, &code.file).await?;
        if code.kind == GuestKind::Interpreter && self.is_shared {
            // A worker that is gone takes no message either.
            let _ = self.link.keep(program, INSTANCES_KEPT);
        }
        Ok(())
    }

    /// Runs a message whose program is loaded, and keeps its output.
    ///
    /// # Errors
    /// When the worker takes no more messages, or the message is too large.
    pub(crate) fn run(&self, orders: Message) -> io::Result<oneshot::Receiver<Finished>> {
        let (finished, ended) = oneshot::channel();
        let inside = Inside {
            output: Output::Kept {
                stdout: Vec::new(),
                stderr: Vec::new(),
            },
            output_left: output_allowance(orders.run.limits.output_bytes),
            input: Input::Whole,
            keeps_files: orders.run.keeps_files,
            is_released: false,
            calls: orders.run.calls.audit.then(Vec::new),
            usage: Arc::new(Mutex::new(GuestUsage::default())),
            finished,
        };
        self.link.run(inside, |number| orders.orders(number))?;
        Ok(ended)
    }

    /// Runs a message whose program is loaded, with streams.
    ///
    /// # Errors
    /// As for [`Worker::run`].
    pub(crate) fn run_streamed(&self, orders: Message) -> io::Result<Streamed> {
        let (outputs, stdout, stderr) = Outputs::new();
        let (finished, ended) = oneshot::channel();
        let (stdin, input) = mpsc::channel(1);
        let usage = Arc::new(Mutex::new(GuestUsage::default()));
        let inside = Inside {
            output: outputs.clone().into(),
            output_left: output_allowance(orders.run.limits.output_bytes),
            input: Input::Pieces(input),
            keeps_files: orders.run.keeps_files,
            is_released: false,
            calls: orders.run.calls.audit.then(Vec::new),
            usage: Arc::clone(&usage),
            finished,
        };
        let number = self.link.run(inside, |number| orders.orders(number))?;
        Ok(Streamed {
            number,
            stdin,
            stdout,
            stderr,
            outputs,
            usage,
            ended: Some(ended),
        })
    }

    /// Lets stores be called whose program runs in another worker. What they write goes to its
    /// outputs.
    ///
    /// # Errors
    /// As for [`Worker::run`].
    pub(crate) fn serve(
        &self,
        serve: Serve,
        streams: Vec<Arc<OwnedFd>>,
        outputs: Outputs,
    ) -> io::Result<Served> {
        let (finished, ended) = oneshot::channel();
        let usage = Arc::new(Mutex::new(GuestUsage::default()));
        let inside = Inside {
            output: outputs.into(),
            output_left: output_allowance(serve.limits.output_bytes),
            input: Input::Whole,
            calls: None,
            keeps_files: false,
            is_released: false,
            usage: Arc::clone(&usage),
            finished,
        };
        let number = self.link.run(inside, |message| {
            let serve = Serve { message, ..serve };
            let mut orders: Vec<Sent> = stream_orders(message, streams).collect();
            orders.push((Order::Serve(Box::new(serve)), None));
            orders
        })?;
        Ok(Served {
            number,
            usage,
            ended: Some(ended),
        })
    }
}

/// Stores in a worker that serve the program of a message elsewhere.
pub(crate) struct Served {
    pub(crate) number: u64,
    pub(crate) usage: Arc<Mutex<GuestUsage>>,
    /// Until its end is known.
    pub(crate) ended: Option<oneshot::Receiver<Finished>>,
}

/// Where all of a message's stores write to.
#[derive(Debug, Clone)]
pub(crate) struct Outputs {
    stdout: mpsc::UnboundedSender<Vec<u8>>,
    stderr: mpsc::UnboundedSender<Vec<u8>>,
}

/// What was written, in pieces.
type Pieces = mpsc::UnboundedReceiver<Vec<u8>>;

impl Outputs {
    fn new() -> (Self, Pieces, Pieces) {
        let (stdout, stdout_end) = mpsc::unbounded_channel();
        let (stderr, stderr_end) = mpsc::unbounded_channel();
        (Self { stdout, stderr }, stdout_end, stderr_end)
    }
}

impl From<Outputs> for Output {
    fn from(outputs: Outputs) -> Self {
        Self::Streams {
            stdout: outputs.stdout,
            stderr: outputs.stderr,
        }
    }
}

/// A message that runs, with its streams.
pub(crate) struct Streamed {
    pub(crate) number: u64,
    pub(crate) stdin: mpsc::Sender<Vec<u8>>,
    pub(crate) stdout: mpsc::UnboundedReceiver<Vec<u8>>,
    pub(crate) stderr: mpsc::UnboundedReceiver<Vec<u8>>,
    /// They end when nobody has these any more.
    pub(crate) outputs: Outputs,
    pub(crate) usage: Arc<Mutex<GuestUsage>>,
    pub(crate) ended: Option<oneshot::Receiver<Finished>>,
}

/// What goes into a worker: files first, then the order to run.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) files: Vec<atoll_types::InputFile>,
    /// Streams to other processes, in the order of their numbers.
    pub(crate) streams: Vec<Arc<OwnedFd>>,
    pub(crate) run: Run,
}

/// The orders that hand over a message's streams.
fn stream_orders(message: u64, streams: Vec<Arc<OwnedFd>>) -> impl Iterator<Item = Sent> {
    let streams = streams.into_iter();
    streams.map(move |stream| (Order::Stream { message }, Some(stream)))
}

impl Message {
    fn orders(self, message: u64) -> Vec<Sent> {
        let mut orders = Vec::with_capacity(self.files.len().saturating_add(1));
        orders.extend(stream_orders(message, self.streams));
        for file in self.files {
            let give = |bytes: &[u8]| {
                let give = Order::Give {
                    message,
                    name: file.name.clone(),
                    bytes: bytes.to_vec(),
                };
                (give, None)
            };
            if file.content.is_empty() {
                orders.push(give(&[]));
            }
            let pieces = file.content.chunks(crate::protocol::PIECE_BYTES_MAX);
            orders.extend(pieces.map(give));
        }
        let run = Run {
            message,
            ..self.run
        };
        orders.push((Order::Run(Box::new(run)), None));
        orders
    }
}

fn is_enforced(layers: &[LayerReport], layer: Layer) -> bool {
    let mut reports = layers.iter().filter(|report| report.layer == layer);
    reports.all(|report| report.state == LayerState::Enforced)
}

pub(crate) fn sockets() -> rustix::io::Result<(OwnedFd, OwnedFd)> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    socketpair(AddressFamily::UNIX, SocketType::STREAM, flags, None)
}

/// Sends the first order before there is anybody to read it.
fn begin(socket: impl AsFd, settings: Settings) -> io::Result<()> {
    let mut frame = Vec::new();
    write_frame(&mut frame, &Order::Begin(settings), ORDER_BYTES_MAX)?;
    let sent = rustix::io::write(socket, &frame)?;
    if sent == frame.len() {
        Ok(())
    } else {
        Err(io::ErrorKind::WriteZero.into())
    }
}

fn not_started(why: &str) -> CreateError {
    internal_create("start a WebAssembly worker")(io::Error::other(why.to_owned()))
}

/// The layer that the worker adds to its jail; with the number of system calls left to it, once it
/// has said so.
pub(crate) fn instance_layer(system_calls: Option<u32>) -> LayerReport {
    let (state, detail) = match system_calls {
        Some(0) => (
            LayerState::Missing,
            "the worker has not closed itself in".to_owned(),
        ),
        Some(left) => (
            LayerState::Enforced,
            format!("own memory, in a worker with {left} system calls left"),
        ),
        None => (
            LayerState::Enforced,
            "own memory, in a worker that gives up system calls before it starts".to_owned(),
        ),
    };
    LayerReport {
        layer: Layer::WasmInstance,
        state,
        detail,
    }
}
