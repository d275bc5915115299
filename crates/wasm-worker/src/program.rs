//! A program that a worker has loaded.
//!
//! Owns the way from compiled code to something that can be instantiated, and the instances of
//! interpreters that wait for messages. What a guest is given is the host's business.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::VecDeque;
use std::os::fd::OwnedFd;
use std::rc::Rc;

use atoll_sandbox_wasm::protocol::{GuestKind, GuestLimits, Notice};
use wasmtime::component::{self, Component};
use wasmtime::{Engine, InstancePre, Linker, Module, Store};
use wasmtime_wasi::p2::bindings::CommandPre;

use crate::code;
use crate::guest::Guest;
use crate::host::preview1::Delays;
use crate::host::{self};
use crate::runtime::describe;
use crate::serve::Worker;

/// The module name of WASI preview 1.
const PREVIEW_1: &str = "wasi_snapshot_preview1";

/// The function that every command exports.
pub(crate) const ENTRY: &str = "_start";

/// The function that every interpreter exports.
pub(crate) const RUN: &str = "run";

/// The function by which an interpreter readies an instance that will wait.
const PREPARE: &str = "prepare";

/// How many imports a refusal lists.
const IMPORTS_LISTED_MAX: usize = 3;

/// What an instance may use before it has a message.
pub(crate) const WAITING_LIMITS: GuestLimits = GuestLimits {
    memory_bytes: 256 << 20,
    table_elements: 4 << 20,
    instances: 256,
    tables: 256,
    memories: 64,
    disk_bytes: 0,
    disk_files: 0,
    open_files: 0,
    output_bytes: 0,
    cpu_time_us: 10_000_000,
    wall_time_us: 60_000_000,
    host_calls: u64::MAX,
    memory_patience_us: 0,
};

/// Instances of one interpreter that wait, at most.
const WAITING_MAX: u32 = 4_000;

/// What programs can be linked with, by what they are.
pub(crate) struct Linkers {
    modules: Linker<Guest>,
    /// Made when the first rule delays a call.
    delaying: OnceCell<Linker<Guest>>,
    pub(crate) commands: component::Linker<Guest>,
    interpreters: component::Linker<Guest>,
}

impl Linkers {
    /// Everything that the host offers.
    pub(crate) fn new([guests, interpreters]: &[Engine; 2]) -> wasmtime::Result<Self> {
        let mut modules = Linker::new(guests);
        host::preview1::add_to_linker(&mut modules, Delays::Never)?;
        let components = |engine| -> wasmtime::Result<_> {
            let mut linker = component::Linker::new(engine);
            host::preview2::add_to_linker(&mut linker)?;
            Ok(linker)
        };
        Ok(Self {
            modules,
            delaying: OnceCell::new(),
            commands: components(guests)?,
            interpreters: components(interpreters)?,
        })
    }

    fn delaying(&self, worker: &Worker) -> Result<&Linker<Guest>, String> {
        if let Some(linker) = self.delaying.get() {
            return Ok(linker);
        }
        let [guests, _] = &worker.engines;
        let mut linker = Linker::new(guests);
        host::preview1::add_to_linker(&mut linker, Delays::Possible)
            .map_err(|error| format!("calls cannot be delayed: {}", describe(&error)))?;
        Ok(self.delaying.get_or_init(|| linker))
    }
}

/// A module that is a command, linked with functions of the host as its message needs them.
pub(crate) struct Command {
    module: Module,
    at_once: InstancePre<Guest>,
    delaying: OnceCell<InstancePre<Guest>>,
}

impl Command {
    fn new(worker: &Worker, module: Module) -> Result<Self, String> {
        let at_once = link_module(&worker.linkers.modules, &module)?;
        Ok(Self {
            module,
            at_once,
            delaying: OnceCell::new(),
        })
    }

    /// The program with functions that can be delayed, or with faster ones.
    ///
    /// # Errors
    /// A sentence for the user.
    pub(crate) fn linked(
        &self,
        worker: &Worker,
        delays: Delays,
    ) -> Result<&InstancePre<Guest>, String> {
        if delays == Delays::Never {
            return Ok(&self.at_once);
        }
        if let Some(linked) = self.delaying.get() {
            return Ok(linked);
        }
        let linker = worker.linkers.delaying(worker)?;
        let linked = link_module(linker, &self.module)?;
        Ok(self.delaying.get_or_init(|| linked))
    }
}

fn link_module(linker: &Linker<Guest>, module: &Module) -> Result<InstancePre<Guest>, String> {
    let linked = linker.instantiate_pre(module);
    linked.map_err(|error| format!("the module cannot be linked: {}", describe(&error)))
}

/// A program that can be instantiated.
pub(crate) enum Program {
    /// A command of WASI preview 1.
    Module(Command),
    /// A `wasi:cli/command`.
    Component(CommandPre<Guest>),
    /// Something that runs programs of another language.
    Interpreter(Interpreter),
    /// Parts that share a store. Messages say what they are linked with.
    Parts(Component),
}

/// An interpreter, and its instances that wait.
pub(crate) struct Interpreter {
    pub(crate) instance: component::InstancePre<Guest>,
    waiting: RefCell<VecDeque<Waiting>>,
    wanted: Cell<u32>,
    /// Whether somebody makes more at the moment.
    is_filled: Cell<bool>,
}

/// An instance that has nothing of any message in it.
pub(crate) struct Waiting {
    pub(crate) store: Store<Guest>,
    pub(crate) instance: component::Instance,
}

