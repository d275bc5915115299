//! The system calls that no safe library offers: the only `unsafe` code of this crate.
//!
//! Each function is a thin wrapper with the kernel's own meaning and an [`io::Result`]. Nothing
//! here decides anything. All of it is meant for the launcher, which has a single thread, except
//! [`take_descriptor`], which anybody may call once for each descriptor it was handed, and
//! [`readable`], [`take_short_turns`], [`low_page_is_protected`] and what answers system calls that
//! wait, which are the supervisor's.
#![allow(
    unsafe_code,
    reason = "clone3, mount_setattr, seccomp, execve, sched_setattr, polling and reading another \
              process have no safe wrapper in the crates used"
)]

mod files;
mod fork;
mod instructions;
mod low;
mod network;
mod notify;
mod turns;

use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::ptr;

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

pub use files::{change_length, change_mode, stat_bytes, statx_bytes};
pub use fork::{
    BlockedSignals, Forked, children_live_with, close_from, first_process, fork, leave_namespaces,
};
pub use instructions::try_counting_instructions;
pub use low::{LOW_ADDRESS, low_page_is_protected, lower, map_low_page};
pub use network::bring_up_loopback;
pub use notify::{
    Answer, Asked, answer, answer_with, install_asking_filter, next_asked, read_memory,
    still_waits, wake_at_once, write_memory,
};
pub use turns::{take_short_turns, wait_for_turns, wait_no_longer};

/// Which side of a [`clone_process`] or [`fork`] the caller is on.
#[derive(Debug)]
pub enum Side {
    /// The original process.
    Parent {
        /// The new process, as the caller sees it.
        pid: i32,
        /// A descriptor for the new process.
        pidfd: OwnedFd,
    },
    /// The new process.
    Child,
}

/// `struct clone_args` of clone3(2), in its second version (with `cgroup`).
#[repr(C)]
#[derive(Default)]
struct CloneArgs {
    flags: u64,
    pidfd: u64,
    child_tid: u64,
    parent_tid: u64,
    exit_signal: u64,
    stack: u64,
    stack_size: u64,
    tls: u64,
    set_tid: u64,
    set_tid_size: u64,
    cgroup: u64,
}

/// Makes a new process with `flags` (`CLONE_NEW*`, `CLONE_PARENT`), copied like fork(2), optionally
/// born inside the version 2 cgroup whose directory is given.
///
/// # Errors
/// The kernel's answer to clone3(2).
pub fn clone_process(flags: i32, cgroup: Option<BorrowedFd<'_>>) -> io::Result<Side> {
    let mut pidfd: RawFd = -1;
    let mut flags = u64::from(flags.cast_unsigned()) | libc::CLONE_PIDFD as u64;
    // With CLONE_PARENT the kernel takes the exit signal from the caller and insists on zero here.
    let with_parent = flags & libc::CLONE_PARENT as u64 != 0;
    let exit_signal = if with_parent { 0 } else { libc::SIGCHLD as u64 };
    if cgroup.is_some() {
        flags |= CLONE_INTO_CGROUP;
    }
    let mut arguments = CloneArgs {
        flags,
        pidfd: ptr::from_mut(&mut pidfd).addr() as u64,
        exit_signal,
        cgroup: cgroup.map_or(0, |fd| fd.as_raw_fd().unsigned_abs().into()),
        ..CloneArgs::default()
    };
    // SAFETY: `arguments` is a valid clone_args of the size passed and outlives the call; no stack
    // is given and CLONE_VM is not set, so the child runs on its own copy of this memory. The
    // launcher has one thread, so no lock can be held by a thread that the child lacks.
    let pid = unsafe {
        libc::syscall(
            libc::SYS_clone3,
            ptr::from_mut(&mut arguments),
            size_of::<CloneArgs>(),
        )
    };
    match pid {
        -1 => Err(io::Error::last_os_error()),
        0 => Ok(Side::Child),
        pid => {
            // SAFETY: clone3 succeeded with CLONE_PIDFD, so the kernel stored a new descriptor
            // that nothing else owns.
            let pidfd = unsafe { OwnedFd::from_raw_fd(pidfd) };
            Ok(Side::Parent {
                pid: i32::try_from(pid).unwrap_or(i32::MAX),
                pidfd,
            })
        }
    }
}

