//! Calls that are only let through with some arguments, and which.

use libc::{EAFNOSUPPORT, ENOTTY, EPERM};

use crate::seccomp::compile::{Action, Test};
use crate::sys::LOW_ADDRESS;

/// Threads and child processes, but no new namespaces: creating one would hand out capabilities.
pub(super) fn clone_without_namespaces() -> Action {
    let namespaces = libc::CLONE_NEWNS
        | libc::CLONE_NEWCGROUP
        | libc::CLONE_NEWUTS
        | libc::CLONE_NEWIPC
        | libc::CLONE_NEWUSER
        | libc::CLONE_NEWPID
        | libc::CLONE_NEWNET
        | CLONE_NEWTIME;
    let mask = u64::from(namespaces.cast_unsigned());
    Action::AllowIf(vec![Test::whole(0, mask, 0)], EPERM as u16)
}

/// From linux/sched.h.
const CLONE_NEWTIME: i32 = 0x80;

/// The path that the launcher executes lies where a program has no memory and cannot have any, so
/// it starts the program and the program starts nothing.
pub(super) fn only_the_launcher() -> Action {
    let path = Test::whole(0, u64::MAX, LOW_ADDRESS as u64);
    Action::AllowIf(vec![path], EPERM as u16)
}

/// Only Unix sockets. The network namespace has no interfaces either; this keeps the kernel's
/// other protocol families out of reach.
pub(super) fn local_family() -> Action {
    let unix = libc::AF_UNIX.cast_unsigned();
    Action::AllowIf(vec![Test::low(0, u32::MAX, unix)], EAFNOSUPPORT as u16)
}

/// Only TCP or UDP over IPv4: in a jail with a way out there is nothing else, and nobody but who
/// holds that answers.
pub(super) fn client_family() -> Action {
    let inet = libc::AF_INET.cast_unsigned();
    Action::AllowIf(vec![Test::low(0, u32::MAX, inet)], EAFNOSUPPORT as u16)
}

/// Memory that is writable or executable, but not both.
pub(super) fn not_writable_code() -> Action {
    let write = Test::low(2, libc::PROT_WRITE.cast_unsigned(), 0);
    let execute = Test::low(2, libc::PROT_EXEC.cast_unsigned(), 0);
    Action::AllowIf(vec![write, execute], EPERM as u16)
}

/// Flags, copies, sizes and locks. Missing are those that tell of other processes' accesses
/// (`F_NOTIFY`, leases) and those that name processes to send signals to.
pub(super) fn harmless_fcntls() -> Action {
    let commands = [
        libc::F_DUPFD,
        libc::F_DUPFD_CLOEXEC,
        libc::F_GETFD,
        libc::F_SETFD,
        libc::F_GETFL,
        libc::F_SETFL,
        libc::F_GETLK,
        libc::F_SETLK,
        libc::F_SETLKW,
        libc::F_OFD_GETLK,
        libc::F_OFD_SETLK,
        libc::F_OFD_SETLKW,
        libc::F_GETPIPE_SZ,
        libc::F_SETPIPE_SZ,
        libc::F_ADD_SEALS,
        libc::F_GET_SEALS,
        libc::F_GETOWN,
    ];
    let tests = commands.map(|command| Test::low(1, u32::MAX, command.cast_unsigned()));
    Action::AllowIf(tests.into(), libc::EINVAL as u16)
}

/// Questions about a descriptor. Anything that acts on a device or a terminal is missing: TIOCSTI
/// would type into the terminal of whoever started Atoll. Whatever KVM is asked acts on a device;
/// only machines have it.
pub(super) fn harmless_ioctls(kvm: bool) -> Action {
    let requests: [libc::c_ulong; 8] = [
        libc::TCGETS,
        TCGETS2,
        libc::TIOCGWINSZ,
        libc::TIOCGPGRP,
        libc::FIONREAD,
        libc::FIONBIO,
        libc::FIOCLEX,
        libc::FIONCLEX,
    ];
    let tests = requests
        .iter()
        .filter_map(|request| Some(Test::low(1, u32::MAX, u32::try_from(*request).ok()?)));
    Action::AllowIf(
        tests.chain(kvm.then_some(KVM_REQUESTS)).collect(),
        ENOTTY as u16,
    )
}

/// Those that say to belong to KVM (asm-generic/ioctl.h, linux/kvm.h).
pub(super) const KVM_REQUESTS: Test = Test::low(1, 0xff00, 0xae00);

/// From asm-generic/ioctls.h; newer C libraries ask with it.
const TCGETS2: libc::c_ulong = 0x802c_542a;

/// Names for threads and memory, and questions.
pub(super) fn harmless_prctls() -> Action {
    let options = [
        libc::PR_SET_NAME,
        libc::PR_GET_NAME,
        libc::PR_GET_DUMPABLE,
        libc::PR_SET_DUMPABLE,
        libc::PR_SET_PDEATHSIG,
        libc::PR_GET_PDEATHSIG,
        libc::PR_CAPBSET_READ,
        libc::PR_GET_NO_NEW_PRIVS,
        libc::PR_SET_NO_NEW_PRIVS,
        libc::PR_GET_SECCOMP,
        libc::PR_SET_VMA,
        libc::PR_SET_TIMERSLACK,
        libc::PR_GET_TIMERSLACK,
        libc::PR_SET_CHILD_SUBREAPER,
        libc::PR_GET_CHILD_SUBREAPER,
    ];
    let tests = options.map(|option| Test::low(0, u32::MAX, option.cast_unsigned()));
    Action::AllowIf(tests.to_vec(), libc::EINVAL as u16)
}
