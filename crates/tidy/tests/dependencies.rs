//! Crates depend on each other in one direction only, and on the outside only where their purpose
//! needs it.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test ends at the first surprise"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use atoll_tidy::{crate_table, repository, text};
use serde_json::Value;

const PREFIX: &str = "atoll-";

/// Crates that hold decisions: no input or output, no clock, no randomness.
const PURE: [&str; 6] = [
    "types",
    "trees",
    "analyze",
    "partition",
    "policy",
    "predict",
];

/// What a pure crate would need for effects.
const EFFECTS: [&str; 8] = [
    "tokio",
    "sqlx",
    "rustix",
    "libc",
    "nix",
    "landlock",
    "tempfile",
    "async-trait",
];

fn metadata() -> Value {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let target = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let output = Command::new(cargo)
        .current_dir(repository())
        .args(["metadata", "--format-version", "1", "--locked", "--offline"])
        .args(["--filter-platform", &target])
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

/// What is linked into the product: every package to the packages it needs when it runs. Build
/// scripts, procedural macros' own builds and tests are left out.
fn graph(metadata: &Value) -> BTreeMap<String, BTreeSet<String>> {
    let names: BTreeMap<&str, &str> = metadata["packages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|package| {
            (
                package["id"].as_str().unwrap(),
                package["name"].as_str().unwrap(),
            )
        })
        .collect();
    let is_normal = |dependency: &&Value| {
        let kinds = dependency["dep_kinds"].as_array().unwrap();
        kinds.iter().any(|kind| kind["kind"].is_null())
    };
    let mut graph: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for node in metadata["resolve"]["nodes"].as_array().unwrap() {
        let needs = node["deps"].as_array().unwrap().iter().filter(is_normal);
        let needs = needs.map(|needed| names[needed["pkg"].as_str().unwrap()].to_owned());
        graph
            .entry(names[node["id"].as_str().unwrap()].to_owned())
            .or_default()
            .extend(needs);
    }
    graph
}

fn reachable(graph: &BTreeMap<String, BTreeSet<String>>, from: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut open = vec![from.to_owned()];
    while let Some(package) = open.pop() {
        for needed in &graph[&package] {
            if found.insert(needed.clone()) {
                open.push(needed.clone());
            }
        }
    }
    found
}

fn members(metadata: &Value) -> BTreeSet<String> {
    metadata["workspace_members"]
        .as_array()
        .unwrap()
        .iter()
        .map(|id| {
            let package = metadata["packages"].as_array().unwrap();
            let found = package.iter().find(|package| package["id"] == *id).unwrap();
            found["name"].as_str().unwrap().to_owned()
        })
        .collect()
}

fn short(package: &str) -> &str {
    package.strip_prefix(PREFIX).unwrap_or(package)
}

#[test]
fn crates_use_only_what_the_architecture_allows() {
    let metadata = metadata();
    let members = members(&metadata);
    let graph = graph(&metadata);
    let table = crate_table(&text("ARCHITECTURE.md".as_ref()));
    let mut broken = Vec::new();
    for member in &members {
        let Some(row) = table.iter().find(|row| row.name == short(member)) else {
            broken.push(format!(
                "{member} has no row in the table of ARCHITECTURE.md"
            ));
            continue;
        };
        for used in graph[member].iter().filter(|used| members.contains(*used)) {
            if !row.may_use.contains(short(used)) {
                broken.push(format!("{member} must not use {used}"));
            }
        }
    }
    for row in &table {
        if !members.contains(&format!("{PREFIX}{}", row.name)) {
            broken.push(format!(
                "ARCHITECTURE.md describes {}, which does not exist",
                row.name
            ));
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// The table itself goes one way: a crate uses only crates that stand above it.
#[test]
fn the_table_of_crates_goes_one_way() {
    let table = crate_table(&text("ARCHITECTURE.md".as_ref()));
    assert!(table.len() >= 10, "only {} rows were read", table.len());
    let mut above = BTreeSet::new();
    for row in &table {
        let later: Vec<_> = row.may_use.difference(&above).collect();
        assert!(
            later.is_empty(),
            "{} uses {later:?}, which stand below it",
            row.name
        );
        above.insert(row.name.clone());
    }
}

#[test]
fn pure_crates_have_no_means_for_effects() {
    let metadata = metadata();
    let graph = graph(&metadata);
    for name in PURE {
        let package = format!("{PREFIX}{name}");
        let used: Vec<_> = EFFECTS
            .iter()
            .filter(|effect| graph[&package].contains(**effect))
            .collect();
        assert!(
            used.is_empty(),
            "{package} is pure and must not use {used:?}"
        );
        let reached = reachable(&graph, &package);
        for runtime in ["tokio", "sqlx", "sqlx-core"] {
            assert!(!reached.contains(runtime), "{package} reaches {runtime}");
        }
    }
}

#[test]
fn the_command_does_not_link_the_wasm_runtime() {
    let graph = graph(&metadata());
    let reached = reachable(&graph, "atoll-cli");
    assert!(
        reached.contains("atoll-engine"),
        "the graph is not the real one: {reached:?}"
    );
    for name in ["wasmtime", "wasmtime-wasi", "cranelift-codegen"] {
        assert!(!reached.contains(name), "atoll links {name}");
    }
    assert!(reachable(&graph, "atoll-wasm-worker").contains("wasmtime"));
}

#[test]
fn only_one_crate_links_the_wasm_runtime() {
    let metadata = metadata();
    let graph = graph(&metadata);
    let linking: Vec<String> = members(&metadata)
        .into_iter()
        .filter(|member| reachable(&graph, member).contains("wasmtime"))
        .collect();
    assert_eq!(linking, ["atoll-wasm-worker"]);
}
