//! What a program takes before its own work begins: its runtime, and each of its imports.
//!
//! For most programs that is most of what they need, so it is what an explanation names.

use std::cmp::Reverse;

use atoll_types::{Analysis, Dependency, ProgramKind};

use crate::{imports, table};

/// One part of a program's start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartPart {
    /// The runtime, or a module that is imported.
    pub name: String,
    /// Memory that it adds, in bytes.
    pub memory_bytes: u64,
    /// CPU time that it adds, in microseconds.
    pub cpu_us: u64,
}

/// The parts of a program's start: the runtime, then what it imports, the largest first. What
/// several imports load is the first one's.
#[must_use]
pub fn start(analysis: &Analysis) -> Vec<StartPart> {
    if analysis.kind != ProgramKind::Python {
        let (runtime, mut parts) = table::parts(analysis);
        parts.sort_by_key(|part| Reverse(part.memory_bytes));
        parts.insert(0, runtime);
        return parts;
    }
    let alone = |dependency: &Dependency| imports::loaded_by([dependency]).memory_kib;
    let mut imported: Vec<&Dependency> = analysis.dependencies.iter().collect();
    imported.sort_by_cached_key(|dependency| Reverse(alone(dependency)));
    let (memory_bytes, cpu_us) = imports::nothing();
    let mut parts = vec![StartPart {
        name: analysis.kind.name().to_owned(),
        memory_bytes,
        cpu_us,
    }];
    let mut before = imports::Loaded::default();
    for (index, dependency) in imported.iter().enumerate() {
        let all = imports::loaded_by(imported.iter().take(index.saturating_add(1)).copied());
        let part = StartPart {
            name: dependency.name.clone(),
            memory_bytes: (all.memory_kib.saturating_sub(before.memory_kib)).saturating_mul(1024),
            cpu_us: all.cpu_us.saturating_sub(before.cpu_us),
        };
        before = all;
        if part.memory_bytes > 0 || part.cpu_us > 0 {
            parts.push(part);
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use atoll_types::DependencySource;

    use super::*;

    fn importing(kind: ProgramKind, names: &[&str]) -> Vec<StartPart> {
        let dependencies = names.iter().map(|name| Dependency {
            name: (*name).to_owned(),
            source: DependencySource::ThirdParty,
        });
        start(&Analysis {
            kind,
            dependencies: dependencies.collect(),
            ..crate::tests::script()
        })
    }

    fn names(parts: &[StartPart]) -> Vec<&str> {
        parts.iter().map(|part| part.name.as_str()).collect()
    }

    #[test]
    fn imports_come_behind_the_runtime_and_share_what_they_load() {
        // json is loaded by what is larger, and nobody knows the last one.
        let parts = importing(
            ProgramKind::Python,
            &["math", "sklearn", "numpy", "made_up"],
        );
        assert_eq!(names(&parts)[..2], ["python", "sklearn"]);
        let sum: u64 = parts.iter().map(|part| part.memory_bytes).sum();
        let all = importing(ProgramKind::Python, &["numpy", "math", "sklearn"]);
        assert_eq!(sum, all.iter().map(|part| part.memory_bytes).sum::<u64>());
        assert!(!names(&parts).contains(&"made_up"));
    }

    #[test]
    fn other_kinds_have_their_runtime() {
        assert_eq!(names(&importing(ProgramKind::Shell, &[])), ["shell"]);
        let node = importing(ProgramKind::JavaScript, &["http"]);
        assert_eq!(node[0].name, "javascript");
    }
}
