//! One attack: which program, what must come of each of its attempts, and how it must end.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::DirBuilder;
use std::io::Read;
use std::os::unix::fs::{DirBuilderExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use atoll_acceptance::{Atoll, Report, isolation_policy, repository};
use serde_json::Value;

use crate::differences::{is_filtered, is_other_kernel, level, why};
use crate::host::Host;

/// The only outcomes an attempt may be expected to have.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Expected {
    /// It failed with one of these errors.
    Denied(&'static [&'static str]),
    /// Not permitted, unless the program shares the user id of its jail's first process, which
    /// takes no signal from inside and whose priority concerns only that jail.
    DeniedUnlessShared,
    /// A signal ended whoever tried.
    Killed(i32),
    /// It met this limit: the program was ended, or the kernel gave no more.
    Limited(&'static str),
    /// What it looked for is not there.
    Invisible,
    /// It succeeded, and that does no harm.
    Harmless,
}

/// How the program as a whole must end.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Ending {
    Exited(i32),
    Signalled(i32),
    Limit(&'static str),
}

/// One program and what must come of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Case {
    program: &'static str,
    options: &'static [&'static str],
    attempts: &'static [(&'static str, Expected)],
    ending: Ending,
}

/// What came of one run.
pub(crate) struct Observed {
    pub(crate) report: Report,
    pub(crate) attempts: BTreeMap<String, String>,
    /// What is wrong with the host, or with the run.
    pub(crate) damage: Vec<String>,
}

impl Case {
    /// A program of `programs/` that exits with 0. Every attempt it reports must be named here,
    /// and the other way round.
    pub(crate) const fn new(
        program: &'static str,
        attempts: &'static [(&'static str, Expected)],
    ) -> Self {
        Self {
            program,
            options: &[],
            attempts,
            ending: Ending::Exited(0),
        }
    }

    /// Options of `atoll run`.
    pub(crate) const fn options(mut self, options: &'static [&'static str]) -> Self {
        self.options = options;
        self
    }

    pub(crate) const fn ends(mut self, ending: Ending) -> Self {
        self.ending = ending;
        self
    }

    /// Runs the program, and looks at the host afterwards.
    pub(crate) fn observe(&self) -> Observed {
        self.observe_with(&[])
    }

    /// Likewise, with more options of `atoll run`.
    pub(crate) fn observe_with(&self, more: &[&str]) -> Observed {
        let atoll = Atoll::locate().unwrap();
        let host = Host::new(&atoll);
        let (report, mark, process) = self.run(&atoll, &host, more);
        let mut damage = host.damage(&atoll, &mark, process);
        let next = Self::new("next_job.py", &[]);
        let (next, ..) = next.run(&atoll, &host, &[]);
        if next.status != "exited" || next.stdout() != b"works\n" {
            damage.push(format!("the next job did not work: {next:?}"));
        }
        Observed {
            attempts: attempts(&report),
            report,
            damage,
        }
    }

    /// Everything that is not as it must be; nothing when all is well.
    pub(crate) fn faults(&self, observed: &Observed) -> Vec<String> {
        let Observed {
            report,
            attempts,
            damage,
        } = observed;
        let mut found = damage.clone();
        let ended = match self.ending {
            Ending::Exited(code) => report.status == "exited" && report.exit_code == Some(code),
            Ending::Signalled(signal) => {
                report.status == "signalled" && report.signal == Some(signal)
            }
            Ending::Limit(name) => {
                let cut = report.truncated == (name == "output");
                report.status == "limit" && limit(report) == Some(name) && cut
            }
        };
        println!(
            "{:24} {:36} {:?}: {}",
            self.program, "end", self.ending, report.status
        );
        if !ended && why(self.program, "end").is_none() {
            let errors = String::from_utf8_lossy(&report.stderr()).into_owned();
            let errors: String = errors.chars().take(500).collect();
            let how = (
                &report.status,
                report.exit_code,
                report.signal,
                &report.limit,
            );
            found.push(format!("must end {:?}: {how:?}: {errors}", self.ending));
        }
        for (name, expected) in self.attempts {
            let seen = attempts.get(*name).map_or("never tried", String::as_str);
            println!("{:24} {name:36} {expected:?}: {seen}", self.program);
            let is_known = why(self.program, name).is_some();
            if !expected.admits(seen, report) && !is_known {
                found.push(format!("{name}: must be {expected:?}, was {seen}"));
            }
        }
        for name in attempts.keys() {
            if !self.attempts.iter().any(|(known, _)| known == name) {
                found.push(format!("{name}: nobody expects this attempt"));
            }
        }
        found
    }

    fn run(&self, atoll: &Atoll, host: &Host, more: &[&str]) -> (Report, String, u32) {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let mark = format!("case-{}-{count}-{}", std::process::id(), self.program);
        // Descriptor 9 stays open on the way: a directory of the host that nobody should inherit.
        let mut command = Command::new("sh");
        atoll.prepare(&mut command);
        let has_policy = more.contains(&"--policy");
        let unjudging = (is_other_kernel() && !has_policy).then(unjudging);
        if is_other_kernel() {
            share_snapshots(atoll.state());
        }
        command
            .args(["-c", "exec 9< \"$0\"; exec \"$@\""])
            .arg(host.directory())
            .arg(atoll.program())
            .env("SECRET_OF_THE_CALLER", &mark)
            .args(["run", "--json", "--level", &level(), "--state-dir"])
            .arg(atoll.state())
            .arg("--input")
            .arg(programs().join("attempts.py"))
            .args(
                unjudging
                    .iter()
                    .flat_map(|policy| [OsStr::new("--policy"), policy.path().as_os_str()]),
            )
            .args(self.options)
            .args(more)
            .arg(programs().join(self.program))
            .arg(&mark)
            .args(host.arguments());
        let (process, output) = finish(command);
        let report = Report::parse(&output)
            .unwrap_or_else(|problem| panic!("{}: {problem}: {output:?}", self.program));
        (report, mark, process)
    }
}

