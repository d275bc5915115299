//! Calls between the parts of a program, by every way there is, with parts that behave and parts
//! that do not.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test ends at the first surprise"
)]

mod composing;
mod faults;
mod harness;
mod hostile;
mod partitioned;
mod processes;
mod values;
