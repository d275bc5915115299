//! Looking back.

use atoll_store::{Filter, Progress};
use atoll_types::{EventKind, MessageId, Status};

use crate::open;
use crate::sample::{START_UNIX_MS, accepted, ended, id, outcome, program, tenant};

#[tokio::test]
async fn lists_are_filtered_and_newest_first() {
    let (_directory, store) = open().await;
    let messages = [("a", "p"), ("b", "p"), ("a", "q"), ("a", "p"), ("b", "q")];
    for (number, (sender, name)) in (0..).zip(messages) {
        let message = accepted(number, sender, name);
        store.accept(&message).await.unwrap();
        let mut outcome = outcome(&message);
        if number == 3 {
            outcome.status = Status::Refused;
        }
        if number != 4 {
            store.finish(&outcome, &[], ended(number)).await.unwrap();
        }
    }
    let ids = async |filter: Filter| -> Vec<MessageId> {
        let rows = store.list(&filter).await.unwrap();
        rows.into_iter().map(|row| row.id).collect()
    };
    let all = Filter::default();
    assert_eq!(ids(all.clone()).await, [id(4), id(3), id(2), id(1), id(0)]);
    let of = |progress| Filter {
        progress,
        ..Filter::default()
    };
    assert_eq!(ids(of(Progress::Unfinished)).await, [id(4)]);
    assert_eq!(
        ids(of(Progress::Finished)).await,
        [id(3), id(2), id(1), id(0)]
    );
    assert_eq!(ids(of(Progress::Ended(Status::Refused))).await, [id(3)]);
    assert_eq!(ids(of(Progress::Ended(Status::Limit))).await, []);
    let of_a = Filter {
        tenant: Some(tenant("a")),
        ..all.clone()
    };
    assert_eq!(ids(of_a.clone()).await, [id(3), id(2), id(0)]);
    let of_a_with_p = Filter {
        program: Some(program("p")),
        ..of_a
    };
    assert_eq!(ids(of_a_with_p).await, [id(3), id(0)]);
    let page = |before, limit| Filter {
        before,
        limit,
        ..Filter::default()
    };
    assert_eq!(ids(page(None, 2)).await, [id(4), id(3)]);
    assert_eq!(ids(page(Some(id(3)), 2)).await, [id(2), id(1)]);
    assert_eq!(ids(page(Some(id(1)), u32::MAX)).await, [id(0)]);
    assert_eq!(ids(page(Some(id(77)), 2)).await, []);
    assert_eq!(ids(page(None, 0)).await, []);
}

#[tokio::test]
async fn tenants_and_totals_add_up() {
    let (_directory, store) = open().await;
    for (number, sender) in (0..).zip(["a", "b", "a", "a"]) {
        let message = accepted(number, sender, "p");
        store.accept(&message).await.unwrap();
        let incidents: &[EventKind] = match number {
            2 => &[EventKind::Crash, EventKind::Deviation],
            _ => &[],
        };
        if number != 3 {
            store
                .finish(&outcome(&message), incidents, ended(number))
                .await
                .unwrap();
        }
    }
    let tenants = store.tenants(10).await.unwrap();
    let names: Vec<&str> = tenants
        .iter()
        .map(|summary| summary.tenant.as_str())
        .collect();
    assert_eq!(names, ["a", "b"]);
    assert_eq!(tenants[0].messages, 2);
    assert_eq!(tenants[0].incidents, 2);
    assert_eq!(tenants[0].last_seen_unix_ms, ended(2));
    assert_eq!(tenants[1].incidents, 0);
    assert_eq!(store.tenants(1).await.unwrap(), tenants[..1]);

    let totals = store.totals().await.unwrap();
    assert_eq!(totals.messages_kept, 4);
    assert_eq!(totals.unfinished, 1);
    assert_eq!(totals.outcomes, 3);
    assert_eq!(totals.incidents, 2);
    assert_eq!(totals.tenants, 2);
    assert!(totals.database_bytes >= 4_096);
}