impl Expected {
    fn admits(self, seen: &str, report: &Report) -> bool {
        let program_ended = seen == "begun";
        if !is_filtered() && is_error(seen) && !matches!(self, Self::Harmless) {
            return true;
        }
        match self {
            Self::Denied(errors) => errors.contains(&seen),
            Self::DeniedUnlessShared => seen == "EPERM" || seen == "ok" && shares_user(report),
            Self::Killed(signal) => {
                seen == format!("signal {signal}") || program_ended && report.signal == Some(signal)
            }
            Self::Limited(name) => {
                signs_of(name).contains(&seen) || program_ended && limit(report) == Some(name)
            }
            Self::Invisible => ["ENOENT", "ESRCH", "nothing"].contains(&seen),
            Self::Harmless => seen == "ok",
        }
    }
}

/// Whether an attempt ended with an error of the kernel, or a signal that ended whoever tried.
fn is_error(seen: &str) -> bool {
    let is_number = |letter: char| letter.is_ascii_uppercase() || letter.is_ascii_digit();
    seen.starts_with("signal ") || seen.starts_with('E') && seen.chars().all(is_number)
}

/// How a program notices a limit that does not end it.
fn signs_of(limit: &str) -> &'static [&'static str] {
    match limit {
        "memory" => &["ENOMEM", "MemoryError"],
        // Python says `RuntimeError` when it cannot start a thread.
        "processes" => &["EAGAIN", "RuntimeError"],
        "disk" => &["ENOSPC"],
        "size of a file" => &["EFBIG"],
        "signals" => &["EAGAIN"],
        "open files" => &["EMFILE", "ETOOMANYREFS"],
        "locked memory" => &["ENOMEM", "EAGAIN"],
        "length of a name" => &["ENAMETOOLONG"],
        _ => &[],
    }
}

