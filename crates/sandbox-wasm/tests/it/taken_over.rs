//! What native code can do that stands where a worker or a compiler stands.
//!
//! A program of ours is put in their place (`crates/wasm-worker/examples/taken-over`). Everything
//! that leads outside must fail there twice: behind the filter that they put around themselves, and
//! in their jail alone, had somebody got rid of that filter. Outside, where nothing holds it, the
//! same attempt must succeed: an attempt that fails everywhere shows nothing.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use atoll_sandbox::conformance::{accepted_by_environment, limits};
use atoll_sandbox::{Backend, CreateError, StartError, Tenancy};
use atoll_sandbox_wasm::WasmBackend;
use atoll_types::ProgramKind;

use crate::fixtures;
use crate::support::{block_on, job, module, spec};

/// What ends whoever tries, when the filter holds.
const FATAL: [&str; 9] = [
    "socket", "unix", "netlink", "pair", "trace", "read", "signal", "exec", "thread",
];

/// Likewise, and not a call of every processor.
const FORK: &str = "fork";

/// What the filter answers with an error.
const REFUSED: [&str; 28] = [
    "open",
    "list",
    "make",
    "link",
    "pass",
    "all",
    "namespace",
    "mount",
    "chroot",
    "identity",
    "code",
    "protect",
    "ring",
    "fault",
    "keys",
    "pipe",
    "event",
    "copy",
    "control",
    "bounds",
    "priority",
    "clock",
    "person",
    "filter",
    "process",
    "name",
    "look",
    "directories",
];

/// What a jail leaves to its program, because it harms nobody outside: its own memory, descriptors
/// and private files, an empty root to look at, and itself.
const HARMLESS_IN_JAIL: [&str; 16] = [
    "exec", "list", "make", "signal", "all", "thread", "pair", "pipe", "event", "copy", "control",
    "bounds", "priority", "filter", "process", "name",
];

/// Errors by which a jail refuses, or has nothing under a name.
const ERRORS: [&str; 7] = [
    "EPERM", "EACCES", "ENOENT", "ENOSYS", "EBADF", "EINVAL", "EAGAIN",
];

/// Whether a filter has ended one.
fn is_killed(said: &str) -> bool {
    said.contains("signal 31 ended it") || said.contains("Signalled(31)")
}

/// Says to the test that was started again what to do.
const ROLE: &str = "ATOLL_TEST_TAKEN_OVER";

/// The program that takes over, built beside these tests.
fn payload() -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let built = own.ancestors().nth(2).unwrap();
    let payload = built.join("examples/taken-over");
    assert!(payload.is_file(), "{} is not built", payload.display());
    payload
}

/// What attempts come to where a worker or a compiler stands.
fn inside(test: &str, part: &str, how: &str, names: &[&str]) -> Result<Outcomes, String> {
    let place = tempfile::tempdir().unwrap();
    let helper = place.path().join("atoll-wasm-worker");
    let mut program = fs::read(payload()).unwrap();
    program.extend(format!("\ntaken-over:{how}:{}\n", names.join(",")).into_bytes());
    fs::write(&helper, program).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(&helper, mode).unwrap();
    fs::set_permissions(
        place.path(),
        std::os::unix::fs::PermissionsExt::from_mode(0o755),
    )
    .unwrap();
    let launcher = atoll_jail::helper_binary("atoll-launcher").unwrap();
    std::os::unix::fs::symlink(launcher, place.path().join("atoll-launcher")).unwrap();
    let said = again(test, part, place.path());
    outcomes(&said, names).ok_or(said)
}

type Outcomes = BTreeMap<String, String>;

/// Runs the test again, with another program in the place of the helper.
fn again(test: &str, part: &str, helpers: &Path) -> String {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--test-threads=1", "--nocapture"])
        .env(ROLE, part)
        .env("ATOLL_LIBEXEC", helpers)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{text}{errors}");
    let told = text.lines().find_map(|line| line.split_once("it said: "));
    told.unwrap_or_else(|| panic!("{text}{errors}"))
        .1
        .to_owned()
}

/// When this is the test started again: starts what stands there, and gives what it says.
fn said_here() -> Option<String> {
    let part = std::env::var_os(ROLE)?;
    let said = block_on(async {
        let backend = WasmBackend::new();
        let hello = job(module(&fixtures::hello()));
        if part == "serve" {
            let spec = spec(ProgramKind::WasmModule, limits(), Tenancy::own());
            match backend.create(spec).await {
                Err(CreateError::Internal { source, .. }) => source.to_string(),
                other => format!("{:?}", other.map(|_| "it is a worker")),
            }
        } else {
            match backend
                .prepare(hello, &limits(), &accepted_by_environment())
                .await
            {
                Err(StartError::Internal { source, .. }) => source.to_string(),
                other => format!("{:?}", other.map(|_| "it has compiled")),
            }
        }
    });
    Some(said.replace('\n', " "))
}

