//! Programs that are broken: refused by the compiler, or run; never a fault of ours.

use atoll_sandbox::StartError;
use atoll_sandbox::conformance::{accepted_by_environment, limits};
use atoll_sandbox_wasm::WasmBackend;
use atoll_types::ProgramKind;

use crate::fixtures;
use crate::support::{block_on, job, one_of, program};

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

/// The same numbers every time (xorshift, after Marsaglia).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound.max(1) as u64).unwrap()
    }
}

/// A program with up to four faults: bits turned over, bytes changed, taken out or put in, cut
/// off, repeated, or with a part of another program in it.
fn broken(whole: &[u8], other: &[u8], numbers: &mut Numbers) -> Vec<u8> {
    let mut bytes = whole.to_vec();
    for _ in 0..=numbers.below(4) {
        let at = numbers.below(bytes.len());
        let from = numbers.below(other.len());
        let length = 1 + numbers.below(60);
        let part = other.iter().skip(from).take(length).copied();
        match numbers.below(8) {
            0 | 1 => bytes[at] ^= 1 << numbers.below(8),
            2 => bytes[at] = [0, 0x7f, 0x80, 0xff][numbers.below(4)],
            3 => bytes.truncate(at.max(1)),
            4 => drop(bytes.drain(at..(at + length).min(bytes.len()))),
            5 => drop(bytes.splice(at..at, part.collect::<Vec<_>>())),
            6 => bytes.extend(part.collect::<Vec<_>>()),
            _ => bytes.extend(bytes.clone()),
        }
        if bytes.is_empty() {
            bytes.push(0);
        }
    }
    bytes
}

/// Thousands with `ATOLL_CONFORMANCE=all`.
#[test]
fn broken_programs_never_harm_the_compiler() {
    let module = wat::parse_str(fixtures::copy()).unwrap();
    let component = wat::parse_str(fixtures::component(0)).unwrap();
    let cases = 6_000 / one_of().max(2);
    let mut numbers = Numbers(0x2545_f491_4f6c_dd1d);
    let (mut refused, mut compiled) = (0, 0);
    block_on(async {
        let backend = WasmBackend::new();
        for case in 0..cases {
            let (kind, whole, other) = match case % 2 {
                0 => (ProgramKind::WasmModule, &module, &component),
                _ => (ProgramKind::WasmComponent, &component, &module),
            };
            let bytes = broken(whole, other, &mut numbers);
            let sent = job(program(kind, bytes.clone()));
            match backend
                .prepare(sent, &limits(), &accepted_by_environment())
                .await
            {
                Ok(_) => compiled += 1,
                Err(StartError::Program(reason)) => {
                    assert!(
                        !reason.is_empty() && !reason.contains("panicked"),
                        "{reason}"
                    );
                    refused += 1;
                }
                Err(error) => panic!("{error:?}: {bytes:02x?}"),
            }
        }
    });
    println!("{refused} were refused, {compiled} compiled all the same");
    assert!(refused > cases / 2);
    assert_eq!(refused + compiled, cases);
}

/// Interpreters are large: few of their broken forms, and none that is compiled whole by chance.
#[test]
fn broken_interpreters_are_refused() {
    let place = std::env::current_exe().unwrap();
    let place = place
        .ancestors()
        .nth(2)
        .unwrap()
        .join("runtimes/javascript.wasm");
    let Ok(whole) = std::fs::read(&place) else {
        println!(
            "skipped: {} is not there (`make runtimes`)",
            place.display()
        );
        return;
    };
    let cases = 500 / one_of();
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    let mut refused = 0;
    block_on(async {
        let backend = WasmBackend::new();
        for _ in 0..cases {
            let mut bytes = whole.clone();
            // Near the beginning, where types and imports are.
            let at = 8 + numbers.below(20_000);
            bytes[at] ^= 0xff;
            bytes.truncate(bytes.len() - 1 - numbers.below(1000));
            let sent = job(program(ProgramKind::WasmComponent, bytes));
            match backend
                .prepare(sent, &limits(), &accepted_by_environment())
                .await
            {
                Err(StartError::Program(reason)) => {
                    assert!(
                        !reason.is_empty() && !reason.contains("panicked"),
                        "{reason}"
                    );
                    refused += 1;
                }
                other => panic!("{at}: {other:?}"),
            }
        }
    });
    assert_eq!(refused, cases);
}