impl Program {
    /// Loads compiled code and links it.
    ///
    /// # Errors
    /// A sentence for the user.
    pub(crate) fn load(worker: &Worker, kind: GuestKind, file: OwnedFd) -> Result<Self, String> {
        let [guests, interpreters] = &worker.engines;
        match kind {
            GuestKind::Module => {
                let module = code::module(guests, file).map_err(|e| not_loaded(&e))?;
                check_command(&module)?;
                Command::new(worker, module).map(Self::Module)
            }
            GuestKind::Component => {
                let component = code::component(guests, file).map_err(|e| not_loaded(&e))?;
                command(link(&worker.linkers.commands, &component)?).map(Self::Component)
            }
            GuestKind::Parts => {
                let component = code::component(guests, file).map_err(|e| not_loaded(&e))?;
                Ok(Self::Parts(component))
            }
            GuestKind::Interpreter => {
                let component = code::component(interpreters, file).map_err(|e| not_loaded(&e))?;
                let linked = link(&worker.linkers.interpreters, &component)?;
                Ok(Self::Interpreter(Interpreter {
                    instance: linked,
                    waiting: RefCell::default(),
                    wanted: Cell::new(0),
                    is_filled: Cell::new(false),
                }))
            }
        }
    }

    /// Keeps so many instances waiting from now on.
    pub(crate) fn keep(self: &Rc<Self>, worker: &Rc<Worker>, number: u64, instances: u32) {
        if let Self::Interpreter(interpreter) = &**self {
            interpreter.wanted.set(instances.min(WAITING_MAX));
            self.fill(worker, number);
        }
    }

    /// Makes instances until enough wait, one after the other, when nothing else is to be done.
    pub(crate) fn fill(self: &Rc<Self>, worker: &Rc<Worker>, number: u64) {
        let Self::Interpreter(interpreter) = &**self else {
            return;
        };
        if interpreter.lacks() && !interpreter.is_filled.replace(true) {
            // The supervisor sends the next message elsewhere meanwhile, if it can.
            interpreter.tell(worker, number);
            let (program, worker) = (Rc::clone(self), Rc::clone(worker));
            let tasks = Rc::clone(&worker);
            tasks.spawn(async move {
                let Self::Interpreter(interpreter) = &*program else {
                    return;
                };
                while interpreter.lacks() {
                    // Without a place for one, messages make their own.
                    let Ok(waiting) = interpreter.make(&worker).await else {
                        break;
                    };
                    interpreter.waiting.borrow_mut().push_back(waiting);
                    tokio::task::yield_now().await;
                }
                interpreter.is_filled.set(false);
                interpreter.tell(&worker, number);
            });
        }
    }
}

impl Interpreter {
    fn lacks(&self) -> bool {
        (self.waiting.borrow().len() as u64) < u64::from(self.wanted.get())
    }

    /// Tells the supervisor how many instances wait.
    fn tell(&self, worker: &Worker, number: u64) {
        let waiting = self.waiting.borrow().len();
        worker.outbox.push(&Notice::Waiting {
            program: number,
            instances: u32::try_from(waiting).unwrap_or(u32::MAX),
        });
    }

    /// An instance that waits, if there is one.
    pub(crate) fn take(&self) -> Option<Waiting> {
        self.waiting.borrow_mut().pop_front()
    }

    pub(crate) async fn make(&self, worker: &Worker) -> wasmtime::Result<Waiting> {
        let mut store = worker.blank_store(&WAITING_LIMITS);
        let instance = self.instance.instantiate_async(&mut store).await?;
        if let Ok(prepare) = instance.get_typed_func::<(), ()>(&mut store, PREPARE) {
            prepare.call_async(&mut store, ()).await?;
        }
        Ok(Waiting { store, instance })
    }
}

/// A component that can be run.
pub(crate) fn command(linked: component::InstancePre<Guest>) -> Result<CommandPre<Guest>, String> {
    CommandPre::new(linked).map_err(|error| {
        format!(
            "the component is not a command (wasi:cli/command): {}",
            describe(&error)
        )
    })
}

pub(crate) fn link(
    linker: &component::Linker<Guest>,
    component: &Component,
) -> Result<component::InstancePre<Guest>, String> {
    linker.instantiate_pre(component).map_err(|error| {
        format!(
            "the component needs something that nothing provides here: {}",
            describe(&error)
        )
    })
}

fn not_loaded(error: &wasmtime::Error) -> String {
    format!("the compiled program cannot be loaded: {}", describe(error))
}

fn check_command(module: &Module) -> Result<(), String> {
    let foreign: Vec<String> = module
        .imports()
        .filter(|import| import.module() != PREVIEW_1)
        .map(|import| format!("{}.{}", import.module(), import.name()))
        .collect();
    if !foreign.is_empty() {
        return Err(format!(
            "the program imports {}, which nothing provides here; build it as a WASI preview 1 \
             command (target wasm32-wasip1)",
            list(&foreign)
        ));
    }
    let Some(entry) = module.get_export(ENTRY) else {
        return Err(format!(
            "the program is not a command: it exports no function {ENTRY}; build it with a main \
             function, not as a library"
        ));
    };
    let is_entry = entry
        .func()
        .is_some_and(|function| function.params().len() == 0 && function.results().len() == 0);
    if is_entry {
        Ok(())
    } else {
        Err(format!(
            "the program is not a command: {ENTRY} is not a function without parameters and results"
        ))
    }
}

fn list(names: &[String]) -> String {
    let shown: Vec<&str> = names
        .iter()
        .take(IMPORTS_LISTED_MAX)
        .map(String::as_str)
        .collect();
    let more = names.len().saturating_sub(shown.len());
    let shown = shown.join(", ");
    if more == 0 {
        shown
    } else {
        format!("{shown} and {more} more")
    }
}