/// Runs every case of a family, and fails with all that was wrong. Each runs a second time under a
/// policy that judges neither program nor sender, where isolation alone can hold it.
pub(crate) fn hold(cases: &[Case]) {
    let unjudged = unjudging();
    let unjudged = ["--policy", unjudged.path().to_str().unwrap()];
    // How attackers are judged does not depend on the level.
    let ways = [&[][..], &unjudged];
    let ways = if is_other_kernel() { &ways[..1] } else { &ways };
    let mut broken = Vec::new();
    for case in cases {
        for more in ways {
            let observed = case.observe_with(more);
            let rule = observed.report.decision.as_ref().unwrap().rule.as_str();
            let is_unjudged = is_other_kernel() || !more.is_empty();
            assert_eq!(rule == "isolation-alone", is_unjudged, "{rule}");
            let faults = case.faults(&observed);
            let told = faults.iter();
            broken.extend(told.map(|fault| format!("{}, {rule}: {fault}", case.program)));
        }
    }
    assert!(!cases.is_empty());
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// A policy that judges nobody and sends everything to the attacked level. Emulated and traced
/// programs may take longer.
fn unjudging() -> tempfile::NamedTempFile {
    let mut policy = isolation_policy();
    if is_other_kernel() {
        for (usual, patient) in [
            ("process", level().as_str()),
            ("10s", "2min"),
            ("1min", "3min"),
        ] {
            let [usual, patient] = [usual, patient].map(|word| format!("\"{word}\""));
            assert!(policy.contains(&usual), "{usual}");
            policy = policy.replace(&usual, &patient);
        }
    }
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), policy).unwrap();
    file
}

/// Lets a state directory have the snapshots that earlier ones had taken: machines boot slowly.
fn share_snapshots(state: &Path) {
    let shared = repository().join("target/attacked-snapshots");
    let link = state.join("snapshots");
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&shared)
        .unwrap();
    if !link.exists() {
        symlink(shared, link).unwrap();
    }
}

/// Whether the program had no user id of its own.
pub(crate) fn shares_user(report: &Report) -> bool {
    let layers = report.enforcement["layers"].as_array().unwrap();
    let own_user = layers.iter().find(|layer| layer["layer"] == "own-user");
    own_user.unwrap()["state"] == "missing"
}

fn limit(report: &Report) -> Option<&str> {
    report.limit.as_ref().map(|limit| limit.name.as_str())
}

/// Where the attack programs are.
pub(crate) fn programs() -> PathBuf {
    repository().join("crates/acceptance/tests/escape/programs")
}

/// What the program said of its attempts; what it said last counts.
fn attempts(report: &Report) -> BTreeMap<String, String> {
    let output = report.stdout();
    let mut found = BTreeMap::new();
    for line in output.split(|byte| *byte == b'\n') {
        let Ok(Value::Object(line)) = serde_json::from_slice(line) else {
            continue;
        };
        if let Some(Value::Object(tried)) = line.get("attempts") {
            let tried = tried
                .iter()
                .filter_map(|(name, seen)| Some((name.clone(), seen.as_str()?.to_owned())));
            found.extend(tried);
        }
    }
    found
}

/// Runs the command to its end while its input stays open; gives its process and its output.
fn finish(mut command: Command) -> (u32, Vec<u8>) {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let input = child.stdin.take();
    let mut errors = child.stderr.take().unwrap();
    let errors = thread::spawn(move || {
        let mut text = Vec::new();
        errors.read_to_end(&mut text).map(|_| text)
    });
    let mut output = Vec::new();
    child
        .stdout
        .take()
        .unwrap()
        .read_to_end(&mut output)
        .unwrap();
    drop(input);
    let process = child.id();
    child.wait().unwrap();
    let errors = errors.join().unwrap().unwrap();
    assert!(!output.is_empty(), "{}", String::from_utf8_lossy(&errors));
    (process, output)
}
