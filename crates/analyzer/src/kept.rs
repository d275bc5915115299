//! Analyses that are kept: of the programs that were analysed last, so that nobody reads a program
//! again that comes again and again.
//!
//! An analysis follows from the kind and the bytes of a program alone, so it holds for whoever
//! sends them.

use std::sync::{Mutex, MutexGuard, PoisonError};

use atoll_types::{Analysis, Program, ProgramHash, ProgramKind};
use hashlink::LruCache;

/// So many analyses are kept, and so many bytes of them.
const PROGRAMS_MAX: usize = 4096;
const BYTES_MAX: usize = 16 << 20;

/// What an analysis and each of its items takes besides its texts, about.
const ANALYSIS_BYTES: usize = 2048;
const ITEM_BYTES: usize = 64;

type Key = (ProgramKind, ProgramHash);

/// Analyses, those that were asked for last.
#[derive(Debug)]
pub(crate) struct Kept(Mutex<Inner>);

#[derive(Debug)]
struct Inner {
    analyses: LruCache<Key, (Analysis, usize)>,
    bytes: usize,
    bytes_max: usize,
}

impl Default for Kept {
    fn default() -> Self {
        Self::with_at_most(BYTES_MAX)
    }
}

impl Kept {
    fn with_at_most(bytes_max: usize) -> Self {
        Self(Mutex::new(Inner {
            analyses: LruCache::new(PROGRAMS_MAX),
            bytes: 0,
            bytes_max,
        }))
    }

    /// The analysis of a program, if it is still kept.
    pub(crate) fn get(&self, program: &Program) -> Option<Analysis> {
        let key = (program.kind, program.hash);
        let mut inner = self.lock();
        let (analysis, _) = inner.analyses.get(&key)?;
        Some(analysis.clone())
    }

    /// Keeps an analysis, and forgets those that were not asked for the longest.
    pub(crate) fn put(&self, program: &Program, analysis: &Analysis) {
        let bytes = size(analysis);
        let mut inner = self.lock();
        if bytes > inner.bytes_max {
            return;
        }
        let key = (program.kind, program.hash);
        if let Some((_, before)) = inner.analyses.remove(&key) {
            inner.bytes = inner.bytes.saturating_sub(before);
        }
        while inner.bytes.saturating_add(bytes) > inner.bytes_max
            || inner.analyses.len() >= PROGRAMS_MAX
        {
            let Some((_, (_, oldest))) = inner.analyses.remove_lru() else {
                break;
            };
            inner.bytes = inner.bytes.saturating_sub(oldest);
        }
        inner.bytes = inner.bytes.saturating_add(bytes);
        inner.analyses.insert(key, (analysis.clone(), bytes));
    }

    /// Whoever panicked while it held the lock has at most miscounted bytes.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// About how many bytes an analysis takes.
fn size(analysis: &Analysis) -> usize {
    let roles = analysis.literals.iter().map(|literal| &literal.role);
    let names = analysis.dependencies.iter().map(|needed| &needed.name);
    let calls = analysis.host_calls.iter().chain(&analysis.disguised);
    let problems = analysis.problems.iter().map(|problem| &problem.message);
    let texts = roles.chain(names).chain(calls).chain(problems);
    let sizes = texts.map(|text| ITEM_BYTES.saturating_add(text.len()));
    sizes.fold(ANALYSIS_BYTES, usize::saturating_add)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program(text: &str) -> Program {
        Program {
            name: "a.py".to_owned(),
            kind: ProgramKind::Python,
            bytes: text.as_bytes().into(),
            hash: ProgramHash::of(text.as_bytes()),
        }
    }

    fn analysis(text: &str) -> Analysis {
        atoll_analyze::analyze(ProgramKind::Python, text.as_bytes())
    }

    #[test]
    fn an_analysis_is_of_one_kind_of_program() {
        let kept = Kept::default();
        let text = "import socket\n";
        kept.put(&program(text), &analysis(text));
        assert_eq!(kept.get(&program(text)), Some(analysis(text)));
        assert_eq!(kept.get(&program("import os\n")), None);
        let shell = Program {
            kind: ProgramKind::Shell,
            ..program(text)
        };
        assert_eq!(kept.get(&shell), None);
    }

    #[test]
    fn what_was_not_asked_for_the_longest_is_forgotten() {
        let texts: Vec<String> = (0..10).map(|number| format!("a = {number}\n")).collect();
        let one = size(&analysis(&texts[0]));
        let kept = Kept::with_at_most(one * 3);
        for text in &texts {
            kept.put(&program(text), &analysis(text));
            // The first is asked for again and again.
            assert!(kept.get(&program(&texts[0])).is_some(), "{text}");
        }
        let left = texts
            .iter()
            .filter(|text| kept.get(&program(text)).is_some());
        let left: Vec<&str> = left.map(String::as_str).collect();
        assert_eq!(left, ["a = 0\n", "a = 8\n", "a = 9\n"]);
        assert_eq!(kept.lock().bytes, one * 3);
    }

    #[test]
    fn what_is_put_again_counts_once_and_what_is_too_large_not_at_all() {
        let text = "a = 1\n";
        let kept = Kept::default();
        for _ in 0..3 {
            kept.put(&program(text), &analysis(text));
        }
        assert_eq!(kept.lock().bytes, size(&analysis(text)));
        let none = Kept::with_at_most(1);
        none.put(&program(text), &analysis(text));
        assert_eq!(none.get(&program(text)), None);
    }
}
