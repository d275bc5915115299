//! What the targets assert. A target only says which bytes go where; here stands what must hold
//! for all of them, beside not panicking.

use std::fmt::Debug;

use atoll_remote::{Ledger, Step};
use atoll_sandbox_wasm::protocol::{
    CompileStatus, FrameReader, NOTICE_BYTES_MAX, Notice, ORDER_BYTES_MAX, Order, write_frame,
};
use atoll_types::{Analysis, Capability, ProgramKind};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// More than the largest input that tells anything new.
const POLICY_BYTES_MAX: usize = 64 << 10;

/// Any bytes under any of a few names are recognised or refused, and what is recognised can be
/// analysed.
pub fn recognise(bytes: &[u8]) {
    for name in ["program", "a.py", "a.js", "a.sh", "a.wasm", ""] {
        match atoll_analyze::recognise(name, bytes) {
            Ok(kind) => analyze(kind, bytes),
            Err(unknown) => assert!(!unknown.to_string().is_empty()),
        }
    }
}

/// Analysis of any bytes as any kind ends, and says what it could not understand.
pub fn analyze(kind: ProgramKind, bytes: &[u8]) {
    let analysis = atoll_analyze::analyze(kind, bytes);
    assert_eq!(analysis.kind, kind);
    assert_eq!(analysis.code_bytes, bytes.len() as u64);
    check_complexity(&analysis);
    let unanalyzed = analysis.capabilities.contains(&Capability::Unanalyzed);
    assert_eq!(unanalyzed, !analysis.problems.is_empty());
}

/// A process that was taken over may answer anything. What is believed of it keeps the promises of
/// an analysis, and is answered in the same way again.
pub fn analysis_answer(bytes: &[u8]) {
    let Some((&code_bytes, bytes)) = bytes.split_first() else {
        return;
    };
    for kind in ProgramKind::ALL {
        let Some(said) = atoll_analyzer::from_answer(bytes, kind, code_bytes.into()) else {
            continue;
        };
        check_complexity(&said);
        assert_eq!((said.kind, said.code_bytes), (kind, code_bytes.into()));
        assert_eq!(!said.is_complete(), !said.problems.is_empty());
        let again = atoll_analyzer::to_answer(&said).expect("it was short enough once");
        let again = atoll_analyzer::from_answer(&again, kind, code_bytes.into());
        assert_eq!(again.as_ref(), Some(&said));
    }
}

fn check_complexity(analysis: &Analysis) {
    let complexity = &analysis.complexity;
    assert!((0.0..=100.0).contains(&complexity.score), "{complexity:?}");
    let sum: f64 = complexity.parts.iter().map(|part| part.points).sum();
    assert!((sum - complexity.score).abs() < 1e-6, "{complexity:?}");
    let within =
        |part: &atoll_types::ComplexityPart| (0.0..=part.points_max).contains(&part.points);
    assert!(complexity.parts.iter().all(within), "{complexity:?}");
}

/// Any text is a policy or a list of diagnostics with a place in that text.
pub fn policy(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if text.len() > POLICY_BYTES_MAX {
        return;
    }
    let parsed = atoll_policy::Policy::parse(text);
    let diagnostics = atoll_policy::check(text);
    if let Err(errors) = &parsed {
        assert!(!errors.is_empty());
        assert!(!diagnostics.is_empty());
    }
    for diagnostic in &diagnostics {
        assert!(
            diagnostic.line >= 1 && diagnostic.column >= 1,
            "{diagnostic:?}"
        );
        assert!(!diagnostic.message.is_empty());
    }
}

