//! Reads the repository's own text, so that its rules can be tests: `tests/tidy.rs` for files and
//! functions, `tests/dependencies.rs` for the direction in which crates depend on each other.
//!
//! It looks at text only. What needs types is clippy's work.

mod functions;
mod table;

use std::fs;
use std::path::{Path, PathBuf};

pub use functions::{Function, functions, uses_word};
pub use table::{CrateRow, crate_table};

/// The root of the repository.
#[must_use]
pub fn repository() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_path_buf()
}

/// Directories that hold nothing anybody wrote.
const GENERATED: [&str; 5] = ["target", ".git", "corpus", "artifacts", "node_modules"];

/// Every file below a directory of the repository that somebody wrote, sorted, relative to the
/// root.
#[must_use]
pub fn files(below: &str) -> Vec<PathBuf> {
    let root = repository();
    let mut found = Vec::new();
    collect(&root.join(below), &mut found);
    let relative = |path: &PathBuf| path.strip_prefix(&root).map(Path::to_path_buf).ok();
    let mut found: Vec<PathBuf> = found.iter().filter_map(relative).collect();
    found.sort();
    found
}

/// The text of a file of the repository; empty when it is not text.
#[must_use]
pub fn text(path: &Path) -> String {
    fs::read_to_string(repository().join(path)).unwrap_or_default()
}

fn collect(directory: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(directory) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let path = entry.path();
        if path.is_symlink() || GENERATED.iter().any(|skipped| name == *skipped) {
            continue;
        }
        if path.is_dir() {
            collect(&path, found);
        } else {
            found.push(path);
        }
    }
}
