//! Runs one attempt with some layers off, and looks at what came of it.

use std::fmt;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use serde::Deserialize;
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

/// Layers of copies that Atoll's own process leaves out.
const LEFT_BY_ATOLL: [&str; 5] = [
    "memory-limit",
    "process-limit",
    "cpu-limit",
    "cpu-clock",
    "collected-links",
];

/// What a layer is called that copies have from their zygote.
const OF_ZYGOTE: &str = "zygote-";

/// Which sandboxes the attempts are made in.
#[derive(Debug, Clone, Copy)]
pub(super) enum Sandboxes {
    /// Made for the program.
    Cold,
    /// Copies of an interpreter that waited.
    Copies,
}

impl Sandboxes {
    /// The command that runs a program in one.
    fn command(self, atoll: &Atoll) -> Vec<PathBuf> {
        match self {
            Self::Cold => vec![atoll.program().to_owned(), "run".into(), "--json".into()],
            Self::Copies => vec![atoll.program().with_file_name("atoll-waiting")],
        }
    }

    /// Reads what the command said.
    fn parse(self, said: &[u8]) -> Result<Ended, String> {
        match self {
            Self::Cold => Report::parse(said).map(Ended::from),
            Self::Copies => serde_json::from_slice(said).map_err(|error| error.to_string()),
        }
    }

    /// What is left out of the jails that the launcher builds, and what of copies.
    fn left_out(self, off: &[&str]) -> [String; 2] {
        let (mut jails, mut copies) = (Vec::new(), Vec::new());
        for layer in off {
            match (self, layer.strip_prefix(OF_ZYGOTE)) {
                _ if HELD_BY_ATOLL.iter().any(|(held, _)| held == layer) => {}
                (Self::Copies, Some(of_zygote)) => jails.push(of_zygote),
                (Self::Copies, None) if !LEFT_BY_ATOLL.contains(layer) => copies.push(*layer),
                _ => jails.push(*layer),
            }
        }
        [jails.join(","), copies.join(",")]
    }
}

/// How a run ended, as `atoll-waiting` tells it.
#[derive(Debug, Deserialize)]
struct Ended {
    status: String,
    signal: Option<i32>,
    limit: Option<String>,
    reason: Option<String>,
    stdout: String,
}

impl From<Report> for Ended {
    fn from(report: Report) -> Self {
        Self {
            stdout: String::from_utf8_lossy(&report.stdout()).into_owned(),
            signal: report.signal,
            limit: report.limit.map(|limit| limit.name),
            status: report.status,
            reason: report.reason,
        }
    }
}

/// Makes the attempt of a trial with these layers off.
pub(super) fn run(
    atoll: &Atoll,
    stand: &mut Stand,
    sandboxes: Sandboxes,
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

    let nobody = trial.nobody.then(|| open_to_nobody(place.path(), trial));
    let nobody = nobody.transpose()?;
    let escape = repository().join("crates/acceptance/tests/escape");
    let programs = nobody.unwrap_or_else(|| escape.join("programs"));
    let [of_jails, of_copies] = sandboxes.left_out(off);
    // Descriptor 9 stays open on the way: a directory of the host that nobody should inherit.
    let mut command = Command::new("sh");
    atoll.prepare(&mut command);
    command
        .args(["-c", "exec 9< \"$0\"; exec \"$@\""])
        .arg(stand.directory())
        .args(if trial.nobody { AS_NOBODY } else { &[] })
        .args(sandboxes.command(atoll))
        .env("ATOLL_ABLATION", of_jails)
        .env("ATOLL_ABLATION_COPIES", of_copies)
        .env("ATOLL_ABLATION_SHOWN", stand.directory())
        .env("SECRET_OF_THE_CALLER", &mark)
        .arg("--policy")
        .arg(&policy)
        .arg("--input")
        .arg(programs.join("attempts.py"))
        .args(["--env", &format!("ONLY={}", trial.attempt)])
        .args(["--env", &format!("SEGMENT={}", stand.segment())]);
    if trial.nobody {
        command.env("ATOLL_STATE_DIR", place.path().join("state"));
    }
    if trial.success == Success::Collected {
        command.arg("--output").arg(&collected);
    }
    if trial.neighbour {
        command
            .args(["--env", "NEIGHBOUR=1", "--neighbour"])
            .arg(escape.join("neighbour.py"));
    }
    command
        .args(trial.options)
        .arg(programs.join(trial.program))
        .arg(&mark)
        .args(stand.arguments()?);
    let finished = finish(command, b"")?;
    let ended = sandboxes
        .parse(&finished.stdout)
        .map_err(|problem| format!("{problem}: {}", finished.stderr_text()))?;
    if trial.success == Success::Outlives {
        std::thread::sleep(GRACE);
    }
    let outlives = end_what_is_left(&mark);
    stand.restore()?;
    Ok(judge(trial, &ended, outlives, &collected))
}

/// What a command is started by that may be root of nothing that was there before.
const AS_NOBODY: &[&str] = &["/usr/bin/python3", "-I", "-c", include_str!("nobody.py")];

/// What that one's root is outside of it.
const NOBODY: u32 = 0x5000_0000;

/// Puts what a run takes where nobody may read it; answers with the directory of the programs.
fn open_to_nobody(place: &Path, trial: &Trial) -> Result<PathBuf, String> {
    let programs = repository().join("crates/acceptance/tests/escape/programs");
    let state = place.join("state");
    let opened = fs::set_permissions(place, fs::Permissions::from_mode(0o755))
        .and_then(|()| fs::create_dir(&state))
        .and_then(|()| chown(&state, Some(NOBODY), Some(NOBODY)));
    let copied = [trial.program, "attempts.py"]
        .into_iter()
        .try_for_each(|name| fs::copy(programs.join(name), place.join(name)).map(drop));
    opened
        .and(copied)
        .map_err(|error| format!("no place for nobody: {error}"))?;
    Ok(place.to_owned())
}

/// Limits of control groups are for whoever may make some.
const WITHOUT_GROUPS: &str = "[defaults]\n\
    accept_missing = [\"memory-limit\", \"process-limit\", \"cpu-limit\"]\n";

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
    let accepted = if trial.nobody { WITHOUT_GROUPS } else { "" };
    format!("{accepted}{}", lines.join("\n"))
}

fn judge(trial: &Trial, ended: &Ended, outlives: bool, collected: &Path) -> Seen {
    if ended.status == "refused" {
        return match trial.success {
            Success::Refused => Seen::Success("refused".to_owned()),
            _ => Seen::Refused,
        };
    }
    let said = said(ended, trial.attempt);
    let worked = match trial.success {
        Success::Refused => false,
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
fn said(ended: &Ended, attempt: &str) -> String {
    let mut seen = None;
    for line in ended.stdout.split('\n') {
        let line: Value = serde_json::from_str(line).unwrap_or_default();
        if let Some(words) = line
            .pointer("/attempts")
            .and_then(|all| all.get(attempt))
            .and_then(Value::as_str)
        {
            seen = Some(words.to_owned());
        }
    }
    let without = || match (&ended.limit, ended.signal) {
        (Some(limit), _) => format!("limit {limit}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => format!(
            "{} without a word: {}",
            ended.status,
            ended.reason.as_deref().unwrap_or_default()
        ),
    };
    match seen {
        Some(words) if words != "begun" => words,
        _ => without(),
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
