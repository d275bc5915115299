//! What is not run, and why: each refusal is an outcome of its own and is recorded.

use std::sync::atomic::Ordering;

use atoll_engine::RunOptions;
use atoll_types::{InputFile, LimitName, Message, Outcome, Status};

use crate::bare::{Bare, Fault};
use crate::{Reader, engine, message, message_of, run};

/// Runs a message that must be refused; returns its outcome.
async fn refused(backend: Bare, message: Message) -> Outcome {
    let state = tempfile::tempdir().unwrap();
    let living = backend.living.clone();
    let engine = engine(state.path(), backend);
    let id = message.id;
    let outcome = run(&engine, message).await.outcome;
    assert_eq!(outcome.status, Status::Refused);
    assert_eq!(outcome.stdout, b"");
    assert_eq!(living.load(Ordering::SeqCst), 0);
    let record = engine.message(id).await.unwrap().unwrap();
    assert_eq!(record.row.status, Some(Status::Refused));
    assert_eq!(record.row.reason, outcome.reason);
    assert_eq!(record.events, [], "a refusal alone speaks against nobody");
    outcome
}

#[tokio::test]
async fn what_the_policy_denies_is_refused_with_its_words() {
    let outcome = refused(Bare::default(), message_of("enemy", "echo hi")).await;
    let reason = outcome.reason.unwrap();
    assert!(reason.contains("\"enemies\""), "{reason}");
    assert!(reason.contains("enemies get nothing"), "{reason}");
    assert_eq!(outcome.decision, None);
    assert!(outcome.risk.is_some() && outcome.profile.is_some());
}

#[tokio::test]
async fn a_level_without_a_backend_is_refused_by_name() {
    let outcome = refused(Bare::default(), message_of("guarded", "echo hi")).await;
    let reason = outcome.reason.unwrap();
    assert!(
        reason.starts_with("the vm level has no backend in this version"),
        "{reason}"
    );
    assert!(
        reason.ends_with("a policy can choose among: process"),
        "{reason}"
    );
    assert_eq!(outcome.decision.unwrap().rule, "strong");
}

#[tokio::test]
async fn what_this_host_cannot_enforce_is_refused_by_name() {
    let backend = Bare {
        fault: Fault::NotEnforceable,
        ..Bare::default()
    };
    let outcome = refused(backend, message("echo hi")).await;
    let reason = outcome.reason.unwrap();
    assert!(reason.contains("seccomp (a detail of seccomp)"), "{reason}");
    assert!(reason.contains("atoll doctor"), "{reason}");
}

#[tokio::test]
async fn a_kind_that_the_level_cannot_run_is_refused() {
    let mut python = message("");
    python.program.kind = atoll_types::ProgramKind::Python;
    let outcome = refused(Bare::default(), python).await;
    assert!(
        outcome
            .reason
            .unwrap()
            .contains("no interpreter for python")
    );
}

#[tokio::test]
async fn more_content_than_the_disk_limit_is_refused() {
    let large = Message {
        files: vec![InputFile {
            name: b"large".to_vec(),
            content: vec![0; 1024].into(),
        }],
        ..message("echo hi")
    };
    let outcome = refused(Bare::default(), large).await;
    let limit = outcome.limit.unwrap();
    assert_eq!((limit.name, limit.value), (LimitName::Disk, 1024));
}

#[tokio::test]
async fn dependencies_must_be_a_directory() {
    let state = tempfile::tempdir().unwrap();
    let engine = engine(state.path(), Bare::default());
    for path in ["/nowhere/at/all", "/etc/passwd"] {
        let options = RunOptions {
            dependencies: Some(path.into()),
            ..RunOptions::default()
        };
        let mut reader = Reader::default();
        let never = std::pin::pin!(std::future::pending());
        let report = engine
            .run(message("true"), options, &mut reader, never)
            .await
            .unwrap();
        assert_eq!(report.outcome.status, Status::Failed);
        let reason = report.outcome.reason.unwrap();
        assert!(
            reason.starts_with(&format!("failed to use {path} for dependencies")),
            "{reason}"
        );
    }
}

#[tokio::test]
async fn a_program_that_does_not_start_has_failed() {
    let state = tempfile::tempdir().unwrap();
    let backend = Bare {
        fault: Fault::NoStart,
        ..Bare::default()
    };
    let living = backend.living.clone();
    let engine = engine(state.path(), backend);
    let outcome = run(&engine, message("true")).await.outcome;
    assert_eq!(outcome.status, Status::Failed);
    assert_eq!(
        outcome.reason.unwrap(),
        "failed to start the program: it is malformed"
    );
    assert_eq!(living.load(Ordering::SeqCst), 0);
}
