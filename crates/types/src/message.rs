//! What goes in: a program, its input, and who sent it.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{MessageId, Parts, ProgramHash, TenantId};

/// Bytes that are read once and then only shared: what is analysed is what runs.
pub type Content = Arc<[u8]>;

/// One unit of work: a program nobody trusts, its input, and who sent it.
#[derive(Debug, Clone)]
pub struct Message {
    /// Names this message everywhere: output, store, logs.
    pub id: MessageId,
    /// What to run.
    pub program: Program,
    /// Components that the program imports from.
    pub parts: Parts,
    /// Arguments after the program's own name. Any bytes but NUL.
    pub arguments: Vec<Vec<u8>>,
    /// What the program reads from standard input.
    pub stdin: Stdin,
    /// A small input that stands for what the program reads from standard input: it may be tried
    /// on that first.
    pub sample: Option<Content>,
    /// Files placed in the program's working directory before it starts.
    pub files: Vec<InputFile>,
    /// Environment variables added to the sandbox's own minimal set; names have no `=`, neither
    /// part has a NUL.
    pub environment: Vec<(Vec<u8>, Vec<u8>)>,
    /// Who is accountable for the message.
    pub tenant: TenantId,
    /// How the message reached this node.
    pub origin: Origin,
    /// Arrival, in milliseconds since the Unix epoch.
    pub received_unix_ms: u64,
}

/// Program bytes, with the name they came under and what they turned out to be.
#[derive(Clone)]
pub struct Program {
    /// The file name without its directory, lossily decoded; for people and tracebacks only.
    pub name: String,
    /// What the content was recognised as.
    pub kind: ProgramKind,
    /// The bytes themselves.
    pub bytes: Content,
    /// Identity of `bytes`.
    pub hash: ProgramHash,
}

impl Program {
    /// What the program goes by among its parts: its name without `.wasm`.
    #[must_use]
    pub fn part_name(&self) -> &str {
        self.name.strip_suffix(".wasm").unwrap_or(&self.name)
    }
}

impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Program")
            .field("name", &self.name)
            .field("kind", &self.kind)
            .field("bytes", &self.bytes.len())
            .field("hash", &self.hash)
            .finish()
    }
}

/// What a program is, found from its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProgramKind {
    /// Python source.
    Python,
    /// JavaScript source.
    #[serde(rename = "javascript")]
    JavaScript,
    /// A POSIX shell or bash script.
    Shell,
    /// An ELF executable for this machine's architecture.
    Native,
    /// A WebAssembly core module (a WASI preview 1 command).
    WasmModule,
    /// A WebAssembly component (a `wasi:cli/command`).
    WasmComponent,
}

impl ProgramKind {
    /// Every kind, in the order of the documentation.
    pub const ALL: [Self; 6] = [
        Self::Python,
        Self::JavaScript,
        Self::Shell,
        Self::Native,
        Self::WasmModule,
        Self::WasmComponent,
    ];

    /// The name used in JSON, policy files and the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Python => "python",
            Self::JavaScript => "javascript",
            Self::Shell => "shell",
            Self::Native => "native",
            Self::WasmModule => "wasm-module",
            Self::WasmComponent => "wasm-component",
        }
    }

    /// Whether a WebAssembly runtime executes it.
    #[must_use]
    pub const fn is_wasm(self) -> bool {
        matches!(self, Self::WasmModule | Self::WasmComponent)
    }
}

impl fmt::Display for ProgramKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Standard input of a message.
#[derive(Debug, Clone, Default)]
pub enum Stdin {
    /// End of file at once.
    #[default]
    Empty,
    /// These bytes, then end of file.
    Bytes(Content),
    /// Whatever the engine's caller sends while the program runs.
    Stream,
}

/// A file placed in the program's working directory.
#[derive(Debug, Clone)]
pub struct InputFile {
    /// A plain file name: no directory part, not `.` or `..`, no NUL, at most 255 bytes.
    pub name: Vec<u8>,
    /// The bytes of the file.
    pub content: Content,
}

/// How a message reached this node. It is one of the parts of [`crate::Risk`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// An operator at this machine's command line.
    CommandLine,
    /// An authenticated client over the network.
    Api,
    /// A caller nobody vouches for, such as a public webhook.
    Anonymous,
}
