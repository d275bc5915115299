//! Sets up the WebAssembly runtime, for compilers and workers alike.
//!
//! Owns the choice of compiler, features and memory layout. What changes the code that is compiled
//! is the same in both, or a worker could not load what a compiler made; a worker checks that
//! again whenever it loads something.

use std::sync::Arc;

use atoll_sandbox_wasm::protocol::Settings;
use wasmtime::{
    Config, Engine, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig, Strategy,
    WasmBacktraceDetails,
};

use crate::code::Executable;

/// The stack of WebAssembly programs, in bytes. Deeper recursion traps.
const GUEST_STACK_BYTES: usize = 1 << 20;

/// The stack of interpreters, in bytes: they count only their own stack in linear memory, and
/// recursion without end must become an exception of their language before it becomes a trap.
const INTERPRETER_STACK_BYTES: usize = 32 << 20;

/// Stack that host functions need below the guest's own, in bytes.
const HOST_STACK_BYTES: usize = 1 << 20;

/// Core instances, memories and tables that one component can have. Most of all has a program whose
/// parts share a store: 64 of them, with a few instances each.
const PARTS_OF_COMPONENT_MAX: u32 = 512;

/// Linear memories that one component can have: one for each part, and some more.
const MEMORIES_OF_COMPONENT_MAX: u32 = 128;

/// Tables and memories of one core module.
const PARTS_OF_MODULE_MAX: u32 = 16;

/// Elements of one table.
const TABLE_ELEMENTS_MAX: usize = 1 << 20;

/// The runtime's own data about one instance or component, in bytes.
const INSTANCE_BYTES_MAX: usize = 4 << 20;

/// Linear memory, tables and stacks that stay in place when their guest is gone, in bytes: clearing
/// them costs less than giving the pages back and faulting them in again. Interpreters touch pages
/// here and there in a large memory, and what would be cleared is mostly not what is touched next.
const MEMORY_KEPT_BYTES: usize = 256 << 10;
const INTERPRETER_MEMORY_KEPT_BYTES: usize = 0;
const TABLE_KEPT_BYTES: usize = 16 << 10;
const STACK_KEPT_BYTES: usize = 16 << 10;

/// The runtime that compiles.
pub(crate) fn compiling() -> wasmtime::Result<Engine> {
    let mut config = code_settings();
    config
        .strategy(Strategy::Cranelift)
        .cranelift_opt_level(OptLevel::Speed)
        // One thread compiles: the jail counts processes, and the filter of system calls has no
        // way to start threads.
        .parallel_compilation(false);
    Engine::new(&config)
}

/// The runtime that runs modules and commands: at most so many at one time.
pub(crate) fn guests(settings: &Settings) -> wasmtime::Result<Engine> {
    running(settings, GUEST_STACK_BYTES, MEMORY_KEPT_BYTES)
}

/// The runtime that runs interpreters.
pub(crate) fn interpreters(settings: &Settings) -> wasmtime::Result<Engine> {
    let kept = INTERPRETER_MEMORY_KEPT_BYTES;
    running(settings, INTERPRETER_STACK_BYTES, kept)
}

fn running(settings: &Settings, stack_bytes: usize, kept_bytes: usize) -> wasmtime::Result<Engine> {
    let strategy = if settings.reserves {
        InstanceAllocationStrategy::Pooling(pool(settings.guests_max, kept_bytes))
    } else {
        InstanceAllocationStrategy::OnDemand
    };
    let mut config = code_settings();
    config
        .max_wasm_stack(stack_bytes)
        .async_stack_size(stack_bytes.saturating_add(HOST_STACK_BYTES))
        .async_stack_zeroing(true)
        .enable_compiler(false)
        .with_custom_code_memory(Some(Arc::new(Executable)))
        .allocation_strategy(strategy);
    Engine::new(&config)
}

