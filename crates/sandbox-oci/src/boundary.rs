//! A container, seen from outside: what its owner holds, counts and ends.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use atoll_jail::Jail;
use atoll_remote::Outside;
use atoll_sandbox::{DestroyError, Leavings};
use atoll_sandbox_process::leaving;
use atoll_types::{LayerReport, Level, LimitName, Limits, Usage};
use tokio::io::AsyncReadExt as _;
use tokio::net::unix::pipe;
use tokio::task::AbortHandle;

use crate::container;
use crate::layers::Layers;

/// What the runtime and its kernel may use until the first process of the container runs, on top of
/// what the program may.
pub(crate) const OWN_MEMORY_BYTES: u64 = 160 << 20;

/// Beyond a limit the kernel takes a few pages for processes that it ends. The limit is held with
/// those.
const FORCED_BYTES: u64 = 64 << 10;

/// The kernel ends one process when memory runs out, and that may be one without which the others
/// wait for ever.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// How long a container may take for an answer: gVisor's `ptrace` on a busy host is slow.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// As much of what the runtime says as is kept.
const WORDS_BYTES_MAX: usize = 16 << 10;

/// A container and the jail around it. Dropping it ends both.
pub(crate) struct Boundary {
    level: Level,
    layers: Layers,
    held: Arc<Held>,
    words: Words,
    watch: Mutex<Option<AbortHandle>>,
}

struct Held {
    /// Taken when it is destroyed.
    jail: Mutex<Option<Jail>>,
    /// What was in use before there was a job.
    before: Mutex<Before>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Before {
    /// Memory of the runtime and of the kernel it brings.
    memory_bytes: u64,
    /// The most that it ever had.
    memory_peak_bytes: u64,
    /// Bytes of its files.
    disk_bytes: u64,
}

impl Held {
    fn jail(&self) -> MutexGuard<'_, Option<Jail>> {
        self.jail.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn before(&self) -> MutexGuard<'_, Before> {
        self.before.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn limit_hit(&self) -> Option<LimitName> {
        self.jail().as_ref()?.limit_hit()
    }

    fn kill(&self) {
        if let Some(jail) = self.jail().as_mut() {
            jail.stop();
        }
    }
}

impl Boundary {
    /// The boundary of a container whose first process runs.
    pub(crate) fn new(level: Level, layers: Layers, jail: Jail, words: Words) -> Self {
        let held = Held {
            jail: Mutex::new(Some(jail)),
            before: Mutex::default(),
        };
        Self {
            level,
            layers,
            held: Arc::new(held),
            words,
            watch: Mutex::default(),
        }
    }

    /// Takes what is in use now for the runtime's own, and holds the program to its limits on top
    /// of that.
    pub(crate) fn settle(&self, limits: &Limits) -> io::Result<()> {
        if let Some(jail) = self.held.jail().as_mut() {
            let used = jail.usage();
            *self.held.before() = Before {
                memory_bytes: jail.memory_bytes(),
                memory_peak_bytes: used.memory_peak_bytes,
                disk_bytes: used.disk_bytes,
            };
        }
        self.set_limits(limits)
    }

    /// Ends the container when the kernel has ended a part of it for its memory.
    fn watch(&self) -> Option<AbortHandle> {
        let held = Arc::clone(&self.held);
        let watch = async move {
            while held.limit_hit() != Some(LimitName::Memory) {
                tokio::time::sleep(LOOK_EVERY).await;
            }
            held.kill();
        };
        let runtime = tokio::runtime::Handle::try_current().ok()?;
        Some(runtime.spawn(watch).abort_handle())
    }

    fn stop_watching(&self) {
        let mut watch = self.watch.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(watch) = watch.take() {
            watch.abort();
        }
    }
}

#[async_trait]
impl Outside for Boundary {
    fn level(&self) -> Level {
        self.level
    }

    fn layers(&self, inside: Vec<LayerReport>) -> Vec<LayerReport> {
        self.layers.with(inside)
    }

