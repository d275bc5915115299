//! Programs that cannot run, and the sentences that say so.

use atoll_sandbox_wasm::protocol::{CompileStatus, GuestEnd, GuestKind, Order, Settings};

use crate::fixtures;
use crate::harness::{Run, Worker, compile, unsealed};

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
        assert!(
            outcome.is_refused()
                || matches!(
                    outcome.end(),
                    GuestEnd::Exited { .. } | GuestEnd::Trapped { .. }
                ),
            "bit in byte {at}: {outcome:?}"
        );
    }
}

#[test]
fn shared_memory_is_refused() {
    let reason = refusal("(module (memory 1 2 shared) (func (export \"_start\")))");
    assert!(reason.contains("threads"), "{reason}");
}

/// Code that a supervisor would only hand over by mistake.
#[test]
fn code_that_is_not_compiled_code_is_refused() {
    let module = wat::parse_str(fixtures::hello()).unwrap();
    let component = wat::parse_str(fixtures::component("", 0)).unwrap();
    let compiled = compile(GuestKind::Module, &module).code().unwrap();
    let mut worker = Worker::start();
    let garbage = vec![0xa5; 100_000];
    for (kind, code) in [
        (GuestKind::Module, b"".as_slice()),
        (GuestKind::Component, b""),
        (GuestKind::Module, &garbage),
        (GuestKind::Component, &garbage),
        (GuestKind::Module, &module),
        (GuestKind::Component, &component),
        (GuestKind::Interpreter, &component),
        // A module where a component is expected.
        (GuestKind::Component, &compiled),
        (GuestKind::Module, &compiled[..compiled.len() / 2]),
    ] {
        let reason = worker.load(kind, code).unwrap_err();
        assert!(
            reason.starts_with("the compiled program cannot be loaded: "),
            "{kind:?}: {reason}"
        );
    }
    let reason = worker.load_file(GuestKind::Module, unsealed(&compiled));
    let expected = "the compiled program cannot be loaded: compiled code that is not sealed";
    assert_eq!(reason.unwrap_err(), expected);
    // None of this has harmed it.
    worker.run(Run::module(&fixtures::hello())).assert_exited(0);
    assert_eq!(worker.close().code(), Some(0));
}

#[test]
fn a_message_whose_program_is_not_there_is_refused() {
    let mut worker = Worker::start();
    let run = Run::module(&fixtures::hello());
    let message = worker.start_loaded(&run, 77);
    let outcome = worker.finish(message, None);
    assert_eq!(outcome.refusal(), "the program is not in this worker");
}

#[test]
fn orders_about_nobody_are_ignored() {
    let mut worker = Worker::start();
    let message = 77;
    worker.order(&Order::Stop { message });
    worker.order(&Order::Release { message });
    worker.order(&Order::Memory { message, bytes: 0 });
    worker.order(&Order::Input {
        message,
        bytes: vec![1],
        ends: true,
    });
    worker.order(&Order::Keep {
        program: 77,
        instances: 3,
    });
    assert_eq!(worker.collect(message), []);
    worker.run(Run::module(&fixtures::hello())).assert_exited(0);
}

#[test]
fn a_worker_that_is_told_nonsense_ends_and_says_why() {
    let settings = Settings {
        guests_max: 1,
        memory_bytes: 1 << 20,
        reserves: true,
    };
    let load = Order::Load {
        program: 1,
        kind: GuestKind::Module,
    };
    for (orders, expected) in [
        (vec![Order::Begin(settings)], "a second beginning"),
        (vec![load], "a program without its code"),
    ] {
        let mut worker = Worker::start();
        for order in orders {
            worker.order(&order);
        }
        let (status, text) = worker.end();
        assert_eq!(status.code(), Some(126), "{text}");
        assert!(text.contains(expected), "{text}");
    }
    for (bytes, expected) in [
        (u32::MAX.to_le_bytes().to_vec(), "larger than any frame"),
        ([1, 0, 0, 0, 0xff].to_vec(), "cannot be decoded"),
    ] {
        let mut worker = Worker::start();
        worker.bytes(&bytes);
        let (status, text) = worker.end();
        assert_eq!(status.code(), Some(126), "{text}");
        assert!(text.contains(expected), "{text}");
    }
}

#[test]
fn a_compiler_says_how_large_the_code_is() {
    let program = wat::parse_str(fixtures::hello()).unwrap();
    let compiled = compile(GuestKind::Module, &program);
    let bytes = compiled.code.len() as u64;
    assert_eq!(compiled.report.end, Some(CompileStatus::Compiled { bytes }));
    assert!(bytes > 0 && compiled.report.confined.is_some());
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

#[test]
fn a_part_without_its_descriptors_says_so() {
    for part in ["compile", "serve"] {
        let output = std::process::Command::new("sh")
            .args([
                "-c",
                r#"exec "$0" "$1" 3<&- 4<&- 5<&-"#,
                env!("CARGO_BIN_EXE_atoll-wasm-worker"),
                part,
            ])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(126));
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(text.contains("descriptor 3 is not open"), "{text}");
    }
}
