//! Reading programs in a jail: real jails, the installed program, and others in its place. Needs
//! `atoll-launcher` and `atoll-analyzer`, which a build of the whole workspace puts beside these
//! tests, and a host on which jails can be made.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may panic"
)]

mod limits;
mod other;
mod same;

use atoll_analyzer::{Apart, NotRead};
use atoll_types::{Analysis, Content, ProgramKind};

fn block_on<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(work)
}

fn read(apart: &Apart, kind: ProgramKind, program: &[u8]) -> Result<Analysis, NotRead> {
    let program: Content = program.into();
    block_on(apart.read(kind, &program))
}
