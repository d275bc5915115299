//! The engine itself: a policy, backends, and a store that opens while other work goes on.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use atoll_policy::{Diagnostic, Policy, Severity};
use atoll_sandbox::Backend;
use atoll_store::{Owner, Store, StoreError};
use atoll_types::Level;
use tokio::sync::OnceCell;
use tokio::task::JoinHandle;

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
    pub backends: Vec<Box<dyn Backend>>,
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

/// Takes messages through their way.
pub struct Engine {
    pub(crate) policy: Policy,
    backends: Vec<Box<dyn Backend>>,
    store: OnceCell<Store>,
    store_path: PathBuf,
    opening: Mutex<Option<JoinHandle<Result<Store, StoreError>>>>,
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
    /// Reads the policy and begins to open the store; what is wrong with the store is told by the
    /// first operation that needs it. Needs a Tokio runtime with I/O and time.
    ///
    /// # Errors
    /// [`EngineError::Policy`] when the policy has errors.
    pub async fn open(options: Options) -> Result<Self, EngineError> {
        let store_path = options.state_dir.join(STORE_FILE);
        let path = store_path.clone();
        let opening = tokio::spawn(async move { Store::open(&path).await });
        // Lets the task hand its work to the database's own thread, which then goes on while this
        // one reads the policy and the program.
        tokio::task::yield_now().await;
        Ok(Self {
            policy: parse(&options.policy)?,
            backends: options.backends,
            store: OnceCell::new(),
            store_path,
            opening: Mutex::new(Some(opening)),
            owner: OnceCell::new(),
        })
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
                    Some(task) => task.await.map_err(EngineError::Lost)?,
                    // An earlier attempt failed; the reason may be gone by now.
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

    pub(crate) fn backends(&self) -> &[Box<dyn Backend>] {
        &self.backends
    }

    pub(crate) fn backend(&self, level: Level) -> Option<&dyn Backend> {
        self.backends
            .iter()
            .find(|backend| backend.level() == level)
            .map(AsRef::as_ref)
    }

    /// The policy in force.
    #[must_use]
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Leaves the store as it is, for a process that ends now. Dropping the engine would begin to
    /// close the database, which flushes the disk, and the end of the process would wait for that;
    /// recorded outcomes do not depend on it.
    pub fn leave(self) {
        std::mem::forget(self);
    }

    /// Flushes and closes the store. Recorded outcomes do not depend on it.
    pub async fn close(self) {
        if let Some(store) = self.store.into_inner() {
            store.close().await;
        }
    }
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
