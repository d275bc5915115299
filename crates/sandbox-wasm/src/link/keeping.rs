//! Instances of interpreters that a worker keeps waiting for messages.

use std::io;

use super::Link;
use crate::protocol::Order;

impl Link {
    /// Has the worker keep so many instances of an interpreter waiting.
    ///
    /// # Errors
    /// As for [`Link::order`].
    pub(crate) fn keep(&self, program: u64, instances: u32) -> io::Result<()> {
        self.order(&Order::Keep { program, instances })?;
        self.state().kept_waiting.insert(program, instances);
        Ok(())
    }

    /// Instances of an interpreter that wait, as the worker has said last.
    pub(crate) fn waiting(&self, program: u64) -> u32 {
        self.state().waiting.get(&program).copied().unwrap_or(0)
    }

    /// Whether the worker makes instances that are to wait, as far as it has said: a message that
    /// comes now would have to share the processor with that.
    pub(crate) fn is_making(&self) -> bool {
        let state = self.state();
        let mut kept = state.kept_waiting.iter();
        kept.any(|(program, wanted)| state.waiting.get(program).copied().unwrap_or(0) < *wanted)
    }
}
