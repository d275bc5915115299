//! The examples: how to run each, and what must come out.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::{Atoll, Finished, Report, built_examples, repository};

/// One directory below `examples/`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// The directory's name.
    #[serde(skip)]
    pub name: String,
    /// The directory itself.
    #[serde(skip)]
    pub directory: PathBuf,
    /// One line for a listing.
    pub title: String,
    /// What the example shows.
    pub says: String,
    /// How to run it.
    pub run: Run,
    /// What must come out.
    pub expect: Expect,
}

/// How to run an example. Paths are relative to its directory.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// The program's file.
    pub program: String,
    /// Whether the program is built by `make examples` rather than shipped.
    #[serde(default)]
    pub built: bool,
    /// Options of `atoll run`.
    #[serde(default)]
    pub options: Vec<String>,
    /// Arguments of the program.
    #[serde(default)]
    pub arguments: Vec<String>,
    /// Files placed beside the program.
    #[serde(default)]
    pub inputs: Vec<String>,
    /// A file fed to standard input.
    pub stdin: Option<String>,
    /// A directory of installed libraries that `make examples` provides.
    pub dependencies: Option<String>,
}

/// What must come out of an example.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// What analysis must recognise.
    pub kind: String,
    /// The level policy must choose.
    pub level: String,
    /// How the run must end.
    pub status: String,
    /// The program's exit code.
    pub exit_code: Option<i32>,
    /// The signal that must have ended the program.
    pub signal: Option<i32>,
    /// Limits one of which must have ended the program.
    #[serde(default)]
    pub limit: Vec<String>,
    /// Whether output must have been cut; not stated means it must not.
    #[serde(default)]
    pub truncated: bool,
    /// A file that standard output must equal.
    pub stdout_file: Option<String>,
    /// The first bytes of standard output.
    #[serde(default)]
    pub stdout_starts_with: Vec<u8>,
    /// Texts that standard output must contain.
    #[serde(default)]
    pub stdout_contains: Vec<String>,
    /// Texts that standard output must not contain.
    #[serde(default)]
    pub stdout_lacks: Vec<String>,
    /// Texts that standard error must contain.
    #[serde(default)]
    pub stderr_contains: Vec<String>,
}

/// Every example, by name.
///
/// # Errors
/// Names the `expect.toml` that cannot be read.
pub fn all_examples() -> Result<Vec<Example>, String> {
    let root = repository().join("examples");
    let entries = fs::read_dir(&root)
        .map_err(|error| format!("failed to list {}: {error}", root.display()))?;
    let mut examples = Vec::new();
    for entry in entries.flatten() {
        if entry.path().join("expect.toml").is_file() {
            examples.push(Example::read(&entry.path())?);
        }
    }
    examples.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(examples)
}

impl Example {
    fn read(directory: &Path) -> Result<Self, String> {
        let path = directory.join("expect.toml");
        let text = fs::read_to_string(&path)
            .map_err(|error| format!("failed to read {}: {error}", path.display()))?;
        let mut example: Self = toml::from_str(&text)
            .map_err(|error| format!("failed to read {}: {error}", path.display()))?;
        example.name = directory
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default();
        example.directory = directory.to_path_buf();
        Ok(example)
    }

    /// The program's file.
    #[must_use]
    pub fn program(&self) -> PathBuf {
        if self.run.built {
            built_examples().join(&self.run.program)
        } else {
            self.directory.join(&self.run.program)
        }
    }

    /// Everything that follows `atoll run`.
    #[must_use]
    pub fn command_line(&self) -> Vec<OsString> {
        let mut line: Vec<OsString> = self.run.options.iter().map(OsString::from).collect();
        for input in &self.run.inputs {
            line.push("--input".into());
            line.push(self.directory.join(input).into());
        }
        if let Some(name) = &self.run.dependencies {
            line.push("--dependencies".into());
            line.push(built_examples().join(name).into());
        }
        line.push(self.program().into());
        line.extend(self.run.arguments.iter().map(OsString::from));
        line
    }

