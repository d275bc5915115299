//! The lowest page of memory, which only a privileged process can make and none can get back.
//!
//! The kernel lets nobody without `CAP_SYS_RAWIO` map memory below `vm.mmap_min_addr`, and execve
//! takes all of it away. A system call filter that demands a path at [`LOW_ADDRESS`] therefore lets
//! the launcher start the program, and never lets the program start another: it has no memory
//! there and cannot have any.

use std::ffi::CStr;
use std::fs;
use std::io;
use std::ptr;

/// Where [`lower`] puts a path.
pub const LOW_ADDRESS: usize = 16;

const PAGE_BYTES: usize = 4096;

/// Maps the lowest page. Processes that are forked later have it too.
///
/// # Errors
/// The kernel's answer to mmap(2): `EPERM` without `CAP_SYS_RAWIO`.
pub fn map_low_page() -> io::Result<()> {
    // SAFETY: nothing is mapped at address 0 in a process of this system, so nothing is replaced;
    // no reference is ever made to the page as a whole.
    let mapped = unsafe {
        libc::mmap(
            ptr::null_mut(),
            PAGE_BYTES,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED,
            -1,
            0,
        )
    };
    if mapped == libc::MAP_FAILED {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    }
}

/// Copies a path to [`LOW_ADDRESS`]. May be called once, in a process that is about to become
/// another program.
///
/// # Errors
/// `ENOMEM` when [`map_low_page`] has not worked; `ENAMETOOLONG`.
pub fn lower(path: &CStr) -> io::Result<&'static CStr> {
    // SAFETY: advice that changes nothing; the kernel says ENOMEM where nothing is mapped.
    if unsafe { libc::madvise(ptr::null_mut(), PAGE_BYTES, libc::MADV_NORMAL) } == -1 {
        return Err(io::Error::last_os_error());
    }
    let bytes = path.to_bytes_with_nul();
    if bytes.len() > PAGE_BYTES - LOW_ADDRESS {
        return Err(io::Error::from_raw_os_error(libc::ENAMETOOLONG));
    }
    let low = ptr::with_exposed_provenance_mut::<u8>(LOW_ADDRESS);
    // SAFETY: the page is mapped, readable and writable, lies outside of everything that Rust
    // knows of, holds `bytes` behind LOW_ADDRESS, and ends with the process's memory. By this
    // function's contract nobody writes to it while the answer lives.
    Ok(unsafe {
        ptr::copy_nonoverlapping(bytes.as_ptr(), low, bytes.len());
        CStr::from_ptr(low.cast_const().cast())
    })
}

/// Whether the kernel keeps the lowest page from processes without privileges.
///
/// # Errors
/// When the setting cannot be read.
pub fn low_page_is_protected() -> io::Result<bool> {
    let text = fs::read_to_string("/proc/sys/vm/mmap_min_addr")?;
    let lowest: usize = text.trim().parse().map_err(io::Error::other)?;
    Ok(lowest >= PAGE_BYTES)
}
