//! Modules that an interpreter imports before there is a program for it.
//!
//! Owns which ones, and when a program would notice. They are the host's own, never those of a
//! message or of its dependencies: what is imported runs where no program is confined yet.

use std::collections::BTreeSet;

use atoll_sandbox::{Environment, Job};
use atoll_types::{Dependency, ProgramKind};

/// Modules whose import takes longer than everything else before a program's first line, each with
/// the first steps of a program that uses it.
const MODULES: [(&str, &str); 1] = [(
    "numpy",
    "import numpy as np\nprint(int(np.arange(9).sum()), np.zeros((2, 2)) @ np.ones(2))\n",
)];

/// Variables that they look at while they are imported.
const VARIABLES: [&[u8]; 7] = [
    b"OPENBLAS_",
    b"GOTO_",
    b"BLIS_",
    b"OMP_",
    b"MKL_",
    b"NPY_",
    b"NUMPY_",
];

/// Set while they are imported, and only then: an interpreter that forks must not have threads.
pub(crate) const ONE_THREAD: [&[u8]; 4] = [
    b"OPENBLAS_NUM_THREADS=1",
    b"OMP_NUM_THREADS=1",
    b"MKL_NUM_THREADS=1",
    b"BLIS_NUM_THREADS=1",
];

/// Those of the modules that a program names which may have been imported when it starts.
pub(crate) fn modules(
    environment: &Environment,
    job: &Job,
    named: &[Dependency],
) -> BTreeSet<String> {
    let is_early = |name: &[u8]| VARIABLES.iter().any(|early| name.starts_with(early));
    if environment.kind != ProgramKind::Python
        // They come first on the search path.
        || environment.dependencies.is_some()
        || job.environment.iter().any(|(name, _)| is_early(name))
    {
        return BTreeSet::new();
    }
    let files = job.files.iter().map(|file| file.name.as_slice());
    let own: Vec<&[u8]> = files
        .chain([job.program.name.as_bytes()])
        .map(stem)
        .collect();
    named
        .iter()
        .map(|dependency| dependency.name.as_str())
        .filter(|name| MODULES.iter().any(|(known, _)| known == name))
        .filter(|name| !own.contains(&name.as_bytes()))
        .map(str::to_owned)
        .collect()
}

/// The first steps of a program that uses these modules.
pub(crate) fn first_steps(modules: &BTreeSet<String>) -> String {
    let steps = MODULES.iter().filter(|(name, _)| modules.contains(*name));
    steps.map(|(_, text)| *text).collect()
}

/// What a file can be imported as.
fn stem(name: &[u8]) -> &[u8] {
    name.split(|byte| *byte == b'.').next().unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use atoll_types::{DependencySource, InputFile, TenantId};

    use super::*;
    use crate::waiting::rehearsal;

    #[test]
    fn modules_are_imported_ahead_only_where_a_program_would_get_the_same() {
        let named = ["json", "numpy"].map(|name| Dependency {
            name: name.to_owned(),
            source: DependencySource::ThirdParty,
        });
        let environment = Environment {
            kind: ProgramKind::Python,
            dependencies: None,
            modules: BTreeSet::new(),
            tenant: TenantId::local(),
        };
        let job = rehearsal(&BTreeSet::new());
        let numpy = BTreeSet::from(["numpy".to_owned()]);
        assert_eq!(modules(&environment, &job, &named), numpy);
        assert!(modules(&environment, &job, &named[..1]).is_empty());

        let mut own_module = job.clone();
        own_module.files.push(InputFile {
            name: b"numpy.py".to_vec(),
            content: b""[..].into(),
        });
        assert!(modules(&environment, &own_module, &named).is_empty());
        let mut own_name = job.clone();
        own_name.program.name = "numpy.py".to_owned();
        assert!(modules(&environment, &own_name, &named).is_empty());
        let mut threads = job.clone();
        let variable = (b"OMP_NUM_THREADS".to_vec(), b"4".to_vec());
        threads.environment.push(variable);
        assert!(modules(&environment, &threads, &named).is_empty());
        let installed = Environment {
            dependencies: Some("/tmp".into()),
            ..environment
        };
        assert!(modules(&installed, &job, &named).is_empty());
    }
}
