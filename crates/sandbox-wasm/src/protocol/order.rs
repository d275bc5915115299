//! What a worker is told.

use atoll_types::calls::CallRules;
use serde::{Deserialize, Serialize};

use super::{GuestKind, GuestLimits, Links};

/// What the supervisor tells a worker. Numbers of programs and messages are the supervisor's; a
/// worker that is told of one it does not know ignores it, because the two may cross on the way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Order {
    /// The first order, and the only one of its kind.
    Begin(Settings),
    /// Takes a compiled program from the descriptor that comes with this order.
    Load {
        /// The number it goes by from now on.
        program: u64,
        /// What it is.
        kind: GuestKind,
    },
    /// Keeps so many instances of an interpreter waiting for messages.
    Keep {
        /// Which one.
        program: u64,
        /// How many.
        instances: u32,
    },
    /// Places a piece of a file before its message runs, behind the pieces that came before.
    Give {
        /// The message that will find it.
        message: u64,
        /// A plain file name.
        #[serde(with = "serde_bytes")]
        name: Vec<u8>,
        /// The piece.
        #[serde(with = "serde_bytes")]
        bytes: Vec<u8>,
    },
    /// Takes a stream between two processes from the descriptor that comes with this order. A
    /// message's streams are numbered in the order in which they come.
    Stream {
        /// The message that will use it.
        message: u64,
    },
    /// Runs a program.
    Run(Box<Run>),
    /// Lets stores be called whose program runs in another process, until that closes their
    /// streams.
    Serve(Box<Serve>),
    /// A piece of standard input, which the worker has asked for.
    Input {
        /// Whose.
        message: u64,
        /// The piece.
        #[serde(with = "serde_bytes")]
        bytes: Vec<u8>,
        /// Whether it is the last.
        ends: bool,
    },
    /// Changes how much memory a guest may have. One that waits for more goes on, if it is enough;
    /// what it already has it keeps.
    Memory {
        /// Whose.
        message: u64,
        /// The new bound.
        bytes: u64,
    },
    /// Ends a guest.
    Stop {
        /// Which one.
        message: u64,
    },
    /// Asks for the files that an ended message has left.
    Collect {
        /// Which one.
        message: u64,
    },
    /// Lets go of an ended message's files.
    Release {
        /// Which one.
        message: u64,
    },
}

/// What a worker is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// Guests at one time.
    pub guests_max: u32,
    /// Bytes of all guests together.
    pub memory_bytes: u64,
    /// Whether address space for all of them may be reserved at the start, which makes instances
    /// sooner. Where only address space bounds a process's memory, it may not.
    pub reserves: bool,
}

/// One message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// The number it goes by.
    pub message: u64,
    /// The loaded program that runs.
    pub program: u64,
    /// The program's own name, its first argument.
    pub name: String,
    /// For an interpreter, the program that it runs.
    #[serde(with = "serde_bytes")]
    pub script: Vec<u8>,
    /// Arguments after the program's own name.
    pub arguments: Vec<serde_bytes::ByteBuf>,
    /// Environment variables, in order.
    pub environment: Vec<(serde_bytes::ByteBuf, serde_bytes::ByteBuf)>,
    /// The first bytes of standard input.
    #[serde(with = "serde_bytes")]
    pub input: Vec<u8>,
    /// Whether no more follow.
    pub input_ends: bool,
    /// Whether the files it leaves are kept until they are collected or released.
    pub keeps_files: bool,
    /// What becomes of its calls, and whether they are taken down.
    pub calls: CallRules,
    /// Bounds of this guest.
    pub limits: GuestLimits,
    /// Other stores of the message.
    pub links: Links,
}

/// Stores of a message whose program runs in another process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Serve {
    /// The number the message goes by here.
    pub message: u64,
    /// Bounds of all its stores here together.
    pub limits: GuestLimits,
    /// The stores; there are no calls of a program.
    pub links: Links,
}
