//! Which system calls a program may make, by profile.
//!
//! Everything not named here fails with `EPERM`. Calls that libraries merely try and can do
//! without answer `ENOSYS`, so that they fall back. Calls that no honest program makes without
//! privileges end the process with `SIGSYS`, so that the attempt becomes part of the outcome and
//! of the sender's history.

mod arguments;
mod runtime;

use libc::{EAFNOSUPPORT, ENOSYS, EOPNOTSUPP, EPERM, c_long};

use self::arguments::{
    client_family, clone_without_namespaces, harmless_fcntls, harmless_ioctls, harmless_prctls,
    local_family, not_writable_code, only_the_launcher,
};
use super::compile::{Action, Rule};
use super::filter::Filter;

/// A set of system calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Profile {
    /// Any program: threads, child processes and local sockets inside its own namespaces.
    Processes {
        /// Whether memory may be writable and executable at once, as just-in-time compilers
        /// of JavaScript engines need.
        writable_code: bool,
    },
    /// An interpreter that forks confined copies of itself and runs nothing of anybody's: what the
    /// copies may do, and what it takes to confine them.
    Zygote,
    /// One process with one thread that computes and works on files: a script of an interpreter.
    Strict,
    /// The same, for a host on which nothing can keep the process from becoming another program.
    StrictOrReplaced,
    /// The process in which WebAssembly is compiled and run, before it locks itself further.
    WasmWorker,
    /// A process that reads hostile bytes and says what they are, before it locks itself further.
    Reader,
    /// The process that is a virtual machine, before it locks itself further.
    Machine {
        /// Whether the processor runs the guest, by way of KVM.
        kvm: bool,
    },
    /// A tool that fetches: what any program may do, compiled code included, and TCP to the one
    /// port that a jail with a way out has.
    Client,
    /// A container runtime and its containers, which it confines itself.
    Runtime,
}

impl Profile {
    /// Every profile.
    pub const ALL: [Self; 11] = [
        Self::Strict,
        Self::StrictOrReplaced,
        Self::Zygote,
        Self::Processes {
            writable_code: false,
        },
        Self::Processes {
            writable_code: true,
        },
        Self::WasmWorker,
        Self::Reader,
        Self::Machine { kvm: false },
        Self::Machine { kvm: true },
        Self::Client,
        Self::Runtime,
    ];

    /// Whether its programs have no threads, no children and no sockets.
    #[must_use]
    pub const fn is_strict(self) -> bool {
        matches!(self, Self::Strict | Self::StrictOrReplaced)
    }

    /// What the filter lets through, in a few words.
    #[must_use]
    pub fn describe(self) -> String {
        let what = match self {
            Self::Strict => "strict: one process, one thread, no sockets",
            Self::StrictOrReplaced => {
                "strict: one process, one thread, no sockets; it may become another program, \
                 which only Atoll with CAP_SYS_RAWIO can forbid"
            }
            Self::Processes {
                writable_code: false,
            } => "processes: threads, children and sockets inside the sandbox",
            Self::Processes {
                writable_code: true,
            } => "processes: threads, children, sockets inside the sandbox, and compiled code",
            Self::Zygote => "what confining copies of an interpreter takes",
            Self::WasmWorker => {
                "a WebAssembly runtime: threads, and descriptors that are handed to it"
            }
            Self::Reader => "a reader: threads, and descriptors that are handed to it",
            Self::Machine { kvm: false } => "an emulated machine: threads, code, given sockets",
            Self::Machine { kvm: true } => "a virtual machine: threads, given sockets, and KVM",
            Self::Client => "a tool that fetches: processes, compiled code, TCP to one port",
            Self::Runtime => {
                return format!(
                    "everything but {} system calls that reach beyond any container; the runtime \
                     confines what it starts",
                    runtime::OUT_OF_REACH.len()
                );
            }
        };
        let allowed = Filter::of(self).map_or(0, |filter| filter.allowed());
        format!("{what}; {allowed} system calls allowed, as a decision tree")
    }
}

/// The rules of a profile, and what happens to every other call.
#[must_use]
pub fn rules(profile: Profile) -> (Vec<Rule>, Action) {
    match profile {
        Profile::Zygote => {}
        Profile::Runtime => return runtime::rules(),
        _ => return program_rules(profile),
    }
    let (mut rules, otherwise) = program_rules(Profile::Processes {
        writable_code: false,
    });
    let confining: Vec<Rule> = Rule::each(CONFINING, &Action::Allow).collect();
    rules.retain(|rule| {
        confining
            .iter()
            .all(|allowed| allowed.number != rule.number)
    });
    rules.extend(confining);
    (rules, otherwise)
}

