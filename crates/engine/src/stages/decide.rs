//! Which boundary and which limits, by the rules of the policy.

use atoll_policy::{DecisionInput, Denied, Policy, Request};
use atoll_types::{Analysis, Decision, Message, Profile};

use crate::stages::Judged;

/// Asks the policy.
pub(crate) fn decide(
    policy: &Policy,
    message: &Message,
    analysis: &Analysis,
    judged: &Judged,
    profile: &Profile,
    request: &Request,
) -> Result<Decision, Denied> {
    policy.decide(&question(message, analysis, judged, profile, request))
}

/// What the policy is asked.
pub(crate) fn question<'a>(
    message: &'a Message,
    analysis: &'a Analysis,
    judged: &'a Judged,
    profile: &'a Profile,
    request: &'a Request,
) -> DecisionInput<'a> {
    DecisionInput {
        analysis,
        risk: &judged.risk,
        profile,
        tenant: &message.tenant,
        trust: judged.trust,
        origin: message.origin,
        request,
    }
}

/// A denial in one sentence.
pub(crate) fn denial(denied: &Denied) -> String {
    let reasons: Vec<&str> = denied
        .reasons
        .iter()
        .map(|reason| reason.text.as_str())
        .collect();
    format!(
        "policy rule {:?} forbids it: {}; `atoll explain` says what would change that",
        denied.rule,
        reasons.join("; ")
    )
}
