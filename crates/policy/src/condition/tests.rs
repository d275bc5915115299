use atoll_types::{Capability, Dependency, DependencySource, ProgramKind};
use proptest::prelude::*;

use super::*;
use crate::testing::{Sent, able, policy};

fn condition(source: &str) -> Condition {
    match Condition::compile(source) {
        Ok(condition) => condition,
        Err(complaints) => panic!("{source}: {complaints:#?}"),
    }
}

fn complaint(source: &str) -> Complaint {
    let complaints = Condition::compile(source).expect_err(source);
    complaints.into_iter().next().unwrap()
}

/// A message of the tenant `local`: a Python program that reads files and uses a network.
fn sent() -> Sent {
    let mut analysis = able(
        ProgramKind::Python,
        &[Capability::Network, Capability::FilesRead],
    );
    for (name, source) in [
        ("json", DependencySource::StandardLibrary),
        ("requests", DependencySource::ThirdParty),
    ] {
        analysis.dependencies.push(Dependency {
            name: name.to_owned(),
            source,
        });
    }
    Sent::new(&policy(crate::Policy::builtin()), analysis)
}

fn evaluate(source: &str) -> Result<bool, String> {
    let sent = sent();
    let facts = Facts(sent.input());
    let environment = environment();
    condition(source).holds(&bind(&environment, &facts))
}

#[test]
fn conditions_see_the_message() {
    for source in [
        "analysis.kind == 'python'",
        "analysis.kind in ['shell', 'python']",
        "analysis.kind != 'native' && !analysis.recursion && analysis.analyzed",
        "'network' in analysis.capabilities",
        "!('processes' in analysis.capabilities)",
        "size(analysis.capabilities) == 2",
        "size(analysis.dependencies) == 2 && size(analysis.third_party) == 1",
        "'requests' in analysis.third_party && !('json' in analysis.third_party)",
        "'json' in analysis.dependencies",
        "analysis.execution_class == 'short' && analysis.execution_class_rank == 1",
        "analysis.code_bytes == 2000 && analysis.lines > 59 && analysis.loop_nesting <= 1",
        "analysis.lines * 100 > analysis.code_bytes",
        "double(analysis.lines) / 2.0 == 30.0",
        "risk.score > 0 && risk.score < 1.0 && risk.origin == 0.05",
        "risk.tenant_history == 0 && risk.program_history == 0 && risk.novelty > 0.1",
        "profile.memory_p99_bytes == 26214400 && profile.cpu_p50_us == 200000",
        "profile.confidence == 'medium' && profile.confidence_rank == 1 && profile.runs == 0",
        "tenant.id.startsWith('loc') && tenant.id.endsWith('al') && tenant.id.contains('oca')",
        "tenant.trust == 'known' && tenant.trust_rank == 1",
        "message.origin == 'command-line'",
        "(analysis.recursion ? 1 : 2) == 2",
        "-1 < analysis.loops",
    ] {
        assert_eq!(evaluate(source), Ok(true), "{source}");
    }
}

#[test]
fn every_name_has_a_value_of_its_type() {
    use crate::facts::{Kind, Name, Words};
    for name in Name::all() {
        let text = name.text;
        let source = match name.kind {
            Kind::Whole(..) | Kind::Number(_) => format!("{text} >= 0"),
            // Some are empty where there is nothing to say.
            Kind::Text(Words::Any) => format!("size({text}) >= 0"),
            Kind::Text(_) => format!("size({text}) > 0"),
            Kind::Flag(_) => format!("{text} || !{text}"),
            Kind::List(_) => format!("size({text}) >= 0"),
        };
        assert_eq!(evaluate(&source), Ok(true), "{source}");
    }
}

#[test]
fn arithmetic_that_fails_is_an_error_and_not_a_match() {
    for source in [
        "1 / (analysis.loops - 2) > 0",
        "9223372036854775807 + analysis.loops > 0",
    ] {
        assert!(evaluate(source).is_err(), "{source}");
    }
    // CEL lets the other side decide where it can.
    assert_eq!(
        evaluate("1 / (analysis.loops - 2) > 0 && analysis.recursion"),
        Ok(false)
    );
}

