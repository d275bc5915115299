//! What `atoll run --json` prints: one object for each run.

use atoll_types::calls::CallAudit;
use atoll_types::{
    Adaptation, Analysis, Collection, Decision, EncodedBytes, Encoding, Enforcement, LimitHit,
    MessageId, Outcome, Profile, Risk, SkipReason, Status, Timings, Trial, Usage,
};
use serde::Serialize;

use super::line;

/// One run. Fields that were not reached are null.
#[derive(Debug, Serialize)]
struct OutcomeForm<'a> {
    id: Option<MessageId>,
    status: Status,
    exit_code: Option<i32>,
    signal: Option<i32>,
    limit: Option<LimitHit>,
    reason: Option<&'a str>,
    sandbox_message: Option<u32>,
    stdout: String,
    stdout_encoding: Encoding,
    stderr: String,
    stderr_encoding: Encoding,
    truncated: bool,
    files: Option<Vec<FileForm>>,
    skipped: Option<Vec<SkippedForm>>,
    skipped_unnamed: Option<u64>,
    analysis: Option<&'a Analysis>,
    risk: Option<&'a Risk>,
    profile: Option<&'a Profile>,
    decision: Option<&'a Decision>,
    enforcement: Option<&'a Enforcement>,
    calls: Option<&'a CallAudit>,
    adaptation: Option<&'a Adaptation>,
    trial: Option<&'a Trial>,
    usage: Usage,
    timings_us: &'a Timings,
}

/// A file that was collected.
#[derive(Debug, Serialize)]
struct FileForm {
    name: String,
    name_encoding: Encoding,
    bytes: u64,
}

/// What was left, but not collected.
#[derive(Debug, Serialize)]
struct SkippedForm {
    name: String,
    name_encoding: Encoding,
    reason: SkipReason,
}

fn files(collection: &Collection) -> Vec<FileForm> {
    let files = collection.files.iter().map(|file| {
        let name = EncodedBytes::encode(&file.name);
        FileForm {
            name: name.data,
            name_encoding: name.encoding,
            bytes: file.bytes,
        }
    });
    files.collect()
}

fn skipped(collection: &Collection) -> Vec<SkippedForm> {
    let skipped = collection.skipped.iter().map(|skipped| {
        let name = EncodedBytes::encode(&skipped.name);
        SkippedForm {
            name: name.data,
            name_encoding: name.encoding,
            reason: skipped.reason,
        }
    });
    skipped.collect()
}

/// The object for an outcome.
pub(crate) fn outcome(outcome: &Outcome) -> String {
    let stdout = EncodedBytes::encode(&outcome.stdout);
    let stderr = EncodedBytes::encode(&outcome.stderr);
    let collection = outcome.collection.as_ref();
    line(&OutcomeForm {
        id: Some(outcome.id),
        status: outcome.status,
        exit_code: outcome.exit_code,
        signal: outcome.signal,
        limit: outcome.limit,
        reason: outcome.reason.as_deref(),
        sandbox_message: outcome.sandbox_message,
        stdout: stdout.data,
        stdout_encoding: stdout.encoding,
        stderr: stderr.data,
        stderr_encoding: stderr.encoding,
        truncated: outcome.truncated,
        files: collection.map(files),
        skipped: collection.map(skipped),
        skipped_unnamed: collection.map(|collection| collection.skipped_unnamed),
        analysis: outcome.analysis.as_ref(),
        risk: outcome.risk.as_ref(),
        profile: outcome.profile.as_ref(),
        decision: outcome.decision.as_ref(),
        enforcement: outcome.enforcement.as_ref(),
        calls: outcome.calls.as_ref(),
        adaptation: outcome.adaptation.as_ref(),
        trial: outcome.trial.as_ref(),
        usage: outcome.usage,
        timings_us: &outcome.timings_us,
    })
}

