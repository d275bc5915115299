//! The worker as a whole: the real executable, spoken to in its own protocol.

mod commands;
mod components;
mod files;
mod fixtures;
mod harness;
mod limits;
mod refusals;
