//! The gate in front of the runtime's own implementation of WASI 0.2.
//!
//! Owns, for each function, which call it is, and how a call that a rule denies fails.

use atoll_types::calls::Call;
use wasmtime::StoreContextMut;
use wasmtime::component::{
    ComponentNamedList, HasData, Lift, Linker, LinkerInstance, Lower, Resource, ResourceTable,
    ResourceType,
};
use wasmtime_wasi::WasiView as _;
use wasmtime_wasi::cli::WasiCliView as _;
use wasmtime_wasi::clocks::WasiClocksView as _;
use wasmtime_wasi::p2::bindings::sockets::ip_name_lookup::ResolveAddressStream;
use wasmtime_wasi::p2::bindings::sockets::network::{
    ErrorCode as NetworkError, IpAddressFamily, Network,
};
use wasmtime_wasi::p2::bindings::{cli, clocks, random, sockets};
use wasmtime_wasi::p2::{
    DynInputStream, DynOutputStream, DynPollable, StreamError, TcpSocket, UdpSocket,
};
use wasmtime_wasi_io::bindings::wasi::io::{error, poll, streams};

use super::file_streams::HostError;
use crate::host::Guest;
use crate::host::enter::{Argument, Ended, Failure};
use crate::host::errno::Errno;

/// Makes a call until it need not wait any more.
pub(super) async fn answer<T>(
    mut store: StoreContextMut<'_, Guest>,
    mut call: impl FnMut(&mut Guest) -> Result<T, Failure>,
) -> wasmtime::Result<Result<T, Errno>> {
    pass(&mut store, &mut call).await
}

async fn pass<T>(
    store: &mut StoreContextMut<'_, Guest>,
    call: &mut impl FnMut(&mut Guest) -> Result<T, Failure>,
) -> wasmtime::Result<Result<T, Errno>> {
    loop {
        let guest = store.data_mut();
        let done = call(guest);
        guest.gate.is_admitted = false;
        match done {
            Ok(answer) => return Ok(Ok(answer)),
            Err(Failure::Errno(errno)) => return Ok(Err(errno)),
            Err(Failure::Stop(error)) => return Err(error),
            Err(Failure::Wait(wait)) => {
                guest.gate.is_admitted = true;
                guest.wait(wait).await;
            }
        }
    }
}

/// Passes the gate with a call that has no argument.
async fn enter(
    store: &mut StoreContextMut<'_, Guest>,
    call: Call,
) -> wasmtime::Result<Result<(), Errno>> {
    pass(store, &mut |guest| guest.enter(call, &[])).await
}

/// Passes the gate with a call that cannot fail: one that is denied ends the guest.
async fn enter_infallible(
    store: &mut StoreContextMut<'_, Guest>,
    call: Call,
) -> wasmtime::Result<()> {
    let entered = enter(store, call).await?;
    entered.map_err(|_| Ended::Denied(call).into())
}

/// Passes the gate with a stream: of a file, or a standard one.
async fn enter_stream(
    store: &mut StoreContextMut<'_, Guest>,
    handle: u32,
    of_file: Call,
    standard: Call,
) -> Result<(), StreamError> {
    let mut call = |guest: &mut Guest| {
        let Guest {
            gate,
            files,
            component,
            ..
        } = guest;
        match component
            .as_ref()
            .and_then(|state| state.paths.get(&handle))
        {
            Some(path) => gate.enter(files, of_file, &[Argument::Open(path.as_deref())]),
            None => gate.enter(files, standard, &[]),
        }
    };
    match pass(store, &mut call).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(errno)) => Err(HostError(errno).into()),
        Err(error) => Err(StreamError::Trap(error)),
    }
}

