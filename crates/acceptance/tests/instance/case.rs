//! One attack: its program, what must come of each of its attempts, and how it must end.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use atoll_acceptance::{Atoll, Report, isolation_policy, leftovers};
use serde_json::Value;

use crate::host::Host;

/// How a program must end.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Ending {
    /// With this exit code.
    Exited(i32),
    /// Stopped by the runtime, with this in the reason.
    Trapped(&'static str),
    /// By this limit.
    Limit(&'static str),
    /// It was not run, and the reason has this in it.
    Rejected(&'static str),
    /// In one of several ways.
    OneOf(&'static [Ending]),
}

/// A program, ready to be sent.
#[derive(Debug)]
pub(crate) struct Attack {
    name: String,
    program: Vec<u8>,
    options: Vec<String>,
}

/// What came of an attack.
#[derive(Debug)]
pub(crate) struct Observed {
    pub(crate) report: Report,
    pub(crate) attempts: BTreeMap<String, String>,
    /// From the command's start to its end.
    pub(crate) elapsed: Duration,
    /// What is wrong with the host, or with the next job.
    pub(crate) damage: Vec<String>,
}

/// A module that does nothing: the next job.
const NOTHING: &str = r#"(module (func (export "_start")))"#;

impl Attack {
    pub(crate) fn new(name: &str, program: Vec<u8>) -> Self {
        Self {
            name: name.to_owned(),
            program,
            options: Vec::new(),
        }
    }

    /// From text.
    pub(crate) fn text(name: &str, text: &str) -> Self {
        let program = wat::parse_str(text).unwrap_or_else(|error| panic!("{name}: {error}"));
        Self::new(name, program)
    }

    /// Options of `atoll run`.
    pub(crate) fn options(mut self, options: &[&str]) -> Self {
        self.options = options.iter().map(|&option| option.to_owned()).collect();
        self
    }

    /// Runs it, and looks at the host afterwards.
    fn observe(&self) -> Observed {
        let atoll = Atoll::locate().unwrap();
        let host = Host::new(&atoll);
        let place = tempfile::tempdir().unwrap();
        let mark = place.path().to_str().unwrap();
        let left_before = leftovers(atoll.state());
        let path = place.path().join("attack.wasm");
        fs::write(&path, &self.program).unwrap();
        let began = Instant::now();
        let (report, process) = run(&atoll, place.path(), &path, &self.options, &host);
        let elapsed = began.elapsed();
        let mut damage = host.damage(&atoll, mark, process);
        let left = leftovers(atoll.state());
        damage.extend(left.difference(&left_before).cloned());
        let nothing = place.path().join("nothing.wasm");
        fs::write(&nothing, wat::parse_str(NOTHING).unwrap()).unwrap();
        let (next, _) = run(&atoll, place.path(), &nothing, &[], &host);
        if next.status != "exited" || next.exit_code != Some(0) {
            damage.push(format!("the next job did not work: {next:?}"));
        }
        Observed {
            attempts: attempts(&report),
            report,
            elapsed,
            damage,
        }
    }

    /// Runs it; it must end like this, make no attempt that is not named, and harm nobody.
    #[track_caller]
    pub(crate) fn must(&self, ending: Ending) -> Observed {
        let observed = self.observe();
        let report = &observed.report;
        let (name, elapsed) = (&self.name, observed.elapsed);
        println!("{name:32} {ending:?}: {} in {elapsed:?}", shown(report));
        let errors = String::from_utf8_lossy(&report.stderr()).into_owned();
        let errors: String = errors.chars().take(500).collect();
        assert!(
            ending.admits(report),
            "{}: must end {ending:?}: {}: {errors}",
            self.name,
            shown(report)
        );
        assert!(
            observed.damage.is_empty(),
            "{}: {:?}",
            self.name,
            observed.damage
        );
        assert!(!errors.contains("panicked"), "{}: {errors}", self.name);
        observed
    }

    /// Likewise, and every attempt must have been answered with one of its errors.
    #[track_caller]
    pub(crate) fn must_be_answered(&self, expected: &[(&str, &[&str])]) {
        let observed = self.must(Ending::Exited(0));
        let mut faults = Vec::new();
        for (name, errors) in expected {
            let seen = observed
                .attempts
                .get(*name)
                .map_or("never tried", String::as_str);
            println!("{:32} {name:36} {errors:?}: {seen}", self.name);
            if !errors.contains(&seen) {
                faults.push(format!("{name}: must be one of {errors:?}, was {seen}"));
            }
        }
        let known: Vec<_> = expected.iter().map(|(name, _)| *name).collect();
        let unknown = observed.attempts.keys();
        let unknown = unknown.filter(|name| !known.contains(&name.as_str()));
        faults.extend(unknown.map(|name| format!("{name}: nobody expects this attempt")));
        assert!(faults.is_empty(), "{}: {faults:#?}", self.name);
    }
}

impl Ending {
    fn admits(self, report: &Report) -> bool {
        let reason = report.reason.as_deref().unwrap_or_default();
        let limit = report.limit.as_ref().map(|limit| limit.name.as_str());
        match self {
            Self::Exited(code) => report.status == "exited" && report.exit_code == Some(code),
            Self::Trapped(text) => {
                report.status != "exited" && limit.is_none() && reason.contains(text)
            }
            Self::Limit(name) => report.status == "limit" && limit == Some(name),
            Self::Rejected(text) => {
                ["refused", "failed"].contains(&report.status.as_str()) && reason.contains(text)
            }
            Self::OneOf(endings) => endings.iter().any(|ending| ending.admits(report)),
        }
    }
}

/// How a run ended, in a line.
fn shown(report: &Report) -> String {
    let limit = report.limit.as_ref().map(|limit| limit.name.as_str());
    format!(
        "{} {:?} limit {limit:?}: {}",
        report.status,
        report.exit_code,
        report.reason.as_deref().unwrap_or_default()
    )
}

/// Runs `atoll run --level instance`, with descriptor 9 open on the way: a directory of the host
/// that nobody should inherit.
fn run(
    atoll: &Atoll,
    place: &Path,
    program: &Path,
    options: &[String],
    host: &Host,
) -> (Report, u32) {
    let policy: PathBuf = place.join("policy.toml");
    let process = isolation_policy();
    let level = process.replace("set.level = \"process\"", "set.level = \"instance\"");
    assert_ne!(level, process);
    fs::write(&policy, level).unwrap();
    let mut command = Command::new("sh");
    atoll.prepare(&mut command);
    command
        .args(["-c", "exec 9< \"$0\"; exec \"$@\""])
        .arg(host.directory())
        .arg(atoll.program())
        .env("SECRET_OF_THE_CALLER", place)
        .args(["run", "--json", "--policy"])
        .arg(&policy)
        .args(options)
        .arg(program)
        .args(host.arguments())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    let process = child.id();
    let output = child.wait_with_output().unwrap();
    let report = Report::parse(&output.stdout).unwrap_or_else(|problem| {
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        panic!("{}: {problem}: {text}", program.display())
    });
    let level = report
        .decision
        .as_ref()
        .map(|decision| decision.level.as_str());
    let reasons = report.decision.as_ref().map(|decision| &decision.reasons);
    assert!(
        level.is_none_or(|level| level == "instance"),
        "{level:?}: {reasons:?}"
    );
    (report, process)
}

/// What the program said of its attempts.
fn attempts(report: &Report) -> BTreeMap<String, String> {
    let output = report.stdout();
    let mut found = BTreeMap::new();
    for line in output.split(|byte| *byte == b'\n') {
        let Ok(Value::Object(line)) = serde_json::from_slice(line) else {
            continue;
        };
        if let Some(Value::Object(tried)) = line.get("attempts") {
            let tried = tried.iter();
            let tried = tried.filter_map(|(name, seen)| Some((name, seen.as_str()?)));
            found.extend(tried.map(|(name, seen)| (name.clone(), seen.to_owned())));
        }
    }
    found
}
