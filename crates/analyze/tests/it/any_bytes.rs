//! No bytes make a reader panic, whatever kind they are taken for, and every analysis keeps the
//! promises of its type.

use atoll_analyze::{analyze, recognise};
use atoll_types::{Analysis, Capability, ProgramKind};
use proptest::prelude::*;

/// The promises that hold for every analysis.
fn assert_promises(kind: ProgramKind, bytes: &[u8], analysis: &Analysis) {
    assert_eq!(analysis.kind, kind);
    assert_eq!(analysis.code_bytes, bytes.len() as u64);
    let is_flagged = analysis.capabilities.contains(&Capability::Unanalyzed);
    assert_eq!(is_flagged, !analysis.problems.is_empty());
    assert!((0.0..=100.0).contains(&analysis.complexity.score));
    assert!(u64::from(analysis.loop_nesting_max) <= analysis.loops);
    assert!(analysis.dependencies.is_sorted());
    for length in [
        analysis.literals.len(),
        analysis.dependencies.len(),
        analysis.host_calls.len(),
        analysis.problems.len(),
    ] {
        assert!(length <= 300, "{length}");
    }
    // The same bytes always give the same answer.
    assert_eq!(*analysis, analyze(kind, bytes));
}

fn assert_read(bytes: &[u8]) {
    let _ = recognise("program", bytes);
    for kind in ProgramKind::ALL {
        assert_promises(kind, bytes, &analyze(kind, bytes));
    }
}

/// Beginnings that lead past the first checks of a reader.
fn magic() -> impl Strategy<Value = &'static [u8]> {
    proptest::sample::select(vec![
        &b""[..],
        b"\0asm\x01\0\0\0",
        b"\0asm\x0D\0\x01\0",
        b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\x3e\0\x01\0\0\0",
        b"#!/bin/sh\n",
        b"#!/usr/bin/env python3\n",
        b"# coding: latin-1\n",
        b"\xEF\xBB\xBF",
    ])
}

#[test]
fn nothing_is_read() {
    assert_read(b"");
    assert_read(b"\0");
    assert_read(b"\n");
}

proptest! {
    #[test]
    fn any_bytes_are_read(magic in magic(), bytes: Vec<u8>) {
        assert_read(&[magic, &bytes].concat());
    }

    #[test]
    fn any_text_is_read(magic in magic(), text in "\\PC{0,300}") {
        assert_read(&[magic, text.as_bytes()].concat());
    }

    #[test]
    fn any_punctuation_is_read(text in "[-+*/%=<>!?:;,.()\\[\\]{}'\"`$#@&|^~\\\\ \n\ta-c0-2]{0,200}") {
        assert_read(text.as_bytes());
    }
}
