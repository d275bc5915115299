//! The labelled set in `corpus/labelled`: small programs that say in a comment what they can do,
//! and how they hide it or what they resemble. For tests.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test ends at the first surprise"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use atoll_types::{Capability, ProgramKind};

/// A program of the set.
#[derive(Debug)]
pub struct Snippet {
    /// Its language, its group and its file: `python/capable/network-plain.py`.
    pub name: String,
    /// The kind of program that it is.
    pub kind: ProgramKind,
    /// Its text.
    pub bytes: Vec<u8>,
    /// Whether it can do nothing that raises an alarm.
    pub is_benign: bool,
    /// What it can do. The value tells whether that cannot be seen without running it, so that
    /// `unanalyzed` is as good an answer.
    pub labels: BTreeMap<Capability, bool>,
    /// How it hides what it can do; of a benign program, what it resembles.
    pub hiding: String,
}

/// Every program, in the order of their names within each language and group.
///
/// # Panics
/// When one cannot be read or has no label that says what a label has to.
#[must_use]
pub fn snippets() -> Vec<Snippet> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../corpus/labelled");
    let kinds = [
        ("python", ProgramKind::Python),
        ("javascript", ProgramKind::JavaScript),
        ("shell", ProgramKind::Shell),
    ];
    let mut found = Vec::new();
    for (language, kind) in kinds {
        for group in ["capable", "benign"] {
            let entries = fs::read_dir(root.join(language).join(group)).unwrap();
            let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
            paths.sort();
            for path in paths {
                let file = path.file_name().unwrap().to_string_lossy();
                let name = format!("{language}/{group}/{file}");
                found.push(snippet(name, kind, fs::read(&path).unwrap()));
            }
        }
    }
    found
}

/// Reads the label, which stands in one of the first three lines.
fn snippet(name: String, kind: ProgramKind, bytes: Vec<u8>) -> Snippet {
    let text = String::from_utf8_lossy(&bytes);
    let label = text
        .lines()
        .take(3)
        .find_map(|line| {
            line.trim_start_matches(['#', '/', ' '])
                .strip_prefix("capabilities: ")
        })
        .unwrap_or_else(|| panic!("{name} has no label"));
    let (labels, rest) = label
        .split_once("; ")
        .unwrap_or_else(|| panic!("the label of {name} says nothing of hiding or resemblance"));
    let (what, hiding) = rest.split_once(": ").unwrap();
    let is_benign = name.contains("/benign/");
    assert_eq!(
        what,
        if is_benign { "resembles" } else { "hidden by" },
        "{name}"
    );
    let labels = labels
        .split(", ")
        .filter(|label| *label != "none")
        .map(|label| {
            let (label, is_undecidable) = match label.strip_suffix(" or unanalyzed") {
                Some(label) => (label, true),
                None => (label, false),
            };
            let known = Capability::ALL
                .into_iter()
                .find(|known| known.name() == label);
            let capability = known.unwrap_or_else(|| panic!("{name}: unknown {label}"));
            (capability, is_undecidable)
        })
        .collect();
    let hiding = hiding.to_owned();
    Snippet {
        name,
        kind,
        bytes,
        is_benign,
        labels,
        hiding,
    }
}
