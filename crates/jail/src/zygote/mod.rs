//! Interpreters that fork one-shot copies of themselves.
//!
//! A zygote is an interpreter that has started inside a jail of its own and has run nothing of
//! anybody's. It forks copies; each copy moves into namespaces, cgroups and private files of its
//! own, gives up every right and then waits for one program. Seen from outside, a copy is a
//! [`Jail`] like any other, made in a fraction of the time.
//!
//! ```text
//! supervisor --Fork, descriptors--> zygote --clone3--> first process of the copy: only waits
//!            <-Spawned--------------       --fork----> the copy: joins, mounts, gives up
//!            <-Ready----------------------------------- and is an interpreter that waits
//!            <-Ended----------------  waits for it
//! ```
//!
//! `supervisor` is Atoll's own side; `serve` and `copy` run inside the interpreter's process.

mod copy;
mod serve;
mod supervisor;

pub use serve::{Hooks, Served, serve};
pub(crate) use supervisor::Slot;
pub use supervisor::{CopySpec, Zygote};
