//! Providing from the real registries, in real jails. Needs root, the tools of
//! `scripts/provision-tools.sh`, and the network; `ATOLL_OFFLINE=1` says that there is none, and
//! then the tests that need it are left out and say so.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a test ends at the first surprise"
)]

mod javascript;
mod layers;
mod python;
mod support;
