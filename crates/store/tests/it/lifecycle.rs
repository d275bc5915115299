//! From acceptance to exactly one outcome.

use atoll_store::{INTERRUPTED, Owner, Progress, Store, StoreError};
use atoll_types::{EventKind, LimitHit, LimitName, Status};

use crate::sample::{accepted, decision, ended, id, outcome, tenant};
use crate::{open, place};

#[tokio::test]
async fn an_outcome_is_stored_with_its_parts_but_without_output() {
    let (_directory, store) = open().await;
    let message = accepted(1, "a", "report.py");
    store.accept(&message).await.unwrap();
    let mut outcome = outcome(&message);
    outcome.stdout = b"a secret nobody should keep".to_vec();
    outcome.stderr = b"another secret nobody should keep".to_vec();
    store.finish(&outcome, &[], ended(1)).await.unwrap();

    let record = store.outcome(message.id).await.unwrap().unwrap();
    let row = &record.row;
    assert_eq!(row.id, message.id);
    assert_eq!(row.tenant, message.tenant);
    assert_eq!(row.origin, message.origin);
    assert_eq!(row.program, message.program);
    assert_eq!(row.program_name, "report.py");
    assert_eq!(row.kind, message.kind);
    assert_eq!(row.received_unix_ms, message.received_unix_ms);
    assert_eq!(row.status, Some(Status::Exited));
    assert_eq!(row.exit_code, Some(0));
    assert_eq!(row.ended_unix_ms, Some(ended(1)));
    assert_eq!(row.level, Some(decision().level));
    assert_eq!(row.rule.as_deref(), Some("scripts"));
    assert_eq!(row.risk_score, Some(0.15625));
    assert_eq!(row.usage, Some(outcome.usage));
    let details = record.details.unwrap();
    assert_eq!(details.analysis, outcome.analysis);
    assert_eq!(details.risk, outcome.risk);
    assert_eq!(details.profile, outcome.profile);
    assert_eq!(details.decision, outcome.decision);
    assert_eq!(details.enforcement, outcome.enforcement);
    assert_eq!(details.timings_us, outcome.timings_us);
    assert!(!details.shortened);
    assert!(details.unreadable.is_empty());

    let path = store.path().to_owned();
    store.close().await;
    let bytes = std::fs::read(path).unwrap();
    let secret = b"secret nobody";
    assert!(!bytes.windows(secret.len()).any(|window| window == secret));
}

#[tokio::test]
async fn a_store_remembers_after_it_was_closed() {
    let (_directory, path) = place();
    let message = accepted(1, "a", "p");
    let store = Store::open(&path).await.unwrap();
    store.accept(&message).await.unwrap();
    store
        .finish(&outcome(&message), &[EventKind::Crash], ended(1))
        .await
        .unwrap();
    store.close().await;

    let store = Store::open(&path).await.unwrap();
    let record = store.outcome(message.id).await.unwrap().unwrap();
    assert_eq!(record.row.status, Some(Status::Exited));
    assert_eq!(record.events, [EventKind::Crash]);
}

#[tokio::test]
async fn an_accepted_message_is_unfinished() {
    let (_directory, store) = open().await;
    let message = accepted(1, "a", "p");
    store.accept(&message).await.unwrap();
    let record = store.outcome(message.id).await.unwrap().unwrap();
    assert_eq!(record.row.status, None);
    assert_eq!(record.row.usage, None);
    assert_eq!(record.details, None);
    assert_eq!(store.outcome(id(2)).await.unwrap(), None);
}

#[tokio::test]
async fn an_id_is_accepted_once() {
    let (_directory, store) = open().await;
    let message = accepted(1, "a", "p");
    store.accept(&message).await.unwrap();
    for error in [
        store.accept(&message).await.unwrap_err(),
        store.arrive(&message, 1).await.unwrap_err(),
    ] {
        assert!(matches!(error, StoreError::AlreadyAccepted { id } if id == message.id));
    }
    assert_eq!(store.totals().await.unwrap().messages_kept, 1);
}

#[tokio::test]
async fn the_first_outcome_stands() {
    let (_directory, store) = open().await;
    let message = accepted(1, "a", "p");
    store.accept(&message).await.unwrap();
    let mut outcome = outcome(&message);
    store.finish(&outcome, &[], ended(1)).await.unwrap();
    outcome.status = Status::Failed;
    outcome.reason = Some("a second thought".to_owned());
    let error = store
        .finish(&outcome, &[EventKind::Crash], ended(2))
        .await
        .unwrap_err();
    assert!(matches!(error, StoreError::AlreadyFinished { id } if id == message.id));
    assert!(
        error
            .to_string()
            .ends_with("it has one already, which stands"),
        "{error}"
    );

    let record = store.outcome(message.id).await.unwrap().unwrap();
    assert_eq!(record.row.status, Some(Status::Exited));
    assert_eq!(record.row.reason, None);
    assert!(
        record.events.is_empty(),
        "the refused outcome left its incidents"
    );
    let history = store
        .sender_history(&message.tenant, message.program)
        .await
        .unwrap();
    assert_eq!(history.messages, 1);
}

#[tokio::test]
async fn an_outcome_needs_an_accepted_message() {
    let (_directory, store) = open().await;
    let message = accepted(1, "a", "p");
    let error = store
        .finish(&outcome(&message), &[], ended(1))
        .await
        .unwrap_err();
    assert!(matches!(error, StoreError::UnknownMessage { id } if id == message.id));
    assert_eq!(store.totals().await.unwrap().outcomes, 0);
}

