//! Stores of a message besides its program's own, and calls between all of them.
//!
//! Owns the making of these stores and the ways to them. A part in a store of its own reaches
//! clocks, randomness and the message's output; it has no files, arguments or variables, and its
//! memory counts as the message's. Who calls whom was decided elsewhere.

use std::collections::HashMap;
use std::io;
use std::os::fd::OwnedFd;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use atoll_sandbox_wasm::protocol::{
    CallOut, CallTarget, GuestEnd, GuestLimits, GuestUsage, Links, Notice, PartStore, Serve,
};
use atoll_types::calls::CallRules;
use atoll_wasm_worker::parts::{
    AfterTrap, Channel, Local, Offered, Remote, Served, Terms, link_remote, serve,
};
use bytes::Bytes;
use rustix::net::{SendFlags, send};
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::UnixStream;
use tokio::sync::Notify;
use wasmtime::component::{Component, Linker};
use wasmtime::{Engine, Store, UpdateDeadline};
use wasmtime_wasi::p2::bindings::CommandPre;

use crate::clock::{Clock, Counted};
use crate::guest::{Control, Guest, Progress, Told, Turn, file_limits};
use crate::host::files::Files;
use crate::host::streams::{Input, Output};
use crate::host::{self, Parts};
use crate::limiter::{Bound, Budget, Limiter};
use crate::program::{Program, command, link};
use crate::runtime::describe;
use crate::serve::Worker;

/// How often a part that failed is started anew.
const RESTARTS_MAX: u32 = 100;

/// What a caller waits for another process beyond the time that this gives to its part: then it
/// is not what it should be.
const OVERTIME: Duration = Duration::from_millis(500);

/// The stores of a message that are not made yet.
pub(crate) struct Stores {
    pub(crate) links: Links,
    pub(crate) streams: Vec<OwnedFd>,
    pub(crate) common: Common,
}

impl Stores {
    /// Takes everything there is to make.
    pub(crate) fn take(&mut self) -> Self {
        Self {
            links: std::mem::take(&mut self.links),
            streams: std::mem::take(&mut self.streams),
            common: self.common.clone(),
        }
    }
}

/// What all stores of a message share.
#[derive(Clone)]
pub(crate) struct Common {
    pub(crate) limits: GuestLimits,
    pub(crate) clock: Arc<Clock>,
    pub(crate) bound: Arc<Bound>,
    pub(crate) budget: Arc<Budget>,
    pub(crate) progress: Arc<Progress>,
    pub(crate) output: Output,
    pub(crate) error: Output,
}

impl Common {
    /// A store for a part.
    fn store(&self, engine: &Engine, name: &str) -> Store<Guest> {
        let limits = GuestLimits {
            disk_bytes: 0,
            disk_files: 0,
            ..self.limits
        };
        let guest = Guest::new(Parts {
            arguments: vec![name.to_owned()],
            environment: Vec::new(),
            files: Files::new(file_limits(&limits), host::wall_clock),
            input: Input::whole(Bytes::new()),
            output: self.output.clone(),
            error: self.error.clone(),
            calls_max: limits.host_calls,
            rules: &CallRules::default(),
            limiter: Limiter::new(
                limits,
                Arc::clone(&self.bound),
                Arc::clone(&self.budget),
                None,
            ),
        });
        let mut store = Store::new(engine, guest);
        store.limiter_async(|guest| &mut guest.limiter);
        let (clock, progress) = (Arc::clone(&self.clock), Arc::clone(&self.progress));
        let budget = Arc::clone(&self.budget);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(move |_| {
            if let Some(over) = clock.over() {
                return Err(over.into());
            }
            progress.tell(&clock, || GuestUsage {
                memory_peak_bytes: budget.peak_bytes(),
                ..GuestUsage::default()
            });
            Ok(UpdateDeadline::Yield(1))
        });
        store
    }
}

/// Takes calls from one stream until it closes.
type Serving = Pin<Box<dyn Future<Output = ()>>>;

