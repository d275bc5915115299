//! Files that are locked, broken, or not Atoll's.

use std::fs;
use std::path::Path;
use std::time::Duration;

use atoll_store::{Filter, Owner, Store, StoreError};
use atoll_types::{EventKind, PastRun, Status};
use proptest::prelude::*;
use sqlx::Connection as _;

use crate::sample::{accepted, ended, id, outcome, program, tenant};
use crate::{place, raw};

/// Long enough to be noticed as waiting, short enough for a test.
const PATIENCE: Duration = Duration::from_millis(50);

async fn filled(path: &Path, messages: u64) {
    let store = Store::open(path).await.unwrap();
    for number in 0..messages {
        let message = accepted(number, "a", "p");
        store.accept(&message).await.unwrap();
        store
            .finish(&outcome(&message), &[EventKind::Crash], ended(number))
            .await
            .unwrap();
    }
    store.close().await;
}

#[tokio::test]
async fn a_locked_store_says_so_and_loses_nothing() {
    let (_directory, path) = place();
    let store = Store::open_with(&path, PATIENCE).await.unwrap();
    let message = accepted(1, "a", "p");
    store.accept(&message).await.unwrap();

    let mut other = raw(&path).await;
    sqlx::raw_sql("BEGIN IMMEDIATE")
        .execute(&mut other)
        .await
        .unwrap();
    let errors = [
        store.accept(&accepted(2, "a", "p")).await.unwrap_err(),
        store.arrive(&accepted(2, "a", "p"), 1).await.unwrap_err(),
        store
            .finish(&outcome(&message), &[], ended(1))
            .await
            .unwrap_err(),
        store.recover(|_| false, ended(1)).await.unwrap_err(),
    ];
    for error in errors {
        assert!(matches!(error, StoreError::Locked { .. }), "{error:?}");
        let text = error.to_string();
        assert!(
            text.starts_with("failed to ") && text.contains(path.to_str().unwrap()),
            "{text}"
        );
        assert!(text.contains("another process keeps it locked"), "{text}");
    }
    // Who only reads does not wait for who writes.
    store
        .sender_history(&tenant("a"), program("p"))
        .await
        .unwrap();
    assert_eq!(store.list(&Filter::default()).await.unwrap().len(), 1);
    // Opening only reads as well.
    Store::open_with(&path, PATIENCE)
        .await
        .unwrap()
        .close()
        .await;

    sqlx::raw_sql("ROLLBACK").execute(&mut other).await.unwrap();
    store
        .finish(&outcome(&message), &[], ended(1))
        .await
        .unwrap();
    let row = store.outcome(message.id).await.unwrap().unwrap().row;
    assert_eq!(row.status, Some(Status::Exited));
}

#[tokio::test]
async fn a_store_that_is_locked_whole_cannot_be_opened() {
    let (_directory, path) = place();
    filled(&path, 1).await;
    let mut other = raw(&path).await;
    sqlx::raw_sql("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; COMMIT")
        .execute(&mut other)
        .await
        .unwrap();
    let error = Store::open_with(&path, PATIENCE).await.unwrap_err();
    assert!(matches!(error, StoreError::Locked { .. }), "{error:?}");
    other.close().await.unwrap();
    Store::open_with(&path, PATIENCE).await.unwrap();
}

#[tokio::test]
async fn a_new_store_that_another_process_keeps_locked() {
    let (_directory, path) = place();
    let mut other = {
        fs::File::create(&path).unwrap();
        raw(&path).await
    };
    sqlx::raw_sql("BEGIN EXCLUSIVE")
        .execute(&mut other)
        .await
        .unwrap();
    let error = Store::open_with(&path, PATIENCE).await.unwrap_err();
    assert!(matches!(error, StoreError::Locked { .. }), "{error:?}");
    sqlx::raw_sql("ROLLBACK").execute(&mut other).await.unwrap();
    Store::open_with(&path, PATIENCE).await.unwrap();
}

#[tokio::test]
async fn a_file_that_is_no_database() {
    let (_directory, path) = place();
    fs::write(&path, "status,exit_code\n".repeat(1_000)).unwrap();
    let error = Store::open(&path).await.unwrap_err();
    assert!(
        matches!(error, StoreError::NotADatabase { .. }),
        "{error:?}"
    );
    assert!(
        error
            .to_string()
            .ends_with("move it away and Atoll makes a new one"),
        "{error}"
    );
    assert_eq!(
        fs::read(&path).unwrap().len(),
        17_000,
        "the file was changed"
    );
}

#[tokio::test]
async fn a_database_of_another_program() {
    let (_directory, path) = place();
    fs::File::create(&path).unwrap();
    let mut other = raw(&path).await;
    sqlx::raw_sql("CREATE TABLE notes (text TEXT); PRAGMA user_version = 1")
        .execute(&mut other)
        .await
        .unwrap();
    other.close().await.unwrap();
    let error = Store::open(&path).await.unwrap_err();
    assert!(matches!(error, StoreError::Foreign { .. }), "{error:?}");
    let mut other = raw(&path).await;
    let tables: i64 = sqlx::query_scalar("SELECT count(*) FROM sqlite_schema")
        .fetch_one(&mut other)
        .await
        .unwrap();
    assert_eq!(tables, 1, "the database was changed");
}

