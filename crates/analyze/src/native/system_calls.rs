//! Names and effects of system calls on x86-64, by number.
//!
//! Source of the numbers: `arch/x86/entry/syscalls/syscall_64.tbl` of Linux. Calls without an
//! effect outside the program are named too, so that lists can be read.

use atoll_types::Capability::{
    self, DynamicCode, FilesRead, FilesWrite, Network, Processes, Randomness, SystemChange,
    SystemInformation, Threads, Time,
};

use crate::findings::Findings;

/// Notes a system call. `number` is absent where the code does not show it: the C library's
/// own `syscall` function does not, for one, and it is part of most programs.
pub(super) fn note(number: Option<u64>, findings: &mut Findings) {
    let Some(number) = number else {
        findings.host_call("syscall:unknown");
        return;
    };
    let found = TABLE.binary_search_by_key(&number, |(number, ..)| u64::from(*number));
    let Some((_, name, capabilities)) = found.ok().and_then(|at| TABLE.get(at)) else {
        findings.host_call(&format!("syscall:{number}"));
        return;
    };
    findings.host_call(&format!("syscall:{name}"));
    for capability in *capabilities {
        findings.capability(*capability);
    }
}

/// Sorted by number.
const TABLE: &[(u16, &str, &[Capability])] = &[
    (0, "read", &[]),
    (1, "write", &[]),
    (2, "open", &[FilesRead, FilesWrite]),
    (3, "close", &[]),
    (4, "stat", &[FilesRead]),
    (5, "fstat", &[]),
    (6, "lstat", &[FilesRead]),
    (7, "poll", &[]),
    (8, "lseek", &[]),
    (9, "mmap", &[]),
    (10, "mprotect", &[]),
    (11, "munmap", &[]),
    (12, "brk", &[]),
    (13, "rt_sigaction", &[]),
    (14, "rt_sigprocmask", &[]),
    (16, "ioctl", &[]),
    (21, "access", &[FilesRead]),
    (22, "pipe", &[]),
    (24, "sched_yield", &[]),
    (35, "nanosleep", &[Time]),
    (39, "getpid", &[]),
    (41, "socket", &[Network]),
    (42, "connect", &[Network]),
    (43, "accept", &[Network]),
    (44, "sendto", &[Network]),
    (45, "recvfrom", &[Network]),
    (46, "sendmsg", &[Network]),
    (47, "recvmsg", &[Network]),
    (49, "bind", &[Network]),
    (50, "listen", &[Network]),
    (53, "socketpair", &[]),
    (56, "clone", &[Processes, Threads]),
    (57, "fork", &[Processes]),
    (58, "vfork", &[Processes]),
    (59, "execve", &[Processes]),
    (60, "exit", &[]),
    (62, "kill", &[Processes]),
    (63, "uname", &[SystemInformation]),
    (72, "fcntl", &[]),
    (76, "truncate", &[FilesWrite]),
    (79, "getcwd", &[]),
    (82, "rename", &[FilesWrite]),
    (83, "mkdir", &[FilesWrite]),
    (84, "rmdir", &[FilesWrite]),
    (85, "creat", &[FilesWrite]),
    (86, "link", &[FilesWrite]),
    (87, "unlink", &[FilesWrite]),
    (88, "symlink", &[FilesWrite]),
    (89, "readlink", &[FilesRead]),
    (90, "chmod", &[FilesWrite]),
    (92, "chown", &[FilesWrite]),
    (96, "gettimeofday", &[Time]),
    (99, "sysinfo", &[SystemInformation]),
    (101, "ptrace", &[SystemChange]),
    (105, "setuid", &[SystemChange]),
    (106, "setgid", &[SystemChange]),
    (113, "setreuid", &[SystemChange]),
    (116, "setgroups", &[SystemChange]),
    (117, "setresuid", &[SystemChange]),
    (126, "capset", &[SystemChange]),
    (133, "mknod", &[FilesWrite]),
    (155, "pivot_root", &[SystemChange]),
    (157, "prctl", &[]),
    (161, "chroot", &[SystemChange]),
    (164, "settimeofday", &[SystemChange]),
    (165, "mount", &[SystemChange]),
    (166, "umount2", &[SystemChange]),
    (169, "reboot", &[SystemChange]),
    (170, "sethostname", &[SystemChange]),
    (175, "init_module", &[SystemChange]),
    (176, "delete_module", &[SystemChange]),
    (200, "tkill", &[Processes]),
    (201, "time", &[Time]),
    (202, "futex", &[]),
    (217, "getdents64", &[FilesRead]),
    (227, "clock_settime", &[SystemChange]),
    (228, "clock_gettime", &[Time]),
    (230, "clock_nanosleep", &[Time]),
    (231, "exit_group", &[]),
    (234, "tgkill", &[Processes]),
    (257, "openat", &[FilesRead, FilesWrite]),
    (258, "mkdirat", &[FilesWrite]),
    (262, "newfstatat", &[FilesRead]),
    (263, "unlinkat", &[FilesWrite]),
    (264, "renameat", &[FilesWrite]),
    (265, "linkat", &[FilesWrite]),
    (266, "symlinkat", &[FilesWrite]),
    (267, "readlinkat", &[FilesRead]),
    (268, "fchmodat", &[FilesWrite]),
    (269, "faccessat", &[FilesRead]),
    (272, "unshare", &[SystemChange]),
    (283, "timerfd_create", &[Time]),
    (288, "accept4", &[Network]),
    (308, "setns", &[SystemChange]),
    (310, "process_vm_readv", &[SystemInformation]),
    (311, "process_vm_writev", &[SystemChange]),
    (313, "finit_module", &[SystemChange]),
    (316, "renameat2", &[FilesWrite]),
    (318, "getrandom", &[Randomness]),
    (319, "memfd_create", &[DynamicCode]),
    (321, "bpf", &[SystemChange]),
    (322, "execveat", &[Processes]),
    (332, "statx", &[FilesRead]),
    (425, "io_uring_setup", &[FilesRead, FilesWrite, Network]),
    (435, "clone3", &[Processes, Threads]),
    (437, "openat2", &[FilesRead, FilesWrite]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_by_number() {
        assert!(TABLE.is_sorted_by(|(low, ..), (high, ..)| low < high));
    }
}
