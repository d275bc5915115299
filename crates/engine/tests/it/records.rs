//! Nothing runs that cannot be recorded, and no outcome is lost.

use std::os::unix::fs::PermissionsExt as _;
use std::pin::pin;
use std::sync::atomic::Ordering;

use async_trait::async_trait;
use atoll_engine::{EngineError, Filter, Flow, Observer, Request, RunOptions, Stream, Warning};
use atoll_types::{Status, Usage};

use crate::bare::{Bare, Fault};
use crate::{Reader, engine, message, run};

#[tokio::test]
async fn without_a_store_nothing_runs() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("file");
    std::fs::write(&file, "").unwrap();
    let exposed = place.path().join("exposed");
    std::fs::create_dir(&exposed).unwrap();
    std::fs::set_permissions(&exposed, std::fs::Permissions::from_mode(0o777)).unwrap();
    let damaged = place.path().join("damaged");
    std::fs::create_dir(&damaged).unwrap();
    std::fs::set_permissions(&damaged, std::fs::Permissions::from_mode(0o700)).unwrap();
    std::fs::write(damaged.join("atoll.db"), vec![b'x'; 8192]).unwrap();
    for (state_dir, expected) in [
        (file, "is not a directory"),
        (exposed, "other users may write"),
        (damaged, "it is not a database"),
    ] {
        let backend = Bare::default();
        let made = backend.made.clone();
        let engine = engine(&state_dir, backend);
        let mut reader = Reader::default();
        let never = pin!(std::future::pending());
        let error = engine
            .run(
                message("echo ran"),
                RunOptions::default(),
                &mut reader,
                never,
            )
            .await
            .unwrap_err();
        assert!(matches!(error, EngineError::State(_)));
        assert!(error.to_string().contains(expected), "{error}");
        assert_eq!(made.load(Ordering::SeqCst), 0);
        assert_eq!(reader.stdout, b"");
    }
}

/// Removes the message's table behind the engine's back as soon as the program has written.
struct Saboteur(std::path::PathBuf);

#[async_trait]
impl Observer for Saboteur {
    async fn output(&mut self, _stream: Stream, _bytes: &[u8]) -> Flow {
        // Another file under the same name is no longer the store that was opened: what matters
        // here is only that recording fails.
        let mut wal = self.0.clone().into_os_string();
        wal.push("-wal");
        for path in [self.0.clone(), wal.into()] {
            std::fs::OpenOptions::new()
                .write(true)
                .open(path)
                .unwrap()
                .set_len(0)
                .unwrap();
        }
        Flow::Continue
    }

    fn progress(&mut self, _usage: &Usage) {}
}

#[tokio::test]
async fn an_outcome_that_cannot_be_recorded_still_reaches_the_caller() {
    let state = tempfile::tempdir().unwrap();
    let engine = engine(state.path(), Bare::default());
    let options = RunOptions {
        keep_output: true,
        ..RunOptions::default()
    };
    let mut saboteur = Saboteur(state.path().join("atoll.db"));
    let never = pin!(std::future::pending());
    let report = engine
        .run(message("echo precious"), options, &mut saboteur, never)
        .await
        .unwrap();
    assert_eq!(report.outcome.status, Status::Exited);
    assert_eq!(report.outcome.stdout, b"precious\n");
    assert!(
        matches!(report.warnings.as_slice(), [Warning::NotRecorded(_)]),
        "{:?}",
        report.warnings
    );
}

#[tokio::test]
async fn what_a_sandbox_leaves_behind_is_told() {
    let state = tempfile::tempdir().unwrap();
    let backend = Bare {
        fault: Fault::LeftOver,
        ..Bare::default()
    };
    let engine = engine(state.path(), backend);
    let report = run(&engine, message("echo out")).await;
    assert_eq!(report.outcome.status, Status::Exited);
    assert_eq!(report.outcome.stdout, b"out\n");
    assert!(matches!(
        report.warnings.as_slice(),
        [Warning::LeftBehind(_)]
    ));
}

#[tokio::test]
async fn explaining_leaves_no_trace() {
    let state = tempfile::tempdir().unwrap();
    let backend = Bare::default();
    let made = backend.made.clone();
    let engine = engine(state.path(), backend);
    let message = message("echo hi");
    let explanation = engine
        .explain(&message, &Request::default(), None)
        .await
        .unwrap();
    assert_eq!(explanation.decision.unwrap().rule, "everyone");
    assert_eq!(explanation.runnable, Some(Ok(())));
    assert!(!explanation.would_change.is_empty());
    assert_eq!(made.load(Ordering::SeqCst), 0);
    assert_eq!(engine.totals().await.unwrap().messages_kept, 0);
}

#[tokio::test]
async fn engines_share_one_state_directory() {
    let state = tempfile::tempdir().unwrap();
    let first = engine(state.path(), Bare::default());
    let second = engine(state.path(), Bare::default());
    let (one, two) = tokio::join!(
        run(&first, message("echo one")),
        run(&second, message("echo two"))
    );
    assert_eq!(one.outcome.stdout, b"one\n");
    assert_eq!(two.outcome.stdout, b"two\n");
    let rows = first.history(&Filter::default()).await.unwrap();
    assert_eq!(rows.len(), 2);
    assert!(rows.iter().all(|row| row.status == Some(Status::Exited)));
    assert_eq!(second.tenants(10).await.unwrap().len(), 1);
}