fn program_rules(profile: Profile) -> (Vec<Rule>, Action) {
    let mut rules: Vec<Rule> = Vec::new();
    let mut add = |calls: &[c_long], action: &Action| rules.extend(Rule::each(calls, action));
    if profile.is_strict() {
        add(STRICT, &Action::Allow);
        add(STRICT_WITHOUT, &Action::errno(ENOSYS));
    } else {
        add(BASIC, &Action::Allow);
        if !matches!(profile, Profile::WasmWorker | Profile::Reader) {
            add(FILES, &Action::Allow);
        }
        add(&[libc::SYS_clone], &clone_without_namespaces());
        add(&[libc::SYS_prctl], &harmless_prctls());
    }
    add(&[libc::SYS_clone3], &Action::errno(ENOSYS));
    add(&[libc::SYS_fcntl], &harmless_fcntls());
    let kvm = profile == Profile::Machine { kvm: true };
    add(&[libc::SYS_ioctl], &harmless_ioctls(kvm));
    add(NEVER, &Action::Kill);
    add(ABSENT, &Action::errno(ENOSYS));
    add(WITHOUT_ATTRIBUTES, &Action::errno(EOPNOTSUPP));
    match profile {
        Profile::Zygote | Profile::Runtime => {}
        Profile::Processes { writable_code } => {
            add(PROCESSES, &Action::Allow);
            add(LOCAL_SOCKETS, &Action::Allow);
            #[cfg(target_arch = "x86_64")]
            add(LEGACY, &Action::Allow);
            add(&[libc::SYS_socket, libc::SYS_socketpair], &local_family());
            let memory = if writable_code {
                Action::Allow
            } else {
                not_writable_code()
            };
            add(MAPPING, &memory);
        }
        Profile::Strict | Profile::StrictOrReplaced => {
            let sockets = [libc::SYS_socket, libc::SYS_socketpair];
            add(&sockets, &Action::errno(EAFNOSUPPORT));
            let execute = match profile {
                Profile::Strict => only_the_launcher(),
                _ => Action::Allow,
            };
            add(&[libc::SYS_execve], &execute);
            add(&STRICT_MAPPING, &not_writable_code());
        }
        // A compiler writes code first and makes it executable then, never both at once; execve
        // is there because the launcher installs the filter before it starts the worker.
        Profile::WasmWorker => {
            add(WASM_WORKER, &Action::Allow);
            add(MAPPING, &not_writable_code());
            add(&[libc::SYS_execve], &Action::Allow);
            // The worker replaces this filter by a narrower one.
            add(&[libc::SYS_seccomp], &Action::Allow);
        }
        // It makes no code. execve and seccomp are there as for the worker.
        Profile::Reader => {
            add(MAPPING, &not_writable_code());
            add(&[libc::SYS_execve, libc::SYS_seccomp], &Action::Allow);
        }
        Profile::Client => {
            add(PROCESSES, &Action::Allow);
            add(LOCAL_SOCKETS, &Action::Allow);
            #[cfg(target_arch = "x86_64")]
            add(LEGACY, &Action::Allow);
            add(&[libc::SYS_socket], &client_family());
            add(&[libc::SYS_socketpair], &local_family());
            add(MAPPING, &Action::Allow);
        }
        // An emulator translates the guest's code into memory that it executes. execve and seccomp
        // are there as for the worker.
        Profile::Machine { .. } => {
            add(MACHINE, &Action::Allow);
            add(MAPPING, &Action::Allow);
        }
    }
    (rules, Action::errno(EPERM))
}