/// The ways from and to the stores of one message.
struct Ways {
    streams: Vec<Option<OwnedFd>>,
    channels: HashMap<u32, Arc<dyn Remote>>,
    stores: Vec<Local<Guest>>,
    call_time: Duration,
}

impl Ways {
    fn to(&mut self, target: CallTarget) -> Result<Arc<dyn Remote>, String> {
        match target {
            CallTarget::Store(number) => {
                let store = self.stores.get(number as usize);
                let store = store.ok_or_else(|| format!("there is no store {number} yet"))?;
                Ok(Arc::new(store.clone()))
            }
            CallTarget::Stream(number) => {
                if let Some(channel) = self.channels.get(&number) {
                    return Ok(Arc::clone(channel));
                }
                let stream = self.take(number)?;
                let patience = self.call_time.saturating_add(OVERTIME);
                let channel: Arc<dyn Remote> = Arc::new(Channel::new(stream, patience));
                self.channels.insert(number, Arc::clone(&channel));
                Ok(channel)
            }
        }
    }

    fn take(&mut self, number: u32) -> Result<PartStream, String> {
        let stream = self.streams.get_mut(number as usize).and_then(Option::take);
        let stream = stream.ok_or_else(|| format!("there is no stream {number} any more"))?;
        PartStream::new(stream).map_err(|error| format!("a stream cannot be used: {error}"))
    }

    /// Gives a linker all interfaces that are called outside the store.
    fn link(
        &mut self,
        linker: &mut Linker<Guest>,
        engine: &Engine,
        component: &Component,
        calls: &[CallOut],
    ) -> Result<(), String> {
        for call in calls {
            let remote = self.to(call.to)?;
            let (interface, exported_as) = (&call.interface, &call.exported_as);
            link_remote(linker, engine, component, interface, exported_as, &remote)
                .map_err(|error| describe(&error))?;
        }
        Ok(())
    }
}

impl Worker {
    /// Makes a message's stores, and the program that calls them.
    ///
    /// # Errors
    /// A sentence for the user.
    pub(crate) fn join(
        self: &Rc<Self>,
        stores: Stores,
        component: &Component,
    ) -> Result<CommandPre<Guest>, String> {
        let clock = Arc::clone(&stores.common.clock);
        let calls = stores.links.calls.clone();
        let (mut ways, serving) = self.make_stores(stores)?;
        let [engine, _] = &self.engines;
        let mut linker = self.linkers.commands.clone();
        ways.link(&mut linker, engine, component, &calls)?;
        for task in serving {
            self.spawn(Counted::later(Box::pin(task), Arc::clone(&clock)));
        }
        command(link(&linker, component)?)
    }

    fn make_stores(&self, stores: Stores) -> Result<(Ways, Vec<Serving>), String> {
        let call_time = Duration::from_micros(stores.links.call_time_us);
        let mut ways = Ways {
            streams: stores.streams.into_iter().map(Some).collect(),
            channels: HashMap::new(),
            stores: Vec::new(),
            call_time,
        };
        let mut serving = Vec::new();
        for store in stores.links.stores {
            let local = self.make_store(&store, &stores.common, &mut ways)?;
            for caller in store.callers {
                let mut stream = ways.take(caller.stream)?;
                let offered = Offered::new(local.clone(), caller.interfaces);
                let task: Serving = Box::pin(async move {
                    // A caller that speaks nonsense is not served any further.
                    let _ = serve(&mut stream, &offered).await;
                });
                serving.push(task);
            }
            ways.stores.push(local);
        }
        Ok((ways, serving))
    }

    fn make_store(
        &self,
        store: &PartStore,
        common: &Common,
        ways: &mut Ways,
    ) -> Result<Local<Guest>, String> {
        let program = self.programs.borrow().get(&store.program).map(Rc::clone);
        let Some(Program::Parts(component)) = program.as_deref() else {
            return Err("a part is not in this worker".to_owned());
        };
        let [engine, _] = &self.engines;
        let mut linker = self.linkers.commands.clone();
        ways.link(&mut linker, engine, component, &store.calls)?;
        let part = link(&linker, component)?;
        let terms = Terms {
            deadline: ways.call_time,
            after_trap: AfterTrap::Restart {
                times_max: RESTARTS_MAX,
            },
        };
        let (common, engine, name) = (common.clone(), engine.clone(), store.name.clone());
        let make = move || common.store(&engine, &name);
        Ok(Local::new(Served::new(part, terms, make)))
    }