#[tokio::test]
async fn a_store_of_a_newer_atoll() {
    let (_directory, path) = place();
    filled(&path, 1).await;
    let mut newer = raw(&path).await;
    sqlx::raw_sql("PRAGMA user_version = 4")
        .execute(&mut newer)
        .await
        .unwrap();
    newer.close().await.unwrap();
    let error = Store::open(&path).await.unwrap_err();
    let expected = matches!(
        error,
        StoreError::NewerVersion {
            found: 4,
            known: 3,
            ..
        }
    );
    assert!(expected, "{error:?}");
    assert!(error.to_string().contains("update Atoll"), "{error}");
}

/// What version 2 had otherwise.
const VERSION_2: &str = "
DROP TRIGGER outcomes_record;
DROP VIEW outcomes;
DROP INDEX messages_runs;
ALTER TABLE messages DROP COLUMN written_bytes;
ALTER TABLE messages DROP COLUMN read_bytes;
ALTER TABLE messages DROP COLUMN writes;
ALTER TABLE messages DROP COLUMN reads;
CREATE INDEX messages_runs ON messages (
    program, seq, status, limit_name, limit_value, ended_unix_ms, wall_time_us, cpu_time_us,
    memory_peak_bytes, output_bytes, disk_bytes, processes_peak, level
) WHERE status IN ('exited', 'signalled', 'limit') OR status = 'failed' AND memory_peak_bytes > 0;
CREATE VIEW outcomes AS SELECT id, status FROM messages WHERE status IS NOT NULL;
CREATE TRIGGER outcomes_record INSTEAD OF INSERT ON outcomes
BEGIN
    UPDATE messages SET status = NEW.status WHERE id = NEW.id;
END;
PRAGMA user_version = 2";

/// What version 1 had otherwise than that.
const VERSION_1: &str = "
DROP TRIGGER messages_forgotten;
DROP INDEX messages_runs;
DROP TABLE lessons;
CREATE INDEX messages_runs ON messages (program, seq, status) WHERE status IN ('exited');
CREATE TRIGGER messages_forgotten AFTER DELETE ON messages
BEGIN
    DELETE FROM details WHERE seq = OLD.seq;
END;
PRAGMA user_version = 1";

#[tokio::test]
async fn a_store_of_an_older_atoll_is_brought_up_to_date() {
    let (_directory, path) = place();
    filled(&path, 3).await;
    let mut older = raw(&path).await;
    for version in [VERSION_2, VERSION_1] {
        sqlx::raw_sql(version).execute(&mut older).await.unwrap();
    }
    older.close().await.unwrap();
    let store = Store::open(&path).await.unwrap();
    let message = accepted(7, "a", "p");
    let past = store.arrive(&message, 64).await.unwrap().past;
    assert!(!past.runs.is_empty());
    // Of older runs it is not known what they were given.
    let is_whole = |run: &PastRun| run.level.is_some() && run.input.is_none();
    assert!(past.runs.iter().all(is_whole));
    store
        .finish(&outcome(&message), &[], ended(7))
        .await
        .unwrap();
    let past = store
        .past(&message.tenant, message.program, 1)
        .await
        .unwrap();
    assert!(past.runs[0].input.is_some());
    store.close().await;
    // It stays so.
    Store::open(&path).await.unwrap().close().await;
}

#[tokio::test]
async fn a_store_without_reads_and_writes_is_brought_up_to_date() {
    let (_directory, path) = place();
    filled(&path, 3).await;
    let mut older = raw(&path).await;
    sqlx::raw_sql(VERSION_2).execute(&mut older).await.unwrap();
    older.close().await.unwrap();
    let store = Store::open(&path).await.unwrap();
    let message = accepted(7, "a", "p");
    let past = store.arrive(&message, 64).await.unwrap().past;
    assert!(!past.runs.is_empty());
    // What was given to older runs is still known, and what nobody counted is not made up.
    let is_as_it_was = |run: &PastRun| run.input.is_some() && run.usage.io.is_none();
    assert!(past.runs.iter().all(is_as_it_was), "{past:?}");
    let finished = outcome(&message);
    store.finish(&finished, &[], ended(7)).await.unwrap();
    let past = store.past(&message.tenant, message.program, 9);
    let runs = past.await.unwrap().runs;
    assert!(finished.usage.io.is_some());
    assert_eq!(runs[0].usage, finished.usage);
    assert!(runs.len() > 1 && runs[1].usage.io.is_none());
    let record = store.outcome(message.id).await.unwrap().unwrap();
    assert_eq!(record.row.usage, Some(finished.usage));
    store.close().await;
    // It stays so.
    Store::open(&path).await.unwrap().close().await;
}

