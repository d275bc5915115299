//! The other side of a proxy: a part in a store of its own, and calls of what it exports.
//!
//! Owns the life of the store. A part that trapped or did not answer in time is thrown away with
//! everything it had in memory, and the next call finds a new one, if the terms allow that. A call
//! that is abandoned midway (its future is dropped) counts as if the part had been stopped.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;
use wasmtime::Store;
use wasmtime::component::{Func, Instance, InstancePre, Type, Val};

use super::bulk::{self, BulkCall};
use super::convert::{Left, Unfit, from_value, to_value};
use super::remote::CallFailed;
use super::value::Value;

/// Functions of a part that are remembered once they were called.
const FUNCTIONS_MAX: usize = 4_096;

/// Memory that the runtime takes for the values of one call, about, in bytes. What a part returns
/// is only measured against a frame once it is there.
pub const LIFTED_BYTES_MAX: usize = 4 * super::frame::FRAME_BYTES_MAX;

/// How long a part may take, and what becomes of one that fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// Time for one call, and for starting the part. Loops are only stopped where the engine
    /// has epochs and something moves them on; see [`super::Ticker`].
    pub deadline: Duration,
    /// What happens after a failure.
    pub after_trap: AfterTrap,
}

/// What happens to a part that trapped or did not answer in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AfterTrap {
    /// The next call finds a new instance, this many times; then as [`AfterTrap::Stop`].
    Restart {
        /// How many times; 0 is never.
        times_max: u32,
    },
    /// Every later call fails.
    Stop,
}

/// A part that can be called.
pub struct Served<T: 'static> {
    part: InstancePre<T>,
    make_store: Box<dyn Fn() -> Store<T> + Send>,
    terms: Terms,
    live: Option<Live<T>>,
    failures: u32,
    stopped: Option<String>,
}

struct Live<T: 'static> {
    store: Store<T>,
    instance: Instance,
    functions: HashMap<(String, String), Callable<T>>,
}

/// A function that was looked up.
enum Callable<T: 'static> {
    Bulk(BulkCall<T>),
    Dynamic(Arc<Dynamic>),
}

impl<T: 'static> Clone for Callable<T> {
    fn clone(&self) -> Self {
        match self {
            Self::Bulk(call) => Self::Bulk(Arc::clone(call)),
            Self::Dynamic(call) => Self::Dynamic(Arc::clone(call)),
        }
    }
}

struct Dynamic {
    function: Func,
    parameters: Vec<Type>,
    results: Vec<Type>,
}

/// How a call ended, when it did not end well.
pub(super) enum Failure {
    /// The part is as good as before.
    Unfit(Unfit),
    /// The part cannot be entered again.
    Trap(wasmtime::Error),
}

impl From<Unfit> for Failure {
    fn from(unfit: Unfit) -> Self {
        Self::Unfit(unfit)
    }
}

