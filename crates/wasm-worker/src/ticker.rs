//! Moves the runtimes' epochs on while guests run, so that each of them looks at the time.
//!
//! Owns one thread. It sleeps while no guest runs; a worker that waits costs nothing.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, Thread};
use std::time::Duration;

use wasmtime::Engine;

/// How long a guest may go without looking at the time, and how long its turn is among others.
pub(crate) const TICK: Duration = Duration::from_millis(1);

/// Ticks without a guest after which the thread goes to sleep.
const IDLE_TICKS: u32 = 20;

/// The thread only sleeps and counts.
const STACK_BYTES: usize = 64 << 10;

/// The thread, and what it has to know.
#[derive(Debug)]
pub(crate) struct Ticker {
    shared: Arc<Shared>,
    thread: Thread,
}

#[derive(Debug, Default)]
struct Shared {
    guests: AtomicUsize,
    asleep: AtomicBool,
}

impl Ticker {
    /// Starts the thread; it must exist before the worker gives up starting threads.
    pub(crate) fn start(engines: [Engine; 2]) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let seen = Arc::clone(&shared);
        let thread = thread::Builder::new()
            .name("ticker".to_owned())
            .stack_size(STACK_BYTES)
            .spawn(move || tick(&seen, &engines))?;
        Ok(Self {
            shared,
            thread: thread.thread().clone(),
        })
    }

    /// Says that one more guest runs, until the answer is dropped.
    pub(crate) fn run(&self) -> Running {
        self.shared.guests.fetch_add(1, Ordering::SeqCst);
        if self.shared.asleep.load(Ordering::SeqCst) {
            self.thread.unpark();
        }
        Running(Arc::clone(&self.shared))
    }
}

/// A guest runs as long as this exists.
#[derive(Debug)]
pub(crate) struct Running(Arc<Shared>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.guests.fetch_sub(1, Ordering::SeqCst);
    }
}

fn tick(shared: &Shared, engines: &[Engine]) {
    let mut idle = 0_u32;
    loop {
        thread::sleep(TICK);
        if shared.guests.load(Ordering::SeqCst) > 0 {
            idle = 0;
            for engine in engines {
                engine.increment_epoch();
            }
            continue;
        }
        idle = idle.saturating_add(1);
        if idle > IDLE_TICKS {
            shared.asleep.store(true, Ordering::SeqCst);
            // One that came since is not overlooked: either it saw that this thread sleeps, and
            // unparks it, or this thread sees it.
            while shared.guests.load(Ordering::SeqCst) == 0 {
                thread::park();
            }
            shared.asleep.store(false, Ordering::SeqCst);
            idle = 0;
        }
    }
}
