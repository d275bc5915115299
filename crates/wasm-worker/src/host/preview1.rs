//! WASI preview 1 for modules, over the guest's own files and streams.
//!
//! Owns the table of functions and how they are called: where the guest's memory is, what a failure
//! becomes, and that a call which has to wait is made again when the waiting is over. The functions
//! themselves are in the modules below, each a plain function that never waits.

mod descriptor;
mod memory;
mod path;
mod poll;
mod process;
mod table;

use atoll_types::calls::{CallAction, CallRules};
use wasmtime::{Caller, Extern, Linker, Memory};

use super::Guest;
use super::enter::Failure;
use memory::Bytes;
pub(super) use path::beside;
use table::Table;

/// The module name of WASI preview 1.
pub(crate) const MODULE: &str = "wasi_snapshot_preview1";

/// Whether a rule may delay any call. Functions that never wait are called faster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Delays {
    /// Only calls that wait by their nature do.
    Never,
    /// Every call may.
    Possible,
}

impl Delays {
    /// Which functions a guest with these rules needs.
    pub(crate) fn of(rules: &CallRules) -> Self {
        let mut actions = rules.rules.iter().map(|rule| rule.action);
        if actions.any(|action| matches!(action, CallAction::Delay(_))) {
            Self::Possible
        } else {
            Self::Never
        }
    }
}

/// What a guest has of preview 1.
#[derive(Default)]
pub(crate) struct State {
    memory: Option<Memory>,
    table: Table,
    /// How much of a call that waits has been done.
    progress: usize,
    /// When a call that waits was made first.
    began: Option<tokio::time::Instant>,
}

/// One call: the guest, and its memory.
struct Calling<'a> {
    guest: &'a mut Guest,
    memory: Bytes<'a>,
}

type Done = Result<(), Failure>;

/// What is left to do after a try.
enum Tried {
    Answer(u16),
    Wait(super::enter::Wait),
}

fn attempt(
    caller: &mut Caller<'_, Guest>,
    name: &str,
    call: impl FnOnce(&mut Calling<'_>) -> Done,
) -> wasmtime::Result<Tried> {
    let memory = match caller.data().preview1.memory {
        Some(memory) => memory,
        None => find_memory(caller)?,
    };
    let (bytes, guest) = memory.data_and_store_mut(&mut *caller);
    let memory = Bytes::new(bytes, name);
    let mut calling = Calling { guest, memory };
    let done = call(&mut calling);
    let answer = match done {
        Err(Failure::Wait(wait)) => {
            guest.gate.is_admitted = true;
            return Ok(Tried::Wait(wait));
        }
        Ok(()) => Ok(Tried::Answer(0)),
        Err(Failure::Errno(errno)) => Ok(Tried::Answer(errno as u16)),
        Err(Failure::Stop(error)) => Err(error),
    };
    guest.gate.is_admitted = false;
    guest.preview1.progress = 0;
    guest.preview1.began = None;
    answer
}

/// A module that asks for this has only one instance in its store, so its memory stays the same.
#[cold]
fn find_memory(caller: &mut Caller<'_, Guest>) -> wasmtime::Result<Memory> {
    let Some(Extern::Memory(memory)) = caller.get_export("memory") else {
        return Err(wasmtime::Error::msg(
            "the program calls its host without exporting its memory under the name memory",
        ));
    };
    caller.data_mut().preview1.memory = Some(memory);
    Ok(memory)
}

async fn call_waiting(
    mut caller: Caller<'_, Guest>,
    name: &'static str,
    call: impl Fn(&mut Calling<'_>) -> Done,
) -> wasmtime::Result<i32> {
    loop {
        match attempt(&mut caller, name, &call)? {
            Tried::Answer(errno) => return Ok(errno.into()),
            Tried::Wait(wait) => caller.data().wait(wait).await,
        }
    }
}

fn call_at_once(
    mut caller: Caller<'_, Guest>,
    name: &'static str,
    call: impl FnOnce(&mut Calling<'_>) -> Done,
) -> wasmtime::Result<i32> {
    match attempt(&mut caller, name, call)? {
        Tried::Answer(errno) => Ok(errno.into()),
        Tried::Wait(_) => Err(wasmtime::Error::msg(format!(
            "{name} has to wait and cannot: link the module for rules that delay calls"
        ))),
    }
}

/// Adds functions by name: `waits` for those that wait by their nature.
macro_rules! add {
    ($linker:ident, $delays:ident, $(
        $kind:ident $name:ident($($argument:ident: $type:ty),*);
    )+) => {
        $(add!(@one $kind $linker, $delays, $name($($argument: $type),*));)+
    };
    (@one plain $linker:ident, $delays:ident, $name:ident($($argument:ident: $type:ty),*)) => {
        if $delays == Delays::Never {
            $linker.func_wrap(
                MODULE,
                stringify!($name),
                |caller: Caller<'_, Guest>, $($argument: $type),*| {
                    call_at_once(caller, stringify!($name), |calling| {
                        calling.$name($($argument),*)
                    })
                },
            )?;
        } else {
            add!(@one waits $linker, $delays, $name($($argument: $type),*));
        }
    };
    (@one waits $linker:ident, $delays:ident, $name:ident($($argument:ident: $type:ty),*)) => {
        $linker.func_wrap_async(
            MODULE,
            stringify!($name),
            |caller: Caller<'_, Guest>, ($($argument,)*): ($($type,)*)| {
                Box::new(call_waiting(caller, stringify!($name), move |calling| {
                    calling.$name($($argument),*)
                }))
            },
        )?;
    };
}

/// Adds all of preview 1.
///
/// # Errors
/// When the linker has one of the functions already.
pub(crate) fn add_to_linker(linker: &mut Linker<Guest>, delays: Delays) -> wasmtime::Result<()> {
    add_process(linker, delays)?;
    add_descriptor(linker, delays)?;
    add_path(linker, delays)?;
    // It has no result, so it fits none of the above.
    linker.func_wrap_async(
        MODULE,
        "proc_exit",
        |caller: Caller<'_, Guest>, (code,): (i32,)| {
            Box::new(async move {
                call_waiting(caller, "proc_exit", move |calling| calling.proc_exit(code)).await?;
                // The call never succeeds; a rule that denies it has no way to say so.
                Err::<(), _>(wasmtime_wasi::I32Exit(code).into())
            })
        },
    )?;
    Ok(())
}

