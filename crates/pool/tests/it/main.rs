//! Pools from outside, with a backend that counts what lives and can fail.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod counting;
mod returning;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use atoll_pool::{Key, Options, PoolReport, Pools};
use atoll_sandbox::{Backend, Environment};
use atoll_types::{Level, Limits, ProgramKind, SystemCalls, TenantId};

use counting::{Counting, LIMITS};

fn key(limits: &Limits) -> Key {
    let environment = Environment {
        kind: ProgramKind::Python,
        dependencies: None,
        modules: BTreeSet::new(),
        tenant: TenantId::local(),
    };
    Key::new(Level::Process, environment, SystemCalls::Processes, limits)
}

fn block_on(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(test);
}

async fn until(what: &str, holds: impl Fn() -> bool) {
    for _ in 0..2_000 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("it never holds that {what}");
}

fn only(pools: &Pools) -> PoolReport {
    let mut reports = pools.report();
    assert_eq!(reports.len(), 1, "{reports:?}");
    reports.remove(0)
}

#[test]
fn a_wish_is_a_miss_first_and_a_hit_later() {
    block_on(async {
        let counting = Arc::new(Counting::default());
        let backend: Arc<dyn Backend> = counting.clone();
        let pools = Pools::new(Options::default());
        let key = key(&LIMITS);
        assert!(pools.take(&backend, &key, &LIMITS).sandbox.is_none());
        until("one waits", || only(&pools).idle > 0).await;
        assert!(pools.has(&key));
        let taken = pools.take(&backend, &key, &LIMITS).sandbox.unwrap();
        let report = only(&pools);
        assert_eq!((report.hits, report.misses), (1, 1), "{report:?}");
        assert_eq!(counting.warmed.load(Ordering::SeqCst), report.made);
        taken.destroy().await.unwrap();
        pools.close().await;
        assert_eq!(counting.living(), 0);
    });
}

#[test]
fn limits_that_cannot_change_later_have_pools_of_their_own() {
    let larger_disk = Limits {
        disk_bytes: LIMITS.disk_bytes + 1,
        ..LIMITS
    };
    let larger_memory = Limits {
        memory_bytes: LIMITS.memory_bytes + 1,
        cpu_percent: 7,
        wall_time_ms: 1,
        output_bytes: 1,
        ..LIMITS
    };
    assert_ne!(key(&LIMITS), key(&larger_disk));
    assert_eq!(key(&LIMITS), key(&larger_memory));
}

#[test]
fn sandboxes_with_other_system_calls_have_pools_of_their_own() {
    let mut strict = key(&LIMITS);
    strict.system_calls = SystemCalls::Strict;
    assert_ne!(strict, key(&LIMITS));
}

#[test]
fn as_many_wait_as_are_kept_and_none_after_closing() {
    block_on(async {
        let counting = Arc::new(Counting::default());
        let backend: Arc<dyn Backend> = counting.clone();
        let pools = Pools::new(Options::default());
        pools.keep(&backend, &key(&LIMITS), &LIMITS, 5);
        until("five wait", || only(&pools).idle == 5).await;
        // Closing while more are being made.
        pools.keep(&backend, &key(&LIMITS), &LIMITS, 20);
        pools.close().await;
        assert_eq!(counting.living(), 0);
    });
}

#[test]
fn pools_that_are_dropped_end_what_waits() {
    block_on(async {
        let counting = Arc::new(Counting::default());
        let backend: Arc<dyn Backend> = counting.clone();
        let pools = Pools::new(Options::default());
        pools.keep(&backend, &key(&LIMITS), &LIMITS, 3);
        until("three wait", || only(&pools).idle == 3).await;
        pools.keep(&backend, &key(&LIMITS), &LIMITS, 6);
        drop(pools);
        until("nothing lives", || counting.living() == 0).await;
    });
}

#[test]
fn what_waits_too_long_is_removed() {
    block_on(async {
        let counting = Arc::new(Counting::default());
        let backend: Arc<dyn Backend> = counting.clone();
        let pools = Pools::new(Options::default());
        pools.keep(&backend, &key(&LIMITS), &LIMITS, 4);
        until("four wait", || only(&pools).idle == 4).await;
        pools.keep(&backend, &key(&LIMITS), &LIMITS, 1);
        until("one waits", || only(&pools).idle == 1).await;
        until("one lives", || counting.living() == 1).await;
    });
}

#[test]
fn a_pool_that_cannot_be_filled_says_why() {
    block_on(async {
        let counting = Arc::new(Counting::default());
        counting.failing.store(true, Ordering::SeqCst);
        let backend: Arc<dyn Backend> = counting.clone();
        let pools = Pools::new(Options::default());
        assert!(
            pools
                .take(&backend, &key(&LIMITS), &LIMITS)
                .sandbox
                .is_none()
        );
        until("an attempt failed", || only(&pools).failures > 0).await;
        let report = only(&pools);
        let why = report.failure.unwrap();
        assert!(why.contains("no interpreter"), "{why}");
        assert_eq!(report.making, 0);
        // Nothing is tried for a while, then again.
        counting.failing.store(false, Ordering::SeqCst);
        assert!(
            pools
                .take(&backend, &key(&LIMITS), &LIMITS)
                .sandbox
                .is_none()
        );
        assert_eq!(only(&pools).making, 0);
        tokio::time::sleep(Duration::from_millis(1_100)).await;
        assert!(
            pools
                .take(&backend, &key(&LIMITS), &LIMITS)
                .sandbox
                .is_none()
        );
        until("one waits", || only(&pools).idle > 0).await;
        assert_eq!(only(&pools).failure, None);
    });
}

#[test]
fn memory_bounds_all_pools_together() {
    block_on(async {
        let counting = Arc::new(Counting::default());
        let backend: Arc<dyn Backend> = counting.clone();
        let pools = Pools::new(Options {
            memory_bytes_max: 3 * counting::IDLE_BYTES,
            idle_max: 64,
        });
        pools.keep(&backend, &key(&LIMITS), &LIMITS, 8);
        until("eight were tried", || only(&pools).making == 0).await;
        let report = only(&pools);
        assert_eq!(report.idle, 3, "{report:?}");
        assert!(report.failure.unwrap().contains("would exceed"));
        until("three live", || counting.living() == 3).await;
    });
}

#[test]
fn many_takers_get_each_sandbox_once() {
    block_on(async {
        let counting = Arc::new(Counting::default());
        let backend: Arc<dyn Backend> = counting.clone();
        let pools = Arc::new(Pools::new(Options::default()));
        let takers: Vec<_> = (0..50)
            .map(|n| {
                let (pools, backend) = (Arc::clone(&pools), Arc::clone(&backend));
                tokio::spawn(async move {
                    tokio::time::sleep(Duration::from_millis(n)).await;
                    if let Some(sandbox) = pools.take(&backend, &key(&LIMITS), &LIMITS).sandbox {
                        sandbox.destroy().await.unwrap();
                    }
                })
            })
            .collect();
        for taker in takers {
            taker.await.unwrap();
        }
        let report = only(&pools);
        assert_eq!(report.hits + report.misses, 50);
        assert!(report.hits > 0, "{report:?}");
        Arc::into_inner(pools).unwrap().close().await;
        assert_eq!(counting.living(), 0);
    });
}
