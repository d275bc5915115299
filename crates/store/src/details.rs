//! The long parts of an outcome, as JSON of bounded size.
//!
//! Names and texts in an analysis come from programs nobody trusts, so lists and texts are cut,
//! and what is still too long is left out: a record is never lost for its length.

use std::collections::BTreeSet;

use atoll_types::calls::CallAudit;
use atoll_types::{
    Adaptation, Analysis, Decision, Enforcement, Outcome, Profile, ProfileSource, Risk, Split,
    Timings, Trial,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::codes::cut;

/// Entries kept of any list.
const LIST_MAX: usize = 64;
/// Records kept of calls.
const CALLS_MAX: usize = 32;
/// Bytes kept of any text inside a list.
const TEXT_BYTES_MAX: usize = 256;
/// Bytes of the whole JSON text. A usual one has 3 to 6 KiB.
const JSON_BYTES_MAX: usize = 32 << 10;

/// The long parts of an outcome, as they are stored.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Details {
    /// What analysis found, with its lists cut to 64 entries.
    pub analysis: Option<Analysis>,
    /// What risk assessment found.
    pub risk: Option<Risk>,
    /// What was predicted, with its lists cut to 64 entries.
    pub profile: Option<Profile>,
    /// What was decided.
    pub decision: Option<Decision>,
    /// What was enforced.
    pub enforcement: Option<Enforcement>,
    /// What was called, with the first 32 records.
    pub calls: Option<CallAudit>,
    /// How its environment was fitted to it.
    pub adaptation: Option<Adaptation>,
    /// What short runs before it told.
    pub trial: Option<Trial>,
    /// How long each stage of the way took.
    pub timings_us: Timings,
    /// Whether something was cut or left out before storing.
    pub shortened: bool,
    /// Parts that were stored in a form this version of Atoll does not know, by name.
    pub unreadable: Vec<&'static str>,
}

#[derive(Serialize, Default)]
struct Written<'a> {
    analysis: Option<&'a Analysis>,
    risk: Option<&'a Risk>,
    profile: Option<&'a Profile>,
    decision: Option<&'a Decision>,
    enforcement: Option<&'a Enforcement>,
    #[serde(skip_serializing_if = "Option::is_none")]
    calls: Option<&'a CallAudit>,
    #[serde(skip_serializing_if = "Option::is_none")]
    adaptation: Option<&'a Adaptation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trial: Option<&'a Trial>,
    timings_us: Option<&'a Timings>,
    shortened: bool,
}

/// Every part on its own, so that a part in another version's form does not hide the others.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Read {
    analysis: Value,
    risk: Value,
    profile: Value,
    decision: Value,
    enforcement: Value,
    calls: Value,
    adaptation: Value,
    trial: Value,
    timings_us: Value,
    shortened: bool,
}

/// The JSON text for an outcome, at most 32 KiB.
pub(crate) fn encode(outcome: &Outcome) -> String {
    let analysis = outcome.analysis.as_ref().map(cut_analysis);
    let risk = outcome.risk.as_ref().map(cut_risk);
    let profile = outcome.profile.as_ref().map(cut_profile);
    let decision = outcome.decision.as_ref().map(cut_decision);
    let enforcement = outcome.enforcement.as_ref().map(cut_enforcement);
    let calls = outcome
        .calls
        .as_ref()
        .map(|calls| cut_calls(calls, CALLS_MAX));
    let counts = outcome.calls.as_ref().map(|calls| cut_calls(calls, 0));
    let whole = Written {
        shortened: analysis != outcome.analysis
            || risk != outcome.risk
            || profile != outcome.profile
            || decision != outcome.decision
            || enforcement != outcome.enforcement
            || calls != outcome.calls,
        analysis: analysis.as_ref(),
        risk: risk.as_ref(),
        profile: profile.as_ref(),
        decision: decision.as_ref(),
        enforcement: enforcement.as_ref(),
        calls: calls.as_ref(),
        adaptation: outcome.adaptation.as_ref(),
        trial: outcome.trial.as_ref(),
        timings_us: Some(&outcome.timings_us),
    };
    // What a program can make long goes first, then everything.
    let without_program = Written {
        analysis: None,
        profile: None,
        calls: counts.as_ref(),
        adaptation: None,
        trial: None,
        shortened: true,
        ..whole
    };
    let nothing = Written {
        shortened: true,
        ..Written::default()
    };
    [whole, without_program, nothing]
        .iter()
        .filter_map(|written| serde_json::to_string(written).ok())
        .find(|json| json.len() <= JSON_BYTES_MAX)
        .unwrap_or_else(|| "{}".to_owned())
}

/// The parts back. `None` when the text is no JSON object, which this program never writes.
pub(crate) fn decode(json: &str) -> Option<Details> {
    let read: Read = serde_json::from_str(json).ok()?;
    let mut unreadable = Vec::new();
    let details = Details {
        analysis: part("analysis", read.analysis, &mut unreadable),
        risk: part("risk", read.risk, &mut unreadable),
        profile: part("profile", read.profile, &mut unreadable),
        decision: part("decision", read.decision, &mut unreadable),
        enforcement: part("enforcement", read.enforcement, &mut unreadable),
        calls: part("calls", read.calls, &mut unreadable),
        adaptation: part("adaptation", read.adaptation, &mut unreadable),
        trial: part("trial", read.trial, &mut unreadable),
        timings_us: part("timings_us", read.timings_us, &mut unreadable).unwrap_or_default(),
        shortened: read.shortened,
        unreadable: Vec::new(),
    };
    Some(Details {
        unreadable,
        ..details
    })
}