    fn set_limits(&self, limits: &Limits) -> io::Result<()> {
        let before = self.held.before().memory_bytes;
        let before = before.saturating_sub(FORCED_BYTES);
        let mut jail = self.held.jail();
        let jail = jail.as_mut().ok_or(io::ErrorKind::NotConnected)?;
        jail.set_limits(container::jail_limits(limits, before))
    }

    fn restart_clock(&self) {
        if let Some(jail) = self.held.jail().as_mut() {
            jail.restart_clock();
        }
        let mut watch = self.watch.lock().unwrap_or_else(PoisonError::into_inner);
        if watch.is_none() {
            *watch = self.watch();
        }
    }

    fn memory_bytes(&self) -> u64 {
        let jail = self.held.jail();
        jail.as_ref().map(Jail::memory_bytes).unwrap_or_default()
    }

    fn usage(&self, inside: Usage) -> Usage {
        let before = *self.held.before();
        let jail = self.held.jail();
        let Some(jail) = jail.as_ref() else {
            return inside;
        };
        let used = jail.usage();
        // Building a container takes more for a moment than it takes afterwards.
        let memory_bytes = if used.memory_peak_bytes > before.memory_peak_bytes {
            used.memory_peak_bytes
        } else {
            jail.memory_bytes()
        };
        Usage {
            cpu_time_us: used.cpu_time_us,
            memory_peak_bytes: memory_bytes.saturating_sub(before.memory_bytes).max(1),
            disk_bytes: used.disk_bytes.saturating_sub(before.disk_bytes),
            ..inside
        }
    }

    fn limit_hit(&self) -> Option<LimitName> {
        self.held.limit_hit()
    }

    fn kill(&self) {
        self.held.kill();
    }

    fn last_words(&self) -> Option<String> {
        self.words.last()
    }

    fn patience(&self) -> Duration {
        PATIENCE
    }

    /// They are on the jail's own file system, and outlive whatever became of the container.
    async fn leavings(&self) -> Option<io::Result<Leavings>> {
        let jail = self.held.jail().take();
        let Some(mut jail) = jail else {
            return Some(Err(io::ErrorKind::NotConnected.into()));
        };
        let left = jail.leavings().await;
        *self.held.jail() = Some(jail);
        Some(left.map(|left| -> Leavings { Box::new(left.map(leaving)) }))
    }

    async fn destroy(&self) -> Result<(), DestroyError> {
        self.stop_watching();
        let jail = self.held.jail().take();
        match jail {
            Some(jail) => jail.destroy().await.map_err(|source| DestroyError {
                what: "the container's processes and cgroups".to_owned(),
                source,
            }),
            None => Ok(()),
        }
    }
}

impl Drop for Boundary {
    fn drop(&mut self) {
        self.stop_watching();
    }
}

/// What the runtime says while it builds a container and afterwards.
#[derive(Debug, Clone, Default)]
pub(crate) struct Words(Arc<Mutex<Vec<u8>>>);

impl Words {
    /// Listens until the end of a stream; of much only the beginning is kept.
    pub(crate) fn listen(stream: OwnedFd) -> io::Result<Self> {
        let words = Self::default();
        let heard = Arc::clone(&words.0);
        let mut stream = pipe::Receiver::from_owned_fd(stream)?;
        tokio::spawn(async move {
            let mut piece = [0; 1024];
            while let Ok(length @ 1..) = stream.read(&mut piece).await {
                let mut heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
                let room = WORDS_BYTES_MAX.saturating_sub(heard.len());
                heard.extend_from_slice(piece.get(..length.min(room)).unwrap_or_default());
            }
        });
        Ok(words)
    }

    /// The last line that says something.
    pub(crate) fn last(&self) -> Option<String> {
        let heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let text = String::from_utf8_lossy(&heard);
        let last = text.lines().rev().find(|line| !line.trim().is_empty());
        last.map(|line| line.trim().chars().filter(|c| !c.is_control()).collect())
    }
}
