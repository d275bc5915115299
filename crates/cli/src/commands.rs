//! The commands, a file each.

mod calls;
mod completion;
mod doctor;
pub(crate) mod explain;
mod fitted;
mod history;
mod policy;
pub(crate) mod profile;
mod run;

pub(crate) use completion::completion;
pub(crate) use doctor::doctor;
pub(crate) use explain::explain;
pub(crate) use history::history;
pub(crate) use policy::policy;
pub(crate) use profile::profile;
pub(crate) use run::run;
