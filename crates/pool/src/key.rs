//! Which sandboxes can stand in for each other.

use std::collections::BTreeSet;

use atoll_sandbox::{Domain, Environment, Tenancy};
use atoll_types::{Layer, Level, Limits, Sharing, SystemCalls};

/// Sandboxes with the same key differ in nothing that cannot be changed when one is taken.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key {
    /// The boundary.
    pub level: Level,
    /// What a program finds around it.
    pub environment: Environment,
    /// Which system calls its program may make: whatever waits inside is bound already.
    pub system_calls: SystemCalls,
    /// Layers that it may lack, where the host cannot enforce them.
    pub accept_missing: BTreeSet<Layer>,
    /// Messages that each may serve one after the other, all of the environment's tenant.
    pub messages_max: u32,
    /// Whether sandboxes of the tenant's messages may have in common what is chosen at random when
    /// they start.
    pub shares: bool,
    size: Size,
}

/// Limits that are fixed once something runs inside. Memory and CPU share can be changed then;
/// wall time and output are held from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Size {
    cpu_time_ms: u64,
    processes: u32,
    disk_bytes: u64,
    disk_files: u64,
    open_files: u32,
}

impl Key {
    /// The key of sandboxes that can serve under these limits.
    #[must_use]
    pub const fn new(
        level: Level,
        environment: Environment,
        system_calls: SystemCalls,
        limits: &Limits,
    ) -> Self {
        Self {
            level,
            environment,
            system_calls,
            accept_missing: BTreeSet::new(),
            messages_max: 1,
            shares: false,
            size: Size {
                cpu_time_ms: limits.cpu_time_ms,
                processes: limits.processes,
                disk_bytes: limits.disk_bytes,
                disk_files: limits.disk_files,
                open_files: limits.open_files,
            },
        }
    }

    /// The same, of sandboxes for messages that share so much.
    #[must_use]
    pub fn sharing(self, sharing: Sharing) -> Self {
        Self {
            shares: sharing != Sharing::Message,
            ..self
        }
    }

    /// Whose messages sandboxes are made for.
    pub(crate) fn tenancy(&self) -> Tenancy {
        match self.shares {
            true => Tenancy {
                domain: Domain::Tenant(self.environment.tenant.clone()),
                messages_max: self.messages_max,
            },
            false => Tenancy::own(),
        }
    }

    /// The same, of sandboxes that may serve so many messages.
    #[must_use]
    pub fn serving(self, messages_max: u32) -> Self {
        Self {
            messages_max,
            ..self
        }
    }

    /// Whether sandboxes may serve another message after one.
    pub(crate) const fn renews(&self) -> bool {
        self.messages_max > 1
    }

    /// The same, of sandboxes that may lack these layers.
    #[must_use]
    pub fn accepting(self, accept_missing: BTreeSet<Layer>) -> Self {
        Self {
            accept_missing,
            ..self
        }
    }
}
