//! The names a condition may use, and the values they have for one message.
//!
//! One table holds each name with its type, its range, the phrase that explanations use and the
//! way to its value; checking, evaluation, explanation and the documentation test all read it.
//! Values are looked up only when a condition refers to them.

use std::collections::BTreeSet;

use atoll_types::{
    Capability, Confidence, Dependency, DependencySource, ExecutionClass, Level, Origin,
    ProfileSource, ProgramKind, ResourceEstimate, SecurityFlag, Trust,
};

use crate::DecisionInput;
use crate::risk::PARTS;

/// A name that a condition may use.
#[derive(Debug)]
pub(crate) struct Name {
    /// As conditions write it.
    pub(crate) text: &'static str,
    /// The type of its values.
    pub(crate) kind: Kind,
    /// As explanations say it.
    pub(crate) phrase: &'static str,
    value: for<'a> fn(&DecisionInput<'a>) -> Fact<'a>,
}

/// The type of a name.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Kind {
    /// A whole number from 0 up to the bound, in a unit.
    Whole(Unit, u64),
    /// A number with decimals, from 0 up to the bound.
    Number(f64),
    /// A text out of a vocabulary.
    Text(Words),
    /// True or false; with the phrase for false, as the name's own phrase is the one for true.
    Flag(&'static str),
    /// A list of texts out of a vocabulary.
    List(Words),
}

/// How a whole number is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    /// A plain count.
    Count,
    /// Bytes.
    Bytes,
    /// Microseconds.
    Microseconds,
}

/// Which texts there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Words {
    /// Any text.
    Any,
    /// [`ProgramKind`].
    Kinds,
    /// [`ExecutionClass`].
    Classes,
    /// [`Capability`].
    Capabilities,
    /// [`Confidence`].
    Confidences,
    /// [`Trust`].
    Trusts,
    /// [`Origin`].
    Origins,
    /// [`Level`].
    Levels,
    /// [`ProfileSource`].
    Sources,
}

impl Words {
    /// All words of a closed vocabulary; `None` where any text may stand.
    pub(crate) fn all(self) -> Option<Vec<&'static str>> {
        match self {
            Self::Any => None,
            Self::Kinds => Some(ProgramKind::ALL.iter().map(|kind| kind.name()).collect()),
            Self::Classes => Some(CLASSES.iter().map(|class| class.name()).collect()),
            Self::Capabilities => Some(
                Capability::ALL
                    .iter()
                    .map(|capability| capability.name())
                    .collect(),
            ),
            Self::Confidences => Some(CONFIDENCES.iter().map(|it| confidence_name(*it)).collect()),
            Self::Trusts => Some(TRUSTS.iter().map(|trust| trust.name()).collect()),
            Self::Origins => Some(ORIGINS.iter().map(|origin| origin_name(*origin)).collect()),
            Self::Levels => Some(Level::ALL.iter().map(|level| level.name()).collect()),
            Self::Sources => Some(SOURCES.into()),
        }
    }

    /// What one word is called in messages.
    pub(crate) const fn noun(self) -> &'static str {
        match self {
            Self::Any => "text",
            Self::Kinds => "program kind",
            Self::Classes => "execution class",
            Self::Capabilities => "capability",
            Self::Confidences => "confidence",
            Self::Trusts => "trust",
            Self::Origins => "origin",
            Self::Levels => "level",
            Self::Sources => "source of an estimate",
        }
    }
}

const CLASSES: [ExecutionClass; 5] = [
    ExecutionClass::Trivial,
    ExecutionClass::Short,
    ExecutionClass::Medium,
    ExecutionClass::Long,
    ExecutionClass::Unbounded,
];
const CONFIDENCES: [Confidence; 3] = [Confidence::Low, Confidence::Medium, Confidence::High];
pub(crate) const TRUSTS: [Trust; 3] = [Trust::Unknown, Trust::Known, Trust::Trusted];
const ORIGINS: [Origin; 3] = [Origin::CommandLine, Origin::Api, Origin::Anonymous];

/// Where estimates come from, as conditions say it.
const SOURCES: [&str; 4] = ["history", "trial", "model", "table"];

const fn source_name(source: &ProfileSource) -> &'static str {
    match source {
        ProfileSource::History { .. } => "history",
        ProfileSource::Trial { .. } => "trial",
        ProfileSource::Model => "model",
        ProfileSource::Table { .. } => "table",
    }
}

