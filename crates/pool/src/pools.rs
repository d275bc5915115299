//! All pools of a node, and the tasks that fill and shrink them.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use atoll_sandbox::{Backend, Sandbox, SandboxSpec};
use atoll_types::Limits;

use crate::lease::{Lease, Taken};
use crate::pool::{Idle, Pool};
use crate::{Key, PoolReport};

/// Different keys that are kept; beyond, messages with new keys find no pool.
const KEYS_MAX: usize = 64;

/// How often pools are looked at for sandboxes that nobody wants any more.
const SHRINK_EVERY: Duration = Duration::from_secs(1);

/// Whoever takes a sandbox starts a job in it, and that comes first: making the next one waits for
/// this long.
const MAKING_DELAY: Duration = Duration::from_millis(2);

/// Bounds for all pools together.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Memory that waiting sandboxes may take, in bytes. 0 keeps none waiting.
    pub memory_bytes_max: u64,
    /// Sandboxes of one pool that may wait. 0 keeps none waiting.
    pub idle_max: usize,
}

impl Default for Options {
    /// 1 GiB, and 64 sandboxes in a pool.
    fn default() -> Self {
        Self {
            memory_bytes_max: 1 << 30,
            idle_max: 64,
        }
    }
}

/// The pools of a node. Dropping them ends the sandboxes that wait; [`Pools::close`] also waits
/// until they are gone.
pub struct Pools {
    shared: Arc<Shared>,
}

pub(crate) struct Shared {
    options: Options,
    began: Instant,
    made: AtomicU64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    pools: HashMap<Key, Pool>,
    /// Whether the task that shrinks pools runs.
    shrinking: bool,
    closed: bool,
}

impl Pools {
    /// Pools without a sandbox.
    #[must_use]
    pub fn new(options: Options) -> Self {
        Self {
            shared: Arc::new(Shared {
                options,
                began: Instant::now(),
                made: AtomicU64::new(0),
                state: Mutex::default(),
            }),
        }
    }

    /// A sandbox that waits for a job under such limits, if there is one. Either way the demand is
    /// noted, and more are made in the background. Has to be called inside a Tokio runtime.
    #[must_use]
    pub fn take(&self, backend: &Arc<dyn Backend>, key: &Key, limits: &Limits) -> Taken {
        let now = self.shared.now();
        let mut taken = Taken::default();
        {
            let mut state = self.shared.lock();
            let Some(pool) = state.pool(key, limits, now) else {
                return taken;
            };
            if let Some(idle) = pool.take(now) {
                taken.sandbox = Some(idle.sandbox);
                taken.served = idle.served;
            }
            if taken.served.saturating_add(1) < key.messages_max {
                pool.lend();
                let shared = Arc::clone(&self.shared);
                taken.lease = Some(Lease::new(shared, key.clone(), taken.served));
            }
        }
        self.shared.fill(backend, key);
        taken
    }

    /// Whether a sandbox with such a key waits now.
    #[must_use]
    pub fn has(&self, key: &Key) -> bool {
        let state = self.shared.lock();
        state.pools.get(key).is_some_and(Pool::has_idle)
    }

    /// Keeps at least so many sandboxes waiting, whatever the demand. Has to be called inside a
    /// Tokio runtime.
    pub fn keep(&self, backend: &Arc<dyn Backend>, key: &Key, limits: &Limits, count: usize) {
        let now = self.shared.now();
        if let Some(pool) = self.shared.lock().pool(key, limits, now) {
            pool.floor = count;
        }
        self.shared.fill(backend, key);
    }

    /// Every pool, the busiest first.
    #[must_use]
    pub fn report(&self) -> Vec<PoolReport> {
        let now = self.shared.now();
        let state = self.shared.lock();
        let most = self.shared.options.idle_max;
        let pools = state.pools.iter();
        let mut reports: Vec<_> = pools
            .map(|(key, pool)| pool.report(key, now, most))
            .collect();
        reports.sort_by(|one, other| other.rate.total_cmp(&one.rate));
        reports
    }

    /// Destroys every sandbox that waits, and those still being made as soon as they are.
    pub async fn close(self) {
        let waiting = {
            let mut state = self.shared.lock();
            state.closed = true;
            state.take_all()
        };
        destroy(waiting).await;
        // Those that are being made see that the pools are closed.
        while self.shared.is_making() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

impl Drop for Pools {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.closed = true;
        let waiting = state.take_all();
        drop(state);
        // A sandbox that is dropped ends everything inside.
        drop(waiting);
    }
}

impl State {
    /// The pool of a key, new if need be; `None` when there are too many.
    fn pool(&mut self, key: &Key, limits: &Limits, now: Duration) -> Option<&mut Pool> {
        if self.pools.len() >= KEYS_MAX && !self.pools.contains_key(key) {
            self.pools.retain(|_, pool| !pool.is_unused(now));
            if self.pools.len() >= KEYS_MAX {
                return None;
            }
        }
        let pool = self.pools.entry(key.clone());
        Some(pool.or_insert_with(|| Pool::new(*limits)))
    }

    fn take_all(&mut self) -> Vec<Idle> {
        self.pools.values_mut().flat_map(Pool::take_all).collect()
    }

    fn idle_bytes(&self) -> u64 {
        self.pools.values().map(Pool::idle_bytes).sum()
    }
}

impl Shared {
    fn now(&self) -> Duration {
        self.began.elapsed()
    }

    pub(crate) fn with_pool(&self, key: &Key, change: impl FnOnce(&mut Pool)) {
        // A pool is not forgotten while it makes or lends something.
        let _ = self.lock().pools.get_mut(key).map(change);
    }

