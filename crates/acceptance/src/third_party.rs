//! Runs other people's stress programs, and the kernel's own tests of what sandboxes are made of,
//! inside a sandbox, and compares what came of them with what is written down.
//!
//! Most tests of the kernel want to put up a sandbox of their own, which is refused: what counts is
//! that each comes to the verdict it had before, and that the host stays as it was meanwhile.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::verdicts::{Verdicts, differences, read, write};
use crate::{Atoll, ISOLATION_POLICY, Report, made_inside, repository, settings};

/// What stress-ng is asked for: each asks for more than a sandbox gives, or may.
const STRESSORS: [&str; 9] = [
    "fork 4",
    "malloc 2 --malloc-bytes 800M",
    "vm 2 --vm-bytes 800M",
    "hdd 2 --hdd-bytes 600M",
    "procfs 2",
    "dev-shm 2",
    "shm 2",
    "kill 2",
    "zombie 2",
];

/// Seconds that a stressor runs, unless the sandbox ends it.
const STRESS_SECONDS: u32 = 3;

/// The kernel's own tests, as they are called once they are built.
const KERNEL_TESTS: [&str; 4] = ["seccomp_bpf", "base_test", "ptrace_test", "fs_test"];

/// A pause between two jobs that show that Atoll answers.
const PAUSE: Duration = Duration::from_millis(100);

/// The file that says what each check comes to.
fn written() -> PathBuf {
    repository().join("crates/acceptance/third-party.txt")
}

/// Runs everything. `place` holds the built tests of the kernel; with `record`, the verdicts are
/// written down instead of compared. Whether all is as it was written.
///
/// # Errors
/// When a run does not come to its end.
pub fn third_party(out: &mut impl Write, place: &Path, record: bool) -> Result<bool, String> {
    let atoll = Atoll::locate()?;
    let files = tempfile::tempdir().map_err(|error| format!("no temporary directory: {error}"))?;
    let policy = files.path().join("policy.toml");
    let patient = ISOLATION_POLICY.replace("request_max = \"1min\"", "request_max = \"10min\"");
    fs::write(&policy, patient).map_err(|error| error.to_string())?;
    let before = settings();
    let mut verdicts = Verdicts::new();
    for stressor in STRESSORS {
        let (name, verdict) = stress(&atoll, files.path(), &policy, stressor, out)?;
        verdicts.insert(name, verdict);
    }
    for name in KERNEL_TESTS {
        let found = kernel_test(&atoll, &policy, &place.join(name))?;
        let ok = found.values().filter(|verdict| *verdict == "ok").count();
        say(out, &format!("{name}: {ok} of {} ok", found.len()))?;
        verdicts.extend(found);
    }
    let mut faults = made_inside();
    if settings() != before {
        faults.push("settings of the host changed".to_owned());
    }
    if record {
        write(&written(), &verdicts)?;
    } else {
        faults.extend(differences(&read(&written())?, &verdicts));
    }
    for fault in &faults {
        say(out, &format!("FAULT: {fault}"))?;
    }
    let count = verdicts.len();
    say(out, &format!("{count} checks, {} faults", faults.len()))?;
    Ok(faults.is_empty())
}

/// Runs a stressor while other jobs go on, and says how it ended.
fn stress(
    atoll: &Atoll,
    files: &Path,
    policy: &Path,
    stressor: &str,
    out: &mut impl Write,
) -> Result<(String, String), String> {
    let script = files.join("stress.sh");
    let command = format!(
        "#!/bin/sh\nexec /usr/bin/stress-ng --{stressor} --timeout {STRESS_SECONDS}s \
         --temp-path /tmp\n"
    );
    fs::write(&script, command).map_err(|error| error.to_string())?;
    let hello = files.join("hello.py");
    fs::write(&hello, "print('hello')\n").map_err(|error| error.to_string())?;
    let ended = AtomicBool::new(false);
    let (report, beside) = thread::scope(|scope| {
        let beside = scope.spawn(|| answers(&hello, &ended));
        let report = run(atoll, policy, &script);
        ended.store(true, Ordering::Relaxed);
        (report, beside.join())
    });
    let report = report?;
    let mut times = beside.map_err(|_| "a thread panicked".to_owned())??;
    times.sort();
    let name = stressor.split(' ').next().unwrap_or_default();
    let verdict = ending(&report);
    say(
        out,
        &format!(
            "stress-ng {name}: {verdict}; {} jobs beside it, median {:?}, at most {:?}",
            times.len(),
            times.get(times.len() / 2).copied().unwrap_or_default(),
            times.last().copied().unwrap_or_default()
        ),
    )?;
    Ok((format!("stress-ng {name}"), verdict))
}

