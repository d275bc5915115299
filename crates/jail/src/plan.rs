//! What the supervisor and the launcher say to each other.
//!
//! Both ends are Atoll's own and of the same build, so the encoding (postcard) is private. The
//! guest never holds the socket these travel over.

use std::io;
use std::path::PathBuf;

use atoll_types::{IoUsage, Layer};
use serde::{Deserialize, Serialize};

use crate::seccomp::Filter;

/// User and group id of the program inside its user namespace.
pub const GUEST_ID: u32 = 1000;

/// The program's working directory.
pub const WORK_DIRECTORY: &str = "/work";

/// How to build one jail; nothing in it depends on limits, so that a jail can be built before they
/// are decided. Travels with the descriptors of the cgroups to join.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Plan {
    /// Host files and directories the program sees, read-only.
    pub binds: Vec<Bind>,
    /// Symbolic links in the new root: name relative to the root, and target.
    pub links: Vec<(PathBuf, PathBuf)>,
    /// Small read-only files in the new root.
    pub texts: Vec<(PathBuf, String)>,
    /// Empty directories in the new root.
    pub directories: Vec<PathBuf>,
    /// Whether `/proc` (own processes only) is there.
    pub proc: bool,
    /// Whether `/dev/null`, `zero`, `full`, `random` and `urandom` are there.
    pub devices: bool,
    /// Whether `/dev/kvm` is there, too.
    pub kvm: bool,
    /// The version of Landlock's interface to use; 0 for none.
    pub landlock: i32,
    /// How the cgroups are joined, in the order of the descriptors sent along.
    pub cgroups: CgroupJoin,
    /// Whether the supervisor is privileged, so that own user ids can be mapped. Without, the jail
    /// has the caller's.
    pub own_users: bool,
    /// Whether the program is an interpreter of Atoll's that forks confined copies of itself, and
    /// keeps what that takes.
    pub zygote: bool,
    /// Whether the program is a container runtime, which keeps what building a container takes and
    /// confines what it starts itself.
    pub runtime: bool,
    /// Whether the jail serves several programs one after the other, each with a first process of
    /// its own, which a keeper makes.
    pub renews: bool,
    /// The only TCP port that the program may connect to, on the loopback interface of its own
    /// network namespace. Whoever answers there is outside.
    pub way_out: Option<u16>,
}

impl Plan {
    /// Whether the program stays the namespace's user 0, with some of its capabilities.
    pub(crate) const fn stays_root(&self) -> bool {
        self.zygote || self.runtime
    }
}

/// Asks a keeper, once everything of the program before is gone, for what the next one needs.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Renew {
    /// [`Self::WORD`]: whatever else a first process has left unheard is not this.
    pub word: u64,
}

impl Renew {
    pub(crate) const WORD: u64 = 0x7265_6e65_7761_6c21;
}

/// Asks a zygote for a copy of itself. Travels with the copy's own socket, its program's
/// descriptors, and the cgroup files to write "0" to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Fork {
    /// The copy's user and group id inside the zygote's user namespace.
    pub user: u32,
    /// Whether it gets a network namespace of its own.
    pub own_network: bool,
    /// The version of Landlock's interface to use; 0 for none.
    pub landlock: i32,
    /// Limits of its private files.
    pub disk: DiskLimits,
    /// Limits of each of its processes.
    pub resource_limits: ResourceLimits,
    /// The system call filter of its program.
    pub filter: Filter,
    /// How many descriptors the program gets.
    pub descriptors: usize,
}

/// A host path and where it appears, relative to the new root.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bind {
    /// Path on the host.
    pub host: PathBuf,
    /// Path in the new root, without a leading slash.
    pub guest: PathBuf,
}

/// What the descriptors that come with a [`Plan`] are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum CgroupJoin {
    /// None; no cgroups.
    None,
    /// `tasks` files of version 1 hierarchies, to write "0" to.
    Tasks,
    /// The directory of one version 2 group, to be born in.
    BornInto,
}

/// setrlimit(2) values for the program.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct ResourceLimits {
    /// `RLIMIT_NOFILE`.
    pub open_files: u64,
    /// `RLIMIT_NPROC`, for the jail's own user id.
    pub processes: u64,
    /// `RLIMIT_DATA`, where no cgroup bounds memory.
    pub data_bytes: Option<u64>,
    /// `RLIMIT_CPU`, in seconds: a second line behind the cgroup's accounting.
    pub cpu_time_s: u64,
    /// `RLIMIT_FSIZE`.
    pub file_bytes: u64,
}

/// The limits that hold for the jail as a whole, once they are decided.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct DiskLimits {
    /// Bytes of the private files.
    pub bytes: u64,
    /// Number of private files and directories.
    pub files: u64,
}

/// What to run. Travels with the bundle of files, stdin, stdout, stderr, and the extra descriptors.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Start {
    /// Absolute path inside the jail.
    pub path: Vec<u8>,
    /// Arguments, the program's own name first.
    pub arguments: Vec<Vec<u8>>,
    /// `NAME=value` strings.
    pub environment: Vec<Vec<u8>>,
    /// Files to place in the working directory, their bytes one after the other in the bundle.
    pub files: Vec<PlacedFile>,
    /// Per-process limits of the program.
    pub resource_limits: ResourceLimits,
    /// The system call filter of the program.
    pub filter: Filter,
    /// Whether the filter lets only a path on the lowest page be executed.
    pub execute_low: bool,
    /// The filter that lets calls wait for an answer, if there are rules for calls; the socket of
    /// who carries them out comes along, behind the bundle.
    pub calls: Option<Filter>,
}

/// One file of a [`Start`].
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct PlacedFile {
    /// A plain file name.
    pub name: Vec<u8>,
    /// Its length in the bundle.
    pub length: u64,
    /// Whether the program may execute it.
    pub executable: bool,
}

/// What the launcher and the jail's first process answer.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Reply {
    /// The first process exists; its process descriptor comes along.
    Spawned,
    /// A keeper has made a first process for the next program; its process descriptor comes along.
    Began,
    /// Everything that can be built before the program is known is built, with the limits in force;
    /// a descriptor of the working directory comes along, and the listening socket of the way out
    /// if there is one.
    Ready,
    /// The program runs, with every layer in force; what its process has read and written before.
    Started(Option<IoUsage>),
    /// The program ended; what its process, and those it waited for, have read and written.
    Ended(ProgramEnd, Option<IoUsage>),
    /// A step failed; nothing was run.
    Failed(Failure),
}

/// How the program ended, as wait(2) told the jail's first process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ProgramEnd {
    /// With this exit code.
    Exited(i32),
    /// By this signal.
    Signalled(i32),
}

/// A step that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Failure {
    /// The layer that is not in force for it, when the step belongs to one.
    pub layer: Option<Layer>,
    /// What was tried, as a verb phrase.
    pub attempt: String,
    /// The kernel's error number.
    pub errno: i32,
}

impl Failure {
    /// Describes a failed step.
    #[must_use]
    pub(crate) fn new(layer: Option<Layer>, attempt: impl Into<String>, error: &io::Error) -> Self {
        let errno = error.raw_os_error().unwrap_or(libc::EIO);
        Self {
            layer,
            attempt: attempt.into(),
            errno,
        }
    }

    /// The kernel's error.
    #[must_use]
    pub(crate) fn error(&self) -> io::Error {
        io::Error::from_raw_os_error(self.errno)
    }
}
