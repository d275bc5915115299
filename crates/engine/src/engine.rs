//! The engine itself: a policy, backends, and a store that opens while other work goes on.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use atoll_adapt::{Budget, BudgetReport};
use atoll_analyzer::Analyzer;
use atoll_policy::{Diagnostic, Policy, Severity};
use atoll_pool::{Options as PoolOptions, PoolReport, Pools};
use atoll_sandbox::Backend;
use atoll_store::{Owner, Store, StoreError};
use atoll_types::Level;
use tokio::sync::{OnceCell, oneshot};

use crate::EngineError;

/// The database's name in the state directory.
const STORE_FILE: &str = "atoll.db";

/// What an engine is made of.
pub struct Options {
    /// Where the state lives. Made when it is missing.
    pub state_dir: PathBuf,
    /// The policy in force.
    pub policy: PolicyText,
    /// One backend for each level that can be run; see [`crate::backends`].
    pub backends: Vec<Arc<dyn Backend>>,
    /// Bounds for sandboxes that wait for messages; without, each is made when it is needed. A
    /// process that handles one message has no use for them.
    pub pools: Option<PoolOptions>,
    /// Memory for all programs that run at the same time, in bytes; without, three quarters of what
    /// the host or its container has.
    pub memory_bytes: Option<u64>,
}

/// A policy as text, with the name it goes by in messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyText {
    /// A path, or `built-in`.
    pub name: String,
    /// The policy.
    pub text: String,
}

impl PolicyText {
    /// The policy that is in force when no other is chosen.
    #[must_use]
    pub fn builtin() -> Self {
        Self {
            name: "built-in".to_owned(),
            text: Policy::builtin().to_owned(),
        }
    }
}

/// A store that is being opened.
type Opening = oneshot::Receiver<Result<Store, StoreError>>;

/// Takes messages through their way.
pub struct Engine {
    pub(crate) policy: Policy,
    pub(crate) analyzer: Analyzer,
    backends: Vec<Arc<dyn Backend>>,
    pub(crate) pools: Option<Pools>,
    /// The memory of this node, of which a part is set aside for each program.
    budget: OnceLock<Budget>,
    memory_bytes: Option<u64>,
    /// Whether programs are fitted while they run.
    pub(crate) fits: bool,
    store: OnceCell<Store>,
    /// Where everything is kept that outlives this process.
    pub(crate) state_dir: PathBuf,
    store_path: PathBuf,
    opening: Mutex<Option<Opening>>,
    owner: OnceCell<Owner>,
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("store", &self.store_path)
            .finish_non_exhaustive()
    }
}

impl Engine {
    /// Begins to open the store and reads the policy; what is wrong with the store is told by the
    /// first operation that needs it.
    ///
    /// # Errors
    /// [`EngineError::Policy`] when the policy has errors.
    pub fn open(options: Options) -> Result<Self, EngineError> {
        let store_path = options.state_dir.join(STORE_FILE);
        let opening = begin_opening(store_path.clone());
        for backend in &options.backends {
            backend.keep_in(&options.state_dir);
        }
        Ok(Self {
            policy: parse(&options.policy)?,
            analyzer: Analyzer::default(),
            backends: options.backends,
            pools: options.pools.map(Pools::new),
            budget: OnceLock::new(),
            memory_bytes: options.memory_bytes,
            fits: true,
            store: OnceCell::new(),
            state_dir: options.state_dir,
            store_path,
            opening: Mutex::new(Some(opening)),
            owner: OnceCell::new(),
        })
    }

    /// The same without fitting: all that limits allow is set aside for each program from the
    /// start, and nobody follows what it needs. What fitting costs is measured against this.
    #[must_use]
    pub fn unfitted(mut self) -> Self {
        self.fits = false;
        self
    }

