//! What the host and an agent say to each other.
//!
//! Owns the shapes and the bounds of both directions. An agent serves one job:
//!
//! ```text
//! host                               agent
//!      <------------------- Hello      as soon as it runs
//! Prepare -------------------->        only before a snapshot is taken, any number of times
//!      <---------------- Prepared
//! Begin ---------------------->        who it is, and what it may use
//!      <--------- Ready / Refused
//! Rehearse ------------------->        optional
//!      <--------------- Rehearsed
//! Run, Content ... ----------->        the job; the bytes of its files follow in pieces
//!      <---- Started / NotStarted
//! Input, SetLimits, Stop ----->
//!      <-- Output, Progress, ...       until the program's end
//!      <------------------- Ended      after all output
//! Collect -------------------->        optional
//!      <-- Left, LeftBytes ..., Collected
//! ```
//!
//! The end of the stream is the end of the agent, and the agent ends with the stream.

mod notice;
mod order;

pub use notice::{Ended, Hello, LeftFile, Notice, OutputStream, ProgramEnd, Refusal};
pub use order::{Begin, Identity, JobFile, Order, Run, Stays, Surroundings, Volume};

/// Counts the changes of this protocol. An agent of another version is not used.
pub const VERSION: u32 = 4;

/// The largest [`Order`], in bytes: arguments and variables together.
pub const ORDER_BYTES_MAX: usize = 8 << 20;

/// The largest [`Notice`], in bytes.
pub const NOTICE_BYTES_MAX: usize = 128 << 10;

/// The largest piece of a file, of input or of output in one frame, in bytes.
pub const PIECE_BYTES_MAX: usize = 64 << 10;

/// The least random bytes that make an agent's randomness its own.
pub const ENTROPY_BYTES_MIN: usize = 64;

/// The longest path of a file that is left, in bytes.
pub const PATH_BYTES_MAX: usize = 4096;

/// The most parts of such a path.
pub const PATH_PARTS_MAX: usize = 64;

#[cfg(test)]
mod tests;
