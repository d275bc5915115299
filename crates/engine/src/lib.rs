//! The way of a message, from program bytes to recorded outcome.
//!
//! ```text
//! Message
//!   -> analyze   what is this program?           Analysis
//!   -> risk      who sent it, what did they do?  Risk
//!   -> predict   what will it need?              Profile
//!   -> decide    policy rules                    Decision
//!   -> provide   what it finds around it         Environment
//!   -> take      a sandbox of the level          Sandbox, Enforcement
//!   -> run       watched, under limits           Watched
//!   -> collect   the files it left, if wanted   Collection
//!   -> destroy   the sandbox
//!   -> record    the outcome                     Outcome
//! ```
//!
//! [`Engine::run`] is that list; each stage is a file in `stages`. The engine owns the order of
//! the stages, the clock, and the promise that every accepted message ends in exactly one outcome.
//! It knows no command line, no network protocol and no wire format.

mod clock;
mod doctor;
mod engine;
mod error;
mod explain;
mod fate;
mod look_back;
mod measure;
mod output;
mod read;
mod stages;
mod submission;
mod verdict;
mod way;

use std::sync::Arc;

use atoll_sandbox::Backend;
use atoll_sandbox_oci::OciBackend;
use atoll_types::Level;

mod install;
pub mod instances;
mod laws;

/// Reading, checking and showing policies.
pub mod policy {
    pub use atoll_policy::{Diagnostic, Policy, Severity, check};
}

pub use atoll_adapt::BudgetReport;
pub use atoll_monitor::{Flow, Observer, Stream};
pub use atoll_policy::Request;
pub use atoll_pool::{Options as PoolOptions, PoolReport};
pub use atoll_predict::{Quantity, StartPart, law, rank_correlation, start};
pub use atoll_provision::{Layer as PackageLayer, Progress as InstallProgress};
pub use atoll_sandbox::Environment;
pub use atoll_sandbox_vm::boot_command;
pub use atoll_store::{Details, Filter, Progress, Record, Row, TenantSummary, Totals};

pub use crate::clock::{now_unix_ms, random};
pub use crate::doctor::{Diagnosis, KindDiagnosis, KvmDiagnosis, LevelDiagnosis, Mechanism};
pub use crate::engine::{Engine, Options, PolicyText};
pub use crate::error::{EngineError, Warning};
pub use crate::explain::Explanation;
pub use crate::install::InstallError;
pub use crate::laws::{Sized, Tried};
pub use crate::measure::{Confinement, SandboxTimes};
pub use crate::output::{OutputDirectory, OutputError};
pub use crate::read::{
    INPUT_BYTES_MAX, ProgramFile, ReadError, input_file, program_file, text_file,
};
pub use crate::stages::piece;
pub use crate::submission::{InvalidSubmission, Submission};
pub use crate::verdict::CutShort;
pub use crate::way::{Report, RunOptions, Stop, Tell, TellEvent};

/// The backends of this build, one for each level it can run at.
#[must_use]
pub fn backends() -> Vec<Arc<dyn Backend>> {
    backends_with([])
}

/// The same, with OCI runtimes in the place of what this build has for some levels. That they are
/// as strong, their user declares. The last one for a level counts.
#[must_use]
pub fn backends_with(runtimes: impl IntoIterator<Item = (Level, String)>) -> Vec<Arc<dyn Backend>> {
    let mut backends: Vec<Arc<dyn Backend>> = vec![
        Arc::new(atoll_sandbox_wasm::WasmBackend::new()),
        Arc::new(atoll_sandbox_process::ProcessBackend::new()),
        Arc::new(OciBackend::gvisor()),
        Arc::new(atoll_sandbox_vm::VmBackend::new()),
    ];
    for (level, name) in runtimes {
        let configured = Arc::new(OciBackend::configured(&name, level));
        if let Some(backend) = backends.iter_mut().find(|it| it.level() == level) {
            *backend = configured;
        }
    }
    backends
}
