//! What the examples that run language runtimes share: the engine and the compiled component.

use std::error::Error;
use std::path::Path;
use std::time::{Duration, Instant};

use wasmtime::component::{Component, ResourceTable};
use wasmtime::{Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

/// What a language runtime and its tables and instances take, with room.
const POOL_MEMORY_BYTES: usize = 256 << 20;

/// CPython and QuickJS count on a stack like a native one; less, and recursion that they would
/// refuse with an exception is a trap.
const STACK_MIB: usize = 32;

/// What a store of one instance holds.
pub(crate) struct Guest {
    pub(crate) wasi: WasiCtx,
    pub(crate) table: ResourceTable,
    pub(crate) memory: Memory,
}

/// Linear memory, all together, in bytes.
#[derive(Default)]
pub(crate) struct Memory(pub(crate) usize);

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

/// An engine with room for `instances` at once, which keeps up to `keep_bytes` of the memory of one
/// that ended for the next. `STACK_MIB` and `ON_DEMAND` in the environment change it.
pub(crate) fn engine(instances: u32, keep_bytes: usize) -> wasmtime::Result<Engine> {
    let mut pool = PoolingAllocationConfig::default();
    pool.total_component_instances(instances)
        .total_core_instances(instances.saturating_mul(100))
        .total_memories(instances.saturating_mul(2))
        .total_tables(instances.saturating_mul(20))
        .total_stacks(instances)
        .max_core_instances_per_component(100)
        .max_memories_per_component(4)
        .max_tables_per_component(20)
        .max_core_instance_size(4 << 20)
        .max_component_instance_size(4 << 20)
        .max_memory_size(POOL_MEMORY_BYTES)
        .table_elements(60_000)
        .linear_memory_keep_resident(keep_bytes)
        .table_keep_resident(keep_bytes.min(1 << 20));
    let stack = std::env::var("STACK_MIB").map_or(Ok(STACK_MIB), |mib| mib.parse::<usize>());
    let stack = stack.unwrap_or(STACK_MIB) << 20;
    let mut config = Config::new();
    config
        .memory_init_cow(true)
        .epoch_interruption(true)
        .max_wasm_stack(stack)
        .async_stack_size(stack + (1 << 20));
    if std::env::var_os("ON_DEMAND").is_none() {
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    }
    Engine::new(&config)
}

/// The component, and how long it took to have it. Compiled code is kept beside it.
#[allow(
    unsafe_code,
    reason = "compiled code is loaded from the file that this program wrote"
)]
pub(crate) fn compiled(
    engine: &Engine,
    path: &Path,
) -> Result<(Component, Duration), Box<dyn Error>> {
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
    // Others may be reading the file: they see the old one or the new one.
    let written = kept.with_extension(format!("{}.new", std::process::id()));
    std::fs::write(&written, component.serialize()?)?;
    std::fs::rename(&written, &kept)?;
    Ok((component, began.elapsed()))
}
