//! Runs a core module: a WASI preview 1 command.
//!
//! Owns what a command is (it exports `_start` and imports nothing but preview 1), and the way
//! from its bytes to its end.

use atoll_sandbox_wasm::protocol::GuestLimits;
use wasmtime::{Engine, InstancePre, Linker, Module, Store};
use wasmtime_wasi::p1::{self, WasiP1Ctx};
use wasmtime_wasi::{I32Exit, WasiCtxBuilder};

use crate::end::End;
use crate::limiter::Limiter;
use crate::runtime::describe;

/// The module name of WASI preview 1.
const PREVIEW_1: &str = "wasi_snapshot_preview1";

/// The function that every command exports.
const ENTRY: &str = "_start";

/// How many imports a refusal lists.
const IMPORTS_LISTED_MAX: usize = 3;

struct Guest {
    wasi: WasiP1Ctx,
    limiter: Limiter,
}

/// Compiles the program, calls `started`, and runs it to its end.
///
/// # Errors
/// When the worker itself fails; everything that is the program's doing is an [`End`].
pub(crate) async fn run(
    engine: &Engine,
    program: &[u8],
    mut wasi: WasiCtxBuilder,
    limits: &GuestLimits,
    started: impl FnOnce() -> std::io::Result<()>,
) -> wasmtime::Result<End> {
    let module = match Module::from_binary(engine, program) {
        Ok(module) => module,
        Err(error) => return Ok(refused("is not valid", &error)),
    };
    if let Err(reason) = check_command(&module) {
        return Ok(End::Refused(reason));
    }
    let instance = match link(engine, &module) {
        Ok(instance) => instance,
        Err(error) => return Ok(refused("cannot be linked", &error)),
    };
    let guest = Guest {
        wasi: wasi.build_p1(),
        limiter: Limiter::new(*limits),
    };
    let mut store = Store::new(engine, guest);
    store.limiter(|guest| &mut guest.limiter);
    store.set_epoch_deadline(1);
    started()?;
    let result = call(&mut store, &instance).await;
    Ok(End::of_call(result, &store.data().limiter))
}

async fn call(store: &mut Store<Guest>, instance: &InstancePre<Guest>) -> wasmtime::Result<()> {
    let instance = instance.instantiate_async(&mut *store).await?;
    let entry = instance.get_typed_func::<(), ()>(&mut *store, ENTRY)?;
    entry.call_async(store, ()).await
}

fn link(engine: &Engine, module: &Module) -> wasmtime::Result<InstancePre<Guest>> {
    let mut linker = Linker::new(engine);
    p1::add_to_linker_async(&mut linker, |guest: &mut Guest| &mut guest.wasi)?;
    // Preview 1 leaves exit codes above 125 to the host. Native programs may use all of them, so
    // the same program compiled to WebAssembly may as well.
    linker.allow_shadowing(true);
    linker.func_wrap(
        PREVIEW_1,
        "proc_exit",
        |code: i32| -> wasmtime::Result<()> { Err(I32Exit(code).into()) },
    )?;
    linker.instantiate_pre(module)
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

fn refused(what: &str, error: &wasmtime::Error) -> End {
    End::Refused(format!("the module {what}: {}", describe(error)))
}
