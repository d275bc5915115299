//! The jailed process in which WebAssembly runs.
//!
//! One worker runs one program: it takes a request from descriptor 3, closes itself in further,
//! compiles and runs the program, and reports on descriptor 4. It owns the WebAssembly runtime and
//! what a guest can reach through it. It does not build its own jail: the process is started
//! inside one, and everything it does must also be safe when the guest has taken it over.

mod component;
mod confine;
mod deadline;
mod descriptors;
mod end;
#[allow(dead_code, reason = "the loop that serves messages takes it into use")]
mod host;
mod limiter;
mod module;
mod report;
mod runtime;
mod size;
mod wasi;

use std::fs::File;
use std::io;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use atoll_sandbox_wasm::protocol::{self, GuestKind, Request, Status};

use crate::deadline::Deadline;
use crate::end::End;
use crate::report::Reporter;

fn main() -> ExitCode {
    let descriptors = match descriptors::take() {
        Ok(descriptors) => descriptors,
        Err(error) => {
            // Nobody listens on the status pipe, so this is for a person who started it by hand.
            let text = format!("atoll-wasm-worker is started by atoll, not by hand: {error}\n");
            let _ = io::Write::write_all(&mut io::stderr(), text.as_bytes());
            return exit_code(protocol::EXIT_FAILED);
        }
    };
    let reporter = Arc::new(Reporter::new(descriptors.status));
    reporter.report_panics();
    let end = match run(File::from(descriptors.request), &reporter) {
        Ok(end) => end,
        Err(error) => End::Failed(runtime::describe(&error)),
    };
    let code = reporter.finish(end);
    // Unmapping the guest's memory one piece at a time would only delay the kernel doing it.
    std::process::exit(code);
}

/// Everything from the request to the program's end. An error is the worker's own failure.
fn run(mut request: File, reporter: &Reporter) -> wasmtime::Result<End> {
    let (request, program) = protocol::read_request(&mut request)?;
    let wasi = wasi::builder(&request);
    let engine = runtime::engine(&request.limits)?;
    let executor = runtime::executor(request.kind)?;
    let deadline = deadline(&request, &engine)?;
    let system_calls = confine::confine()?;
    reporter.send(&Status::Ready { system_calls })?;

    // A refusal counts only from a worker that is closed in, so that the order of frames is the
    // same whatever is wrong with a program.
    let wasi = match wasi {
        Ok(wasi) => wasi,
        Err(end) => return Ok(end),
    };
    let began = Instant::now();
    let started = || {
        let compile_us = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
        reporter.send(&Status::Started { compile_us })?;
        deadline.as_ref().map_or(Ok(()), Deadline::begin)
    };
    if let Err(reason) = size::check(request.kind, &program) {
        return Ok(End::Refused(reason));
    }
    let limits = &request.limits;
    executor.block_on(async {
        match request.kind {
            GuestKind::Module => module::run(&engine, &program, wasi, limits, started).await,
            GuestKind::Component => component::run(&engine, &program, wasi, limits, started).await,
        }
    })
}

fn deadline(request: &Request, engine: &wasmtime::Engine) -> io::Result<Option<Deadline>> {
    match request.limits.run_time_ms {
        0 => Ok(None),
        run_time_ms => Deadline::prepare(engine, Duration::from_millis(run_time_ms)).map(Some),
    }
}

fn exit_code(code: i32) -> ExitCode {
    ExitCode::from(u8::try_from(code).unwrap_or(u8::MAX))
}
