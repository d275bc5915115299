//! What a guest can reach: its own files, its streams, clocks and randomness. Nothing of the
//! host's file system and no network.
//!
//! Owns the state of one guest in its store, and the functions that WASI gives to modules
//! (`preview1`) and components (`preview2`). Every one of them goes through one gate (`enter`),
//! where calls are counted and rules decide. It does not know how programs are compiled, what
//! starts them, or where their output goes.
//!
//! ```text
//! Guest::new(Parts)                               the data of a store
//! preview1::add_to_linker(&mut linker, delays)    modules; once for each engine and `Delays`
//! preview2::add_to_linker(&mut linker)            components; once for each engine
//! guest.hit(), .leavings(), .take_audit()         when it has ended
//! ```

pub(crate) mod enter;
pub(crate) mod errno;
pub(crate) mod files;
pub(crate) mod preview1;
pub(crate) mod preview2;
pub(crate) mod streams;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Instant, SystemTime};

use atoll_types::calls::{Call, CallAudit, CallRules};
use atoll_types::{IoUsage, LimitName};
use wasmtime_wasi::{WasiCtxView, WasiView};

use crate::clock::Over;
use crate::limiter::Limiter;
use enter::{Argument, Failure, Gate, Wait};
use files::{FileHit, Files, Leaving};
use streams::{Input, Output};

/// Random bytes that a guest gets from one call at most.
pub(crate) const RANDOM_BYTES_MAX: u64 = 16 << 20;

/// The names under which a guest finds its directories. wasi-libc resolves relative paths against
/// `/`; `/work` is the directory's path at other levels of isolation, so that the same arguments
/// work everywhere; programs that look for the directory `.` by name find it. `/` comes first
/// because some standard libraries take the first one as working directory.
pub(crate) const DIRECTORIES: [(&str, files::NodeId); 4] = [
    ("/", files::WORK),
    ("/work", files::WORK),
    (".", files::WORK),
    ("/tmp", files::TEMPORARY),
];

/// The files of a guest, where its open streams reach them as well.
#[derive(Clone)]
pub(crate) struct SharedFiles(Arc<Mutex<Files>>);

impl SharedFiles {
    /// Gives files to a guest.
    pub(crate) fn new(files: Files) -> Self {
        Self(Arc::new(Mutex::new(files)))
    }

    /// The files, for a moment.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Files> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a guest is made of.
pub(crate) struct Parts<'a> {
    /// The program's own name, and its arguments.
    pub(crate) arguments: Vec<String>,
    /// Environment variables, in order.
    pub(crate) environment: Vec<(String, String)>,
    /// Its files, with the inputs in them.
    pub(crate) files: Files,
    pub(crate) input: Input,
    pub(crate) output: Output,
    pub(crate) error: Output,
    /// How many calls it may make of its host.
    pub(crate) calls_max: u64,
    /// What becomes of its calls. Empty rules cost nothing.
    pub(crate) rules: &'a CallRules,
    /// Bounds its memory.
    pub(crate) limiter: Limiter,
}

/// A limit of the host's side that a guest ran into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hit {
    /// The bytes or the number of its files.
    Disk,
    /// Open files.
    OpenFiles,
    /// Standard output and error together.
    Output,
}

/// The data of a store: one guest.
pub(crate) struct Guest {
    /// Bounds its memory; give it to `Store::limiter`.
    pub(crate) limiter: Limiter,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    files: SharedFiles,
    input: Input,
    output: Output,
    error: Output,
    gate: Gate,
    began: Instant,
    preview1: preview1::State,
    /// Only components need it, and making it takes longer than many a module runs.
    component: Option<Box<preview2::State>>,
}

impl Guest {
    /// A guest that has not begun.
    pub(crate) fn new(parts: Parts<'_>) -> Self {
        Self {
            limiter: parts.limiter,
            arguments: parts.arguments,
            environment: parts.environment,
            files: SharedFiles::new(parts.files),
            input: parts.input,
            output: parts.output,
            error: parts.error,
            gate: Gate::new(parts.calls_max, parts.rules),
            began: Instant::now(),
            preview1: preview1::State::default(),
            component: None,
        }
    }

    /// Becomes another guest, whose memory is this one's; `limiter` is told.
    pub(crate) fn hand_over(&mut self, other: Self, tell: impl FnOnce(&mut Limiter)) {
        let before = std::mem::replace(self, other);
        self.limiter = before.limiter;
        tell(&mut self.limiter);
    }

    /// Bytes in its files.
    pub(crate) fn file_bytes(&self) -> u64 {
        self.files.lock().bytes()
    }

    /// What it read and wrote.
    pub(crate) fn io(&self) -> IoUsage {
        let files = self.files.lock();
        IoUsage {
            reads: self.gate.reads,
            writes: self.gate.writes,
            read_bytes: files.read_bytes().saturating_add(self.input.taken()),
            // Both streams are bounded, and counted, together.
            written_bytes: files.written_bytes().saturating_add(self.output.taken()),
        }
    }

    /// The limit that it ran into first, if any. That it did does not mean that it mattered.
    pub(crate) fn hit(&self) -> Option<Hit> {
        if self.output.is_over() {
            return Some(Hit::Output);
        }
        self.files.lock().hit().map(|hit| match hit {
            FileHit::Disk => Hit::Disk,
            FileHit::OpenFiles => Hit::OpenFiles,
        })
    }

    /// Every file that is in its working directory.
    pub(crate) fn leavings(&self) -> Vec<Leaving> {
        self.files.lock().leavings()
    }

    /// What it called, when its rules ask for that. To be taken once, at its end.
    pub(crate) fn take_audit(&mut self) -> Option<CallAudit> {
        self.gate.take_audit()
    }

    fn enter(&mut self, call: Call, arguments: &[Argument<'_>]) -> Result<(), Failure> {
        self.gate.enter(&self.files, call, arguments)?;
        // What the last call did to the files counts before the next one does more.
        let bytes = self.files.lock().bytes().saturating_add(self.gate.bytes());
        if self.limiter.hold_files(bytes) {
            Ok(())
        } else {
            let over = Over::Limit(LimitName::Memory);
            Err(Failure::Stop(over.into()))
        }
    }

    /// Waits without borrowing the guest.
    fn wait(&self, wait: Wait) -> impl Future<Output = ()> + Send + use<> {
        let (output, error) = (self.output.clone(), self.error.clone());
        wait.over(self.input.clone(), output, error)
    }
}

impl WasiView for Guest {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        let Self {
            component,
            arguments,
            environment,
            input,
            output,
            error,
            ..
        } = self;
        let state = component.get_or_insert_with(|| {
            let streams = (input.clone(), output.clone(), error.clone());
            Box::new(preview2::State::new(arguments, environment, streams))
        });
        state.view()
    }
}

/// Nanoseconds since 1970.
pub(crate) fn wall_clock() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| {
        u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
    })
}
