//! Judges risk, and decides how strongly each message is isolated.
//!
//! [`assess`] turns what is known of a sender and a program into a [`Risk`](atoll_types::Risk);
//! [`Policy::decide`] turns analysis, risk, profile and the caller's request into a
//! [`Decision`](atoll_types::Decision) with its reasons, by ordered rules that an operator can
//! read and write; [`check`] finds what is wrong with a file of such rules.
//!
//! The crate is pure: no input or output, no clock, no randomness. It knows levels, not sandboxes:
//! whether this host can enforce a decision is for the backends to say, and a message they cannot
//! isolate as decided is refused.

mod change;
mod condition;
mod decide;
mod diagnostic;
mod facts;
mod host;
mod limits;
mod lint;
mod packages;
mod policy;
mod read;
mod risk;
mod system_calls;
#[cfg(test)]
mod testing;
mod text;

pub use decide::{DecisionInput, Denied, Request};
pub use diagnostic::{Diagnostic, Severity};
pub use host::Host;
pub use packages::{AllowedPackages, Packages};
pub use policy::{Policy, RuleSummary, check};
pub use risk::{RiskInput, assess};
