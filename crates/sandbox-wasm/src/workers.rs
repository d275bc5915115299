//! Which worker serves which message.
//!
//! Owns the workers of this process. A worker serves messages of one **domain**: everybody of one
//! class of trust, one tenant, or one message. A domain has at most one worker for each processor;
//! messages go to the one with the fewest inside, and of those to one that makes no instances for
//! later messages at the moment. Workers are replaced when they end, when they
//! have served or loaded enough, and end when nobody has used them for a while.

use std::collections::{BTreeSet, HashMap};
use std::io;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use atoll_jail::JailBeginning;
use atoll_sandbox::{CreateError, Domain};
use atoll_types::{Layer, Limits};

use crate::compile::next_name;
use crate::worker::{Making, Worker, begin_jail};

/// Guests of one worker at one time.
const GUESTS_MAX: u32 = 500;

/// Memory of all guests of one worker together, where the host has much, in bytes.
const MEMORY_BYTES_MAX: u64 = 4 << 30;

/// Memory that even a small host gives to the guests of one worker, in bytes.
const MEMORY_BYTES_MIN: u64 = 512 << 20;

/// Programs that one worker loads; each stays mapped until the worker ends.
const PROGRAMS_MAX: usize = 1_000;

/// For how long an unused worker stays.
const IDLE_TIME: Duration = Duration::from_secs(60);

/// Workers of all domains together. One more than this ends the one that was unused for longest.
const WORKERS_MAX: usize = 64;

/// All workers of this process.
pub(crate) struct Workers {
    per_domain: usize,
    memory_bytes: u64,
    domains: Mutex<HashMap<Key, Slots>>,
}

/// Workers that lack different layers do not stand for each other.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    domain: Domain,
    accept_missing: BTreeSet<Layer>,
}

#[derive(Default)]
struct Slots {
    workers: Vec<Arc<Worker>>,
    /// Held while a worker is made, so that many messages at once do not make many.
    making: Arc<tokio::sync::Mutex<()>>,
}

impl Workers {
    pub(crate) fn new() -> Arc<Self> {
        let processors = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        Arc::new(Self {
            per_domain: processors,
            memory_bytes: guests_memory_bytes(processors as u64),
            domains: Mutex::default(),
        })
    }

    /// A worker for a message, made if there is none; messages after the first of a domain find
    /// one.
    ///
    /// # Errors
    /// When a worker cannot be made.
    pub(crate) async fn get(
        self: &Arc<Self>,
        domain: &Domain,
        messages_max: u32,
        accept_missing: &BTreeSet<Layer>,
    ) -> Result<Arc<Worker>, CreateError> {
        let key = Key {
            domain: domain.clone(),
            accept_missing: accept_missing.clone(),
        };
        loop {
            if let Some(worker) = self.find(domain, messages_max, accept_missing) {
                return Ok(worker);
            }
            let making = {
                let mut domains = self.domains();
                Arc::clone(&domains.entry(key.clone()).or_default().making)
            };
            let held = making.lock().await;
            let made = self
                .domains()
                .get(&key)
                .is_some_and(|slots| slots.workers.iter().any(|worker| worker.link.is_open()));
            if !made {
                self.make(&key).await?;
            }
            drop(held);
        }
    }

    /// A worker that is already there and takes messages of a domain.
    fn find(
        self: &Arc<Self>,
        domain: &Domain,
        messages_max: u32,
        accept_missing: &BTreeSet<Layer>,
    ) -> Option<Arc<Worker>> {
        let key = Key {
            domain: domain.clone(),
            accept_missing: accept_missing.clone(),
        };
        let mut domains = self.domains();
        let slots = domains.get_mut(&key)?;
        slots.retire(messages_max);
        let worker = slots.least_busy()?;
        if (worker.link.messages() > 0 || worker.link.is_making())
            && slots.workers.len() < self.per_domain
            && slots.making.try_lock().is_ok()
        {
            self.make_another(&key);
        }
        Some(worker)
    }

    /// A worker of its own for one message, with room for so many stores.
    ///
    /// # Errors
    /// When it cannot be made.
    pub(crate) async fn own(
        guest: &Limits,
        stores: u32,
        accept_missing: &BTreeSet<Layer>,
        beginning: Option<JailBeginning>,
    ) -> Result<Arc<Worker>, CreateError> {
        let beginning = match beginning {
            Some(beginning) => beginning,
            None => begin_jail(&next_name())?,
        };
        Worker::start(beginning, &Making::own(guest, stores, accept_missing)).await
    }

    /// Makes one more worker while messages go to those that are there.
    fn make_another(self: &Arc<Self>, key: &Key) {
        let (workers, key) = (Arc::clone(self), key.clone());
        tokio::spawn(async move {
            let making = workers
                .domains()
                .get(&key)
                .map(|slots| Arc::clone(&slots.making));
            let Some(making) = making else { return };
            let Ok(held) = making.try_lock() else { return };
            // Should it fail, those that are there go on serving.
            let _ = workers.make(&key).await;
            drop(held);
        });
    }

