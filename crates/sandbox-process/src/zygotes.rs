//! The interpreters that fork copies of themselves: one for each environment of each tenant.
//!
//! Owns when one is started, how long it serves and when it ends. How copies are made and confined
//! is the business of `atoll-jail`; what a copy does then is in `zygote.py` and `waiting`.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use atoll_jail::Zygote;
use atoll_sandbox::{CreateError, Environment};
use tokio::sync::Mutex as AsyncMutex;

/// What copies of one interpreter share, such as its address layout and its hash seed, is good for
/// this long.
const AGE_MAX: Duration = Duration::from_secs(600);

/// And for as many copies.
const COPIES_MAX: u64 = 20_000;

/// Without a copy for this long, an interpreter ends.
const IDLE_MAX: Duration = Duration::from_secs(20);

/// How often they are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// One for each environment.
#[derive(Default)]
pub(crate) struct Zygotes {
    places: Arc<Mutex<Places>>,
}

#[derive(Default)]
struct Places {
    by_environment: HashMap<Environment, Arc<Place>>,
    /// Whether the task that ends idle interpreters runs.
    watched: bool,
}

/// Where one environment's interpreter is kept.
struct Place {
    used: Mutex<Instant>,
    /// Held while one is started, so that nobody starts a second one.
    zygote: AsyncMutex<Option<Arc<Zygote>>>,
}

impl Zygotes {
    /// Whether one serves this environment now.
    pub(crate) fn serve(&self, environment: &Environment) -> bool {
        let place = lock(&self.places).by_environment.get(environment).cloned();
        // One that is being started does not serve yet.
        place.is_some_and(|place| place.zygote.try_lock().is_ok_and(|held| held.is_some()))
    }

    /// The interpreter of an environment, started with `start` unless there is one.
    pub(crate) async fn of(
        &self,
        environment: &Environment,
        start: impl Future<Output = Result<Zygote, CreateError>>,
    ) -> Result<Arc<Zygote>, CreateError> {
        let place = self.place(environment);
        let mut held = place.zygote.lock().await;
        *lock(&place.used) = Instant::now();
        match &*held {
            Some(zygote) if is_good(zygote) => Ok(Arc::clone(zygote)),
            // Copies of an old one keep it until they have ended.
            _ => {
                let zygote = Arc::new(start.await?);
                *held = Some(Arc::clone(&zygote));
                Ok(zygote)
            }
        }
    }

    /// Forgets all of them, and waits until those without copies have ended.
    pub(crate) async fn close(&self) {
        let all: Vec<_> = lock(&self.places).by_environment.drain().collect();
        // Ending one waits for the kernel.
        let _ = tokio::task::spawn_blocking(move || drop(all)).await;
    }

    fn place(&self, environment: &Environment) -> Arc<Place> {
        let mut places = lock(&self.places);
        if !std::mem::replace(&mut places.watched, true) {
            tokio::spawn(end_idle(Arc::downgrade(&self.places)));
        }
        let place = places.by_environment.entry(environment.clone());
        let place = place.or_insert_with(|| {
            Arc::new(Place {
                used: Mutex::new(Instant::now()),
                zygote: AsyncMutex::default(),
            })
        });
        Arc::clone(place)
    }
}

fn is_good(zygote: &Zygote) -> bool {
    zygote.is_alive() && zygote.age() < AGE_MAX && zygote.copies() < COPIES_MAX
}

/// Forgets interpreters that nobody has asked for lately, until there are none.
async fn end_idle(places: Weak<Mutex<Places>>) {
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let Some(places) = places.upgrade() else {
            return;
        };
        let idle: Vec<_> = {
            let mut places = lock(&places);
            let idle = places
                .by_environment
                .extract_if(|_, place| lock(&place.used).elapsed() > IDLE_MAX);
            let idle = idle.map(|(_, place)| place).collect();
            places.watched = !places.by_environment.is_empty();
            idle
        };
        // Ending one waits for the kernel.
        let _ = tokio::task::spawn_blocking(move || drop(idle)).await;
        if !lock(&places).watched {
            return;
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
