//! What a pool says about itself.

use std::time::Duration;

use crate::Key;

/// One pool, at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct PoolReport {
    /// Which sandboxes it holds.
    pub key: Key,
    /// Sandboxes that wait.
    pub idle: usize,
    /// Sandboxes that are being made.
    pub making: usize,
    /// Sandboxes that should wait.
    pub target: usize,
    /// Sandboxes wanted a second, lately.
    pub rate: f64,
    /// How often one was there when it was wanted.
    pub hits: u64,
    /// How often none was.
    pub misses: u64,
    /// Sandboxes that serve a message now and may come back.
    pub lent: usize,
    /// How often one that had served before was taken; such are among the hits.
    pub reuses: u64,
    /// How often one that came back could not be renewed, and was destroyed.
    pub renewal_failures: u64,
    /// Why, the last time.
    pub renewal_failure: Option<String>,
    /// Sandboxes that were made.
    pub made: u64,
    /// Attempts to make one that failed.
    pub failures: u64,
    /// How long making one takes, lately.
    pub making_time: Duration,
    /// Memory that each sandbox takes while it waits, in bytes; none while none waits.
    pub idle_bytes_each: Option<u64>,
    /// Why the pool cannot be filled, when the last attempt failed.
    pub failure: Option<String>,
}
