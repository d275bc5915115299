//! Bounds the memory that a guest's instances hold together, and all guests of the worker.
//!
//! Owns the count; the runtime asks before every growth. A guest that wants more than it may have
//! can wait for a higher bound. What the runtime itself needs is bounded by the jail.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use atoll_sandbox_wasm::protocol::{GuestLimits, Notice};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};
use wasmtime::{ResourceLimiterAsync, Result};

use crate::outbox::Outbox;

/// What a table element is counted as: the runtime's own pointer, rounded up.
const TABLE_ELEMENT_BYTES: u64 = 16;

/// Bytes of several guests together: of a whole worker, or of one message's stores.
#[derive(Debug)]
pub(crate) struct Budget {
    bound: Arc<Bound>,
    bytes: AtomicU64,
    peak_bytes: AtomicU64,
    /// What these bytes count in as well.
    outer: Option<Arc<Self>>,
}

impl Budget {
    /// Room for so many bytes.
    pub(crate) fn new(bytes_max: u64) -> Arc<Self> {
        Arc::new(Self {
            bound: Bound::new(bytes_max),
            bytes: AtomicU64::new(0),
            peak_bytes: AtomicU64::new(0),
            outer: None,
        })
    }

    /// Room for what `bound` says, which has to fit into `outer`, too.
    pub(crate) fn within(outer: &Arc<Self>, bound: &Arc<Bound>) -> Arc<Self> {
        Arc::new(Self {
            bound: Arc::clone(bound),
            bytes: AtomicU64::new(0),
            peak_bytes: AtomicU64::new(0),
            outer: Some(Arc::clone(outer)),
        })
    }

    /// The most bytes at one time.
    pub(crate) fn peak_bytes(&self) -> u64 {
        self.peak_bytes.load(Ordering::Relaxed)
    }

    fn take(&self, bytes: u64) -> bool {
        let taken = self.bytes.load(Ordering::Relaxed).saturating_add(bytes);
        let fits =
            taken <= self.bound.get() && self.outer.as_ref().is_none_or(|outer| outer.take(bytes));
        if fits {
            self.bytes.store(taken, Ordering::Relaxed);
            self.peak_bytes.fetch_max(taken, Ordering::Relaxed);
        }
        fits
    }

    fn give_back(&self, bytes: u64) {
        let taken = self.bytes.load(Ordering::Relaxed);
        self.bytes
            .store(taken.saturating_sub(bytes), Ordering::Relaxed);
        if let Some(outer) = &self.outer {
            outer.give_back(bytes);
        }
    }
}

/// How much memory one guest may have, which can change while it runs.
#[derive(Debug)]
pub(crate) struct Bound {
    bytes: AtomicU64,
    raised: Notify,
}

impl Bound {
    /// The bound it starts with.
    pub(crate) fn new(bytes: u64) -> Arc<Self> {
        Arc::new(Self {
            bytes: AtomicU64::new(bytes),
            raised: Notify::new(),
        })
    }

    /// Changes it. A guest that waits looks again.
    pub(crate) fn set(&self, bytes: u64) {
        self.bytes.store(bytes, Ordering::Relaxed);
        self.raised.notify_waiters();
    }

    fn get(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }
}

/// Whom a limiter tells that its guest waits.
#[derive(Debug, Clone)]
pub(crate) struct Teller {
    /// The guest's message.
    pub(crate) message: u64,
    /// Where notices go.
    pub(crate) outbox: Outbox,
}

/// Counts memories and tables against [`GuestLimits`].
#[derive(Debug)]
pub(crate) struct Limiter {
    limits: GuestLimits,
    bound: Arc<Bound>,
    budget: Arc<Budget>,
    teller: Option<Teller>,
    /// Bytes that were there before the guest had anything to do with it, and are shared with
    /// others until it writes them.
    free_bytes: u64,
    bytes: u64,
    file_bytes: u64,
    peak_bytes: u64,
    elements: u64,
    /// What the last answer of "yes" added, to be taken back when the growth fails all the same.
    granted: Granted,
    refused: Option<Refused>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Granted {
    bytes: u64,
    elements: u64,
}

/// A growth that did not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refused {
    asked_bytes: u64,
    held_bytes: u64,
    bytes_max: u64,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the program held {} bytes of memory and asked for {} more; its limit is {} bytes",
            self.held_bytes, self.asked_bytes, self.bytes_max
        )
    }
}

impl Limiter {
    /// A count of zero against these limits. Without a teller nobody can raise the bound, and a
    /// growth that does not fit is refused at once.
    pub(crate) fn new(
        limits: GuestLimits,
        bound: Arc<Bound>,
        budget: Arc<Budget>,
        teller: Option<Teller>,
    ) -> Self {
        Self {
            limits,
            bound,
            budget,
            teller,
            free_bytes: 0,
            bytes: 0,
            file_bytes: 0,
            peak_bytes: 0,
            elements: 0,
            granted: Granted::default(),
            refused: None,
        }
    }

