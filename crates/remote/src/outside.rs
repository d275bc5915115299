//! What the owner of a boundary does from outside of it.

use std::io;
use std::time::Duration;

use async_trait::async_trait;
use atoll_sandbox::{DestroyError, Leavings};
use atoll_types::{LayerReport, Level, LimitName, Limits, Usage};

/// A boundary, seen from outside. Dropping it ends everything inside and removes it, as
/// [`Outside::destroy`] does, which also tells what went wrong.
///
/// Methods are called from more than one task, and none but `destroy` may wait.
#[async_trait]
pub trait Outside: Send + Sync {
    /// The level that the boundary makes.
    fn level(&self) -> Level;

    /// What is enforced, the boundary's own layers and those that are reported from `inside`. It is
    /// asked once. A layer that is missing inside and that the boundary makes up for is none that
    /// is missing.
    fn layers(&self, inside: Vec<LayerReport>) -> Vec<LayerReport>;

    /// Puts other limits on memory, processes and CPU share in force around the boundary, before
    /// the agent hears of them. The other limits are those that it was made with, or lower ones.
    ///
    /// # Errors
    /// When that fails; nothing has changed then.
    fn set_limits(&self, limits: &Limits) -> io::Result<()>;

    /// Usage counts from now on.
    fn restart_clock(&self) {}

    /// Memory that the boundary and everything in it take now, in bytes; 0 where nobody counts it.
    fn memory_bytes(&self) -> u64 {
        0
    }

    /// What has been used, given what the `inside` claims: an agent that was taken over claims
    /// anything. The wall time is counted already.
    fn usage(&self, inside: Usage) -> Usage {
        inside
    }

    /// A limit of the boundary itself that was hit.
    fn limit_hit(&self) -> Option<LimitName> {
        None
    }

    /// Ends everything inside, at once. Idempotent.
    fn kill(&self);

    /// Why the boundary ended, once the agent's stream has; `None` as long as that is not known.
    fn last_words(&self) -> Option<String> {
        None
    }

    /// What the ended program left, where the boundary's owner can look at it without the agent; it
    /// may end everything inside before it does.
    async fn leavings(&self) -> Option<io::Result<Leavings>> {
        None
    }

    /// How long an agent may take for an answer. Emulation takes longer.
    fn patience(&self) -> Duration {
        Duration::from_secs(20)
    }

    /// Ends everything inside and removes the boundary.
    ///
    /// # Errors
    /// Names what could not be removed.
    async fn destroy(&self) -> Result<(), DestroyError>;
}
