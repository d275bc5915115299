//! Jails on the real kernel. Needs root and cgroups, and says so when they are missing.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod calls;
mod confinement;
mod io;
mod leavings;
mod lifecycle;
mod limits;
mod ordinary;
mod races;
mod renewal;
mod support;
mod way_out;
