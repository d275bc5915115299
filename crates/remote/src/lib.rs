//! The host's side of a sandbox whose program runs behind a boundary with a kernel of its own.
//!
//! Behind the boundary, an **agent** of Atoll's runs one job. This crate owns what the host and the
//! agent say to each other ([`protocol`]), the order and the bounds that it holds an agent to, and
//! [`Remote`], which is a [`Sandbox`](atoll_sandbox::Sandbox) made of an [`Agent`] and of what the
//! boundary's owner can do from [`Outside`]. It does not know what the boundary is.
//!
//! An agent may have been taken over by its program. So what it says is read in bounded memory,
//! counts only where it fits what it was told, and anything else ends the boundary.

mod agent;
mod driver;
mod ledger;
mod outside;
pub mod protocol;
mod remote;
mod wire;

pub use agent::{Agent, AgentError};
pub use ledger::{Breach, Ledger, Step};
pub use outside::Outside;
pub use remote::Remote;
pub use wire::{WireReader, WireWriter, wire};
