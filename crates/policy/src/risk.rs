//! Judges who sent a message and what they did before.
//!
//! [`assess`] gives a [`Risk`]: a score in [0, 1] and the six parts it is made of. Parts combine as
//! `1 - product(1 - part)`, as if each were the independent chance that the message means harm: a
//! part can only add to the score, and no number of small parts ever reaches 1.
//!
//! Evidence against a sender never lowers the score. Every part is built so that it can only rise
//! with another incident, another recent arrival, a worse origin, less trust or another
//! capability; property tests hold this. Time alone lowers it, as incidents fade.
//!
//! This module decides nothing; policy rules compare the score and its parts with thresholds.

mod conduct;
mod content;
mod rhythm;

use atoll_types::{Analysis, Origin, ProgramHash, Risk, RiskPart, SenderHistory, Trust};

/// What risk is judged from.
#[derive(Debug, Clone, Copy)]
pub struct RiskInput<'a> {
    /// How the message reached this node.
    pub origin: Origin,
    /// How well the tenant is known; see [`crate::Policy::trust`].
    pub trust: Trust,
    /// What the store remembers of the tenant and the program.
    pub history: &'a SenderHistory,
    /// What the program is.
    pub analysis: &'a Analysis,
    /// Identity of the program.
    pub program: ProgramHash,
    /// The present, in milliseconds since the Unix epoch.
    pub now_unix_ms: u64,
}

/// The names of the parts, in their order.
pub(crate) const PARTS: [&str; 6] = [
    "origin",
    "history of the tenant",
    "history of the program",
    "novelty",
    "bursts",
    "analysis",
];

/// Judges a message. The score is in [0, 1]; all six parts are always listed, each with the facts
/// it was judged from.
#[must_use]
pub fn assess(input: &RiskInput<'_>) -> Risk {
    let judged = [
        origin(input.origin, input.trust),
        conduct::of_tenant(input.history, input.now_unix_ms),
        conduct::of_program(input.history, input.program, input.now_unix_ms),
        novelty(input.history),
        rhythm::bursts(&input.history.arrivals_unix_ms, input.now_unix_ms),
        content::analysis(input.analysis),
    ];
    let parts: Vec<RiskPart> = PARTS
        .into_iter()
        .zip(judged)
        .map(|(name, judged)| RiskPart {
            name: name.to_owned(),
            value: judged.value.clamp(0.0, 1.0),
            because: judged.because,
        })
        .collect();
    Risk {
        score: combine(parts.iter().map(|part| part.value)),
        parts,
    }
}

/// One part before it has its name.
struct Judged {
    value: f64,
    because: String,
}

/// `1 - product(1 - value)`: in [0, 1] and rising in every value, for values in [0, 1].
fn combine(values: impl Iterator<Item = f64>) -> f64 {
    1.0 - values.map(|value| 1.0 - value).product::<f64>()
}

/// The chance of harm that origin and trust alone suggest. These are judgements, not measurements;
/// what matters is their order and where the sums fall: an unknown sender over the network starts
/// at 0.3, so that a few incidents, or danger signs in the program, lift it past 0.5; an anonymous
/// one starts there. An operator at the command line could do the same things without Atoll, so
/// the origin adds next to nothing.
fn origin(origin: Origin, trust: Trust) -> Judged {
    let value = match (origin, trust) {
        (Origin::CommandLine, Trust::Trusted) => 0.0,
        (Origin::CommandLine, Trust::Known) => 0.05,
        (Origin::CommandLine, Trust::Unknown) => 0.15,
        (Origin::Api, Trust::Trusted) => 0.02,
        (Origin::Api, Trust::Known) => 0.10,
        (Origin::Api, Trust::Unknown) => 0.30,
        (Origin::Anonymous, Trust::Trusted) => 0.30,
        (Origin::Anonymous, Trust::Known) => 0.40,
        (Origin::Anonymous, Trust::Unknown) => 0.50,
    };
    let sender = match trust {
        Trust::Unknown => "an unknown tenant",
        Trust::Known => "a known tenant",
        Trust::Trusted => "a trusted tenant",
    };
    let way = match origin {
        Origin::CommandLine => "at this machine's command line",
        Origin::Api => "over the network, authenticated",
        Origin::Anonymous => "from a caller nobody vouches for",
    };
    Judged {
        value,
        because: format!("{sender}, {way}"),
    }
}

/// A program nobody has run, and a sender with few messages, are unknown quantities rather than
/// suspects: together they add at most 0.15, too little to reach a threshold of the default
/// policy without another reason.
const NOVELTY_PROGRAM: f64 = 0.08;
const NOVELTY_PROGRAM_FOR_TENANT: f64 = 0.04;
const NOVELTY_TENANT: f64 = 0.07;

/// A tenant with this many finished messages is no longer new.
const MESSAGES_FOR_FAMILIARITY: u64 = 10;

fn novelty(history: &SenderHistory) -> Judged {
    let anyone = history
        .program_messages_anyone
        .max(history.program_messages);
    let (program, program_because) = match (history.program_messages, anyone) {
        (0, 0) => (NOVELTY_PROGRAM, "this program was never seen before".into()),
        (0, others) => (
            NOVELTY_PROGRAM_FOR_TENANT,
            format!("this tenant never sent this program, others did {others} times"),
        ),
        (own, _) => (0.0, format!("this tenant sent this program {own} times")),
    };
    let missing = MESSAGES_FOR_FAMILIARITY.saturating_sub(history.messages);
    let tenant = NOVELTY_TENANT * missing as f64 / MESSAGES_FOR_FAMILIARITY as f64;
    Judged {
        value: combine([program, tenant].into_iter()),
        because: format!(
            "{program_because}; {} earlier messages of this tenant",
            history.messages
        ),
    }
}

#[cfg(test)]
mod tests;
