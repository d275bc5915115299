//! Which programs are of unusual size.
//!
//! The bounds lie where few programs are larger, and where reading one costs about as much as the
//! jail that it is read in, so that the jail never makes a message much slower. Measured with
//! `measure-analysis`, beside three builds on two cores, so that times are several times those of
//! an idle host; the jail took 40 to 60 ms there.
//!
//! | kind | looked at | larger than the bound | longest reading of a usual one |
//! |---|---|---|---|
//! | Python | 1867 recorded programs | 12 | 41 ms |
//! | JavaScript | 228 files of Node.js packages | 7 | 99 ms |
//! | shell | 233 scripts of Debian 12 | 3 | 387 ms |
//! | native | 521 programs of Debian 12 | 30 | 43 ms |
//!
//! The 1124 labelled programs have 413 bytes at most. Of WebAssembly there were too few to say; it
//! is read about as quickly as machine code. JavaScript and shell take ten times as long as Python
//! for each byte, and their grammars are C.

use atoll_types::ProgramKind;

/// The most bytes of a program that is read in Atoll's own process.
#[must_use]
pub const fn usual_bytes_max(kind: ProgramKind) -> usize {
    match kind {
        ProgramKind::Python => 128 << 10,
        ProgramKind::JavaScript | ProgramKind::Shell => 32 << 10,
        ProgramKind::Native | ProgramKind::WasmModule | ProgramKind::WasmComponent => 1 << 20,
    }
}

/// Whether a program of so many bytes is read in Atoll's own process.
#[must_use]
pub const fn is_usual(kind: ProgramKind, bytes: usize) -> bool {
    bytes <= usual_bytes_max(kind)
}