/// From `linux/sched.h`; the libc crate has it only as a type that does not fit `i32`.
const CLONE_INTO_CGROUP: u64 = 0x2_0000_0000;

/// Takes ownership of a descriptor number that this process was started with.
///
/// # Errors
/// `EBADF` when the number is not open.
pub fn take_descriptor(number: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: F_GETFD only reads the descriptor table.
    if unsafe { libc::fcntl(number, libc::F_GETFD) } == -1 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the descriptor is open, and by this function's contract it was handed to this process
    // at its start and is taken once, so nothing else in the process owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}

/// Sets `attributes` (`MOUNT_ATTR_*`) on a mount and everything below it.
///
/// # Errors
/// The kernel's answer to mount_setattr(2).
pub fn restrict_mount(mount: BorrowedFd<'_>, attributes: u64, recursive: bool) -> io::Result<()> {
    let change = libc::mount_attr {
        attr_set: attributes,
        attr_clr: 0,
        propagation: 0,
        userns_fd: 0,
    };
    let recursive = if recursive { libc::AT_RECURSIVE } else { 0 };
    // SAFETY: the path is a valid C string, `change` is a valid mount_attr of the size passed, and
    // both outlive the call.
    let result = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            mount.as_raw_fd(),
            c"".as_ptr(),
            libc::AT_EMPTY_PATH | recursive,
            ptr::from_ref(&change),
            size_of::<libc::mount_attr>(),
        )
    };
    check(result)
}

/// One instruction of a classic BPF program, in the kernel's layout (`struct sock_filter`).
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instruction {
    /// Operation.
    pub code: u16,
    /// Instructions to skip when a comparison holds.
    pub jump_true: u8,
    /// Instructions to skip when it does not.
    pub jump_false: u8,
    /// Operand.
    pub operand: u32,
}

impl Instruction {
    /// The bytes of the kernel's layout.
    #[must_use]
    pub const fn to_bytes(&self) -> [u8; 8] {
        let ([c0, c1], [o0, o1, o2, o3]) = (self.code.to_ne_bytes(), self.operand.to_ne_bytes());
        [c0, c1, self.jump_true, self.jump_false, o0, o1, o2, o3]
    }

    /// Reads what [`Self::to_bytes`] has written.
    #[must_use]
    pub const fn from_bytes(bytes: &[u8; 8]) -> Self {
        let [c0, c1, jump_true, jump_false, o0, o1, o2, o3] = *bytes;
        Self {
            code: u16::from_ne_bytes([c0, c1]),
            jump_true,
            jump_false,
            operand: u32::from_ne_bytes([o0, o1, o2, o3]),
        }
    }
}

#[repr(C)]
struct FilterProgram {
    length: u16,
    instructions: *const Instruction,
}

/// Installs a system call filter on this process, all threads included. It cannot be removed.
///
/// # Errors
/// The kernel's answer to seccomp(2); `EINVAL` for a program that is empty or too long.
pub fn install_filter(program: &[Instruction]) -> io::Result<()> {
    let length =
        u16::try_from(program.len()).map_err(|_| io::Error::from_raw_os_error(libc::EINVAL))?;
    let program = FilterProgram {
        length,
        instructions: program.as_ptr(),
    };
    // SAFETY: `program` points to `length` instructions that have the kernel's layout and outlive
    // the call; the kernel copies and verifies them.
    let result = unsafe {
        libc::syscall(
            libc::SYS_seccomp,
            libc::SECCOMP_SET_MODE_FILTER,
            libc::SECCOMP_FILTER_FLAG_TSYNC,
            ptr::from_ref(&program),
        )
    };
    match result {
        0 => Ok(()),
        -1 => Err(io::Error::last_os_error()),
        // With TSYNC a positive answer is the id of a thread that could not take the filter.
        _ => Err(io::Error::from_raw_os_error(libc::ESRCH)),
    }
}

