use atoll_types::{Capability, Level, Origin, ProgramKind};

use crate::testing::{Sent, able, policy, program};
use crate::{Policy, Request};

fn snapshot(name: &str, sentences: &[String]) {
    insta::with_settings!({omit_expression => true, prepend_module_to_snapshot => false}, {
        insta::assert_snapshot!(name, sentences.join("\n"));
    });
}

#[test]
fn the_default_policy_explains_what_would_change() {
    let policy = policy(Policy::builtin());
    let sent = Sent::new(&policy, program(ProgramKind::Python));
    snapshot("known-script", &policy.what_would_change(&sent.input()));
}

#[test]
fn a_stranger_is_told_what_kept_them_out() {
    let policy = policy(Policy::builtin());
    let sent = Sent::by(
        &policy,
        able(ProgramKind::Shell, &[Capability::Unanalyzed]),
        "stranger",
        Origin::Anonymous,
    );
    snapshot(
        "obscure-script-from-stranger",
        &policy.what_would_change(&sent.input()),
    );
}

#[test]
fn a_message_that_no_rule_matches_hears_of_every_rule() {
    let policy = policy(
        r#"
        [[rule]]
        id = "long"
        when = "analysis.lines > 100"
        because = "a"
        set.level = "vm"
        "#,
    );
    let sent = Sent::new(&policy, program(ProgramKind::Python));
    assert_eq!(
        policy.what_would_change(&sent.input()),
        [
            "the number of lines is 60, not above 100; otherwise rule `long` would decide: \
          level `vm`, sharing `message`"
        ]
    );
}

#[test]
fn many_rules_make_no_endless_list() {
    let rules: String = (0..50)
        .map(|index| {
            format!(
                "[[rule]]\nid = \"r{index}\"\nwhen = \"analysis.lines > {}\"\n\
                 because = \"x\"\nset.level = \"vm\"\n",
                1000 - index
            )
        })
        .collect();
    let policy = policy(&rules);
    let sent = Sent::new(&policy, program(ProgramKind::Python));
    let sentences = policy.what_would_change(&sent.input());
    assert_eq!(sentences.len(), 21);
    assert_eq!(sentences[20], "30 more rules did not match");
}

/// What the sentences say is true: with the named fact changed, the named rule decides.
#[test]
fn changing_the_named_fact_changes_the_decision() {
    let policy = policy(Policy::builtin());
    let mut sent = Sent::new(&policy, program(ProgramKind::Python));
    let sentences = policy.what_would_change(&sent.input());
    assert!(
        sentences[0].contains("below 0.8; otherwise rule `dangerous-sender`"),
        "{sentences:?}"
    );
    sent.risk.score = 0.8;
    assert_eq!(
        policy.decide(&sent.input()).unwrap().rule,
        "dangerous-sender"
    );
    assert!(
        sentences.last().unwrap().contains("wall time up to 10 min"),
        "{sentences:?}"
    );
    sent.risk.score = 0.1;
    sent.request = Request {
        level: Some(Level::Gvisor),
        ..Request::default()
    };
    assert_eq!(policy.decide(&sent.input()).unwrap().level, Level::Gvisor);
}