/// What every process needs to live: memory, clocks, signals, threads, its own descriptors.
const BASIC: &[c_long] = &[
    libc::SYS_read,
    libc::SYS_write,
    libc::SYS_readv,
    libc::SYS_writev,
    libc::SYS_close,
    libc::SYS_close_range,
    libc::SYS_dup,
    libc::SYS_dup3,
    libc::SYS_pipe2,
    libc::SYS_ppoll,
    libc::SYS_pselect6,
    libc::SYS_epoll_create1,
    libc::SYS_epoll_ctl,
    libc::SYS_epoll_pwait,
    libc::SYS_epoll_pwait2,
    libc::SYS_eventfd2,
    libc::SYS_timerfd_create,
    libc::SYS_timerfd_settime,
    libc::SYS_timerfd_gettime,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_madvise,
    libc::SYS_brk,
    libc::SYS_msync,
    libc::SYS_membarrier,
    libc::SYS_futex,
    libc::SYS_set_robust_list,
    libc::SYS_rseq,
    libc::SYS_set_tid_address,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_rt_sigpending,
    libc::SYS_rt_sigsuspend,
    libc::SYS_rt_sigtimedwait,
    libc::SYS_rt_sigqueueinfo,
    libc::SYS_rt_tgsigqueueinfo,
    libc::SYS_sigaltstack,
    libc::SYS_restart_syscall,
    libc::SYS_clock_gettime,
    libc::SYS_clock_getres,
    libc::SYS_clock_nanosleep,
    libc::SYS_nanosleep,
    libc::SYS_gettimeofday,
    libc::SYS_getrandom,
    libc::SYS_getpid,
    libc::SYS_gettid,
    libc::SYS_getppid,
    libc::SYS_getuid,
    libc::SYS_geteuid,
    libc::SYS_getgid,
    libc::SYS_getegid,
    libc::SYS_getresuid,
    libc::SYS_getresgid,
    libc::SYS_getgroups,
    libc::SYS_getrusage,
    libc::SYS_times,
    libc::SYS_sysinfo,
    libc::SYS_uname,
    libc::SYS_getcpu,
    libc::SYS_sched_yield,
    libc::SYS_sched_getaffinity,
    libc::SYS_sched_setaffinity,
    libc::SYS_sched_getparam,
    libc::SYS_sched_getscheduler,
    libc::SYS_sched_get_priority_max,
    libc::SYS_sched_get_priority_min,
    libc::SYS_prlimit64,
    libc::SYS_getrlimit,
    libc::SYS_setrlimit,
    libc::SYS_tgkill,
    libc::SYS_tkill,
    libc::SYS_kill,
    libc::SYS_exit,
    libc::SYS_exit_group,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_arch_prctl,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_time,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_poll,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_dup2,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_pipe,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_select,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_epoll_wait,
];

/// Files. Which files exist and which can be changed is for the mount namespace and Landlock.
const FILES: &[c_long] = &[
    libc::SYS_openat,
    libc::SYS_openat2,
    libc::SYS_lseek,
    libc::SYS_pread64,
    libc::SYS_pwrite64,
    libc::SYS_preadv,
    libc::SYS_pwritev,
    libc::SYS_preadv2,
    libc::SYS_pwritev2,
    libc::SYS_fstat,
    libc::SYS_newfstatat,
    libc::SYS_statx,
    libc::SYS_statfs,
    libc::SYS_fstatfs,
    libc::SYS_faccessat,
    libc::SYS_faccessat2,
    libc::SYS_readlinkat,
    libc::SYS_getdents64,
    libc::SYS_getcwd,
    libc::SYS_chdir,
    libc::SYS_fchdir,
    libc::SYS_mkdirat,
    libc::SYS_unlinkat,
    libc::SYS_renameat,
    libc::SYS_renameat2,
    libc::SYS_linkat,
    libc::SYS_symlinkat,
    libc::SYS_fchmod,
    libc::SYS_fchmodat,
    libc::SYS_fchown,
    libc::SYS_fchownat,
    libc::SYS_utimensat,
    libc::SYS_umask,
    libc::SYS_truncate,
    libc::SYS_ftruncate,
    libc::SYS_fallocate,
    libc::SYS_fadvise64,
    libc::SYS_fsync,
    libc::SYS_fdatasync,
    libc::SYS_flock,
    libc::SYS_copy_file_range,
    libc::SYS_sendfile,
    libc::SYS_memfd_create,
];

/// Children, sessions, timers and priorities inside the jail's own process namespace.
const PROCESSES: &[c_long] = &[
    libc::SYS_execve,
    libc::SYS_execveat,
    libc::SYS_wait4,
    libc::SYS_waitid,
    libc::SYS_setsid,
    libc::SYS_getsid,
    libc::SYS_setpgid,
    libc::SYS_getpgid,
    libc::SYS_pidfd_open,
    libc::SYS_pidfd_send_signal,
    libc::SYS_signalfd4,
    libc::SYS_getitimer,
    libc::SYS_setitimer,
    libc::SYS_timer_create,
    libc::SYS_timer_settime,
    libc::SYS_timer_gettime,
    libc::SYS_timer_getoverrun,
    libc::SYS_timer_delete,
    libc::SYS_getpriority,
    libc::SYS_setpriority,
    libc::SYS_sched_getattr,
    libc::SYS_sched_setscheduler,
    libc::SYS_capget,
    libc::SYS_pkey_alloc,
    libc::SYS_pkey_free,
    libc::SYS_mlock,
    libc::SYS_munlock,
    libc::SYS_get_mempolicy,
];

