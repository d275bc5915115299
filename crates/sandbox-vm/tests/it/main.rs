//! The `vm` level with real machines. Needs root, QEMU and the guest image (`make guest`).
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod clones;
mod conformance;
mod hostile;
mod support;