    /// Serves calls of stores until their callers are gone, or the supervisor wants an end.
    pub(crate) fn serve_parts(self: &Rc<Self>, serve: Serve, streams: Vec<OwnedFd>) {
        let Serve {
            message,
            limits,
            links,
        } = serve;
        let clock = Clock::start(&limits);
        let bound = Bound::new(limits.memory_bytes);
        let budget = Budget::within(&self.budget, &bound);
        let stop = Arc::new(Notify::new());
        let control = Control {
            clock: Arc::clone(&clock),
            bound: Arc::clone(&bound),
            feed: None,
            stop: Arc::clone(&stop),
        };
        self.guests.borrow_mut().insert(message, control);
        let told = Told {
            message,
            outbox: self.outbox.clone(),
        };
        let output_bytes = limits.output_bytes.saturating_add(1);
        let (output, error) = Output::pair(Box::new(told), output_bytes);
        let common = Common {
            limits,
            clock: Arc::clone(&clock),
            bound: Arc::clone(&bound),
            budget: Arc::clone(&budget),
            progress: Arc::new(Progress::new(message, &self.outbox)),
            output,
            error,
        };
        let turn = Turn {
            message,
            keeps_files: false,
            limits,
            clock: Arc::clone(&clock),
            bound,
            stop,
        };
        let made = self.make_stores(Stores {
            links,
            streams,
            common,
        });
        let worker = Rc::clone(self);
        let counted = Arc::clone(&clock);
        let task = async move {
            let running = worker.ticker.run();
            let end = match made {
                Ok((ways, serving)) => {
                    let all = futures_util::future::join_all(serving);
                    let served = turn.limited(async { Ok(all.await) }).await;
                    drop(ways);
                    match served {
                        Ok(_) => GuestEnd::Exited {
                            code: 0,
                            limit: None,
                        },
                        Err(_) => GuestEnd::Stopped,
                    }
                }
                Err(reason) => GuestEnd::Refused { reason },
            };
            drop(running);
            worker.guests.borrow_mut().remove(&message);
            worker.outbox.push(&Notice::Ended {
                message,
                end,
                calls: None,
                usage: GuestUsage {
                    wall_time_us: counted.wall_us(),
                    cpu_time_us: counted.cpu_us(),
                    memory_peak_bytes: budget.peak_bytes(),
                    ..GuestUsage::default()
                },
            });
        };
        self.spawn(Counted::later(Box::pin(task), clock));
    }
}

/// A stream to another process. Its reads and writes are system calls that a worker may make.
struct PartStream(UnixStream);

impl PartStream {
    /// Takes over a socket that does not block.
    fn new(socket: OwnedFd) -> io::Result<Self> {
        UnixStream::from_std(socket.into()).map(Self)
    }
}

impl AsyncRead for PartStream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        to: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            ready!(self.0.poll_read_ready(context))?;
            let read = self.0.try_io(Interest::READABLE, || {
                let read = rustix::io::read(&self.0, to.initialize_unfilled());
                read.map_err(io::Error::from)
            });
            match read {
                Ok(count) => {
                    to.advance(count);
                    return Poll::Ready(Ok(()));
                }
                Err(error) if is_not_now(&error) => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }
}

impl AsyncWrite for PartStream {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        loop {
            ready!(self.0.poll_write_ready(context))?;
            let written = self.0.try_io(Interest::WRITABLE, || {
                // The other end may be gone, which is an error and no signal.
                send(&self.0, bytes, SendFlags::NOSIGNAL).map_err(io::Error::from)
            });
            match written {
                Ok(count) => return Poll::Ready(Ok(count)),
                Err(error) if is_not_now(&error) => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

fn is_not_now(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
    )
}
