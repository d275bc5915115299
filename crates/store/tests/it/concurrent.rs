//! Several users of one file at the same time.

use std::collections::BTreeSet;
use std::sync::{Arc, Barrier};

use atoll_store::{Filter, Progress, Store, StoreError};
use atoll_types::EventKind;

use crate::sample::{accepted, ended, outcome, program, tenant};
use crate::{child, place};

/// Runs `work` in a runtime and a thread of its own, as another process would.
fn thread<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> std::thread::JoinHandle<T> {
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        runtime.block_on(work)
    })
}

/// Opens the store and takes 50 messages from arrival to outcome.
pub(crate) async fn write_fifty(path: &std::path::Path, first: u64) {
    let store = Store::open(path).await.unwrap();
    for number in first..first + 50 {
        let message = accepted(number, "a", "p");
        store.arrive(&message, 8).await.unwrap();
        store
            .finish(&outcome(&message), &[EventKind::Crash], ended(number))
            .await
            .unwrap();
    }
    store.close().await;
}

#[tokio::test]
async fn threads_and_processes_write_at_once_and_nothing_is_lost() {
    let (_directory, path) = place();
    // None of them finds a store: making it is part of the race.
    let children: Vec<_> = (0..4)
        .map(|part| child::start("write", &path, part * 50))
        .collect();
    let threads: Vec<_> = (4..8)
        .map(|part| {
            let path = path.clone();
            thread(async move { write_fifty(&path, part * 50).await })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    for child in children {
        child::expect_success(child);
    }
    let store = Store::open(&path).await.unwrap();
    let filter = Filter {
        progress: Progress::Finished,
        limit: 1_000,
        ..Filter::default()
    };
    let rows = store.list(&filter).await.unwrap();
    let ids: BTreeSet<_> = rows.iter().map(|row| row.id).collect();
    assert_eq!(ids.len(), 400);
    let history = store
        .sender_history(&tenant("a"), program("p"))
        .await
        .unwrap();
    assert_eq!(history.messages, 400);
    assert_eq!(history.program_messages, 400);
    assert_eq!(history.program_messages_anyone, 400);
    assert_eq!(store.tenants(1).await.unwrap()[0].incidents, 400);
}

#[tokio::test]
async fn many_make_the_same_new_store() {
    for round in 0..20 {
        let (_directory, path) = place();
        let start = Arc::new(Barrier::new(6));
        let openers: Vec<_> = (0..6)
            .map(|number| {
                let (path, start) = (path.clone(), Arc::clone(&start));
                thread(async move {
                    start.wait();
                    let store = Store::open(&path).await.unwrap();
                    store.accept(&accepted(number, "a", "p")).await.unwrap();
                })
            })
            .collect();
        for opener in openers {
            opener.join().unwrap();
        }
        let store = Store::open(&path).await.unwrap();
        assert_eq!(
            store.totals().await.unwrap().messages_kept,
            6,
            "round {round}"
        );
    }
}

#[tokio::test]
async fn two_outcomes_of_one_message_race_and_one_wins() {
    const MESSAGES: u64 = 100;
    let (_directory, path) = place();
    let store = Store::open(&path).await.unwrap();
    for number in 0..MESSAGES {
        store.accept(&accepted(number, "a", "p")).await.unwrap();
    }
    let start = Arc::new(Barrier::new(2));
    let racers: Vec<_> = [1, 2]
        .map(|exit_code| {
            let (path, start) = (path.clone(), Arc::clone(&start));
            thread(async move {
                let store = Store::open(&path).await.unwrap();
                let mut won = Vec::new();
                for number in 0..MESSAGES {
                    let message = accepted(number, "a", "p");
                    let mut outcome = outcome(&message);
                    outcome.exit_code = Some(exit_code);
                    start.wait();
                    match store
                        .finish(&outcome, &[EventKind::Crash], ended(number))
                        .await
                    {
                        Ok(()) => won.push(message.id),
                        Err(StoreError::AlreadyFinished { id }) => assert_eq!(id, message.id),
                        Err(error) => panic!("{error:?}"),
                    }
                }
                (exit_code, won)
            })
        })
        .into();
    let mut finished = 0;
    for racer in racers {
        let (exit_code, won) = racer.join().unwrap();
        finished += won.len() as u64;
        for id in won {
            let row = store.outcome(id).await.unwrap().unwrap().row;
            assert_eq!(row.exit_code, Some(exit_code));
        }
    }
    assert_eq!(finished, MESSAGES);
    let history = store
        .sender_history(&tenant("a"), program("p"))
        .await
        .unwrap();
    assert_eq!(history.messages, MESSAGES);
    assert_eq!(store.tenants(1).await.unwrap()[0].incidents, MESSAGES);
}

#[tokio::test]
async fn of_two_that_recover_each_message_goes_to_one() {
    const MESSAGES: u64 = 100;
    let (_directory, path) = place();
    let store = Store::open(&path).await.unwrap();
    for number in 0..MESSAGES {
        store.accept(&accepted(number, "a", "p")).await.unwrap();
    }
    let start = Arc::new(Barrier::new(2));
    let racers: Vec<_> = (0..2)
        .map(|_| {
            let (path, start) = (path.clone(), Arc::clone(&start));
            thread(async move {
                let store = Store::open(&path).await.unwrap();
                start.wait();
                store.recover(|_| false, ended(0)).await.unwrap()
            })
        })
        .collect();
    let mut found: Vec<_> = racers
        .into_iter()
        .flat_map(|racer| racer.join().unwrap())
        .collect();
    let count = found.len();
    found.sort_unstable();
    found.dedup();
    assert_eq!((count, found.len()), (100, 100));
}

#[tokio::test]
async fn tasks_share_one_store() {
    let (_directory, path) = place();
    let store = Arc::new(Store::open(&path).await.unwrap());
    let tasks: Vec<_> = (0..4)
        .map(|part| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                for number in part * 25..(part + 1) * 25 {
                    let message = accepted(number, "a", "p");
                    store.arrive(&message, 8).await.unwrap();
                    store
                        .finish(&outcome(&message), &[], ended(number))
                        .await
                        .unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(store.totals().await.unwrap().outcomes, 100);
}
