//! What the supervisor and its WebAssembly processes say to each other.
//!
//! Owns the shapes, their encoding and the bounds of both directions. It does no I/O, and it knows
//! nothing of jails or of the runtime. There are two kinds of process: a **worker**, which runs
//! guests and lives long, and a **compiler**, which compiles one program and ends.
//!
//! ```text
//! supervisor --Order--> worker          a socket at descriptor 3; Load comes with a descriptor
//! supervisor <--Notice-- worker
//! supervisor --CompileRequest, program--> compiler    descriptor 3, a sealed file in memory
//! supervisor <--CompileStatus-- compiler              descriptor 4, a pipe
//! supervisor <--compiled code-- compiler              descriptor 5, a file in memory
//! ```
//!
//! Everything travels in frames: a 32-bit little-endian length, then that many bytes of postcard.
//! No guest can reach a descriptor, but a worker runs the guests' code and a compiler reads their
//! bytes, so either may be taken over: what they send is bounded, decoded without trust, and
//! counts only where it fits what they were asked.

mod bundle;
mod compile;
mod links;
mod notice;
mod order;

use atoll_types::ProgramKind;
use serde::{Deserialize, Serialize};

pub use atoll_frame::{FrameError, FrameReader, TEXT_BYTES_MAX, tidy, write_frame};
pub use bundle::{Bundle, BundleExport, BundleJoint, BundlePiece};
pub use compile::{CompileReport, CompileRequest, CompileStatus, read_request, write_request};
pub use links::{CallOut, CallTarget, Caller, Links, PartStore};
pub use notice::{CALLS_TOLD_MAX, GuestEnd, GuestUsage, Notice, OutputStream};
pub use order::{Order, Run, Serve, Settings};

/// The worker's socket, and the compiler's request.
pub const ORDER_DESCRIPTOR: i32 = 3;

/// The compiler's status pipe.
pub const STATUS_DESCRIPTOR: i32 = 4;

/// Where the compiler writes compiled code.
pub const CODE_DESCRIPTOR: i32 = 5;

/// The largest program that is compiled, in bytes.
pub const PROGRAM_BYTES_MAX: usize = 64 << 20;

/// The largest [`Order`], in bytes: arguments, variables and small files together.
pub const ORDER_BYTES_MAX: usize = 8 << 20;

/// Arguments and variables of one message together, in bytes.
pub const ARGUMENT_BYTES_MAX: usize = 4 << 20;

/// The largest piece of a file or of standard input in one order, in bytes.
pub const PIECE_BYTES_MAX: usize = 256 << 10;

/// The largest [`Notice`] or [`CompileStatus`], in bytes.
pub const NOTICE_BYTES_MAX: usize = 128 << 10;

/// What kind of WebAssembly a program is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum GuestKind {
    /// A core module: a WASI preview 1 command.
    Module,
    /// A component: a `wasi:cli/command`.
    Component,
    /// A component that runs programs of another language: it exports `run` of the world
    /// `atoll:runner/runner`.
    Interpreter,
    /// A [`Bundle`] of components that share a store, compiled as one. It is linked when a message
    /// says with what.
    Parts,
}

impl GuestKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [
        Self::Module,
        Self::Component,
        Self::Interpreter,
        Self::Parts,
    ];

    /// The kind for a program, when it is WebAssembly itself.
    #[must_use]
    pub const fn of(kind: ProgramKind) -> Option<Self> {
        match kind {
            ProgramKind::WasmModule => Some(Self::Module),
            ProgramKind::WasmComponent => Some(Self::Component),
            ProgramKind::Python
            | ProgramKind::JavaScript
            | ProgramKind::Shell
            | ProgramKind::Native => None,
        }
    }

    /// The kind's name in keys and file names.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Module => "module",
            Self::Component => "component",
            Self::Interpreter => "interpreter",
            Self::Parts => "parts",
        }
    }
}

/// Bounds that the runtime enforces on one guest, inside the bounds of the worker's jail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct GuestLimits {
    /// Bytes of all linear memories, tables and files together.
    pub memory_bytes: u64,
    /// Elements of all tables together.
    pub table_elements: u64,
    /// Core instances of a component; a module has one.
    pub instances: u32,
    /// Tables of all instances together.
    pub tables: u32,
    /// Linear memories of all instances together.
    pub memories: u32,
    /// Bytes in files.
    pub disk_bytes: u64,
    /// Files and directories.
    pub disk_files: u64,
    /// Open descriptors.
    pub open_files: u32,
    /// Bytes of both output streams together.
    pub output_bytes: u64,
    /// CPU time, in microseconds.
    pub cpu_time_us: u64,
    /// Time from the guest's start to its end, in microseconds.
    pub wall_time_us: u64,
    /// Calls of host functions.
    pub host_calls: u64,
    /// How long a guest that asks for more memory than it may have waits for a higher bound, in
    /// microseconds; 0 refuses at once.
    pub memory_patience_us: u64,
}

impl GuestLimits {
    /// The bounds that follow from a message's limits; what the message does not decide has values
    /// that programs in practice stay far below.
    #[must_use]
    pub const fn of(limits: &atoll_types::Limits) -> Self {
        Self {
            memory_bytes: limits.memory_bytes,
            table_elements: 4 << 20,
            instances: 512,
            tables: 512,
            memories: 128,
            disk_bytes: limits.disk_bytes,
            disk_files: limits.disk_files,
            open_files: limits.open_files,
            output_bytes: limits.output_bytes,
            cpu_time_us: limits.cpu_time_ms.saturating_mul(1000),
            wall_time_us: limits.wall_time_ms.saturating_mul(1000),
            host_calls: u64::MAX,
            memory_patience_us: 0,
        }
    }
}

#[cfg(test)]
mod tests;
