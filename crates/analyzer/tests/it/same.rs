//! A program is read the same in a jail as without one.

use std::fs;
use std::path::{Path, PathBuf};

use atoll_analyze::{analyze, recognise};
use atoll_analyzer::{Analyzer, Apart, is_usual, usual_bytes_max};
use atoll_types::{Program, ProgramHash, ProgramKind};

use crate::{block_on, read};

fn assert_same(name: &str, kind: ProgramKind, program: &[u8]) {
    let here = analyze(kind, program);
    let apart = read(&Apart::default(), kind, program);
    assert_eq!(apart.expect(name), here, "{name}");
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn files_below(directory: &Path, found: &mut Vec<PathBuf>) {
    let entries = fs::read_dir(directory).unwrap();
    for entry in entries.map(|entry| entry.unwrap().path()) {
        if entry.is_dir() {
            files_below(&entry, found);
        } else {
            found.push(entry);
        }
    }
}

/// Programs that lie in this repository.
fn programs() -> Vec<(String, ProgramKind, Vec<u8>)> {
    let mut paths = Vec::new();
    for directory in ["corpus/labelled", "examples", "crates/analyze/tests/it"] {
        files_below(&repository().join(directory), &mut paths);
    }
    paths.sort();
    let programs = paths.iter().filter_map(|path| {
        let name = path.file_name()?.to_string_lossy().into_owned();
        let bytes = fs::read(path).ok()?;
        let kind = recognise(&name, &bytes).ok()?;
        Some((name, kind, bytes))
    });
    programs.collect()
}

#[test]
fn programs_of_all_languages_are_read_the_same() {
    // Each takes a jail; a part of them has every construct many times.
    let programs = programs();
    assert!(programs.len() > 1000, "{}", programs.len());
    for (name, kind, bytes) in programs.iter().step_by(7) {
        assert_same(name, *kind, bytes);
    }
}

#[test]
fn large_scripts_are_read_the_same() {
    for kind in [
        ProgramKind::Python,
        ProgramKind::JavaScript,
        ProgramKind::Shell,
    ] {
        let mut large = Vec::new();
        for (_, _, bytes) in programs().iter().filter(|(_, its, _)| *its == kind) {
            large.extend_from_slice(bytes);
            large.push(b'\n');
        }
        while is_usual(kind, large.len()) {
            large.extend_from_within(..);
        }
        assert_same(kind.name(), kind, &large);
        // What is broken off is broken.
        assert_same(kind.name(), kind, &large[..large.len() / 2 + 7]);
    }
}

#[test]
fn machine_code_is_read_the_same() {
    let own = fs::read(std::env::current_exe().unwrap()).unwrap();
    assert_same("this test", ProgramKind::Native, &own);
    let half = &own[..own.len() / 2];
    assert_same("half of it", ProgramKind::Native, half);
}

#[test]
fn what_nests_deeply_is_read_the_same() {
    for (open, close) in [("(", ")"), ("[", "]"), ("lambda: ", ""), ("-", "")] {
        for times in [1000, 3000, 200_000] {
            let text = format!("x = {}1{}\n", open.repeat(times), close.repeat(times));
            assert_same(&text[..20], ProgramKind::Python, text.as_bytes());
            let broken = format!("x = {}\n", open.repeat(times));
            assert_same(&text[..20], ProgramKind::Python, broken.as_bytes());
        }
    }
    let braces = "{".repeat(100_000);
    assert_same("braces", ProgramKind::JavaScript, braces.as_bytes());
}

#[test]
fn modules_are_read_the_same() {
    let mut functions: Vec<u8> = b"\0asm\x01\0\0\0".to_vec();
    assert_same("an empty module", ProgramKind::WasmModule, &functions);
    // A custom section of more bytes than there are, and then many that are whole.
    functions.extend([0, 0xff, 0xff, 0x7f]);
    assert_same("a cut module", ProgramKind::WasmModule, &functions);
    let mut sections: Vec<u8> = b"\0asm\x01\0\0\0".to_vec();
    while is_usual(ProgramKind::WasmModule, sections.len()) {
        sections.extend([0, 5, 4, b'n', b'a', b'm', b'e']);
    }
    assert_same("many sections", ProgramKind::WasmModule, &sections);
    assert_same("no component", ProgramKind::WasmComponent, &sections);
}

/// Whichever way a program takes is seen nowhere but in how it is read.
#[test]
fn programs_on_both_sides_of_the_bound_are_analyzed() {
    let analyzer = Analyzer::default();
    let bound = usual_bytes_max(ProgramKind::Python);
    for bytes in [0, 1, bound - 1, bound, bound + 1, 2 * bound] {
        let mut text = "import os\nos.getpid()\n".repeat(bytes / 22);
        text.push_str(&"#".repeat(bytes - text.len()));
        let program = Program {
            name: "a.py".to_owned(),
            kind: ProgramKind::Python,
            bytes: text.as_bytes().into(),
            hash: ProgramHash::of(text.as_bytes()),
        };
        let analysis = block_on(analyzer.analyze(&program));
        assert_eq!(analysis, analyze(ProgramKind::Python, text.as_bytes()));
    }
}
