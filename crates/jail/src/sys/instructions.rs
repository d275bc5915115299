//! Whether this host lets the instructions of a process be counted.

use std::io;
use std::os::fd::{FromRawFd as _, OwnedFd};

/// The first version of `struct perf_event_attr` (perf_event_open(2)) has so many bytes.
const SIZE: u32 = 64;

/// `PERF_TYPE_HARDWARE` and `PERF_COUNT_HW_INSTRUCTIONS`.
const HARDWARE: u32 = 0;
const INSTRUCTIONS: u64 = 1;

/// Not begun, and nothing of the kernel or below it.
const DISABLED_AND_USER_ONLY: u64 = 1 | 1 << 5 | 1 << 6;

#[repr(C)]
#[derive(Default)]
struct Attributes {
    kind: u32,
    size: u32,
    config: u64,
    sample_period: u64,
    sample_kind: u64,
    read_format: u64,
    flags: u64,
    wakeup: u32,
    breakpoint_kind: u32,
    breakpoint: u64,
}

const _: () = assert!(size_of::<Attributes>() == SIZE as usize);

/// Tries to open a counter of this thread's instructions, which counts nothing.
///
/// # Errors
/// The kernel's answer to perf_event_open(2): `ENOENT` where the processor shows no such counter,
/// as in most virtual machines; `EACCES` or `EPERM` where it is not allowed.
pub fn try_counting_instructions() -> io::Result<()> {
    let attributes = Attributes {
        kind: HARDWARE,
        size: SIZE,
        config: INSTRUCTIONS,
        flags: DISABLED_AND_USER_ONLY,
        ..Attributes::default()
    };
    const THIS_THREAD: libc::pid_t = 0;
    const ANY_PROCESSOR: libc::c_int = -1;
    const NO_GROUP: libc::c_int = -1;
    const CLOSE_ON_EXEC: libc::c_ulong = 8;
    // SAFETY: the attributes have the size that they state and live until the call is over; the
    // kernel only reads them.
    let opened = unsafe {
        libc::syscall(
            libc::SYS_perf_event_open,
            &raw const attributes,
            THIS_THREAD,
            ANY_PROCESSOR,
            NO_GROUP,
            CLOSE_ON_EXEC,
        )
    };
    let descriptor = i32::try_from(opened).map_err(io::Error::other)?;
    if descriptor < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel has just opened it for this process, and nobody else knows of it.
    drop(unsafe { OwnedFd::from_raw_fd(descriptor) });
    Ok(())
}