#[tokio::test]
async fn a_damaged_store_says_so() {
    let (_directory, path) = place();
    filled(&path, 200).await;
    let mut other = raw(&path).await;
    let roots: Vec<i64> = sqlx::query_scalar("SELECT rootpage FROM sqlite_schema WHERE rootpage")
        .fetch_all(&mut other)
        .await
        .unwrap();
    other.close().await.unwrap();
    let mut bytes = fs::read(&path).unwrap();
    for root in roots {
        let start = (root as usize - 1) * 4_096;
        bytes[start..start + 4_096].fill(0xa5);
    }
    fs::write(&path, bytes).unwrap();
    let store = Store::open(&path).await.unwrap();
    let message = accepted(1_000, "a", "p");
    let errors = [
        store.list(&Filter::default()).await.map(drop).unwrap_err(),
        store.arrive(&message, 64).await.map(drop).unwrap_err(),
        store.accept(&message).await.unwrap_err(),
    ];
    for error in errors {
        assert!(matches!(error, StoreError::Damaged { .. }), "{error:?}");
        assert!(
            error
                .to_string()
                .contains("the file is damaged; restore a backup"),
            "{error}"
        );
        let source = std::error::Error::source(&error).unwrap();
        assert!(!error.to_string().contains(&source.to_string()), "{error}");
    }
    store.close().await;
}

#[tokio::test]
async fn a_row_with_impossible_values_is_damage() {
    let (_directory, path) = place();
    filled(&path, 1).await;
    let mut other = raw(&path).await;
    let store = Store::open(&path).await.unwrap();
    for change in [
        "UPDATE messages SET status = 'vanished'",
        "UPDATE messages SET status = 'exited', program = x'0102'",
        "UPDATE messages SET program = zeroblob(32), tenant = '../../etc'",
    ] {
        sqlx::raw_sql(change).execute(&mut other).await.unwrap();
        let error = store.list(&Filter::default()).await.unwrap_err();
        assert!(
            matches!(error, StoreError::Damaged { .. }),
            "{change}: {error:?}"
        );
    }
}

#[tokio::test]
async fn details_in_a_form_of_another_version_do_not_hide_the_rest() {
    let (_directory, path) = place();
    filled(&path, 1).await;
    let mut other = raw(&path).await;
    sqlx::raw_sql(
        "UPDATE details SET json = json_set(json, '$.analysis.kind', 'cobol', '$.new', 1)",
    )
    .execute(&mut other)
    .await
    .unwrap();
    let store = Store::open(&path).await.unwrap();
    let details = store
        .outcome(id(0))
        .await
        .unwrap()
        .unwrap()
        .details
        .unwrap();
    assert_eq!(details.unreadable, ["analysis"]);
    assert_eq!(details.analysis, None);
    assert!(details.decision.is_some());
}

/// Everything the store can do, on a file that may be broken: errors are fine, nothing else is.
async fn use_everything(path: &Path) {
    let Ok(store) = Store::open_with(path, PATIENCE).await else {
        return;
    };
    let message = accepted(1_000, "a", "p");
    let _ = store.list(&Filter::default()).await;
    let _ = store.outcome(id(3)).await;
    let _ = store.tenants(10).await;
    let _ = store.totals().await;
    let _ = store.recover(Owner::is_alive, ended(1)).await;
    let _ = store.arrive(&message, 64).await;
    let _ = store
        .finish(&outcome(&message), &[EventKind::Crash], ended(1_000))
        .await;
    store.close().await;
}

/// Whatever byte is wrong in the descriptions of the tables, the store says so at once.
#[test]
fn damaged_descriptions_of_tables_are_noticed() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let (directory, path) = place();
    runtime.block_on(filled(&path, 4));
    let whole = fs::read(&path).unwrap();
    let text = b"program_name TEXT NOT NULL";
    // Where it was first, it has moved away from since.
    let at = whole.windows(text.len()).rposition(|found| found == text);
    let at = at.unwrap();
    for offset in 0..text.len() {
        for value in [0xff, b'x', 0] {
            let path = directory.path().join(format!("broken-{offset}-{value}.db"));
            let mut bytes = whole.clone();
            bytes[at + offset] = value;
            fs::write(&path, bytes).unwrap();
            let opened = runtime.block_on(Store::open_with(&path, PATIENCE));
            let Err(error) = opened else {
                panic!("byte {offset} became {value}, and nobody noticed");
            };
            assert!(
                matches!(error, StoreError::Damaged { .. }),
                "{offset}: {error}"
            );
        }
    }
}

#[test]
fn broken_bytes_never_make_it_panic() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let (directory, path) = place();
    runtime.block_on(filled(&path, 40));
    let whole = fs::read(&path).unwrap();
    let length = whole.len();
    let damage = prop::collection::vec((0..length, any::<u8>()), 1..200);
    let config = ProptestConfig::with_cases(48);
    proptest!(config, |(damage in damage, kept in prop::option::of(0..length))| {
        let mut bytes = whole.clone();
        for (at, value) in damage {
            bytes[at] = value;
        }
        bytes.truncate(kept.unwrap_or(length));
        let path = directory.path().join("broken.db");
        for suffix in ["", "-wal", "-shm"] {
            let _ = fs::remove_file(directory.path().join(format!("broken.db{suffix}")));
        }
        fs::write(&path, bytes).unwrap();
        runtime.block_on(use_everything(&path));
    });
}
