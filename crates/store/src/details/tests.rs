use std::collections::BTreeMap;

use atoll_types::calls::{Call, CallAuditor, Verdict};
use atoll_types::{
    Capability, Complexity, Dependency, DependencySource, ExecutionClass, Level, Literal, Problem,
    ProgramHash, ProgramKind, RiskPart, Status, TenantId, Usage,
};
use proptest::prelude::*;

use super::*;

fn outcome() -> Outcome {
    Outcome {
        id: "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap(),
        tenant: TenantId::new("a").unwrap(),
        program: ProgramHash::of(b""),
        program_name: String::new(),
        status: Status::Refused,
        exit_code: None,
        signal: None,
        limit: None,
        reason: None,
        sandbox_message: None,
        stdout: Vec::new(),
        stderr: Vec::new(),
        truncated: false,
        collection: None,
        analysis: None,
        risk: None,
        profile: None,
        decision: None,
        enforcement: None,
        calls: None,
        adaptation: None,
        trial: None,
        usage: Usage::default(),
        timings_us: Timings::default(),
    }
}

fn analysis(names: Vec<String>) -> Analysis {
    Analysis {
        kind: ProgramKind::JavaScript,
        code_bytes: 1,
        lines: 1,
        functions: 0,
        loops: 0,
        loop_nesting_max: 0,
        recursion: false,
        instructions: 1,
        literals: names
            .iter()
            .map(|name| Literal {
                role: name.clone(),
                value: u64::MAX,
            })
            .collect(),
        dependencies: names
            .iter()
            .map(|name| Dependency {
                name: name.clone(),
                source: DependencySource::ThirdParty,
            })
            .collect(),
        host_calls: names.iter().cloned().collect(),
        disguised: names.iter().cloned().collect(),
        capabilities: BTreeSet::from([Capability::Unanalyzed]),
        execution_class: ExecutionClass::Unbounded,
        complexity: Complexity::default(),
        declared_memory_bytes: None,
        problems: names
            .into_iter()
            .map(|message| Problem {
                line: None,
                message,
            })
            .collect(),
    }
}

#[test]
fn parts_that_were_not_reached_stay_out() {
    let json = encode(&outcome());
    let details = decode(&json).unwrap();
    assert_eq!(details, Details::default());
}

#[test]
fn long_lists_and_texts_are_cut_and_that_is_said() {
    let mut outcome = outcome();
    outcome.analysis = Some(analysis((0..1_000).map(|n| format!("name-{n}")).collect()));
    let details = decode(&encode(&outcome)).unwrap();
    assert!(details.shortened);
    let stored = details.analysis.unwrap();
    assert_eq!(stored.literals.len(), LIST_MAX);
    assert_eq!(stored.literals[0].role, "name-0");
    assert_eq!(stored.dependencies.len(), LIST_MAX);
    assert_eq!(stored.host_calls.len(), LIST_MAX);
    assert_eq!(stored.problems.len(), LIST_MAX);

    outcome.analysis = Some(analysis(vec!["é".repeat(1_000)]));
    let details = decode(&encode(&outcome)).unwrap();
    assert!(details.shortened);
    let role = &details.analysis.unwrap().literals[0].role;
    assert!(
        role.len() <= TEXT_BYTES_MAX && role.ends_with('…'),
        "{role}"
    );
}

#[test]
fn calls_keep_their_counts_and_the_first_records() {
    let mut auditor = CallAuditor::default();
    for n in 0..40_u64 {
        auditor.record(Call::FileOpen, Some(b"/a"), Verdict::Allow, n);
    }
    let mut outcome = outcome();
    outcome.calls = Some(auditor.finish());
    let details = decode(&encode(&outcome)).unwrap();
    let calls = details.calls.unwrap();
    assert!(details.shortened);
    assert_eq!(calls.counts[&Call::FileOpen].allowed, 40);
    assert_eq!((calls.records.len(), calls.records_left_off), (32, 8));
    // Where there is no room for more, the counts stay.
    outcome.analysis = Some(analysis((0..64).map(|_| "\u{1}".repeat(200)).collect()));
    let calls = decode(&encode(&outcome)).unwrap().calls.unwrap();
    assert_eq!(calls.total(), 40);
    assert_eq!((calls.records.len(), calls.records_left_off), (0, 40));
}

#[test]
fn what_is_too_long_anyhow_is_left_out_beginning_with_the_program() {
    let mut outcome = outcome();
    // Control characters take six bytes each in JSON.
    outcome.analysis = Some(analysis((0..64).map(|_| "\u{1}".repeat(200)).collect()));
    outcome.enforcement = Some(Enforcement {
        level: Level::Process,
        layers: Vec::new(),
    });
    let json = encode(&outcome);
    assert!(json.len() <= JSON_BYTES_MAX);
    let details = decode(&json).unwrap();
    assert!(details.shortened);
    assert_eq!(details.analysis, None);
    assert_eq!(details.enforcement, outcome.enforcement);

    let part = RiskPart {
        name: "\u{1}".repeat(200),
        value: 0.5,
        because: "\u{1}".repeat(200),
    };
    outcome.risk = Some(Risk {
        score: 0.5,
        parts: vec![part; 64],
    });
    let json = encode(&outcome);
    assert!(json.len() <= JSON_BYTES_MAX);
    let details = decode(&json).unwrap();
    assert!(details.shortened);
    assert_eq!(details.risk, None);
}

#[test]
fn a_part_in_an_unknown_form_is_named() {
    let details = decode(r#"{"analysis": {"kind": "cobol"}, "risk": 7, "more": []}"#).unwrap();
    assert_eq!(details.unreadable, ["analysis", "risk"]);
    assert_eq!(decode("7"), None);
    assert_eq!(decode("{"), None);
}

proptest! {
    #[test]
    fn any_names_are_stored_in_bounded_size(
        names in prop::collection::vec(".{0,300}", 0..80),
        stages in prop::collection::btree_map(".{0,20}", any::<u64>(), 0..9),
    ) {
        let mut outcome = outcome();
        outcome.analysis = Some(analysis(names));
        outcome.timings_us = Timings { stages: BTreeMap::clone(&stages), total: 1 };
        let json = encode(&outcome);
        prop_assert!(json.len() <= JSON_BYTES_MAX);
        let details = decode(&json).unwrap();
        prop_assert!(details.unreadable.is_empty());
        if !details.shortened {
            prop_assert_eq!(details.analysis, outcome.analysis);
        }
    }

    #[test]
    fn no_text_makes_reading_panic(text: String) {
        let _ = decode(&text);
    }
}
