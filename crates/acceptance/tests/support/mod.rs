//! What the cases of bad input share: a scratch directory, and assertions about how a run failed.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output};
use std::time::Duration;

use atoll_acceptance::exit_code::{FAILED, REFUSED};
use atoll_acceptance::{Atoll, finish};

/// One case: the command with its own state, and a directory for its files.
pub(crate) struct Case {
    pub(crate) atoll: Atoll,
    files: tempfile::TempDir,
}

/// How a run ended.
pub(crate) struct Finished(pub(crate) atoll_acceptance::Finished);

impl Case {
    pub(crate) fn new() -> Self {
        Self {
            atoll: Atoll::locate().unwrap(),
            files: tempfile::Builder::new()
                .prefix("bad-input-")
                .tempdir()
                .unwrap(),
        }
    }

    pub(crate) fn directory(&self) -> &Path {
        self.files.path()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.files.path().join(name)
    }

    /// `atoll run` with these arguments.
    pub(crate) fn run<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Finished {
        let mut command = self.atoll.command();
        command.arg("run").args(arguments);
        self.finish(command)
    }

    /// `atoll` with these arguments.
    pub(crate) fn command<A: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = A>,
    ) -> Finished {
        let mut command = self.atoll.command();
        command.args(arguments);
        self.finish(command)
    }

    pub(crate) fn finish(&self, command: Command) -> Finished {
        Finished(finish(command, b"").unwrap())
    }
}

impl Finished {
    pub(crate) fn code(&self) -> i32 {
        self.0.code()
    }

    /// Standard error.
    pub(crate) fn text(&self) -> String {
        self.0.stderr_text()
    }

    pub(crate) fn stdout(&self) -> String {
        self.0.stdout_text()
    }

    pub(crate) fn stdout_bytes(&self) -> &[u8] {
        &self.0.stdout
    }

    /// The run failed with this code and said all of this.
    #[track_caller]
    pub(crate) fn fails(&self, code: i32, says: &[&str]) {
        assert_eq!(self.code(), code, "it said: {}", self.text());
        self.says(says);
    }

    /// The program was not run, and the message says all of this.
    #[track_caller]
    pub(crate) fn fails_without_running(&self, says: &[&str]) {
        let code = self.code();
        assert!(
            [FAILED, REFUSED].contains(&code),
            "exit code {code}: {}",
            self.text()
        );
        self.says(says);
    }

    /// No panic, and a message short enough to be read.
    #[track_caller]
    pub(crate) fn is_calm(&self) {
        let text = self.text();
        assert!(!text.contains("panicked at"), "{text}");
        assert!(!text.contains("RUST_BACKTRACE"), "{text}");
    }

    #[track_caller]
    fn says(&self, says: &[&str]) {
        let text = self.text();
        self.is_calm();
        assert!(
            text.len() < 2_000,
            "a message of {} bytes: {text}",
            text.len()
        );
        for part in says {
            let found = text.to_lowercase().contains(&part.to_lowercase());
            assert!(found, "the message lacks {part:?}: {text}");
        }
    }
}

/// Writes a file of the case.
pub(crate) fn write(case: &Case, name: &str, bytes: &[u8]) -> PathBuf {
    let path = case.path(name);
    fs::write(&path, bytes).unwrap();
    path
}

/// A program with which nothing is wrong.
pub(crate) fn python(case: &Case) -> PathBuf {
    write(case, "hello.py", b"print('hello')\n")
}

/// `atoll run PROGRAM`, to which more can be added, where only its own mount namespace sees what
/// `set_up` mounts.
pub(crate) fn in_own_mounts(case: &Case, set_up: &str, program: &Path) -> Command {
    let mut command = Command::new("unshare");
    case.atoll.prepare(&mut command);
    let script = format!("{{ {set_up}; }} && exec \"$0\" run \"$@\"");
    command.args(["--mount", "--propagation", "private", "sh", "-c", &script]);
    command.arg(case.atoll.program()).arg(program);
    command
}

/// SQLite databases below a directory.
pub(crate) fn databases(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(databases(&path));
        } else if fs::read(&path).unwrap().starts_with(b"SQLite format 3\0") {
            found.push(path);
        }
    }
    found
}

/// Waits for a command some of whose streams the case has already closed.
pub(crate) fn wait_with_output(child: Child) -> atoll_acceptance::Finished {
    let Output {
        status,
        stdout,
        stderr,
    } = child.wait_with_output().unwrap();
    atoll_acceptance::Finished {
        status,
        stdout,
        stderr,
        elapsed: Duration::ZERO,
    }
}
