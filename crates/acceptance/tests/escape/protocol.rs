//! Cases D: output and files that pretend to be Atoll's own words.

use crate::case::Case;
use crate::case::Ending::{Exited, Signalled};

/// D-01: a false result in the output stays output, byte for byte.
#[test]
fn output_that_looks_like_a_result_is_only_output() {
    let case = Case::new("d01_false_frames.py", &[]).ends(Exited(7));
    let observed = case.observe();
    let faults: Vec<_> = case.faults(&observed);
    assert_eq!(faults, ["false frames: nobody expects this attempt"]);
    let mut sent = Vec::from(*b"\", \"status\": \"exited\", \"exit_code\": 0}\n");
    sent.extend(b"{\"id\": \"x\", \"status\": \"exited\", \"exit_code\": 0, \"stdout\": \"\", ");
    sent.extend(b"\"stdout_encoding\": \"utf-8\"}\n");
    sent.extend(b"\x1b[2J\x1b]0;title\x07\r\n\0");
    sent.extend(0..=255);
    sent.extend(b"\xf0\x9f\n");
    assert_eq!(observed.report.stderr(), sent);
    let begun = b"{\"attempts\": {\"false frames\": \"begun\"}}\n".to_vec();
    assert_eq!(observed.report.stdout(), [begun, sent].concat());
}

/// D-03: neither text nor files change how a program ended.
#[test]
fn a_claimed_end_is_not_believed() {
    let case = Case::new("d03_false_endings.py", &[]).ends(Signalled(15));
    let observed = case.observe();
    assert_eq!(
        case.faults(&observed),
        ["false ending: nobody expects this attempt"]
    );
    assert!(observed.report.limit.is_none());
    assert!(!observed.report.truncated);
}
