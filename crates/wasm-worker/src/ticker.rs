//! Moves the runtimes' epochs on while guests run, so that each of them looks at the time.
//!
//! Owns a timer of the process, whose signal interrupts the worker's only thread. A second thread
//! could tick as well, but every change to the memory that the two share would interrupt the
//! processor that the other one sits on, and each instance that is made or taken apart is several
//! such changes. The timer only goes while there are guests; a worker that waits costs nothing.

#![allow(
    unsafe_code,
    reason = "there is no safe wrapper for signal handlers and timers"
)]

use std::io;
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use wasmtime::Engine;

/// How long a guest may go without looking at the time, and how long its turn is among others.
pub(crate) const TICK: Duration = Duration::from_millis(1);

/// Ticks without a guest after which the timer stops. Messages that come one after the other do not
/// set it each time.
const IDLE_TICKS: u32 = 2;

/// The exit code of a worker whose timer cannot be set any more.
const NO_TIMER: i32 = 126;

static TIMER: Timer = Timer {
    engines: OnceLock::new(),
    guests: AtomicU32::new(0),
    idle: AtomicU32::new(0),
    goes: AtomicBool::new(false),
};

/// What the signal's handler has to know. It runs in the thread that it interrupts, so whatever one
/// of the two does is whole to the other.
struct Timer {
    engines: OnceLock<[Engine; 2]>,
    guests: AtomicU32,
    /// Ticks since the last guest ended.
    idle: AtomicU32,
    goes: AtomicBool,
}

/// The process's timer. There is one.
#[derive(Debug)]
pub(crate) struct Ticker(());

impl Ticker {
    /// Takes the timer over for these engines.
    ///
    /// # Errors
    /// When that has happened before, or the kernel refuses the signal's handler or the timer.
    pub(crate) fn start(engines: [Engine; 2]) -> io::Result<Self> {
        let fresh = TIMER.engines.set(engines);
        fresh.map_err(|_| io::Error::other("the process has one timer, which is taken"))?;
        handle_signal()?;
        set_timer(Duration::ZERO)?;
        Ok(Self(()))
    }

    /// Says that one more guest runs, until the answer is dropped.
    pub(crate) fn run(&self) -> Running {
        TIMER.guests.fetch_add(1, Ordering::SeqCst);
        // A tick between these two sees the guest and does not stop the timer.
        if !TIMER.goes.swap(true, Ordering::SeqCst) {
            TIMER.idle.store(0, Ordering::SeqCst);
            if set_timer(TICK).is_err() {
                // A guest that nothing interrupts must not run.
                std::process::exit(NO_TIMER);
            }
        }
        Running(())
    }
}

/// A guest runs as long as this exists.
#[derive(Debug)]
pub(crate) struct Running(());

impl Drop for Running {
    fn drop(&mut self) {
        TIMER.guests.fetch_sub(1, Ordering::SeqCst);
    }
}

/// One tick. Nothing here waits, takes memory or locks.
extern "C" fn tick(_signal: libc::c_int) {
    if TIMER.guests.load(Ordering::SeqCst) > 0 {
        TIMER.idle.store(0, Ordering::SeqCst);
        for engine in TIMER.engines.get().into_iter().flatten() {
            engine.increment_epoch();
        }
    } else if TIMER.idle.fetch_add(1, Ordering::SeqCst) >= IDLE_TICKS {
        let _ = set_timer(Duration::ZERO);
        TIMER.goes.store(false, Ordering::SeqCst);
    }
}

fn handle_signal() -> io::Result<()> {
    let mut action = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: all zeros are a valid `sigaction`: the default action, no flags, no signals blocked.
    let action = unsafe { action.assume_init_mut() };
    action.sa_sigaction = tick as extern "C" fn(libc::c_int) as libc::sighandler_t;
    // Guests have stacks of their own, of which as good as nothing may be left.
    action.sa_flags = libc::SA_RESTART | libc::SA_ONSTACK;
    // SAFETY: `action` is whole, and its handler does nothing that a handler must not do: it reads
    // and writes atomics, and makes one system call.
    let taken = unsafe { libc::sigaction(libc::SIGALRM, action, ptr::null_mut()) };
    if taken == -1 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// Makes the timer tick from now on, or stops it.
fn set_timer(every: Duration) -> io::Result<()> {
    let every = libc::timeval {
        tv_sec: 0,
        tv_usec: libc::suseconds_t::from(every.subsec_micros()),
    };
    let timer = libc::itimerval {
        it_interval: every,
        it_value: every,
    };
    // SAFETY: `timer` lives through the call, which writes nothing.
    let set = unsafe { libc::setitimer(libc::ITIMER_REAL, &raw const timer, ptr::null_mut()) };
    if set == -1 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}