    /// Lets the task that shrinks pools run, if it does not.
    fn begin_shrinking(self: &Arc<Self>, state: &mut State) {
        if !std::mem::replace(&mut state.shrinking, true) {
            tokio::spawn(shrink(Arc::downgrade(self)));
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_making(&self) -> bool {
        self.lock().pools.values().any(Pool::is_making)
    }

    /// Begins to make what a pool lacks.
    fn fill(self: &Arc<Self>, backend: &Arc<dyn Backend>, key: &Key) {
        let now = self.now();
        let mut state = self.lock();
        if state.closed {
            return;
        }
        let Some(pool) = state.pools.get_mut(key) else {
            return;
        };
        let missing = pool.begin_making(now, self.options.idle_max);
        let limits = pool.limits;
        if missing > 0 {
            self.begin_shrinking(&mut state);
        }
        drop(state);
        for _ in 0..missing {
            let (shared, backend, key) = (Arc::clone(self), Arc::clone(backend), key.clone());
            tokio::spawn(async move {
                tokio::time::sleep(MAKING_DELAY).await;
                shared.make_one(&*backend, &key, limits).await;
                // It may have taken longer than those before, and more should wait then.
                shared.fill(&backend, &key);
            });
        }
    }

    async fn make_one(&self, backend: &dyn Backend, key: &Key, limits: Limits) {
        let before = Instant::now();
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        let spec = SandboxSpec {
            id: format!("warm-{number}"),
            limits,
            system_calls: key.system_calls,
            accept_missing: key.accept_missing.clone(),
            environment: key.environment.clone(),
            renews: key.renews(),
            tenancy: key.tenancy(),
        };
        let made = self.make(backend, spec, key).await;
        self.put_or_destroy(key, made, before.elapsed()).await;
    }

    /// Renews a sandbox that has come back and puts it into its pool; destroys it when either
    /// cannot be done.
    pub(crate) async fn renew_one(
        self: Arc<Self>,
        key: Key,
        mut sandbox: Box<dyn Sandbox>,
        limits: Limits,
        served: u32,
    ) {
        if let Err(error) = sandbox.renew(&limits).await {
            // What cannot be removed is found by the next sweep.
            let _ = sandbox.destroy().await;
            self.with_pool(&key, |pool| {
                pool.not_renewed(why(&error));
                pool.end_making();
            });
            return;
        }
        let renewed = Ok(Idle::new(sandbox, served));
        self.put_or_destroy(&key, renewed, Duration::ZERO).await;
        let mut state = self.lock();
        if !state.closed {
            self.begin_shrinking(&mut state);
        }
    }

    async fn put_or_destroy(&self, key: &Key, made: Result<Idle, String>, taken: Duration) {
        if let Some(idle) = self.put(key, made, taken) {
            destroy([idle]).await;
            self.with_pool(key, Pool::end_making);
        }
    }

    async fn make(
        &self,
        backend: &dyn Backend,
        spec: SandboxSpec,
        key: &Key,
    ) -> Result<Idle, String> {
        let created = backend.create_warm(spec).await;
        let mut sandbox = created.map_err(|error| why(&error))?;
        if !self.is_drained(key) {
            let rehearsed = sandbox.rehearse().await;
            rehearsed.map_err(|error| format!("failed to rehearse in a new sandbox: {error}"))?;
        }
        Ok(Idle::new(sandbox, 0))
    }

    fn is_drained(&self, key: &Key) -> bool {
        let now = self.now();
        let state = self.lock();
        state
            .pools
            .get(key)
            .is_some_and(|pool| pool.is_drained(now))
    }

    /// Puts a sandbox into its pool, or gives it back when there is no place for it; it counts as
    /// being made then until it is gone.
    fn put(&self, key: &Key, made: Result<Idle, String>, taken: Duration) -> Option<Idle> {
        let now = self.now();
        let mut state = self.lock();
        let used = state.idle_bytes();
        let closed = state.closed;
        let most = self.options.idle_max;
        // A pool is not forgotten while it makes something.
        let pool = state.pools.get_mut(key)?;
        let back = match made {
            Ok(idle) if closed => pool.add(idle, taken, now, 0),
            Ok(idle) if used.saturating_add(idle.bytes) > self.options.memory_bytes_max => {
                let most = self.options.memory_bytes_max;
                pool.failed(
                    format!(
                        "sandboxes that wait take {used} bytes, and another one would exceed the \
                         {most} they may take"
                    ),
                    now,
                );
                Some(idle)
            }
            Ok(idle) => pool.add(idle, taken, now, most),
            Err(why) => {
                pool.failed(why, now);
                None
            }
        };
        if back.is_none() {
            pool.end_making();
        }
        back
    }
}

/// An error with its source: whoever reads it in a report has nothing else.
fn why(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

async fn destroy(idle: impl IntoIterator<Item = Idle>) {
    for idle in idle {
        // What cannot be removed is found by the next sweep.
        let _ = idle.sandbox.destroy().await;
    }
}

/// Removes what nobody wants any more, until nothing waits.
async fn shrink(shared: Weak<Shared>) {
    loop {
        tokio::time::sleep(SHRINK_EVERY).await;
        let Some(shared) = shared.upgrade() else {
            return;
        };
        let now = shared.now();
        let most = shared.options.idle_max;
        let surplus: Vec<Idle> = {
            let mut state = shared.lock();
            let pools = state.pools.values_mut();
            let surplus = pools.flat_map(|pool| pool.surplus(now, most)).collect();
            let is_unused = state.pools.values().all(|pool| pool.is_unused(now));
            if is_unused || state.closed {
                state.shrinking = false;
            }
            surplus
        };
        destroy(surplus).await;
        if !shared.lock().shrinking {
            return;
        }
    }
}
