//! Who sent it, and what did they do before?

use atoll_policy::{Policy, RiskInput};
use atoll_types::{Analysis, Message, Risk, SenderHistory, Trust};

/// How a sender is seen.
#[derive(Debug)]
pub(crate) struct Judged {
    pub(crate) trust: Trust,
    pub(crate) risk: Risk,
}

/// Judges the sender by the policy's list and by history.
pub(crate) fn risk(
    policy: &Policy,
    message: &Message,
    analysis: &Analysis,
    history: &SenderHistory,
) -> Judged {
    let trust = policy.trust(&message.tenant, history);
    let risk = atoll_policy::assess(&RiskInput {
        origin: message.origin,
        trust,
        history,
        analysis,
        program: message.program.hash,
        now_unix_ms: message.received_unix_ms,
    });
    Judged { trust, risk }
}
