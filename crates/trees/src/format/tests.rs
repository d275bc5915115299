use std::error::Error;

use proptest::prelude::*;

use super::*;

const SMALL: &str = r#"{"format":"atoll-trees","version":1,
"features":["loops","bytes \"read\""],
"models":[
{"quantile":0.5,"initial":3.25,"trees":[
[[1,2048.5,0],-0.5,0.75],
[0.125]
]},
{"quantile":0.9,"initial":4,"trees":[]}
]}
"#;

fn refusal(text: &str) -> String {
    let error = Forest::from_text(text).unwrap_err();
    let source = error.source().map(ToString::to_string).unwrap_or_default();
    format!("{error}: {source}")
}

#[test]
fn a_forest_is_written_as_it_was_read() {
    let forest = Forest::from_text(SMALL).unwrap();
    assert_eq!(forest.to_text(), SMALL);
    let bound = forest.bind(&["loops", "bytes \"read\""]).unwrap();
    assert_eq!(bound.values(&[0.0, 2048.5]).unwrap(), [2.875, 4.0]);
    assert_eq!(bound.values(&[0.0, 2049.0]).unwrap(), [4.0, 4.125]);
}

#[test]
fn numbers_are_short_and_come_back_as_they_were() {
    for number in [
        0.0,
        2.0,
        -0.125,
        1e-20,
        f32::MAX,
        f32::MIN_POSITIVE,
        16_777_216.0,
        0.1,
    ] {
        let text = number_text(number);
        let read: Node = serde_json::from_str(&text).unwrap();
        assert_eq!(read, Node::Leaf(number), "{text}");
    }
    assert_eq!(number_text(f32::MAX), "3.4028235e38");
    assert_eq!(number_text(2.0), "2");
}

#[test]
fn hostile_text_is_refused_with_a_reason() {
    for (from, to, reason) in [
        ("atoll-trees", "other", "\"other\" version 1"),
        ("\"version\":1", "\"version\":2", "version 2"),
        ("\"loops\"", "\"\"", "the name of feature 0 is empty"),
        (
            "\"loops\"",
            "\"bytes \\\"read\\\"\"",
            "two features have the name",
        ),
        (
            "\"quantile\":0.5",
            "\"quantile\":0.95",
            "quantile 0.9 is not between",
        ),
        (
            "\"quantile\":0.5",
            "\"quantile\":0",
            "quantile 0 is not between",
        ),
        (
            "\"quantile\":0.9",
            "\"quantile\":1.0",
            "quantile 1 is not between",
        ),
        (
            "[1,2048.5,0]",
            "[2,2048.5,0]",
            "tree 0 of quantile 0.5 is wrong: it asks for feature 2",
        ),
        ("[1,2048.5,0]", "[-1,2048.5,0]", "line 5 column"),
        ("[1,2048.5,0]", "[70000,2048.5,0]", "line 5 column"),
        ("[1,2048.5,0]", "[1,2048.5,2]", "not 0 or 1"),
        ("[1,2048.5,0]", "[1,2048.5]", "not 0 or 1"),
        ("[1,2048.5,0]", "[1,2048.5,0,0]", "line 5 column"),
        ("[1,2048.5,0]", "[1,1e39,0]", "not a finite number"),
        ("[0.125]", "[1e300]", "not a finite number"),
        (
            "[0.125]",
            "[]",
            "tree 1 of quantile 0.5 is wrong: a side of a split is not there",
        ),
        ("[0.125]", "[1,2]", "nodes follow"),
        ("[0.125]", "[\"x\"]", "a leaf's value"),
        ("3.25", "1e999", "line 4 column"),
        ("3.25", "null", "line 4 column"),
        ("\"initial\":4,", "", "missing field"),
        (
            "\"initial\":4,",
            "\"initial\":4,\"more\":4,",
            "unknown field",
        ),
    ] {
        assert!(SMALL.contains(from), "{from}");
        let text = SMALL.replacen(from, to, 1);
        let refusal = refusal(&text);
        assert!(refusal.contains(reason), "{to}: {refusal}");
    }
}

#[test]
fn what_is_too_large_is_refused() {
    assert!(refusal(&" ".repeat(TEXT_BYTES_MAX + 1)).contains("at most"));
    let trees = vec!["[0]"; 2001].join(",");
    let text = SMALL.replace("\"trees\":[]", &format!("\"trees\":[{trees}]"));
    assert!(refusal(&text).contains("more than 2000 trees"));
    let nested = SMALL.replace("[0.125]", &"[".repeat(10_000));
    assert!(refusal(&nested).contains("line 6"));
    let leaves = vec!["1"; 62].join(",");
    let text = SMALL.replace("[0.125]", &format!("[{leaves}]"));
    assert!(refusal(&text).contains("more than 31 leaves"));
}

proptest! {
    #[test]
    fn changed_bytes_are_refused_or_still_a_forest(
        changes in prop::collection::vec((0..SMALL.len(), any::<u8>()), 1..4),
    ) {
        let mut bytes = SMALL.as_bytes().to_vec();
        for (at, byte) in changes {
            bytes[at] = byte;
        }
        if let Ok(text) = String::from_utf8(bytes)
            && let Ok(forest) = Forest::from_text(&text)
        {
            let again = Forest::from_text(&forest.to_text()).unwrap();
            for (read, written) in again.models().iter().zip(forest.models()) {
                prop_assert_eq!(&read.trees, &written.trees);
            }
            let bound = forest.bind(forest.features()).unwrap();
            prop_assert!(bound.values(&[f32::NAN, 3.0]).unwrap().iter().all(|v| v.is_finite()));
        }
    }
}
