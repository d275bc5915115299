//! The `vm` level with real machines. Needs root, QEMU and the guest image (`make guest`).
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test may panic, and says when it is skipped"
)]

mod clones;
mod conformance;
mod dependencies;
mod hostile;
mod kept;
mod support;
