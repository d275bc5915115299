//! What the stores of one message call in each other.

use serde::{Deserialize, Serialize};

/// Stores that a message has in one worker besides its program's, and calls out of all of them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Links {
    /// The stores. One that calls another comes after it.
    pub stores: Vec<PartStore>,
    /// What the program's own store calls outside itself.
    pub calls: Vec<CallOut>,
    /// Time for one call, in microseconds.
    pub call_time_us: u64,
}

impl Links {
    /// Whether the program's store is all there is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.stores.is_empty() && self.calls.is_empty()
    }
}

/// A store that is called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartStore {
    /// The loaded program in it, of the kind [`super::GuestKind::Parts`].
    pub program: u64,
    /// What its parts are called; their first argument.
    pub name: String,
    /// What it calls outside itself.
    pub calls: Vec<CallOut>,
    /// From where it takes calls.
    pub callers: Vec<Caller>,
}

/// A store of another process, and what it may call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caller {
    /// The message's stream on which its calls come.
    pub stream: u32,
    /// Interfaces, by the names under which they are exported.
    pub interfaces: Vec<String>,
}

/// An interface that a store calls in another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallOut {
    /// As the store imports it.
    pub interface: String,
    /// As the other store exports it.
    pub exported_as: String,
    /// Where the other store is.
    pub to: CallTarget,
}

/// Where a call goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum CallTarget {
    /// To the store with this number in [`Links::stores`].
    Store(u32),
    /// Into this one of the message's streams, to another process.
    Stream(u32),
}
