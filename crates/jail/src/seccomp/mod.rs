//! System call filters: which calls a profile allows, and how that becomes a BPF program.
//!
//! [`profile`] owns the tables, [`compile`] the translation, [`filter`] what is made of both.
//! Filters are installed last, by the process they bind; [`narrow`] is for processes that bind
//! themselves further.

mod compile;
mod filter;
mod narrow;
mod profile;

pub use compile::{Action, FilterError, Rule, Test, compile};
pub use filter::Filter;
pub use narrow::Narrow;
pub use profile::{Profile, rules};

pub use crate::sys::Instruction;