/// What a script of an interpreter needs that computes and works on files, in one process with one
/// thread: 80 calls with those that are allowed for some arguments only. What the standard library
/// does with other calls is known to the policy, which gives such a script the wider profile.
const STRICT: &[c_long] = &[
    // Memory.
    libc::SYS_brk,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_madvise,
    libc::SYS_msync,
    // From execve to the end.
    #[cfg(target_arch = "x86_64")]
    libc::SYS_arch_prctl,
    libc::SYS_set_tid_address,
    libc::SYS_set_robust_list,
    libc::SYS_rseq,
    libc::SYS_prlimit64,
    libc::SYS_getrandom,
    libc::SYS_futex,
    libc::SYS_exit_group,
    // Descriptors.
    libc::SYS_read,
    libc::SYS_write,
    libc::SYS_pread64,
    libc::SYS_pwrite64,
    libc::SYS_lseek,
    libc::SYS_close,
    libc::SYS_dup,
    libc::SYS_pipe2,
    libc::SYS_pselect6,
    libc::SYS_epoll_create1,
    libc::SYS_epoll_ctl,
    // Files.
    libc::SYS_openat,
    libc::SYS_newfstatat,
    libc::SYS_fstat,
    libc::SYS_getdents64,
    libc::SYS_getcwd,
    libc::SYS_chdir,
    libc::SYS_unlinkat,
    libc::SYS_fchmod,
    libc::SYS_utimensat,
    libc::SYS_ftruncate,
    libc::SYS_fsync,
    libc::SYS_fdatasync,
    libc::SYS_flock,
    libc::SYS_umask,
    // Signals and time.
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_rt_sigpending,
    libc::SYS_rt_sigtimedwait,
    libc::SYS_tgkill,
    libc::SYS_setitimer,
    libc::SYS_getitimer,
    libc::SYS_clock_gettime,
    libc::SYS_clock_getres,
    libc::SYS_clock_nanosleep,
    libc::SYS_restart_syscall,
    // Questions.
    libc::SYS_getpid,
    libc::SYS_gettid,
    libc::SYS_getuid,
    libc::SYS_geteuid,
    libc::SYS_getgid,
    libc::SYS_getegid,
    libc::SYS_getrusage,
    libc::SYS_sysinfo,
    libc::SYS_uname,
    libc::SYS_sched_getaffinity,
    libc::SYS_sched_yield,
    // What newer architectures do with a directory's descriptor.
    #[cfg(not(target_arch = "x86_64"))]
    libc::SYS_dup3,
    #[cfg(not(target_arch = "x86_64"))]
    libc::SYS_ppoll,
    #[cfg(not(target_arch = "x86_64"))]
    libc::SYS_epoll_pwait,
    #[cfg(not(target_arch = "x86_64"))]
    libc::SYS_faccessat,
    #[cfg(not(target_arch = "x86_64"))]
    libc::SYS_mkdirat,
    #[cfg(not(target_arch = "x86_64"))]
    libc::SYS_renameat,
    #[cfg(not(target_arch = "x86_64"))]
    libc::SYS_linkat,
    #[cfg(not(target_arch = "x86_64"))]
    libc::SYS_symlinkat,
    #[cfg(not(target_arch = "x86_64"))]
    libc::SYS_readlinkat,
    #[cfg(not(target_arch = "x86_64"))]
    libc::SYS_fchmodat,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_dup2,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_poll,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_epoll_wait,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_access,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_mkdir,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_rmdir,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_unlink,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_rename,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_link,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_symlink,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_readlink,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_chmod,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_alarm,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_pause,
];

/// Calls that C libraries and interpreters replace by others in [`STRICT`] when they are absent.
const STRICT_WITHOUT: &[c_long] = &[
    libc::SYS_close_range,
    libc::SYS_statx,
    libc::SYS_faccessat2,
    libc::SYS_copy_file_range,
    libc::SYS_sendfile,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_dup3,
];

/// Keys for memory are for just-in-time compilers.
const STRICT_MAPPING: [c_long; 2] = [libc::SYS_mmap, libc::SYS_mprotect];

const MAPPING: &[c_long] = &[libc::SYS_mmap, libc::SYS_mprotect, libc::SYS_pkey_mprotect];

/// What a WebAssembly process does with the socket and the memory files it is given, to be told of
/// them, and to look at the time. It opens a file of random numbers before it locks itself further.
const WASM_WORKER: &[c_long] = &[
    libc::SYS_openat,
    libc::SYS_recvmsg,
    libc::SYS_sendto,
    libc::SYS_socketpair,
    libc::SYS_statx,
    libc::SYS_memfd_create,
    libc::SYS_setitimer,
];

