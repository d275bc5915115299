//! `atoll bench loop`: what deciding about a message costs, without running it.

use atoll_engine::{
    Engine, Options, PolicyText, ProgramFile, Request, Submission, backends, now_unix_ms, random,
};
use atoll_types::{Message, Origin, Stdin, TenantId, Usage};

use super::samples::{Samples, as_json, as_text};
use super::{REPORT, directory};
use crate::args::BenchArgs;
use crate::error::CliError;
use crate::terminal::print;

const ITERATIONS: u32 = 2_000;
const STAGES: [&str; 5] = ["analyze", "risk", "predict", "decide", "record"];

/// What each pretended run used: about what the program needs.
const USAGE: Usage = Usage {
    wall_time_us: 60_000,
    cpu_time_us: 45_000,
    memory_peak_bytes: 14 << 20,
    output_bytes: 2_000,
    disk_bytes: 0,
    processes_peak: 1,
};

pub(super) async fn run(args: &BenchArgs) -> Result<u8, CliError> {
    let state = directory()?;
    let engine = Engine::open(Options {
        state_dir: state.path().to_owned(),
        policy: PolicyText::builtin(),
        backends: backends(),
        pools: None,
    })?;
    let iterations = args.iterations.unwrap_or(ITERATIONS);
    let mut stages: Vec<(&str, Samples)> = STAGES.map(|stage| (stage, Samples::default())).into();
    let mut totals = Samples::default();
    for _ in 0..iterations {
        let timings = engine
            .measure(&message()?, &Request::default(), USAGE)
            .await?;
        for (stage, samples) in &mut stages {
            samples.add(timings.stages.get(*stage).copied().unwrap_or(0));
        }
        totals.add(timings.total);
    }
    engine.close().await;
    let mut rows: Vec<_> = stages
        .iter()
        .map(|(stage, samples)| samples.row("loop", "atoll", stage))
        .collect();
    rows.push(totals.row("loop", "atoll", "all"));
    print(&if args.json {
        as_json(&rows, &[])
    } else {
        as_text(&rows, &[])
    })?;
    Ok(0)
}

fn message() -> Result<Message, CliError> {
    let system = |source| CliError::System {
        attempt: "draw a random message id",
        source,
    };
    let tenant = TenantId::new("bench").map_err(|error| CliError::Bench {
        subject: "atoll".to_owned(),
        what: error.to_string(),
    })?;
    let submission = Submission {
        program: ProgramFile {
            name: "report.py".to_owned(),
            bytes: REPORT.as_bytes().into(),
        },
        arguments: vec![b"sales.csv".to_vec()],
        stdin: Stdin::Empty,
        files: Vec::new(),
        environment: Vec::new(),
        tenant,
        origin: Origin::CommandLine,
    };
    Ok(submission.into_message(now_unix_ms(), random().map_err(system)?)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_workload_is_a_script_of_200_lines() {
        assert_eq!(REPORT.lines().count(), 200);
        assert!(message().is_ok());
    }
}
