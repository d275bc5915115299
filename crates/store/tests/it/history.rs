//! What the store tells about senders and programs.

use atoll_types::{
    EventKind, Level, LimitHit, LimitName, Past, PastRun, SenderHistory, Status, Told, Usage,
};

use crate::open;
use crate::sample::{accepted, ended, outcome, program, tenant};

#[tokio::test]
async fn nothing_is_known_of_a_stranger() {
    let (_directory, store) = open().await;
    let history = store
        .sender_history(&tenant("a"), program("p"))
        .await
        .unwrap();
    assert_eq!(history, SenderHistory::default());
    let past = store.past(&tenant("a"), program("p"), 10).await.unwrap();
    assert_eq!(past, Past::default());
}

#[tokio::test]
async fn counts_tell_tenants_and_programs_apart() {
    let (_directory, store) = open().await;
    let messages = [("a", "p"), ("a", "p"), ("a", "q"), ("b", "p"), ("b", "r")];
    for (number, (sender, name)) in (0..).zip(messages) {
        let message = accepted(number, sender, name);
        store.accept(&message).await.unwrap();
        store
            .finish(&outcome(&message), &[], ended(number))
            .await
            .unwrap();
    }
    // Accepted, but without an outcome it does not count yet.
    store.accept(&accepted(9, "a", "p")).await.unwrap();

    let history = store
        .sender_history(&tenant("a"), program("p"))
        .await
        .unwrap();
    assert_eq!(history.messages, 3);
    assert_eq!(history.program_messages, 2);
    assert_eq!(history.program_messages_anyone, 3);
    let history = store
        .sender_history(&tenant("b"), program("q"))
        .await
        .unwrap();
    assert_eq!(history.messages, 2);
    assert_eq!(history.program_messages, 0);
    assert_eq!(history.program_messages_anyone, 1);
}

#[tokio::test]
async fn refusals_count_as_messages_but_not_as_runs() {
    let (_directory, store) = open().await;
    let ends = [
        Status::Exited,
        Status::Refused,
        Status::Signalled,
        Status::Failed,
        Status::Limit,
        Status::Failed,
    ];
    for (number, status) in (0..).zip(ends) {
        let message = accepted(number, "a", "p");
        store.accept(&message).await.unwrap();
        let mut outcome = outcome(&message);
        outcome.status = status;
        outcome.usage.cpu_time_us = number;
        if number == 5 {
            // It failed before it had begun.
            outcome.usage = Usage::default();
        }
        if status == Status::Limit {
            outcome.limit = Some(LimitHit {
                name: LimitName::Memory,
                value: 1 << 20,
            });
        }
        store.finish(&outcome, &[], ended(number)).await.unwrap();
    }
    let history = store
        .sender_history(&tenant("a"), program("p"))
        .await
        .unwrap();
    assert_eq!(history.messages, 6);

    let runs = async |newest| {
        let sender = tenant("a");
        let past = store.past(&sender, program("p"), newest).await;
        past.unwrap().runs
    };
    let none: &[PastRun] = &[];
    assert_eq!(runs(0).await, none);
    assert_eq!(runs(2).await, runs(10).await[..2]);
    let runs = runs(10).await;
    let statuses: Vec<Status> = runs.iter().map(|run| run.status).collect();
    let expected = [
        Status::Limit,
        Status::Failed,
        Status::Signalled,
        Status::Exited,
    ];
    assert_eq!(statuses, expected);
    let cpu: Vec<u64> = runs.iter().map(|run| run.usage.cpu_time_us).collect();
    assert_eq!(cpu, [4, 3, 2, 0]);
    assert_eq!(runs[0].level, Some(Level::Process));
    assert_eq!(runs[0].input, Some(0));
    assert_eq!(runs[0].limit.unwrap().name, LimitName::Memory);
    assert_eq!(runs[0].limit.unwrap().value, 1 << 20);
    assert_eq!(runs[0].unix_ms, ended(4));
    assert_eq!(runs[1].limit, None);
}

#[tokio::test]
async fn how_predictions_fared_is_told_by_tenant() {
    let (_directory, store) = open().await;
    for (number, sender) in (0..).zip(["a", "a", "b", "a"]) {
        let message = accepted(number, sender, "p");
        store.accept(&message).await.unwrap();
        let mut outcome = outcome(&message);
        if let Some(profile) = &mut outcome.profile {
            profile.lesson.input = number;
            // History said what the second one would need, so nothing is to be learned.
            profile.lesson.memory = (number != 1).then_some(Told {
                plain: 10,
                given: 10 + number,
            });
        }
        if number == 3 {
            outcome.status = Status::Failed;
        }
        store.finish(&outcome, &[], ended(number)).await.unwrap();
    }
    let past = store.past(&tenant("a"), program("q"), 10).await.unwrap();
    assert_eq!(past.runs.len(), 0);
    let fared = past.bounds.iter().map(|it| {
        let given = it.lesson.memory.map(|told| told.given);
        (given, it.memory_bytes, it.at_least, it.level)
    });
    let used = 9 << 20;
    let level = Some(Level::Process);
    assert_eq!(
        fared.collect::<Vec<_>>(),
        [
            (Some(13), used, true, level),
            (Some(10), used, false, level)
        ]
    );
    let past = store.past(&tenant("b"), program("p"), 10).await.unwrap();
    assert_eq!(past.bounds.len(), 1);
    let inputs: Vec<Option<u64>> = past.runs.iter().map(|run| run.input).collect();
    assert_eq!(inputs, [Some(3), Some(2), Some(1), Some(0)]);
    // A program whose own runs say enough is not judged by its tenant.
    for number in 4..8 {
        let message = accepted(number, "b", "p");
        store.accept(&message).await.unwrap();
        let outcome = outcome(&message);
        store.finish(&outcome, &[], ended(number)).await.unwrap();
    }
    let past = store.past(&tenant("b"), program("p"), 10).await.unwrap();
    assert_eq!((past.runs.len(), past.bounds.len()), (8, 0));
}