    async fn make(self: &Arc<Self>, key: &Key) -> Result<(), CreateError> {
        let making = Making::shared(self.memory_bytes, GUESTS_MAX, &key.accept_missing);
        let worker = Worker::start(begin_jail(&next_name())?, &making).await?;
        let mut domains = self.domains();
        let slots = domains.entry(key.clone()).or_default();
        slots.workers.push(Arc::clone(&worker));
        shed(&mut domains, key);
        drop(domains);
        // Ends it when nobody uses it; holds neither of the two.
        let link = Arc::downgrade(&worker.link);
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(IDLE_TIME / 4).await;
                let Some(link) = link.upgrade() else { return };
                if !link.is_open() {
                    return;
                }
                if link.idle().is_some_and(|idle| idle >= IDLE_TIME) {
                    link.close();
                    return;
                }
            }
        });
        Ok(())
    }

    /// Workers that are there, and messages inside them.
    #[cfg(test)]
    pub(crate) fn count(&self) -> (usize, usize) {
        let domains = self.domains();
        let workers = domains.values().flat_map(|slots| &slots.workers);
        let open = workers.filter(|worker| worker.link.is_open());
        open.fold((0, 0), |(workers, messages), worker| {
            (workers + 1, messages + worker.link.messages())
        })
    }

    /// Ends every worker, and returns when they are gone. Messages inside come to their ends.
    pub(crate) async fn close(&self) {
        loop {
            let all: Vec<Slots> = self.domains().drain().map(|(_, slots)| slots).collect();
            if all.is_empty() {
                return;
            }
            for worker in all.iter().flat_map(|slots| &slots.workers) {
                worker.link.close();
            }
            for slots in all {
                // One that is being made is found in the next round.
                drop(slots.making.lock().await);
                for worker in slots.workers {
                    worker.link.gone().await;
                }
            }
        }
    }

    fn domains(&self) -> MutexGuard<'_, HashMap<Key, Slots>> {
        self.domains.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        let domains = self.domains.get_mut();
        let domains = domains.unwrap_or_else(PoisonError::into_inner);
        for worker in domains.values().flat_map(|slots| &slots.workers) {
            worker.link.close();
        }
    }
}

impl Slots {
    /// Lets go of workers that have ended, and of those that have done enough.
    fn retire(&mut self, messages_max: u32) {
        self.workers.retain(|worker| {
            let done = worker.link.served() >= u64::from(messages_max)
                || worker.link.programs() >= PROGRAMS_MAX;
            if done {
                worker.link.close();
            }
            worker.link.is_open()
        });
    }

    fn least_busy(&self) -> Option<Arc<Worker>> {
        let workers = self.workers.iter();
        workers
            .min_by_key(|worker| (worker.link.messages(), worker.link.is_making()))
            .map(Arc::clone)
    }
}

/// Ends the worker that was unused for longest, of another domain, when there are too many.
fn shed(domains: &mut HashMap<Key, Slots>, newest: &Key) {
    let count: usize = domains.values().map(|slots| slots.workers.len()).sum();
    if count <= WORKERS_MAX {
        return;
    }
    let others = domains.iter().filter(|(key, _)| *key != newest);
    let idle = others
        .flat_map(|(_, slots)| &slots.workers)
        .filter_map(|worker| Some((worker.link.idle()?, worker)))
        .max_by_key(|(idle, _)| *idle);
    if let Some((_, worker)) = idle {
        worker.link.close();
    }
}

/// Memory of the guests of one worker: together the workers of one domain may have half the host's.
fn guests_memory_bytes(workers: u64) -> u64 {
    let host = rustix::system::sysinfo();
    let host_bytes = host.totalram.saturating_mul(u64::from(host.mem_unit));
    let share = host_bytes / 2 / workers.max(1);
    share.clamp(MEMORY_BYTES_MIN, MEMORY_BYTES_MAX)
}

/// A worker that takes no more messages.
pub(crate) fn is_gone(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotConnected
}

#[cfg(test)]
mod tests {
    use atoll_sandbox::conformance::accepted_by_environment;
    use atoll_types::TenantId;

    use super::*;

    #[tokio::test]
    async fn a_domain_has_a_worker_until_all_are_closed() {
        let workers = Workers::new();
        let accept = accepted_by_environment();
        let tenant = |name: &str| Domain::Tenant(TenantId::new(name).unwrap());
        let (a, b) = (tenant("a"), tenant("b"));
        assert!(workers.find(&a, 10, &accept).is_none());
        let asked = [&a, &b, &a].map(|domain| workers.get(domain, 10, &accept));
        let [one, two, three] = asked;
        let (one, two, three) = tokio::join!(one, two, three);
        let [one, two, three] = [one, two, three].map(Result::unwrap);
        assert!(Arc::ptr_eq(&one, &three) && !Arc::ptr_eq(&one, &two));
        assert!(Arc::ptr_eq(&one, &workers.find(&a, 10, &accept).unwrap()));
        assert_eq!(workers.count(), (2, 0));
        workers.close().await;
        assert_eq!(workers.count(), (0, 0));
        assert!(!one.link.is_open() && !two.link.is_open());
    }

    #[tokio::test]
    async fn a_worker_that_is_made_while_all_are_closed_does_not_stay() {
        let workers = Workers::new();
        let accept = accepted_by_environment();
        let domain = Domain::Tenant(TenantId::local());
        let key = Key {
            domain: domain.clone(),
            accept_missing: accept.clone(),
        };
        workers.get(&domain, 10, &accept).await.unwrap();
        workers.make_another(&key);
        // Lets it begin.
        tokio::task::yield_now().await;
        workers.close().await;
        for _ in 0..50 {
            assert_eq!(workers.count(), (0, 0));
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}
