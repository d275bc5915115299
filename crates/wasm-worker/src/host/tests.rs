//! Guests as a whole: real modules and components over the host side.
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test may panic")]

mod components;
mod guest;
mod modules;
mod programs;
mod streams;
