//! The trials of `make ablation` cover every attack and every layer, and what is installed cannot
//! leave a layer out. The trials themselves need a build of their own and are not made here.

#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test ends at the first surprise"
)]

use std::collections::BTreeSet;
use std::fs;

use atoll_acceptance::{
    Atoll, COPY_LAYERS, COPY_NEVER_OFF, COPY_TRIALS, LAYERS, NEVER_OFF, TRIALS, Trial, UNTRIED,
    finish, repository,
};

/// Names what is to be left out, in builds that can.
const SWITCH: &str = "ATOLL_ABLATION";

/// What only the library that interpreters load has: the function they call.
const IN_LIBRARY: &[u8] = b"PyInit_atoll_zygote";

fn source() -> String {
    fs::read_to_string(repository().join("crates/jail/src/ablation.rs")).unwrap()
}

#[test]
fn what_is_installed_cannot_leave_out_a_layer() {
    // Should the variable ever be called otherwise, this test must be, too.
    assert!(source().contains(&format!("\"{SWITCH}\"")));
    let atoll = Atoll::locate().unwrap();
    let programs = atoll.program().parent().unwrap();
    for name in [
        "atoll",
        "atoll-launcher",
        "atoll-analyzer",
        "atoll-wasm-worker",
    ] {
        let bytes = fs::read(programs.join(name)).unwrap();
        let mut parts = bytes.windows(SWITCH.len());
        let knows = parts.any(|part| part == SWITCH.as_bytes());
        assert!(!knows, "{name} can leave out layers");
        // The library that interpreters load lies in the command as it is.
        let mut parts = bytes.windows(IN_LIBRARY.len());
        let has_library = parts.any(|part| part == IN_LIBRARY);
        assert_eq!(has_library, name == "atoll", "{name}");
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

fn each_is_known_and_tried(layers: &[(&str, &str)], trials: &[Trial]) {
    let source = source();
    for (layer, _) in layers {
        let by_atoll = ["wall-clock", "output-cap"].contains(layer);
        let name = layer.trim_start_matches("zygote-");
        let known = source.contains(&format!("\"{name}\""));
        assert!(known || by_atoll || name.starts_with("rlimit-"), "{layer}");
        let used = trials.iter().any(|trial| trial.layers.contains(layer));
        assert!(used, "no trial switches {layer} off");
    }
    for layer in trials.iter().flat_map(|trial| trial.layers) {
        assert!(layers.iter().any(|(known, _)| known == layer), "{layer}");
    }
}

/// Where copies put layers in force, every one can be left out, and every one that a fresh sandbox
/// has is there under its own name or as the zygote's.
#[test]
fn every_layer_of_a_copy_is_switched_off_by_some_trial() {
    each_is_known_and_tried(COPY_LAYERS, COPY_TRIALS);
    for (layer, _) in LAYERS {
        let zygotes = format!("zygote-{layer}");
        let tried = COPY_LAYERS.iter().chain(COPY_NEVER_OFF);
        let mut tried = tried.filter(|(known, _)| known == layer || *known == zygotes);
        assert!(tried.next().is_some(), "{layer} of copies is never off");
    }
}

#[test]
fn every_layer_of_a_sandbox_is_switched_off_by_some_trial() {
    each_is_known_and_tried(LAYERS, TRIALS);
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
