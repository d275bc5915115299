//! Analyses programs: usual ones here, those of unusual size in a jail.
//!
//! Readers of programs face hostile bytes. They are bounded by what they count, and most of those
//! bounds only come into play in large programs; so do most mistakes about sizes. A program that
//! is larger than nearly all are ([`usual_bytes_max`]) is therefore read by another process
//! (`atoll-analyzer`), which has a jail of its own, hard limits, and a handful of system calls.
//! This crate owns that process, both sides of it, and the choice. How programs are read is the
//! business of `atoll-analyze`; what becomes of the analysis, of whoever asked.
//!
//! Whatever goes wrong there, the program counts as one that could not be understood: that is a
//! capability (`unanalyzed`), and no reason to let it run with less suspicion. What was read is
//! kept for when the program comes again.

mod answer;
mod apart;
mod kept;
mod size;

use std::num::NonZero;
use std::thread::available_parallelism;

use atoll_types::{Analysis, Content, Program, ProgramKind};
use tokio::sync::Semaphore;

pub use crate::answer::{ANSWER_BYTES_MAX, from_answer, to_answer};
pub use crate::apart::{Apart, LIMITS, NotRead, PROGRAM_DESCRIPTOR};
use crate::kept::Kept;
pub use crate::size::{is_usual, usual_bytes_max};

/// Analyses programs. One of it is for all messages of a process.
#[derive(Debug)]
pub struct Analyzer {
    apart: Apart,
    kept: Kept,
    /// One for each program that may be read apart at the same time: each can take seconds of a
    /// processor, and memory that no reservation knows of.
    turns: Semaphore,
}

impl Default for Analyzer {
    fn default() -> Self {
        Self::new(Apart::default())
    }
}

impl Analyzer {
    /// Reads programs of unusual size with `apart`, as many at a time as there are processors.
    #[must_use]
    pub fn new(apart: Apart) -> Self {
        let processors = available_parallelism().map_or(1, NonZero::get);
        Self {
            apart,
            kept: Kept::default(),
            turns: Semaphore::new(processors),
        }
    }

    /// Analyses a program. Never fails: of a program that could not be read, the analysis says so.
    pub async fn analyze(&self, program: &Program) -> Analysis {
        if let Some(analysis) = self.kept.get(program) {
            return analysis;
        }
        if is_usual(program.kind, program.bytes.len()) {
            let analysis = atoll_analyze::analyze(program.kind, &program.bytes);
            self.kept.put(program, &analysis);
            analysis
        } else {
            // What it holds would make every caller's own future large.
            Box::pin(self.analyze_apart(program)).await
        }
    }

    /// Reads a small program in a jail, as ones of unusual size are.
    ///
    /// # Errors
    /// Why that cannot be done here.
    pub async fn try_apart(&self) -> Result<(), NotRead> {
        let program: Content = b"pass\n".as_slice().into();
        self.apart.read(ProgramKind::Python, &program).await?;
        Ok(())
    }

    async fn analyze_apart(&self, program: &Program) -> Analysis {
        // It is never closed.
        let _turn = self.turns.acquire().await;
        match self.apart.read(program.kind, &program.bytes).await {
            Ok(analysis) => {
                self.kept.put(program, &analysis);
                analysis
            }
            // Not kept: another time there may be more time, or the child again.
            Err(not_read) => {
                let bytes = program.bytes.len() as u64;
                atoll_analyze::not_analyzed(program.kind, bytes, &not_read.describe())
            }
        }
    }
}
