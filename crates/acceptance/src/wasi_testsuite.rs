//! Runs the programs of wasi-testsuite at the level `instance`, as a user would run them, and
//! compares what came of them with what is written down.
//!
//! Knows the layout of the suite's branch with built programs: beside each program may be a file
//! that says which arguments, variables and files it needs, and how it has to end.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::verdicts::{Verdicts, differences, read, write};
use crate::{Atoll, repository};

/// The version of WASI that modules of a message can use.
const VERSION: &str = "wasm32-wasip1";

/// What a program needs and how it has to end; the suite's own names and defaults.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Expected {
    args: Vec<String>,
    env: BTreeMap<String, String>,
    root: Option<String>,
    exit_code: i32,
    stdout: Option<String>,
}

/// The file that says what each program comes to.
fn written() -> PathBuf {
    repository().join("crates/acceptance/wasi-testsuite.txt")
}

/// Runs every program of the suite in `place`; with `record`, the verdicts are written down instead
/// of compared. Whether all is as it was written.
///
/// # Errors
/// When there is no suite, or a run does not come to its end.
pub fn wasi_testsuite(out: &mut impl Write, place: &Path, record: bool) -> Result<bool, String> {
    let atoll = Atoll::locate()?;
    let programs = programs(place)?;
    let mut verdicts = Verdicts::new();
    for program in &programs {
        let name = name(place, program);
        let verdict = verdict(&atoll, program)?;
        if verdict != "ok" {
            say(out, &format!("{name}: {verdict}"))?;
        }
        verdicts.insert(name, verdict);
    }
    let passed = verdicts.values().filter(|verdict| *verdict == "ok");
    let passed = passed.count();
    let faults = if record {
        write(&written(), &verdicts)?;
        Vec::new()
    } else {
        differences(&read(&written())?, &verdicts)
    };
    for fault in &faults {
        say(out, &format!("FAULT: {fault}"))?;
    }
    say(
        out,
        &format!(
            "{} programs of WASI preview 1: {passed} ok, {} that are not; {} differ from what is \
             written down",
            verdicts.len(),
            verdicts.len() - passed,
            faults.len()
        ),
    )?;
    Ok(faults.is_empty())
}

/// Every program, in order.
fn programs(place: &Path) -> Result<Vec<PathBuf>, String> {
    let tests = place.join("tests");
    let mut found = Vec::new();
    for language in entries(&tests)? {
        let directory = language.join("testsuite").join(VERSION);
        if directory.is_dir() {
            found.extend(entries(&directory)?);
        }
    }
    found.retain(|path| {
        path.extension()
            .is_some_and(|extension| extension == "wasm")
    });
    if found.is_empty() {
        return Err(format!(
            "no programs below {}: name a copy of the branch with built programs, \
             prod/testsuite-base",
            tests.display()
        ));
    }
    Ok(found)
}

fn entries(directory: &Path) -> Result<Vec<PathBuf>, String> {
    let failed = |error| format!("failed to read {}: {error}", directory.display());
    let entries = fs::read_dir(directory).map_err(failed)?;
    let mut found: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    found.sort();
    Ok(found)
}

/// Language and name.
fn name(place: &Path, program: &Path) -> String {
    let relative = program.strip_prefix(place.join("tests")).unwrap_or(program);
    let language = relative.iter().next().unwrap_or_default();
    let stem = program.file_stem().unwrap_or_default();
    format!("{} {}", language.to_string_lossy(), stem.to_string_lossy())
}

fn verdict(atoll: &Atoll, program: &Path) -> Result<String, String> {
    let expected = expected(program)?;
    let mut arguments = vec!["--level".to_owned(), "instance".to_owned()];
    for (name, value) in &expected.env {
        arguments.extend(["--env".to_owned(), format!("{name}={value}")]);
    }
    if let (Some(root), Some(directory)) = (&expected.root, program.parent()) {
        for file in entries(&directory.join(root))? {
            // Files of a message have plain names; a program that needs a directory will say so.
            if file.is_file() {
                arguments.extend(["--input".to_owned(), file.display().to_string()]);
            }
        }
    }
    arguments.push(program.display().to_string());
    arguments.extend(expected.args.iter().cloned());
    let (report, _) = atoll.run_json(&arguments, b"")?;
    let output = report.stdout();
    let says = expected.stdout.as_ref();
    let is_right = says.is_none_or(|text| text.as_bytes() == output);
    Ok(match report.exit_code {
        Some(code) if code == expected.exit_code && is_right => "ok".to_owned(),
        Some(code) if code == expected.exit_code => "not ok, with other output".to_owned(),
        Some(code) => format!("not ok, exit code {code}"),
        None => format!("not ok, {}", report.status),
    })
}

/// What is said beside a program, or the defaults.
fn expected(program: &Path) -> Result<Expected, String> {
    let path = program.with_extension("json");
    if !path.exists() {
        return Ok(Expected::default());
    }
    let failed =
        |error: &dyn std::fmt::Display| format!("failed to read {}: {error}", path.display());
    let text = fs::read(&path).map_err(|error| failed(&error))?;
    serde_json::from_slice(&text).map_err(|error| failed(&error))
}

fn say(out: &mut impl Write, text: &str) -> Result<(), String> {
    writeln!(out, "{text}").map_err(|error| format!("failed to write to standard output: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_found_with_what_they_expect() {
        let place = tempfile::tempdir().unwrap();
        let directory = place.path().join("tests/c/testsuite").join(VERSION);
        fs::create_dir_all(&directory).unwrap();
        assert!(
            programs(place.path())
                .unwrap_err()
                .contains("prod/testsuite-base")
        );
        fs::write(directory.join("one.wasm"), "").unwrap();
        fs::write(directory.join("two.wasm"), "").unwrap();
        fs::write(
            directory.join("two.json"),
            r#"{"args": ["x"], "exit_code": 3}"#,
        )
        .unwrap();
        let found = programs(place.path()).unwrap();
        let names: Vec<_> = found
            .iter()
            .map(|program| name(place.path(), program))
            .collect();
        assert_eq!(names, ["c one", "c two"]);
        assert_eq!(expected(&found[0]).unwrap().exit_code, 0);
        let two = expected(&found[1]).unwrap();
        assert_eq!((two.exit_code, two.args), (3, vec!["x".to_owned()]));
    }

    #[test]
    fn every_program_that_fails_is_explained() {
        let text = fs::read_to_string(written()).unwrap();
        let reasons: String = text.lines().filter(|line| line.starts_with('#')).collect();
        let failing = read(&written()).unwrap();
        let failing = failing.iter().filter(|(_, verdict)| *verdict != "ok");
        for (name, _) in failing {
            let name = name.split(' ').next_back().unwrap();
            assert!(reasons.contains(name), "{name} fails and nothing says why");
        }
    }
}
