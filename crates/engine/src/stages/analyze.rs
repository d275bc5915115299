//! What is this program?

use atoll_types::{Analysis, Program};

/// Reads the program. It never runs here, and reading is bounded in memory, time and nesting.
pub(crate) fn analyze(program: &Program) -> Analysis {
    atoll_analyze::analyze(program.kind, &program.bytes)
}
