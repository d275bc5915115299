//! What the reader of one kind of program fills in while it reads: everything of [`Analysis`] but
//! the parts that are judged from the whole at the end (complexity and execution class).
//!
//! Every list has a bound. A program that would fill one is cut there, and says so: what was left
//! out was not analysed, so it counts as [`Capability::Unanalyzed`].

use std::collections::{BTreeMap, BTreeSet};

use atoll_types::{
    Analysis, Capability, Complexity, Dependency, DependencySource, ExecutionClass, Literal,
    Problem, ProgramKind,
};

/// The most entries each list of an [`Analysis`] holds.
pub(crate) const ENTRIES_MAX: usize = 256;

/// The most problems of an [`Analysis`]: as many as other entries, and one for each list that was
/// cut.
pub(crate) const PROBLEMS_MAX: usize = ENTRIES_MAX + 4;

/// The most bytes of one text that came from the program (a name, a message, a role).
pub(crate) const TEXT_BYTES_MAX: usize = 256;

/// Collects what one program shows. Readers call the methods; the counters are plain fields.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    /// Source lines of a script; 0 for a binary.
    pub(crate) lines: u64,
    /// Functions or methods defined.
    pub(crate) functions: u64,
    /// Loops in the whole program.
    pub(crate) loops: u64,
    /// Deepest nesting of loops inside one function; raise it with [`Findings::loop_nesting`].
    pub(crate) loop_nesting_max: u32,
    /// Whether some function can reach itself.
    pub(crate) recursion: bool,
    /// Whether some loop shows no way to end, such as `while True` without `break`.
    pub(crate) endless_loop: bool,
    /// Instructions of a binary or syntax nodes of a script.
    pub(crate) instructions: u64,
    /// Declared memory in bytes, where the program states it.
    pub(crate) declared_memory_bytes: Option<u64>,
    literals: BTreeSet<(String, u64)>,
    dependencies: BTreeMap<String, DependencySource>,
    host_calls: BTreeSet<String>,
    capabilities: BTreeSet<Capability>,
    disguised: BTreeSet<String>,
    problems: Vec<Problem>,
    cut: Cut,
}

/// Which lists were cut at their bound. One flag each, so that each is reported once.
#[derive(Debug, Default)]
struct Cut {
    literals: bool,
    dependencies: bool,
    host_calls: bool,
    problems: bool,
}

impl Findings {
    /// What an analysis says, but for its problems, as if a reader had found it: what none could
    /// note is left out or comes out otherwise.
    pub(crate) fn noted_again(said: &Analysis) -> Self {
        let mut findings = Self {
            lines: said.lines,
            functions: said.functions,
            loops: said.loops,
            loop_nesting_max: said.loop_nesting_max,
            recursion: said.recursion,
            instructions: said.instructions,
            declared_memory_bytes: said.declared_memory_bytes,
            capabilities: said.capabilities.clone(),
            ..Self::default()
        };
        for literal in &said.literals {
            findings.literal(&literal.role, literal.value);
        }
        for dependency in &said.dependencies {
            findings.dependency(&dependency.name, dependency.source);
        }
        for call in &said.host_calls {
            findings.host_call(call);
        }
        let is_noted = |name: &&String| {
            findings.dependencies.contains_key(*name) || findings.host_calls.contains(*name)
        };
        findings.disguised = said.disguised.iter().filter(is_noted).cloned().collect();
        findings
    }

    /// Notes that the program could do this to its surroundings.
    pub(crate) fn capability(&mut self, capability: Capability) {
        self.capabilities.insert(capability);
    }

    /// Whether the capability was noted already.
    pub(crate) fn has_capability(&self, capability: Capability) -> bool {
        self.capabilities.contains(&capability)
    }

    /// Notes a module, library or command the program names. A name that was noted before keeps
    /// the source that says more about what is needed: third party over local over standard.
    pub(crate) fn dependency(&mut self, name: &str, source: DependencySource) {
        let name = bounded(name);
        if let Some(known) = self.dependencies.get_mut(&name) {
            if demand(source) > demand(*known) {
                *known = source;
            }
        } else if self.dependencies.len() < ENTRIES_MAX {
            self.dependencies.insert(name, source);
        } else {
            self.cut.dependencies = true;
        }
    }

