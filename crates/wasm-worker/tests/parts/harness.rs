//! An application and the part it calls: linked, in another store, or in another process.

use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use atoll_wasm_worker::parts::{
    AfterTrap, BlockingStream, Channel, Exported, Joint, Local, Piece, Remote, Served, Terms,
    Ticker, compose, link_remote, serve,
};
use wasmtime::component::{Component, Instance, InstancePre, Linker, Val};
use wasmtime::{Config, Engine, Store};

pub(crate) const CALC: &str = include_str!("calc.wat");
pub(crate) const APP: &str = include_str!("app.wat");

/// As the application imports it, and as the part exports it.
pub(crate) const IMPORT: &str = "acme:tools/calc@1.0.0";
pub(crate) const EXPORT: &str = "acme:tools/calc@1.1.0";

const RUN: &str = "acme:app/run";

/// Long enough for a busy machine, short enough to wait for.
pub(crate) const DEADLINE: Duration = Duration::from_millis(500);

pub(crate) const TERMS: Terms = Terms {
    deadline: DEADLINE,
    after_trap: AfterTrap::Restart { times_max: 100 },
};

/// An engine whose guests give way every millisecond.
pub(crate) struct Runtime {
    pub(crate) engine: Engine,
    ticker: Arc<Ticker>,
}

impl Runtime {
    pub(crate) fn new() -> Self {
        let mut config = Config::new();
        config.epoch_interruption(true);
        let engine = Engine::new(&config).unwrap();
        let ticker = Ticker::start(&engine, Duration::from_millis(1)).unwrap();
        Self {
            engine,
            ticker: Arc::new(ticker),
        }
    }

    pub(crate) fn component(&self, text: &str) -> Component {
        Component::new(&self.engine, text).unwrap()
    }

    pub(crate) fn part(&self, text: &str) -> InstancePre<()> {
        let linker = Linker::new(&self.engine);
        linker.instantiate_pre(&self.component(text)).unwrap()
    }

    pub(crate) fn served(&self, text: &str, terms: Terms) -> Served<()> {
        let engine = self.engine.clone();
        Served::new(self.part(text), terms, move || {
            let mut store = Store::new(&engine, ());
            store.epoch_deadline_async_yield_and_update(1);
            store
        })
    }

    /// The application with the part in the same store.
    pub(crate) async fn linked(&self) -> App {
        let whole = composed();
        let component = Component::from_binary(&self.engine, &whole).unwrap();
        self.start(&component, &Linker::new(&self.engine)).await
    }

    /// The application with the part behind `remote`.
    pub(crate) async fn remote(&self, remote: Arc<dyn Remote>) -> App {
        let component = self.component(APP);
        let mut linker = Linker::new(&self.engine);
        link_remote(
            &mut linker,
            &self.engine,
            &component,
            IMPORT,
            EXPORT,
            &remote,
        )
        .unwrap();
        self.start(&component, &linker).await
    }

    pub(crate) async fn other_store(&self, terms: Terms) -> App {
        self.remote(Arc::new(Local::new(self.served(CALC, terms))))
            .await
    }

    pub(crate) async fn start(&self, component: &Component, linker: &Linker<()>) -> App {
        let mut store = Store::new(&self.engine, ());
        store.epoch_deadline_async_yield_and_update(1);
        let instance = linker
            .instantiate_async(&mut store, component)
            .await
            .unwrap();
        App {
            store,
            instance,
            _ticker: Arc::clone(&self.ticker),
        }
    }
}

/// The application and the part as one component.
pub(crate) fn composed() -> Vec<u8> {
    let (calc, app) = (wat::parse_str(CALC).unwrap(), wat::parse_str(APP).unwrap());
    let pieces = [("calc", &calc), ("app", &app)].map(|(name, bytes)| Piece { name, bytes });
    let joints = [Joint {
        importer: 1,
        import: IMPORT,
        provider: 0,
        export: EXPORT,
    }];
    let exports = [Exported {
        piece: 1,
        name: RUN,
    }];
    compose(&pieces, &joints, &exports).unwrap()
}

