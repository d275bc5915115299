//! Guests as a whole: real modules and components over the host side.
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test may panic")]

mod components;
mod figures;
mod gate;
mod guest;
mod hostile;
mod modules;
mod programs;
mod streams;
