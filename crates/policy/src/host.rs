//! What a host has for the program of one message, as far as rules ask for it.

use std::collections::BTreeSet;
use std::fmt;

use atoll_types::Level;

/// Answers for one message. Finding out can take longer than the rest of a decision, so nobody is
/// asked but by a condition or a rule that wants to know, and whoever answers may remember.
pub trait Host: Sync {
    /// The levels that can be had for the program and what was asked of it, as far as that is known
    /// before one is tried.
    fn levels(&self) -> &BTreeSet<Level>;

    /// What the program would lack at the level `instance`, in words; empty when it would lack
    /// nothing.
    fn lacks_at_instance(&self) -> &str;

    /// What the program may find otherwise at the level `instance` than in the host's own
    /// interpreter, in words; empty when there is no sign of anything.
    fn differs_at_instance(&self) -> &str;

    /// Whether what the program would run in at the level `instance` is compiled.
    fn is_compiled(&self) -> bool;

    /// Whether sandboxes and workers are kept ready for messages to come.
    fn keeps_ready(&self) -> bool;
}

impl fmt::Debug for dyn Host + '_ {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Host").finish_non_exhaustive()
    }
}
