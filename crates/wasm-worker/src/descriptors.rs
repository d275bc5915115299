//! Takes over the descriptors the worker was started with.
//!
//! The only module of the worker with `unsafe`: the standard library cannot know that a number it
//! is given is an open descriptor that nobody else owns.
#![allow(
    unsafe_code,
    reason = "owning an inherited descriptor cannot be expressed in safe code"
)]

use std::io;
use std::os::fd::{FromRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicBool, Ordering};

use atoll_sandbox_wasm::protocol::{REQUEST_DESCRIPTOR, STATUS_DESCRIPTOR};

/// The worker's own descriptors. Standard input, output and error are the guest's.
pub(crate) struct Descriptors {
    /// Where the request is read from.
    pub(crate) request: OwnedFd,
    /// Where status frames are written to.
    pub(crate) status: OwnedFd,
}

static TAKEN: AtomicBool = AtomicBool::new(false);

/// Takes both descriptors; works once.
pub(crate) fn take() -> io::Result<Descriptors> {
    if TAKEN.swap(true, Ordering::SeqCst) {
        return Err(io::Error::other("the descriptors are already taken"));
    }
    Ok(Descriptors {
        request: own(REQUEST_DESCRIPTOR)?,
        status: own(STATUS_DESCRIPTOR)?,
    })
}

fn own(descriptor: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: F_GETFD takes no pointer and changes nothing; an unused number gives EBADF.
    if unsafe { libc::fcntl(descriptor, libc::F_GETFD) } == -1 {
        let error = io::Error::last_os_error();
        let text = format!("descriptor {descriptor} is not open ({error})");
        return Err(io::Error::new(error.kind(), text));
    }
    // SAFETY: the descriptor is open, as just seen. `take` runs first thing in `main`, before any
    // other code can open or own a descriptor, and `TAKEN` lets it run once, so this is the only
    // owner.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}