#[test]
fn a_risk_that_is_no_number_counts_as_the_worst() {
    let mut sent = sent();
    let environment = environment();
    for broken in [f64::NAN, f64::INFINITY, -1.0, 7.0] {
        sent.risk.score = broken;
        sent.risk.parts.clear();
        let facts = Facts(sent.input());
        let context = bind(&environment, &facts);
        for source in ["risk.score >= 1.0", "risk.bursts >= 1.0"] {
            assert_eq!(condition(source).holds(&context), Ok(true), "{broken}");
        }
    }
}

#[test]
fn complaints_point_at_the_mistake_and_name_the_right_word() {
    let cases = [
        ("risk.scor > 0.5", 0, Some("did you mean `risk.score`?")),
        (
            "analysis.lines > 3 && kind == 'python'",
            22,
            Some("did you mean `analysis.kind`?"),
        ),
        (
            "analysis.kind == 'pyton'",
            17,
            Some("did you mean `python`?"),
        ),
        (
            "'netwrk' in analysis.capabilities",
            0,
            Some("did you mean `network`?"),
        ),
        (
            "analysis.kind in ['python', 'wasm']",
            28,
            Some("there are: python, javascript, shell, native, wasm-module, wasm-component"),
        ),
        (
            "analysis.execution_class > 'short'",
            25,
            Some("compare the rank: `analysis.execution_class_rank`"),
        ),
        (
            "tenant.id.startswith('a')",
            20,
            Some("did you mean `startsWith`?"),
        ),
        ("risk > 0.5", 0, None),
        (
            "risk.score",
            0,
            Some("compare it with something: `risk.score >= 0.5`"),
        ),
        (
            "'ä' == tenant.id && risk.scor > 1",
            0,
            Some("did you mean `risk.score`?"),
        ),
    ];
    for (source, at, help) in cases {
        let complaint = complaint(source);
        if source.is_ascii() {
            assert_eq!(complaint.at, at, "{source}: {complaint:?}");
        }
        if help.is_some() {
            assert_eq!(complaint.help.as_deref(), help, "{source}");
        }
        assert!(source.is_char_boundary(complaint.at));
    }
}

#[test]
fn only_the_bounded_part_of_the_language_is_accepted() {
    for source in [
        "analysis.capabilities.exists(c, c == 'network')",
        "analysis.capabilities.all(c, c == 'network')",
        "size(analysis.capabilities.map(c, c)) > 0",
        "analysis.capabilities.filter(c, true) == []",
        "has(risk.score)",
        "{'a': 1}.a == 1",
        "analysis.capabilities[0] == 'network'",
        "tenant.id.matches('a+')",
        "tenant.id + 'x' == 'localx'",
        "b'abc' == b'abc'",
        "null == null",
        "1u == 1u",
        "type(risk.score) == double",
        "dyn(risk.score) > 0",
        "optional.of(1).hasValue()",
        "[risk.score] == [1.0]",
        "'a' in ['a', 1]",
        "1 in ['a']",
        "'a' in 'abc'",
        "risk.score in [analysis.lines]",
        "risk.score == 'high'",
        "analysis.lines + 1.5 > 2.0",
        "risk.score % 2.0 == 0.0",
        "!risk.score",
        "analysis.recursion && risk.score",
        "analysis.recursion ? 1 : 2",
        "(analysis.recursion ? 1 : 'a') == 1",
        "analysis.kind.size == 1",
        "1e999 > risk.score",
        "",
        "   ",
        "risk.score >",
        "risk.score > 0.5 )",
        "'unterminated",
    ] {
        assert!(Condition::compile(source).is_err(), "{source}");
    }
}

