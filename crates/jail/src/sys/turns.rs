//! Whose turn it is on a processor: supervisor before program.
//!
//! A supervisor that wakes a program has more to do than the program has lost by waiting, and one
//! that is woken by a program has an answer to pass on. Left alone, the scheduler lets whoever is
//! woken or running finish a turn of milliseconds first.

use std::cell::Cell;
use std::io;

/// How long a turn of the supervisor is, in nanoseconds: the shortest that Linux gives.
const SHORT_TURN_NS: u64 = 100_000;

/// A new process does not inherit what is set here (`SCHED_FLAG_RESET_ON_FORK`).
const RESET_ON_FORK: u64 = 1;

/// `struct sched_attr` of sched_setattr(2), in its first version.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Attributes {
    size: u32,
    policy: u32,
    flags: u64,
    nice: i32,
    priority: u32,
    runtime: u64,
    deadline: u64,
    period: u64,
}

const SIZE: u32 = size_of::<Attributes>() as u32;

/// Gives this thread short turns, after which it does not have to wait for one that has a long turn
/// (Linux 6.12 and later; before, nothing changes). A thread that is scheduled in its own way stays
/// as it is.
pub fn take_short_turns() {
    thread_local!(static DONE: Cell<bool> = const { Cell::new(false) });
    if DONE.replace(true) {
        return;
    }
    // Where this fails, answers come later, and nothing else is different.
    if let Ok(own) = attributes()
        && own.policy == libc::SCHED_OTHER.cast_unsigned()
        && own.nice == 0
    {
        let _ = set(Attributes {
            flags: RESET_ON_FORK,
            runtime: SHORT_TURN_NS,
            ..own
        });
    }
}

/// Makes this process and all its descendants wait for their turn (`SCHED_BATCH` of sched(7)): when
/// woken they do not take the processor away from whoever has it.
///
/// # Errors
/// The kernel's answer to sched_setattr(2). It takes no privilege, except in a thread that takes
/// short turns.
pub fn wait_for_turns() -> io::Result<()> {
    set(Attributes {
        policy: libc::SCHED_BATCH.cast_unsigned(),
        flags: 0,
        runtime: 0,
        ..attributes()?
    })
}

/// Takes back [`wait_for_turns`] for a process that others wait for, and gives it short turns.
///
/// # Errors
/// The kernel's answer to sched_setattr(2).
pub fn wait_no_longer() -> io::Result<()> {
    set(Attributes {
        policy: libc::SCHED_OTHER.cast_unsigned(),
        flags: RESET_ON_FORK,
        runtime: SHORT_TURN_NS,
        ..attributes()?
    })
}

fn attributes() -> io::Result<Attributes> {
    let mut own = Attributes::default();
    // SAFETY: the structure has the size that is passed along and lives until the call returns.
    let read = unsafe { libc::syscall(libc::SYS_sched_getattr, 0, &raw mut own, SIZE, 0) };
    match read {
        0 => Ok(own),
        _ => Err(io::Error::last_os_error()),
    }
}

fn set(wanted: Attributes) -> io::Result<()> {
    let wanted = Attributes {
        size: SIZE,
        ..wanted
    };
    // SAFETY: the structure says its size and lives until the call returns, which only reads it.
    let set = unsafe { libc::syscall(libc::SYS_sched_setattr, 0, &raw const wanted, 0) };
    match set {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_a_thread<T: Send + 'static>(test: fn() -> T) -> T {
        std::thread::spawn(test).join().unwrap()
    }

    #[test]
    fn a_supervisor_takes_short_turns() {
        let own = in_a_thread(|| {
            take_short_turns();
            attributes().unwrap()
        });
        // Kernels before 6.12 do not tell.
        assert!([0, SHORT_TURN_NS].contains(&own.runtime), "{}", own.runtime);
        assert_eq!(own.policy, libc::SCHED_OTHER.cast_unsigned());
    }

    #[test]
    fn a_launcher_waits_for_turns() {
        let own = in_a_thread(|| {
            wait_for_turns().unwrap();
            attributes().unwrap()
        });
        assert_ne!(own.runtime, SHORT_TURN_NS);
        assert_eq!(own.policy, libc::SCHED_BATCH.cast_unsigned());
        let own = in_a_thread(|| {
            wait_for_turns().unwrap();
            wait_no_longer().unwrap();
            attributes().unwrap()
        });
        assert_eq!(own.policy, libc::SCHED_OTHER.cast_unsigned());
    }
}