    /// Gives an instance that has waited to a message: what it holds already is not the message's.
    pub(crate) fn hand_over(
        &mut self,
        limits: GuestLimits,
        bound: Arc<Bound>,
        teller: Option<Teller>,
    ) {
        self.limits = limits;
        self.bound = bound;
        self.teller = teller;
        self.free_bytes = self.bytes;
        self.peak_bytes = self.bytes;
        self.refused = None;
    }

    /// The latest growth that did not fit, if any.
    pub(crate) const fn refused(&self) -> Option<Refused> {
        self.refused
    }

    /// The most bytes at one time.
    pub(crate) const fn peak_bytes(&self) -> u64 {
        self.peak_bytes.saturating_sub(self.free_bytes)
    }

    /// Counts the bytes of the guest's files as its memory, which they are, and those of what is
    /// taken down of its calls.
    pub(crate) fn hold_files(&mut self, bytes: u64) -> bool {
        let before = std::mem::replace(&mut self.file_bytes, bytes);
        if bytes <= before {
            self.bytes = self.bytes.saturating_sub(before - bytes);
            self.budget.give_back(before - bytes);
            return true;
        }
        let held = self.try_grow(bytes - before, 0);
        self.granted = Granted::default();
        if !held {
            self.file_bytes = before;
        }
        held
    }

    fn fits(&self, bytes: u64, elements: u64) -> bool {
        let bytes_after = self.bytes.saturating_add(bytes);
        let elements_after = self.elements.saturating_add(elements);
        bytes_after.saturating_sub(self.free_bytes) <= self.bound.get()
            && elements_after <= self.limits.table_elements
    }

    fn try_grow(&mut self, bytes: u64, elements: u64) -> bool {
        if !self.fits(bytes, elements) || !self.budget.take(bytes) {
            self.granted = Granted::default();
            self.refused = Some(Refused {
                asked_bytes: bytes,
                held_bytes: self.bytes.saturating_sub(self.free_bytes),
                bytes_max: self.bound.get(),
            });
            return false;
        }
        self.bytes = self.bytes.saturating_add(bytes);
        self.peak_bytes = self.peak_bytes.max(self.bytes);
        self.elements = self.elements.saturating_add(elements);
        self.granted = Granted { bytes, elements };
        true
    }

    async fn grow(&mut self, bytes: u64, elements: u64) -> bool {
        if !self.fits(bytes, elements) {
            self.wait(bytes, elements).await;
        }
        self.try_grow(bytes, elements)
    }

    /// Waits until the growth fits, as long as the guest may wait.
    async fn wait(&self, bytes: u64, elements: u64) {
        let patience = Duration::from_micros(self.limits.memory_patience_us);
        let Some(teller) = self.teller.as_ref().filter(|_| !patience.is_zero()) else {
            return;
        };
        let until = Instant::now() + patience;
        let wanted = self.bytes.saturating_add(bytes);
        loop {
            // Before the bound is read, so that no change is missed.
            let raised = self.bound.raised.notified();
            if self.fits(bytes, elements) {
                return;
            }
            teller.outbox.push(&Notice::WantsMemory {
                message: teller.message,
                bytes: wanted.saturating_sub(self.free_bytes),
            });
            if timeout_at(until, raised).await.is_err() {
                return;
            }
        }
    }

    fn undo(&mut self) {
        let granted = std::mem::take(&mut self.granted);
        self.bytes = self.bytes.saturating_sub(granted.bytes);
        self.elements = self.elements.saturating_sub(granted.elements);
        self.budget.give_back(granted.bytes);
    }
}

impl Drop for Limiter {
    fn drop(&mut self) {
        self.budget.give_back(self.bytes);
    }
}

/// A growth past the guest's own declared maximum fails in the runtime and is not our refusal.
fn is_past_own_maximum(desired: usize, maximum: Option<usize>) -> bool {
    maximum.is_some_and(|maximum| desired > maximum)
}

#[async_trait::async_trait]
impl ResourceLimiterAsync for Limiter {
    async fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> Result<bool> {
        if is_past_own_maximum(desired, maximum) {
            self.granted = Granted::default();
            return Ok(false);
        }
        Ok(self.grow(desired.saturating_sub(current) as u64, 0).await)
    }

    fn memory_grow_failed(&mut self, _: wasmtime::Error) -> Result<()> {
        self.undo();
        Ok(())
    }

    async fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> Result<bool> {
        if is_past_own_maximum(desired, maximum) {
            self.granted = Granted::default();
            return Ok(false);
        }
        let elements = desired.saturating_sub(current) as u64;
        let bytes = elements.saturating_mul(TABLE_ELEMENT_BYTES);
        Ok(self.grow(bytes, elements).await)
    }

    fn table_grow_failed(&mut self, _: wasmtime::Error) -> Result<()> {
        self.undo();
        Ok(())
    }

