//! Which programs are of unusual size.

use atoll_types::ProgramKind;

/// The most bytes of a program that is read in Atoll's own process.
#[must_use]
pub const fn usual_bytes_max(kind: ProgramKind) -> usize {
    match kind {
        ProgramKind::Python | ProgramKind::JavaScript | ProgramKind::Shell => 128 << 10,
        ProgramKind::Native | ProgramKind::WasmModule | ProgramKind::WasmComponent => 1 << 20,
    }
}

/// Whether a program of so many bytes is read in Atoll's own process.
#[must_use]
pub const fn is_usual(kind: ProgramKind, bytes: usize) -> bool {
    bytes <= usual_bytes_max(kind)
}