#[test]
fn hostile_conditions_are_refused_within_bounds() {
    let deep = format!("{}true{}", "(".repeat(400), ")".repeat(400));
    assert!(Condition::compile(&deep).is_err());
    let long = vec!["true"; 300].join("&&");
    assert!(long.len() > LENGTH_MAX);
    assert!(Condition::compile(&long).is_err());
    let wide = vec!["1<2"; 160].join("&&");
    assert!(wide.len() <= LENGTH_MAX);
    let complaints = Condition::compile(&wide).unwrap_err();
    assert!(
        complaints[0].message.contains("200 parts"),
        "{complaints:?}"
    );
    let chain = format!("a{} == 1", ".a".repeat(480));
    assert!(Condition::compile(&chain).is_err());
    let bangs = format!("{}true", "!".repeat(900));
    let _ = Condition::compile(&bangs);
    let minus = format!("{}1 < 2", "-".repeat(900));
    let _ = Condition::compile(&minus);
    let ternary = format!("{}true", "true ? true : ".repeat(60));
    let _ = Condition::compile(&ternary);
}

#[test]
fn explanations_name_the_deciding_facts() {
    let sent = sent();
    let facts = Facts(sent.input());
    let environment = environment();
    let context = bind(&environment, &facts);
    let why = |source: &str| {
        let condition = condition(source);
        why(condition.expression(), &context, &sent.input()).join(" + ")
    };
    for (source, expected) in [
        (
            "analysis.kind == 'python'",
            "the program's kind is `python`",
        ),
        (
            "analysis.kind == 'native'",
            "the program's kind is `python`, not `native`",
        ),
        (
            "analysis.kind in ['shell', 'native']",
            "the program's kind is `python`, none of `shell`, `native`",
        ),
        (
            "'processes' in analysis.capabilities",
            "the program's capabilities do not include `processes`",
        ),
        (
            "analysis.code_bytes >= 1048576",
            "the program's size is 2 KiB, below 1 MiB",
        ),
        (
            "400000 <= profile.cpu_p99_us",
            "the predicted p99 of CPU time is 400 ms, at least 400 ms",
        ),
        (
            "analysis.recursion || !analysis.analyzed",
            "the program has no recursion + the program was understood in full",
        ),
        (
            "analysis.recursion || analysis.lines > 2",
            "the number of lines is 60, above 2",
        ),
        (
            "analysis.recursion == true && analysis.lines > 2",
            "the program has no recursion",
        ),
        (
            "analysis.lines + 1 > 100 || tenant.id.startsWith('x')",
            "`(analysis.lines + 1) > 100` is false + `tenant.id.startsWith(\"x\")` is false",
        ),
        (
            "risk.origin > 0.5",
            "the risk from the message's origin is 0.05, not above 0.5",
        ),
    ] {
        assert_eq!(why(source), expected, "{source}");
    }
}

fn any_condition() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "risk.score",
        "analysis.kind",
        "analysis.lines",
        "'python'",
        "\"network\"",
        "0.5",
        "3",
        "in",
        "==",
        "!=",
        "<",
        ">=",
        "&&",
        "||",
        "!",
        "-",
        "+",
        "/",
        "(",
        ")",
        "[",
        "]",
        ",",
        ".",
        "?",
        ":",
        "true",
        "analysis.capabilities",
        "size",
        "'",
        "\"\"\"",
        "é",
        "{",
        "}",
        "\\",
        "b'",
        "r\"",
        "`",
        "//",
        "\n",
        "has",
        "1e9",
        "0x",
        "u",
    ]);
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.join(" "))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn compiling_never_panics_and_points_into_the_text(source in any_condition()) {
        match Condition::compile(&source) {
            Ok(condition) => {
                let sent = sent();
                let facts = Facts(sent.input());
                let _ = condition.holds(&bind(&environment(), &facts));
            }
            Err(complaints) => {
                prop_assert!(!complaints.is_empty());
                for complaint in complaints {
                    prop_assert!(source.is_char_boundary(complaint.at));
                }
            }
        }
    }

    #[test]
    fn compiling_never_panics_on_any_text(source in "\\PC{0,60}") {
        let _ = Condition::compile(&source);
    }
}