const fn confidence_name(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::Low => "low",
        Confidence::Medium => "medium",
        Confidence::High => "high",
    }
}

const fn origin_name(origin: Origin) -> &'static str {
    match origin {
        Origin::CommandLine => "command-line",
        Origin::Api => "api",
        Origin::Anonymous => "anonymous",
    }
}

/// The value of a name for one message.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Fact<'a> {
    /// A whole number.
    Whole(u64),
    /// A finite number.
    Number(f64),
    /// A text.
    Text(&'a str),
    /// True or false.
    Flag(bool),
    /// A list of texts.
    List(List<'a>),
}

/// A list of texts, in the shape it has in the message: nothing is copied to ask for a member.
#[derive(Debug, Clone, Copy)]
pub(crate) enum List<'a> {
    Capabilities(&'a BTreeSet<Capability>),
    Dependencies(&'a [Dependency]),
    ThirdParty(&'a [Dependency]),
    Texts(&'a BTreeSet<String>),
    Flags(&'a [SecurityFlag]),
    Levels(&'a BTreeSet<Level>),
}

impl List<'_> {
    /// Whether the list has this text.
    pub(crate) fn has(self, text: &str) -> bool {
        match self {
            Self::Capabilities(set) => set.iter().any(|capability| capability.name() == text),
            Self::Dependencies(all) => all.iter().any(|dependency| dependency.name == text),
            Self::ThirdParty(all) => all
                .iter()
                .any(|dependency| is_third_party(dependency) && dependency.name == text),
            Self::Texts(set) => set.contains(text),
            Self::Flags(all) => all.iter().any(|flag| flag.name == text),
            Self::Levels(set) => set.iter().any(|level| level.name() == text),
        }
    }

    /// The number of texts.
    pub(crate) fn len(self) -> usize {
        match self {
            Self::Capabilities(set) => set.len(),
            Self::Dependencies(all) => all.len(),
            Self::ThirdParty(all) => all.iter().filter(|it| is_third_party(it)).count(),
            Self::Texts(set) => set.len(),
            Self::Flags(all) => all.len(),
            Self::Levels(set) => set.len(),
        }
    }
}

fn is_third_party(dependency: &Dependency) -> bool {
    dependency.source == DependencySource::ThirdParty
}

impl Name {
    /// Finds a name by its text.
    pub(crate) fn find(text: &str) -> Option<&'static Self> {
        let index = NAMES.binary_search_by(|name| name.text.cmp(text)).ok()?;
        NAMES.get(index)
    }

    /// Every name, sorted.
    pub(crate) fn all() -> impl Iterator<Item = &'static Self> {
        NAMES.iter()
    }

    /// Its value for one message.
    pub(crate) fn value<'a>(&self, input: &DecisionInput<'a>) -> Fact<'a> {
        (self.value)(input)
    }
}

/// A part of the risk by its index in [`PARTS`]. A part that is missing or not a number counts as
/// the worst: rules that ask for it were written to be strict.
fn risk_part(input: &DecisionInput<'_>, index: usize) -> Fact<'static> {
    let part = PARTS.get(index).and_then(|name| {
        let mut parts = input.risk.parts.iter();
        parts.find(|part| part.name == *name)
    });
    Fact::Number(sane(part.map_or(1.0, |part| part.value)))
}

/// Anything but a number in [0, 1] is no risk that was assessed, and counts as the worst.
fn sane(risk: f64) -> f64 {
    if (0.0..=1.0).contains(&risk) {
        risk
    } else {
        1.0
    }
}

/// Likewise for complexity, in [0, 100].
fn complexity(score: f64) -> f64 {
    if (0.0..=100.0).contains(&score) {
        score
    } else {
        100.0
    }
}

fn lowest_confidence(input: &DecisionInput<'_>) -> Confidence {
    let profile = input.profile;
    [
        &profile.cpu_demand,
        &profile.memory_footprint,
        &profile.io_intensity.written_bytes,
    ]
    .map(|estimate| estimate.confidence)
    .into_iter()
    .min()
    .unwrap_or(Confidence::Low)
}

/// Earlier runs behind an estimate.
fn runs(estimate: &ResourceEstimate) -> u64 {
    match &estimate.source {
        ProfileSource::History { runs } => *runs,
        ProfileSource::Trial { .. } | ProfileSource::Model | ProfileSource::Table { .. } => 0,
    }
}

const fn rank(value: usize) -> Fact<'static> {
    Fact::Whole(value as u64)
}

const ANY: u64 = u64::MAX;
const COUNT: Kind = Kind::Whole(Unit::Count, ANY);
const BYTES: Kind = Kind::Whole(Unit::Bytes, ANY);
const MICROSECONDS: Kind = Kind::Whole(Unit::Microseconds, ANY);
const SHARE: Kind = Kind::Number(1.0);

const fn name(
    text: &'static str,
    kind: Kind,
    phrase: &'static str,
    value: for<'a> fn(&DecisionInput<'a>) -> Fact<'a>,
) -> Name {
    Name {
        text,
        kind,
        phrase,
        value,
    }
}

