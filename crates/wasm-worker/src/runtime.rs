//! Sets up the WebAssembly runtime for one program.
//!
//! Owns the choice of compiler, features and memory layout. Each choice is for a process that runs
//! one program once and is then thrown away.

use std::io;
use std::time::Duration;

use atoll_sandbox_wasm::protocol::{GuestKind, GuestLimits};
use wasmtime::{Config, Engine, OptLevel, Strategy, WasmBacktraceDetails};

/// Stack that host functions need below the guest's own, in bytes.
const HOST_STACK_BYTES: usize = 1 << 20;

/// Longer than any program runs: the thread could not be started again.
const READER_KEEP_ALIVE: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// The thread calls `pread` and `pwrite`.
const READER_STACK_BYTES: usize = 256 << 10;

/// Makes the runtime.
pub(crate) fn engine(limits: &GuestLimits) -> wasmtime::Result<Engine> {
    let stack_bytes = limits.stack_bytes as usize;
    let mut config = Config::new();
    config
        .strategy(Strategy::Cranelift)
        .cranelift_opt_level(OptLevel::Speed)
        // One thread compiles: the jail counts processes, and the worker's filter of system calls
        // has no way to start threads.
        .parallel_compilation(false)
        // A copy-on-write image of the initial memory pays off from the second instance on.
        .memory_init_cow(false)
        // Only debuggers unwind through native frames; backtraces use frame pointers.
        .native_unwind_info(false)
        // Line numbers would mean parsing the program's debug information here.
        .wasm_backtrace_details(WasmBacktraceDetails::Disable)
        // Memories that several threads share are outside of what a limiter sees.
        .wasm_threads(false)
        .max_wasm_stack(stack_bytes)
        .async_stack_size(stack_bytes.saturating_add(HOST_STACK_BYTES))
        .epoch_interruption(limits.run_time_ms != 0);
    Engine::new(&config)
}

/// The executor of host functions that wait: timers, and for a component one thread that reads
/// files ahead, since its streams may be asked without waiting. The thread is started here, before
/// the worker gives up starting threads, and stays.
pub(crate) fn executor(kind: GuestKind) -> io::Result<tokio::runtime::Runtime> {
    let executor = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .max_blocking_threads(1)
        .thread_keep_alive(READER_KEEP_ALIVE)
        .thread_stack_size(READER_STACK_BYTES)
        .build()?;
    if kind == GuestKind::Component {
        // Whether it has already run does not matter, only that the thread exists.
        drop(executor.spawn_blocking(|| ()));
    }
    Ok(executor)
}

/// An error with its causes in one line, for a reason that a person reads.
pub(crate) fn describe(error: &wasmtime::Error) -> String {
    let parts: Vec<String> = error.chain().map(ToString::to_string).collect();
    let mut text = parts.join(": ");
    if let Some(end) = text.find("\nwasm backtrace:") {
        text.truncate(end);
    }
    text
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;
    use std::process::{Command, ExitStatus};

    use super::*;
    use crate::confine::confine;

    const ROLE: &str = "ATOLL_TEST_EXECUTOR";

    /// In a process of its own: confines itself and then reads ahead, as a component's stream does.
    fn read_ahead(kind: GuestKind) -> ! {
        let executor = executor(kind).unwrap();
        confine().unwrap();
        let read = executor.block_on(async {
            let mut sum = 0;
            for _ in 0..100 {
                sum += tokio::task::spawn_blocking(|| 1).await.unwrap();
            }
            sum
        });
        std::process::exit(if read == 100 { 77 } else { 1 });
    }

    fn again(test: &str) -> ExitStatus {
        let name = format!("runtime::tests::{test}");
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", &name, "--test-threads=1", "--nocapture"])
            .env(ROLE, "1")
            .output()
            .unwrap()
            .status
    }

    #[test]
    fn a_confined_component_reads_ahead_on_the_thread_it_has() {
        if std::env::var_os(ROLE).is_some() {
            read_ahead(GuestKind::Component);
        }
        let status = again("a_confined_component_reads_ahead_on_the_thread_it_has");
        assert_eq!(status.code(), Some(77), "{status:?}");
    }

    #[test]
    fn without_that_thread_it_could_not() {
        if std::env::var_os(ROLE).is_some() {
            read_ahead(GuestKind::Module);
        }
        let status = again("without_that_thread_it_could_not");
        assert_eq!(status.signal(), Some(libc::SIGSYS), "{status:?}");
    }

    #[test]
    fn errors_are_one_line_and_leave_the_backtrace_out() {
        let error = wasmtime::Error::msg("inner\nwasm backtrace:\n  0: main").context("outer");
        assert_eq!(describe(&error), "outer: inner");
    }
}
