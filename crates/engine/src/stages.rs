//! The stages of a message's way, a file each. `way` has their order.

mod analyze;
mod collect;
mod decide;
mod fit;
mod host;
mod predict;
mod provide;
mod record;
mod risk;
mod run;
mod split;
mod take;
mod trial;

pub(crate) use analyze::analyze;
pub(crate) use collect::{Given, collect, given};
pub(crate) use decide::{decide, denial, input_bytes, question};
pub(crate) use fit::{Fitted, expected, reserve};
pub(crate) use host::OnHost;
pub(crate) use predict::{PAST_RUNS_MAX, predict};
pub(crate) use provide::{environment, imported_ahead, no_backend, provide};
pub(crate) use record::{accept, finish};
pub(crate) use risk::{Judged, risk};
pub(crate) use run::{job, not_started, run};
pub(crate) use split::split;
pub(crate) use take::{Around, Taken, begin, make, take, turn};
pub use trial::piece;
pub(crate) use trial::{Once, Place, once, trial};

/// The names of the stages, as they stand in timings.
pub(crate) mod stage {
    pub(crate) const ANALYZE: &str = "analyze";
    pub(crate) const RISK: &str = "risk";
    pub(crate) const PREDICT: &str = "predict";
    pub(crate) const DECIDE: &str = "decide";
    pub(crate) const TRIAL: &str = "trial";
    pub(crate) const PROVIDE: &str = "provide";
    pub(crate) const TAKE: &str = "take";
    pub(crate) const RUN: &str = "run";
    pub(crate) const COLLECT: &str = "collect";
    pub(crate) const DESTROY: &str = "destroy";
    pub(crate) const RECORD: &str = "record";
}
