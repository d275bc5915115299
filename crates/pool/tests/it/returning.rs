//! Sandboxes that come back to their pool.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use atoll_pool::{Key, Options, Pools};
use atoll_sandbox::{Backend, Sandbox, Tenancy, Terms};

use crate::counting::{Counting, IDLE_BYTES, LIMITS};
use crate::{block_on, key, only, until};

struct World {
    counting: Arc<Counting>,
    backend: Arc<dyn Backend>,
    pools: Pools,
    key: Key,
}

impl World {
    fn new(options: Options, messages_max: u32) -> Self {
        let counting = Arc::new(Counting::default());
        Self {
            backend: counting.clone(),
            counting,
            pools: Pools::new(options),
            key: key(&LIMITS).serving(messages_max),
        }
    }

    /// Takes a sandbox, or makes one, and brings it back if it may come back. Answers with how many
    /// messages it had served.
    async fn serve(&self) -> u32 {
        let taken = self.pools.take(&self.backend, &self.key, &LIMITS);
        let sandbox: Box<dyn Sandbox> = match taken.sandbox {
            Some(sandbox) => sandbox,
            None => {
                let beginning = self.backend.begin("one", &self.key.environment).unwrap();
                let terms = Terms {
                    limits: LIMITS,
                    system_calls: self.key.system_calls,
                    accept_missing: &self.key.accept_missing,
                    tenancy: &Tenancy::own(),
                };
                beginning.finish(terms).await.unwrap()
            }
        };
        match taken.lease {
            Some(lease) => lease.bring_back(sandbox, &LIMITS),
            None => sandbox.destroy().await.unwrap(),
        }
        until("it is back or gone", || {
            let report = only(&self.pools);
            report.making + report.lent == 0
        })
        .await;
        taken.served
    }

    async fn close(self) {
        self.pools.close().await;
        assert_eq!(self.counting.living(), 0);
    }
}

#[test]
fn a_sandbox_comes_back_as_often_as_it_may() {
    block_on(async {
        let world = World::new(Options::default(), 3);
        let mut served = Vec::new();
        for _ in 0..7 {
            served.push(world.serve().await);
        }
        assert_eq!(served, [0, 1, 2, 0, 1, 2, 0]);
        let report = only(&world.pools);
        assert_eq!(report.reuses, 4, "{report:?}");
        assert_eq!(report.renewal_failures, 0, "{report:?}");
        world.close().await;
    });
}

#[test]
fn a_sandbox_that_cannot_be_renewed_is_destroyed_and_the_pool_says_why() {
    block_on(async {
        let world = World::new(Options::default(), 3);
        world.counting.worn.store(true, Ordering::SeqCst);
        for _ in 0..4 {
            assert_eq!(world.serve().await, 0);
        }
        let report = only(&world.pools);
        assert_eq!((report.reuses, report.renewal_failures), (0, 4));
        let why = report.renewal_failure.unwrap();
        assert!(why.contains("failed to renew a sandbox"), "{why}");
        // Those that wait are all there is.
        assert_eq!(world.counting.living(), report.idle as u64);
        world.close().await;
    });
}

#[test]
fn sandboxes_that_come_back_count_against_memory() {
    block_on(async {
        let options = Options {
            memory_bytes_max: IDLE_BYTES - 1,
            ..Options::default()
        };
        let world = World::new(options, 3);
        for _ in 0..3 {
            assert_eq!(world.serve().await, 0);
            assert_eq!(only(&world.pools).idle, 0);
        }
        assert_eq!(world.counting.living(), 0);
        world.close().await;
    });
}

#[test]
fn a_sandbox_that_comes_back_late_is_waited_for_and_destroyed() {
    block_on(async {
        let world = World::new(Options::default(), 3);
        world.serve().await;
        let taken = world.pools.take(&world.backend, &world.key, &LIMITS);
        assert_eq!(taken.served, 1);
        assert_eq!(only(&world.pools).lent, 1);
        let sandbox = taken.sandbox.unwrap();
        taken.lease.unwrap().bring_back(sandbox, &LIMITS);
        // It is being renewed now.
        world.close().await;

        let world = World::new(Options::default(), 3);
        let taken = world.pools.take(&world.backend, &world.key, &LIMITS);
        // Whoever took it has gone with it.
        drop(taken);
        assert_eq!(only(&world.pools).lent, 0);
        world.close().await;
    });
}
