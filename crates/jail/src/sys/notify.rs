//! The kernel's side of system calls that wait for an answer: seccomp_unotify(2), and what is read
//! of the process that waits.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::ptr;

use super::{FilterProgram, Instruction, check};

/// A system call that waits.
#[derive(Debug, Clone, Copy)]
pub struct Asked {
    /// Names it, for as long as it waits.
    pub id: u64,
    /// The thread that makes it, as this process sees it.
    pub thread: i32,
    /// Its number.
    pub number: i64,
    /// Its arguments, as they were when it was made: nobody can change these any more.
    pub arguments: [u64; 6],
}

/// Installs a filter on this thread, and returns what its questions come through. A call that has
/// been asked about is interrupted by nothing but the end of its process.
///
/// # Errors
/// The kernel's answer to seccomp(2); `EINVAL` before Linux 5.19.
pub fn install_asking_filter(program: &[Instruction]) -> io::Result<OwnedFd> {
    let length =
        u16::try_from(program.len()).map_err(|_| io::Error::from_raw_os_error(libc::EINVAL))?;
    let program = FilterProgram {
        length,
        instructions: program.as_ptr(),
    };
    let flags =
        libc::SECCOMP_FILTER_FLAG_NEW_LISTENER | libc::SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
    // SAFETY: `program` points to `length` instructions that have the kernel's layout and outlive
    // the call; the kernel copies and verifies them.
    let listener = unsafe {
        libc::syscall(
            libc::SYS_seccomp,
            libc::SECCOMP_SET_MODE_FILTER,
            flags,
            ptr::from_ref(&program),
        )
    };
    check(listener)?;
    let listener = RawFd::try_from(listener).map_err(io::Error::other)?;
    // SAFETY: with NEW_LISTENER the kernel answers with a new descriptor that nothing else owns.
    Ok(unsafe { OwnedFd::from_raw_fd(listener) })
}

/// Has whoever waits for calls run at once, where the caller ran, when there is one (Linux 6.6 and
/// later; before, nothing changes).
pub fn wake_at_once(listener: BorrowedFd<'_>) {
    /// `SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP` of linux/seccomp.h.
    const SYNC_WAKE_UP: libc::c_ulong = 1;
    // SAFETY: the argument is a number; where the kernel does not know it, nothing happens.
    unsafe {
        libc::ioctl(
            listener.as_raw_fd(),
            libc::SECCOMP_IOCTL_NOTIF_SET_FLAGS,
            SYNC_WAKE_UP,
        )
    };
}

/// Takes the next call that waits. Waits for one itself, so it is for a listener that is readable.
///
/// # Errors
/// `ENOENT` when the caller is gone again, `EINTR` when interrupted.
pub fn next_asked(listener: BorrowedFd<'_>) -> io::Result<Asked> {
    // SAFETY: all-zero bytes are a valid seccomp_notif, and the kernel wants them to be zero.
    let mut asked: libc::seccomp_notif = unsafe { MaybeUninit::zeroed().assume_init() };
    // SAFETY: the kernel fills in one seccomp_notif behind the pointer.
    check(i64::from(unsafe {
        libc::ioctl(
            listener.as_raw_fd(),
            libc::SECCOMP_IOCTL_NOTIF_RECV,
            ptr::from_mut(&mut asked),
        )
    }))?;
    Ok(Asked {
        id: asked.id,
        thread: i32::try_from(asked.pid).unwrap_or(0),
        number: asked.data.nr.into(),
        arguments: asked.data.args,
    })
}

/// What a call that waits is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// The kernel carries it out, with the arguments as they are then.
    GoOn,
    /// It has been carried out, and this is what it returns.
    Done(i64),
    /// It fails with this error number.
    Fail(i32),
}

/// Answers a call.
///
/// # Errors
/// `ENOENT` when the caller is gone.
pub fn answer(listener: BorrowedFd<'_>, id: u64, answer: Answer) -> io::Result<()> {
    let go_on = u32::try_from(libc::SECCOMP_USER_NOTIF_FLAG_CONTINUE).unwrap_or(1);
    let (val, error, flags) = match answer {
        Answer::GoOn => (0, 0, go_on),
        Answer::Done(value) => (value, 0, 0),
        Answer::Fail(number) => (0, -number, 0),
    };
    let mut response = libc::seccomp_notif_resp {
        id,
        val,
        error,
        flags,
    };
    // SAFETY: the kernel reads one seccomp_notif_resp behind the pointer.
    check(i64::from(unsafe {
        libc::ioctl(
            listener.as_raw_fd(),
            libc::SECCOMP_IOCTL_NOTIF_SEND,
            ptr::from_mut(&mut response),
        )
    }))
}

