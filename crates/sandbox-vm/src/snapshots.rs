//! The snapshots that there are, one for each kind of program and size.
//!
//! Owns that each is taken once, however many want it, and that there are never many: each is
//! memory. Nothing of any tenant is in one; still those with an interpreter, whose clones have its
//! random choices in common, serve one tenant each.

use std::collections::{BTreeSet, HashMap};
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;

use atoll_cache::Cache;
use atoll_remote::protocol::{Stays, Surroundings};
use atoll_sandbox::CreateError;
use atoll_types::{Layer, Limits, ProgramKind, SystemCalls, TenantId};

use crate::accelerator::Accelerator;
use crate::emulator::Emulator;
use crate::error::internal;
use crate::image::Image;
use crate::kept::{self, KEPT, KvmFailure};
use crate::size::Size;
use crate::snapshot::{Snapshot, Wanted};

/// More are not kept; what was used longest ago goes first.
const SNAPSHOTS_MAX: usize = 8;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    kind: ProgramKind,
    modules: BTreeSet<String>,
    size: Size,
    /// For whose clones sandboxes stay, and which.
    shared: Option<Shared>,
}

/// One tenant's sandboxes that wait in a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Shared {
    pub(crate) tenant: TenantId,
    pub(crate) limits: Limits,
    pub(crate) system_calls: SystemCalls,
    pub(crate) accept_missing: BTreeSet<Layer>,
}

impl Shared {
    fn stays(&self) -> Stays {
        Stays {
            limits: self.limits,
            system_calls: self.system_calls,
            accept_missing: self.accept_missing.clone(),
        }
    }
}

/// One that exists, or is being taken by whoever holds the lock.
type Place = Arc<tokio::sync::Mutex<Option<Arc<Snapshot>>>>;

struct Entry {
    place: Place,
    used: Instant,
}

/// All of them.
#[derive(Default)]
pub(crate) struct Snapshots {
    /// Where the guest image is, if not where the programs that come with Atoll are.
    directory: Option<PathBuf>,
    entries: Mutex<HashMap<Key, Entry>>,
    /// Those that later processes find.
    disk: OnceLock<Cache>,
}

impl Snapshots {
    /// Of another image than Atoll's own.
    pub(crate) fn of(directory: PathBuf) -> Self {
        Self {
            directory: Some(directory),
            ..Self::default()
        }
    }

