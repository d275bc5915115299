//! Compiles one program and ends.
//!
//! Owns the way from a program's bytes to code. It closes itself in before it looks at the first
//! of them. It links nothing and runs nothing; whether the program's imports can be had is for a
//! worker to say.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, PoisonError};

use atoll_sandbox_wasm::protocol::{
    self, Bundle, CompileStatus, GuestKind, NOTICE_BYTES_MAX, write_frame,
};
use atoll_wasm_worker::parts::{Exported, Joint, Piece, compose};

use wasmtime::Engine;

use crate::confine::{Part, confine};
use crate::{descriptors, runtime, size};

/// Compiles what was asked for.
///
/// # Errors
/// When nobody can be told how it went.
pub(crate) fn run() -> io::Result<()> {
    let [request, status, code] = descriptors::take()?;
    let reporter = Arc::new(Reporter {
        pipe: Mutex::new(File::from(status)),
    });
    reporter.report_panics();
    let end = match compile(request, code, &reporter) {
        Ok(end) => end,
        Err(error) => CompileStatus::Failed {
            reason: runtime::describe(&error),
        },
    };
    reporter.send(&end)
}

fn compile(
    request: OwnedFd,
    code: OwnedFd,
    reporter: &Reporter,
) -> wasmtime::Result<CompileStatus> {
    let (request, program) = protocol::read_request(&mut File::from(request))?;
    let engine = runtime::compiling()?;
    let system_calls = confine(Part::Compiler)?;
    reporter.send(&CompileStatus::Confined { system_calls })?;
    let compiled = match translate(&engine, request.kind, &program) {
        Ok(compiled) => compiled,
        Err(reason) => {
            // Names in it are the program's own, and may be long.
            let reason = protocol::tidy(&reason);
            return Ok(CompileStatus::Refused { reason });
        }
    };
    File::from(code).write_all(&compiled)?;
    Ok(CompileStatus::Compiled {
        bytes: compiled.len() as u64,
    })
}

/// Makes code of a program, or a sentence for the user.
pub(crate) fn translate(
    engine: &Engine,
    kind: GuestKind,
    program: &[u8],
) -> Result<Vec<u8>, String> {
    if kind == GuestKind::Parts {
        let whole = whole(program)?;
        return translate(engine, GuestKind::Component, &whole);
    }
    size::check(kind, program)?;
    let (what, compiled) = match kind {
        GuestKind::Module => ("module", engine.precompile_module(program)),
        GuestKind::Component | GuestKind::Interpreter | GuestKind::Parts => {
            ("component", engine.precompile_component(program))
        }
    };
    compiled.map_err(|error| format!("the {what} is not valid: {}", runtime::describe(&error)))
}

/// The component that the pieces of a bundle make.
fn whole(bundle: &[u8]) -> Result<Vec<u8>, String> {
    let bundle = Bundle::decode(bundle).map_err(|error| error.to_string())?;
    for piece in &bundle.pieces {
        let checked = size::check(GuestKind::Component, &piece.bytes);
        checked.map_err(|reason| format!("the part `{}`: {reason}", piece.name))?;
    }
    if let [alone] = bundle.pieces.as_slice() {
        return Ok(alone.bytes.clone());
    }
    let pieces: Vec<Piece<'_>> = bundle
        .pieces
        .iter()
        .map(|piece| Piece {
            name: &piece.name,
            bytes: &piece.bytes,
        })
        .collect();
    let joints: Vec<Joint<'_>> = bundle
        .joints
        .iter()
        .map(|joint| Joint {
            importer: joint.importer as usize,
            import: &joint.import,
            provider: joint.provider as usize,
            export: &joint.export,
        })
        .collect();
    let exports: Vec<Exported<'_>> = bundle
        .exports
        .iter()
        .map(|export| Exported {
            piece: export.piece as usize,
            name: &export.name,
        })
        .collect();
    compose(&pieces, &joints, &exports).map_err(|error| error.to_string())
}

/// The write end of the status pipe.
struct Reporter {
    pipe: Mutex<File>,
}

