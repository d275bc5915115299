//! What the supervisor and the hand say to each other.

use serde::{Deserialize, Serialize};

/// A path, and how far it is to be followed. Travels with a descriptor of what it is relative to,
/// in the order of the paths; absolute ones have one, too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Route {
    pub(super) path: Vec<u8>,
    /// The path of what it is relative to.
    pub(super) base: Vec<u8>,
    /// Whether a link at the end is followed.
    pub(super) follows: bool,
    /// Whether an empty path means what it is relative to.
    pub(super) may_be_empty: bool,
}

/// What the hand is asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum Ask {
    /// Where these lead for this process and thread; the hand holds what it has found.
    Find {
        routes: Vec<Route>,
        process: i32,
        thread: i32,
    },
    /// To do this with what was found last.
    Do(Deed),
}

/// Something that is done with what was found.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum Deed {
    Open { flags: i32, mode: u32, mask: u32 },
    Remove { flags: i32 },
    MakeDirectory { mode: u32, mask: u32 },
    Rename { flags: u32 },
    Link { flags: i32 },
    SymbolicLink { target: Vec<u8> },
    Ask(Question),
    Change(Change),
}

/// Something that is asked about what was found.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum Question {
    Stat { flags: i32 },
    StatMore { flags: i32, mask: u32 },
    Access { mode: u32, flags: i32 },
    ReadLink,
}

/// Something that is changed of what was found.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum Change {
    Mode { mode: u32 },
    Owner { user: u32, group: u32, flags: i32 },
    Times { times: [i64; 4], flags: i32 },
    Length { length: u64 },
}

/// What the hand answers.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum Told {
    /// From before the program starts: what its questions come through comes along.
    Listener,
    /// The paths without links, `.` and `..`.
    Found(Vec<Vec<u8>>),
    /// It is done, and this is what the program asked to be told; a descriptor comes along where
    /// something was opened.
    Did(Vec<u8>),
    /// The kernel refused, with this error number.
    Refused(i32),
}
