//! Runs one attempt with some layers off, and looks at what came of it.

use std::fmt;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use serde_json::Value;

use super::stand::{SECRET, Stand};
use super::trials::{Success, Trial};
use crate::{Atoll, ISOLATION_POLICY, Report, finish, repository};

/// What an attempt came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Seen {
    /// It worked; in its own words.
    Success(String),
    /// It did not; the error, the limit, or what it saw instead.
    Held(String),
    /// The sandbox could not be made so, and nothing was run.
    Refused,
}

impl Seen {
    pub(super) fn is_success(&self) -> bool {
        matches!(self, Self::Success(_))
    }

    pub(super) fn is_held(&self) -> bool {
        matches!(self, Self::Held(_))
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Success(words) => write!(f, "worked: {words}"),
            Self::Held(words) => f.write_str(words),
            Self::Refused => f.write_str("refused"),
        }
    }
}

/// What an attempt is shown in a table, at most.
const WORDS_MAX: usize = 60;

/// What was killed may take this long to go.
const GRACE: Duration = Duration::from_millis(300);

/// Limits that Atoll itself holds are "off" when they are far beyond what any attempt needs.
const HELD_BY_ATOLL: [(&str, (&str, &str)); 2] = [
    ("wall-clock", ("wall_time", "\"1min\"")),
    ("output-cap", ("output", "\"64MiB\"")),
];

/// Makes the attempt of a trial with these layers off.
pub(super) fn run(
    atoll: &Atoll,
    stand: &mut Stand,
    trial: &Trial,
    off: &[&str],
) -> Result<Seen, String> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let mark = format!("trial-{}-{count}", std::process::id());
    let place = tempfile::tempdir().map_err(|error| format!("no place for a run: {error}"))?;
    let collected = place.path().join("collected");
    let policy = place.path().join("policy.toml");
    fs::write(&policy, policy_text(trial, off)).map_err(|error| error.to_string())?;

    let programs = repository().join("crates/acceptance/tests/escape/programs");
    // Descriptor 9 stays open on the way: a directory of the host that nobody should inherit.
    let mut command = Command::new("sh");
    atoll.prepare(&mut command);
    command
        .args(["-c", "exec 9< \"$0\"; exec \"$@\""])
        .arg(stand.directory())
        .arg(atoll.program())
        .env("ATOLL_ABLATION", of_jail(off))
        .env("ATOLL_ABLATION_SHOWN", stand.directory())
        .env("SECRET_OF_THE_CALLER", &mark)
        .args(["run", "--json", "--policy"])
        .arg(&policy)
        .arg("--input")
        .arg(programs.join("attempts.py"))
        .args(["--env", &format!("ONLY={}", trial.attempt)])
        .args(["--env", &format!("SEGMENT={}", stand.segment())]);
    if trial.success == Success::Collected {
        command.arg("--output").arg(&collected);
    }
    command
        .args(trial.options)
        .arg(programs.join(trial.program))
        .arg(&mark)
        .args(stand.arguments()?);
    let finished = finish(command, b"")?;
    let report = Report::parse(&finished.stdout)
        .map_err(|problem| format!("{problem}: {}", finished.stderr_text()))?;
    if trial.success == Success::Outlives {
        std::thread::sleep(GRACE);
    }
    let outlives = end_what_is_left(&mark);
    stand.restore()?;
    Ok(judge(trial, &report, outlives, &collected))
}

/// What the jail itself leaves out.
fn of_jail(off: &[&str]) -> String {
    let own = off
        .iter()
        .filter(|layer| HELD_BY_ATOLL.iter().all(|(held, _)| held != *layer));
    own.copied().collect::<Vec<_>>().join(",")
}

/// The policy that judges nobody, with the trial's limits.
fn policy_text(trial: &Trial, off: &[&str]) -> String {
    let raised = HELD_BY_ATOLL
        .iter()
        .filter(|(layer, _)| off.contains(layer))
        .map(|(_, limit)| *limit);
    let limits: Vec<_> = trial.limits.iter().copied().chain(raised).collect();
    let line = |line: &str| {
        let name = line.split(" = ").next().unwrap_or_default();
        let own = limits.iter().rev().find(|(limit, _)| *limit == name);
        own.map_or_else(
            || line.to_owned(),
            |(name, value)| format!("{name} = {value}"),
        )
    };
    let lines: Vec<_> = ISOLATION_POLICY.lines().map(line).collect();
    lines.join("\n")
}

fn judge(trial: &Trial, report: &Report, outlives: bool, collected: &Path) -> Seen {
    if report.status == "refused" {
        return Seen::Refused;
    }
    let said = said(report, trial.attempt);
    let worked = match trial.success {
        Success::Done => said == "ok",
        Success::Saw(words) => said.starts_with(words),
        Success::Outlives => outlives,
        Success::Collected => holds_secret(collected),
    };
    let mut words: String = said.chars().take(WORDS_MAX).collect();
    if matches!(trial.success, Success::Outlives | Success::Collected) {
        words = if worked { "it did" } else { "it did not" }.to_owned();
    }
    if worked {
        Seen::Success(words)
    } else {
        Seen::Held(words)
    }
}

/// What the program said of its attempt; how it ended when it could say nothing.
fn said(report: &Report, attempt: &str) -> String {
    let output = report.stdout();
    let mut seen = None;
    for line in output.split(|byte| *byte == b'\n') {
        let line: Value = serde_json::from_slice(line).unwrap_or_default();
        if let Some(words) = line
            .pointer("/attempts")
            .and_then(|all| all.get(attempt))
            .and_then(Value::as_str)
        {
            seen = Some(words.to_owned());
        }
    }
    let ended = || match (&report.limit, report.signal) {
        (Some(limit), _) => format!("limit {}", limit.name),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => format!(
            "{} without a word: {}",
            report.status,
            report.reason.as_deref().unwrap_or_default()
        ),
    };
    match seen {
        Some(words) if words != "begun" => words,
        _ => ended(),
    }
}

fn holds_secret(collected: &Path) -> bool {
    let Ok(entries) = fs::read_dir(collected) else {
        return false;
    };
    let mut files = entries.flatten().map(|entry| entry.path());
    files.any(|path| fs::read_to_string(path).is_ok_and(|text| text == SECRET))
}

/// Ends the processes that carry a mark; whether there were any.
fn end_what_is_left(mark: &str) -> bool {
    let Ok(entries) = fs::read_dir("/proc") else {
        return false;
    };
    let mut found = false;
    for entry in entries.flatten() {
        let arguments = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        if String::from_utf8_lossy(&arguments).contains(mark) {
            found = true;
            let kill = Command::new("kill")
                .arg("-KILL")
                .arg(entry.file_name())
                .status();
            drop(kill);
        }
    }
    found
}
