use atoll_types::calls::CallRules;
use atoll_types::{Decision, Origin, ProgramKind};

use crate::testing::{Sent, policy, program};
use crate::{Denied, Request};

const POLICY: &str = r#"
[floor]
calls = ["trap program.execute"]

[tenants.alice]
trust = "known"
floor = { calls = ["deny=EACCES file.open /secret/**"] }

[[rule]]
id = "all"
because = "one rule"
set.level = "process"
set.audit = true
set.calls = ["allow file.open /secret/mine", "delay=5ms after=3 file.*"]
"#;

fn decide(tenant: &str, request: Request) -> Result<Decision, Denied> {
    let policy = policy(POLICY);
    let analysis = program(ProgramKind::Python);
    let mut sent = Sent::by(&policy, analysis, tenant, Origin::CommandLine);
    sent.request = request;
    policy.decide(&sent.input())
}

fn texts(decision: &Decision) -> Vec<String> {
    decision
        .calls
        .rules
        .iter()
        .map(ToString::to_string)
        .collect()
}

#[test]
fn floors_come_first_and_requests_last() {
    let request = Request {
        calls: CallRules {
            rules: vec!["allow *".parse().unwrap()],
            audit: false,
        },
        ..Request::default()
    };
    let decision = decide("alice", request.clone()).unwrap();
    let wanted = [
        "trap program.execute",
        "deny=EACCES file.open /secret/**",
        "allow file.open /secret/mine",
        "delay=5ms after=3 file.*",
        "allow *",
    ];
    assert_eq!(texts(&decision), wanted);
    assert!(decision.calls.audit);
    let reasons: Vec<&str> = decision
        .reasons
        .iter()
        .filter(|reason| reason.from == "calls")
        .map(|reason| reason.text.as_str())
        .collect();
    let [every, tenant, rule, asked, audit] = reasons.as_slice() else {
        panic!("{reasons:?}");
    };
    assert!(every.contains("`trap program.execute`, from the floor for every message"));
    assert!(tenant.contains("the floor of tenant `alice`"));
    assert!(rule.contains("from rule `all`"));
    assert!(asked.contains("`allow *`, from what was asked for"));
    assert!(audit.contains("set by rule `all`"));
    assert_eq!(texts(&decide("bob", request).unwrap()).len(), 4);
}

#[test]
fn more_rules_than_a_decision_can_have_are_refused() {
    let rules = (0..62).map(|number| format!("trap file.open /{number}").parse().unwrap());
    let request = Request {
        calls: CallRules {
            rules: rules.collect(),
            audit: false,
        },
        ..Request::default()
    };
    let denied = decide("bob", request).unwrap_err();
    assert!(denied.reasons[0].text.contains("at most 64"), "{denied:?}");
}
