//! How fast the processor's time stamp counter runs.
//!
//! A guest that boots measures this against another clock. Where it is emulated on a busy host that
//! measurement sometimes never ends; a guest that is told needs none.

#![allow(
    unsafe_code,
    reason = "the counter is read by an instruction of its own"
)]

use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// How long is measured.
const SPAN: Duration = Duration::from_millis(40);

/// Thousands of ticks in a second. Looks once.
pub(crate) fn kilohertz() -> Option<u64> {
    static MEASURED: OnceLock<Option<u64>> = OnceLock::new();
    *MEASURED.get_or_init(measure)
}

#[cfg(target_arch = "x86_64")]
fn measure() -> Option<u64> {
    let (since, first) = (Instant::now(), ticks());
    std::thread::sleep(SPAN);
    let (elapsed, last) = (since.elapsed(), ticks());
    let counted = u128::from(last.checked_sub(first)?);
    let kilohertz = counted * 1_000_000 / elapsed.as_nanos().max(1);
    u64::try_from(kilohertz).ok().filter(|rate| *rate > 0)
}

#[cfg(not(target_arch = "x86_64"))]
fn measure() -> Option<u64> {
    None
}

#[cfg(target_arch = "x86_64")]
fn ticks() -> u64 {
    // SAFETY: every x86-64 processor has this instruction, and it touches no memory.
    unsafe { core::arch::x86_64::_rdtsc() }
}