/// Replaces a function that cannot fail.
fn gate<P, R>(
    instance: &mut LinkerInstance<'_, Guest>,
    name: &str,
    call: Call,
    then: impl Fn(&mut Guest, P) -> wasmtime::Result<R> + Copy + Send + Sync + 'static,
) -> wasmtime::Result<()>
where
    P: ComponentNamedList + Lift + Send + 'static,
    R: Send + 'static,
    (R,): ComponentNamedList + Lower + 'static,
{
    instance.func_wrap_async(
        name,
        move |mut store: StoreContextMut<'_, Guest>, params: P| {
            Box::new(async move {
                enter_infallible(&mut store, call).await?;
                Ok((then(store.data_mut(), params)?,))
            })
        },
    )
}

/// Replaces a function without a result.
fn gate_silent<P>(
    instance: &mut LinkerInstance<'_, Guest>,
    name: &str,
    call: Call,
    then: impl Fn(&mut Guest, P) -> wasmtime::Result<()> + Copy + Send + Sync + 'static,
) -> wasmtime::Result<()>
where
    P: ComponentNamedList + Lift + Send + 'static,
{
    instance.func_wrap_async(
        name,
        move |mut store: StoreContextMut<'_, Guest>, params: P| {
            Box::new(async move {
                enter_infallible(&mut store, call).await?;
                then(store.data_mut(), params)
            })
        },
    )
}

struct Handles;

impl HasData for Handles {
    type Data<'a> = &'a mut ResourceTable;
}

/// Adds `wasi:io`, whose resources the others need.
pub(super) fn add_io(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    error::add_to_linker::<Guest, Handles>(linker, |guest| guest.ctx().table)?;
    poll::add_to_linker::<Guest, Handles>(linker, |guest| guest.ctx().table)?;
    streams::add_to_linker::<Guest, Handles>(linker, |guest| guest.ctx().table)
}

/// Puts the gate in front of everything but files, which have it already.
pub(super) fn add_to_linker(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    add_process(linker)?;
    add_terminals(linker)?;
    add_clocks(linker)?;
    add_random(linker)?;
    add_sockets(linker)?;
    add_poll(linker)?;
    let mut streams = linker.instance("wasi:io/streams@0.2.12")?;
    add_stream_drops(&mut streams)?;
    add_input(&mut streams)?;
    add_output(&mut streams)?;
    add_waiting_output(&mut streams)?;
    add_splices(&mut streams)
}

fn add_process(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    use cli::environment::Host as _;
    use cli::exit::Host as _;
    use cli::stderr::Host as _;
    use cli::stdin::Host as _;
    use cli::stdout::Host as _;

    let mut environment = linker.instance("wasi:cli/environment@0.2.12")?;
    let read = Call::EnvironmentRead;
    let i = &mut environment;
    gate(i, "get-environment", read, |guest, ()| {
        guest.cli().get_environment()
    })?;
    gate(i, "get-arguments", read, |guest, ()| {
        guest.cli().get_arguments()
    })?;
    gate(i, "initial-cwd", read, |guest, ()| {
        guest.cli().initial_cwd()
    })?;
    let other = Call::HostOther;
    let mut exit = linker.instance("wasi:cli/exit@0.2.12")?;
    gate_silent(&mut exit, "exit", other, |guest, (status,)| {
        guest.cli().exit(status)
    })?;
    gate_silent(&mut exit, "exit-with-code", other, |guest, (code,)| {
        guest.cli().exit_with_code(code)
    })?;
    let mut stdin = linker.instance("wasi:cli/stdin@0.2.12")?;
    gate(&mut stdin, "get-stdin", other, |guest, ()| {
        guest.cli().get_stdin()
    })?;
    let mut stdout = linker.instance("wasi:cli/stdout@0.2.12")?;
    gate(&mut stdout, "get-stdout", other, |guest, ()| {
        guest.cli().get_stdout()
    })?;
    let mut stderr = linker.instance("wasi:cli/stderr@0.2.12")?;
    gate(&mut stderr, "get-stderr", other, |guest, ()| {
        guest.cli().get_stderr()
    })
}

