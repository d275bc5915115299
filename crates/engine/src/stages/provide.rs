//! What does the program find around it?

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use atoll_sandbox::{Backend, Environment, Job, content_bytes};
use atoll_types::{Analysis, Decision, Level, LimitHit, LimitName, Message, ProgramKind, Status};

use crate::Engine;
use crate::way::Halt;

/// Describes the program's surroundings, which do not depend on the decision.
pub(crate) fn environment(
    message: &Message,
    dependencies: Option<PathBuf>,
) -> Result<Environment, Halt> {
    Ok(Environment {
        kind: message.program.kind,
        dependencies: dependencies.map(check_directory).transpose()?,
        modules: BTreeSet::new(),
        tenant: message.tenant.clone(),
    })
}

/// The same surroundings, with what sandboxes of a level may have imported ahead of the program.
pub(crate) fn imported_ahead(
    engine: &Engine,
    level: Level,
    environment: Environment,
    job: &Job,
    analysis: &Analysis,
) -> Environment {
    let backend = engine.pools.as_ref().and_then(|_| engine.backend(level));
    let modules = backend
        .filter(|_| !hides_a_standard_module(job))
        .map(|backend| backend.imports_ahead(&environment, job, &analysis.dependencies))
        .unwrap_or_default();
    Environment {
        modules,
        ..environment
    }
}

/// Whether a file of the job can be imported in place of a standard module: what is imported ahead
/// imports such modules, too, and would not have found it.
fn hides_a_standard_module(job: &Job) -> bool {
    let files = job.files.iter().map(|file| file.name.as_slice());
    let mut names = files.chain([job.program.name.as_bytes()]);
    names.any(|name| {
        let stem = name.split(|byte| *byte == b'.').next().unwrap_or(name);
        std::str::from_utf8(stem).is_ok_and(atoll_analyze::is_standard_python_module)
    })
}

/// Checks that the level can run the program and hold it to its rules for calls, and that what the
/// program brings along fits.
pub(crate) fn provide(engine: &Engine, message: &Message, decision: &Decision) -> Result<(), Halt> {
    let backend = able_backend(engine, decision.level, message.program.kind)?;
    if let Some(why) = backend.unenforceable(message.program.kind, &decision.calls) {
        return Err(Halt::refused(format!(
            "the rules for calls cannot be held at the level {}: {why}",
            decision.level
        )));
    }
    let bytes = content_bytes(&message.program.bytes, &message.files);
    if bytes > decision.limits.disk_bytes {
        let limit = LimitHit::of(LimitName::Disk, &decision.limits);
        return Err(Halt {
            limit: Some(limit),
            ..Halt::refused(format!(
                "the program and its input files have {bytes} bytes, and the disk limit is {}",
                limit.value
            ))
        });
    }
    Ok(())
}

/// The backend for a level, when there is one and it can run this kind of program.
pub(crate) fn able_backend(
    engine: &Engine,
    level: Level,
    kind: ProgramKind,
) -> Result<&Arc<dyn Backend>, Halt> {
    let Some(backend) = engine.backend(level) else {
        return Err(Halt::refused(no_backend(engine, level)));
    };
    backend.supports(kind).map_err(Halt::refused)?;
    Ok(backend)
}

/// Why a level cannot be had, and which ones can.
pub(crate) fn no_backend(engine: &Engine, level: Level) -> String {
    let present: Vec<&str> = engine
        .backends()
        .iter()
        .map(|backend| backend.level().name())
        .collect();
    format!(
        "the {level} level has no backend in this version; a policy can choose among: {}",
        present.join(", ")
    )
}

fn check_directory(path: PathBuf) -> Result<PathBuf, Halt> {
    let failed = |source: std::io::Error| Halt {
        status: Status::Failed,
        ..Halt::refused(format!(
            "failed to use {} for dependencies: {source}; name a directory of installed modules",
            path.display()
        ))
    };
    // Links are resolved now, so that what is shown to the program is what was checked.
    let canonical = path.canonicalize().map_err(failed)?;
    if !canonical.is_dir() {
        return Err(failed(std::io::ErrorKind::NotADirectory.into()));
    }
    Ok(canonical)
}

#[cfg(test)]
mod tests {
    use atoll_types::{InputFile, Program, ProgramHash};

    use super::*;

    fn job(program: &str, file: &[u8]) -> Job {
        Job {
            program: Program {
                name: program.to_owned(),
                kind: ProgramKind::Python,
                bytes: b""[..].into(),
                hash: ProgramHash::of(b""),
            },
            arguments: Vec::new(),
            files: vec![InputFile {
                name: file.to_vec(),
                content: b""[..].into(),
            }],
            environment: Vec::new(),
            parts: None,
            calls: Default::default(),
        }
    }

    #[test]
    fn a_file_named_like_a_standard_module_is_noticed() {
        for (program, file, hides) in [
            ("main.py", &b"helper.py"[..], false),
            ("main.py", b"random.py", true),
            ("random.py", b"helper.py", true),
            ("main.py", b"json.cpython-311-x86_64-linux-gnu.so", true),
            ("main.py", b"\xff.py", false),
        ] {
            let job = job(program, file);
            assert_eq!(hides_a_standard_module(&job), hides, "{program} {file:?}");
        }
    }
}