    /// Runs the example.
    ///
    /// # Errors
    /// When something it needs has not been built, or `atoll` does not print its object.
    pub fn run(&self, atoll: &Atoll) -> Result<(Report, Finished), String> {
        let program = self.program();
        if !program.is_file() {
            return Err(format!(
                "{} is not there: build it with `make examples`",
                program.display()
            ));
        }
        let stdin = match &self.run.stdin {
            Some(name) => self.file(name)?,
            None => Vec::new(),
        };
        atoll.run_json(self.command_line(), &stdin)
    }

    /// Every way in which a run differs from what the example states; empty when it holds.
    ///
    /// # Errors
    /// When the file with the expected output cannot be read.
    pub fn differences(&self, report: &Report, finished: &Finished) -> Result<Vec<String>, String> {
        let mut found = self.ending_differences(report);
        found.extend(self.output_differences(report)?);
        let code = finished.code();
        if report.documented_exit_code() != Some(code) {
            found.push(format!(
                "the command exited with {code}, against its own report"
            ));
        }
        let stderr = finished.stderr_text();
        if stderr.contains("panicked at") {
            found.push(format!("the command panicked: {stderr}"));
        }
        Ok(found)
    }

    fn ending_differences(&self, report: &Report) -> Vec<String> {
        let expect = &self.expect;
        let level = report
            .decision
            .as_ref()
            .map(|decision| decision.level.as_str());
        let mut found = Vec::new();
        let mut compare = |what: &str, wanted: String, seen: String| {
            if wanted != seen {
                found.push(format!("{what} is {seen}, expected {wanted}"));
            }
        };
        let reason = report.reason.as_deref().unwrap_or("no reason given");
        compare(
            "kind",
            expect.kind.clone(),
            report.kind().unwrap_or("unknown").to_owned(),
        );
        compare(
            "level",
            expect.level.clone(),
            level.unwrap_or("none").to_owned(),
        );
        compare(
            "truncated",
            expect.truncated.to_string(),
            report.truncated.to_string(),
        );
        if expect.status != report.status {
            compare(
                "status",
                expect.status.clone(),
                format!("{} ({reason})", report.status),
            );
        }
        if expect.exit_code.is_some() {
            compare(
                "exit code",
                format!("{:?}", expect.exit_code),
                format!("{:?}", report.exit_code),
            );
        }
        if expect.signal.is_some() {
            compare(
                "signal",
                format!("{:?}", expect.signal),
                format!("{:?}", report.signal),
            );
        }
        if !expect.limit.is_empty() {
            let seen = report
                .limit
                .as_ref()
                .map_or("none", |limit| limit.name.as_str());
            if !expect.limit.iter().any(|wanted| wanted == seen) {
                compare("limit", expect.limit.join(" or "), seen.to_owned());
            }
        }
        found
    }

    fn output_differences(&self, report: &Report) -> Result<Vec<String>, String> {
        let expect = &self.expect;
        let stdout = report.stdout();
        let text = String::from_utf8_lossy(&stdout).into_owned();
        let errors = String::from_utf8_lossy(&report.stderr()).into_owned();
        let mut found = Vec::new();
        if let Some(name) = &expect.stdout_file
            && self.file(name)? != stdout
        {
            found.push(format!("standard output is not that of {name}:\n{text}"));
        }
        if !stdout.starts_with(&expect.stdout_starts_with) {
            found.push("standard output starts differently".to_owned());
        }
        let missing = |wanted: &&String| !text.contains(wanted.as_str());
        for wanted in expect.stdout_contains.iter().filter(missing) {
            found.push(format!("standard output lacks {wanted:?}:\n{text}"));
        }
        for unwanted in expect
            .stdout_lacks
            .iter()
            .filter(|text_| text.contains(text_.as_str()))
        {
            found.push(format!("standard output contains {unwanted:?}:\n{text}"));
        }
        for wanted in expect
            .stderr_contains
            .iter()
            .filter(|t| !errors.contains(t.as_str()))
        {
            found.push(format!("standard error lacks {wanted:?}:\n{errors}"));
        }
        if !found.is_empty() && !errors.is_empty() {
            found.push(format!("standard error was:\n{errors}"));
        }
        Ok(found)
    }

    fn file(&self, name: &str) -> Result<Vec<u8>, String> {
        let path = self.directory.join(name);
        fs::read(&path).map_err(|error| format!("failed to read {}: {error}", path.display()))
    }
}