/// Any text is a forest or refused with a reason, and a forest predicts for any row, also once it
/// was written and read again.
pub fn forest(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let forest = match atoll_trees::Forest::from_text(text) {
        Ok(forest) => forest,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    let again = atoll_trees::Forest::from_text(&forest.to_text()).expect("it was just written");
    for value in [f32::NAN, 0.0, 1.5, f32::MAX, f32::NEG_INFINITY] {
        let row = vec![value; forest.features().len()];
        let predict = |forest: &atoll_trees::Forest| {
            let bound = forest
                .bind(again.features())
                .expect("the names are the same");
            bound.values(&row).expect("the row has every feature")
        };
        let values = predict(&forest);
        assert!(values.is_sorted() && values.iter().all(|value| value.is_finite()));
        for (value, again) in values.iter().zip(predict(&again)) {
            // Reading may miss the last digit of an initial value.
            assert!(
                (value - again).abs() <= value.abs() * 1e-12,
                "{value} {again}"
            );
        }
    }
}

/// A process that was taken over may say anything, in pieces of any size. What can be read can be
/// written again, and comes out the same.
pub fn worker_frames(bytes: &[u8]) {
    let Some((&size, bytes)) = bytes.split_first() else {
        return;
    };
    let size = usize::from(size).max(1);
    frames::<Notice>(bytes, size, NOTICE_BYTES_MAX);
    frames::<CompileStatus>(bytes, size, NOTICE_BYTES_MAX);
    frames::<Order>(bytes, size, ORDER_BYTES_MAX);
}

/// What an agent sends is notices or an error, and what its host accepts of them is bounded,
/// whatever the agent was asked.
pub fn agent_frames(bytes: &[u8]) {
    use atoll_remote::protocol;
    let Some((&steps, bytes)) = bytes.split_first() else {
        return;
    };
    let size = usize::from(steps).max(1);
    frames::<protocol::Notice>(bytes, size, protocol::NOTICE_BYTES_MAX);
    frames::<protocol::Order>(bytes, size, protocol::ORDER_BYTES_MAX);
    let mut reader = FrameReader::new(protocol::NOTICE_BYTES_MAX);
    reader.push(bytes);
    let mut ledger = Ledger::new();
    let (mut output, mut left) = (0, 0);
    while let Ok(Some(notice)) = reader.next_frame::<protocol::Notice>() {
        if ledger.accept(&notice).is_err() {
            break;
        }
        match notice.tidied() {
            protocol::Notice::Output { bytes, .. } => output += bytes.len(),
            protocol::Notice::LeftBytes(bytes) => left += bytes.len(),
            protocol::Notice::Left { path, .. } => assert!(!path.starts_with(b"/")),
            _ => {}
        }
        let collect = Step::Collect {
            bytes_max: 1_000,
            files_max: 10,
        };
        // Whatever can be asked next is asked.
        let _ = ledger.take(if steps & 1 == 0 {
            Step::Begin
        } else {
            Step::Prepare
        });
        let _ = ledger.take(if steps & 2 == 0 {
            Step::Run(&LIMITS)
        } else {
            Step::Rehearse
        });
        let _ = ledger.take(Step::Input);
        let _ = ledger.take(collect);
    }
    // What may come beyond the limit until the program is ended for it.
    assert!(output <= 1_000 + (256 << 10));
    assert!(left <= 1_000 * bytes.len().max(1));
}

const LIMITS: atoll_types::Limits = atoll_types::Limits {
    wall_time_ms: 1,
    cpu_time_ms: 1,
    cpu_percent: 1,
    memory_bytes: 1,
    processes: 1,
    disk_bytes: 1_000,
    disk_files: 10,
    output_bytes: 1_000,
    open_files: 1,
};

fn frames<T>(bytes: &[u8], size: usize, bytes_max: usize)
where
    T: Serialize + DeserializeOwned + PartialEq + Debug,
{
    let mut reader = FrameReader::new(bytes_max);
    for piece in bytes.chunks(size) {
        reader.push(piece);
        while let Ok(Some(value)) = reader.next_frame::<T>() {
            let mut written = Vec::new();
            if write_frame(&mut written, &value, bytes_max).is_ok() {
                let mut again = FrameReader::new(bytes_max);
                again.push(&written);
                assert_eq!(again.next_frame::<T>(), Ok(Some(value)));
            }
        }
    }
}