    /// Waits until the store is open.
    pub(crate) async fn store(&self) -> Result<&Store, EngineError> {
        self.store
            .get_or_try_init(|| async {
                let opening = self
                    .opening
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .take();
                let opened = match opening {
                    Some(opening) => opening.await.ok(),
                    None => None,
                };
                // Without a result there was no thread, or an earlier attempt failed; its reason
                // may be gone by now.
                let opened = match opened {
                    Some(opened) => opened,
                    None => Store::open(&self.store_path).await,
                };
                opened.map_err(EngineError::State)
            })
            .await
    }

    /// Who this process is, in the store's terms.
    pub(crate) async fn owner(&self) -> Result<&Owner, EngineError> {
        self.owner
            .get_or_try_init(|| async { Owner::this_process().map_err(EngineError::Identity) })
            .await
    }

    pub(crate) fn backends(&self) -> &[Arc<dyn Backend>] {
        &self.backends
    }

    pub(crate) fn backend(&self, level: Level) -> Option<&Arc<dyn Backend>> {
        self.backends
            .iter()
            .find(|backend| backend.level() == level)
    }

    /// The memory that programs have. Looked up when the first of them comes: looking for limits
    /// takes a while.
    pub(crate) fn budget(&self) -> &Budget {
        let bytes = || self.memory_bytes.unwrap_or_else(usual_memory_bytes);
        self.budget.get_or_init(|| Budget::new(bytes()))
    }

    /// The memory that programs have, and what of it is set aside.
    #[must_use]
    pub fn memory(&self) -> BudgetReport {
        self.budget().report()
    }

    /// The sandboxes that wait for messages, a report for each pool.
    #[must_use]
    pub fn pools(&self) -> Vec<PoolReport> {
        self.pools.as_ref().map(Pools::report).unwrap_or_default()
    }

    /// The policy in force.
    #[must_use]
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// For a process that ends now: leaves the store open, as [`Store::leave`] has it. Dropping the
    /// engine would begin to close the database, which flushes the disk, and the end of the process
    /// would wait for that; recorded outcomes do not depend on it.
    pub async fn leave(mut self) {
        if let Some(store) = self.store.take() {
            store.leave().await;
        }
        std::mem::forget(self);
    }

    /// Destroys the sandboxes that wait, and flushes and closes the store. Recorded outcomes do
    /// not depend on it.
    pub async fn close(self) {
        if let Some(pools) = self.pools {
            pools.close().await;
        }
        for backend in &self.backends {
            backend.close().await;
        }
        if let Some(store) = self.store.into_inner() {
            store.close().await;
        }
    }
}

/// Three quarters of the host's memory, or of what a container around all sandboxes leaves them;
/// the rest is for the kernel, for everything else, and for what programs take between two looks
/// at them.
fn usual_memory_bytes() -> u64 {
    let info = rustix::system::sysinfo();
    let all = info.totalram.saturating_mul(info.mem_unit.into());
    let limit = atoll_sandbox_process::memory_limit_bytes();
    limit.map_or(all, |limit| limit.min(all)) / 4 * 3
}

/// Opens the store on a thread of its own, so that reading the policy and the program goes on
/// meanwhile. Opening is a chain of short steps; as a task here, each would wait for its turn.
fn begin_opening(path: PathBuf) -> Opening {
    let (opened, opening) = oneshot::channel();
    let open = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        if let Ok(runtime) = runtime {
            let _ = opened.send(runtime.block_on(Store::open(&path)));
        }
    };
    // Should there be no thread, the channel closes and the store is opened when it is needed.
    let _ = std::thread::Builder::new()
        .name("open store".to_owned())
        .spawn(open);
    opening
}

fn parse(policy: &PolicyText) -> Result<Policy, EngineError> {
    Policy::parse(&policy.text).map_err(|diagnostics| {
        let is_error = |diagnostic: &Diagnostic| diagnostic.severity == Severity::Error;
        EngineError::Policy {
            name: policy.name.clone(),
            diagnostics: diagnostics.into_iter().filter(is_error).collect(),
        }
    })
}
