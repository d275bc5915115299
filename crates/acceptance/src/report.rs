//! The JSON object of `atoll run --json`, as the documentation describes it.
//!
//! Written down a second time on purpose: a field that is renamed in the product must fail here.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// What `atoll run --json` printed.
#[derive(Debug, Clone, Deserialize)]
pub struct Report {
    /// Names the message; none when the input never became one.
    pub id: Option<String>,
    /// `exited`, `signalled`, `limit`, `refused` or `failed`.
    pub status: String,
    /// The program's exit code, when it exited.
    pub exit_code: Option<i32>,
    /// The signal that ended the program.
    pub signal: Option<i32>,
    /// The limit that ended the program.
    pub limit: Option<Limit>,
    /// Why, for every status but a plain exit.
    pub reason: Option<String>,
    /// Which message of its sandbox it was.
    pub sandbox_message: Option<u32>,
    /// Standard output.
    stdout: String,
    /// `utf-8` or `base64`.
    stdout_encoding: String,
    /// Standard error.
    stderr: String,
    /// `utf-8` or `base64`.
    stderr_encoding: String,
    /// Whether output was cut.
    pub truncated: bool,
    /// Files that were collected.
    files: Option<Vec<File>>,
    /// What was not collected.
    skipped: Option<Vec<Skipped>>,
    /// How many more were not.
    pub skipped_unnamed: Option<u64>,
    /// What analysis found.
    pub analysis: Value,
    /// What risk assessment found.
    pub risk: Value,
    /// What was predicted.
    pub profile: Value,
    /// What was decided.
    pub decision: Option<Decision>,
    /// What was enforced.
    pub enforcement: Value,
    /// What was called.
    pub calls: Option<Calls>,
    /// What was used; what is below `io` with the names `io.reads` and so on.
    #[serde(deserialize_with = "amounts")]
    pub usage: BTreeMap<String, u64>,
    /// Microseconds a stage.
    pub timings_us: BTreeMap<String, u64>,
}

/// What was used, with nothing below anything.
fn amounts<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeMap<String, u64>, D::Error> {
    #[derive(Deserialize)]
    struct Used {
        io: Option<BTreeMap<String, u64>>,
        #[serde(flatten)]
        others: BTreeMap<String, u64>,
    }
    let used = Used::deserialize(from)?;
    let mut amounts = used.others;
    let io = used.io.into_iter().flatten();
    amounts.extend(io.map(|(name, amount)| (format!("io.{name}"), amount)));
    Ok(amounts)
}

/// A file that was collected.
#[derive(Debug, Clone, Deserialize)]
struct File {
    name: String,
    name_encoding: String,
    bytes: u64,
}

/// What was not collected.
#[derive(Debug, Clone, Deserialize)]
struct Skipped {
    name: String,
    name_encoding: String,
    reason: String,
}

/// The limit that ended a program.
#[derive(Debug, Clone, Deserialize)]
pub struct Limit {
    /// `wall-time`, `cpu-time`, `memory`, `processes`, `disk` or `output`.
    pub name: String,
    /// Its value in its own unit.
    pub value: u64,
}

/// What was decided.
#[derive(Debug, Clone, Deserialize)]
pub struct Decision {
    /// `instance`, `process`, `gvisor` or `vm`.
    pub level: String,
    /// `shared`, `tenant` or `message`.
    pub sharing: String,
    /// `strict` or `processes`.
    pub system_calls: String,
    /// Every limit by its name.
    pub limits: BTreeMap<String, u64>,
    /// What of a network is granted.
    pub network: Vec<Value>,
    /// What becomes of calls.
    pub calls: CallRules,
    /// The id of the rule that matched.
    pub rule: String,
    /// Why, in order.
    pub reasons: Vec<Reason>,
}

/// What becomes of calls.
#[derive(Debug, Clone, Deserialize)]
pub struct CallRules {
    /// The rules, as they are written.
    pub rules: Vec<String>,
    /// Whether calls are taken down.
    pub audit: bool,
}

/// What was called.
#[derive(Debug, Clone, Deserialize)]
pub struct Calls {
    /// How often, by name and by `allowed`, `denied`, `delayed` and `trapped`.
    pub counts: BTreeMap<String, BTreeMap<String, u64>>,
    /// The first calls.
    pub records: Vec<CallRecord>,
    /// How many more there were.
    pub records_left_off: u64,
}

/// One call.
#[derive(Debug, Clone, Deserialize)]
pub struct CallRecord {
    /// Its name.
    pub call: String,
    /// Its argument: `data` and `encoding`.
    pub argument: Option<BTreeMap<String, String>>,
    /// `allow`, `deny=ERROR`, `delay=TIME` or `trap`.
    pub verdict: String,
    /// When.
    pub since_start_us: u64,
}

/// One reason of a decision.
#[derive(Debug, Clone, Deserialize)]
pub struct Reason {
    /// What the reason comes from.
    pub from: String,
    /// The reason in plain words.
    pub text: String,
}

impl Report {
    /// Reads exactly one object.
    ///
    /// # Errors
    /// Names the field that is missing or has another type than documented.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        let report: Self = serde_json::from_slice(bytes)
            .map_err(|error| format!("not the documented object: {error}"))?;
        report.stream("stdout", &report.stdout, &report.stdout_encoding)?;
        report.stream("stderr", &report.stderr, &report.stderr_encoding)?;
        Ok(report)
    }

    /// The program's standard output, decoded.
    #[must_use]
    pub fn stdout(&self) -> Vec<u8> {
        decode(&self.stdout, &self.stdout_encoding).unwrap_or_default()
    }

    /// The program's standard error, decoded.
    #[must_use]
    pub fn stderr(&self) -> Vec<u8> {
        decode(&self.stderr, &self.stderr_encoding).unwrap_or_default()
    }

    /// The files that were collected and their lengths; none when they were not asked for.
    #[must_use]
    pub fn files(&self) -> Option<Vec<(Vec<u8>, u64)>> {
        let files = self.files.as_ref()?.iter();
        files
            .map(|file| Some((decode(&file.name, &file.name_encoding)?, file.bytes)))
            .collect()
    }

    /// What was not collected, each with its reason.
    #[must_use]
    pub fn skipped(&self) -> Option<Vec<(Vec<u8>, String)>> {
        let skipped = self.skipped.as_ref()?.iter();
        skipped
            .map(|one| Some((decode(&one.name, &one.name_encoding)?, one.reason.clone())))
            .collect()
    }

    /// The kind that analysis recognised.
    #[must_use]
    pub fn kind(&self) -> Option<&str> {
        self.analysis.get("kind").and_then(Value::as_str)
    }

    /// The exit code that the command must have ended with, by the documented table.
    #[must_use]
    pub fn documented_exit_code(&self) -> Option<i32> {
        use crate::exit_code::{FAILED, LIMIT, REFUSED, SIGNALLED};
        match self.status.as_str() {
            "exited" => self.exit_code,
            "signalled" => self.signal.map(|signal| SIGNALLED + signal),
            "limit" => Some(LIMIT),
            "refused" => Some(REFUSED),
            "failed" => Some(FAILED),
            _ => None,
        }
    }

    fn stream(&self, name: &str, data: &str, encoding: &str) -> Result<(), String> {
        decode(data, encoding)
            .map(drop)
            .ok_or_else(|| format!("{name} of message {:?} is not valid {encoding}", self.id))
    }
}

fn decode(data: &str, encoding: &str) -> Option<Vec<u8>> {
    match encoding {
        "utf-8" => Some(data.as_bytes().to_vec()),
        "base64" => STANDARD.decode(data).ok(),
        _ => None,
    }
}
