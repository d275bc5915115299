//! How a guest ended, judged from what the runtime returned.

use atoll_sandbox_wasm::protocol::GuestEnd;
use atoll_types::LimitName;
use wasmtime::{Trap, WasmBacktrace};
use wasmtime_wasi::I32Exit;

use crate::clock::Over;
use crate::host::enter::Ended;
use crate::limiter::Limiter;

/// The end of a guest, and the text for its standard error.
#[derive(Debug)]
pub(crate) struct End {
    pub(crate) end: GuestEnd,
    /// Names the trap, with the WebAssembly backtrace.
    pub(crate) details: Option<String>,
}

impl End {
    /// Judges an exit. A guest that was refused something and came to a good end all the same did
    /// not need it.
    pub(crate) fn exited(code: i32, limiter: &Limiter, refused: Option<LimitName>) -> Self {
        let memory = limiter.refused().map(|_| LimitName::Memory);
        Self {
            end: GuestEnd::Exited {
                code,
                limit: memory.or(refused).filter(|_| code != 0),
            },
            details: None,
        }
    }

    /// Judges an error from the guest's code, or from placing its memories and tables. `refused`
    /// is the limit that its host functions refused it something for.
    pub(crate) fn of_error(
        error: &wasmtime::Error,
        limiter: &Limiter,
        refused: Option<LimitName>,
    ) -> Self {
        if let Some(I32Exit(code)) = error.downcast_ref() {
            return Self::exited(*code, limiter, refused);
        }
        if let Some(ended @ (Ended::Rule(..) | Ended::Denied(_))) = error.downcast_ref() {
            return Self {
                end: GuestEnd::Violated {
                    text: ended.to_string(),
                },
                details: None,
            };
        }
        let over = error.downcast_ref::<Over>().copied();
        if over == Some(Over::Stopped) {
            return Self {
                end: GuestEnd::Stopped,
                details: None,
            };
        }
        let trap = error.downcast_ref::<Trap>().copied();
        let limit = match over {
            Some(Over::Limit(limit)) => Some(limit),
            Some(Over::Stopped) | None => limit_behind(trap, limiter).or(refused),
        };
        let text = match (trap, over, limiter.refused()) {
            (None, None, Some(refused)) => refused.to_string(),
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
        details.push('\n');
        Self {
            end: GuestEnd::Trapped { text, limit },
            details: Some(details),
        }
    }
}

/// Programs answer a refused `memory.grow` by giving up: `abort` compiles to `unreachable`, and an
/// unchecked null pointer reaches out of bounds. Other traps have their own causes.
fn limit_behind(trap: Option<Trap>, limiter: &Limiter) -> Option<LimitName> {
    match trap {
        Some(Trap::UnreachableCodeReached | Trap::MemoryOutOfBounds | Trap::AllocationTooLarge)
        | None => limiter.refused().map(|_| LimitName::Memory),
        Some(_) => None,
    }
}
