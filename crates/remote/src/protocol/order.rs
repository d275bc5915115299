//! What the host tells an agent.

use std::collections::BTreeSet;

use atoll_types::{Layer, Limits, ProgramKind, SystemCalls};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

/// What the host tells an agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Order {
    /// Make ready what sandboxes of these surroundings need. A snapshot follows, of which clones
    /// begin.
    Prepare {
        /// What a program will find around it.
        surroundings: Box<Surroundings>,
        /// What the sandboxes are built for that stay, with an interpreter that waits. Clones use
        /// them, and share what the interpreter has chosen at random, such as the seed of its
        /// hashes.
        stays: Option<Box<Stays>>,
    },
    /// Build the sandbox.
    Begin(Box<Begin>),
    /// Go through the first steps of a job, of which nothing is seen later.
    Rehearse,
    /// Run a job. Its files' bytes begin in the order itself and go on in [`Order::Content`].
    Run(Box<Run>),
    /// The next piece of the job's files, one after the other without a gap.
    Content(#[serde(with = "serde_bytes")] Vec<u8>),
    /// Standard input: one piece, and one more for each
    /// [`WantsInput`](super::Notice::WantsInput).
    Input {
        /// The piece; empty when there is only an end to tell.
        #[serde(with = "serde_bytes")]
        bytes: Vec<u8>,
        /// Whether nothing follows.
        ends: bool,
    },
    /// Change the limits on memory, processes and CPU share.
    SetLimits(Limits),
    /// End every process of the program.
    Stop,
    /// Tell what the ended program left. Files are sent while they fit into so many bytes together.
    Collect {
        /// How many.
        bytes_max: u64,
    },
}

/// What a program finds around it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Surroundings {
    /// Decides the language runtime.
    pub kind: ProgramKind,
    /// A directory behind the boundary with installed third-party modules.
    pub dependencies: Option<String>,
    /// Modules that are imported before there is a program.
    pub modules: BTreeSet<String>,
}

/// What sandboxes are built for that wait in a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stays {
    /// Bounds for the whole tree of processes. Clones may change those on memory, processes and CPU
    /// share.
    pub limits: Limits,
    /// Which system calls the program may make.
    pub system_calls: SystemCalls,
    /// Layers that need not be in force behind the boundary.
    pub accept_missing: BTreeSet<Layer>,
}

/// What the agent's sandbox is built for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Begin {
    /// Names the sandbox: 1 to 64 letters, digits and `-`.
    pub id: String,
    /// Who the agent is, where it has a kernel that does not know by itself.
    pub identity: Option<Identity>,
    /// What the program finds around it.
    pub surroundings: Surroundings,
    /// What is mounted before the sandbox is built, where the agent has a kernel of its own.
    pub volume: Option<Volume>,
    /// Bounds for the whole tree of processes.
    pub limits: Limits,
    /// Which system calls the program may make.
    pub system_calls: SystemCalls,
    /// Layers that need not be in force behind the boundary.
    pub accept_missing: BTreeSet<Layer>,
    /// Whether the sandbox waits for its job, and may have started what does not depend on it.
    pub is_warm: bool,
    /// Whether a job of nobody's goes through a sandbox of its own first, so that the real one
    /// finds everything in memory, and translated where the machine is emulated.
    pub practises: bool,
    /// Whether what [`Order::Prepare`] made ready is ended first, such as an interpreter whose hash
    /// seed and address layout all clones of a snapshot would share.
    pub is_fresh: bool,
}

/// A disk with a file system of the type erofs, to be mounted for reading.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Volume {
    /// The disk's path behind the boundary.
    pub device: String,
    /// The directory there at which it appears, and which is made first.
    pub place: String,
}

/// What distinguishes a clone of a snapshot from every other.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Random bytes, at least [`ENTROPY_BYTES_MIN`](super::ENTROPY_BYTES_MIN).
    #[serde(with = "serde_bytes")]
    pub entropy: Vec<u8>,
    /// The time, in nanoseconds since the Unix epoch.
    pub unix_ns: u64,
    /// The host name.
    pub hostname: String,
    /// The machine id (machine-id(5)).
    pub machine_id: [u8; 16],
}

impl std::fmt::Debug for Identity {
    /// Without the random bytes, which are nobody else's business.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity")
            .field("hostname", &self.hostname)
            .finish_non_exhaustive()
    }
}

/// One program with its input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// The program's file name.
    pub name: String,
    /// What it is.
    pub kind: ProgramKind,
    /// Its length, in bytes.
    pub bytes: u64,
    /// Arguments after the program's own name.
    pub arguments: Vec<ByteBuf>,
    /// Variables added to the sandbox's own.
    pub environment: Vec<(ByteBuf, ByteBuf)>,
    /// Files for the working directory.
    pub files: Vec<JobFile>,
    /// The limits as they are decided now.
    pub limits: Limits,
    /// The first bytes of the program, then of the files in their order.
    #[serde(with = "serde_bytes")]
    pub content: Vec<u8>,
}

/// A file of a [`Run`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobFile {
    /// A plain file name.
    #[serde(with = "serde_bytes")]
    pub name: Vec<u8>,
    /// Its length, in bytes.
    pub bytes: u64,
}
