//! What somebody holds who has asked a pool for a sandbox.

use std::sync::Arc;

use atoll_sandbox::Sandbox;
use atoll_types::Limits;

use crate::Key;
use crate::pool::Pool;
use crate::pools::Shared;

/// What a pool answers.
#[derive(Default)]
pub struct Taken {
    /// A sandbox, if one waited.
    pub sandbox: Option<Box<dyn Sandbox>>,
    /// Messages that it has served.
    pub served: u32,
    /// The right to bring it back after this message, or the one that is made instead, if it may
    /// serve more after that.
    pub lease: Option<Lease>,
}

/// The right to bring a sandbox back. As long as it is held, no other is made in its place.
pub struct Lease {
    shared: Arc<Shared>,
    key: Key,
    served: u32,
    is_over: bool,
}

impl Lease {
    pub(crate) const fn new(shared: Arc<Shared>, key: Key, served: u32) -> Self {
        Self {
            shared,
            key,
            served,
            is_over: false,
        }
    }

    /// Brings back a sandbox whose program has ended after one more message under such limits. It
    /// is renewed in the background, and destroyed where that fails. Has to be called inside a
    /// Tokio runtime.
    pub fn bring_back(mut self, sandbox: Box<dyn Sandbox>, limits: &Limits) {
        self.is_over = true;
        self.shared.with_pool(&self.key, Pool::begin_renewing);
        let (shared, key) = (Arc::clone(&self.shared), self.key.clone());
        let served = self.served.saturating_add(1);
        tokio::spawn(shared.renew_one(key, sandbox, *limits, served));
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if !self.is_over {
            self.shared.with_pool(&self.key, Pool::end_lending);
        }
    }
}
