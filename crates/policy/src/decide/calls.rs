//! The rules for calls of a decision, from all who have a say.
//!
//! The first rule that matches a call decides it, so who comes first has the last word: the floors,
//! then the rule of the policy, then whoever asks. What is asked for can only add to what holds
//! calls up, because without a rule a call is allowed.

use atoll_types::calls::{CALL_RULES_MAX, CallRule, CallRules};
use atoll_types::{Reason, TenantId};

use super::{Denied, denied, reason};
use crate::policy::{Floor, Isolation, Policy, Rule};

/// Puts the rules together, with a reason for each place they come from.
///
/// # Errors
/// When they are more than a decision can have.
pub(super) fn calls(
    policy: &Policy,
    (rule, isolation): (&Rule, &Isolation),
    tenant: &TenantId,
    asked: &CallRules,
    reasons: &mut Vec<Reason>,
) -> Result<CallRules, Denied> {
    let of_tenant = policy.tenants.get(tenant).map(|tenant| &tenant.floor);
    let of_tenant = of_tenant.map(|floor: &Floor| floor.calls.as_slice());
    let places = [
        (
            "the floor for every message".to_owned(),
            policy.floor.calls.as_slice(),
        ),
        (
            format!("the floor of tenant `{tenant}`"),
            of_tenant.unwrap_or_default(),
        ),
        (format!("rule `{}`", rule.id), isolation.calls.as_slice()),
        ("what was asked for".to_owned(), asked.rules.as_slice()),
    ];
    let mut rules: Vec<CallRule> = Vec::new();
    for (place, own) in places.into_iter().filter(|(_, own)| !own.is_empty()) {
        let texts: Vec<String> = own.iter().map(|rule| format!("`{rule}`")).collect();
        let text = format!("calls are held to {}, from {place}", texts.join(", "));
        reasons.push(reason("calls", text));
        rules.extend_from_slice(own);
    }
    if rules.len() > CALL_RULES_MAX {
        let text = format!(
            "there are {} rules for calls, of the policy and of what was asked for together, and \
             a decision has at most {CALL_RULES_MAX}; ask for fewer",
            rules.len()
        );
        return Err(denied(&rule.id, text));
    }
    let audit = isolation.audit || asked.audit;
    if audit {
        let who = if isolation.audit {
            format!("set by rule `{}`", rule.id)
        } else {
            "as asked for".to_owned()
        };
        reasons.push(reason("calls", format!("calls are taken down, {who}")));
    }
    Ok(CallRules { rules, audit })
}

#[cfg(test)]
mod tests;