/// Whether the kernel knows a seccomp return action.
#[must_use]
pub fn filter_action_available(action: u32) -> bool {
    // SAFETY: the kernel reads one u32 behind the pointer, which outlives the call.
    let result = unsafe {
        libc::syscall(
            libc::SYS_seccomp,
            libc::SECCOMP_GET_ACTION_AVAIL,
            0,
            ptr::from_ref(&action),
        )
    };
    result == 0
}

/// Marks every descriptor from `first` on to be closed by a successful execve.
///
/// # Errors
/// The kernel's answer to close_range(2).
pub fn close_on_exec_from(first: u32) -> io::Result<()> {
    // SAFETY: only changes flags of descriptors; with CLOSE_RANGE_CLOEXEC nothing is closed now.
    let result = unsafe {
        libc::syscall(
            libc::SYS_close_range,
            first,
            u32::MAX,
            libc::CLOSE_RANGE_CLOEXEC,
        )
    };
    check(result)
}

/// Makes `target` a copy of `source`, without close-on-exec, replacing what `target` was.
///
/// # Errors
/// The kernel's answer to dup2(2).
pub fn place_descriptor(source: BorrowedFd<'_>, target: RawFd) -> io::Result<()> {
    // SAFETY: dup2 on numbers; the launcher calls it just before execve with targets that no
    // OwnedFd of this process refers to any more, as `child` makes sure by moving sources first.
    check(unsafe { libc::dup2(source.as_raw_fd(), target) }.into())
}

/// Replaces this process by another program. Returns only on failure.
#[must_use]
pub fn execute(path: &CStr, arguments: &[CString], environment: &[CString]) -> io::Error {
    let pointers = |strings: &[CString]| -> Vec<*const libc::c_char> {
        strings
            .iter()
            .map(|string| string.as_ptr())
            .chain([ptr::null()])
            .collect()
    };
    let (arguments, environment) = (pointers(arguments), pointers(environment));
    // SAFETY: all three point to valid C strings or null-terminated arrays of such, which outlive
    // the call.
    unsafe { libc::execve(path.as_ptr(), arguments.as_ptr(), environment.as_ptr()) };
    io::Error::last_os_error()
}

/// Ends this process at once, without running anything registered for its exit.
pub fn exit_now(code: i32) -> ! {
    // SAFETY: _exit never returns and touches no memory of this process.
    unsafe { libc::_exit(code) }
}

/// Resets every signal to its default action and unblocks all, so that the program starts as from
/// a shell (Rust's runtime ignores SIGPIPE, and ignored signals survive execve).
pub fn reset_signals() {
    for signal in 1..=libc::SIGRTMAX() {
        // SAFETY: SIG_DFL is always a valid handler; numbers without a meaning answer EINVAL.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }
    // SAFETY: an all-zero sigset_t is a valid object to initialise, and both pointers are valid.
    unsafe {
        let mut none: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut none);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const none, ptr::null_mut());
    }
}

fn check(result: i64) -> io::Result<()> {
    if result == -1 {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    }
}

/// A descriptor that becomes readable when a child of this process ends.
///
/// # Errors
/// The kernel's answer to sigprocmask(2) or signalfd(2).
pub fn child_signals() -> io::Result<OwnedFd> {
    // SAFETY: an all-zero sigset_t is a valid object to initialise, every pointer is valid, and
    // signalfd makes a new descriptor that nothing else owns.
    unsafe {
        let mut signals: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut signals);
        libc::sigaddset(&raw mut signals, libc::SIGCHLD);
        if libc::sigprocmask(libc::SIG_BLOCK, &raw const signals, ptr::null_mut()) == -1 {
            return Err(io::Error::last_os_error());
        }
        let flags = libc::SFD_CLOEXEC | libc::SFD_NONBLOCK;
        match libc::signalfd(-1, &raw const signals, flags) {
            -1 => Err(io::Error::last_os_error()),
            descriptor => Ok(OwnedFd::from_raw_fd(descriptor)),
        }
    }
}

/// Waits until a descriptor is readable, as a process descriptor is when its process has ended.
///
/// # Errors
/// When the descriptor cannot be polled.
pub async fn readable(descriptor: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: the descriptor is borrowed for longer than the registration lives.
    let watched = unsafe { AsyncFd::register_with_interest(descriptor, Interest::READABLE) }?;
    watched.readable().await?.retain_ready();
    Ok(())
}