/// Every name, sorted by text.
#[rustfmt::skip]
static NAMES: [Name; 50] = [
    name("analysis.analyzed", Kind::Flag("part of the program was not understood"),
        "the program was understood in full",
        |input| Fact::Flag(input.analysis.is_complete())),
    name("analysis.capabilities", Kind::List(Words::Capabilities), "the program's capabilities",
        |input| Fact::List(List::Capabilities(&input.analysis.capabilities))),
    name("analysis.code_bytes", BYTES, "the program's size",
        |input| Fact::Whole(input.analysis.code_bytes)),
    name("analysis.complexity", Kind::Number(100.0), "the program's complexity",
        |input| Fact::Number(complexity(input.analysis.complexity.score))),
    name("analysis.declared_memory_bytes", BYTES, "the memory the program declares",
        |input| Fact::Whole(input.analysis.declared_memory_bytes.unwrap_or(0))),
    name("analysis.dependencies", Kind::List(Words::Any), "the program's dependencies",
        |input| Fact::List(List::Dependencies(&input.analysis.dependencies))),
    name("analysis.disguised", Kind::List(Words::Any), "the names it reaches without spelling them",
        |input| Fact::List(List::Texts(&input.analysis.disguised))),
    name("analysis.execution_class", Kind::Text(Words::Classes), "the execution class",
        |input| Fact::Text(input.analysis.execution_class.name())),
    name("analysis.execution_class_rank", Kind::Whole(Unit::Count, 4), "the execution class's rank",
        |input| rank(input.analysis.execution_class as usize)),
    name("analysis.functions", COUNT, "the number of functions",
        |input| Fact::Whole(input.analysis.functions)),
    name("analysis.host_calls", Kind::List(Words::Any), "the program's calls to the host",
        |input| Fact::List(List::Texts(&input.analysis.host_calls))),
    name("analysis.instructions", COUNT, "the number of instructions",
        |input| Fact::Whole(input.analysis.instructions)),
    name("analysis.kind", Kind::Text(Words::Kinds), "the program's kind",
        |input| Fact::Text(input.analysis.kind.name())),
    name("analysis.lines", COUNT, "the number of lines",
        |input| Fact::Whole(input.analysis.lines)),
    name("analysis.loop_nesting", COUNT, "the nesting of loops",
        |input| Fact::Whole(input.analysis.loop_nesting_max.into())),
    name("analysis.loops", COUNT, "the number of loops",
        |input| Fact::Whole(input.analysis.loops)),
    name("analysis.recursion", Kind::Flag("the program has no recursion"),
        "the program has recursion",
        |input| Fact::Flag(input.analysis.recursion)),
    name("analysis.third_party", Kind::List(Words::Any), "the program's third-party dependencies",
        |input| Fact::List(List::ThirdParty(&input.analysis.dependencies))),
    name("host.keeps_ready", Kind::Flag("this process keeps no workers for messages to come"),
        "this process keeps workers for messages to come",
        |input| Fact::Flag(input.host.keeps_ready())),
    name("host.levels", Kind::List(Words::Levels), "the levels that this host has for the program",
        |input| Fact::List(List::Levels(input.host.levels()))),
    name("instance.compiled", Kind::Flag("its interpreter for WebAssembly is not compiled yet"),
        "its interpreter for WebAssembly is compiled",
        |input| Fact::Flag(input.host.is_compiled())),
    name("instance.differs", Kind::Text(Words::Any), "what may differ for it on WebAssembly",
        |input| Fact::Text(input.host.differs_at_instance())),
    name("instance.lacks", Kind::Text(Words::Any), "what the program lacks on WebAssembly",
        |input| Fact::Text(input.host.lacks_at_instance())),
    name("message.input_bytes", BYTES, "the input's size",
        |input| Fact::Whole(input.input_bytes)),
    name("message.origin", Kind::Text(Words::Origins), "the message's origin",
        |input| Fact::Text(origin_name(input.origin))),
    name("message.sample_bytes", BYTES, "the sample's size",
        |input| Fact::Whole(input.sample_bytes)),
    name("profile.confidence", Kind::Text(Words::Confidences), "the profile's confidence",
        |input| Fact::Text(confidence_name(lowest_confidence(input)))),
    name("profile.confidence_rank", Kind::Whole(Unit::Count, 2), "the profile's confidence rank",
        |input| rank(lowest_confidence(input) as usize)),
    name("profile.cpu_p50_us", MICROSECONDS, "the predicted median CPU time",
        |input| Fact::Whole(input.profile.cpu_demand.quantiles.p50)),
    name("profile.cpu_p90_us", MICROSECONDS, "the predicted p90 of CPU time",
        |input| Fact::Whole(input.profile.cpu_demand.quantiles.p90)),
    name("profile.cpu_p99_us", MICROSECONDS, "the predicted p99 of CPU time",
        |input| Fact::Whole(input.profile.cpu_demand.quantiles.p99)),
    name("profile.cpu_source", Kind::Text(Words::Sources), "the source of the predicted CPU time",
        |input| Fact::Text(source_name(&input.profile.cpu_demand.source))),
    name("profile.flags", Kind::List(Words::Any), "the profile's security flags",
        |input| Fact::List(List::Flags(&input.profile.security_flags))),
    name("profile.io_p50_bytes", BYTES, "the predicted median of bytes written",
        |input| Fact::Whole(input.profile.io_intensity.written_bytes.quantiles.p50)),
    name("profile.io_p90_bytes", BYTES, "the predicted p90 of bytes written",
        |input| Fact::Whole(input.profile.io_intensity.written_bytes.quantiles.p90)),
    name("profile.io_p99_bytes", BYTES, "the predicted p99 of bytes written",
        |input| Fact::Whole(input.profile.io_intensity.written_bytes.quantiles.p99)),
    name("profile.memory_p50_bytes", BYTES, "the predicted median of peak memory",
        |input| Fact::Whole(input.profile.memory_footprint.quantiles.p50)),
    name("profile.memory_p90_bytes", BYTES, "the predicted p90 of peak memory",
        |input| Fact::Whole(input.profile.memory_footprint.quantiles.p90)),
    name("profile.memory_p99_bytes", BYTES, "the predicted p99 of peak memory",
        |input| Fact::Whole(input.profile.memory_footprint.quantiles.p99)),
    name("profile.runs", COUNT, "the number of runs behind the profile",
        |input| Fact::Whole(runs(&input.profile.cpu_demand))),
    name("risk.analysis", SHARE, "the risk from the program's content",
        |input| risk_part(input, 5)),
    name("risk.bursts", SHARE, "the risk from bursts",
        |input| risk_part(input, 4)),
    name("risk.novelty", SHARE, "the risk from novelty",
        |input| risk_part(input, 3)),
    name("risk.origin", SHARE, "the risk from the message's origin",
        |input| risk_part(input, 0)),
    name("risk.program_history", SHARE, "the risk from the program's history",
        |input| risk_part(input, 2)),
    name("risk.score", SHARE, "the risk score",
        |input| Fact::Number(sane(input.risk.score))),
    name("risk.tenant_history", SHARE, "the risk from the tenant's history",
        |input| risk_part(input, 1)),
    name("tenant.id", Kind::Text(Words::Any), "the tenant",
        |input| Fact::Text(input.tenant.as_str())),
    name("tenant.trust", Kind::Text(Words::Trusts), "the tenant's trust",
        |input| Fact::Text(input.trust.name())),
    name("tenant.trust_rank", Kind::Whole(Unit::Count, 2), "the tenant's trust rank",
        |input| rank(input.trust as usize)),
];
