use crate::check;

/// The warnings about a policy of these conditions, one rule each, and a last rule without one.
fn warnings(conditions: &[&str]) -> Vec<String> {
    let mut text = String::new();
    for (index, condition) in conditions.iter().enumerate() {
        text.push_str(&format!(
            "[[rule]]\nid = \"r{index}\"\nwhen = '''{condition}'''\n\
             because = \"x\"\nset.deny = true\n"
        ));
    }
    text.push_str("[[rule]]\nid = \"last\"\nbecause = \"x\"\nset.deny = true\n");
    check(&text)
        .into_iter()
        .map(|diagnostic| match diagnostic.help {
            Some(help) => format!("{}; {help}", diagnostic.message),
            None => diagnostic.message,
        })
        .collect()
}

fn always_false(condition: &str) -> bool {
    warnings(&[condition]) == ["rule `r0` can never match: its condition is always false"]
}

fn hidden(earlier: &str, later: &str) -> bool {
    let warnings = warnings(&[earlier, later]);
    match warnings.as_slice() {
        [] => false,
        [only] => only.starts_with("rule `r1` can never match;"),
        more => panic!("{more:?}"),
    }
}

#[test]
fn conditions_that_contradict_themselves_are_found() {
    for condition in [
        "false",
        "1 > 2",
        "'a' in ['b']",
        "!(1 < 2) || false",
        "analysis.kind == 'python' && analysis.kind == 'shell'",
        "analysis.kind in ['python', 'shell'] && analysis.kind == 'native'",
        "analysis.kind == 'python' && analysis.kind != 'python'",
        "tenant.trust != 'unknown' && tenant.trust != 'known' && tenant.trust != 'trusted'",
        "risk.score > 0.5 && risk.score < 0.5",
        "risk.score > 0.5 && !(risk.score > 0.4)",
        "risk.score > 1.5",
        "risk.score < 0.0",
        "analysis.lines > 5 && analysis.lines < 6",
        "analysis.complexity > 100",
        "analysis.analyzed && !analysis.analyzed",
        "'network' in analysis.capabilities && !('network' in analysis.capabilities)",
        "tenant.id.startsWith('a') && !tenant.id.startsWith('a')",
        "tenant.id == 'a' && tenant.id == 'b'",
        "tenant.id in []",
    ] {
        assert!(always_false(condition), "{condition}");
    }
    for condition in [
        "risk.score > 0.5 && risk.score <= 0.6",
        "risk.score >= 1",
        "analysis.lines > 5 && analysis.lines < 7",
        "analysis.kind != 'python' && analysis.kind != 'shell'",
        "tenant.id != 'a' && tenant.id != 'b'",
        "'network' in analysis.capabilities && !('files-read' in analysis.capabilities)",
        "1 / analysis.lines > 0",
    ] {
        assert_eq!(warnings(&[condition]), Vec::<String>::new(), "{condition}");
    }
}

#[test]
fn rules_that_an_earlier_one_hides_are_found() {
    for (earlier, later) in [
        ("risk.score > 0.5", "risk.score > 0.8"),
        ("risk.score >= 0.5", "0.5 < risk.score"),
        ("risk.score > 0.5", "risk.score > 0.5"),
        (
            "risk.score > 0.5",
            "risk.score > 0.8 && analysis.kind == 'shell'",
        ),
        (
            "analysis.kind in ['python', 'shell']",
            "analysis.kind == 'shell'",
        ),
        ("analysis.kind != 'native'", "analysis.kind == 'shell'"),
        ("tenant.id != 'a'", "tenant.id == 'b'"),
        ("tenant.id != 'a'", "tenant.id != 'a' && tenant.id != 'b'"),
        ("analysis.lines > 5", "analysis.lines >= 6"),
        (
            "!analysis.analyzed || risk.score > 0.5",
            "!analysis.analyzed",
        ),
        (
            "analysis.kind == 'shell' || analysis.kind == 'python'",
            "analysis.kind in ['python']",
        ),
        (
            "'network' in analysis.capabilities",
            "'network' in analysis.capabilities && tenant.id.startsWith('a')",
        ),
        ("tenant.id.startsWith('a')", "tenant.id.startsWith(\"a\")"),
        ("true", "risk.score > 0.5"),
        ("risk.score >= 0.0", "risk.score > 0.5"),
    ] {
        let found = warnings(&[earlier, later]);
        assert!(
            found
                .iter()
                .any(|warning| warning.contains("`r1` can never match")),
            "{earlier} / {later}: {found:?}"
        );
    }
    for (earlier, later) in [
        ("risk.score > 0.8", "risk.score > 0.5"),
        ("risk.score > 0.5", "risk.score >= 0.5"),
        (
            "risk.score > 0.5 && analysis.kind == 'shell'",
            "risk.score > 0.8",
        ),
        (
            "analysis.kind == 'shell'",
            "analysis.kind in ['python', 'shell']",
        ),
        ("analysis.lines > 5", "analysis.lines >= 5"),
        ("tenant.id != 'a'", "tenant.id == 'a'"),
        ("tenant.id.startsWith('a')", "tenant.id.startsWith('b')"),
        ("analysis.lines != 5", "analysis.lines == 5"),
    ] {
        assert!(!hidden(earlier, later), "{earlier} / {later}");
    }
}

