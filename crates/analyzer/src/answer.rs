//! What the process that reads a program answers: its analysis, and nothing else.
//!
//! Whoever reads hostile bytes may have been taken over by them, so an answer is bounded, decoded
//! without trust, and believed only where it can be the analysis of the program that was given.
//! Within that it can say anything about that program, and nothing about any other.

use std::io;

use atoll_analyze::is_possible;
use atoll_types::{Analysis, ProgramKind};

/// The largest answer, in bytes. The lists of an analysis and the texts in them are bounded; all of
/// them full take about 300 KiB.
pub const ANSWER_BYTES_MAX: usize = 512 << 10;

/// The answer that says an analysis.
///
/// # Errors
/// When it is larger than any analysis is.
pub fn to_answer(analysis: &Analysis) -> io::Result<Vec<u8>> {
    let answer = postcard::to_stdvec(analysis).map_err(io::Error::other)?;
    if answer.len() <= ANSWER_BYTES_MAX {
        Ok(answer)
    } else {
        Err(io::ErrorKind::FileTooLarge.into())
    }
}

/// The analysis that an answer says; `None` where it cannot be that of a program of this kind and
/// of so many bytes.
#[must_use]
pub fn from_answer(answer: &[u8], kind: ProgramKind, code_bytes: u64) -> Option<Analysis> {
    if answer.len() > ANSWER_BYTES_MAX {
        return None;
    }
    let (said, rest) = postcard::take_from_bytes::<Analysis>(answer).ok()?;
    (rest.is_empty() && is_possible(&said, kind, code_bytes)).then_some(said)
}

#[cfg(test)]
mod tests {
    use atoll_analyze::analyze;
    use atoll_types::Capability;
    use proptest::prelude::*;

    use super::*;

    const PROGRAM: &[u8] = b"import os, socket\nwhile True:\n    os.system('ls')\n";

    fn analysis() -> Analysis {
        analyze(ProgramKind::Python, PROGRAM)
    }

    fn heard(said: &Analysis) -> Option<Analysis> {
        let answer = to_answer(said).unwrap();
        from_answer(&answer, ProgramKind::Python, PROGRAM.len() as u64)
    }

    #[test]
    fn an_analysis_arrives_as_it_was_said() {
        assert_eq!(heard(&analysis()), Some(analysis()));
    }

    #[test]
    fn the_fullest_analysis_fits() {
        let long = |number: u32| format!("{number:>0width$}", width = 256);
        let mut full = analysis();
        full.host_calls = (0..256).map(long).collect();
        full.literals = (0..256)
            .map(|number| atoll_types::Literal {
                role: long(number),
                value: u64::MAX,
            })
            .collect();
        full.dependencies = (0..256)
            .map(|number| atoll_types::Dependency {
                name: long(number),
                source: atoll_types::DependencySource::Local,
            })
            .collect();
        full.problems = (0..260)
            .map(|number| atoll_types::Problem {
                line: Some(u64::MAX),
                message: long(number),
            })
            .collect();
        assert!(to_answer(&full).unwrap().len() <= ANSWER_BYTES_MAX * 3 / 4);
    }

    #[test]
    fn what_cannot_be_is_not_believed() {
        let changes: [fn(&mut Analysis); 8] = [
            |said| said.kind = ProgramKind::Shell,
            |said| said.code_bytes += 1,
            |said| said.complexity.score = 0.0,
            |said| said.complexity.parts.clear(),
            |said| said.execution_class = atoll_types::ExecutionClass::Trivial,
            |said| {
                said.capabilities.insert(Capability::Unanalyzed);
            },
            |said| {
                said.host_calls.insert("x".repeat(257));
            },
            |said| {
                said.host_calls
                    .extend((0..300).map(|call| call.to_string()))
            },
        ];
        for (number, change) in changes.iter().enumerate() {
            let mut said = analysis();
            change(&mut said);
            assert_eq!(heard(&said), None, "{number}");
        }
    }

    #[test]
    fn more_or_less_than_an_analysis_is_none() {
        let bytes = PROGRAM.len() as u64;
        let mut answer = to_answer(&analysis()).unwrap();
        for end in 0..answer.len() {
            let cut = &answer[..end];
            assert_eq!(from_answer(cut, ProgramKind::Python, bytes), None, "{end}");
        }
        answer.push(0);
        assert_eq!(from_answer(&answer, ProgramKind::Python, bytes), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_an_analysis_or_none(
            bytes in proptest::collection::vec(any::<u8>(), 0..200),
            at in any::<prop::sample::Index>(),
            byte: u8,
        ) {
            let code_bytes = PROGRAM.len() as u64;
            let _ = from_answer(&bytes, ProgramKind::Python, code_bytes);
            let mut answer = to_answer(&analysis()).unwrap();
            let at = at.index(answer.len());
            answer[at] = byte;
            if let Some(said) = from_answer(&answer, ProgramKind::Python, code_bytes) {
                prop_assert!(is_possible(&said, ProgramKind::Python, code_bytes));
            }
        }
    }
}