/// The object for what never became a message: `failed`, with the reason and without an id.
pub(crate) fn failure(reason: &str) -> String {
    line(&OutcomeForm {
        id: None,
        status: Status::Failed,
        exit_code: None,
        signal: None,
        limit: None,
        reason: Some(reason),
        sandbox_message: None,
        stdout: String::new(),
        stdout_encoding: Encoding::Utf8,
        stderr: String::new(),
        stderr_encoding: Encoding::Utf8,
        truncated: false,
        files: None,
        skipped: None,
        skipped_unnamed: None,
        analysis: None,
        risk: None,
        profile: None,
        decision: None,
        enforcement: None,
        calls: None,
        adaptation: None,
        trial: None,
        usage: Usage::default(),
        timings_us: &Timings::default(),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use atoll_types::{CollectedFile, LimitName, ProgramHash, SkippedFile, TenantId};
    use serde_json::{Value, json};

    use super::*;

    fn example() -> Outcome {
        Outcome {
            id: MessageId::new(1_700_000_000_000, [7; 10]),
            tenant: TenantId::new("local").unwrap(),
            program: ProgramHash::of(b""),
            program_name: "a.py".to_owned(),
            status: Status::Limit,
            exit_code: None,
            signal: None,
            limit: Some(LimitHit {
                name: LimitName::WallTime,
                value: 5_000,
            }),
            reason: Some("it ran for longer than 5000 ms".to_owned()),
            sandbox_message: Some(3),
            stdout: b"caf\xc3\xa9\n".to_vec(),
            stderr: b"\xff\x00".to_vec(),
            truncated: false,
            collection: Some(Collection {
                files: vec![CollectedFile {
                    name: b"a/b".to_vec(),
                    bytes: 12,
                }],
                skipped: vec![SkippedFile {
                    name: b"\xff\x00".to_vec(),
                    reason: SkipReason::SymbolicLink,
                }],
                skipped_unnamed: 3,
            }),
            analysis: None,
            risk: None,
            profile: None,
            decision: None,
            enforcement: None,
            calls: None,
            adaptation: None,
            trial: None,
            usage: Usage {
                wall_time_us: 5_000_123,
                ..Usage::default()
            },
            timings_us: Timings {
                stages: BTreeMap::from([("run".to_owned(), 5_000_200)]),
                total: 5_001_000,
            },
        }
    }

    #[test]
    fn the_object_is_what_is_documented() {
        let value: Value = serde_json::from_str(&outcome(&example())).unwrap();
        let expected = json!({
            "id": example().id.to_string(),
            "status": "limit",
            "exit_code": null,
            "signal": null,
            "limit": {"name": "wall-time", "value": 5000},
            "reason": "it ran for longer than 5000 ms",
            "sandbox_message": 3,
            "stdout": "café\n",
            "stdout_encoding": "utf-8",
            "stderr": "/wA=",
            "stderr_encoding": "base64",
            "truncated": false,
            "files": [{"name": "a/b", "name_encoding": "utf-8", "bytes": 12}],
            "skipped": [
                {"name": "/wA=", "name_encoding": "base64", "reason": "symbolic-link"}
            ],
            "skipped_unnamed": 3,
            "analysis": null,
            "risk": null,
            "profile": null,
            "decision": null,
            "enforcement": null,
            "calls": null,
            "adaptation": null,
            "trial": null,
            "usage": {
                "wall_time_us": 5_000_123,
                "cpu_time_us": 0,
                "memory_peak_bytes": 0,
                "output_bytes": 0,
                "disk_bytes": 0,
                "processes_peak": 0,
                "io": null,
            },
            "timings_us": {"run": 5_000_200, "total": 5_001_000},
        });
        assert_eq!(value, expected);
    }

    #[test]
    fn a_failure_has_the_same_fields() {
        let keys = |text: &str| -> Vec<String> {
            let value: Value = serde_json::from_str(text).unwrap();
            value.as_object().unwrap().keys().cloned().collect()
        };
        assert_eq!(keys(&failure("why")), keys(&outcome(&example())));
    }
}
