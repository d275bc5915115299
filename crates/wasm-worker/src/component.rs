//! Runs a component: a `wasi:cli/command`.
//!
//! Owns the way from a component's bytes to its end, as `module` does for core modules.

use atoll_sandbox_wasm::protocol::GuestLimits;
use wasmtime::component::{Component, Linker, ResourceTable};
use wasmtime::{Engine, Store};
use wasmtime_wasi::p2::{self, bindings::CommandPre};
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};

use crate::end::End;
use crate::limiter::Limiter;
use crate::runtime::describe;

struct Guest {
    wasi: WasiCtx,
    table: ResourceTable,
    limiter: Limiter,
}

impl WasiView for Guest {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
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
    let component = match Component::from_binary(engine, program) {
        Ok(component) => component,
        Err(error) => return Ok(refused("is not valid", &error)),
    };
    let mut linker = Linker::new(engine);
    p2::add_to_linker_async(&mut linker)?;
    let instance = match linker.instantiate_pre(&component) {
        Ok(instance) => instance,
        Err(error) => {
            return Ok(refused(
                "needs something that nothing provides here",
                &error,
            ));
        }
    };
    let command = match CommandPre::new(instance) {
        Ok(command) => command,
        Err(error) => {
            return Ok(refused("is not a command (wasi:cli/command)", &error));
        }
    };
    let guest = Guest {
        wasi: wasi.build(),
        table: ResourceTable::new(),
        limiter: Limiter::new(*limits),
    };
    let mut store = Store::new(engine, guest);
    store.limiter(|guest| &mut guest.limiter);
    store.set_epoch_deadline(1);
    started()?;
    let result = call(&mut store, &command).await;
    let limiter = &store.data().limiter;
    Ok(match result {
        Ok(Ok(())) => End::exited(0, limiter),
        // `run` has only one way to say that something went wrong.
        Ok(Err(())) => End::exited(1, limiter),
        Err(error) => End::of_error(&error, limiter),
    })
}

async fn call(
    store: &mut Store<Guest>,
    command: &CommandPre<Guest>,
) -> wasmtime::Result<Result<(), ()>> {
    let command = command.instantiate_async(&mut *store).await?;
    command.wasi_cli_run().call_run(store).await
}

fn refused(what: &str, error: &wasmtime::Error) -> End {
    End::Refused(format!("the component {what}: {}", describe(error)))
}
