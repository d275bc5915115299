//! Sandboxes that are made before they are needed.
//!
//! Owns which kinds of sandboxes wait, how many, and for how long: a pool for each [`Key`], a
//! target for each pool that follows demand, and a bound on memory for all of them together. It
//! does not know how a backend isolates, what a message is, or why it was decided what to take.
//!
//! ```text
//! take ---> hit: a sandbox that waits        and either way demand is noted and the pool refilled:
//!      `--> miss: none; make one yourself    create, warm, wait
//! ```
//!
//! A sandbox in a pool has seen no message, or none but such of its tenant whose policy lets them
//! share one; then it was renewed since, and it comes back for as many as its [`Key`] says:
//!
//! ```text
//! bring back ---> renew ---> wait
//!                    `-----> destroy, when that fails or none is wanted
//! ```

mod demand;
mod key;
mod lease;
mod pool;
mod pools;
mod report;

pub use key::Key;
pub use lease::{Lease, Taken};
pub use pools::{Options, Pools};
pub use report::PoolReport;
