//! `atoll bench`: measures this build on this host, beside what else could do the job.
//!
//! Owns subjects, workloads and the table of figures. A benchmark is no test: it passes no
//! judgement on what it measures.

mod decision;
mod instance;
mod kernels;
mod oci;
mod peers;
mod prediction;
mod process;
mod samples;
mod serve;
mod warm;

use std::path::Path;

use atoll_engine::{Engine, Options, PolicyText, PoolOptions, ProgramFile, Submission, backends};
use atoll_types::{Message, Origin, Stdin, TenantId};

use crate::args::BenchCommand;
use crate::error::CliError;
use crate::message;

/// The program whose decision is measured: a report of 200 lines, such as people write.
const REPORT: &str = include_str!("bench/report.py");

/// The smallest program there is a point in running.
const HELLO: &str = "print('hello')\n";

pub(crate) async fn run(command: BenchCommand) -> Result<u8, CliError> {
    match command {
        BenchCommand::Loop(args) => decision::run(&args).await,
        BenchCommand::Run(args) => process::run(&args),
        BenchCommand::Process(args) => warm::run(&args).await,
        BenchCommand::Instance(args) => instance::run(&args).await,
        BenchCommand::Vm(args) => kernels::run(&args).await,
        BenchCommand::Prediction(args) => prediction::run(&args).await,
    }
}

/// A program to measure, as a message.
fn workload(name: &str, bytes: &[u8], arguments: Vec<Vec<u8>>) -> Result<Message, CliError> {
    let tenant = TenantId::new("bench").map_err(|error| CliError::Bench {
        subject: "atoll".to_owned(),
        what: error.to_string(),
    })?;
    message::arrived(Submission {
        program: ProgramFile {
            name: name.to_owned(),
            bytes: bytes.into(),
        },
        parts: atoll_types::Parts::default(),
        arguments,
        sample: None,
        stdin: Stdin::Empty,
        files: Vec::new(),
        environment: Vec::new(),
        tenant,
        origin: Origin::CommandLine,
    })
}

/// An engine with the builtin policy, which keeps its state in this directory.
fn engine(place: &Path, pools: Option<PoolOptions>) -> Result<Engine, CliError> {
    engine_with(place, pools, PolicyText::builtin())
}

fn engine_with(
    place: &Path,
    pools: Option<PoolOptions>,
    policy: PolicyText,
) -> Result<Engine, CliError> {
    Ok(Engine::open(Options {
        state_dir: place.join("state"),
        policy,
        backends: backends(),
        pools,
        memory_bytes: None,
    })?)
}

/// A directory that goes away with the benchmark.
fn directory() -> Result<tempfile::TempDir, CliError> {
    tempfile::Builder::new()
        .prefix("atoll-bench-")
        .tempdir()
        .map_err(|source| CliError::System {
            attempt: "make a temporary directory; set TMPDIR to a directory that can be written",
            source,
        })
}
