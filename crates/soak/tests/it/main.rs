//! A short soak: the same jobs, few of them, and the same comparison.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot go on fails by panicking"
)]

mod attacks;

use std::path::Path;
use std::process::{Command, Output, Stdio};

fn soak(place: &Path, jobs: u32) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_atoll-soak"));
    // Files of other programs are none of this one's.
    command
        .env("TMPDIR", place)
        .args(["--jobs", &jobs.to_string(), "--concurrency", "4"])
        .arg("--place")
        .arg(place);
    command
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&[output.stdout.as_slice(), &output.stderr].concat()).into_owned()
}

#[test]
fn five_hundred_jobs_leave_nothing_behind() {
    let place = tempfile::tempdir().unwrap();
    let output = soak(place.path(), 500).output().unwrap();
    let text = text(&output);
    println!("{text}");
    assert!(output.status.success(), "{text}");
    assert!(text.contains("500 of 500 jobs"), "{text}");
    assert!(text.contains("nothing was left behind"), "{text}");
}

/// How many sandboxes that had served before were taken, in the last line of progress.
fn reuses(text: &str) -> u64 {
    let line = text.lines().rfind(|line| line.contains(" used before"));
    let (before, _) = line.unwrap().split_once(" used before").unwrap();
    let (_, number) = before
        .rsplit_once(|mark: char| !mark.is_ascii_digit())
        .unwrap();
    number.parse().unwrap()
}

#[test]
fn jobs_that_share_sandboxes_leave_nothing_behind() {
    let place = tempfile::tempdir().unwrap();
    let output = soak(place.path(), 300).args(["--share", "10"]).output();
    let text = text(&output.unwrap());
    println!("{text}");
    assert!(text.contains("300 of 300 jobs"), "{text}");
    assert!(text.contains("nothing was left behind"), "{text}");
    assert!(reuses(&text) > 0, "{text}");
}

#[test]
fn an_interrupted_soak_goes_on_where_it_was() {
    let place = tempfile::tempdir().unwrap();
    let mut command = soak(place.path(), 100_000);
    let child = command.stdout(Stdio::piped()).spawn().unwrap();
    std::thread::sleep(std::time::Duration::from_secs(2));
    let process = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(process, rustix::process::Signal::INT).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", text(&output));
    let kept = std::fs::read_to_string(place.path().join("progress.json")).unwrap();
    assert!(!kept.contains("\"done\":0,"), "{kept}");

    // No more than were done already: there is nothing left to run.
    let output = soak(place.path(), 1).output().unwrap();
    let text = text(&output);
    assert!(output.status.success(), "{text}");
    assert!(text.contains("going on after"), "{text}");
    assert!(!place.path().join("progress.json").exists());
}
