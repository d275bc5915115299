//! JavaScript packages from the registry.

use atoll_provision::{Policy, Wanted};

use crate::support::{offline, package_json, place, place_with, says};

#[tokio::test]
async fn a_package_json_becomes_a_layer_that_is_known_from_then_on() {
    if offline() {
        return;
    }
    let place = place();
    let wanted = package_json(r#"{"is-odd": "^3.0.1", "left-pad": "1.3.0"}"#);
    let began = std::time::Instant::now();
    let layer = place.provide(&wanted).await.unwrap();
    eprintln!("provided in {:?}", began.elapsed());
    let names: Vec<_> = layer.packages().iter().map(|p| p.name.as_str()).collect();
    assert_eq!(names, ["is-number", "is-odd", "left-pad"]);
    let modules = layer.path().join("node_modules");
    let script = "console.log(require('left-pad')(require('is-odd')(3), 6))";
    let said = says("/usr/bin/node", "NODE_PATH", &modules, &["-e", script]);
    assert_eq!(said, "true");
    assert!(place.provisioner.verify(&layer));
    let known = place.provisioner.known(&wanted, &Policy::default());
    assert_eq!(known.unwrap().unwrap().hash(), layer.hash());
    place.is_clean();
}

#[tokio::test]
async fn what_cannot_be_had_is_told_in_words_that_help() {
    if offline() {
        return;
    }
    let place = place();
    for (dependencies, code) in [
        (r#"{"atoll-has-no-such-package-4711": "*"}"#, "not_found"),
        (r#"{"is-odd": "^99"}"#, "no_such_version"),
        (r#"{"react": "16.0.0", "react-dom": "18.0.0"}"#, "conflict"),
        (r#"{"expresss": "*"}"#, "typosquat"),
    ] {
        assert_eq!(
            place.code(&package_json(dependencies)).await,
            code,
            "{dependencies}"
        );
    }
}

#[tokio::test]
async fn scripts_of_packages_are_not_run() {
    if offline() {
        return;
    }
    let place = place();
    // Its script replaces this file by machine code.
    let wanted = package_json(r#"{"esbuild": "0.21.5"}"#);
    let layer = place.provide(&wanted).await.unwrap();
    let modules = layer.path().join("node_modules");
    let file = std::fs::read(modules.join("esbuild/bin/esbuild")).unwrap();
    assert!(file.starts_with(b"#!/usr/bin/env node"));
    assert!(modules.join("esbuild/install.js").is_file());
}

/// A lock that came along with the program.
fn locked(integrity: &str, version: &str) -> Wanted {
    let package = r#"{"name": "program", "dependencies": {"left-pad": "1.3.0"}}"#;
    let lock = format!(
        r#"{{"name": "program", "lockfileVersion": 3, "requires": true, "packages": {{
            "": {{"name": "program", "dependencies": {{"left-pad": "1.3.0"}}}},
            "node_modules/left-pad": {{"version": "{version}", "integrity": "{integrity}"}}}}}}"#
    );
    let wanted = Wanted::of_javascript(package.as_bytes(), Some(lock.as_bytes()));
    wanted.unwrap().unwrap()
}

#[tokio::test]
async fn a_lock_that_came_along_holds() {
    if offline() {
        return;
    }
    let place = place();
    let integrity = "sha512-XI5MPzVNApjAyhQzphX8BkmKsKUxD4LdyK24iZeQGinBN9yTQT3bFlCBy/aVx2HrNcqQGsdot8ghrjyrvMCoEA==";
    let layer = place.provide(&locked(integrity, "1.3.0")).await.unwrap();
    assert_eq!(layer.packages().len(), 1);
    let other = integrity.replace("XI5MPz", "AAAAAA");
    assert_eq!(place.code(&locked(&other, "1.3.0")).await, "hash_mismatch");
    assert_eq!(
        place.code(&locked(integrity, "1.2.0")).await,
        "requirements"
    );
    assert_eq!(place.code(&locked("sha1-x", "1.3.0")).await, "leftovers");
}

#[tokio::test]
async fn a_missing_tool_is_told() {
    let place = place_with(|options| options.tools.npm = None);
    assert_eq!(
        place.code(&package_json(r#"{"is-odd": "*"}"#)).await,
        "no_tool"
    );
}