#[tokio::test]
async fn lists_are_bounded_and_newest_first() {
    let (_directory, store) = open().await;
    for number in 0..100 {
        let message = accepted(number, "a", "p");
        store.accept(&message).await.unwrap();
        store
            .finish(&outcome(&message), &[EventKind::Crash], ended(number))
            .await
            .unwrap();
    }
    let history = store
        .sender_history(&tenant("a"), program("p"))
        .await
        .unwrap();
    let newest = |number: u64| accepted(number, "a", "p").received_unix_ms;
    let expected: Vec<u64> = (36..100).rev().map(newest).collect();
    assert_eq!(history.arrivals_unix_ms, expected);
    // The tenant's newest and the program's newest are the same ones here, and told once.
    let times: Vec<u64> = history.events.iter().map(|event| event.unix_ms).collect();
    let expected: Vec<u64> = (36..100).rev().map(ended).collect();
    assert_eq!(times, expected);
}

#[tokio::test]
async fn incidents_are_of_the_tenant_or_of_the_program() {
    let (_directory, store) = open().await;
    let incidents = [
        ("a", "p", EventKind::Crash),
        ("b", "p", EventKind::Violation),
        ("a", "q", EventKind::Limit(LimitName::WallTime)),
        ("b", "q", EventKind::Deviation),
    ];
    for (number, (sender, name, kind)) in (0..).zip(incidents) {
        let message = accepted(number, sender, name);
        store.accept(&message).await.unwrap();
        // The same kind twice in one message is one incident.
        store
            .finish(&outcome(&message), &[kind, kind], ended(number))
            .await
            .unwrap();
    }
    let history = store
        .sender_history(&tenant("a"), program("p"))
        .await
        .unwrap();
    let seen: Vec<_> = history
        .events
        .iter()
        .map(|event| (event.kind, event.program, event.by_tenant, event.unix_ms))
        .collect();
    assert_eq!(
        seen,
        [
            (
                EventKind::Limit(LimitName::WallTime),
                program("q"),
                true,
                ended(2)
            ),
            (EventKind::Violation, program("p"), false, ended(1)),
            (EventKind::Crash, program("p"), true, ended(0)),
        ]
    );
}

#[tokio::test]
async fn an_arrival_is_judged_by_what_came_before() {
    let (_directory, store) = open().await;
    for number in 0..3 {
        let message = accepted(number, "a", "p");
        let arrival = store.arrive(&message, 2).await.unwrap();
        assert_eq!(arrival.history.messages, number);
        assert_eq!(arrival.history.arrivals_unix_ms.len() as u64, number);
        assert_eq!(arrival.past.runs.len() as u64, number.min(2));
        store
            .finish(&outcome(&message), &[EventKind::Crash], ended(number))
            .await
            .unwrap();
    }
    let message = accepted(3, "a", "p");
    let history = store
        .sender_history(&message.tenant, message.program)
        .await
        .unwrap();
    let past = store.past(&message.tenant, message.program, 2);
    let past = past.await.unwrap();
    let arrival = store.arrive(&message, 2).await.unwrap();
    assert_eq!(arrival.history, history);
    assert_eq!(arrival.past, past);
    let history = store
        .sender_history(&message.tenant, message.program)
        .await
        .unwrap();
    assert_eq!(history.arrivals_unix_ms[0], message.received_unix_ms);
}

#[tokio::test]
async fn a_flood_of_incidents_pushes_out_only_its_own() {
    let (_directory, store) = open().await;
    let victim = accepted(0, "b", "p");
    store.accept(&victim).await.unwrap();
    store
        .finish(&outcome(&victim), &[EventKind::Violation], ended(0))
        .await
        .unwrap();
    for number in 1..=400 {
        let message = accepted(number, "a", "q");
        store.accept(&message).await.unwrap();
        let kinds = [
            EventKind::Crash,
            EventKind::Deviation,
            EventKind::Limit(LimitName::Memory),
        ];
        store
            .finish(&outcome(&message), &kinds, ended(number))
            .await
            .unwrap();
    }
    let mut raw = crate::raw(store.path()).await;
    let kept: Vec<(String, i64)> =
        sqlx::query_as("SELECT tenant, count(*) FROM events GROUP BY tenant ORDER BY tenant")
            .fetch_all(&mut raw)
            .await
            .unwrap();
    assert_eq!(kept, [("a".to_owned(), 1_024), ("b".to_owned(), 1)]);
    let tenants = store.tenants(10).await.unwrap();
    assert_eq!(tenants[0].incidents, 1_200);
    let history = store
        .sender_history(&tenant("c"), program("p"))
        .await
        .unwrap();
    assert_eq!(history.events[0].kind, EventKind::Violation);
}
