//! Runs one guest and collects what came out.

use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use atoll_sandbox_wasm::protocol::GuestLimits;
use atoll_types::calls::{CallAudit, CallRules};
use bytes::Bytes;
use wasmtime::component::Component;
use wasmtime::{Engine, Linker, Module, Store};
use wasmtime_wasi::I32Exit;
use wasmtime_wasi::p2::bindings::CommandPre;

use crate::host::enter::Ended;
use crate::host::files::{FileLimits, Files, Leaving};
use crate::host::preview1::{self, Delays};
use crate::host::streams::{Closed, Input, Output, OutputName, Sink};
use crate::host::{Guest, Hit, Parts, preview2, wall_clock};
use crate::limiter::{Bound, Budget, Limiter};
use crate::program::WAITING_LIMITS;

/// What was written, and how much more is taken.
#[derive(Debug, Default)]
pub(super) struct Written {
    pub(super) output: Vec<u8>,
    pub(super) error: Vec<u8>,
    pub(super) room: usize,
    pub(super) closed: bool,
    wakers: Vec<Waker>,
}

/// A sink that a test looks into.
#[derive(Debug, Clone)]
pub(super) struct Kept(pub(super) Arc<Mutex<Written>>);

impl Kept {
    pub(super) fn with_room(room: usize) -> Self {
        Self(Arc::new(Mutex::new(Written {
            room,
            ..Written::default()
        })))
    }

    pub(super) fn make_room(&self, room: usize) {
        let mut written = self.0.lock().unwrap();
        written.room = room;
        for waker in std::mem::take(&mut written.wakers) {
            waker.wake();
        }
    }
}

impl Sink for Kept {
    fn poll_room(
        &mut self,
        _: OutputName,
        context: &mut Context<'_>,
    ) -> Poll<Result<usize, Closed>> {
        let mut written = self.0.lock().unwrap();
        if written.closed {
            return Poll::Ready(Err(Closed));
        }
        if written.room == 0 {
            written.wakers.push(context.waker().clone());
            return Poll::Pending;
        }
        Poll::Ready(Ok(written.room))
    }

    fn put(&mut self, name: OutputName, bytes: &[u8]) {
        let mut written = self.0.lock().unwrap();
        written.room = written.room.saturating_sub(bytes.len());
        match name {
            OutputName::Output => written.output.extend_from_slice(bytes),
            OutputName::Error => written.error.extend_from_slice(bytes),
        }
    }
}

/// One guest, to be run once.
pub(super) struct Run {
    pub(super) program: Vec<u8>,
    pub(super) arguments: Vec<String>,
    pub(super) environment: Vec<(String, String)>,
    pub(super) inputs: Vec<(Vec<u8>, Bytes)>,
    pub(super) limits: FileLimits,
    pub(super) input: Input,
    pub(super) sink: Kept,
    pub(super) output_bytes_max: u64,
    pub(super) calls_max: u64,
    pub(super) rules: CallRules,
}

/// What came out.
#[derive(Debug)]
pub(super) struct Ran {
    pub(super) result: Result<(), wasmtime::Error>,
    pub(super) output: String,
    pub(super) error: String,
    pub(super) leavings: Vec<Leaving>,
    pub(super) hit: Option<Hit>,
    pub(super) audit: Option<CallAudit>,
}

impl Ran {
    pub(super) fn code(&self) -> i32 {
        match &self.result {
            Ok(()) => 0,
            Err(error) => match error.downcast_ref() {
                Some(I32Exit(code)) => *code,
                None => panic!("{self:?}"),
            },
        }
    }

    pub(super) fn ended(&self) -> Ended {
        let error = self.result.as_ref().unwrap_err();
        let ended = error.downcast_ref::<Ended>();
        ended.cloned().unwrap_or_else(|| panic!("{self:?}"))
    }

    pub(super) fn left(&self, path: &str) -> Option<&[u8]> {
        let found = self
            .leavings
            .iter()
            .find(|left| left.path == path.as_bytes());
        found.map(|left| &*left.bytes)
    }
}

pub(super) fn rules(texts: &[&str]) -> CallRules {
    CallRules {
        rules: texts.iter().map(|text| text.parse().unwrap()).collect(),
        audit: false,
    }
}

impl Run {
    pub(super) fn text(text: &str) -> Self {
        Self::program(wat::parse_str(text).unwrap())
    }