    /// Notes a number that sizes the program's work. The same role and value count once.
    pub(crate) fn literal(&mut self, role: &str, value: u64) {
        let entry = (bounded(role), value);
        if self.literals.contains(&entry) {
            return;
        }
        if self.literals.len() < ENTRIES_MAX {
            self.literals.insert(entry);
            return;
        }
        // The large numbers decide how much work a program does, so a small one makes room.
        self.cut.literals = true;
        let smallest = self.literals.iter().min_by_key(|(_, value)| *value);
        if let Some(smallest) = smallest.cloned()
            && smallest.1 < value
        {
            self.literals.remove(&smallest);
            self.literals.insert(entry);
        }
    }

    /// Notes a call out of the program: `os.system`, a Wasm import, a system call.
    pub(crate) fn host_call(&mut self, name: &str) {
        let name = bounded(name);
        if self.host_calls.contains(&name) {
            return;
        }
        if self.host_calls.len() < ENTRIES_MAX {
            self.host_calls.insert(name);
        } else {
            self.cut.host_calls = true;
        }
    }

    /// Notes which of the names that a script reaches its text nowhere spells. Called once, when
    /// all of them are known.
    pub(crate) fn compare_with_text(&mut self, text: &[u8]) {
        let dependencies = self.dependencies.keys();
        let names = dependencies.chain(&self.host_calls);
        let disguised = names.filter(|name| !is_spelled(name, text)).cloned();
        self.disguised = disguised.collect();
    }

    /// Notes something that was not understood, which is itself a capability. `line` counts from 1.
    pub(crate) fn problem(&mut self, line: Option<u64>, message: &str) {
        self.capability(Capability::Unanalyzed);
        let problem = Problem {
            line,
            message: bounded(message),
        };
        if self.problems.contains(&problem) {
            return;
        }
        if self.problems.len() < ENTRIES_MAX {
            self.problems.push(problem);
        } else {
            self.cut.problems = true;
        }
    }

    /// Notes that loops were seen nested this deep inside one function.
    pub(crate) fn loop_nesting(&mut self, depth: u32) {
        self.loop_nesting_max = self.loop_nesting_max.max(depth);
    }

    /// The largest number noted under a role that counts; 0 when there is none.
    pub(crate) fn largest_literal(&self, counts: impl Fn(&str) -> bool) -> u64 {
        self.literals
            .iter()
            .filter(|(role, _)| counts(role))
            .map(|(_, value)| *value)
            .max()
            .unwrap_or(0)
    }

    /// What was noted so far as capabilities.
    pub(crate) fn capabilities(&self) -> &BTreeSet<Capability> {
        &self.capabilities
    }

    /// How many modules, libraries and commands are of this source.
    pub(crate) fn dependency_count(&self, source: DependencySource) -> u64 {
        self.dependencies
            .values()
            .filter(|known| **known == source)
            .count() as u64
    }

    /// Says aloud which lists were cut. Called once, when reading is over.
    pub(crate) fn close(&mut self) {
        let cut = std::mem::take(&mut self.cut);
        let lists = [
            (cut.literals, "literals"),
            (cut.dependencies, "dependencies"),
            (cut.host_calls, "host calls"),
            (cut.problems, "problems"),
        ];
        for (was_cut, list) in lists {
            if was_cut {
                // Room for these few lines is kept beside the bound, or they could never be said.
                self.capability(Capability::Unanalyzed);
                self.problems.push(Problem {
                    line: None,
                    message: format!("more than {ENTRIES_MAX} {list}; the rest is not listed"),
                });
            }
        }
    }