/// `NAME=OUTCOME` for each name, or none when something else was said.
fn outcomes(said: &str, names: &[&str]) -> Option<Outcomes> {
    let pairs = said.split(' ').filter_map(|pair| pair.split_once('='));
    let found: Outcomes = pairs
        .map(|(name, outcome)| (name.to_owned(), outcome.to_owned()))
        .collect();
    names
        .iter()
        .all(|name| found.contains_key(*name))
        .then_some(found)
}

/// What attempts come to outside of any sandbox, one process for each.
fn outside(names: &[&str]) -> Outcomes {
    let each = names.iter().map(|name| {
        let output = Command::new(payload())
            .args(["alone", name])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let found = outcomes(said.trim(), &[name]);
        found.unwrap_or_else(|| panic!("{name}: {output:?}"))
    });
    each.flatten().collect()
}

/// What shows that an attempt came as far as the kernel's own judgement: nothing but the filter is
/// in the way of what succeeds, or asks for something that is not there.
fn gets_through(name: &str, outcome: &str) -> bool {
    match name {
        "exec" => outcome == "ENOENT",
        "pass" => outcome == "EBADF",
        "link" => outcome == "EINVAL",
        // The answer is that there is none, or that the arguments are wrong: it was allowed to ask.
        "filter" => ["EINVAL", "ok"].contains(&outcome),
        _ => outcome == "ok",
    }
}

#[test]
fn attempts_of_one_that_was_taken_over_succeed_outside() {
    if !rustix::process::geteuid().is_root() {
        println!("skipped: an ordinary user may do less, whatever holds it");
        return;
    }
    // A directory is open in a test as little as in a worker; the rest has to work here.
    let names: Vec<&str> = FATAL.into_iter().chain(REFUSED).chain([FORK]).collect();
    let names: Vec<&str> = names
        .into_iter()
        .filter(|name| *name != "directories")
        .collect();
    let found = outside(&names);
    let vacuous: Vec<_> = found
        .iter()
        .filter(|(name, outcome)| !gets_through(name, outcome))
        .collect();
    assert!(vacuous.is_empty(), "these fail everywhere: {vacuous:?}");
}

#[test]
fn a_worker_and_a_compiler_that_are_taken_over_reach_nothing() {
    const TEST: &str = "taken_over::a_worker_and_a_compiler_that_are_taken_over_reach_nothing";
    if let Some(said) = said_here() {
        println!("it said: {said}");
        return;
    }
    let mut faults = Vec::new();
    for part in ["serve", "compile"] {
        for name in REFUSED {
            let outcome = match inside(TEST, part, "confined", &[name]) {
                Ok(found) => found[name].clone(),
                Err(said) => said,
            };
            println!("{part} {name}: {outcome}");
            let fails = match name {
                // Workers look at what is open, and find nothing under a name.
                "look" | "directories" => ["ENOENT", "EPERM", "EACCES"].contains(&&*outcome),
                _ => ["EPERM", "EINVAL"].contains(&&*outcome) || is_killed(&outcome),
            };
            if !fails {
                faults.push(format!("{part}: {name} came to {outcome}"));
            }
        }
        for name in FATAL.into_iter().chain([FORK]) {
            let said = inside(TEST, part, "confined", &[name]);
            println!("{part} {name}: {said:?}");
            if !said.as_ref().is_err_and(|said| is_killed(said)) {
                faults.push(format!("{part}: {name} came to {said:?}"));
            }
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn the_jail_alone_holds_a_worker_and_a_compiler_too() {
    const TEST: &str = "taken_over::the_jail_alone_holds_a_worker_and_a_compiler_too";
    if let Some(said) = said_here() {
        println!("it said: {said}");
        return;
    }
    let mut faults = Vec::new();
    let names: Vec<&str> = FATAL.into_iter().chain(REFUSED).collect();
    for part in ["serve", "compile"] {
        for name in &names {
            let outcome = match inside(TEST, part, "open", &[name]) {
                Ok(found) => found[*name].clone(),
                Err(said) => said,
            };
            println!("{part} {name}: {outcome}");
            let through = gets_through(name, &outcome);
            let known = through || ERRORS.contains(&&*outcome) || is_killed(&outcome);
            if !known || through && !HARMLESS_IN_JAIL.contains(name) {
                faults.push(format!("{part}: {name} came to {outcome}"));
            }
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn a_worker_and_a_compiler_have_at_most_thirty_system_calls() {
    for (part, expected) in [("worker", 29), ("compiler", 18)] {
        let output = Command::new(payload())
            .args(["count", part])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let left: Vec<&str> = said.split_whitespace().collect();
        println!("{part}: {} system calls: {said}", left.len());
        assert!((10..=30).contains(&left.len()), "{part}: {said}");
        // Some answer what the filter would when they are called with nonsense.
        assert!(left.len() <= expected, "{part}: {said}");
    }
}
