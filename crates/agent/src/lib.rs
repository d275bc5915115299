//! The agent: runs one job behind a boundary with a kernel of its own.
//!
//! It owns what happens there between the boundary and the sandbox inside it: the first process of
//! a virtual machine ([`machine`]), who the kernel is ([`identity`]), and the conversation with the
//! host ([`serve`]). How the program is run is the business of the backend that serves; what the
//! boundary is, only the first process of a virtual machine knows.

pub mod identity;
pub mod machine;
mod random;
pub mod serve;
mod volume;