fn add_terminals(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    use cli::terminal_stderr::Host as _;
    use cli::terminal_stdin::Host as _;
    use cli::terminal_stdout::Host as _;

    let other = Call::HostOther;
    let mut stdin = linker.instance("wasi:cli/terminal-stdin@0.2.12")?;
    gate(&mut stdin, "get-terminal-stdin", other, |guest, ()| {
        guest.cli().get_terminal_stdin()
    })?;
    let mut stdout = linker.instance("wasi:cli/terminal-stdout@0.2.12")?;
    gate(&mut stdout, "get-terminal-stdout", other, |guest, ()| {
        guest.cli().get_terminal_stdout()
    })?;
    let mut stderr = linker.instance("wasi:cli/terminal-stderr@0.2.12")?;
    gate(&mut stderr, "get-terminal-stderr", other, |guest, ()| {
        guest.cli().get_terminal_stderr()
    })
}

fn add_clocks(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    use clocks::{monotonic_clock, wall_clock};

    let (read, wait) = (Call::ClockRead, Call::ClockWait);
    let mut wall = linker.instance("wasi:clocks/wall-clock@0.2.12")?;
    gate(&mut wall, "now", read, |guest, ()| {
        wall_clock::Host::now(&mut guest.clocks())
    })?;
    gate(&mut wall, "resolution", read, |guest, ()| {
        wall_clock::Host::resolution(&mut guest.clocks())
    })?;
    let mut monotonic = linker.instance("wasi:clocks/monotonic-clock@0.2.12")?;
    let i = &mut monotonic;
    gate(i, "now", read, |guest, ()| {
        monotonic_clock::Host::now(&mut guest.clocks())
    })?;
    gate(i, "resolution", read, |guest, ()| {
        monotonic_clock::Host::resolution(&mut guest.clocks())
    })?;
    gate(i, "subscribe-instant", wait, |guest, (when,)| {
        monotonic_clock::Host::subscribe_instant(&mut guest.clocks(), when)
    })?;
    gate(i, "subscribe-duration", wait, |guest, (duration,)| {
        monotonic_clock::Host::subscribe_duration(&mut guest.clocks(), duration)
    })
}

fn add_random(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    use random::insecure::Host as _;
    use random::insecure_seed::Host as _;
    use random::random::Host as _;

    let read = Call::RandomRead;
    let mut secure = linker.instance("wasi:random/random@0.2.12")?;
    gate(&mut secure, "get-random-bytes", read, |guest, (count,)| {
        guest.ctx().ctx.random().get_random_bytes(count)
    })?;
    gate(&mut secure, "get-random-u64", read, |guest, ()| {
        guest.ctx().ctx.random().get_random_u64()
    })?;
    let mut insecure = linker.instance("wasi:random/insecure@0.2.12")?;
    gate(
        &mut insecure,
        "get-insecure-random-bytes",
        read,
        |guest, (count,)| guest.ctx().ctx.random().get_insecure_random_bytes(count),
    )?;
    gate(
        &mut insecure,
        "get-insecure-random-u64",
        read,
        |guest, ()| guest.ctx().ctx.random().get_insecure_random_u64(),
    )?;
    let mut seed = linker.instance("wasi:random/insecure-seed@0.2.12")?;
    gate(&mut seed, "insecure-seed", read, |guest, ()| {
        guest.ctx().ctx.random().insecure_seed()
    })
}

/// Replaces a function that makes something of the network: nothing is made, whatever rules say.
fn refuse<P, T>(
    instance: &mut LinkerInstance<'_, Guest>,
    name: &str,
    call: Call,
) -> wasmtime::Result<()>
where
    P: ComponentNamedList + Lift + Send + 'static,
    T: Send + 'static,
    (Result<T, NetworkError>,): ComponentNamedList + Lower + 'static,
{
    instance.func_wrap_async(name, move |mut store: StoreContextMut<'_, Guest>, _: P| {
        Box::new(async move {
            let entered = enter(&mut store, call).await?;
            Ok((Err(network_error(entered)),))
        })
    })
}

