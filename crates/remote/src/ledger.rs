//! What an agent may say when, and how much of it.
//!
//! Owns the order and the bounds of notices. It does no I/O and keeps no bytes: whoever reads the
//! stream asks here about every notice before anything is done with it.

use atoll_types::{Limits, SkipReason};

use crate::protocol::{LeftFile, Notice, PATH_BYTES_MAX, PATH_PARTS_MAX, PIECE_BYTES_MAX, VERSION};

/// Output beyond the limit that an agent may send until the program is ended for it.
const OUTPUT_SPARE_BYTES: u64 = 256 << 10;

/// Entries beyond the limit on files that may be left: each directory that was not listed to its
/// end is one.
const ENTRIES_SPARE: u64 = 128;

/// Something an agent said that it cannot have to say.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the agent behind the boundary {0}")]
pub struct Breach(pub(crate) &'static str);

/// Where a conversation with an agent stands.
#[derive(Debug, Clone)]
pub struct Ledger {
    phase: Phase,
    /// Whether input was given that the program has not taken.
    owes_input: bool,
    output_left: u64,
    collection: Collection,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Nothing was said yet.
    Silent,
    /// Nothing was asked.
    Met,
    Preparing,
    Beginning,
    Ready,
    Rehearsing,
    Starting,
    Running,
    Ended,
    Collecting,
    /// Nothing that is said counts any more.
    Over,
}

/// What is still expected of what the program left.
#[derive(Debug, Clone, Copy, Default)]
struct Collection {
    bytes_left: u64,
    entries_left: u64,
    /// Bytes that are missing from the file that was named last.
    file_bytes_left: u64,
}

/// What the host does, as far as it changes what may be answered.
#[derive(Debug, Clone, Copy)]
pub enum Step<'a> {
    /// It has sent [`Order::Prepare`](crate::protocol::Order::Prepare).
    Prepare,
    /// It has sent [`Order::Begin`](crate::protocol::Order::Begin).
    Begin,
    /// It has sent [`Order::Rehearse`](crate::protocol::Order::Rehearse).
    Rehearse,
    /// It has sent [`Order::Run`](crate::protocol::Order::Run).
    Run(&'a Limits),
    /// It has sent a piece of input.
    Input,
    /// It has sent [`Order::Collect`](crate::protocol::Order::Collect).
    Collect {
        /// How many bytes it takes.
        bytes_max: u64,
        /// How many files and directories there can be.
        files_max: u64,
    },
}

impl Default for Ledger {
    fn default() -> Self {
        Self::new()
    }
}

impl Ledger {
    /// A conversation that has not begun.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            phase: Phase::Silent,
            owes_input: false,
            output_left: 0,
            collection: Collection {
                bytes_left: 0,
                entries_left: 0,
                file_bytes_left: 0,
            },
        }
    }

    /// A conversation that another one was copied from, after its greeting.
    #[must_use]
    pub const fn greeted() -> Self {
        Self {
            phase: Phase::Met,
            ..Self::new()
        }
    }

    /// Notes what the host does.
    ///
    /// # Errors
    /// When it cannot be done now; nothing may be sent then.
    pub fn take(&mut self, step: Step<'_>) -> Result<(), Breach> {
        self.phase = match (self.phase, step) {
            (Phase::Met, Step::Prepare) => Phase::Preparing,
            (Phase::Met, Step::Begin) => Phase::Beginning,
            (Phase::Ready, Step::Rehearse) => Phase::Rehearsing,
            (Phase::Ready, Step::Run(limits)) => {
                self.output_left = limits.output_bytes.saturating_add(OUTPUT_SPARE_BYTES);
                Phase::Starting
            }
            (phase @ (Phase::Starting | Phase::Running), Step::Input) if !self.owes_input => {
                self.owes_input = true;
                phase
            }
            (
                Phase::Ended,
                Step::Collect {
                    bytes_max,
                    files_max,
                },
            ) => {
                self.collection = Collection {
                    bytes_left: bytes_max,
                    entries_left: files_max.saturating_add(ENTRIES_SPARE),
                    file_bytes_left: 0,
                };
                Phase::Collecting
            }
            _ => return Err(Breach("is not asked for this now")),
        };
        Ok(())
    }

    /// Judges what the agent says.
    ///
    /// # Errors
    /// When it cannot be said now, or is too much. Nothing that follows counts then.
    pub fn accept(&mut self, notice: &Notice) -> Result<(), Breach> {
        let judged = self.judge(notice);
        self.phase = judged.clone().unwrap_or(Phase::Over);
        judged.map(drop)
    }

    /// The phase after a notice.
    fn judge(&mut self, notice: &Notice) -> Result<Phase, Breach> {
        let phase = self.phase;
        match (phase, notice) {
            (Phase::Over, _) => Err(Breach("speaks after its end")),
            (_, Notice::Failed { .. }) => Ok(Phase::Over),
            (Phase::Silent, Notice::Hello(hello)) if hello.version == VERSION => Ok(Phase::Met),
            (Phase::Silent, Notice::Hello(_)) => Err(Breach(
                "is of another version of Atoll; build a guest of this one with `make guest`, \
                 and let `atoll-agent` come from where `atoll` does",
            )),
            (Phase::Preparing, Notice::Prepared | Notice::Refused(_)) => Ok(Phase::Met),
            (Phase::Beginning, Notice::Ready { .. }) => Ok(Phase::Ready),
            (Phase::Beginning, Notice::Refused(_)) => Ok(Phase::Over),
            (Phase::Rehearsing, Notice::Rehearsed) => Ok(Phase::Ready),
            (Phase::Starting, Notice::Started) => Ok(Phase::Running),
            (Phase::Starting, Notice::NotStarted(_)) => Ok(Phase::Ended),
            (Phase::Running, Notice::WantsInput) if self.owes_input => {
                self.owes_input = false;
                Ok(phase)
            }
            (Phase::Running, Notice::WantsInput) => Err(Breach("wants input that it has")),
            (Phase::Running, Notice::InputClosed) => Ok(phase),
            (Phase::Running, Notice::Output { bytes, .. }) => self.output(bytes),
            (Phase::Running, Notice::Progress { .. } | Notice::LimitsRefused { .. }) => Ok(phase),
            (Phase::Running, Notice::Ended(_)) => Ok(Phase::Ended),
            // Said before the end was, about what was ordered before it.
            (Phase::Collecting, Notice::Left { path, file }) => self.left(path, file),
            (Phase::Collecting, Notice::LeftBytes(bytes)) => self.left_bytes(bytes),
            (Phase::Collecting, Notice::Collected) if self.collection.file_bytes_left == 0 => {
                Ok(Phase::Ended)
            }
            _ => Err(Breach("speaks out of order")),
        }
    }

    fn output(&mut self, bytes: &[u8]) -> Result<Phase, Breach> {
        check_piece(bytes)?;
        let left = self.output_left.checked_sub(bytes.len() as u64);
        self.output_left = left.ok_or(Breach("sends more output than it may"))?;
        Ok(Phase::Running)
    }

    fn left(&mut self, path: &[u8], file: &Result<LeftFile, SkipReason>) -> Result<Phase, Breach> {
        let collection = &mut self.collection;
        if collection.file_bytes_left > 0 {
            return Err(Breach("names a file before all of the last one is there"));
        }
        if !is_plain(path, file.is_ok()) {
            return Err(Breach(
                "names a file that is not below the working directory",
            ));
        }
        let left = collection.entries_left.checked_sub(1);
        collection.entries_left = left.ok_or(Breach("names more files than there can be"))?;
        if let Ok(LeftFile {
            bytes,
            follows: true,
            ..
        }) = file
        {
            let left = collection.bytes_left.checked_sub(*bytes);
            collection.bytes_left = left.ok_or(Breach("sends more of files than is wanted"))?;
            collection.file_bytes_left = *bytes;
        }
        Ok(Phase::Collecting)
    }

    fn left_bytes(&mut self, bytes: &[u8]) -> Result<Phase, Breach> {
        check_piece(bytes)?;
        let left = self.collection.file_bytes_left;
        let left = left.checked_sub(bytes.len() as u64);
        self.collection.file_bytes_left = left.ok_or(Breach("sends more than a file has"))?;
        Ok(Phase::Collecting)
    }
}

/// Empty pieces could come without end.
fn check_piece(bytes: &[u8]) -> Result<(), Breach> {
    if bytes.is_empty() || bytes.len() > PIECE_BYTES_MAX {
        return Err(Breach("sends a piece of a wrong length"));
    }
    Ok(())
}

/// Whether a path leads nowhere but down. What was passed over may lie deeper than files may, and
/// the working directory itself may not have been listed to its end.
fn is_plain(path: &[u8], is_file: bool) -> bool {
    if path.is_empty() {
        return !is_file;
    }
    let bounds = if is_file { 1 } else { 2 };
    let parts = || path.split(|byte| *byte == b'/');
    path.len() <= PATH_BYTES_MAX * bounds
        && !path.contains(&0)
        && parts().count() <= PATH_PARTS_MAX * bounds
        && parts().all(|part| !part.is_empty() && part != b"." && part != b"..")
}

#[cfg(test)]
mod tests;