#[tokio::test]
async fn a_limit_and_its_value_are_kept() {
    let (_directory, store) = open().await;
    let message = accepted(1, "a", "p");
    store.accept(&message).await.unwrap();
    let mut outcome = outcome(&message);
    let hit = LimitHit {
        name: LimitName::CpuTime,
        value: 10_000,
    };
    outcome.status = Status::Limit;
    outcome.exit_code = None;
    outcome.limit = Some(hit);
    outcome.reason = Some("it used all of its CPU time".to_owned());
    outcome.truncated = true;
    let incidents = [EventKind::Limit(LimitName::CpuTime)];
    store.finish(&outcome, &incidents, ended(1)).await.unwrap();
    let record = store.outcome(message.id).await.unwrap().unwrap();
    assert_eq!(record.row.limit, Some(hit));
    assert_eq!(record.row.reason, outcome.reason);
    assert!(record.row.truncated);
    assert_eq!(record.events, incidents);
}

#[tokio::test]
async fn messages_of_dead_processes_fail_exactly_once() {
    let (_directory, store) = open().await;
    let owner = |pid| Owner {
        pid,
        start_ticks: 7,
        boot_id: "b".to_owned(),
    };
    let mut dead = Vec::new();
    for number in 0..6 {
        let mut message = accepted(number, "a", "p");
        message.owner = owner(number as u32 % 3);
        store.accept(&message).await.unwrap();
        match number {
            // Finished in time: not interrupted, whatever became of its process.
            0 => store
                .finish(&outcome(&message), &[], ended(0))
                .await
                .unwrap(),
            _ if message.owner.pid != 1 => dead.push(message.id),
            _ => {}
        }
    }
    let mut found = store
        .recover(|owner| owner.pid == 1, ended(9))
        .await
        .unwrap();
    found.sort_unstable();
    assert_eq!(found, dead);
    assert_eq!(
        store
            .recover(|owner| owner.pid == 1, ended(9))
            .await
            .unwrap(),
        []
    );

    let row = store.outcome(dead[0]).await.unwrap().unwrap().row;
    assert_eq!(row.status, Some(Status::Failed));
    assert_eq!(row.reason.as_deref(), Some(INTERRUPTED));
    assert_eq!(row.ended_unix_ms, Some(ended(9)));
    assert_eq!(row.usage, None);
    // What is still being worked on can be finished; what was given up cannot.
    let living = accepted(1, "a", "p");
    store
        .finish(&outcome(&living), &[], ended(9))
        .await
        .unwrap();
    let late = accepted(2, "a", "p");
    let error = store
        .finish(&outcome(&late), &[], ended(9))
        .await
        .unwrap_err();
    assert!(matches!(error, StoreError::AlreadyFinished { .. }));
    let history = store
        .sender_history(&tenant("a"), late.program)
        .await
        .unwrap();
    assert_eq!(history.messages, 1 + dead.len() as u64 + 1);
}

#[tokio::test]
async fn a_caller_that_stops_waiting_does_not_block_the_store() {
    // Twice this fits into the queue of a connection, so that each statement is handed over.
    const MESSAGES: u64 = 20;
    let (_directory, store) = open().await;
    let other = Store::open(store.path()).await.unwrap();
    for number in 0..MESSAGES {
        let message = accepted(number, "a", "p");
        let outcome = outcome(&message);
        // Polled once, which hands the statement over, then dropped.
        let _ = std::future::poll_fn(|context| {
            let accept = std::pin::pin!(store.accept(&message));
            std::task::Poll::Ready(accept.poll(context).is_ready())
        })
        .await;
        let _ = std::future::poll_fn(|context| {
            let finish = std::pin::pin!(store.finish(&outcome, &[EventKind::Crash], ended(number)));
            std::task::Poll::Ready(finish.poll(context).is_ready())
        })
        .await;
        // The other connection can write at once, so no transaction was left open.
        other
            .accept(&accepted(1_000 + number, "b", "p"))
            .await
            .unwrap();
    }
    let filter = atoll_store::Filter {
        tenant: Some(tenant("a")),
        progress: Progress::Finished,
        ..atoll_store::Filter::default()
    };
    // The connection works through what it was given in order, so all of it is done by now.
    let finished = store.list(&filter).await.unwrap();
    assert_eq!(finished.len() as u64, MESSAGES);
    let history = store
        .sender_history(&tenant("a"), crate::sample::program("p"))
        .await
        .unwrap();
    assert_eq!(history.messages, MESSAGES);
    assert_eq!(history.events.len() as u64, MESSAGES);
}

#[tokio::test]
async fn processes_that_leave_lose_nothing_and_leave_a_short_log() {
    let (_directory, path) = place();
    let log = path.with_file_name("store.db-wal");
    let (mut left, mut merged) = (0, 0);
    for number in 0..40 {
        crate::child::expect_success(crate::child::start("leave", &path, number));
        match std::fs::metadata(&log) {
            Ok(log) => {
                assert!(log.len() <= 1 << 20, "{} bytes", log.len());
                left += 1;
            }
            Err(_) => merged += 1,
        }
    }
    assert!(left > merged && merged > 0, "{left} left, {merged} merged");
    let store = Store::open(&path).await.unwrap();
    let totals = store.totals().await.unwrap();
    assert_eq!((totals.messages_kept, totals.outcomes), (40, 40));
}