impl Reporter {
    fn send(&self, status: &CompileStatus) -> io::Result<()> {
        let mut frame = Vec::new();
        write_frame(&mut frame, status, NOTICE_BYTES_MAX)?;
        let mut pipe = self.pipe.lock().unwrap_or_else(PoisonError::into_inner);
        pipe.write_all(&frame)
    }

    /// Makes a panic a status.
    fn report_panics(self: &Arc<Self>) {
        let reporter = Arc::clone(self);
        std::panic::set_hook(Box::new(move |panic| {
            let reason = format!("the compiler panicked: {panic}");
            let _ = reporter.send(&CompileStatus::Failed { reason });
        }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MODULE: &str = r#"(module
      (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
      (memory (export "memory") 2) (table 3 funcref) (global $g (mut i32) (i32.const 4))
      (data (i32.const 16) "some text") (elem (i32.const 0) $work $work)
      (func $work (param i32) (result i64) (local v128 f64)
        (block (loop (br_if 1 (i32.eqz (local.get 0))) (local.set 0 (i32.const 0)) (br 0)))
        (i64.load (local.get 0)))
      (func (export "_start") (drop (call $work (global.get $g))) (call $exit (i32.const 0))))"#;

    const COMPONENT: &str = r#"(component
      (import "wasi:cli/exit@0.2.0" (instance $exits
        (export "exit" (func (param "status" (result))))))
      (core func $exit (canon lower (func $exits "exit")))
      (core module $main (import "host" "exit" (func $exit (param i32)))
        (func (export "run") (result i32) (call $exit (i32.const 0)) unreachable))
      (core instance $main (instantiate $main (with "host" (instance
        (export "exit" (func $exit))))))
      (func $run (result (result)) (canon lift (core func $main "run")))
      (instance (export "wasi:cli/run@0.2.0") (export "run" (func $run))))"#;

    /// The same numbers every time (xorshift, after Marsaglia).
    struct Numbers(u64);

    impl Numbers {
        fn below(&mut self, bound: usize) -> usize {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            usize::try_from(self.0 % bound as u64).unwrap()
        }
    }

    fn mutated(whole: &[u8], numbers: &mut Numbers) -> Vec<u8> {
        let mut bytes = whole.to_vec();
        for _ in 0..=numbers.below(3) {
            let at = numbers.below(bytes.len());
            let other = numbers.below(whole.len());
            match numbers.below(6) {
                0 => bytes[at] ^= 1 << numbers.below(8),
                1 => bytes[at] = u8::try_from(numbers.below(256)).unwrap(),
                2 => bytes.truncate(at.max(1)),
                3 => drop(bytes.drain(at..(at + numbers.below(9)).min(bytes.len()))),
                4 => bytes.insert(at, 0xff),
                _ => drop(bytes.splice(at..at, whole[other..].iter().copied().take(40))),
            }
            if bytes.is_empty() {
                break;
            }
        }
        bytes
    }

    #[test]
    fn what_is_broken_is_refused_with_a_sentence() {
        let engine = runtime::compiling().unwrap();
        let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
        for (kind, text) in [
            (GuestKind::Module, MODULE),
            (GuestKind::Component, COMPONENT),
        ] {
            let whole = wat::parse_str(text).unwrap();
            translate(&engine, kind, &whole).unwrap();
            let mut refused = 0;
            for _ in 0..1500 {
                let bytes = mutated(&whole, &mut numbers);
                if let Err(reason) = translate(&engine, kind, &bytes) {
                    assert!(!reason.is_empty() && !reason.contains('\n'), "{reason}");
                    refused += 1;
                }
            }
            // Some changes make no difference, such as those in names and data.
            assert!((500..1500).contains(&refused), "{kind:?}: {refused}");
        }
    }

    #[test]
    fn every_cut_is_refused() {
        let engine = runtime::compiling().unwrap();
        for (kind, text) in [
            (GuestKind::Module, MODULE),
            (GuestKind::Component, COMPONENT),
        ] {
            let whole = wat::parse_str(text).unwrap();
            for end in 0..whole.len() {
                // Between two sections, what is left can be valid for itself.
                if let Err(reason) = translate(&engine, kind, &whole[..end]) {
                    assert!(!reason.is_empty(), "{end}");
                }
            }
            translate(&engine, kind, &whole[..whole.len() / 2]).unwrap_err();
        }
    }
}
