//! The jailed processes in which WebAssembly is compiled and runs.
//!
//! One program plays two parts. A **compiler** compiles one program and ends. A **worker** runs
//! guests, many at one time, until it is told to end. Both take what they need from inherited
//! descriptors and close themselves in before they look at anything of a guest. The runtime and
//! what a guest can reach through it are owned here. Neither builds its own jail: each is started
//! inside one, and everything it does must also be safe when a guest has taken it over.

mod clock;
mod code;
mod compiler;
mod confine;
mod descriptors;
mod end;
mod guest;
mod host;
mod limiter;
mod outbox;
mod program;
mod runtime;
mod serve;
mod size;
#[cfg(test)]
mod specification;
mod stores;
mod ticker;

use std::io::{self, Write};
use std::process::ExitCode;

/// The exit code of a process that could not do its work.
const EXIT_FAILED: u8 = 126;

fn main() -> ExitCode {
    let part = std::env::args().nth(1);
    let result = match part.as_deref() {
        Some("compile") => compiler::run().map_err(wasmtime::Error::from),
        Some("serve") => serve::run(),
        _ => {
            let text = "atoll-wasm-worker is started by atoll, not by hand\n";
            let _ = io::stderr().write_all(text.as_bytes());
            return ExitCode::from(EXIT_FAILED);
        }
    };
    let code = match result {
        Ok(()) => 0,
        Err(error) => {
            // Nobody reads this but a person who started it by hand.
            let text = format!("atoll-wasm-worker: {}\n", runtime::describe(&error));
            let _ = io::stderr().write_all(text.as_bytes());
            EXIT_FAILED
        }
    };
    // Unmapping guests' memory one piece at a time would only delay the kernel doing it.
    std::process::exit(code.into())
}
