//! The way to a part in another store of the same process.

use std::sync::Arc;

use tokio::sync::Mutex;

use super::remote::{CallFailed, Remote};
use super::served::Served;
use super::value::Value;

/// Calls a part in its store, on the same executor. One call at a time; a call that would enter a
/// part which waits for an answer itself fails instead of waiting for ever.
pub struct Local<T: 'static> {
    served: Arc<Mutex<Served<T>>>,
}

impl<T: Send + 'static> Local<T> {
    /// The way to this part.
    #[must_use]
    pub fn new(served: Served<T>) -> Self {
        Self {
            served: Arc::new(Mutex::new(served)),
        }
    }

    /// How many times the part has trapped or was stopped; none while a call is under way.
    #[must_use]
    pub fn failures(&self) -> u32 {
        self.served.try_lock().map_or(0, |served| served.failures())
    }
}

impl<T: 'static> Clone for Local<T> {
    fn clone(&self) -> Self {
        Self {
            served: Arc::clone(&self.served),
        }
    }
}

#[async_trait::async_trait]
impl<T: Send + 'static> Remote for Local<T> {
    async fn call(
        &self,
        interface: &str,
        function: &str,
        arguments: Vec<Value>,
    ) -> Result<Vec<Value>, CallFailed> {
        let Ok(mut served) = self.served.try_lock() else {
            return Err(CallFailed::Unfit(
                "the part waits for an answer itself and cannot be entered again".to_owned(),
            ));
        };
        served.call(interface, function, arguments).await
    }
}