fn add_process(linker: &mut Linker<Guest>, delays: Delays) -> wasmtime::Result<()> {
    add!(linker, delays,
        plain args_get(pointers: u32, bytes: u32);
        plain args_sizes_get(count: u32, size: u32);
        plain environ_get(pointers: u32, bytes: u32);
        plain environ_sizes_get(count: u32, size: u32);
        plain clock_res_get(clock: u32, answer: u32);
        plain clock_time_get(clock: u32, precision: u64, answer: u32);
        waits random_get(at: u32, length: u32);
        waits sched_yield();
        plain proc_raise(signal: u32);
        waits poll_oneoff(subscriptions: u32, events: u32, count: u32, answer: u32);
        plain sock_accept(descriptor: u32, flags: u32, answer: u32);
        plain sock_recv(
            descriptor: u32, data: u32, data_count: u32, flags: u32, size: u32, answer: u32
        );
        plain sock_send(descriptor: u32, data: u32, data_count: u32, flags: u32, size: u32);
        plain sock_shutdown(descriptor: u32, how: u32);
    );
    Ok(())
}

fn add_descriptor(linker: &mut Linker<Guest>, delays: Delays) -> wasmtime::Result<()> {
    add!(linker, delays,
        plain fd_advise(descriptor: u32, offset: u64, length: u64, advice: u32);
        plain fd_allocate(descriptor: u32, offset: u64, length: u64);
        plain fd_close(descriptor: u32);
        plain fd_datasync(descriptor: u32);
        plain fd_fdstat_get(descriptor: u32, answer: u32);
        plain fd_fdstat_set_flags(descriptor: u32, flags: u32);
        plain fd_fdstat_set_rights(descriptor: u32, base: u64, inheriting: u64);
        plain fd_filestat_get(descriptor: u32, answer: u32);
        plain fd_filestat_set_size(descriptor: u32, size: u64);
        plain fd_filestat_set_times(descriptor: u32, accessed: u64, modified: u64, flags: u32);
        plain fd_pread(descriptor: u32, data: u32, data_count: u32, offset: u64, answer: u32);
        plain fd_prestat_get(descriptor: u32, answer: u32);
        plain fd_prestat_dir_name(descriptor: u32, name: u32, length: u32);
        plain fd_pwrite(descriptor: u32, data: u32, data_count: u32, offset: u64, answer: u32);
        waits fd_read(descriptor: u32, data: u32, data_count: u32, answer: u32);
        plain fd_readdir(descriptor: u32, at: u32, length: u32, cookie: u64, answer: u32);
        plain fd_renumber(from: u32, to: u32);
        plain fd_seek(descriptor: u32, offset: i64, whence: u32, answer: u32);
        plain fd_sync(descriptor: u32);
        plain fd_tell(descriptor: u32, answer: u32);
        waits fd_write(descriptor: u32, data: u32, data_count: u32, answer: u32);
    );
    Ok(())
}

fn add_path(linker: &mut Linker<Guest>, delays: Delays) -> wasmtime::Result<()> {
    add!(linker, delays,
        plain path_create_directory(directory: u32, path: u32, length: u32);
        plain path_filestat_get(directory: u32, follow: u32, path: u32, length: u32, answer: u32);
        plain path_filestat_set_times(
            directory: u32, follow: u32, path: u32, length: u32,
            accessed: u64, modified: u64, flags: u32
        );
        plain path_link(
            old_directory: u32, follow: u32, old: u32, old_length: u32,
            new_directory: u32, new: u32, new_length: u32
        );
        plain path_open(
            directory: u32, follow: u32, path: u32, length: u32, how: u32,
            base: u64, inheriting: u64, flags: u32, answer: u32
        );
        plain path_readlink(
            directory: u32, path: u32, length: u32, at: u32, size: u32, answer: u32
        );
        plain path_remove_directory(directory: u32, path: u32, length: u32);
        plain path_rename(
            old_directory: u32, old: u32, old_length: u32,
            new_directory: u32, new: u32, new_length: u32
        );
        plain path_symlink(old: u32, old_length: u32, directory: u32, new: u32, new_length: u32);
        plain path_unlink_file(directory: u32, path: u32, length: u32);
    );
    Ok(())
}