    fn instances(&self) -> usize {
        self.limits.instances as usize
    }

    fn tables(&self) -> usize {
        self.limits.tables as usize
    }

    fn memories(&self) -> usize {
        self.limits.memories as usize
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixStream;

    use super::*;

    fn limits(memory_bytes: u64) -> GuestLimits {
        GuestLimits {
            memory_bytes,
            ..GuestLimits::of(&atoll_sandbox::conformance::limits())
        }
    }

    fn limiter(memory_bytes: u64) -> Limiter {
        let bound = Bound::new(memory_bytes);
        Limiter::new(limits(memory_bytes), bound, Budget::new(u64::MAX), None)
    }

    fn block_on<T>(future: impl Future<Output = T>) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build();
        runtime.unwrap().block_on(future)
    }

    #[test]
    fn memories_and_tables_share_one_bound() {
        block_on(async {
            let mut limiter = limiter(1000);
            assert!(limiter.memory_growing(0, 600, None).await.unwrap());
            assert!(limiter.table_growing(0, 25, None).await.unwrap());
            assert_eq!(limiter.refused(), None);
            assert!(!limiter.memory_growing(600, 601, None).await.unwrap());
            let text = limiter.refused().unwrap().to_string();
            assert_eq!(
                text,
                "the program held 1000 bytes of memory and asked for 1 more; its limit is 1000 \
                 bytes"
            );
        });
    }

    #[test]
    fn a_failed_growth_is_not_counted() {
        block_on(async {
            let mut limiter = limiter(1000);
            assert!(limiter.memory_growing(0, 900, None).await.unwrap());
            let error = || wasmtime::Error::msg("the kernel said no");
            limiter.memory_grow_failed(error()).unwrap();
            assert!(limiter.memory_growing(0, 900, None).await.unwrap());
            // A refusal in between leaves nothing to take back.
            assert!(!limiter.memory_growing(900, 2000, None).await.unwrap());
            limiter.memory_grow_failed(error()).unwrap();
            assert!(!limiter.memory_growing(900, 1001, None).await.unwrap());
        });
    }

    #[test]
    fn the_guests_own_maximum_is_not_our_refusal() {
        block_on(async {
            let mut limiter = limiter(1000);
            assert!(!limiter.memory_growing(0, 500, Some(400)).await.unwrap());
            assert!(!limiter.table_growing(0, 5, Some(4)).await.unwrap());
            assert_eq!(limiter.refused(), None);
        });
    }

    #[test]
    fn sizes_at_the_edge_of_the_machine_do_not_wrap() {
        block_on(async {
            let mut limiter = limiter(u64::MAX);
            assert!(limiter.memory_growing(0, usize::MAX, None).await.unwrap());
            assert!(!limiter.table_growing(0, usize::MAX, None).await.unwrap());
        });
    }

    #[test]
    fn guests_share_the_workers_budget_and_give_it_back() {
        block_on(async {
            let budget = Budget::new(1000);
            let guest = || Limiter::new(limits(800), Bound::new(800), Arc::clone(&budget), None);
            let (mut first, mut second) = (guest(), guest());
            assert!(first.memory_growing(0, 700, None).await.unwrap());
            assert!(!second.memory_growing(0, 400, None).await.unwrap());
            drop(first);
            assert!(second.memory_growing(0, 400, None).await.unwrap());
        });
    }

    #[test]
    fn files_count_as_memory_until_they_are_gone() {
        let mut limiter = limiter(1000);
        assert!(limiter.hold_files(900));
        assert!(!limiter.hold_files(1100));
        assert!(limiter.hold_files(100));
        assert!(limiter.hold_files(1000));
        assert_eq!(limiter.peak_bytes(), 1000);
    }

    #[test]
    fn a_guest_waits_for_a_higher_bound_and_no_longer_than_it_may() {
        let (socket, other) = UnixStream::pair().unwrap();
        block_on(async {
            let outbox = Outbox::new(socket.into());
            let bound = Bound::new(100);
            let patient = GuestLimits {
                memory_patience_us: 5_000_000,
                ..limits(100)
            };
            let teller = || {
                Some(Teller {
                    message: 7,
                    outbox: outbox.clone(),
                })
            };
            let budget = Budget::new(u64::MAX);
            let mut limiter =
                Limiter::new(patient, Arc::clone(&bound), Arc::clone(&budget), teller());
            let raise = async {
                outbox.filled().await;
                bound.set(150);
                outbox.filled().await;
                bound.set(300);
            };
            let (grown, ()) = tokio::join!(limiter.memory_growing(0, 200, None), raise);
            assert!(grown.unwrap());
            let hasty = GuestLimits {
                memory_patience_us: 1000,
                ..limits(100)
            };
            let mut limiter = Limiter::new(hasty, Bound::new(100), budget, teller());
            assert!(!limiter.memory_growing(0, 200, None).await.unwrap());
            assert!(limiter.refused().is_some());
        });
        drop(other);
    }
}