    pub(super) fn program(program: Vec<u8>) -> Self {
        Self {
            program,
            arguments: vec!["test.wasm".to_owned()],
            environment: Vec::new(),
            inputs: Vec::new(),
            limits: FileLimits {
                bytes_max: 64 << 20,
                files_max: 1000,
                open_max: 100,
            },
            input: Input::whole(Bytes::new()),
            sink: Kept::with_room(usize::MAX),
            output_bytes_max: 64 << 20,
            calls_max: 10_000_000,
            rules: CallRules::default(),
        }
    }

    pub(super) fn arguments(mut self, arguments: &[&str]) -> Self {
        self.arguments
            .extend(arguments.iter().map(ToString::to_string));
        self
    }

    pub(super) fn input_file(mut self, name: &str, content: &str) -> Self {
        let content = Bytes::from(content.to_owned());
        self.inputs.push((name.as_bytes().to_vec(), content));
        self
    }

    pub(super) fn stdin(mut self, content: &str) -> Self {
        self.input = Input::whole(Bytes::from(content.to_owned()));
        self
    }

    pub(super) fn rules(mut self, texts: &[&str]) -> Self {
        self.rules = rules(texts);
        self
    }

    pub(super) fn guest(&self) -> Guest {
        let mut files = Files::new(self.limits, wall_clock);
        for (name, content) in &self.inputs {
            files.add(name, content.clone()).unwrap();
        }
        let (output, error) = Output::pair(Box::new(self.sink.clone()), self.output_bytes_max);
        Guest::new(Parts {
            arguments: self.arguments.clone(),
            environment: self.environment.clone(),
            files,
            input: self.input.clone(),
            output,
            error,
            calls_max: self.calls_max,
            rules: &self.rules,
            limiter: limiter(),
        })
    }

    /// Runs a module or a component to its end, with nothing beside it.
    pub(super) fn run(self) -> Ran {
        block_on(self.run_beside(async {}))
    }

    /// Runs it while something else goes on.
    pub(super) async fn run_beside(self, other: impl Future<Output = ()>) -> Ran {
        let engine = Engine::default();
        let mut store = Store::new(&engine, self.guest());
        store.limiter_async(|guest| &mut guest.limiter);
        let is_component = wasmparser_says_component(&self.program);
        let program = async {
            if is_component {
                run_component(&engine, &mut store, &self.program).await
            } else {
                run_module(&engine, &mut store, &self.program, Delays::of(&self.rules)).await
            }
        };
        let (result, ()) = tokio::join!(program, other);
        let guest = store.data_mut();
        let written = self.sink.0.lock().unwrap();
        Ran {
            result,
            output: String::from_utf8_lossy(&written.output).into_owned(),
            error: String::from_utf8_lossy(&written.error).into_owned(),
            leavings: guest.leavings(),
            hit: guest.hit(),
            audit: guest.take_audit(),
        }
    }
}

/// The layer in the first bytes: 1 is a component.
fn wasmparser_says_component(program: &[u8]) -> bool {
    program.get(6) == Some(&1)
}

async fn run_module(
    engine: &Engine,
    store: &mut Store<Guest>,
    program: &[u8],
    delays: Delays,
) -> wasmtime::Result<()> {
    let mut linker = Linker::new(engine);
    preview1::add_to_linker(&mut linker, delays)?;
    let module = Module::new(engine, program)?;
    let instance = linker.instantiate_async(&mut *store, &module).await?;
    let entry = instance.get_typed_func::<(), ()>(&mut *store, "_start")?;
    entry.call_async(store, ()).await
}

async fn run_component(
    engine: &Engine,
    store: &mut Store<Guest>,
    program: &[u8],
) -> wasmtime::Result<()> {
    let mut linker = wasmtime::component::Linker::new(engine);
    preview2::add_to_linker(&mut linker)?;
    let component = Component::new(engine, program)?;
    let command = CommandPre::new(linker.instantiate_pre(&component)?)?;
    let command = command.instantiate_async(&mut *store).await?;
    let answer = command.wasi_cli_run().call_run(store).await?;
    answer.map_err(|()| I32Exit(1).into())
}

/// More memory than any of these programs takes.
fn limiter() -> Limiter {
    let limits = GuestLimits {
        cpu_time_us: u64::MAX,
        wall_time_us: u64::MAX,
        ..WAITING_LIMITS
    };
    let bound = Bound::new(limits.memory_bytes);
    Limiter::new(limits, bound, Budget::new(u64::MAX), None)
}

/// As the worker does: one thread, time, and no threads to block on.
pub(super) fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build();
    runtime.unwrap().block_on(future)
}
