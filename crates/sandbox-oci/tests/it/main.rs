//! Real containers of the runtimes of this host. Needs root and `runsc`.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod conformance;
mod support;
