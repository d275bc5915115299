//! Processes that are killed in the middle of their work.

use std::io::{BufRead as _, BufReader};

use atoll_store::{INTERRUPTED, Owner, Progress, Store};
use atoll_types::Status;

use crate::sample::{ended, id, program, tenant};
use crate::{child, place, raw};

#[tokio::test]
async fn a_message_of_a_killed_process_is_recovered_once() {
    let (_directory, path) = place();
    let mut holder = child::start("hold", &path, 7);
    let mut lines = BufReader::new(holder.stdout.take().unwrap()).lines();
    while !lines
        .next()
        .expect("the child ended early")
        .unwrap()
        .contains("holding")
    {}

    let store = Store::open(&path).await.unwrap();
    assert_eq!(
        store.recover(Owner::is_alive, ended(7)).await.unwrap(),
        [],
        "it still lives"
    );
    holder.kill().unwrap();
    holder.wait().unwrap();
    assert_eq!(
        store.recover(Owner::is_alive, ended(8)).await.unwrap(),
        [id(7)]
    );
    assert_eq!(store.recover(Owner::is_alive, ended(9)).await.unwrap(), []);
    let row = store.outcome(id(7)).await.unwrap().unwrap().row;
    assert_eq!(row.status, Some(Status::Failed));
    assert_eq!(row.reason.as_deref(), Some(INTERRUPTED));
    assert_eq!(row.ended_unix_ms, Some(ended(8)));
}

#[tokio::test]
async fn what_was_recorded_survives_a_kill_at_any_moment() {
    let (_directory, path) = place();
    let mut done = Vec::new();
    for round in 0..8 {
        let first = round * 10_000;
        let mut toiler = child::start("toil", &path, first);
        let lines = BufReader::new(toiler.stdout.take().unwrap()).lines();
        for line in lines {
            let line = line.unwrap();
            // The harness may have begun the line.
            let Some((_, number)) = line.split_once("done ") else {
                continue;
            };
            done.push(number.parse::<u64>().unwrap());
            // A different moment in each round; what follows until the kill is read as well.
            if done.last() == Some(&(first + 5 + round * 7)) {
                toiler.kill().unwrap();
            }
        }
        toiler.wait().unwrap();
    }
    let store = Store::open(&path).await.unwrap();
    let unfinished = store.recover(Owner::is_alive, ended(0)).await.unwrap();
    assert!(unfinished.len() <= 8, "{unfinished:?}");
    for number in &done {
        let row = store.outcome(id(*number)).await.unwrap().unwrap().row;
        assert_eq!(row.status, Some(Status::Exited), "message {number}");
    }
    let open = atoll_store::Filter {
        progress: Progress::Unfinished,
        ..atoll_store::Filter::default()
    };
    assert_eq!(store.list(&open).await.unwrap(), []);
    // Counts and incidents belong to outcomes, each of them to one.
    let totals = store.totals().await.unwrap();
    assert_eq!(totals.outcomes, totals.messages_kept);
    assert_eq!(
        totals.incidents,
        totals.messages_kept - unfinished.len() as u64
    );
    let history = store
        .sender_history(&tenant("a"), program("p"))
        .await
        .unwrap();
    assert_eq!(history.messages, totals.messages_kept);
    let mut raw = raw(&path).await;
    let verdict: String = sqlx::query_scalar("PRAGMA integrity_check")
        .fetch_one(&mut raw)
        .await
        .unwrap();
    assert_eq!(verdict, "ok");
}
