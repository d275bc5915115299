//! The subjects of the benchmarks beside sandboxes that wait: this program as a process, other
//! sandboxes, and no sandbox at all.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};

use super::oci;
use crate::error::CliError;

/// The interpreter that all subjects use.
pub(super) const PYTHON: &str = "/usr/bin/python3";

/// The other interpreter.
pub(super) const NODE: &str = "/usr/bin/node";

/// Without the environment, the user's and the site's modules: the fastest start it has.
pub(super) const ISOLATED: [&str; 3] = ["-I", "-S", "-E"];

/// One way to run a script.
pub(super) struct Subject {
    pub(super) name: &'static str,
    program: PathBuf,
    arguments: Vec<OsString>,
    /// Whether each run needs a name of its own as its last argument.
    is_named: bool,
}

impl Subject {
    /// `atoll run`, with a state directory of its own.
    pub(super) fn atoll(state: &Path, script: &Path) -> Result<Self, CliError> {
        let program = std::env::current_exe().map_err(|source| CliError::System {
            attempt: "find this program",
            source,
        })?;
        let mut arguments: Vec<OsString> = vec!["run".into(), "--state-dir".into()];
        arguments.extend([state.into(), script.into()]);
        Ok(Self {
            name: "atoll",
            program,
            arguments,
            is_named: false,
        })
    }

    /// Bubblewrap with every namespace and a root made of /usr.
    pub(super) fn bubblewrap(script: &Path) -> Option<Self> {
        let program = find("bwrap").filter(|_| Path::new(PYTHON).exists())?;
        let mut arguments: Vec<OsString> = [
            "--unshare-all",
            "--ro-bind",
            "/usr",
            "/usr",
            "--symlink",
            "usr/lib",
            "/lib",
            "--symlink",
            "usr/lib64",
            "/lib64",
            "--symlink",
            "usr/bin",
            "/bin",
            "--proc",
            "/proc",
            "--dev",
            "/dev",
            "--tmpfs",
            "/tmp",
            "--ro-bind",
        ]
        .map(OsString::from)
        .into();
        let inside = "/tmp/hello.py";
        arguments.extend([script.into(), inside.into(), PYTHON.into(), inside.into()]);
        Some(Self {
            name: "bubblewrap",
            program,
            arguments,
            is_named: false,
        })
    }

    /// Like [`Self::bubblewrap`], with an interpreter that looks for nothing but the script.
    pub(super) fn bubblewrap_isolated(script: &Path) -> Option<Self> {
        let mut subject = Self::bubblewrap(script)?;
        let last = subject.arguments.len().saturating_sub(1);
        let flags = ISOLATED.map(OsString::from);
        subject.arguments.splice(last..last, flags);
        Some(subject)
    }

    /// Python alone, looking for nothing but the script.
    pub(super) fn bare_isolated(script: &Path) -> Option<Self> {
        let mut subject = Self::bare(script)?;
        subject.arguments.splice(0..0, ISOLATED.map(OsString::from));
        Some(subject)
    }

    /// Python alone.
    pub(super) fn bare(script: &Path) -> Option<Self> {
        let program = PathBuf::from(PYTHON);
        program.exists().then(|| Self {
            name: "python",
            program,
            arguments: vec![script.into()],
            is_named: false,
        })
    }

    /// An OCI runtime with the same root, and limits on memory and processes.
    pub(super) fn oci(runtime: &'static str, place: &Path, script: &Path) -> Option<Self> {
        let program = find(runtime).filter(|_| Path::new(PYTHON).exists())?;
        let bundle = place.join(runtime);
        oci::write_bundle(&bundle, script).ok()?;
        Some(Self {
            name: runtime,
            program,
            arguments: vec!["run".into(), "--bundle".into(), bundle.into()],
            is_named: true,
        })
    }

    /// gVisor's own way to run one program.
    pub(super) fn runsc_do(script: &Path) -> Option<Self> {
        let program = find("runsc").filter(|_| Path::new(PYTHON).exists())?;
        // The platform that every build of it has, and every host runs.
        let options = ["--platform=ptrace", "--network=none", "do", PYTHON];
        let options = options.into_iter().chain(ISOLATED).map(OsString::from);
        Some(Self {
            name: "runsc do",
            program,
            arguments: options.chain([script.into()]).collect(),
            is_named: false,
        })
    }

    pub(super) fn command(&self) -> Command {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let mut command = Command::new(&self.program);
        command.args(&self.arguments);
        if self.is_named {
            let count = COUNT.fetch_add(1, Ordering::Relaxed);
            command.arg(format!("atoll-bench-{}-{count}", std::process::id()));
        }
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }
}

fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|directory| directory.join(name))
        .find(|candidate| candidate.is_file())
}
