//! Fits a program's environment to it: before it starts, from its profile, and while it runs, from
//! what is seen.
//!
//! Two things are kept apart. A **limit** is what policy allows; the sandbox holds it, and nothing
//! here raises it. A **reservation** is what is set aside for a program of the memory that a node
//! has for all of them ([`Budget`]). It begins with what the profile expects, follows what the
//! program takes ([`Fitting`]), and goes back in the end. So a program is never ended because it
//! was expected to need less, and memory that nobody needs is not set aside.
//!
//! Where a node has no more, programs wait for their turn, and one that runs and needs more is held
//! back, with a bound on how long. What does not fit the profile at all is a
//! [deviation](atoll_types::Deviation), told once for each kind ([`Expectation`]).
//!
//! This crate reads no clock and touches no sandbox: whoever watches one asks it.

mod budget;
mod expect;
mod fitting;

pub use budget::{Budget, BudgetReport, Reservation, TooLarge};
pub use expect::Expectation;
pub use fitting::{Fitting, Seen, Step, reservation_bytes, starting_time};