/// An application that runs.
pub(crate) struct App {
    pub(crate) store: Store<()>,
    pub(crate) instance: Instance,
    /// Loops are only noticed while it ticks.
    _ticker: Arc<Ticker>,
}

impl App {
    pub(crate) async fn call(
        &mut self,
        function: &str,
        arguments: &[Val],
    ) -> wasmtime::Result<Val> {
        self.call_of(RUN, function, arguments).await
    }

    pub(crate) async fn call_of(
        &mut self,
        interface: &str,
        function: &str,
        arguments: &[Val],
    ) -> wasmtime::Result<Val> {
        let store = &mut self.store;
        let instance = self.instance.get_export_index(&mut *store, None, interface);
        let instance = instance.unwrap();
        let found = self
            .instance
            .get_export_index(&mut *store, Some(&instance), function);
        let found = self.instance.get_func(&mut *store, found.unwrap()).unwrap();
        let mut results = [Val::Bool(false)];
        found.call_async(store, arguments, &mut results).await?;
        let [result] = results;
        Ok(result)
    }

    pub(crate) async fn number(&mut self, function: &str, argument: u32) -> u32 {
        match self.call(function, &[Val::U32(argument)]).await.unwrap() {
            Val::U32(number) => number,
            other => panic!("{other:?}"),
        }
    }

    /// What `check` returns: the text of the error.
    pub(crate) async fn error(&mut self, argument: u32) -> String {
        match self.call("check", &[Val::U32(argument)]).await.unwrap() {
            Val::Result(Err(Some(text))) => match *text {
                Val::String(text) => text,
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        }
    }

    /// Fails unless the application and its part work.
    pub(crate) async fn assert_works(&mut self) {
        let sum = self
            .call("add", &[Val::U32(2), Val::U32(40)])
            .await
            .unwrap();
        assert_eq!(sum, Val::U32(42));
        let text = Val::String("héllo".to_owned());
        let echo = self
            .call("echo", std::slice::from_ref(&text))
            .await
            .unwrap();
        assert_eq!(echo, text);
    }
}

/// What tells a process that it is the other side.
const ROLE: &str = "ATOLL_TEST_PART";

/// A process that serves the part.
pub(crate) struct Process {
    pub(crate) child: Child,
}

impl Process {
    /// Runs this program again with `arguments`, which lead it to [`serve_if_asked`]; gives the
    /// socket to it.
    pub(crate) fn start(arguments: &[&str]) -> (Self, UnixStream) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let child = Command::new(std::env::current_exe().unwrap())
            .args(arguments)
            .env(ROLE, "serve")
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        (Self { child }, ours)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A channel whose process has longer than its part.
pub(crate) fn channel(socket: UnixStream) -> Channel<tokio::net::UnixStream> {
    socket.set_nonblocking(true).unwrap();
    let stream = tokio::net::UnixStream::from_std(socket).unwrap();
    Channel::new(stream, DEADLINE * 4)
}

pub(crate) fn blocking_channel(socket: UnixStream) -> Channel<BlockingStream> {
    let stream = BlockingStream::new(socket, Some(DEADLINE * 4)).unwrap();
    Channel::new(stream, DEADLINE * 4)
}

pub(crate) fn executor() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

/// In a process that was started to be the other side, serves the part and does not come back.
pub(crate) fn serve_if_asked() {
    if std::env::var_os(ROLE).is_none() {
        return;
    }
    let socket = std::io::stdin().as_fd().try_clone_to_owned().unwrap();
    let mut stream = BlockingStream::new(UnixStream::from(socket), None).unwrap();
    let runtime = Runtime::new();
    let part = Local::new(runtime.served(CALC, TERMS));
    let served = executor().block_on(serve(&mut stream, &part));
    std::process::exit(i32::from(served.is_err()));
}
