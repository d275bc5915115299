//! What is looked up about a thread whose system call waits: memory, directories, ids.
//!
//! Everything goes by the thread's id, so it holds only if the call still waits afterwards.

use std::fs;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

use rustix::fs::{CWD, Mode, OFlags};

use crate::sys;

/// The longest path that the kernel takes, with its zero byte.
const PATH_BYTES_MAX: usize = 4096;

/// Memory is mapped by whole pages of at least this size.
const PAGE_BYTES: u64 = 4096;

/// Reads a text that ends with a zero byte.
///
/// # Errors
/// As the kernel answers: `EFAULT` for what is not there, `ENAMETOOLONG` for what does not end.
pub(super) fn text(thread: i32, address: u64) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    while text.len() < PATH_BYTES_MAX {
        let at = address.checked_add(text.len() as u64);
        let at = at.ok_or(io::Error::from_raw_os_error(libc::EFAULT))?;
        // Never across the end of a page, behind which there may be nothing.
        let room = PAGE_BYTES - at % PAGE_BYTES;
        let mut page = vec![0; usize::try_from(room).map_err(io::Error::other)?];
        let read = sys::read_memory(thread, at, &mut page)?;
        page.truncate(read);
        if let Some(end) = page.iter().position(|byte| *byte == 0) {
            page.truncate(end);
            text.append(&mut page);
            break;
        }
        if read == 0 {
            return Err(io::Error::from_raw_os_error(libc::EFAULT));
        }
        text.append(&mut page);
    }
    if text.len() >= PATH_BYTES_MAX {
        return Err(io::Error::from_raw_os_error(libc::ENAMETOOLONG));
    }
    Ok(text)
}

/// Reads so many bytes.
///
/// # Errors
/// `EFAULT` for what is not there.
pub(super) fn bytes<const N: usize>(thread: i32, address: u64) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    match sys::read_memory(thread, address, &mut bytes)? {
        read if read == N => Ok(bytes),
        _ => Err(io::Error::from_raw_os_error(libc::EFAULT)),
    }
}

/// The address of a socket, as rules see it, if it is a Unix socket's.
pub(super) fn address(thread: i32, pointer: u64, length: u64) -> Option<Vec<u8>> {
    const LENGTH_MAX: u64 = 110;
    let mut bytes = vec![0; usize::try_from(length.min(LENGTH_MAX)).ok()?];
    let read = sys::read_memory(thread, pointer, &mut bytes).ok()?;
    bytes.truncate(read);
    let (family, rest) = bytes.split_first_chunk::<2>()?;
    if i32::from(u16::from_ne_bytes(*family)) != libc::AF_UNIX {
        return None;
    }
    Some(match rest.split_first() {
        Some((0, name)) => [b"unix:@", name].concat(),
        _ => {
            let end = rest.iter().position(|byte| *byte == 0);
            let path = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
            [b"unix:", path].concat()
        }
    })
}

/// What paths of a thread are relative to: a directory of it, and that directory's path.
pub(super) struct Base {
    pub(super) directory: OwnedFd,
    pub(super) path: Vec<u8>,
}

/// What a path with this directory argument is relative to; `None` stands for the current one.
///
/// # Errors
/// As the kernel answers: `EBADF` for a descriptor that is not open.
pub(super) fn base(thread: i32, directory: Option<u64>) -> io::Result<Base> {
    // The kernel looks at the lower half.
    let number = directory.map(|number| (number & 0xffff_ffff) as u32 as i32);
    let link = match number {
        None | Some(libc::AT_FDCWD) => format!("/proc/{thread}/cwd"),
        Some(number) => format!("/proc/{thread}/fd/{number}"),
    };
    let opened = rustix::fs::openat(CWD, &link, OFlags::PATH | OFlags::CLOEXEC, Mode::empty());
    let directory = match opened {
        Ok(directory) => directory,
        Err(rustix::io::Errno::NOENT) => return Err(io::Error::from_raw_os_error(libc::EBADF)),
        Err(error) => return Err(error.into()),
    };
    // The path of what is held now. What the thread has there may be another already; and in the
    // mount namespace that it belongs to, this is what the program calls it.
    let held = format!("/proc/self/fd/{}", directory.as_raw_fd());
    let path = rustix::fs::readlinkat(CWD, held, Vec::new())?.into_bytes();
    Ok(Base { directory, path })
}

/// What the kernel tells of a thread.
pub(super) struct Ids {
    /// Its process, as the jail sees it.
    pub(super) process: i32,
    /// Itself, as the jail sees it.
    pub(super) thread: i32,
    /// The permissions that new files do not get.
    pub(super) mask: u32,
}

/// Looks up a thread.
///
/// # Errors
/// When it is gone.
pub(super) fn ids(thread: i32) -> io::Result<Ids> {
    let status = fs::read_to_string(format!("/proc/{thread}/status"))?;
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().last()
    };
    let number = |name: &str| field(name).and_then(|text| text.parse().ok());
    let missing = || io::Error::from(io::ErrorKind::InvalidData);
    Ok(Ids {
        process: number("NStgid:").ok_or_else(missing)?,
        thread: number("NSpid:").ok_or_else(missing)?,
        mask: field("Umask:")
            .and_then(|text| u32::from_str_radix(text, 8).ok())
            .ok_or_else(missing)?,
    })
}