fn part<T: DeserializeOwned>(
    name: &'static str,
    value: Value,
    unreadable: &mut Vec<&'static str>,
) -> Option<T> {
    if value.is_null() {
        return None;
    }
    let part = serde_json::from_value(value).ok();
    if part.is_none() {
        unreadable.push(name);
    }
    part
}

fn cut_analysis(analysis: &Analysis) -> Analysis {
    let mut short = Analysis {
        literals: first(&analysis.literals),
        dependencies: first(&analysis.dependencies),
        host_calls: first_texts(&analysis.host_calls),
        disguised: first_texts(&analysis.disguised),
        problems: first(&analysis.problems),
        ..analysis.clone()
    };
    short.complexity.parts.truncate(LIST_MAX);
    short.literals.iter_mut().for_each(|l| shorten(&mut l.role));
    short
        .dependencies
        .iter_mut()
        .for_each(|dependency| shorten(&mut dependency.name));
    short
        .problems
        .iter_mut()
        .for_each(|problem| shorten(&mut problem.message));
    for part in &mut short.complexity.parts {
        shorten(&mut part.name);
        shorten(&mut part.because);
    }
    short
}

fn cut_risk(risk: &Risk) -> Risk {
    let mut short = Risk {
        score: risk.score,
        parts: first(&risk.parts),
    };
    for part in &mut short.parts {
        shorten(&mut part.name);
        shorten(&mut part.because);
    }
    short
}

fn cut_profile(profile: &Profile) -> Profile {
    let mut short = profile.clone();
    for estimate in [
        &mut short.cpu_demand,
        &mut short.memory_footprint,
        &mut short.io_intensity.operations,
        &mut short.io_intensity.read_bytes,
        &mut short.io_intensity.written_bytes,
    ] {
        if let ProfileSource::Table { rows } = &mut estimate.source {
            rows.truncate(LIST_MAX);
            rows.iter_mut().for_each(shorten);
        }
    }
    shorten(&mut short.io_intensity.network.because);
    short.security_flags.truncate(LIST_MAX);
    for flag in &mut short.security_flags {
        shorten(&mut flag.name);
        shorten(&mut flag.because);
    }
    short.dependencies = profile
        .dependencies
        .iter()
        .take(LIST_MAX)
        .cloned()
        .collect();
    if short
        .dependencies
        .iter()
        .any(|dependency| dependency.name.len() > TEXT_BYTES_MAX)
    {
        let cut_names = short.dependencies.iter().cloned().map(|mut dependency| {
            shorten(&mut dependency.name);
            dependency
        });
        short.dependencies = cut_names.collect();
    }
    short
}

fn cut_decision(decision: &Decision) -> Decision {
    let mut short = decision.clone();
    shorten(&mut short.rule);
    short.network.truncate(LIST_MAX);
    short
        .network
        .iter_mut()
        .for_each(|grant| shorten(&mut grant.host));
    short.reasons.truncate(LIST_MAX);
    for reason in &mut short.reasons {
        shorten(&mut reason.from);
        shorten(&mut reason.text);
    }
    if let Some(split) = &mut short.split {
        cut_split(split);
    }
    short
}

fn cut_split(split: &mut Split) {
    split.groups.truncate(LIST_MAX);
    for group in &mut split.groups {
        for names in [&mut group.parts, &mut group.sources] {
            names.truncate(LIST_MAX);
            names.iter_mut().for_each(shorten);
        }
    }
    split.crossings.truncate(LIST_MAX);
    for crossing in &mut split.crossings {
        shorten(&mut crossing.caller);
        shorten(&mut crossing.callee);
        shorten(&mut crossing.interface);
        shorten(&mut crossing.exported_as);
    }
    split.entry.iter_mut().for_each(shorten);
}

fn cut_enforcement(enforcement: &Enforcement) -> Enforcement {
    let mut short = enforcement.clone();
    short.layers.truncate(LIST_MAX);
    short
        .layers
        .iter_mut()
        .for_each(|layer| shorten(&mut layer.detail));
    short
}

/// Every count, and so many of the records.
fn cut_calls(calls: &CallAudit, records_max: usize) -> CallAudit {
    let records: Vec<_> = calls.records.iter().take(records_max).cloned().collect();
    CallAudit {
        records_left_off: calls.total().saturating_sub(records.len() as u64),
        counts: calls.counts.clone(),
        records,
    }
}

fn first<T: Clone>(list: &[T]) -> Vec<T> {
    list.iter().take(LIST_MAX).cloned().collect()
}

fn first_texts(texts: &BTreeSet<String>) -> BTreeSet<String> {
    texts
        .iter()
        .take(LIST_MAX)
        .map(|text| cut(text, TEXT_BYTES_MAX))
        .collect()
}

fn shorten(text: &mut String) {
    if text.len() > TEXT_BYTES_MAX {
        *text = cut(text, TEXT_BYTES_MAX);
    }
}

#[cfg(test)]
mod tests;
