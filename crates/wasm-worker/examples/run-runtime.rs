//! Runs a program in a language runtime, and measures it; for the scripts in `runtimes/`.
//!
//!     run-runtime COMPONENT PROGRAM ARGUMENTS...
//!
//! The working directory is the guest's. Nothing is jailed here: only for programs one trusts. The
//! compiled component is kept beside it. With `MEASURE=N` the program runs N times, and its output
//! is followed by what that took.

use std::error::Error;
use std::path::Path;
use std::time::{Duration, Instant};

use wasmtime::component::{Component, InstancePre, Linker, ResourceTable};
use wasmtime::{Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Store};
use wasmtime_wasi::{FsPerms, I32Exit, WasiCtx, WasiCtxView, WasiView};

/// What a language runtime and its tables and instances take, with room.
const POOL_MEMORY_BYTES: usize = 256 << 20;

/// CPython and QuickJS count on a stack like a native one; less, and recursion that they would
/// refuse with an exception is a trap.
const STACK_MIB: usize = 32;

struct Guest {
    wasi: WasiCtx,
    table: ResourceTable,
    memory: Memory,
}

/// Linear memory, all together, in bytes.
#[derive(Default)]
struct Memory(usize);

impl wasmtime::ResourceLimiter for Memory {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _: Option<usize>,
    ) -> wasmtime::Result<bool> {
        self.0 = self.0.saturating_add(desired.saturating_sub(current));
        Ok(true)
    }

    fn table_growing(&mut self, _: usize, _: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        Ok(true)
    }
}

impl WasiView for Guest {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

type Run = (Vec<u8>, String, Vec<String>);

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let component = arguments.next().ok_or("which component?")?;
    let name = arguments.next().ok_or("which program?")?;
    let arguments: Vec<String> = arguments.collect();
    let engine = engine()?;
    let (component, compile) = compiled(&engine, Path::new(&component))?;
    let mut linker = Linker::<Guest>::new(&engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    let prepared = linker.instantiate_pre(&component)?;
    let program = std::fs::read(&name)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()?;
    let times: usize = std::env::var("MEASURE").map_or(Ok(0), |times| times.parse())?;
    let mut code = 0;
    let mut measured = Vec::new();
    for _ in 0..times.max(1) {
        let run = (program.clone(), name.clone(), arguments.clone());
        let (ended, took) = runtime.block_on(once(&engine, &prepared, run))?;
        code = ended;
        measured.push(took);
    }
    if times > 0 {
        report(compile, measured);
    }
    std::process::exit(code);
}

fn engine() -> wasmtime::Result<Engine> {
    let mut pool = PoolingAllocationConfig::default();
    pool.total_component_instances(4)
        .total_core_instances(400)
        .total_memories(8)
        .total_tables(100)
        .max_core_instances_per_component(100)
        .max_memories_per_component(4)
        .max_tables_per_component(20)
        .max_core_instance_size(4 << 20)
        .max_component_instance_size(4 << 20)
        .max_memory_size(POOL_MEMORY_BYTES)
        .table_elements(60_000)
        .linear_memory_keep_resident(16 << 20)
        .table_keep_resident(1 << 20);
    let mut config = Config::new();
    let stack = std::env::var("STACK_MIB").map_or(Ok(STACK_MIB), |mib| mib.parse::<usize>());
    let stack = stack.unwrap_or(STACK_MIB) << 20;
    config
        .epoch_interruption(true)
        .max_wasm_stack(stack)
        .async_stack_size(stack + (1 << 20));
    if std::env::var_os("ON_DEMAND").is_none() {
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    }
    Engine::new(&config)
}

/// The component, and how long it took to have it.
#[allow(
    unsafe_code,
    reason = "compiled code is loaded from the file that this program wrote"
)]
fn compiled(engine: &Engine, path: &Path) -> Result<(Component, Duration), Box<dyn Error>> {
    let kept = path.with_extension("cwasm");
    let began = Instant::now();
    let newer = |file: &Path| std::fs::metadata(file).and_then(|data| data.modified());
    if newer(&kept).is_ok_and(|kept| newer(path).is_ok_and(|source| kept > source)) {
        // SAFETY: the file was written below by `serialize`, in a directory of the developer's.
        if let Ok(component) = unsafe { Component::deserialize_file(engine, &kept) } {
            return Ok((component, began.elapsed()));
        }
    }
    let component = Component::from_file(engine, path)?;
    std::fs::write(&kept, component.serialize()?)?;
    Ok((component, began.elapsed()))
}

struct Took {
    instantiate: Duration,
    run: Duration,
    drop: Duration,
    memory: usize,
}

async fn once(
    engine: &Engine,
    prepared: &InstancePre<Guest>,
    run: Run,
) -> wasmtime::Result<(i32, Took)> {
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
    let began = Instant::now();
    let guest = Guest {
        wasi: wasi.build(),
        table: ResourceTable::new(),
        memory: Memory::default(),
    };
    let mut store = Store::new(engine, guest);
    store.limiter(|guest| &mut guest.memory);
    store.set_epoch_deadline(u64::MAX / 2);
    let instance = prepared.instantiate_async(&mut store).await?;
    let entry = instance.get_typed_func::<Run, (u8,)>(&mut store, "run")?;
    let instantiate = began.elapsed();
    let began = Instant::now();
    let code = match entry.call_async(&mut store, run).await {
        Ok((code,)) => code.into(),
        Err(error) => match error.downcast_ref::<I32Exit>() {
            Some(exit) => exit.0,
            None => return Err(error),
        },
    };
    let run = began.elapsed();
    let memory = store.data().memory.0;
    let began = Instant::now();
    drop(store);
    let drop = began.elapsed();
    Ok((
        code,
        Took {
            instantiate,
            run,
            drop,
            memory,
        },
    ))
}

fn report(compile: Duration, measured: Vec<Took>) {
    let line = |name: &str, mut times: Vec<Duration>| {
        let first = times.first().copied().unwrap_or_default();
        times.sort();
        let middle = times.get(times.len() / 2).copied().unwrap_or_default();
        let least = times.first().copied().unwrap_or_default();
        say(&format!(
            "{name}: first {first:?}, middle {middle:?}, least {least:?}"
        ));
    };
    say(&format!("component: {compile:?}"));
    line(
        "instantiate",
        measured.iter().map(|t| t.instantiate).collect(),
    );
    line("run", measured.iter().map(|t| t.run).collect());
    line("drop", measured.iter().map(|t| t.drop).collect());
    let memory = measured.iter().map(|took| took.memory).max();
    say(&format!(
        "linear memory: {} KiB",
        memory.unwrap_or_default() >> 10
    ));
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    for name in ["VmHWM", "RssAnon", "RssFile"] {
        if let Some(found) = status.lines().find(|line| line.starts_with(name)) {
            say(found);
        }
    }
}

#[allow(clippy::print_stderr, reason = "a tool for developers")]
fn say(text: &str) {
    eprintln!("{text}");
}