/// What a guest is told that wants something of the network: the error of a rule, as far as the
/// interface has one for it, or that it may not.
fn network_error(entered: Result<(), Errno>) -> NetworkError {
    let Err(errno) = entered else {
        return NetworkError::AccessDenied;
    };
    match errno {
        Errno::Access | Errno::NotPermitted => NetworkError::AccessDenied,
        Errno::AddressInUse => NetworkError::AddressInUse,
        Errno::AddressNotAvailable => NetworkError::AddressNotBindable,
        Errno::AddressFamily | Errno::NotSupported | Errno::NotImplemented => {
            NetworkError::NotSupported
        }
        Errno::ConnectionRefused => NetworkError::ConnectionRefused,
        Errno::ConnectionReset => NetworkError::ConnectionReset,
        Errno::HostUnreachable | Errno::NetworkUnreachable => NetworkError::RemoteUnreachable,
        Errno::Invalid => NetworkError::InvalidArgument,
        Errno::NoMemory => NetworkError::OutOfMemory,
        Errno::NotFound => NetworkError::NameUnresolvable,
        Errno::TimedOut => NetworkError::Timeout,
        Errno::TooManyFiles => NetworkError::NewSocketLimit,
        Errno::TryAgain => NetworkError::WouldBlock,
        _ => NetworkError::Unknown,
    }
}

/// Making a socket is refused, so the functions on sockets cannot be reached.
fn add_sockets(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    use sockets::instance_network::Host as _;
    use wasmtime_wasi::sockets::WasiSocketsView as _;

    let mut network = linker.instance("wasi:sockets/instance-network@0.2.12")?;
    gate(
        &mut network,
        "instance-network",
        Call::HostOther,
        |guest, ()| guest.sockets().instance_network(),
    )?;
    let open = Call::NetworkOpen;
    let mut tcp = linker.instance("wasi:sockets/tcp-create-socket@0.2.12")?;
    refuse::<(IpAddressFamily,), Resource<TcpSocket>>(&mut tcp, "create-tcp-socket", open)?;
    let mut udp = linker.instance("wasi:sockets/udp-create-socket@0.2.12")?;
    refuse::<(IpAddressFamily,), Resource<UdpSocket>>(&mut udp, "create-udp-socket", open)?;
    let mut lookup = linker.instance("wasi:sockets/ip-name-lookup@0.2.12")?;
    lookup.func_wrap_async(
        "resolve-addresses",
        |mut store: StoreContextMut<'_, Guest>, (_, name): (Resource<Network>, String)| {
            Box::new(async move {
                let host = Argument::Open(Some(name.as_bytes()));
                let mut call = |guest: &mut Guest| guest.enter(Call::NetworkResolve, &[host]);
                let entered = pass(&mut store, &mut call).await?;
                let refused: Result<Resource<ResolveAddressStream>, _> =
                    Err(network_error(entered));
                Ok((refused,))
            })
        },
    )
}

fn add_poll(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    use poll::{Host as _, HostPollable as _};

    type Pollable = Resource<DynPollable>;

    let mut instance = linker.instance("wasi:io/poll@0.2.12")?;
    instance.func_wrap_async(
        "poll",
        |mut store: StoreContextMut<'_, Guest>, (pollables,): (Vec<Pollable>,)| {
            Box::new(async move {
                enter_infallible(&mut store, Call::ClockWait).await?;
                Ok((store.data_mut().ctx().table.poll(pollables).await?,))
            })
        },
    )?;
    instance.func_wrap_async(
        "[method]pollable.block",
        |mut store: StoreContextMut<'_, Guest>, (pollable,): (Pollable,)| {
            Box::new(async move {
                enter_infallible(&mut store, Call::ClockWait).await?;
                store.data_mut().ctx().table.block(pollable).await
            })
        },
    )?;
    instance.func_wrap_async(
        "[method]pollable.ready",
        |mut store: StoreContextMut<'_, Guest>, (pollable,): (Pollable,)| {
            Box::new(async move {
                enter_infallible(&mut store, Call::HostOther).await?;
                Ok((store.data_mut().ctx().table.ready(pollable).await?,))
            })
        },
    )?;
    let mut error = linker.instance("wasi:io/error@0.2.12")?;
    gate(
        &mut error,
        "[method]error.to-debug-string",
        Call::HostOther,
        |guest, (error,): (Resource<wasmtime::Error>,)| {
            error::HostError::to_debug_string(guest.ctx().table, error)
        },
    )
}