    /// The image that there is now.
    pub(crate) fn image(&self) -> Result<Image, String> {
        match &self.directory {
            Some(directory) => Image::open(directory),
            None => Image::find(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The snapshot for such programs, which is taken first if need be: one tenant's, with an
    /// interpreter, or everybody's.
    pub(crate) async fn get(
        &self,
        surroundings: &Surroundings,
        size: Size,
        shared: Option<&Shared>,
        accept_missing: &BTreeSet<Layer>,
    ) -> Result<Arc<Snapshot>, CreateError> {
        let place = self.place(Key {
            kind: surroundings.kind,
            modules: surroundings.modules.clone(),
            size,
            shared: shared.cloned(),
        });
        let mut place = place.lock().await;
        if let Some(snapshot) = place.as_ref().filter(|snapshot| snapshot.is_current()) {
            return Ok(Arc::clone(snapshot));
        }
        *place = None;
        self.recall_kvm();
        let snapshot = loop {
            let chosen = tokio::task::spawn_blocking(Accelerator::choose).await;
            let chosen = chosen.unwrap_or_else(|error| Err(error.to_string()));
            let (accelerator, _) = chosen.map_err(CreateError::Environment)?;
            let wanted = Wanted {
                image: self.image().map_err(CreateError::Environment)?,
                accelerator,
                size,
                surroundings: surroundings.clone(),
                stays: shared.map(Shared::stays),
            };
            match self.take(wanted, accept_missing).await {
                Ok(snapshot) => break Arc::new(snapshot),
                Err(error @ CreateError::Internal { .. }) if accelerator == Accelerator::Kvm => {
                    // Nested hosts run the tiny guest and then no kernel.
                    let why = format!("no kernel booted: {}", why(&error));
                    if let Some(failure) = self.disk.get().and_then(KvmFailure::in_cache) {
                        failure.write(&why);
                    }
                    Accelerator::give_up_kvm(why);
                }
                Err(error) => return Err(error),
            }
        };
        *place = Some(Arc::clone(&snapshot));
        Ok(snapshot)
    }

    /// Keeps snapshots in a directory, which is made when there is one; before that, none outlives
    /// the process. The first directory counts.
    pub(crate) fn keep_in(&self, directory: PathBuf) {
        self.disk.get_or_init(|| Cache::new(directory, KEPT));
    }

    /// Takes notice of what an earlier process has found out about KVM.
    pub(crate) fn recall_kvm(&self) {
        let failure = self.disk.get().and_then(KvmFailure::in_cache);
        if let Some(why) = failure.and_then(|failure| failure.read()) {
            Accelerator::give_up_kvm(why);
        }
    }

    /// Whether another snapshot may help, when no clone of this one came up: it had been kept by
    /// another process, and is kept no longer.
    pub(crate) fn replaces(&self, snapshot: &Snapshot) -> bool {
        let (Some(name), Some(disk)) = (snapshot.take_untried(), self.disk.get()) else {
            return false;
        };
        disk.remove(&name);
        snapshot.give_up();
        true
    }

    /// Finds a snapshot that was kept, or takes it.
    async fn take(
        &self,
        wanted: Wanted,
        accept_missing: &BTreeSet<Layer>,
    ) -> Result<Snapshot, CreateError> {
        // One tenant's are for a while, and for this process.
        let disk = self.disk.get().filter(|_| wanted.stays.is_none()).cloned();
        let place = disk.and_then(|disk| Some((disk, kept::name(&wanted)?)));
        let (reading, asked) = (place.clone(), wanted.clone());
        let read = move || {
            let (disk, name) = reading?;
            Some((kept::read(&disk, &name, &asked)?, name))
        };
        if let Ok(Some((taken, name))) = tokio::task::spawn_blocking(read).await {
            return Snapshot::kept(wanted, taken, name);
        }
        let taken = Snapshot::take(&wanted, accept_missing).await?;
        let write = move || {
            // What could not be kept costs the next process a boot, and nothing else.
            let _ = place.map(|(disk, name)| kept::write(&disk, &name, &wanted, &taken));
            Snapshot::new(wanted, taken)
        };
        let written = tokio::task::spawn_blocking(write).await;
        written.map_err(|error| internal("keep a snapshot")(io::Error::other(error)))?
    }

    fn place(&self, key: Key) -> Place {
        let mut entries = self.lock();
        if entries.len() >= SNAPSHOTS_MAX && !entries.contains_key(&key) {
            let oldest = entries.iter().min_by_key(|(_, entry)| entry.used);
            let oldest = oldest.map(|(key, _)| key.clone());
            oldest.and_then(|key| entries.remove(&key));
        }
        let used = Instant::now();
        let entry = entries.entry(key).or_insert_with(|| Entry {
            place: Place::default(),
            used,
        });
        entry.used = used;
        Arc::clone(&entry.place)
    }

    /// What a clone of a snapshot is, for reports.
    pub(crate) fn boundary(&self, snapshot: &Snapshot) -> String {
        let (accelerator, how) = match snapshot.accelerator() {
            Accelerator::Kvm => (Accelerator::Kvm, "KVM"),
            Accelerator::Tcg => (Accelerator::Tcg, "emulated (TCG)"),
        };
        let version = Emulator::find(accelerator).map_or("QEMU", |emulator| &emulator.version);
        format!("{version}, {how}; {}", snapshot.describe())
    }

    /// Forgets all of them. Clones that run go on.
    pub(crate) fn clear(&self) {
        self.lock().clear();
    }
}

fn why(error: &CreateError) -> String {
    match error {
        CreateError::Internal { source, .. } => format!("{error}: {source}"),
        error => error.to_string(),
    }
}
