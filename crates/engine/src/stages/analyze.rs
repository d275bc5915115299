//! What is this program?

use atoll_types::{Analysis, Program};

use crate::Engine;

/// Reads the program, in another process if it is of unusual size. It never runs here, and reading
/// is bounded in memory, time and nesting.
pub(crate) async fn analyze(engine: &Engine, program: &Program) -> Analysis {
    engine.analyzer.analyze(program).await
}
