//! Container runtimes: which there are, where, and how each is told to run a container.
//!
//! Owns the command line of every runtime. What a container is made of is not known here.

use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::container::{BUNDLE, CONTAINER_NAME, STATE};

/// A container runtime of this host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Runtime {
    /// Where it lies.
    pub(crate) path: PathBuf,
    family: Family,
}

/// Runtimes that understand the same options.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    /// gVisor's `runsc`.
    Runsc,
    /// `crun`.
    Crun,
    /// `runc`.
    Runc,
    /// Whatever else has no more than the options that all have.
    Other,
}

/// How gVisor takes over the system calls of its programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Platform {
    /// The kernel hands calls over by seccomp's signal: fast everywhere, and the newest.
    Systrap,
    /// A virtual machine's hardware does.
    Kvm,
    /// A tracer sees every call: slow, and works everywhere.
    Ptrace,
}

impl Platform {
    /// Every platform, the best first.
    pub(crate) const ALL: [Self; 3] = [Self::Systrap, Self::Kvm, Self::Ptrace];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Systrap => "systrap",
            Self::Kvm => "kvm",
            Self::Ptrace => "ptrace",
        }
    }

    /// What to expect of it.
    pub(crate) const fn speed(self) -> &'static str {
        match self {
            Self::Systrap => {
                "system calls cost more than on this host, and less than where each is traced"
            }
            Self::Kvm => "system calls cost little, where the host is no virtual machine itself",
            Self::Ptrace => {
                "system calls are slow, because a tracer stops at each; a runsc of 2023 or later \
                 has a faster one"
            }
        }
    }

    /// Whether this host may have what it takes, as far as that can be seen without trying.
    pub(crate) fn is_conceivable(self) -> bool {
        self != Self::Kvm || Path::new("/dev/kvm").exists()
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What tells one build of a runtime from another: another one may work where this one does not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Identity {
    path: PathBuf,
    bytes: u64,
    changed_s: i64,
    inode: u64,
    kernel: String,
}

impl Runtime {
    /// Looks along the `PATH`, then where system administration tools are.
    ///
    /// # Errors
    /// A sentence that says what to do.
    pub(crate) fn find(name: &str) -> Result<Self, String> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let places = std::env::split_paths(&path)
            .chain(["/usr/bin", "/usr/sbin", "/usr/local/bin"].map(PathBuf::from));
        let found = places
            .filter(|directory| directory.is_absolute())
            .map(|directory| directory.join(name))
            .find(|candidate| is_executable(candidate))
            .and_then(|found| fs::canonicalize(found).ok());
        let Some(path) = found else {
            return Err(format!(
                "{name} was not found on this host; install it, for example with the package of \
                 that name"
            ));
        };
        let file_name = Path::new(name).file_name().and_then(OsStr::to_str);
        let family = match file_name.unwrap_or(name) {
            "runsc" => Family::Runsc,
            "crun" => Family::Crun,
            "runc" => Family::Runc,
            _ => Family::Other,
        };
        Ok(Self { path, family })
    }

    /// Whether it has platforms to choose from.
    pub(crate) fn has_platforms(&self) -> bool {
        self.family == Family::Runsc
    }

    /// Whether it looks for control groups, even where it is told to use none.
    pub(crate) fn looks_for_groups(&self) -> bool {
        self.family != Family::Runsc
    }

    /// The arguments that make it run the container and wait for its end.
    pub(crate) fn arguments(&self, platform: Option<Platform>) -> Vec<String> {
        let mut arguments = vec![self.path.display().to_string()];
        arguments.extend(["--root".to_owned(), STATE.to_owned()]);
        match self.family {
            Family::Runsc => {
                let platform = platform.unwrap_or(Platform::Ptrace);
                arguments.extend([
                    format!("--platform={platform}"),
                    "--network=none".to_owned(),
                    // The jail's groups hold it, from outside.
                    "--ignore-cgroups".to_owned(),
                    // Nobody else changes what it shows.
                    "--file-access=exclusive".to_owned(),
                    "--file-access-mounts=exclusive".to_owned(),
                ]);
            }
            Family::Crun => arguments.push("--cgroup-manager=disabled".to_owned()),
            Family::Runc => arguments.push("--rootless=true".to_owned()),
            Family::Other => {}
        }
        let run = ["run", "--bundle", BUNDLE, CONTAINER_NAME];
        arguments.extend(run.map(str::to_owned));
        arguments
    }

    /// What tells this build of it, on this kernel, from others.
    pub(crate) fn identity(&self) -> std::io::Result<Identity> {
        let file = fs::metadata(&self.path)?;
        Ok(Identity {
            path: self.path.clone(),
            bytes: file.len(),
            changed_s: file.mtime(),
            inode: file.ino(),
            kernel: fs::read_to_string("/proc/version")?,
        })
    }
}

fn is_executable(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_runtime_is_named_with_what_to_do() {
        let why = Runtime::find("no-such-runtime").unwrap_err();
        assert!(
            why.starts_with("no-such-runtime ") && why.contains("install"),
            "{why}"
        );
    }

    #[test]
    fn only_gvisor_is_told_a_platform() {
        let arguments = |family| {
            let path = "/usr/bin/x".into();
            Runtime { path, family }
                .arguments(Some(Platform::Systrap))
                .join(" ")
        };
        assert!(arguments(Family::Runsc).contains("--platform=systrap"));
        assert!(arguments(Family::Runsc).contains("--network=none"));
        assert!(!arguments(Family::Crun).contains("platform"));
        for family in [Family::Runsc, Family::Crun, Family::Other] {
            assert!(
                arguments(family).ends_with(&format!("run --bundle {BUNDLE} {CONTAINER_NAME}"))
            );
        }
    }
}
