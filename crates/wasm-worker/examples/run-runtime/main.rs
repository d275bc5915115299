//! Runs a program in a language runtime; for the scripts in `runtimes/`.
//!
//!     run-runtime COMPONENT PROGRAM ARGUMENTS...
//!
//! The working directory is the guest's. Nothing is jailed here: only for programs one trusts. The
//! compiled component is kept beside it. The instance is prepared before it gets its streams and
//! files, as one that waits is, unless `UNPREPARED` is set.

use std::error::Error;
use std::path::Path;

use wasmtime::Store;
use wasmtime::component::{Linker, ResourceTable};
use wasmtime_wasi::{FsPerms, I32Exit, WasiCtx};

mod common;

use common::{Guest, Memory};

type Run = (Vec<u8>, String, Vec<String>);

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let component = arguments.next().ok_or("which component?")?;
    let name = arguments.next().ok_or("which program?")?;
    let arguments: Vec<String> = arguments.collect();
    let program = std::fs::read(&name)?;
    let code = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()?
        .block_on(run(Path::new(&component), (program, name, arguments)))?;
    std::process::exit(code);
}

async fn run(component: &Path, run: Run) -> Result<i32, Box<dyn Error>> {
    let engine = common::engine(1, 0)?;
    let (component, _) = common::compiled(&engine, component)?;
    let mut linker = Linker::<Guest>::new(&engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    let guest = Guest {
        wasi: WasiCtx::builder().build(),
        table: ResourceTable::new(),
        memory: Memory::default(),
    };
    let mut store = Store::new(&engine, guest);
    store.limiter(|guest| &mut guest.memory);
    store.set_epoch_deadline(u64::MAX / 2);
    let instance = linker.instantiate_async(&mut store, &component).await?;
    if std::env::var_os("UNPREPARED").is_none() {
        let prepare = instance.get_typed_func::<(), ()>(&mut store, "prepare")?;
        prepare.call_async(&mut store, ()).await?;
    }
    store.data_mut().wasi = streams_and_files()?;
    let entry = instance.get_typed_func::<Run, (u8,)>(&mut store, "run")?;
    match entry.call_async(&mut store, run).await {
        Ok((code,)) => Ok(code.into()),
        Err(error) => match error.downcast_ref::<I32Exit>() {
            Some(exit) => Ok(exit.0),
            None => Err(error.into()),
        },
    }
}

fn streams_and_files() -> wasmtime::Result<WasiCtx> {
    let mut wasi = WasiCtx::builder();
    wasi.inherit_stdio().allow_blocking_current_thread(true);
    for name in ["LANG", "HOME", "TZ", "GREETING"] {
        if let Ok(value) = std::env::var(name) {
            wasi.env(name, &value);
        }
    }
    for name in ["/", "/work", "."] {
        wasi.preopened_dir(".", name, FsPerms::ReadWrite)?;
    }
    Ok(wasi.build())
}