type Input = Resource<DynInputStream>;
type Output = Resource<DynOutputStream>;

/// What a stream answers, as the interface says it.
fn told<T>(
    store: &mut StoreContextMut<'_, Guest>,
    answer: Result<T, StreamError>,
) -> wasmtime::Result<(Result<T, streams::StreamError>,)> {
    match answer {
        Ok(answer) => Ok((Ok(answer),)),
        Err(error) => {
            let table = store.data_mut().ctx().table;
            Ok((Err(streams::Host::convert_stream_error(table, error)?),))
        }
    }
}

/// Puts the gate in front of a function of a stream.
macro_rules! gate_stream {
    (
        $instance:ident, $name:literal, $of_file:ident, $standard:ident,
        |$table:ident, $stream:ident: $kind:ty $(, $argument:ident: $type:ty)*| $body:expr
    ) => {
        $instance.func_wrap_async(
            $name,
            |mut store: StoreContextMut<'_, Guest>,
             ($stream, $($argument,)*): ($kind, $($type,)*)| {
                Box::new(async move {
                    let (of_file, standard) = (Call::$of_file, Call::$standard);
                    let entered = enter_stream(&mut store, $stream.rep(), of_file, standard);
                    let answer = match entered.await {
                        Ok(()) => {
                            let $table = store.data_mut().ctx().table;
                            $body
                        }
                        Err(error) => Err(error),
                    };
                    told(&mut store, answer)
                })
            },
        )?;
    };
}

fn add_stream_drops(instance: &mut LinkerInstance<'_, Guest>) -> wasmtime::Result<()> {
    instance.resource_async(
        "input-stream",
        ResourceType::host::<DynInputStream>(),
        |mut store, handle| {
            Box::new(async move {
                let table = forget(&mut store, handle);
                streams::HostInputStream::drop(table, Input::new_own(handle)).await
            })
        },
    )?;
    instance.resource_async(
        "output-stream",
        ResourceType::host::<DynOutputStream>(),
        |mut store, handle| {
            Box::new(async move {
                let table = forget(&mut store, handle);
                streams::HostOutputStream::drop(table, Output::new_own(handle)).await
            })
        },
    )
}

/// The number of a stream that is gone may become another stream's.
fn forget<'a>(store: &'a mut StoreContextMut<'_, Guest>, handle: u32) -> &'a mut ResourceTable {
    let guest = store.data_mut();
    if let Some(state) = &mut guest.component {
        state.paths.remove(&handle);
    }
    guest.ctx().table
}

fn add_input(instance: &mut LinkerInstance<'_, Guest>) -> wasmtime::Result<()> {
    use streams::HostInputStream as Host;

    gate_stream!(
        instance,
        "[method]input-stream.read",
        FileRead,
        StreamRead,
        |table, stream: Input, count: u64| Host::read(table, stream, count)
    );
    gate_stream!(
        instance,
        "[method]input-stream.blocking-read",
        FileRead,
        StreamRead,
        |table, stream: Input, count: u64| Host::blocking_read(table, stream, count).await
    );
    gate_stream!(
        instance,
        "[method]input-stream.skip",
        FileRead,
        StreamRead,
        |table, stream: Input, count: u64| Host::skip(table, stream, count)
    );
    gate_stream!(
        instance,
        "[method]input-stream.blocking-skip",
        FileRead,
        StreamRead,
        |table, stream: Input, count: u64| Host::blocking_skip(table, stream, count).await
    );
    gate(
        instance,
        "[method]input-stream.subscribe",
        Call::HostOther,
        |guest, (stream,): (Input,)| Host::subscribe(guest.ctx().table, stream),
    )
}

