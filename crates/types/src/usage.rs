//! What a run really used.

use serde::{Deserialize, Serialize};

/// Measured by the kernel (or the Wasm runtime), never reported by the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Usage {
    /// From the program's start to its end, in microseconds.
    pub wall_time_us: u64,
    /// CPU time of the whole tree, in microseconds.
    pub cpu_time_us: u64,
    /// Peak memory of the whole tree and its files, in bytes.
    pub memory_peak_bytes: u64,
    /// Bytes the program wrote to standard output and standard error, kept or not.
    pub output_bytes: u64,
    /// Bytes in the program's private files when it ended.
    pub disk_bytes: u64,
    /// Most processes and threads at one time, as far as it was observed.
    pub processes_peak: u32,
}
