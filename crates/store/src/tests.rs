//! What can only be seen from inside: SQLite's settings, its plans, and a file that may not grow.

use atoll_types::{MessageId, Origin, Outcome, ProgramHash, ProgramKind, Status, TenantId, Usage};
use sqlx::{AssertSqlSafe, Row as _, SqliteConnection};

use crate::history::{past_sql, sender_history_sql};
use crate::{Accepted, Owner, Store, StoreError};

fn accepted(number: u64) -> Accepted {
    Accepted {
        id: MessageId::new(number, [0; 10]),
        tenant: TenantId::new("a").unwrap(),
        origin: Origin::Api,
        program: ProgramHash::of(b"p"),
        program_name: "p".to_owned(),
        kind: ProgramKind::Shell,
        received_unix_ms: number,
        owner: Owner {
            pid: 1,
            start_ticks: 1,
            boot_id: "b".to_owned(),
        },
    }
}

fn outcome(message: &Accepted) -> Outcome {
    Outcome {
        id: message.id,
        tenant: message.tenant.clone(),
        program: message.program,
        program_name: message.program_name.clone(),
        status: Status::Exited,
        exit_code: Some(0),
        signal: None,
        limit: None,
        reason: None,
        sandbox_message: None,
        stdout: Vec::new(),
        stderr: Vec::new(),
        truncated: false,
        collection: None,
        analysis: None,
        risk: None,
        profile: None,
        decision: None,
        enforcement: None,
        calls: None,
        adaptation: None,
        trial: None,
        usage: Usage::default(),
        timings_us: atoll_types::Timings::default(),
    }
}

async fn open() -> (tempfile::TempDir, Store) {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(&directory.path().join("store.db"))
        .await
        .unwrap();
    (directory, store)
}

async fn setting(connection: &mut SqliteConnection, name: &str) -> String {
    let row = sqlx::query(AssertSqlSafe(format!("PRAGMA {name}")))
        .fetch_one(connection)
        .await
        .unwrap();
    let number: Result<i64, _> = row.try_get(0);
    number.map_or_else(|_| row.get(0), |number| number.to_string())
}

#[tokio::test]
async fn sqlite_is_set_up_as_promised() {
    let (_directory, store) = open().await;
    let mut connection = store.lock().await;
    for (name, value) in [
        ("journal_mode", "wal"),
        ("synchronous", "1"),
        ("busy_timeout", "5000"),
        ("foreign_keys", "1"),
        ("trusted_schema", "0"),
        ("cell_size_check", "1"),
        ("mmap_size", "0"),
        ("wal_autocheckpoint", "4000"),
        ("user_version", "3"),
        ("application_id", "1096044364"),
    ] {
        assert_eq!(setting(&mut connection, name).await, value, "{name}");
    }
}

/// No question on the way of a message reads a table from end to end.
#[tokio::test]
async fn plans_use_indexes() {
    let (_directory, store) = open().await;
    let mut connection = store.lock().await;
    let questions = [
        (
            sender_history_sql!(),
            "USING COVERING INDEX messages_by_tenant",
        ),
        (
            sender_history_sql!(),
            "USING COVERING INDEX events_by_tenant",
        ),
        (
            sender_history_sql!(),
            "USING COVERING INDEX events_by_program",
        ),
        (past_sql!(), "USING COVERING INDEX messages_runs"),
        (past_sql!(), "USING COVERING INDEX lessons_by_tenant"),
        (
            "SELECT DISTINCT owner_pid, owner_start_ticks, owner_boot_id
             FROM messages WHERE status IS NULL",
            "USING INDEX messages_open",
        ),
        (
            "SELECT * FROM messages WHERE tenant = ?1 ORDER BY seq DESC LIMIT ?2",
            "USING INDEX messages_by_tenant",
        ),
    ];
    for (question, expected) in questions {
        let steps = sqlx::query(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {question}")))
            .fetch_all(&mut *connection)
            .await
            .unwrap();
        let steps: Vec<String> = steps.iter().map(|step| step.get("detail")).collect();
        assert!(
            steps.iter().any(|step| step.contains(expected)),
            "{steps:#?}"
        );
        for table in [
            "messages", "events", "tenants", "programs", "details", "lessons",
        ] {
            let bad = format!("SCAN {table}");
            let whole = |step: &&String| step.starts_with(&bad) && !step.contains(expected);
            assert_eq!(steps.iter().find(whole), None, "{question}");
        }
        assert!(
            !steps.iter().any(|step| step.contains("FOR ORDER BY")),
            "{steps:#?}"
        );
    }
}

#[tokio::test]
async fn a_store_that_cannot_grow_loses_no_outcome() {
    let (_directory, store) = open().await;
    let first = accepted(0);
    store.accept(&first).await.unwrap();
    limit_pages(&store, "(SELECT page_count FROM pragma_page_count)").await;
    let mut accepted_until = 0;
    let error = loop {
        accepted_until += 1;
        assert!(accepted_until < 10_000, "the file was never full");
        if let Err(error) = store.accept(&accepted(accepted_until)).await {
            break error;
        }
    };
    assert!(matches!(error, StoreError::Full { .. }), "{error:?}");
    let mut large = outcome(&first);
    large.reason = Some("x".repeat(2_000));
    let error = store.finish(&large, &[], 1).await.unwrap_err();
    assert!(matches!(error, StoreError::Full { .. }), "{error:?}");
    assert!(
        error
            .to_string()
            .starts_with("failed to record an outcome in "),
        "{error}"
    );
    let unfinished = store.outcome(first.id).await.unwrap().unwrap();
    assert_eq!(unfinished.row.status, None);

    limit_pages(&store, "1000000").await;
    store.finish(&large, &[], 1).await.unwrap();
    let finished = store.outcome(first.id).await.unwrap().unwrap();
    assert_eq!(finished.row.reason, large.reason);
}

async fn limit_pages(store: &Store, pages: &str) {
    let mut connection = store.lock().await;
    let pages: i64 = sqlx::query_scalar(AssertSqlSafe(format!("SELECT {pages}")))
        .fetch_one(&mut *connection)
        .await
        .unwrap();
    setting(&mut connection, &format!("max_page_count = {pages}")).await;
}
