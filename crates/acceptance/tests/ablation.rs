//! The trials of `make ablation` cover every attack and every layer, and what is installed cannot
//! leave a layer out. The trials themselves need a build of their own and are not made here.

#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test ends at the first surprise"
)]

use std::collections::BTreeSet;
use std::fs;

use atoll_acceptance::{Atoll, LAYERS, NEVER_OFF, TRIALS, UNTRIED, finish, repository};

/// Names what is to be left out, in builds that can.
const SWITCH: &str = "ATOLL_ABLATION";

fn source() -> String {
    fs::read_to_string(repository().join("crates/jail/src/ablation.rs")).unwrap()
}

#[test]
fn what_is_installed_cannot_leave_out_a_layer() {
    // Should the variable ever be called otherwise, this test must be, too.
    assert!(source().contains(&format!("\"{SWITCH}\"")));
    let atoll = Atoll::locate().unwrap();
    let programs = atoll.program().parent().unwrap();
    for name in ["atoll", "atoll-launcher", "atoll-wasm-worker"] {
        let bytes = fs::read(programs.join(name)).unwrap();
        let mut parts = bytes.windows(SWITCH.len());
        let knows = parts.any(|part| part == SWITCH.as_bytes());
        assert!(!knows, "{name} can leave out layers");
    }
    let directory = tempfile::tempdir().unwrap();
    let program = directory.path().join("look.py");
    let text = "import os\nprint('SECRET' in os.environ, os.uname().nodename)\n";
    fs::write(&program, text).unwrap();
    let mut command = atoll.command();
    command.env(SWITCH, "environment,uts-namespace");
    command.env("SECRET", "s").arg("run").arg(program);
    let said = finish(command, b"").unwrap().stdout_text();
    assert_eq!(said, "False atoll\n");
}

#[test]
fn every_attack_has_a_control_or_a_reason() {
    let programs = repository().join("crates/acceptance/tests/escape/programs");
    let present: BTreeSet<String> = fs::read_dir(&programs)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != "attempts.py")
        .collect();
    let tried: BTreeSet<_> = TRIALS.iter().map(|trial| trial.program).collect();
    let untried: BTreeSet<_> = UNTRIED.iter().map(|(program, _)| *program).collect();
    assert!(tried.is_disjoint(&untried));
    let named = tried.union(&untried).map(|name| (*name).to_owned());
    assert_eq!(named.collect::<BTreeSet<_>>(), present);
}

#[test]
fn every_layer_of_a_sandbox_is_switched_off_by_some_trial() {
    let source = source();
    for (layer, _) in LAYERS {
        let by_atoll = ["wall-clock", "output-cap"].contains(layer);
        let known = source.contains(&format!("\"{layer}\""));
        assert!(known || by_atoll || layer.starts_with("rlimit-"), "{layer}");
        let used = TRIALS.iter().any(|trial| trial.layers.contains(layer));
        assert!(used, "no trial switches {layer} off");
    }
    for layer in TRIALS.iter().flat_map(|trial| trial.layers) {
        assert!(LAYERS.iter().any(|(known, _)| known == layer), "{layer}");
    }
    // What a sandbox says it is made of.
    let atoll = Atoll::locate().unwrap();
    let directory = tempfile::tempdir().unwrap();
    let program = directory.path().join("hello.py");
    fs::write(&program, "print('hello')\n").unwrap();
    let (report, _) = atoll.run_json([program], b"").unwrap();
    let layers = report.enforcement["layers"].as_array().unwrap();
    assert!(layers.len() >= 20, "{layers:?}");
    for layer in layers {
        let name = layer["layer"].as_str().unwrap();
        let off = LAYERS.iter().any(|(known, _)| *known == name);
        let never = NEVER_OFF.iter().any(|(known, _)| *known == name);
        let handled = off || never || name == "resource-limits";
        assert!(handled, "{name} is never switched off");
    }
}
