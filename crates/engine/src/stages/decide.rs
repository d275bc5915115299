//! Which boundary and which limits, by the rules of the policy.

use atoll_policy::{DecisionInput, Denied, Host, Request};
use atoll_types::{Analysis, Decision, Level, Message, Profile, Reason, Stdin};

use crate::Engine;
use crate::stages::{Judged, OnHost, job};

/// Asks the policy, and sees to it that the program suits the level.
pub(crate) fn decide(
    engine: &Engine,
    message: &Message,
    analysis: &Analysis,
    judged: &Judged,
    profile: &Profile,
    request: &Request,
) -> Result<Decision, Denied> {
    let host = OnHost::new(engine, message, analysis, request);
    let asked = question(message, analysis, judged, profile, request, &host);
    let mut decision = engine.policy.decide(&asked)?;
    fit(engine, message, analysis, profile, &mut decision);
    Ok(decision)
}

/// CPU time of a script from which on WebAssembly is not worth while: its interpreters compute
/// about half as fast as the host's.
const WORTHWHILE_CPU_US: u64 = 100_000;

/// A script that was decided for WebAssembly and does not suit it goes to the next stronger level;
/// the decision says why.
fn fit(
    engine: &Engine,
    message: &Message,
    analysis: &Analysis,
    profile: &Profile,
    decision: &mut Decision,
) {
    let kind = message.program.kind;
    if decision.level != Level::Instance || kind.is_wasm() {
        return;
    }
    let Some(backend) = engine.backend(Level::Instance) else {
        return;
    };
    let cpu_us = profile.cpu_demand.quantiles.p50;
    let least_bytes = backend.least_memory_bytes(kind);
    let why = match backend.supports(kind) {
        // Nothing can be said of the program where there is no interpreter.
        Err(reason) => Some(reason),
        Ok(()) => match backend.suits(&job(message, &decision.calls, None), analysis) {
            Err(reason) => Some(format!("the program {reason}")),
            Ok(()) if decision.limits.memory_bytes < least_bytes => Some(format!(
                "its interpreter for WebAssembly needs {least_bytes} bytes of memory, and the \
                 limit is {}",
                decision.limits.memory_bytes
            )),
            Ok(()) if cpu_us > WORTHWHILE_CPU_US => Some(format!(
                "the program is expected to compute for {} ms, which takes twice as long on \
                 WebAssembly",
                cpu_us / 1000
            )),
            Ok(()) => None,
        },
    };
    if let Some(why) = why {
        decision.level = Level::Process;
        decision.reasons.push(Reason {
            from: "program".to_owned(),
            text: format!("`process` instead of `instance`: {why}"),
        });
    }
}

/// What the policy is asked.
pub(crate) fn question<'a>(
    message: &'a Message,
    analysis: &'a Analysis,
    judged: &'a Judged,
    profile: &'a Profile,
    request: &'a Request,
    host: &'a dyn Host,
) -> DecisionInput<'a> {
    DecisionInput {
        analysis,
        risk: &judged.risk,
        profile,
        tenant: &message.tenant,
        trust: judged.trust,
        origin: message.origin,
        input_bytes: input_bytes(message),
        sample_bytes: message.sample.as_ref().map_or(0, |it| it.len() as u64),
        request,
        host,
    }
}

/// How much the program will get on standard input, as far as that is known before it runs.
pub(crate) fn input_bytes(message: &Message) -> u64 {
    match &message.stdin {
        Stdin::Bytes(bytes) => bytes.len() as u64,
        Stdin::Empty | Stdin::Stream => 0,
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
