//! Files and functions stay small, every module says what it is for, `unsafe` stays where the
//! kernel is, and documents name only what exists.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test ends at the first surprise"
)]

use std::path::{Path, PathBuf};

use atoll_tidy::{files, functions, text, uses_word};

const FILE_LINES_MAX: usize = 800;
const FILE_LINES_NOTED: usize = 500;
const FUNCTION_LINES_MAX: usize = 100;
const FUNCTION_LINES_NOTED: usize = 70;
const LINE_COLUMNS_MAX: usize = 100;

/// The modules that talk to the kernel. Everything else is safe Rust.
const MAY_BE_UNSAFE: [&str; 11] = [
    "crates/agent/src/random",
    "crates/jail/src/sys",
    "crates/plain/src/start",
    // The registers of devices, in a guest that was taken over.
    "crates/sandbox-vm/examples/hostile-guest/queues",
    // Reads the processor's clock.
    "crates/sandbox-vm/src/ticks",
    // A developer's tool that loads compiled code from the file it wrote.
    "crates/wasm-worker/examples/run-runtime",
    // Native code that tries system calls where a worker stands.
    "crates/wasm-worker/examples/taken-over",
    "crates/wasm-worker/src/code",
    "crates/wasm-worker/src/descriptors",
    // A timer, and the handler of its signal.
    "crates/wasm-worker/src/ticker",
    "crates/zygote/src",
];

fn rust_files() -> Vec<PathBuf> {
    let mut found = files("crates");
    found.extend(files("fuzz"));
    found.retain(|path| path.extension().is_some_and(|extension| extension == "rs"));
    assert!(
        found.len() > 20,
        "only {} Rust files were found",
        found.len()
    );
    found
}

#[test]
fn every_module_says_what_it_owns() {
    let silent: Vec<_> = rust_files()
        .into_iter()
        // Unit tests that moved out of their module belong to it.
        .filter(|path| !path.ends_with("tests.rs"))
        .filter(|path| {
            let text = text(path);
            // Fuzz targets have to begin with an attribute.
            let first = text.lines().find(|line| !line.starts_with("#!["));
            !first.is_some_and(|line| line.starts_with("//! "))
        })
        .collect();
    assert!(
        silent.is_empty(),
        "these do not open with `//!`: {silent:#?}"
    );
}

#[test]
fn files_and_functions_stay_small() {
    let mut noted = Vec::new();
    let mut broken = Vec::new();
    for path in rust_files() {
        let text = text(&path);
        let shown = path.display();
        let lines = text.lines().count();
        if lines > FILE_LINES_MAX {
            broken.push(format!("{shown} has {lines} lines"));
        } else if lines > FILE_LINES_NOTED {
            noted.push(format!("{shown} has {lines} lines"));
        }
        for function in functions(&text) {
            let note = format!(
                "{shown}:{} {} has {} lines",
                function.line, function.name, function.lines
            );
            if function.lines > FUNCTION_LINES_MAX {
                broken.push(note);
            } else if function.lines > FUNCTION_LINES_NOTED {
                noted.push(note);
            }
        }
    }
    for note in noted {
        println!("larger than it should be: {note}");
    }
    assert!(broken.is_empty(), "split these:\n{}", broken.join("\n"));
}

#[test]
fn lines_are_not_longer_than_a_screen() {
    for path in rust_files() {
        for (number, line) in text(&path).lines().enumerate() {
            let columns = line.chars().count();
            // A long literal and a row of a table cannot be broken without changing them.
            let is_literal = line.contains('"') || line.trim_start().starts_with("//! |");
            assert!(
                columns <= LINE_COLUMNS_MAX || is_literal,
                "{}:{} has {columns} columns",
                path.display(),
                number + 1
            );
        }
    }
}

#[test]
fn unsafe_stays_where_the_kernel_is() {
    let allowed = |path: &Path| MAY_BE_UNSAFE.iter().any(|place| in_place(path, place));
    let strays: Vec<_> = rust_files()
        .into_iter()
        .filter(|path| !allowed(path) && uses_word(&text(path), "unsafe"))
        .collect();
    assert!(
        strays.is_empty(),
        "`unsafe` outside {MAY_BE_UNSAFE:?}: {strays:#?}"
    );
}

