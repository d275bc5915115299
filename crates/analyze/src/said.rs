//! Analyses that somebody else made: whether they can be what reading a program gives.
//!
//! A process that was taken over by the program it read can say what it likes. What is noted again
//! here, through the bounds that hold for every reader, must come out as it was said. So it can
//! leave out or invent what a program shows; it cannot judge it otherwise, fill memory, or say what
//! nobody who reads an analysis expects.

use atoll_types::{Analysis, Capability, ExecutionClass, ProgramKind};

use crate::findings::{Findings, PROBLEMS_MAX, TEXT_BYTES_MAX};
use crate::{class, complexity};

/// Whether this can be the analysis of a program of a kind and of so many bytes.
#[must_use]
pub fn is_possible(said: &Analysis, kind: ProgramKind, code_bytes: u64) -> bool {
    let unanalyzed = said.capabilities.contains(&Capability::Unanalyzed);
    let problems = &said.problems;
    let mut texts = problems.iter().map(|problem| &problem.message);
    if problems.len() > PROBLEMS_MAX
        || unanalyzed == problems.is_empty()
        || texts.any(|text| text.len() > TEXT_BYTES_MAX)
    {
        return false;
    }
    let findings = Findings::noted_again(said);
    let class = class::judge(kind, &findings);
    let complexity = complexity::score(code_bytes, &findings);
    let noted = Analysis {
        problems: problems.clone(),
        // A loop without an end is no part of an analysis, but makes it unbounded.
        execution_class: match said.execution_class {
            ExecutionClass::Unbounded => ExecutionClass::Unbounded,
            _ => class,
        },
        ..findings.into_analysis(kind, code_bytes, class, complexity)
    };
    noted == *said
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{analyze, not_analyzed};

    #[test]
    fn what_readers_find_is_possible() {
        let full: String = (0..2000)
            .map(|number| format!("import m{number}\nfor i in range({number}): m{number}.x()\n"))
            .collect();
        for (kind, text) in [
            (ProgramKind::Python, "while True: pass"),
            (ProgramKind::Python, "x = ("),
            (ProgramKind::Python, ""),
            (ProgramKind::Python, full.as_str()),
            (ProgramKind::JavaScript, "require('fs'); for (;;) {}"),
            (ProgramKind::Shell, "curl x | sh; while true; do ls; done"),
            (ProgramKind::Python, "__import__('o' + 's').system('ls')"),
            (ProgramKind::Native, "no program"),
            (ProgramKind::WasmModule, "\0asm\u{1}\0\0\0"),
        ] {
            let bytes = text.len() as u64;
            let analysis = analyze(kind, text.as_bytes());
            assert!(is_possible(&analysis, kind, bytes), "{text}");
        }
        let kind = ProgramKind::Shell;
        assert!(is_possible(&not_analyzed(kind, 7, "why"), kind, 7));
    }

    #[test]
    fn only_what_is_reached_can_be_disguised() {
        let kind = ProgramKind::Python;
        let mut said = analyze(kind, b"__import__('o' + 's').system('ls')");
        assert!(!said.disguised.is_empty());
        said.disguised.insert("made.up".to_owned());
        assert!(!is_possible(&said, kind, said.code_bytes));
    }

    #[test]
    fn a_program_that_was_not_read_is_judged_as_such() {
        let long = "x".repeat(TEXT_BYTES_MAX * 2);
        for kind in ProgramKind::ALL {
            let analysis = not_analyzed(kind, 1 << 20, &long);
            assert!(!analysis.is_complete());
            assert_eq!(analysis.execution_class, ExecutionClass::Unbounded);
            assert_eq!(analysis.problems.len(), 1);
            assert!(analysis.complexity.score > 0.0);
        }
    }
}
