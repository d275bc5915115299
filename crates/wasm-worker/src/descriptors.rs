//! Takes over the descriptors this process was started with.
//!
//! Only here does a number become a descriptor: the standard library cannot know that a number it
//! is given is an open descriptor that nobody else owns.
#![allow(
    unsafe_code,
    reason = "owning an inherited descriptor cannot be expressed in safe code"
)]

use std::io;
use std::os::fd::{FromRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicBool, Ordering};

use atoll_sandbox_wasm::protocol::ORDER_DESCRIPTOR;

static TAKEN: AtomicBool = AtomicBool::new(false);

/// Takes so many descriptors, from the first that is not a standard stream; works once.
pub(crate) fn take<const COUNT: usize>() -> io::Result<[OwnedFd; COUNT]> {
    if TAKEN.swap(true, Ordering::SeqCst) {
        return Err(io::Error::other("the descriptors are already taken"));
    }
    let numbers = (ORDER_DESCRIPTOR..).take(COUNT);
    let owned: Vec<OwnedFd> = numbers.map(own).collect::<io::Result<_>>()?;
    owned
        .try_into()
        .map_err(|_| io::Error::other("descriptors are missing"))
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