/// Forgetting starts beyond 100,000 messages, so most of them are made by SQLite itself.
#[tokio::test]
async fn old_messages_are_forgotten_a_few_at_a_time() {
    let (_directory, store) = open().await;
    let first = accepted(0, "early", "early.py");
    store.accept(&first).await.unwrap();
    store
        .finish(&outcome(&first), &[EventKind::Crash], ended(0))
        .await
        .unwrap();
    let unfinished = accepted(1, "early", "early.py");
    store.accept(&unfinished).await.unwrap();
    let mut raw = crate::raw(store.path()).await;
    sqlx::raw_sql(
        "INSERT INTO messages (id, tenant, origin, program, program_name, kind, received_unix_ms,
            owner_pid, owner_start_ticks, owner_boot_id, status, ended_unix_ms)
         WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100100)
         SELECT 'made-' || i, 'many', 'api', x'00', 'p', 'python', i, 1, 1, 'b', 'failed', i FROM n;
         INSERT INTO details SELECT seq, '{}' FROM messages WHERE tenant = 'many';
         INSERT INTO tenants
         WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100500)
         SELECT 'made-' || i, 1, 0, i, i - 200000 FROM n",
    )
    .execute(&mut raw)
    .await
    .unwrap();

    let late = START_UNIX_MS + 91 * 24 * 60 * 60 * 1_000;
    for number in 2..402 {
        let mut message = accepted(number, "late", "late.py");
        message.received_unix_ms = late;
        store.accept(&message).await.unwrap();
        store.finish(&outcome(&message), &[], late).await.unwrap();
    }
    assert_eq!(store.outcome(first.id).await.unwrap(), None);
    let kept = store.outcome(unfinished.id).await.unwrap().unwrap();
    assert_eq!(
        kept.row.status, None,
        "an unfinished message is never forgotten"
    );
    let totals = store.totals().await.unwrap();
    assert!(totals.messages_kept <= 100_000 + 16, "{totals:?}");
    assert!(totals.messages_kept >= 100_000, "{totals:?}");

    let orphans: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM details WHERE seq NOT IN (SELECT seq FROM messages)",
    )
    .fetch_one(&mut raw)
    .await
    .unwrap();
    assert_eq!(orphans, 0);
    let details: i64 = sqlx::query_scalar("SELECT count(*) FROM details")
        .fetch_one(&mut raw)
        .await
        .unwrap();
    assert!(
        details <= 1 + 100_100 + 400 - 25 * 32,
        "{details} details are left"
    );
    // Its events are older than 90 days, and nothing of the program is left to count.
    let history = store
        .sender_history(&tenant("early"), program("early.py"))
        .await
        .unwrap();
    assert_eq!(history.events, []);
    assert_eq!(history.program_messages, 0);
    assert_eq!(history.program_messages_anyone, 0);
    // Tenants are remembered for longer, those that were seen last.
    assert_eq!(history.messages, 1);
    assert_eq!(totals.tenants, 100_000);
}

/// The documentation says how; this does it.
#[tokio::test]
async fn a_tenant_can_be_forgotten_as_documented() {
    let documentation = include_str!("../../../../docs/store.md");
    let (_, recipe) = documentation.split_once("To forget one tenant").unwrap();
    let (_, recipe) = recipe.split_once("sqlite3 STORE \"").unwrap();
    let (recipe, _) = recipe.split_once('"').unwrap();
    let (_directory, store) = open().await;
    for (number, sender) in (0..).zip(["forget-me", "other", "forget-me"]) {
        let message = accepted(number, sender, "p");
        store.accept(&message).await.unwrap();
        store
            .finish(&outcome(&message), &[EventKind::Crash], ended(number))
            .await
            .unwrap();
    }
    let path = store.path().to_owned();
    store.close().await;
    let mut raw = crate::raw(&path).await;
    let recipe = recipe.replace("NAME", "forget-me");
    sqlx::raw_sql(sqlx::AssertSqlSafe(recipe))
        .execute(&mut raw)
        .await
        .unwrap();
    sqlx::Connection::close(raw).await.unwrap();

    let bytes = std::fs::read(&path).unwrap();
    let name = b"forget-me";
    assert!(!bytes.windows(name.len()).any(|window| window == name));
    let store = atoll_store::Store::open(&path).await.unwrap();
    let history = store
        .sender_history(&tenant("other"), program("p"))
        .await
        .unwrap();
    assert_eq!(history.messages, 1);
    assert_eq!(history.events.len(), 1);
    let details = store.outcome(id(1)).await.unwrap().unwrap().details;
    assert!(details.is_some());
}