fn add_output(instance: &mut LinkerInstance<'_, Guest>) -> wasmtime::Result<()> {
    use streams::HostOutputStream as Host;

    gate_stream!(
        instance,
        "[method]output-stream.check-write",
        HostOther,
        HostOther,
        |table, stream: Output| Host::check_write(table, stream)
    );
    gate_stream!(
        instance,
        "[method]output-stream.write",
        FileWrite,
        StreamWrite,
        |table, stream: Output, bytes: Vec<u8>| Host::write(table, stream, bytes)
    );
    gate_stream!(
        instance,
        "[method]output-stream.write-zeroes",
        FileWrite,
        StreamWrite,
        |table, stream: Output, count: u64| Host::write_zeroes(table, stream, count)
    );
    gate_stream!(
        instance,
        "[method]output-stream.flush",
        HostOther,
        HostOther,
        |table, stream: Output| Host::flush(table, stream)
    );
    gate(
        instance,
        "[method]output-stream.subscribe",
        Call::HostOther,
        |guest, (stream,): (Output,)| Host::subscribe(guest.ctx().table, stream),
    )
}

fn add_waiting_output(instance: &mut LinkerInstance<'_, Guest>) -> wasmtime::Result<()> {
    use streams::HostOutputStream as Host;

    gate_stream!(
        instance,
        "[method]output-stream.blocking-write-and-flush",
        FileWrite,
        StreamWrite,
        |table, stream: Output, bytes: Vec<u8>| Host::blocking_write_and_flush(
            table, stream, bytes
        )
        .await
    );
    gate_stream!(
        instance,
        "[method]output-stream.blocking-write-zeroes-and-flush",
        FileWrite,
        StreamWrite,
        |table, stream: Output, count: u64| Host::blocking_write_zeroes_and_flush(
            table, stream, count
        )
        .await
    );
    gate_stream!(
        instance,
        "[method]output-stream.blocking-flush",
        HostOther,
        HostOther,
        |table, stream: Output| Host::blocking_flush(table, stream).await
    );
    Ok(())
}

/// From one stream to another is reading and writing at once.
fn add_splices(instance: &mut LinkerInstance<'_, Guest>) -> wasmtime::Result<()> {
    use streams::HostOutputStream as Host;

    type Splice = (Output, Input, u64);

    instance.func_wrap_async(
        "[method]output-stream.splice",
        |mut store: StoreContextMut<'_, Guest>, (to, from, count): Splice| {
            Box::new(async move {
                let answer = match enter_splice(&mut store, &to, &from).await {
                    Ok(()) => Host::splice(store.data_mut().ctx().table, to, from, count),
                    Err(error) => Err(error),
                };
                told(&mut store, answer)
            })
        },
    )?;
    instance.func_wrap_async(
        "[method]output-stream.blocking-splice",
        |mut store: StoreContextMut<'_, Guest>, (to, from, count): Splice| {
            Box::new(async move {
                let answer = match enter_splice(&mut store, &to, &from).await {
                    Ok(()) => {
                        let table = store.data_mut().ctx().table;
                        Host::blocking_splice(table, to, from, count).await
                    }
                    Err(error) => Err(error),
                };
                told(&mut store, answer)
            })
        },
    )
}

async fn enter_splice(
    store: &mut StoreContextMut<'_, Guest>,
    to: &Output,
    from: &Input,
) -> Result<(), StreamError> {
    enter_stream(store, from.rep(), Call::FileRead, Call::StreamRead).await?;
    enter_stream(store, to.rep(), Call::FileWrite, Call::StreamWrite).await
}
