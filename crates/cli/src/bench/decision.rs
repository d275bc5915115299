//! `atoll bench loop`: what deciding about a message costs, without running it.

use atoll_engine::Request;
use atoll_types::{Message, Usage};

use super::samples::{Samples, show};
use super::{REPORT, directory, engine, workload};
use crate::args::BenchArgs;
use crate::error::CliError;

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
    io: None,
};

pub(super) async fn run(args: &BenchArgs) -> Result<u8, CliError> {
    let state = directory()?;
    let engine = engine(state.path(), None)?;
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
    show(args, &rows, &[])
}

fn message() -> Result<Message, CliError> {
    workload("report.py", REPORT.as_bytes(), vec![b"sales.csv".to_vec()])
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
