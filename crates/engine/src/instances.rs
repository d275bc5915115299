//! Programs in instances of WebAssembly, without the way of a message around them.
//!
//! For callers that have decided already and run the same program many times, such as a benchmark.
//! Nothing is analyzed, decided or recorded here.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use atoll_sandbox::Backend;
use atoll_sandbox_wasm::WasmBackend;
use atoll_types::calls::CallRules;
use atoll_types::{Limits, Message};

use crate::way::chain;
use crate::{Engine, stages};

pub use atoll_sandbox::{Domain, Tenancy};
pub use atoll_sandbox_wasm::{NOTHING, Prepared, WaitingMemory};

/// Workers, and what they run.
#[derive(Debug)]
pub struct Instances {
    backend: WasmBackend,
}

impl Instances {
    /// Workers are started when they are needed; compiled programs are kept in the state directory.
    #[must_use]
    pub fn new(state_dir: &Path) -> Self {
        let backend = WasmBackend::new();
        backend.keep_in(state_dir);
        Self { backend }
    }

    /// Compiles a message's program, or finds it compiled.
    ///
    /// # Errors
    /// A sentence that says why it cannot be run.
    pub async fn prepare(&self, message: &Message, limits: &Limits) -> Result<Prepared, String> {
        let none = BTreeSet::new();
        let job = stages::job(message, &CallRules::default(), None);
        let prepared = self.backend.prepare(job, limits, &none).await;
        prepared.map_err(|error| chain(&error))
    }

    /// Runs a program once, in an instance of its own; answers with its exit code.
    ///
    /// # Errors
    /// A sentence that says why it did not come to an exit.
    pub async fn run(&self, prepared: &Prepared, tenancy: &Tenancy) -> Result<i32, String> {
        let finished = self.backend.run(prepared, &[], tenancy).await;
        let finished = finished.map_err(|error| chain(&error))?;
        match finished.end {
            Ok(atoll_sandbox_wasm::protocol::GuestEnd::Exited { code, .. }) => Ok(code),
            Ok(end) => Err(format!("the program ended with {end:?}")),
            Err(lost) => Err(lost.reason),
        }
    }

    /// CPU time of all sandboxes.
    #[must_use]
    pub fn cpu_time(&self) -> Duration {
        Engine::cpu_time_of_sandboxes().unwrap_or_default()
    }

    /// What so many waiting instances of a script's interpreter take of memory.
    ///
    /// # Errors
    /// A sentence that says why they cannot wait.
    pub async fn memory_of_waiting(
        &self,
        prepared: &Prepared,
        count: u32,
    ) -> Result<WaitingMemory, String> {
        let measured = self.backend.memory_of_waiting(prepared, count).await;
        measured.map_err(|error| chain(&error))
    }

    /// Ends all workers.
    pub async fn close(&self) {
        self.backend.close().await;
    }
}
