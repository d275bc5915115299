//! The promises that every backend keeps.

use atoll_sandbox::Backend;
use atoll_sandbox::conformance::{Programs, accepted_by_environment, check};
use atoll_sandbox_wasm::WasmBackend;
use atoll_types::{Layer, LayerState, Level, ProgramKind};

use crate::fixtures;
use crate::support::{block_on, module};

#[test]
fn webassembly_keeps_every_promise() {
    let programs = Programs {
        hello: module(&fixtures::hello()),
        copy: module(&fixtures::copy()),
        show: module(&fixtures::show()),
        leave: module(&fixtures::leave()),
        endless: module(&fixtures::endless()),
        greedy: module(&fixtures::greedy()),
        crash: module(&fixtures::crash()),
    };
    let accepted = accepted_by_environment();
    let broken = block_on(check(&WasmBackend::new(), &programs, &accepted));
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn the_probe_runs_a_module_for_real() {
    let backend = WasmBackend::new();
    assert_eq!(backend.level(), Level::Instance);
    // Also from inside a runtime, where it is called by `atoll doctor`.
    let layers = block_on(async { backend.probe() });
    let missing: Vec<_> = layers
        .iter()
        .filter(|report| report.state == LayerState::Missing)
        .filter(|report| !accepted_by_environment().contains(&report.layer))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
    assert_eq!(layers.last().unwrap().layer, Layer::WasmInstance);
}

#[test]
fn only_webassembly_and_what_it_has_interpreters_for_is_supported() {
    let backend = WasmBackend::new();
    for kind in ProgramKind::ALL {
        let may_have = matches!(kind, ProgramKind::Python | ProgramKind::JavaScript);
        match backend.supports(kind) {
            Ok(()) => assert!(kind.is_wasm() || may_have),
            Err(why) => {
                assert!(!kind.is_wasm());
                assert!(
                    why.contains(kind.name()) && why.contains("process level"),
                    "{why}"
                );
            }
        }
    }
}
