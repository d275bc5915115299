//! The nouns every part of Atoll shares, and nothing else.
//!
//! This crate owns the shapes that travel along the way of a message: [`Message`] and [`Program`]
//! go in, [`Analysis`], [`Risk`], [`Profile`] and [`Decision`] are made of it, and one [`Outcome`]
//! comes out. It has no input or output, no clock and no randomness of its own, and it knows no
//! other crate of the workspace.

mod adaptation;
mod analysis;
mod bytes;
pub mod calls;
mod collection;
mod decision;
mod enforcement;
mod id;
mod limits;
mod message;
mod outcome;
mod parts;
mod profile;
mod risk;
mod split;
mod trial;
mod usage;

pub use adaptation::{
    Adaptation, Adjusted, Adjustment, Deviation, DeviationAction, DeviationKind, RunEvent,
};
pub use analysis::{
    Analysis, Capability, Complexity, ComplexityPart, Dependency, DependencySource, ExecutionClass,
    Literal, Problem,
};
pub use bytes::{EncodedBytes, Encoding};
pub use collection::{CollectedFile, Collection, SkipReason, SkippedFile};
pub use decision::{Decision, Level, NetworkGrant, Reason, Sharing, SystemCalls};
pub use enforcement::{Enforcement, Layer, LayerReport, LayerState};
pub use id::{InvalidId, MessageId, ProgramHash, TenantId};
pub use limits::{LimitHit, LimitName, Limits};
pub use message::{Content, InputFile, Message, Origin, Program, ProgramKind, Stdin};
pub use outcome::{Outcome, Past, PastBounds, PastRun, Status, Timings};
pub use parts::{Alone, Part, Parts, Provided};
pub use profile::{
    Confidence, IoIntensity, Lesson, NetworkIntensity, Profile, ProfileSource, Quantiles,
    ResourceEstimate, SecurityFlag, Told,
};
pub use risk::{Event, EventKind, Risk, RiskPart, SenderHistory, Trust};
pub use split::{Basis, Crossing, Group, Means, Split};
pub use trial::{Trial, TrialEnd, TrialRun};
pub use usage::{IoUsage, Usage};
