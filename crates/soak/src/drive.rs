//! Sends the jobs, so many at once, until all are done or an interrupt comes.

use std::future::pending;
use std::io::{self, Write};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use atoll_engine::{Engine, Flow, Observer, PoolReport, RunOptions, Stream};
use atoll_types::Usage;

use crate::jobs::{Kind, order};
use crate::progress::Progress;
use crate::world::resident_bytes;

/// How often progress is shown.
const SHOW_EVERY: Duration = Duration::from_secs(10);

/// After so many jobs all that is made once has been made: growth counts from there.
const SETTLED_AFTER: u64 = 100;

/// How much this process may grow afterwards. Below it a leak of 350 bytes a job would stay
/// unnoticed in a hundred thousand jobs.
const GROWTH_BYTES_MAX: u64 = 32 << 20;

/// One part of a soak: from its start to its end or an interrupt.
pub(crate) struct Drive {
    engine: Arc<Engine>,
    shared: Arc<Shared>,
}

struct Shared {
    kinds: Vec<Kind>,
    order: Vec<usize>,
    next: AtomicU64,
    jobs: u64,
    stopped: Arc<AtomicBool>,
    progress: Mutex<Progress>,
}

/// How a part ended.
pub(crate) struct Ended {
    pub(crate) progress: Progress,
    /// Set when this process has grown too much.
    pub(crate) growth: Option<String>,
}

/// Set once an interrupt has come.
pub(crate) fn interrupt() -> Result<Arc<AtomicBool>, String> {
    let came = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&came);
    let kind = tokio::signal::unix::SignalKind::interrupt();
    let mut signals = tokio::signal::unix::signal(kind)
        .map_err(|error| format!("failed to listen for an interrupt: {error}"))?;
    tokio::spawn(async move {
        signals.recv().await;
        seen.store(true, Ordering::Relaxed);
    });
    Ok(came)
}

impl Drive {
    pub(crate) fn new(
        engine: Arc<Engine>,
        progress: Progress,
        kinds: Vec<Kind>,
        jobs: u64,
        stopped: Arc<AtomicBool>,
    ) -> Result<Self, String> {
        let shared = Shared {
            order: order(&kinds),
            kinds,
            next: AtomicU64::new(progress.done),
            jobs,
            stopped,
            progress: Mutex::new(progress),
        };
        Ok(Self {
            engine,
            shared: Arc::new(shared),
        })
    }

    /// Runs jobs until all are done, or until the interrupt.
    pub(crate) async fn run(self, concurrency: u32) -> Result<Ended, String> {
        let began = Instant::now();
        let done_before = self.shared.done();
        let mut settled_bytes = None;
        let mut shown = Instant::now();
        let workers: Vec<_> = (0..concurrency)
            .map(|_| {
                let (engine, shared) = (Arc::clone(&self.engine), Arc::clone(&self.shared));
                tokio::spawn(async move { shared.work(&engine).await })
            })
            .collect();
        while workers.iter().any(|worker| !worker.is_finished()) {
            tokio::time::sleep(Duration::from_millis(50)).await;
            let done = self.shared.done() - done_before;
            if settled_bytes.is_none() && done >= SETTLED_AFTER.max(self.shared.jobs / 20) {
                settled_bytes = Some(resident_bytes());
            }
            if shown.elapsed() > SHOW_EVERY {
                shown = Instant::now();
                self.show(done, began.elapsed())?;
            }
        }
        for worker in workers {
            worker.await.map_err(|error| error.to_string())??;
        }
        let done = self.shared.done() - done_before;
        self.show(done, began.elapsed())?;
        Ok(Ended {
            growth: settled_bytes.and_then(growth),
            progress: self.shared.progress().clone(),
        })
    }

    fn show(&self, done: u64, taken: Duration) -> Result<(), String> {
        let pools = self.engine.pools();
        let sum = |count: fn(&PoolReport) -> u64| pools.iter().map(count).sum::<u64>();
        let (hits, misses) = (sum(|pool| pool.hits), sum(|pool| pool.misses));
        let (reuses, not_renewed) = (sum(|pool| pool.reuses), sum(|pool| pool.renewal_failures));
        let faults = self.shared.progress().faults.len();
        writeln!(
            io::stdout().lock(),
            "{} of {} jobs, {:.0} a second, {} MiB resident, {hits} from pools ({reuses} used \
             before, {not_renewed} not renewed), {misses} not, {faults} faults",
            self.shared.done(),
            self.shared.jobs,
            done as f64 / taken.as_secs_f64().max(0.001),
            resident_bytes() >> 20,
        )
        .map_err(|error| format!("failed to write to standard output: {error}"))
    }
}

fn growth(settled_bytes: u64) -> Option<String> {
    let now = resident_bytes();
    (now > settled_bytes.saturating_add(GROWTH_BYTES_MAX)).then(|| {
        format!(
            "this process grew from {} to {} KiB after it had settled",
            settled_bytes >> 10,
            now >> 10
        )
    })
}

impl Shared {
    fn progress(&self) -> std::sync::MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn done(&self) -> u64 {
        self.progress().done
    }

    async fn work(&self, engine: &Engine) -> Result<(), String> {
        while !self.stopped.load(Ordering::Relaxed) {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            if number >= self.jobs {
                break;
            }
            let place = usize::try_from(number % self.order.len() as u64).unwrap_or(0);
            let kind = self
                .order
                .get(place)
                .and_then(|index| self.kinds.get(*index));
            let Some(kind) = kind else { break };
            let fault = job(engine, kind).await?;
            self.progress().count(kind.name, fault);
        }
        Ok(())
    }
}

/// Sends one job, and tells what is wrong with its end.
async fn job(engine: &Engine, kind: &Kind) -> Result<Option<String>, String> {
    let options = RunOptions {
        request: kind.request(),
        keep_output: true,
        ..RunOptions::default()
    };
    let message = kind.message()?;
    let mut stop = pin!(async {
        match kind.cancel {
            Some(after) => tokio::time::sleep(after).await,
            None => pending().await,
        }
    });
    let report = engine
        .run(message, options, &mut Silent, stop.as_mut())
        .await;
    match report {
        Ok(report) => Ok(kind.fault(&report)),
        Err(error) => Ok(Some(error.to_string())),
    }
}

/// Output is kept and looked at in the end.
struct Silent;

#[async_trait]
impl Observer for Silent {
    async fn output(&mut self, _: Stream, _: &[u8]) -> Flow {
        Flow::Continue
    }

    fn progress(&mut self, _: &Usage) {}
}