/// Gives the caller a copy of a descriptor, which is what its call returns.
///
/// # Errors
/// `ENOENT` when the caller is gone, `EMFILE` when it has no room for another descriptor; it still
/// waits for an answer then.
pub fn answer_with(
    listener: BorrowedFd<'_>,
    id: u64,
    descriptor: BorrowedFd<'_>,
    closes_on_exec: bool,
) -> io::Result<()> {
    let mut addition = libc::seccomp_notif_addfd {
        id,
        flags: u32::try_from(libc::SECCOMP_ADDFD_FLAG_SEND).unwrap_or(2),
        srcfd: descriptor.as_raw_fd().unsigned_abs(),
        newfd: 0,
        newfd_flags: if closes_on_exec {
            libc::O_CLOEXEC.unsigned_abs()
        } else {
            0
        },
    };
    // SAFETY: the kernel reads one seccomp_notif_addfd behind the pointer.
    check(i64::from(unsafe {
        libc::ioctl(
            listener.as_raw_fd(),
            libc::SECCOMP_IOCTL_NOTIF_ADDFD,
            ptr::from_mut(&mut addition),
        )
    }))
}

/// Whether the call still waits. If it does, everything that was looked up by its thread's id
/// before was that thread's.
#[must_use]
pub fn still_waits(listener: BorrowedFd<'_>, id: u64) -> bool {
    // SAFETY: the kernel reads one u64 behind the pointer, which outlives the call.
    let result = unsafe {
        libc::ioctl(
            listener.as_raw_fd(),
            libc::SECCOMP_IOCTL_NOTIF_ID_VALID,
            ptr::from_ref(&id),
        )
    };
    result == 0
}

/// Writes to memory of another process. What cannot be written as a whole may be written in part.
///
/// # Errors
/// The kernel's answer to process_vm_writev(2); `EFAULT` when not all of it could be written.
pub fn write_memory(thread: i32, address: u64, bytes: &[u8]) -> io::Result<()> {
    let address = usize::try_from(address).map_err(io::Error::other)?;
    let local = libc::iovec {
        iov_base: bytes.as_ptr().cast_mut().cast(),
        iov_len: bytes.len(),
    };
    let remote = libc::iovec {
        iov_base: ptr::without_provenance_mut(address),
        iov_len: bytes.len(),
    };
    // SAFETY: the kernel only reads `bytes.len()` bytes behind the local pointer; the remote
    // address means nothing in this process.
    let written = unsafe {
        libc::process_vm_writev(
            thread,
            ptr::from_ref(&local),
            1,
            ptr::from_ref(&remote),
            1,
            0,
        )
    };
    match usize::try_from(written) {
        Ok(written) if written == bytes.len() => Ok(()),
        Ok(_) => Err(io::Error::from_raw_os_error(libc::EFAULT)),
        Err(_) => Err(io::Error::last_os_error()),
    }
}

/// Reads memory of another process: as much of `buffer` as can be read from `address` on.
///
/// # Errors
/// The kernel's answer to process_vm_readv(2).
pub fn read_memory(thread: i32, address: u64, buffer: &mut [u8]) -> io::Result<usize> {
    let address = usize::try_from(address).map_err(io::Error::other)?;
    let local = libc::iovec {
        iov_base: buffer.as_mut_ptr().cast(),
        iov_len: buffer.len(),
    };
    let remote = libc::iovec {
        iov_base: ptr::without_provenance_mut(address),
        iov_len: buffer.len(),
    };
    // SAFETY: the kernel writes at most `buffer.len()` bytes behind the local pointer; the remote
    // address means nothing in this process.
    let read = unsafe {
        libc::process_vm_readv(
            thread,
            ptr::from_ref(&local),
            1,
            ptr::from_ref(&remote),
            1,
            0,
        )
    };
    usize::try_from(read).map_err(|_| io::Error::last_os_error())
}