/// Places for so many guests.
fn pool(guests_max: u32, kept_bytes: usize) -> PoolingAllocationConfig {
    // A component has several of each; many have one.
    let parts = guests_max.saturating_mul(4).max(PARTS_OF_COMPONENT_MAX);
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(guests_max)
        .total_core_instances(parts.saturating_mul(4))
        .total_memories(guests_max.saturating_add(MEMORIES_OF_COMPONENT_MAX))
        .total_tables(parts)
        .total_stacks(guests_max)
        .total_gc_heaps(guests_max)
        .max_core_instances_per_component(PARTS_OF_COMPONENT_MAX)
        .max_memories_per_component(MEMORIES_OF_COMPONENT_MAX)
        .max_tables_per_component(PARTS_OF_COMPONENT_MAX)
        .max_tables_per_module(PARTS_OF_MODULE_MAX)
        .max_memories_per_module(PARTS_OF_MODULE_MAX)
        .table_elements(TABLE_ELEMENTS_MAX)
        .max_core_instance_size(INSTANCE_BYTES_MAX)
        .max_component_instance_size(INSTANCE_BYTES_MAX)
        .linear_memory_keep_resident(kept_bytes)
        .table_keep_resident(TABLE_KEPT_BYTES)
        .async_stack_keep_resident(STACK_KEPT_BYTES);
    pool
}

/// What compiled code depends on.
fn code_settings() -> Config {
    let mut config = Config::new();
    config
        .epoch_interruption(true)
        .memory_init_cow(true)
        // Only debuggers unwind through native frames; backtraces use frame pointers.
        .native_unwind_info(false)
        // Line numbers would mean parsing the program's debug information here.
        .wasm_backtrace_details(WasmBacktraceDetails::Disable)
        // Memories that several threads share are outside of what a limiter sees.
        .wasm_threads(false);
    config
}

/// An error with its causes in one line, for a reason that a person reads.
pub(crate) fn describe(error: &wasmtime::Error) -> String {
    let parts: Vec<String> = error.chain().map(ToString::to_string).collect();
    let mut text = parts.join(": ");
    if let Some(end) = text.find("\nwasm backtrace:") {
        text.truncate(end);
    }
    // Some of the runtime's errors have several lines of their own.
    text.replace('\n', "; ")
}

#[cfg(test)]
pub(crate) mod tests {
    use std::fs::File;
    use std::io::Write;
    use std::os::fd::OwnedFd;

    use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};

    use super::*;

    const SETTINGS: Settings = Settings {
        guests_max: 4,
        memory_bytes: 1 << 30,
        reserves: true,
    };

    #[test]
    fn errors_are_one_line_and_leave_the_backtrace_out() {
        let error = wasmtime::Error::msg("inner\nwasm backtrace:\n  0: main").context("outer");
        assert_eq!(describe(&error), "outer: inner");
        let error = wasmtime::Error::msg("one\ntwo");
        assert_eq!(describe(&error), "one; two");
    }

    #[test]
    fn what_is_compiled_can_be_loaded_by_both_kinds_of_worker() {
        let code = compiling()
            .unwrap()
            .precompile_module(b"(module (func (export \"_start\")))")
            .unwrap();
        for engine in [guests(&SETTINGS).unwrap(), interpreters(&SETTINGS).unwrap()] {
            crate::code::module(&engine, sealed(&code)).unwrap();
        }
        let open = memfd_create("code", MemfdFlags::ALLOW_SEALING).unwrap();
        assert!(crate::code::module(&guests(&SETTINGS).unwrap(), open).is_err());
    }

    /// Code as a supervisor hands it over.
    pub(crate) fn sealed(code: &[u8]) -> OwnedFd {
        let mut file = File::from(memfd_create("code", MemfdFlags::ALLOW_SEALING).unwrap());
        file.write_all(code).unwrap();
        let seals = SealFlags::SEAL | SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE;
        fcntl_add_seals(&file, seals).unwrap();
        file.into()
    }
}