    /// The finished [`Analysis`].
    pub(crate) fn into_analysis(
        self,
        kind: ProgramKind,
        code_bytes: u64,
        execution_class: ExecutionClass,
        complexity: Complexity,
    ) -> Analysis {
        Analysis {
            kind,
            code_bytes,
            lines: self.lines,
            functions: self.functions,
            loops: self.loops,
            loop_nesting_max: self.loop_nesting_max,
            recursion: self.recursion,
            instructions: self.instructions,
            literals: self
                .literals
                .into_iter()
                .map(|(role, value)| Literal { role, value })
                .collect(),
            dependencies: self
                .dependencies
                .into_iter()
                .map(|(name, source)| Dependency { name, source })
                .collect(),
            host_calls: self.host_calls,
            capabilities: self.capabilities,
            disguised: self.disguised,
            execution_class,
            complexity,
            declared_memory_bytes: self.declared_memory_bytes,
            problems: self.problems,
        }
    }
}

/// Whether the last part of a name stands anywhere in a text. Parts of longer words and comments
/// count, too: what is wanted is programs that keep a name from being read.
fn is_spelled(name: &str, text: &[u8]) -> bool {
    let last = name.rsplit(['.', '/', ':']).find(|part| !part.is_empty());
    last.is_none_or(|last| memchr::memmem::find(text, last.as_bytes()).is_some())
}

/// How much a dependency's source asks of whoever prepares the program's surroundings.
fn demand(source: DependencySource) -> u8 {
    match source {
        DependencySource::StandardLibrary => 0,
        DependencySource::Local => 1,
        DependencySource::ThirdParty => 2,
    }
}

/// A copy of a text out of the program, cut at [`TEXT_BYTES_MAX`] on a character boundary.
fn bounded(text: &str) -> String {
    let mut end = text.len().min(TEXT_BYTES_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_cut_at_their_bound_and_say_so() {
        let mut findings = Findings::default();
        for number in 0..1000_u64 {
            findings.literal("range", number);
            findings.dependency(&format!("module{number}"), DependencySource::ThirdParty);
            findings.host_call(&format!("call{number}"));
            findings.problem(Some(number), "broken");
        }
        findings.close();
        let analysis = findings.into_analysis(
            ProgramKind::Python,
            0,
            ExecutionClass::Trivial,
            Complexity::default(),
        );
        assert_eq!(analysis.literals.len(), ENTRIES_MAX);
        assert_eq!(analysis.dependencies.len(), ENTRIES_MAX);
        assert_eq!(analysis.host_calls.len(), ENTRIES_MAX);
        assert_eq!(analysis.problems.len(), PROBLEMS_MAX);
        assert!(!analysis.is_complete());
        // The large literals stay.
        assert!(
            analysis
                .literals
                .iter()
                .all(|literal| literal.value >= 1000 - 256)
        );
    }

    #[test]
    fn a_cut_list_alone_is_a_problem() {
        let mut findings = Findings::default();
        for number in 0..=ENTRIES_MAX {
            findings.host_call(&format!("call{number}"));
        }
        assert!(!findings.has_capability(Capability::Unanalyzed));
        findings.close();
        assert!(findings.has_capability(Capability::Unanalyzed));
    }

    #[test]
    fn a_name_is_spelled_when_its_last_part_stands_in_the_text() {
        let text = b"import os\nos.system(x)\nrequire('node:fs')\n";
        for spelled in ["os", "os.system", "fs", "node:fs", "/bin/sys", ""] {
            assert!(is_spelled(spelled, text), "{spelled}");
        }
        for disguised in ["os.popen", "subprocess", "node:net"] {
            assert!(!is_spelled(disguised, text), "{disguised}");
        }
    }

    #[test]
    fn texts_are_cut_between_characters() {
        let text = "é".repeat(TEXT_BYTES_MAX);
        assert_eq!(bounded(&text).len(), TEXT_BYTES_MAX);
        assert_eq!(bounded(&format!("a{text}")).len(), TEXT_BYTES_MAX - 1);
    }

    #[test]
    fn the_most_demanding_source_of_a_dependency_stays() {
        let mut findings = Findings::default();
        for source in [
            DependencySource::Local,
            DependencySource::ThirdParty,
            DependencySource::StandardLibrary,
        ] {
            findings.dependency("module", source);
        }
        assert_eq!(findings.dependency_count(DependencySource::ThirdParty), 1);
    }
}
