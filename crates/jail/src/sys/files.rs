//! Questions about files whose answers are handed on byte by byte, and what has no safe wrapper.

use std::ffi::CString;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

use super::check;

/// What newfstatat(2) answers, in the kernel's layout.
///
/// # Errors
/// The kernel's answer; `EINVAL` for a name with a zero byte.
pub fn stat_bytes(directory: BorrowedFd<'_>, name: &[u8], flags: i32) -> io::Result<Vec<u8>> {
    let name = CString::new(name)?;
    let mut bytes = vec![0; size_of::<libc::stat>()];
    // SAFETY: the name is a valid C string, and the kernel writes one `struct stat`, which is as
    // long as the buffer.
    check(unsafe {
        libc::syscall(
            libc::SYS_newfstatat,
            directory.as_raw_fd(),
            name.as_ptr(),
            bytes.as_mut_ptr(),
            flags,
        )
    })?;
    Ok(bytes)
}

/// What statx(2) answers, in the kernel's layout.
///
/// # Errors
/// As for [`stat_bytes`].
pub fn statx_bytes(
    directory: BorrowedFd<'_>,
    name: &[u8],
    flags: i32,
    mask: u32,
) -> io::Result<Vec<u8>> {
    let name = CString::new(name)?;
    let mut bytes = vec![0; size_of::<libc::statx>()];
    // SAFETY: the name is a valid C string, and the kernel writes one `struct statx`, which is as
    // long as the buffer.
    check(unsafe {
        libc::syscall(
            libc::SYS_statx,
            directory.as_raw_fd(),
            name.as_ptr(),
            flags,
            mask,
            bytes.as_mut_ptr(),
        )
    })?;
    Ok(bytes)
}

/// Changes the length of a file. Links are followed.
///
/// # Errors
/// The kernel's answer to truncate(2).
pub fn change_length(path: &str, length: u64) -> io::Result<()> {
    let path = CString::new(path)?;
    // What does not fit is negative, and refused.
    let length = libc::off_t::try_from(length).unwrap_or(-1);
    // SAFETY: the path is a valid C string that outlives the call.
    check(unsafe { libc::c_long::from(libc::truncate(path.as_ptr(), length)) })
}

/// Changes the mode of a file, never by way of a link.
///
/// # Errors
/// The kernel's answer to fchmodat2(2), which Linux 6.6 is the first to have: `ENOSYS` before.
pub fn change_mode(directory: BorrowedFd<'_>, name: &[u8], mode: u32) -> io::Result<()> {
    /// The same on every architecture; from asm-generic/unistd.h.
    const FCHMODAT2: libc::c_long = 452;
    let name = CString::new(name)?;
    // SAFETY: the name is a valid C string that outlives the call.
    check(unsafe {
        libc::syscall(
            FCHMODAT2,
            directory.as_raw_fd(),
            name.as_ptr(),
            mode,
            libc::AT_SYMLINK_NOFOLLOW,
        )
    })
}
