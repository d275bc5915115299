//! Programs that cannot run, and the sentences that say so.

use atoll_sandbox_wasm::protocol::GuestKind;

use crate::fixtures;
use crate::harness::Run;

fn refusal(text: &str) -> String {
    Run::module(text).finish().refusal().to_owned()
}

#[test]
fn a_library_is_not_a_command() {
    assert_eq!(
        refusal(r#"(module (func (export "add")))"#),
        "the program is not a command: it exports no function _start; build it with a main \
         function, not as a library"
    );
    assert_eq!(
        refusal(r#"(module (func (export "_start") (param i32)))"#),
        "the program is not a command: _start is not a function without parameters and results"
    );
    assert_eq!(
        refusal(r#"(module (memory (export "_start") 1))"#),
        "the program is not a command: _start is not a function without parameters and results"
    );
}

#[test]
fn unknown_imports_are_named() {
    assert_eq!(
        refusal(
            r#"(module (import "env" "a" (func)) (import "env" "b" (memory 1))
              (import "js" "c" (global i32)) (import "js" "d" (func)) (func (export "_start")))"#
        ),
        "the program imports env.a, env.b, js.c and 1 more, which nothing provides here; build \
         it as a WASI preview 1 command (target wasm32-wasip1)"
    );
    let reason = refusal(
        r#"(module (import "wasi_snapshot_preview1" "steal" (func)) (func (export "_start")))"#,
    );
    assert!(reason.contains("wasi_snapshot_preview1::steal"), "{reason}");
    let reason = refusal(
        r#"(module (import "wasi_snapshot_preview1" "fd_close" (func (param i64)))
          (func (export "_start")))"#,
    );
    assert!(reason.contains("incompatible import type"), "{reason}");
}

#[test]
fn every_cut_of_a_module_is_refused() {
    let whole = wat::parse_str(fixtures::hello()).unwrap();
    for end in [0, 3, 4, 8, 9, 20, whole.len() / 2, whole.len() - 1] {
        let outcome = Run::new(GuestKind::Module, whole[..end].to_vec()).finish();
        outcome.refusal();
    }
    let outcome = Run::new(GuestKind::Module, whole[..whole.len() - 1].to_vec()).finish();
    assert!(outcome.refusal().contains("cut off"), "{outcome:?}");
}

#[test]
fn what_is_not_webassembly_is_refused() {
    for (bytes, expected) in [
        (b"".as_slice(), "the program is cut off"),
        (b"#!/bin/sh\n", "the program is not a WebAssembly binary"),
        (
            b"(module (func (export \"_start\")))",
            "the program is not a WebAssembly binary",
        ),
        (b"\0asm\x63\0\0\0", "the program is of an unknown version"),
        (
            b"\0asm\x0d\0\x01\0",
            "the program is a WebAssembly component",
        ),
    ] {
        let outcome = Run::new(GuestKind::Module, bytes.to_vec()).finish();
        let reason = outcome.refusal();
        assert!(reason.starts_with(expected), "{reason}");
    }
}

#[test]
fn an_invalid_body_is_refused() {
    let valid = wat::parse_str("(module (func (export \"_start\") (drop (i32.const 1))))").unwrap();
    let mut invalid = valid.clone();
    // `i64.const` where `i32.const` was, then `i32.eqz` for `drop`: the types no longer fit.
    let at = valid
        .windows(3)
        .position(|bytes| bytes == [0x41, 0x01, 0x1a])
        .unwrap();
    invalid[at + 2] = 0x45;
    let outcome = Run::new(GuestKind::Module, invalid).finish();
    let reason = outcome.refusal();
    assert!(reason.starts_with("the module is not valid: "), "{reason}");
}

#[test]
fn any_flipped_bit_ends_in_a_known_way() {
    let whole = wat::parse_str(fixtures::hello()).unwrap();
    for at in (0..whole.len()).step_by(7) {
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (at % 8);
        let outcome = Run::new(GuestKind::Module, bytes).finish();
        let code = outcome.exit.code();
        outcome.end();
        assert!(
            matches!(code, Some(0 | 124 | 125)),
            "bit in byte {at}: {outcome:?}"
        );
    }
}

#[test]
fn shared_memory_is_refused() {
    let reason = refusal("(module (memory 1 2 shared) (func (export \"_start\")))");
    assert!(reason.contains("threads"), "{reason}");
}

#[test]
fn a_missing_directory_is_the_workers_failure_and_not_the_programs() {
    let run = Run::module(&fixtures::hello());
    std::fs::remove_dir(run.work()).unwrap();
    let outcome = run.finish();
    assert_eq!(outcome.exit.code(), Some(126), "{outcome:?}");
}

#[test]
fn a_worker_started_by_hand_says_so() {
    let output = std::process::Command::new("sh")
        .args([
            "-c",
            r#"exec "$0" 3<&- 4<&-"#,
            env!("CARGO_BIN_EXE_atoll-wasm-worker"),
        ])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(126));
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("is started by atoll, not by hand"), "{text}");
}