/// Sends one job after another until told to stop; how long each took.
fn answers(hello: &Path, ended: &AtomicBool) -> Result<Vec<Duration>, String> {
    let atoll = Atoll::locate()?;
    let mut times = Vec::new();
    loop {
        let began = Instant::now();
        let (report, _) = atoll.run_json([hello], b"")?;
        if report.stdout() != b"hello\n" {
            return Err(format!("a job beside it did not work: {report:?}"));
        }
        times.push(began.elapsed());
        if ended.load(Ordering::Relaxed) {
            return Ok(times);
        }
        thread::sleep(PAUSE);
    }
}

fn run(atoll: &Atoll, policy: &Path, program: &Path) -> Result<Report, String> {
    let arguments = [
        Path::new("--policy"),
        policy,
        Path::new("--timeout"),
        Path::new("100s"),
        program,
    ];
    let (report, _) = atoll.run_json(arguments, b"")?;
    Ok(report)
}

fn ending(report: &Report) -> String {
    match (&report.limit, report.signal, report.exit_code) {
        (Some(limit), ..) => format!("limit {}", limit.name),
        (None, Some(signal), _) => format!("signal {signal}"),
        (None, None, Some(code)) => format!("exited {code}"),
        (None, None, None) => report.status.clone(),
    }
}

/// Runs one of the kernel's test programs, which says in the Test Anything Protocol what came of
/// each of its tests.
fn kernel_test(atoll: &Atoll, policy: &Path, program: &Path) -> Result<Verdicts, String> {
    let suite = program.file_name().unwrap_or_default().to_string_lossy();
    let report = run(atoll, policy, program)?;
    let output = report.stdout();
    let output = String::from_utf8_lossy(&output);
    let mut found: Verdicts = output.lines().filter_map(tested).collect();
    if found.is_empty() {
        return Err(format!("{suite} said nothing: {report:?}"));
    }
    found = found
        .into_iter()
        .map(|(name, verdict)| (format!("{suite} {name}"), verdict))
        .collect();
    found.insert(format!("{suite} end"), ending(&report));
    Ok(found)
}

/// A test's name and verdict from a line like `not ok 12 global.name # SKIP why`.
fn tested(line: &str) -> Option<(String, String)> {
    let (verdict, rest) = match line.strip_prefix("not ok ") {
        Some(rest) => ("not ok", rest),
        None => ("ok", line.strip_prefix("ok ")?),
    };
    let (_, name) = rest.split_once(' ')?;
    // A skipped test may say why instead of what it is called.
    let Some((name, why)) = name.split_once("# SKIP") else {
        return Some((name.trim().to_owned(), verdict.to_owned()));
    };
    let name = if name.trim().is_empty() { why } else { name };
    Some((name.trim().to_owned(), "skip".to_owned()))
}

fn say(out: &mut impl Write, text: &str) -> Result<(), String> {
    writeln!(out, "{text}").map_err(|error| format!("failed to write to standard output: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts_are_read_from_the_test_anything_protocol() {
        let named = |name: &str, verdict: &str| Some((name.to_owned(), verdict.to_owned()));
        assert_eq!(tested("ok 4 global.one"), named("global.one", "ok"));
        assert_eq!(tested("not ok 5 global.two"), named("global.two", "not ok"));
        let skipped = tested("ok 6 global.three # SKIP no such call");
        assert_eq!(skipped, named("global.three", "skip"));
        let nameless = tested("ok 7 # SKIP no such call");
        assert_eq!(nameless, named("no such call", "skip"));
        assert_eq!(tested("# FAILED: 0 / 9 tests passed."), None);
    }
}
