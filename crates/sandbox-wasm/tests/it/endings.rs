//! How programs end, or do not start, at the instance level.

use atoll_sandbox::conformance::accepted_by_environment;
use atoll_sandbox::conformance::limits;
use atoll_sandbox::{Ending, StartError};
use atoll_types::{Layer, LimitName, ProgramKind};

use crate::fixtures;
use crate::support::{Ran, component, job, module, program, run, run_job};

fn refusal(result: Result<Ran, StartError>) -> String {
    match result {
        Err(StartError::Program(reason)) => reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_component_ends_with_what_run_answers() {
    for (answer, code) in [(0, 0), (1, 1)] {
        let ran = run(component(&fixtures::component(answer))).unwrap();
        assert_eq!(ran.ending, Ending::Exited(code), "{ran:?}");
    }
}

#[test]
fn a_trap_is_named_and_shown() {
    let ran = run(module(&fixtures::crash())).unwrap();
    let expected = "wasm trap: wasm `unreachable` instruction executed";
    assert_eq!(ran.ending, Ending::Trapped(expected.to_owned()), "{ran:?}");
    assert_eq!(ran.stdout, "");
    assert_eq!(ran.limit, None);
    assert!(ran.stderr.contains(expected), "{ran:?}");
}

#[test]
fn the_worker_is_confined_on_top_of_its_jail() {
    let ran = run(module(&fixtures::hello())).unwrap();
    let accepted = accepted_by_environment();
    let mut missing = ran.enforcement.missing();
    assert!(
        missing.all(|report| accepted.contains(&report.layer)),
        "{ran:?}"
    );
    let layers = &ran.enforcement.layers;
    let instance: Vec<_> = layers
        .iter()
        .filter(|report| report.layer == Layer::WasmInstance)
        .collect();
    let [instance] = instance.as_slice() else {
        panic!("{layers:?}");
    };
    assert!(
        instance.detail.contains(" system calls left"),
        "{instance:?}"
    );
    assert!(layers.iter().any(|report| report.layer == Layer::Seccomp));
    assert!(ran.usage.cpu_time_us > 0);
}

#[test]
fn what_cannot_run_is_refused_before_it_runs() {
    let reason = refusal(run(module(
        r#"(module (import "env" "read_secrets" (func)) (func (export "_start")))"#,
    )));
    assert!(
        reason.starts_with("the program imports env.read_secrets"),
        "{reason}"
    );
    let reason = refusal(run(module("(module)")));
    assert!(
        reason.starts_with("the program is not a command"),
        "{reason}"
    );
    let whole = wat::parse_str(fixtures::hello()).unwrap();
    let cut = program(ProgramKind::WasmModule, whole[..whole.len() - 3].to_vec());
    let reason = refusal(run(cut));
    assert!(reason.starts_with("the program is cut off"), "{reason}");
}

#[test]
fn a_job_larger_than_the_protocol_is_refused() {
    let mut large = job(module(&fixtures::hello()));
    large.arguments = vec![vec![b'x'; 5 << 20]];
    let reason = refusal(run_job(large, limits()));
    assert!(
        reason.starts_with("arguments and environment variables have 5"),
        "{reason}"
    );
}

#[test]
fn compiling_is_bounded_by_time() {
    let mut short = limits();
    short.wall_time_ms = 50;
    let result = run_job(
        job(program(ProgramKind::WasmModule, fixtures::large())),
        short,
    );
    assert!(
        matches!(result, Err(StartError::Limit(LimitName::WallTime))),
        "{result:?}"
    );
}

#[test]
fn compiling_is_bounded_by_memory() {
    let mut small = limits();
    small.memory_bytes = 24 << 20;
    // It is to end for its memory wherever processors are slow, too.
    (small.cpu_time_ms, small.wall_time_ms) = (600_000, 600_000);
    let result = run_job(
        job(program(ProgramKind::WasmModule, fixtures::large())),
        small,
    );
    if accepted_by_environment().contains(&Layer::MemoryLimit) {
        // Nobody counts the memory of a process there; it is refused more, and gives up.
        assert!(result.is_err(), "{result:?}");
        return;
    }
    assert!(
        matches!(result, Err(StartError::Limit(LimitName::Memory))),
        "{result:?}"
    );
}

#[test]
fn a_full_disk_is_an_error_for_the_guest_and_a_limit_for_the_outcome() {
    let mut small = limits();
    small.disk_bytes = 1 << 20;
    let ran = run_job(job(module(&fixtures::disk_filler())), small).unwrap();
    assert_eq!(ran.limit, Some(LimitName::Disk), "{ran:?}");
}

#[test]
fn memory_that_is_refused_and_not_needed_is_no_limit() {
    let text = r#"(module (memory 1)
      (func (export "_start") (drop (memory.grow (i32.const 60000)))))"#;
    let ran = run(module(text)).unwrap();
    assert_eq!((ran.ending, ran.limit), (Ending::Exited(0), None));
}

#[test]
fn long_names_do_not_keep_a_refusal_from_being_heard() {
    let name = "x".repeat(90_000);
    let import = |function: &str| format!(r#"(import "{name}" "{function}" (func))"#);
    let imports = ["a", "b", "c"].map(import).concat();
    let text = format!(r#"(module {imports} (func (export "_start")))"#);
    let reason = refusal(run(module(&text)));
    assert!(reason.starts_with("the program imports xxx"), "{reason}");
}
