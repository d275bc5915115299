//! How a program ended, judged from what the runtime returned.

use atoll_types::LimitName;
use wasmtime::{Trap, WasmBacktrace};
use wasmtime_wasi::I32Exit;

use crate::limiter::Limiter;

/// The end of a worker's work.
#[derive(Debug)]
pub(crate) enum End {
    /// The program ended by itself.
    Exited {
        /// Its exit code.
        code: i32,
        /// The limit it ran into before it gave up.
        limit: Option<LimitName>,
    },
    /// The runtime stopped the program.
    Trapped {
        /// Names the trap, in one line.
        text: String,
        /// The limit behind it.
        limit: Option<LimitName>,
        /// The text for the program's standard error, with the WebAssembly backtrace.
        details: String,
    },
    /// The program cannot be run; a sentence says why.
    Refused(String),
    /// The worker itself failed.
    Failed(String),
}

impl End {
    /// Judges what calling a program's entry point returned.
    pub(crate) fn of_call(result: wasmtime::Result<()>, limiter: &Limiter) -> Self {
        match result {
            Ok(()) => Self::exited(0, limiter),
            Err(error) => Self::of_error(&error, limiter),
        }
    }

    /// Judges an exit. A program that was refused memory and came to a good end all the same did
    /// not need it.
    pub(crate) fn exited(code: i32, limiter: &Limiter) -> Self {
        let refused = limiter.refused().filter(|_| code != 0);
        Self::Exited {
            code,
            limit: refused.map(|_| LimitName::Memory),
        }
    }

    /// Judges an error from the program's code, or from placing its memories and tables.
    pub(crate) fn of_error(error: &wasmtime::Error, limiter: &Limiter) -> Self {
        if let Some(I32Exit(code)) = error.downcast_ref() {
            return Self::exited(*code, limiter);
        }
        let trap = error.downcast_ref::<Trap>().copied();
        let limit = limit_behind(trap, limiter);
        let text = match (trap, limiter.refused()) {
            (None, Some(refused)) => refused.to_string(),
            _ => error.root_cause().to_string(),
        };
        let mut details = format!("atoll: the program was stopped: {text}");
        if let (Some(refused), Some(LimitName::Memory), Some(_)) = (limiter.refused(), limit, trap)
        {
            details.push_str(&format!("\n{refused}"));
        }
        if let Some(backtrace) = error.downcast_ref::<WasmBacktrace>() {
            details.push_str(&format!("\n{backtrace}"));
        }
        Self::Trapped {
            text,
            limit,
            details,
        }
    }
}

/// Programs answer a refused `memory.grow` by giving up: `abort` compiles to `unreachable`, and an
/// unchecked null pointer reaches out of bounds. Other traps have their own causes.
fn limit_behind(trap: Option<Trap>, limiter: &Limiter) -> Option<LimitName> {
    match trap {
        Some(Trap::Interrupt) => Some(LimitName::WallTime),
        Some(Trap::UnreachableCodeReached | Trap::MemoryOutOfBounds | Trap::AllocationTooLarge)
        | None => limiter.refused().map(|_| LimitName::Memory),
        Some(_) => None,
    }
}