#[test]
fn warnings_say_which_rule_is_in_the_way() {
    assert_eq!(
        warnings(&["risk.score > 0.5", "risk.score > 0.8"]),
        ["rule `r1` can never match; rule `r0` on line 2 takes every message it would match"]
    );
    assert_eq!(
        warnings(&["risk.score > 0.5", "risk.score > 0.5"]),
        ["rule `r1` can never match; rule `r0` on line 2 has the same condition"]
    );
    assert_eq!(
        warnings(&[
            "analysis.kind == 'shell'",
            "analysis.kind == 'python'",
            "analysis.kind == 'shell' || analysis.kind == 'python'"
        ]),
        ["rule `r2` can never match; \
             rules `r0` and `r1` above it take every message it would match"]
    );
}

#[test]
fn a_policy_without_a_last_resort_is_pointed_out() {
    let text = "[[rule]]\nid = \"a\"\nwhen = \"risk.score > 0.5\"\nbecause = \"x\"\n\
                set.deny = true\n";
    let found = check(text);
    assert_eq!(found.len(), 1);
    assert_eq!(
        found[0].message,
        "a message that matches no rule is refused"
    );
}

#[test]
fn conditions_too_large_to_write_out_are_left_alone() {
    let has = |name: String| format!("'{name}' in analysis.dependencies");
    let pair = |index: usize| {
        format!(
            "({} || {})",
            has(format!("a{index}")),
            has(format!("b{index}"))
        )
    };
    let many: Vec<String> = (0..8).map(pair).collect();
    assert_eq!(warnings(&[&many.join(" && ")]), Vec::<String>::new());
}

mod soundness {
    use proptest::prelude::*;

    use super::super::boxes::regions;
    use crate::condition::{Condition, Facts, bind, environment};
    use crate::testing::{Sent, policy, program};
    use atoll_types::ProgramKind;

    fn any_atom() -> impl Strategy<Value = String> {
        let number = prop_oneof![
            (0..4_u32).prop_map(|bound| format!("risk.score {{}} 0.{bound}")),
            (0..4_u32).prop_map(|bound| format!("analysis.lines {{}} {bound}")),
            (0..4_u32).prop_map(|bound| format!("{bound} {{}} analysis.loops")),
        ];
        let operator = prop::sample::select(vec!["<", "<=", ">", ">=", "==", "!="]);
        let other = prop::sample::select(vec![
            "analysis.kind == 'python'",
            "analysis.kind != 'shell'",
            "analysis.kind in ['python', 'native']",
            "!(analysis.kind in ['shell'])",
            "analysis.analyzed",
            "analysis.recursion == false",
            "tenant.id == 'a'",
            "tenant.id != 'b'",
            "'network' in analysis.capabilities",
            "size(tenant.id) == 1",
            "true",
        ]);
        prop_oneof![
            (number, operator).prop_map(|(atom, operator)| atom.replace("{}", operator)),
            other.prop_map(str::to_owned),
        ]
    }

    fn any_condition() -> impl Strategy<Value = String> {
        any_atom().prop_recursive(3, 12, 2, |inner| {
            prop_oneof![
                (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} && {b})")),
                (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} || {b})")),
                inner.prop_map(|a| format!("!({a})")),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(3000))]

        /// What the boxes claim must be true of every message: a condition without boxes never
        /// holds, and a condition inside another one implies it.
        #[test]
        fn boxes_agree_with_evaluation(
            (one, other) in (any_condition(), any_condition()),
            (score, lines, loops) in (0..5_u32, 0..5_u64, 0..5_u64),
            kind in prop::sample::select(&ProgramKind::ALL[..]),
            (recursion, tenant) in (any::<bool>(), "a|b|c"),
        ) {
            let policy = policy(crate::Policy::builtin());
            let mut analysis = program(kind);
            analysis.lines = lines;
            analysis.loops = loops;
            analysis.recursion = recursion;
            let mut sent = Sent::new(&policy, analysis);
            sent.risk.score = f64::from(score) / 10.0;
            sent.tenant = atoll_types::TenantId::new(&tenant).unwrap();
            let environment = environment();
            let facts = Facts(sent.input());
            let context = bind(&environment, &facts);
            let look = |source: &str| {
                let condition = Condition::compile(source).unwrap();
                let holds = condition.holds(&context).unwrap();
                (holds, regions(condition.expression(), &environment))
            };
            let (holds_one, Some(regions_one)) = look(&one) else { return Ok(()) };
            let (holds_other, Some(regions_other)) = look(&other) else { return Ok(()) };
            prop_assert!(!(holds_one && regions_one.is_empty()), "{one}");
            let inside = regions_one
                .iter()
                .all(|region| regions_other.iter().any(|wide| region.is_inside(wide)));
            prop_assert!(!(inside && holds_one && !holds_other), "{one} inside {other}");
        }
    }
}
