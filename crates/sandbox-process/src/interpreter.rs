//! Finding the interpreters of this host.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use atoll_types::ProgramKind;

/// The interpreters found on this host.
#[derive(Debug, Clone)]
pub struct Interpreters {
    python: Option<PathBuf>,
    node: Option<PathBuf>,
    sh: Option<PathBuf>,
    bash: Option<PathBuf>,
}

impl Interpreters {
    /// Looks in the system's directories first, then along the `PATH`.
    #[must_use]
    pub fn find() -> Self {
        Self {
            python: find("python3"),
            node: find("node"),
            sh: find("sh"),
            bash: find("bash"),
        }
    }

    /// The interpreter for a program, or `None` for a program that needs none. The script's first
    /// line decides between shells.
    pub(crate) fn for_program(&self, kind: ProgramKind, first_line: &[u8]) -> Option<&Path> {
        let wants_bash = first_line.starts_with(b"#!") && contains(first_line, b"bash");
        let found = match kind {
            ProgramKind::Python => &self.python,
            ProgramKind::JavaScript => &self.node,
            ProgramKind::Shell if wants_bash => &self.bash,
            ProgramKind::Shell => &self.sh,
            ProgramKind::Native | ProgramKind::WasmModule | ProgramKind::WasmComponent => &None,
        };
        found.as_deref()
    }

    /// Whether programs of this kind can run.
    ///
    /// # Errors
    /// What is missing.
    pub fn check(&self, kind: ProgramKind) -> Result<(), String> {
        let missing = match kind {
            ProgramKind::Python if self.python.is_none() => "python3",
            ProgramKind::JavaScript if self.node.is_none() => "node",
            ProgramKind::Shell if self.sh.is_none() => "sh",
            ProgramKind::WasmModule | ProgramKind::WasmComponent => {
                return Err(
                    "the process level does not run WebAssembly; the instance level does"
                        .to_owned(),
                );
            }
            _ => return Ok(()),
        };
        Err(format!(
            "{missing} was not found on this host; install it, for example with the package of \
             that name"
        ))
    }
}

/// Where distributions put interpreters. Version managers put scripts on the `PATH` that start
/// the interpreter elsewhere; those cannot run inside a jail.
const SYSTEM: [&str; 3] = ["/usr/bin", "/usr/local/bin", "/bin"];

fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let system = SYSTEM.iter().map(PathBuf::from);
    system
        .chain(std::env::split_paths(&path))
        .filter(|directory| directory.is_absolute())
        .map(|directory| directory.join(name))
        .find(|candidate| is_executable_file(candidate))
        .and_then(|found| fs::canonicalize(found).ok())
}

fn is_executable_file(path: &Path) -> bool {
    let mut magic = [0; 4];
    let read = fs::File::open(path).and_then(|mut file| file.read_exact(&mut magic));
    read.is_ok() && magic == *b"\x7fELF"
}

/// Whether a text has a part, which is not empty.
pub(crate) fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_chooses_the_shell() {
        let found = Interpreters {
            python: None,
            node: None,
            sh: Some("/bin/sh".into()),
            bash: Some("/bin/bash".into()),
        };
        let shell = |line: &str| found.for_program(ProgramKind::Shell, line.as_bytes());
        assert_eq!(shell("#!/usr/bin/env bash"), Some(Path::new("/bin/bash")));
        assert_eq!(shell("#!/bin/sh -e"), Some(Path::new("/bin/sh")));
        assert_eq!(shell("echo bash"), Some(Path::new("/bin/sh")));
        assert_eq!(found.for_program(ProgramKind::Native, b"\x7fELF"), None);
    }

    #[test]
    fn a_missing_interpreter_is_named() {
        let none = Interpreters {
            python: None,
            node: None,
            sh: None,
            bash: None,
        };
        assert!(
            none.check(ProgramKind::Python)
                .unwrap_err()
                .starts_with("python3 ")
        );
        assert!(
            none.check(ProgramKind::JavaScript)
                .unwrap_err()
                .starts_with("node ")
        );
        assert!(none.check(ProgramKind::Native).is_ok());
        assert!(
            none.check(ProgramKind::WasmModule)
                .unwrap_err()
                .contains("instance")
        );
    }

    #[test]
    fn scripts_that_stand_in_for_an_interpreter_are_passed_over() {
        let directory = tempfile::tempdir().unwrap();
        let shim = directory.path().join("python3");
        fs::write(&shim, "#!/bin/sh\nexec elsewhere/python3 \"$@\"\n").unwrap();
        assert!(!is_executable_file(&shim));
        assert!(is_executable_file(&std::env::current_exe().unwrap()));
    }
}