impl<T: Send + 'static> Served<T> {
    /// A part that is instantiated when it is first called. `make_store` makes its stores, with
    /// whatever the part's own imports need; their memory is best bounded by a limiter. They must
    /// give way at every epoch, or the deadline is not noticed.
    #[must_use]
    pub fn new(
        part: InstancePre<T>,
        terms: Terms,
        make_store: impl Fn() -> Store<T> + Send + 'static,
    ) -> Self {
        Self {
            part,
            make_store: Box::new(make_store),
            terms,
            live: None,
            failures: 0,
            stopped: None,
        }
    }

    /// How many times the part has trapped or was stopped.
    #[must_use]
    pub const fn failures(&self) -> u32 {
        self.failures
    }

    /// Calls a function of an exported interface.
    ///
    /// # Errors
    /// Whatever the part does instead of answering. [`CallFailed::Unfit`] and
    /// [`CallFailed::NotOffered`] leave it as it was.
    pub async fn call(
        &mut self,
        interface: &str,
        function: &str,
        arguments: Vec<Value>,
    ) -> Result<Vec<Value>, CallFailed> {
        if let Some(why) = &self.stopped {
            return Err(CallFailed::Stopped(why.clone()));
        }
        let deadline = self.terms.deadline;
        let mut live = match self.live.take() {
            Some(live) => live,
            None => match timeout(deadline, self.start()).await {
                Ok(Ok(live)) => live,
                Ok(Err(error)) => return Err(self.failed(CallFailed::Trapped(text(&error)))),
                Err(_) => return Err(self.late()),
            },
        };
        let Some(callable) = live.lookup(interface, function) else {
            self.live = Some(live);
            let name = format!("{interface}#{function}");
            return Err(CallFailed::NotOffered(name).cut());
        };
        let outcome = timeout(deadline, callable.call(&mut live.store, arguments)).await;
        match outcome {
            Ok(Ok(values)) => {
                self.live = Some(live);
                Ok(values)
            }
            Ok(Err(Failure::Unfit(unfit))) => {
                self.live = Some(live);
                Err(CallFailed::Unfit(unfit.to_string()))
            }
            Ok(Err(Failure::Trap(error))) => Err(self.failed(CallFailed::Trapped(text(&error)))),
            Err(_) => Err(self.late()),
        }
    }

    async fn start(&mut self) -> wasmtime::Result<Live<T>> {
        let mut store = (self.make_store)();
        store.set_hostcall_fuel(LIFTED_BYTES_MAX);
        let instance = self.part.instantiate_async(&mut store).await?;
        Ok(Live {
            store,
            instance,
            functions: HashMap::new(),
        })
    }

    fn late(&mut self) -> CallFailed {
        let after_ms = u64::try_from(self.terms.deadline.as_millis()).unwrap_or(u64::MAX);
        self.failed(CallFailed::TooLate { after_ms })
    }

    fn failed(&mut self, failed: CallFailed) -> CallFailed {
        let failed = failed.cut();
        self.failures = self.failures.saturating_add(1);
        let goes_on = match self.terms.after_trap {
            AfterTrap::Restart { times_max } => self.failures <= times_max,
            AfterTrap::Stop => false,
        };
        if !goes_on {
            self.stopped = Some(failed.to_string());
        }
        failed
    }
}

impl<T: Send + 'static> Live<T> {
    fn lookup(&mut self, interface: &str, function: &str) -> Option<Callable<T>> {
        let key = (interface.to_owned(), function.to_owned());
        if let Some(callable) = self.functions.get(&key) {
            return Some(callable.clone());
        }
        let store = &mut self.store;
        let exported = self
            .instance
            .get_export_index(&mut *store, None, interface)?;
        let exported = self
            .instance
            .get_export_index(&mut *store, Some(&exported), function)?;
        let found = self.instance.get_func(&mut *store, exported)?;
        let callable = match bulk::callable(&found, &*store) {
            Some(call) => Callable::Bulk(call),
            None => {
                let kind = found.ty(&*store);
                Callable::Dynamic(Arc::new(Dynamic {
                    function: found,
                    parameters: kind.params().map(|(_, kind)| kind).collect(),
                    results: kind.results().collect(),
                }))
            }
        };
        if self.functions.len() < FUNCTIONS_MAX {
            self.functions.insert(key, callable.clone());
        }
        Some(callable)
    }
}

impl<T: Send + 'static> Callable<T> {
    async fn call(
        &self,
        store: &mut Store<T>,
        arguments: Vec<Value>,
    ) -> Result<Vec<Value>, Failure> {
        match self {
            Self::Bulk(call) => call(store, arguments).await,
            Self::Dynamic(call) => call.call(store, arguments).await,
        }
    }
}

impl Dynamic {
    async fn call<T: Send>(
        &self,
        store: &mut Store<T>,
        arguments: Vec<Value>,
    ) -> Result<Vec<Value>, Failure> {
        if arguments.len() != self.parameters.len() {
            return Err(Unfit::Type.into());
        }
        let arguments = arguments.into_iter().zip(&self.parameters);
        let arguments: Vec<Val> = arguments
            .map(|(value, kind)| from_value(value, kind))
            .collect::<Result<_, _>>()?;
        let mut results = vec![Val::Bool(false); self.results.len()];
        self.function
            .call_async(store, &arguments, &mut results)
            .await
            .map_err(Failure::Trap)?;
        let mut left = Left::whole();
        let results = results.iter().zip(&self.results);
        let results = results.map(|(val, kind)| to_value(val, kind, &mut left));
        Ok(results.collect::<Result<_, _>>()?)
    }
}

/// Why a part trapped, in one line.
fn text(error: &wasmtime::Error) -> String {
    error.root_cause().to_string()
}
