//! What reading a program tells about it, without running it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::ProgramKind;

/// What static analysis found. Made by a pure function of the program's bytes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Analysis {
    /// What the content is.
    pub kind: ProgramKind,
    /// Size of the program in bytes.
    pub code_bytes: u64,
    /// Source lines for scripts; 0 for binaries.
    pub lines: u64,
    /// Functions or methods defined.
    pub functions: u64,
    /// Loops (or comprehensions, or Wasm `loop` blocks, or backward jumps) in the whole program.
    pub loops: u64,
    /// Deepest nesting of loops inside one function.
    pub loop_nesting_max: u32,
    /// Whether some function can reach itself, as far as names tell.
    pub recursion: bool,
    /// Instructions of a binary (Wasm operators, decoded machine instructions), or syntax nodes
    /// of a script.
    pub instructions: u64,
    /// Numbers in the program that size its work (range bounds, allocation sizes, memory pages).
    pub literals: Vec<Literal>,
    /// Modules and libraries the program names, sorted by name.
    pub dependencies: Vec<Dependency>,
    /// Wasm imports as `module.name`, system calls of a native program as far as they could be
    /// told, or calls into the operating system from a script; sorted.
    pub host_calls: BTreeSet<String>,
    /// What the program could do to its surroundings if nothing stopped it.
    pub capabilities: BTreeSet<Capability>,
    /// Modules, commands and calls out of the program that a script reaches without spelling their
    /// names: put together, decoded, or written in other letters. Sorted.
    #[serde(default)]
    pub disguised: BTreeSet<String>,
    /// The program's rough cost.
    pub execution_class: ExecutionClass,
    /// How hard the program is to reason about and how much work it may do.
    pub complexity: Complexity,
    /// Declared memory of a Wasm module or loadable segments of an ELF file, in bytes, where the
    /// program states it.
    pub declared_memory_bytes: Option<u64>,
    /// What could not be understood. Not empty exactly when [`Capability::Unanalyzed`] is set.
    pub problems: Vec<Problem>,
}

impl Analysis {
    /// Whether everything in the program was understood.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        !self.capabilities.contains(&Capability::Unanalyzed)
    }
}

/// Something a program could do to the world outside its own memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Capability {
    /// Read files.
    FilesRead,
    /// Create, change or remove files.
    FilesWrite,
    /// Talk to a network.
    Network,
    /// Start or signal other processes.
    Processes,
    /// Start threads.
    Threads,
    /// Turn data into code (`eval`, `exec`, dynamic import).
    DynamicCode,
    /// Run machine code outside the language's own safety (`ctypes`, native add-ons, FFI).
    NativeCode,
    /// Read or change environment variables.
    Environment,
    /// Read clocks or sleep.
    Time,
    /// Ask for randomness.
    Randomness,
    /// Read facts about the machine or users (`/proc`, `uname`, user database).
    SystemInformation,
    /// Change the system (mounts, clocks, modules, privileges).
    SystemChange,
    /// Deserialise data in a form that can run code (`pickle`, `marshal`, `yaml.load`).
    UnsafeDeserialization,
    /// Look at or rewrite the running program itself (frames, `__subclasses__`, `Proxy` traps).
    Introspection,
    /// Some part of the program could not be understood, so it may do anything.
    Unanalyzed,
}

impl Capability {
    /// Every capability, in the order of the documentation.
    pub const ALL: [Self; 15] = [
        Self::FilesRead,
        Self::FilesWrite,
        Self::Network,
        Self::Processes,
        Self::Threads,
        Self::DynamicCode,
        Self::NativeCode,
        Self::Environment,
        Self::Time,
        Self::Randomness,
        Self::SystemInformation,
        Self::SystemChange,
        Self::UnsafeDeserialization,
        Self::Introspection,
        Self::Unanalyzed,
    ];

    /// The name used in JSON, policy files and output.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::FilesRead => "files-read",
            Self::FilesWrite => "files-write",
            Self::Network => "network",
            Self::Processes => "processes",
            Self::Threads => "threads",
            Self::DynamicCode => "dynamic-code",
            Self::NativeCode => "native-code",
            Self::Environment => "environment",
            Self::Time => "time",
            Self::Randomness => "randomness",
            Self::SystemInformation => "system-information",
            Self::SystemChange => "system-change",
            Self::UnsafeDeserialization => "unsafe-deserialization",
            Self::Introspection => "introspection",
            Self::Unanalyzed => "unanalyzed",
        }
    }
}

/// A module or library that a program names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Dependency {
    /// The name as the program uses it: the top-level Python module, the JavaScript specifier, the
    /// command of a shell script, the shared library of a native program.
    pub name: String,
    /// Where it would come from.
    pub source: DependencySource,
}

/// Where a dependency comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DependencySource {
    /// Comes with the language or the base system.
    StandardLibrary,
    /// Has to be installed.
    ThirdParty,
    /// A file next to the program.
    Local,
}

/// A number that sizes the program's work.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Literal {
    /// What the number feeds, such as `range`, `repeat` or `memory.pages`.
    pub role: String,
    /// The value, saturated at [`u64::MAX`].
    pub value: u64,
}

/// An order of magnitude for how long the program computes, judged from its text alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ExecutionClass {
    /// Straight-line code: about a millisecond.
    Trivial,
    /// Loops over small amounts: up to about 0.1 s.
    Short,
    /// Nested loops or large literals: up to about 10 s.
    Medium,
    /// Deep nesting over large amounts: more than that.
    Long,
    /// An endless loop, recursion without visible end, or unreadable code.
    Unbounded,
}

impl ExecutionClass {
    /// The name used in JSON, policy files and output.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Trivial => "trivial",
            Self::Short => "short",
            Self::Medium => "medium",
            Self::Long => "long",
            Self::Unbounded => "unbounded",
        }
    }
}

/// How hard a program is to reason about, as a sum of named parts.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Complexity {
    /// The sum of all parts, in [0, 100].
    pub score: f64,
    /// What the score is made of.
    pub parts: Vec<ComplexityPart>,
}

impl Complexity {
    /// Sums parts up. Each part states its own maximum; the maxima of all parts must add up to
    /// 100, so that the score stays in [0, 100] without clipping the sum.
    #[must_use]
    pub fn from_parts(parts: Vec<ComplexityPart>) -> Self {
        let score = parts.iter().map(|part| part.points).sum();
        Self { score, parts }
    }
}

/// One part of [`Complexity`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ComplexityPart {
    /// What was counted, such as `code size`.
    pub name: String,
    /// Points this part adds.
    pub points: f64,
    /// The most this part can add.
    pub points_max: f64,
    /// What was seen, in plain words: `212 lines`.
    pub because: String,
}

/// Something analysis could not understand or would not look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Line of a script, counted from 1, where it is known.
    pub line: Option<u64>,
    /// What went wrong, in plain words.
    pub message: String,
}
