//! Nothing is left behind: no process, mount, control group or file, whichever way a run ends and
//! also when `atoll` itself is killed in the middle.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test ends at the first surprise"
)]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use atoll_acceptance::{Atoll, Descendants, built_examples, leftovers, repository};

/// How long the kernel may take to end what was killed. Far more than it needs: a leak stays.
const GRACE: Duration = Duration::from_secs(10);

fn example(path: &str) -> PathBuf {
    repository().join("examples").join(path)
}

/// Starts `atoll run` on a program that keeps running, and waits until it has processes below it.
fn start(atoll: &Atoll, arguments: &[&str]) -> (Child, Descendants) {
    let mut child = atoll
        .command()
        .arg("run")
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let deadline = Instant::now() + GRACE;
    loop {
        thread::sleep(Duration::from_millis(100));
        let seen = Descendants::of(child.id());
        // The program itself runs once it is in a control group of its own.
        if seen.processes() >= 1 && seen.cgroups() >= 1 {
            return (child, seen);
        }
        if let Some(status) = child.try_wait().unwrap() {
            let text = std::io::read_to_string(child.stderr.take().unwrap()).unwrap();
            panic!("atoll ended with {status} before the program ran: {text}");
        }
        assert!(Instant::now() < deadline, "no sandbox was seen below atoll");
    }
}

fn assert_gone(what: &str, seen: &Descendants) {
    let deadline = Instant::now() + GRACE;
    while Instant::now() < deadline && !seen.alive().is_empty() {
        thread::sleep(Duration::from_millis(20));
    }
    let alive = seen.alive();
    assert!(
        alive.is_empty(),
        "{what}: processes {alive:?} are still there"
    );
}

fn assert_no_cgroups(what: &str, seen: &Descendants) {
    let deadline = Instant::now() + GRACE;
    while Instant::now() < deadline && !seen.remaining_cgroups().is_empty() {
        thread::sleep(Duration::from_millis(20));
    }
    let remaining = seen.remaining_cgroups();
    assert!(
        remaining.is_empty(),
        "{what}: control groups {remaining:?} are still there"
    );
}

/// Programs that run until they are stopped, one for each kind of sandbox.
fn endless(directory: &Path) -> [(&'static str, Vec<String>); 4] {
    let path = |path: PathBuf| path.to_str().unwrap().to_owned();
    let script = directory.join("wait.sh");
    std::fs::write(&script, "#!/bin/sh\nwhile :; do sleep 1 | sleep 2; done\n").unwrap();
    let module = directory.join("loop.wasm");
    let text = "(module (memory (export \"memory\") 1) (func (export \"_start\") (loop (br 0))))";
    std::fs::write(&module, wat::parse_str(text).unwrap()).unwrap();
    let mandelbrot = path(built_examples().join("mandelbrot"));
    let sizes = ["500", "500", "1000000"].map(str::to_owned);
    [
        ("python", vec![path(example("endless-loop/loop.py"))]),
        ("shell", vec![path(script)]),
        ("native", [mandelbrot].into_iter().chain(sizes).collect()),
        ("wasm", vec![path(module)]),
    ]
}

#[test]
fn a_limit_leaves_nothing() {
    let directory = tempfile::tempdir().unwrap();
    for (kind, program) in endless(directory.path()) {
        let atoll = Atoll::locate().unwrap();
        let before = leftovers(atoll.state());
        let mut arguments = vec!["--timeout", "2s"];
        arguments.extend(program.iter().map(String::as_str));
        let (mut child, seen) = start(&atoll, &arguments);
        assert_eq!(child.wait().unwrap().code(), Some(124), "{kind}");
        assert_gone(kind, &seen);
        assert_no_cgroups(kind, &seen);
        assert_eq!(leftovers(atoll.state()), before, "{kind}");
    }
}

#[test]
fn an_interrupt_leaves_nothing_and_exits_with_130() {
    let directory = tempfile::tempdir().unwrap();
    for (kind, program) in endless(directory.path()) {
        let atoll = Atoll::locate().unwrap();
        let before = leftovers(atoll.state());
        let mut arguments = vec!["--timeout", "60s"];
        arguments.extend(program.iter().map(String::as_str));
        let (mut child, seen) = start(&atoll, &arguments);
        signal(&child, "INT");
        assert_eq!(child.wait().unwrap().code(), Some(130), "{kind}");
        assert_gone(kind, &seen);
        assert_no_cgroups(kind, &seen);
        assert_eq!(leftovers(atoll.state()), before, "{kind}");
    }
}

#[test]
fn the_end_of_atoll_itself_ends_the_program() {
    let directory = tempfile::tempdir().unwrap();
    for (kind, program) in endless(directory.path()) {
        let atoll = Atoll::locate().unwrap();
        let before = leftovers(atoll.state());
        let mut arguments = vec!["--timeout", "60s"];
        arguments.extend(program.iter().map(String::as_str));
        let (mut child, seen) = start(&atoll, &arguments);
        child.kill().unwrap();
        child.wait().unwrap();
        assert_gone(kind, &seen);
        // A killed process cannot tidy up; the next run does it.
        let next = atoll.run(
            [
                "run",
                example("log-pipeline/top-paths.sh").to_str().unwrap(),
            ],
            b"",
        );
        assert_eq!(next.unwrap().code(), 0, "{kind}: the run after the kill");
        assert_no_cgroups(kind, &seen);
        assert_eq!(leftovers(atoll.state()), before, "{kind}");
    }
}

#[test]
fn a_killed_run_is_recorded_with_an_outcome() {
    let atoll = Atoll::locate().unwrap();
    let program = example("endless-loop/loop.py");
    let (mut child, seen) = start(&atoll, &["--timeout", "60s", program.to_str().unwrap()]);
    child.kill().unwrap();
    child.wait().unwrap();
    assert_gone("python", &seen);
    let next = atoll.run(["history", "--json"], b"").unwrap();
    let text = next.stdout_text();
    assert_eq!(next.code(), 0, "{}", next.stderr_text());
    assert!(
        text.contains("\"failed\""),
        "the killed run has no outcome: {text}"
    );
}

#[test]
fn processes_that_leave_their_session_are_ended_too() {
    let atoll = Atoll::locate().unwrap();
    let directory = tempfile::tempdir().unwrap();
    let program = directory.path().join("leave.py");
    std::fs::write(
        &program,
        "import os, time\n\
         for _ in range(3):\n    \
             if os.fork() == 0:\n        \
                 os.setsid()\n        \
                 if os.fork() == 0:\n            \
                     for fd in range(3): os.close(fd)\n            \
                     time.sleep(60)\n        \
                 os._exit(0)\n\
         time.sleep(2)\n",
    )
    .unwrap();
    let (mut child, _) = start(&atoll, &["--timeout", "30s", program.to_str().unwrap()]);
    thread::sleep(Duration::from_millis(900));
    let seen = Descendants::of(child.id());
    assert!(seen.processes() >= 4, "the daemons were not seen: {seen:?}");
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_gone("daemons", &seen);
    assert_no_cgroups("daemons", &seen);
}

fn signal(child: &Child, name: &str) {
    let status = Command::new("kill")
        .args(["-s", name, &child.id().to_string()])
        .status()
        .unwrap();
    assert!(status.success());
}
