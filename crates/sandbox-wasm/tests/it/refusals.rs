//! Programs that are broken: refused by the compiler, or run; never a fault of ours.

use atoll_sandbox::StartError;
use atoll_sandbox::conformance::{accepted_by_environment, limits};
use atoll_sandbox_wasm::WasmBackend;
use atoll_types::ProgramKind;

use crate::fixtures;
use crate::support::{block_on, job, program};

fn flipped(bytes: &[u8], at: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    if let Some(byte) = bytes.get_mut(at) {
        *byte ^= 1 << (at % 8);
    }
    bytes
}

#[test]
fn broken_programs_are_refused_with_a_reason() {
    let module = wat::parse_str(fixtures::copy()).unwrap();
    let component = wat::parse_str(fixtures::component(0)).unwrap();
    let mut refused = 0;
    block_on(async {
        let backend = WasmBackend::new();
        for (kind, whole) in [
            (ProgramKind::WasmModule, &module),
            (ProgramKind::WasmComponent, &component),
        ] {
            let steps = (1..8).map(|part| whole.len() * part / 8);
            let broken = steps.clone().map(|at| flipped(whole, at));
            let cut = steps.map(|at| whole[..at].to_vec());
            for bytes in broken.chain(cut) {
                match backend
                    .prepare(
                        job(program(kind, bytes)),
                        &limits(),
                        &accepted_by_environment(),
                    )
                    .await
                {
                    Ok(_) => {}
                    Err(StartError::Program(reason)) => {
                        assert!(!reason.is_empty());
                        refused += 1;
                    }
                    Err(other) => panic!("{other:?}"),
                }
            }
        }
        let swapped = job(program(ProgramKind::WasmComponent, module.clone()));
        let result = backend
            .prepare(swapped, &limits(), &accepted_by_environment())
            .await;
        assert!(matches!(result, Err(StartError::Program(_))), "{result:?}");
    });
    assert!(refused >= 14, "{refused}");
}