/// What QEMU does with the memory, the files and the sockets that it is given: it makes no socket
/// of its own and starts no other program.
const MACHINE: &[c_long] = &[
    libc::SYS_execve,
    libc::SYS_seccomp,
    libc::SYS_signalfd4,
    libc::SYS_timer_create,
    libc::SYS_timer_settime,
    libc::SYS_timer_gettime,
    libc::SYS_timer_getoverrun,
    libc::SYS_timer_delete,
    libc::SYS_getsockname,
    libc::SYS_getpeername,
    libc::SYS_getsockopt,
    libc::SYS_setsockopt,
    libc::SYS_sendto,
    libc::SYS_sendmsg,
    libc::SYS_recvfrom,
    libc::SYS_recvmsg,
    libc::SYS_shutdown,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_open,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_stat,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_lstat,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_access,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_readlink,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_eventfd,
];

const LOCAL_SOCKETS: &[c_long] = &[
    libc::SYS_bind,
    libc::SYS_connect,
    libc::SYS_listen,
    libc::SYS_accept,
    libc::SYS_accept4,
    libc::SYS_getsockname,
    libc::SYS_getpeername,
    libc::SYS_getsockopt,
    libc::SYS_setsockopt,
    libc::SYS_sendto,
    libc::SYS_recvfrom,
    libc::SYS_sendmsg,
    libc::SYS_recvmsg,
    libc::SYS_sendmmsg,
    libc::SYS_recvmmsg,
    libc::SYS_shutdown,
];

/// What a zygote needs to confine its copies. Its capabilities reach no further than its own jail.
const CONFINING: &[c_long] = &[
    libc::SYS_clone3,
    libc::SYS_prctl,
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_open_tree,
    libc::SYS_move_mount,
    libc::SYS_setgroups,
    libc::SYS_setresgid,
    libc::SYS_setresuid,
    libc::SYS_capset,
    libc::SYS_landlock_create_ruleset,
    libc::SYS_landlock_add_rule,
    libc::SYS_landlock_restrict_self,
    libc::SYS_seccomp,
];

/// Calls that newer architectures do not have and older programs still make.
#[cfg(target_arch = "x86_64")]
const LEGACY: &[c_long] = &[
    libc::SYS_open,
    libc::SYS_creat,
    libc::SYS_stat,
    libc::SYS_lstat,
    libc::SYS_access,
    libc::SYS_readlink,
    libc::SYS_getdents,
    libc::SYS_mkdir,
    libc::SYS_rmdir,
    libc::SYS_unlink,
    libc::SYS_rename,
    libc::SYS_link,
    libc::SYS_symlink,
    libc::SYS_chmod,
    libc::SYS_chown,
    libc::SYS_lchown,
    libc::SYS_utime,
    libc::SYS_utimes,
    libc::SYS_futimesat,
    libc::SYS_epoll_create,
    libc::SYS_eventfd,
    libc::SYS_fork,
    libc::SYS_vfork,
    libc::SYS_getpgrp,
    libc::SYS_pause,
    libc::SYS_alarm,
];

/// Mounts, kernel modules, other namespaces, raw hardware: without privileges these only ever
/// fail, so whoever tries is probing the cage.
const NEVER: &[c_long] = &[
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_mount_setattr,
    libc::SYS_open_tree,
    libc::SYS_move_mount,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_setns,
    libc::SYS_open_by_handle_at,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_kexec_load,
    libc::SYS_reboot,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_bpf,
    libc::SYS_process_vm_writev,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_kexec_file_load,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_iopl,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_ioperm,
];

/// Calls that libraries try and live without.
const ABSENT: &[c_long] = &[
    libc::SYS_futex_waitv,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_userfaultfd,
    libc::SYS_landlock_create_ruleset,
    // The system's directories are the same files in every sandbox, and a watch on them would tell
    // what others open.
    libc::SYS_inotify_init1,
    libc::SYS_inotify_add_watch,
    libc::SYS_inotify_rm_watch,
];

/// Extended attributes: copying tools ask for them and accept that there are none.
const WITHOUT_ATTRIBUTES: &[c_long] = &[
    libc::SYS_getxattr,
    libc::SYS_lgetxattr,
    libc::SYS_fgetxattr,
    libc::SYS_listxattr,
    libc::SYS_llistxattr,
    libc::SYS_flistxattr,
    libc::SYS_setxattr,
    libc::SYS_lsetxattr,
    libc::SYS_fsetxattr,
];

#[cfg(test)]
mod tests;
