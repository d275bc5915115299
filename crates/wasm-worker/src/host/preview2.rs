//! WASI 0.2 for components, over the guest's own files and streams.
//!
//! Owns which implementation each interface has, and that every function passes the gate first:
//! `files` and `streams_of_files` are our own, everything else is the runtime's, behind the gate
//! (`gates`). Sockets are there, because ordinary toolchains import them whether they are used or
//! not, and cannot be made.

mod file_streams;
mod files;
mod gates;

use std::collections::HashMap;
use std::time::Instant;

use wasmtime::component::{Linker, ResourceTable};
use wasmtime_wasi::cli::{WasiCli, WasiCliView as _};
use wasmtime_wasi::clocks::{WasiClocks, WasiClocksView as _};
use wasmtime_wasi::p2::bindings::{LinkOptions, cli, clocks, random, sockets};
use wasmtime_wasi::random::WasiRandom;
use wasmtime_wasi::sockets::{WasiSockets, WasiSocketsView as _};
use wasmtime_wasi::{HostMonotonicClock, WasiCtx, WasiCtxView, WasiView};

use super::streams::{Input, Output};
use super::{Guest, RANDOM_BYTES_MAX};

/// Handles that a guest holds at once: files, streams, things to wait for and errors.
const HANDLES_MAX: usize = 100_000;

/// What a high-resolution timer of Linux resolves, in nanoseconds.
const RESOLUTION_NS: u64 = 1;

/// The monotonic clock, which the runtime's own would ask the kernel about by a call that a worker
/// may not make any more.
struct Monotonic(Instant);

impl HostMonotonicClock for Monotonic {
    fn resolution(&self) -> u64 {
        RESOLUTION_NS
    }

    fn now(&self) -> u64 {
        u64::try_from(self.0.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }
}

/// What a guest has of WASI 0.2.
pub(crate) struct State {
    ctx: WasiCtx,
    table: ResourceTable,
    /// The streams that belong to files, by handle, with the path that rules see. Kept only when
    /// there are rules; all other streams are standard input, output and error.
    paths: HashMap<u32, Option<Box<[u8]>>>,
}

impl State {
    /// Nothing but arguments, variables and streams; files are not the runtime's business.
    pub(crate) fn new(
        arguments: &[String],
        environment: &[(String, String)],
        (input, output, error): (Input, Output, Output),
    ) -> Self {
        let mut builder = WasiCtx::builder();
        builder
            .args(arguments)
            .envs(environment)
            .stdin(input)
            .stdout(output)
            .stderr(error)
            .max_random_size(RANDOM_BYTES_MAX)
            .monotonic_clock(Monotonic(Instant::now()))
            .allow_tcp(false)
            .allow_udp(false)
            .allow_ip_name_lookup(false);
        let mut table = ResourceTable::new();
        table.set_max_capacity(HANDLES_MAX);
        Self {
            ctx: builder.build(),
            table,
            paths: HashMap::new(),
        }
    }

    pub(crate) fn view(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.ctx,
            table: &mut self.table,
        }
    }
}

/// Makes the runtime's source of random numbers open what it reads its seeds from, which cannot be
/// opened once the process is closed in. To be called on the thread that runs guests.
pub(crate) fn open_randomness() {
    drop(WasiCtx::builder());
}

/// Adds all of `wasi:cli/imports`. From here on the linker allows shadowing.
///
/// # Errors
/// When the linker has one of the functions already.
pub(crate) fn add_to_linker(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    let l = linker;
    clocks::wall_clock::add_to_linker::<Guest, WasiClocks>(l, Guest::clocks)?;
    clocks::monotonic_clock::add_to_linker::<Guest, WasiClocks>(l, Guest::clocks)?;
    random::random::add_to_linker::<Guest, WasiRandom>(l, |guest| guest.ctx().ctx.random())?;
    random::insecure::add_to_linker::<Guest, WasiRandom>(l, |guest| guest.ctx().ctx.random())?;
    random::insecure_seed::add_to_linker::<Guest, WasiRandom>(l, |guest| guest.ctx().ctx.random())?;
    cli::exit::add_to_linker::<Guest, WasiCli>(l, Guest::cli)?;
    cli::environment::add_to_linker::<Guest, WasiCli>(l, Guest::cli)?;
    cli::stdin::add_to_linker::<Guest, WasiCli>(l, Guest::cli)?;
    cli::stdout::add_to_linker::<Guest, WasiCli>(l, Guest::cli)?;
    cli::stderr::add_to_linker::<Guest, WasiCli>(l, Guest::cli)?;
    cli::terminal_input::add_to_linker::<Guest, WasiCli>(l, Guest::cli)?;
    cli::terminal_output::add_to_linker::<Guest, WasiCli>(l, Guest::cli)?;
    cli::terminal_stdin::add_to_linker::<Guest, WasiCli>(l, Guest::cli)?;
    cli::terminal_stdout::add_to_linker::<Guest, WasiCli>(l, Guest::cli)?;
    cli::terminal_stderr::add_to_linker::<Guest, WasiCli>(l, Guest::cli)?;
    let options = (&LinkOptions::default()).into();
    sockets::network::add_to_linker::<Guest, WasiSockets>(l, &options, Guest::sockets)?;
    sockets::instance_network::add_to_linker::<Guest, WasiSockets>(l, Guest::sockets)?;
    sockets::ip_name_lookup::add_to_linker::<Guest, WasiSockets>(l, Guest::sockets)?;
    sockets::tcp::add_to_linker::<Guest, WasiSockets>(l, Guest::sockets)?;
    sockets::tcp_create_socket::add_to_linker::<Guest, WasiSockets>(l, Guest::sockets)?;
    sockets::udp::add_to_linker::<Guest, WasiSockets>(l, Guest::sockets)?;
    sockets::udp_create_socket::add_to_linker::<Guest, WasiSockets>(l, Guest::sockets)?;
    gates::add_io(l)?;
    files::add_to_linker(l)?;
    l.allow_shadowing(true);
    gates::add_to_linker(l)
}
