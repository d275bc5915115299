//! Messages that find a sandbox waiting.

use std::sync::atomic::Ordering;
use std::time::Duration;

use atoll_engine::{Engine, PoolOptions};
use atoll_types::Status;

use crate::bare::{Bare, Fault};
use crate::{engine_with, message, run};

async fn until_one_waits(engine: &Engine) {
    for _ in 0..2_000 {
        if engine.pools().iter().any(|pool| pool.idle > 0) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    unreachable!("no sandbox waits: {:?}", engine.pools());
}

#[tokio::test]
async fn a_sandbox_that_waits_is_used_once() {
    let state = tempfile::tempdir().unwrap();
    let backend = Bare::default();
    let living = backend.living.clone();
    let engine = engine_with(state.path(), backend, Some(PoolOptions::default()));
    for n in 0..4 {
        let report = run(&engine, message(&format!("echo {n}"))).await;
        assert_eq!(report.outcome.status, Status::Exited, "{report:?}");
        assert_eq!(report.outcome.stdout, format!("{n}\n").into_bytes());
        until_one_waits(&engine).await;
    }
    let pools = engine.pools();
    assert_eq!(pools.len(), 1, "{pools:?}");
    assert_eq!((pools[0].hits, pools[0].misses), (3, 1), "{pools:?}");
    engine.close().await;
    assert_eq!(living.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_sandbox_that_broke_while_it_waited_is_replaced() {
    let state = tempfile::tempdir().unwrap();
    let backend = Bare {
        fault: Fault::BrokenByWaiting,
        ..Bare::default()
    };
    let living = backend.living.clone();
    let engine = engine_with(state.path(), backend, Some(PoolOptions::default()));
    for _ in 0..3 {
        let report = run(&engine, message("echo out")).await;
        assert_eq!(report.outcome.status, Status::Exited, "{report:?}");
        assert_eq!(report.outcome.stdout, b"out\n");
        until_one_waits(&engine).await;
    }
    assert_eq!(engine.pools()[0].hits, 2);
    engine.close().await;
    assert_eq!(living.load(Ordering::SeqCst), 0);
}
