//! What is wrong with a policy file, and where.

use std::fmt;

/// One finding in a policy file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Whether the file can be used all the same.
    pub severity: Severity,
    /// Line, counted from 1.
    pub line: u64,
    /// Column in characters, counted from 1.
    pub column: u64,
    /// What is wrong, in plain words.
    pub message: String,
    /// What would make it right, where that can be told.
    pub help: Option<String>,
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The policy works, but hardly as it was meant.
    Warning,
    /// The policy cannot be used.
    Error,
}

impl Severity {
    /// The name used in output.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = self.severity.name();
        write!(
            f,
            "{}:{}: {severity}: {}",
            self.line, self.column, self.message
        )?;
        match &self.help {
            Some(help) => write!(f, "\n  help: {help}"),
            None => Ok(()),
        }
    }
}

/// More findings than this help nobody; the rest is left off with a last word.
const DIAGNOSTICS_MAX: usize = 100;

/// Collects findings and turns byte offsets into lines and columns.
pub(crate) struct Findings<'a> {
    text: &'a str,
    /// Byte offset of the start of each line.
    lines: Vec<usize>,
    found: Vec<Diagnostic>,
    left_off: u64,
}

impl<'a> Findings<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        let after_newline = text.match_indices('\n').map(|(at, _)| at + 1);
        Self {
            text,
            lines: std::iter::once(0).chain(after_newline).collect(),
            found: Vec::new(),
            left_off: 0,
        }
    }

    /// The text the findings are about.
    pub(crate) fn text(&self) -> &'a str {
        self.text
    }

    pub(crate) fn error(&mut self, at: usize, message: impl Into<String>, help: Option<String>) {
        self.add(Severity::Error, at, message.into(), help);
    }

    pub(crate) fn warning(&mut self, at: usize, message: impl Into<String>, help: Option<String>) {
        self.add(Severity::Warning, at, message.into(), help);
    }

    pub(crate) fn has_errors(&self) -> bool {
        self.found
            .iter()
            .any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// The line of a byte offset, counted from 1.
    pub(crate) fn line(&self, at: usize) -> u64 {
        self.lines.partition_point(|start| *start <= at) as u64
    }

    /// All findings, in the order of the file.
    pub(crate) fn finish(mut self) -> Vec<Diagnostic> {
        self.found
            .sort_by_key(|diagnostic| (diagnostic.line, diagnostic.column));
        if let Some(last) = self.found.last().filter(|_| self.left_off > 0) {
            let more = Diagnostic {
                message: format!("{} more findings are left off", self.left_off),
                help: None,
                ..last.clone()
            };
            self.found.push(more);
        }
        self.found
    }

    fn add(&mut self, severity: Severity, at: usize, message: String, help: Option<String>) {
        if self.found.len() >= DIAGNOSTICS_MAX {
            self.left_off += 1;
            return;
        }
        let line = self.line(at);
        let line_start = usize::try_from(line - 1)
            .ok()
            .and_then(|index| self.lines.get(index))
            .copied()
            .unwrap_or(0);
        let before = self.text.get(line_start..at).unwrap_or_default();
        self.found.push(Diagnostic {
            severity,
            line,
            column: before.chars().count() as u64 + 1,
            message,
            help,
        });
    }
}

/// The candidate that a mistyped name most likely meant. A name that lacks its first part (`kind`
/// for `analysis.kind`) means the candidate that ends with it; otherwise the fewest edits win, as
/// long as no more than a third of the name would change.
pub(crate) fn nearest<'c>(
    name: &str,
    candidates: impl IntoIterator<Item = &'c str>,
) -> Option<&'c str> {
    let candidates: Vec<&str> = candidates.into_iter().collect();
    let tail = |candidate: &&&str| {
        candidate
            .rsplit_once('.')
            .is_some_and(|(_, last)| last == name)
    };
    if let Some(candidate) = candidates.iter().find(tail) {
        return Some(candidate);
    }
    let edits_max = (name.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(name, candidate), candidate))
        .filter(|(edits, _)| *edits <= edits_max)
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, candidate)| candidate)
}

/// `did you mean ...?`, where something is near enough.
pub(crate) fn did_you_mean<'c>(
    name: &str,
    candidates: impl IntoIterator<Item = &'c str>,
) -> Option<String> {
    nearest(name, candidates).map(|candidate| format!("did you mean `{candidate}`?"))
}
