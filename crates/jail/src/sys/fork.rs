//! What a process needs to fork copies of itself into process namespaces of their own.

use std::arch::asm;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::ptr;

use super::{CloneArgs, check};

/// The kernel's `struct sigaction`, for a process that may not use the C library.
#[repr(C)]
struct KernelAction {
    handler: usize,
    flags: u64,
    restorer: usize,
    mask: u64,
}

/// Lets the kernel collect the orphans that end.
static IGNORE_CHILDREN: KernelAction = KernelAction {
    handler: libc::SIG_IGN,
    flags: 0,
    restorer: 0,
    mask: 0,
};

/// Memory that a new process calls its stack. It never uses it, so that all may have the same.
#[repr(C, align(16))]
struct Stack([u8; 256]);

static STACK: Stack = Stack([0; 256]);

/// Makes a process namespace, with a first process that does nothing but let orphans go and be
/// there: when it ends, the kernel ends everything in the namespace. It shares this process's
/// memory and descriptors, so that it costs next to nothing, and touches neither.
///
/// # Errors
/// The kernel's answer to clone3(2).
pub fn first_process() -> io::Result<OwnedFd> {
    let mut pidfd: RawFd = -1;
    let flags = libc::CLONE_VM
        | libc::CLONE_FILES
        | libc::CLONE_FS
        | libc::CLONE_NEWPID
        | libc::CLONE_PIDFD;
    let arguments = CloneArgs {
        flags: u64::from(flags.cast_unsigned()),
        pidfd: ptr::from_mut(&mut pidfd).addr() as u64,
        exit_signal: libc::SIGCHLD as u64,
        stack: ptr::from_ref(&STACK).addr() as u64,
        stack_size: size_of::<Stack>() as u64,
        ..CloneArgs::default()
    };
    // SAFETY: `arguments` is a valid clone_args that outlives the call, and the new process never
    // leaves the instructions there, which touch no memory.
    let result = unsafe { clone_that_pauses(&arguments) };
    if result < 0 {
        let number = i32::try_from(-result).unwrap_or(libc::EIO);
        return Err(io::Error::from_raw_os_error(number));
    }
    // SAFETY: clone3 succeeded with CLONE_PIDFD, so the kernel stored a new descriptor that nothing
    // else owns.
    Ok(unsafe { OwnedFd::from_raw_fd(pidfd) })
}

/// Calls clone3; the new process ignores SIGCHLD and then sleeps until it is killed.
#[cfg(target_arch = "x86_64")]
unsafe fn clone_that_pauses(arguments: &CloneArgs) -> i64 {
    let result;
    // SAFETY: see `first_process`; the parent's registers that a system call changes are named.
    unsafe {
        asm!(
            "syscall",
            "test rax, rax",
            "jnz 3f",
            "mov eax, {sigaction}",
            "mov edi, {child_signal}",
            "mov rsi, {action}",
            "xor edx, edx",
            "mov r10d, 8",
            "syscall",
            "2:",
            "mov eax, {pause}",
            "syscall",
            "jmp 2b",
            "3:",
            sigaction = const libc::SYS_rt_sigaction,
            child_signal = const libc::SIGCHLD,
            pause = const libc::SYS_pause,
            action = in(reg) ptr::from_ref(&IGNORE_CHILDREN),
            inlateout("rax") libc::SYS_clone3 => result,
            in("rdi") ptr::from_ref(arguments),
            in("rsi") size_of::<CloneArgs>(),
            out("rcx") _,
            out("r11") _,
            out("rdx") _,
            out("r10") _,
        );
    }
    result
}

/// Calls clone3; the new process ignores SIGCHLD and then sleeps until it is killed.
#[cfg(target_arch = "aarch64")]
unsafe fn clone_that_pauses(arguments: &CloneArgs) -> i64 {
    let result;
    // SAFETY: see `first_process`; the parent's registers that a system call changes are named.
    unsafe {
        asm!(
            "svc 0",
            "cbnz x0, 3f",
            "mov x8, {sigaction}",
            "mov x0, {child_signal}",
            "mov x1, {action}",
            "mov x2, 0",
            "mov x3, 8",
            "svc 0",
            "2:",
            "mov x8, {ppoll}",
            "mov x0, 0",
            "mov x1, 0",
            "mov x2, 0",
            "mov x3, 0",
            "mov x4, 0",
            "svc 0",
            "b 2b",
            "3:",
            sigaction = const libc::SYS_rt_sigaction,
            child_signal = const libc::SIGCHLD,
            ppoll = const libc::SYS_ppoll,
            action = in(reg) ptr::from_ref(&IGNORE_CHILDREN),
            inlateout("x8") libc::SYS_clone3 => _,
            inlateout("x0") ptr::from_ref(arguments) => result,
            inlateout("x1") size_of::<CloneArgs>() => _,
            out("x2") _,
            out("x3") _,
            out("x4") _,
        );
    }
    result
}

/// Which side of [`fork`] the caller is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forked {
    /// The original process; the number is the copy's process id.
    Parent(i32),
    /// The copy.
    Child,
}

/// Copies this process, as the C library does it: its idea of the running thread stays right.
///
/// # Errors
/// The kernel's answer to fork(2).
pub fn fork() -> io::Result<Forked> {
    // SAFETY: fork has no preconditions; whoever calls this has one thread, so that no lock is held
    // by a thread that the copy lacks.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        0 => Ok(Forked::Child),
        pid => Ok(Forked::Parent(pid)),
    }
}

/// Lets processes that are made from now on live in the process namespace of another process.
///
/// # Errors
/// The kernel's answer to setns(2).
pub fn children_live_with(process: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: setns changes where children are born and touches no memory.
    check(unsafe { libc::setns(process.as_raw_fd(), libc::CLONE_NEWPID) }.into())
}

/// Leaves namespaces (`CLONE_NEW*`) for new ones.
///
/// # Errors
/// The kernel's answer to unshare(2).
pub fn leave_namespaces(flags: i32) -> io::Result<()> {
    // SAFETY: the flags of namespaces change what this process sees and touch no memory; file
    // descriptors stay shared with nobody.
    check(unsafe { libc::unshare(flags) }.into())
}

/// Closes every descriptor from `first` on. Whatever owned one of them has to be forgotten.
///
/// # Errors
/// The kernel's answer to close_range(2).
pub fn close_from(first: u32) -> io::Result<()> {
    // SAFETY: only a copy that is about to become its program calls this, and it goes on with
    // nothing but the descriptors below.
    check(unsafe { libc::syscall(libc::SYS_close_range, first, u32::MAX, 0) })
}

/// The signals that are blocked, to be blocked again later.
pub struct BlockedSignals(libc::sigset_t);

impl BlockedSignals {
    /// Those of this thread now.
    ///
    /// # Errors
    /// The kernel's answer to sigprocmask(2).
    pub fn now() -> io::Result<Self> {
        // SAFETY: an all-zero sigset_t is a valid object to be overwritten, and the pointer is
        // valid.
        unsafe {
            let mut now: libc::sigset_t = std::mem::zeroed();
            check(libc::sigprocmask(libc::SIG_BLOCK, ptr::null(), &raw mut now).into())?;
            Ok(Self(now))
        }
    }

    /// Blocks these and no others.
    ///
    /// # Errors
    /// The kernel's answer to sigprocmask(2).
    pub fn restore(&self) -> io::Result<()> {
        // SAFETY: the pointer is valid.
        check(
            unsafe { libc::sigprocmask(libc::SIG_SETMASK, &raw const self.0, ptr::null_mut()) }
                .into(),
        )
    }
}
