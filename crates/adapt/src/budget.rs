//! The memory that a node has for programs, and what of it is set aside.
//!
//! Owns that never more is set aside than there is, and who is next. What runs goes first: part of
//! the memory is for reservations that grow, so that programs which wait for their start cannot
//! take what others need to come to their ends.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

/// One part in so many is for reservations that grow.
const GROWTH_SHARE: u64 = 8;

/// The memory of a node. Clones are the same one.
#[derive(Debug, Clone)]
pub struct Budget {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    capacity_bytes: u64,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    reserved_bytes: u64,
    reservations: u64,
    /// Who waits for a start, in the order of arrival.
    waiting: VecDeque<Waiting>,
}

#[derive(Debug)]
struct Waiting {
    bytes: u64,
    granted: oneshot::Sender<Reservation>,
}

/// How a budget is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BudgetReport {
    /// All there is, in bytes.
    pub capacity_bytes: u64,
    /// What is set aside, in bytes.
    pub reserved_bytes: u64,
    /// For how many programs.
    pub reservations: u64,
    /// How many wait.
    pub waiting: usize,
}

/// Memory that is set aside until this is dropped.
#[derive(Debug)]
pub struct Reservation {
    inner: Arc<Inner>,
    bytes: u64,
}

/// A program can never start here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooLarge {
    /// What it is expected to need at least, in bytes.
    pub wanted_bytes: u64,
    /// What this node can set aside for a start, in bytes.
    pub most_bytes: u64,
}

/// Lets others have their turn when somebody does not wait any more.
struct Leaving<'a>(&'a Arc<Inner>);

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        self.0.let_next_start();
    }
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn let_next_start(self: &Arc<Self>) {
        let next = self.lock().next(self);
        for (granted, reservation) in next {
            // Whoever has gone drops what comes back, which gives it to the next.
            drop(granted.send(reservation));
        }
    }

    /// What starts may use together with everything else.
    const fn for_starts_bytes(&self) -> u64 {
        self.capacity_bytes - self.capacity_bytes / GROWTH_SHARE
    }
}

impl Budget {
    /// So much memory for all programs together.
    #[must_use]
    pub fn new(capacity_bytes: u64) -> Self {
        Self {
            inner: Arc::new(Inner {
                capacity_bytes,
                state: Mutex::default(),
            }),
        }
    }

    /// Sets memory aside for a program that is going to start, as soon as there is enough and
    /// nobody has waited for longer. Cancelling gives up the place in the queue.
    ///
    /// # Errors
    /// [`TooLarge`] when there can never be enough.
    pub async fn reserve(&self, bytes: u64) -> Result<Reservation, TooLarge> {
        let grant = {
            let mut state = self.inner.lock();
            let most_bytes = self.inner.for_starts_bytes();
            if bytes > most_bytes {
                return Err(TooLarge {
                    wanted_bytes: bytes,
                    most_bytes,
                });
            }
            if state.waiting.is_empty() && state.reserved_bytes.saturating_add(bytes) <= most_bytes
            {
                return Ok(state.grant(&self.inner, bytes));
            }
            let (granted, grant) = oneshot::channel();
            state.waiting.push_back(Waiting { bytes, granted });
            grant
        };
        // Whoever leaves the queue may have kept others from their turn. What is declared last goes
        // first, so the place is given up by then.
        let _leaving = Leaving(&self.inner);
        let granted = grant;
        // Whoever waits is answered before the budget ends, because each holds a part of it.
        granted.await.map_err(|_| TooLarge {
            wanted_bytes: bytes,
            most_bytes: 0,
        })
    }

    /// The most that can be set aside for a start, in bytes.
    #[must_use]
    pub fn most_bytes(&self) -> u64 {
        self.inner.for_starts_bytes()
    }

    /// How it is used now.
    #[must_use]
    pub fn report(&self) -> BudgetReport {
        let state = self.inner.lock();
        BudgetReport {
            capacity_bytes: self.inner.capacity_bytes,
            reserved_bytes: state.reserved_bytes,
            reservations: state.reservations,
            waiting: state.waiting.len(),
        }
    }
}

impl State {
    fn grant(&mut self, inner: &Arc<Inner>, bytes: u64) -> Reservation {
        self.reserved_bytes = self.reserved_bytes.saturating_add(bytes);
        self.reservations = self.reservations.saturating_add(1);
        Reservation {
            inner: Arc::clone(inner),
            bytes,
        }
    }

    /// Those who may start now. They have to be told without the lock: who has gone gives back.
    fn next(&mut self, inner: &Arc<Inner>) -> Vec<(oneshot::Sender<Reservation>, Reservation)> {
        let mut next = Vec::new();
        while let Some(first) = self.waiting.front() {
            let fits = self.reserved_bytes.saturating_add(first.bytes) <= inner.for_starts_bytes();
            if !fits && !first.granted.is_closed() {
                break;
            }
            let Some(first) = self.waiting.pop_front() else {
                break;
            };
            if !first.granted.is_closed() {
                let reservation = self.grant(inner, first.bytes);
                next.push((first.granted, reservation));
            }
        }
        next
    }
}

impl Reservation {
    /// What is set aside, in bytes.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Sets more aside, if there is as much; goes before all who wait for a start.
    pub fn grow(&mut self, bytes: u64) -> bool {
        let mut state = self.inner.lock();
        let more = bytes.saturating_sub(self.bytes);
        let reserved_bytes = state.reserved_bytes.saturating_add(more);
        if reserved_bytes > self.inner.capacity_bytes {
            return false;
        }
        state.reserved_bytes = reserved_bytes;
        self.bytes = self.bytes.saturating_add(more);
        true
    }

    /// Gives back what is more than so much.
    pub fn shrink(&mut self, bytes: u64) {
        let less = self.bytes.saturating_sub(bytes);
        self.bytes = self.bytes.saturating_sub(less);
        self.give_back(less, 0);
    }

    fn give_back(&self, bytes: u64, reservations: u64) {
        {
            let mut state = self.inner.lock();
            state.reserved_bytes = state.reserved_bytes.saturating_sub(bytes);
            state.reservations = state.reservations.saturating_sub(reservations);
        }
        self.inner.let_next_start();
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.give_back(self.bytes, 1);
    }
}

#[cfg(test)]
mod tests;