/// `place` is a module: its file or anything in its directory.
fn in_place(path: &Path, place: &str) -> bool {
    path.starts_with(place) || path == Path::new(&format!("{place}.rs"))
}

#[test]
fn every_promise_names_a_test_that_exists() {
    let document = text("docs/specification.md".as_ref());
    let mut named = 0;
    for reference in document.split("[test: ").skip(1) {
        let (reference, _) = reference.split_once(']').expect("an unclosed `[test: `");
        let (path, name) = reference
            .rsplit_once("::")
            .expect("a test is named path::name");
        let source = text(path.as_ref());
        assert!(!source.is_empty(), "{reference}: there is no file {path}");
        assert!(
            source.contains(&format!("fn {name}(")),
            "{reference}: {path} has no function {name}"
        );
        named += 1;
    }
    assert!(named > 20, "the specification names only {named} tests");
    for promise in promises(&document) {
        let held = ["[test: ", "[bench: ", "[fuzz: ", "not enforced yet"];
        assert!(
            held.iter().any(|mark| promise.contains(mark)),
            "this promise says neither what holds it nor that nothing does: {promise}"
        );
    }
}

/// The list items of a document, each with its continuation lines.
fn promises(document: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for line in document.lines() {
        if line.starts_with("- ") {
            found.push(line.to_owned());
        } else if let Some(rest) = line.strip_prefix("  ")
            && let Some(promise) = found.last_mut()
        {
            promise.push_str(rest);
        }
    }
    assert!(found.len() > 20, "only {} promises were read", found.len());
    found
}

#[test]
fn every_benchmark_and_fuzz_target_named_exists() {
    let document = text("docs/specification.md".as_ref());
    for reference in document.split("[fuzz: ").skip(1) {
        let (name, _) = reference.split_once(']').unwrap();
        let path = format!("fuzz/fuzz_targets/{name}.rs");
        assert!(
            !text(path.as_ref()).is_empty(),
            "there is no fuzz target {path}"
        );
    }
    for reference in document.split("[bench: ").skip(1) {
        let (path, _) = reference.split_once(']').unwrap();
        assert!(
            !text(path.as_ref()).is_empty(),
            "there is no benchmark {path}"
        );
    }
}

#[test]
fn documents_link_only_to_what_exists() {
    for path in files("")
        .into_iter()
        .filter(|path| path.extension().is_some_and(|e| e == "md"))
    {
        let directory = path.parent().unwrap().to_path_buf();
        for link in text(&path).split("](").skip(1) {
            let (link, _) = link.split_once(')').unwrap_or((link, ""));
            let target = link.split('#').next().unwrap();
            if target.is_empty() || target.contains("://") {
                continue;
            }
            let there = atoll_tidy::repository().join(&directory).join(target);
            assert!(
                there.exists(),
                "{} links to {link}, which is not there",
                path.display()
            );
        }
    }
}

/// The repository is about Atoll, wherever it was written: no paths of one machine and no hosts of
/// one registry. The words are put together here so that this file does not find itself.
#[test]
fn nothing_names_the_machine_it_was_written_on() {
    let words = [
        ["/work/", "main"].concat(),
        ["/work/", "shared"].concat(),
        ["/root/.", "cargo"].concat(),
        ["/root/.", "rustup"].concat(),
        ["/tmp/", "t-"].concat(),
        ["py", "env"].concat(),
        ["pypi", ".org"].concat(),
        ["npmjs", ".org"].concat(),
        ["deb.debian", ".org"].concat(),
        ["static.crates", ".io"].concat(),
    ];
    let mut found = Vec::new();
    for path in files("")
        .into_iter()
        .filter(|path| !path.ends_with("Cargo.lock"))
    {
        let text = text(&path);
        for (number, line) in text.lines().enumerate() {
            if let Some(word) = words.iter().find(|word| line.contains(word.as_str())) {
                found.push(format!("{}:{} says {word}", path.display(), number + 1));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}
