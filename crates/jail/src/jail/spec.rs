//! What a jail is made for, what runs in it, and why there may be none.

use std::io;
use std::os::fd::OwnedFd;
use std::path::PathBuf;

use atoll_types::calls::CallRules;
use atoll_types::{Content, LayerReport, LimitName};
use rustix::pipe::{PipeFlags, pipe_with};

use super::internal;
use crate::helper::HelperMissing;
use crate::plan::Bind;
use crate::seccomp::Profile;

/// What a jail is made for.
#[derive(Debug, Clone)]
pub struct JailSpec {
    /// Names the jail's cgroups: letters, digits and `-`.
    pub name: String,
    /// What the program sees as `/`.
    pub root: Root,
}

/// A read-only root directory. `/work`, `/tmp` and `/dev/shm` are always there, private and
/// writable.
#[derive(Debug, Clone, Default)]
pub struct Root {
    /// Host files and directories.
    pub binds: Vec<Bind>,
    /// Symbolic links: name without leading slash, and target.
    pub links: Vec<(PathBuf, PathBuf)>,
    /// Small files: name without leading slash, and content.
    pub texts: Vec<(PathBuf, String)>,
    /// Empty directories, without leading slash.
    pub directories: Vec<PathBuf>,
    /// Whether `/proc` shows the jail's own processes.
    pub proc: bool,
    /// Whether `/dev/null` and its like are there.
    pub devices: bool,
    /// Whether `/dev/kvm` is there, too.
    pub kvm: bool,
}

/// What to run in a jail.
#[derive(Debug)]
pub struct Command {
    /// Absolute path inside the jail.
    pub path: Vec<u8>,
    /// Arguments, the program's own name first.
    pub arguments: Vec<Vec<u8>>,
    /// The whole environment, as `NAME=value`.
    pub environment: Vec<Vec<u8>>,
    /// Files to place in the working directory.
    pub files: Vec<JailFile>,
    /// Descriptors the program finds at 3, 4, ...
    pub descriptors: Vec<OwnedFd>,
    /// Which system calls it may make.
    pub profile: Profile,
    /// Rules for its calls, such as are not [unenforceable](crate::calls::unenforceable).
    pub calls: CallRules,
}

/// A file to place in the working directory.
#[derive(Debug, Clone)]
pub struct JailFile {
    /// A plain file name.
    pub name: Vec<u8>,
    /// Its bytes.
    pub content: Content,
    /// Whether the program may execute it.
    pub executable: bool,
}

/// The outer ends of a started program's standard streams. None of them blocks.
#[derive(Debug)]
pub struct Running {
    /// Write end of standard input.
    pub stdin: OwnedFd,
    /// Read end of standard output.
    pub stdout: OwnedFd,
    /// Read end of standard error.
    pub stderr: OwnedFd,
}

impl Running {
    /// New pipes: the outer ends, and the program's in the order of their numbers.
    pub(crate) fn pipes() -> Result<(Self, Vec<OwnedFd>), JailError> {
        let pipe = || pipe_with(PipeFlags::CLOEXEC).map_err(|e| internal("make a pipe")(e.into()));
        let ((stdin_in, stdin), (stdout, stdout_in)) = (pipe()?, pipe()?);
        let (stderr, stderr_in) = pipe()?;
        for end in [&stdin, &stdout, &stderr] {
            rustix::io::ioctl_fionbio(end, true)
                .map_err(|error| internal("set up a pipe")(error.into()))?;
        }
        let outer = Self {
            stdin,
            stdout,
            stderr,
        };
        Ok((outer, vec![stdin_in, stdout_in, stderr_in]))
    }
}

/// Why a jail could not be made, or a program not be started in it.
#[derive(Debug, thiserror::Error)]
pub enum JailError {
    /// This host lacks something.
    #[error("this host cannot enforce {}", .0.iter().map(|r| r.layer.name()).collect::<Vec<_>>().join(", "))]
    NotEnforceable(Vec<LayerReport>),
    /// A program of Atoll's own is missing.
    #[error(transparent)]
    Helper(#[from] HelperMissing),
    /// The kernel refused to execute the program.
    #[error("failed to {0}")]
    Program(String, #[source] io::Error),
    /// The files do not fit.
    #[error("the files do not fit into the {0} limit")]
    Limit(LimitName),
    /// An operation failed that should not.
    #[error("failed to {0}")]
    Internal(String, #[source] io::Error),
}
