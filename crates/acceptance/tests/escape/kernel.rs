//! Cases K: the system calls that lead out of a sandbox, or into parts of the kernel that no
//! program needs.

use std::collections::{BTreeMap, BTreeSet};

use crate::case::Expected::{Denied, DeniedUnlessShared, Harmless, Invisible, Killed};
use crate::case::{Case, Expected, hold, shares_user};
use crate::differences::is_filtered;

/// What ends a program that makes a call no honest program makes.
pub(crate) const SIGSYS: i32 = 31;

const NOT_PERMITTED: Expected = Denied(&["EPERM"]);
const NO_FAMILY: Expected = Denied(&["EAFNOSUPPORT"]);

const CASES: &[Case] = &[
    Case::new(
        "k01_tracing.py",
        &[
            ("attach to the host", NOT_PERMITTED),
            ("attach to the first process", NOT_PERMITTED),
            ("seize a sibling", NOT_PERMITTED),
            ("be traced", NOT_PERMITTED),
            ("read memory", NOT_PERMITTED),
            ("write memory", Killed(SIGSYS)),
            ("compare processes", NOT_PERMITTED),
            ("take a descriptor", NOT_PERMITTED),
            ("open the host's process", Invisible),
            ("open itself", Harmless),
        ],
    ),
    Case::new(
        "k02_io_uring.py",
        &[
            ("set up", Denied(&["ENOSYS"])),
            ("set up with polling", Denied(&["ENOSYS"])),
            ("enter", Denied(&["ENOSYS"])),
            ("register", Denied(&["ENOSYS"])),
            ("make an event descriptor", Harmless),
        ],
    ),
    Case::new(
        "k03_privileged.py",
        &[
            ("bpf", Killed(SIGSYS)),
            ("kexec_load", Killed(SIGSYS)),
            ("kexec_file_load", Killed(SIGSYS)),
            ("init_module", Killed(SIGSYS)),
            ("finit_module", Killed(SIGSYS)),
            ("delete_module", Killed(SIGSYS)),
            ("swapon", Killed(SIGSYS)),
            ("swapoff", Killed(SIGSYS)),
            ("reboot", Killed(SIGSYS)),
            ("perf_event_open", NOT_PERMITTED),
            ("userfaultfd", Denied(&["ENOSYS"])),
            ("lookup_dcookie", NOT_PERMITTED),
            ("quotactl", NOT_PERMITTED),
            ("acct", NOT_PERMITTED),
            ("syslog", NOT_PERMITTED),
            ("vhangup", NOT_PERMITTED),
            ("nfsservctl", NOT_PERMITTED),
            ("uselib", NOT_PERMITTED),
            ("ustat", NOT_PERMITTED),
            ("sysfs", NOT_PERMITTED),
            ("getpid", Harmless),
        ],
    ),
    Case::new(
        "k04_keys.py",
        &[
            ("add to the user's keyring", NOT_PERMITTED),
            ("add to the session's keyring", NOT_PERMITTED),
            ("request", NOT_PERMITTED),
            ("join a session", NOT_PERMITTED),
            ("find the keyring", NOT_PERMITTED),
            ("list of keys", Invisible),
            ("get a user id", Harmless),
        ],
    ),
    Case::new(
        "k05_namespaces.py",
        &[
            ("unshare user", NOT_PERMITTED),
            ("clone user", NOT_PERMITTED),
            ("unshare mount", NOT_PERMITTED),
            ("clone mount", NOT_PERMITTED),
            ("unshare network", NOT_PERMITTED),
            ("clone network", NOT_PERMITTED),
            ("unshare process", NOT_PERMITTED),
            ("clone process", NOT_PERMITTED),
            ("unshare ipc", NOT_PERMITTED),
            ("clone ipc", NOT_PERMITTED),
            ("unshare uts", NOT_PERMITTED),
            ("clone uts", NOT_PERMITTED),
            ("unshare cgroup", NOT_PERMITTED),
            ("clone cgroup", NOT_PERMITTED),
            ("unshare time", NOT_PERMITTED),
            ("clone3", Denied(&["ENOSYS"])),
            ("unshare files", NOT_PERMITTED),
            ("setns by process", Killed(SIGSYS)),
            ("setns by file", Killed(SIGSYS)),
            ("namespace of the first process", Invisible),
            ("fork", Harmless),
        ],
    ),
    Case::new(
        "k07_other_tables.py",
        &[
            ("x32 getpid", Killed(SIGSYS)),
            ("x32 openat", Killed(SIGSYS)),
            ("x32 mount", Killed(SIGSYS)),
            ("x32 ptrace", Killed(SIGSYS)),
            ("x32 execve", Killed(SIGSYS)),
            ("number 0x258", NOT_PERMITTED),
            ("number 0x10000", NOT_PERMITTED),
            ("number 0x7fffffff", Killed(SIGSYS)),
            ("number 0xffffffff", Killed(SIGSYS)),
            ("32-bit getpid", Killed(SIGSYS)),
            ("32-bit mount", Killed(SIGSYS)),
            ("64-bit getpid", Harmless),
            ("after all of them", Harmless),
        ],
    ),
    Case::new(
        "k08_filters.py",
        &[
            ("filter", NOT_PERMITTED),
            ("filter for all threads", NOT_PERMITTED),
            ("listener", NOT_PERMITTED),
            ("strict mode", NOT_PERMITTED),
            ("filter by prctl", Denied(&["EINVAL"])),
            ("allow tracers", Denied(&["EINVAL"])),
            ("move the memory map", Denied(&["EINVAL"])),
            ("ambient capability", Denied(&["EINVAL"])),
            ("secure bits", Denied(&["EINVAL"])),
            ("unset no_new_privs", Denied(&["EINVAL"])),
            ("be dumpable", Harmless),
        ],
    ),
    Case::new(
        "k09_hardware.py",
        &[
            ("readable is executable", NOT_PERMITTED),
            ("fixed addresses", NOT_PERMITTED),
            ("map page zero", NOT_PERMITTED),
            ("ask for the personality", NOT_PERMITTED),
            ("write a segment", NOT_PERMITTED),
            ("iopl", Killed(SIGSYS)),
            ("ioperm", Killed(SIGSYS)),
            ("page zero", NOT_PERMITTED),
            ("writable code", NOT_PERMITTED),
            ("memory", Harmless),
        ],
    ),
    Case::new(
        "k10_families.py",
        &[
            ("inet", NO_FAMILY),
            ("ax25", NO_FAMILY),
            ("ipx", NO_FAMILY),
            ("appletalk", NO_FAMILY),
            ("x25", NO_FAMILY),
            ("inet6", NO_FAMILY),
            ("key", NO_FAMILY),
            ("netlink", NO_FAMILY),
            ("packet", NO_FAMILY),
            ("rds", NO_FAMILY),
            ("pppox", NO_FAMILY),
            ("llc", NO_FAMILY),
            ("can", NO_FAMILY),
            ("tipc", NO_FAMILY),
            ("bluetooth", NO_FAMILY),
            ("alg", NO_FAMILY),
            ("nfc", NO_FAMILY),
            ("vsock", NO_FAMILY),
            ("kcm", NO_FAMILY),
            ("qipcrtr", NO_FAMILY),
            ("smc", NO_FAMILY),
            ("xdp", NO_FAMILY),
            ("mctp", NO_FAMILY),
            ("multipath", NO_FAMILY),
            ("pair of netlink", NO_FAMILY),
            ("family with high bits", NO_FAMILY),
            ("unix", Harmless),
        ],
    ),
    Case::new("k12_kill_all.py", &[("kill all", Invisible)]),
    Case::new(
        "k12_signals.py",
        &[
            ("kill the host's process", Invisible),
            ("kill its group", Invisible),
            ("tgkill", Invisible),
            ("tkill", Invisible),
            ("kill the first process", DeniedUnlessShared),
            ("stop the first process", DeniedUnlessShared),
            ("kill the first by descriptor", DeniedUnlessShared),
            ("queue a signal", NOT_PERMITTED),
            ("signal all", Invisible),
            ("signal itself", Harmless),
        ],
    ),
    Case::new(
        "k13_identity.py",
        &[
            ("setuid", NOT_PERMITTED),
            ("setgid", NOT_PERMITTED),
            ("setresuid", NOT_PERMITTED),
            ("setreuid to itself", NOT_PERMITTED),
            ("setgroups", NOT_PERMITTED),
            ("setfsuid", NOT_PERMITTED),
            ("capset", NOT_PERMITTED),
            ("run a setuid program", Harmless),
            ("give a program to root", Denied(&["EPERM", "EINVAL"])),
            ("bar to new privileges", Invisible),
            ("own identity", Harmless),
        ],
    ),
    Case::new(
        "k16_names.py",
        &[
            ("name of the process", Harmless),
            ("name of a file", Harmless),
            ("name of a program", Harmless),
        ],
    ),
];

#[test]
fn the_kernel_offers_no_way_out() {
    hold(CASES);
}

/// Calls of which zeros make something that succeeds, by their numbers on x86-64. The list is a
/// second opinion on the sandbox's own: a call that is added there fails here.
#[rustfmt::skip]
const MAY_SUCCEED: &[u32] = &[
    // read, close, poll, brk, sched_yield, msync, madvise, dup, dup2, alarm, setitimer
    0, 3, 7, 12, 24, 26, 28, 32, 33, 37, 38,
    // getpid and other questions about itself, mprotect, readv, kill (of nobody), fcntl, umask
    39, 102, 104, 107, 108, 110, 111, 112, 115, 121, 124, 186, 10, 19, 62, 72, 95, 109, 127, 131,
    // gettimeofday, times, time, clock_getres, getcpu, set_tid_address
    96, 100, 201, 229, 309, 218,
    // priorities and schedulers, mlock, munlock, get_mempolicy, prlimit64
    140, 141, 145, 146, 147, 149, 150, 239, 302,
    // timerfd_create, eventfd, eventfd2, epoll_create1, getrandom, membarrier
    283, 284, 290, 291, 318, 324,
    // pkey_mprotect, pkey_alloc, pkey_free (where the processor has such keys), close_range
    329, 330, 331, 436,
];

/// fchmod, futimesat, utimensat: zeros name standard input, a pipe, which is the program's own
/// where it shares the user id of whoever made it.
const MAY_SUCCEED_ON_OWN_PIPES: [u32; 3] = [91, 261, 280];

/// `uretprobe` and `uprobe`: the kernel lets them pass every filter, because its own probes make
/// them on a program's behalf (kernel/seccomp.c). A program that makes them itself is ended, or
/// told that there is no probe.
const PROBES: [u32; 2] = [335, 336];

/// Calls that end whoever makes them, by their numbers on x86-64.
#[rustfmt::skip]
const END_THE_PROGRAM: &[u32] = &[
    155, 165, 166, 167, 168, 169, 172, 173, 175, 176, 246, 304, 308, 311, 313, 320, 321, 428, 429,
    430, 431, 432, 433, 442,
];

#[test]
#[cfg(target_arch = "x86_64")]
fn of_all_system_calls_only_those_that_are_allowed_succeed() {
    // K-07: the program makes every call but the ten that would end or block its child.
    let case = Case::new("k07_every_call.py", &[]);
    let observed = case.observe();
    assert!(observed.damage.is_empty(), "{:?}", observed.damage);
    if !is_filtered() {
        return;
    }
    assert_eq!(observed.report.exit_code, Some(0), "{:?}", observed.report);
    let seen: BTreeMap<u32, &str> = observed
        .attempts
        .iter()
        .filter_map(|(number, seen)| Some((number.parse().ok()?, seen.as_str())))
        .collect();
    assert_eq!(seen.len(), 601 - 10, "{seen:?}");
    let with = |what: &str| -> BTreeSet<u32> {
        let those = seen.iter().filter(|(_, seen)| **seen == what);
        those.map(|(number, _)| *number).collect()
    };
    println!("K-07 succeeded: {:?}", with("ok"));
    let shares_user = shares_user(&observed.report);
    let surprising: Vec<_> = with("ok")
        .into_iter()
        .filter(|number| !MAY_SUCCEED.contains(number))
        .filter(|number| !shares_user || !MAY_SUCCEED_ON_OWN_PIPES.contains(number))
        .collect();
    assert!(surprising.is_empty(), "these succeeded: {surprising:?}");
    assert!(with("ok").contains(&39), "not even getpid succeeded");
    let ended: Vec<u32> = with("signal 31").into_iter().collect();
    assert_eq!(ended, END_THE_PROGRAM);
    for number in PROBES {
        let harmless = ["EPERM", "ENOSYS", "ENXIO", "signal 4"];
        assert!(harmless.contains(&seen[&number]), "{}", seen[&number]);
    }
    let beyond = seen.range(470..).filter(|(_, seen)| **seen != "EPERM");
    assert_eq!(
        beyond.count(),
        0,
        "a call that no kernel had was not refused"
    );
}

/// Calls that no arguments may make work, by their numbers on x86-64, beside those that end the
/// program: other ids, other namespaces and roots, tracing, keys, shared objects, clocks, names,
/// devices, filters, handles, rings, watches on shared files, and what the cache holds.
#[rustfmt::skip]
const NEVER_WORK: &[u32] = &[
    27, 29, 30, 31, 64, 65, 66, 67, 68, 69, 70, 71, 101, 103, 105, 106, 113, 114, 116, 117, 119,
    122, 123, 126, 133, 135, 139, 153, 154, 159, 161, 163, 164, 170, 171, 174, 177, 178, 179, 180,
    212, 227, 240, 241, 243, 248, 249, 250, 253, 254, 259, 272, 276, 278, 279, 294, 298, 300, 301,
    303, 305, 310, 312, 317, 323, 425, 426, 427, 435, 438, 440, 443, 444, 445, 446, 447, 451,
];

/// K-07: three thousand calls with garbage for arguments. The first two seeds are fixed; another
/// one each time looks a little further.
#[test]
#[cfg(target_arch = "x86_64")]
fn no_garbage_makes_a_call_work_that_is_not_allowed() {
    for seed in [1, 2, std::process::id()] {
        let case = Case::new("k07_garbage.py", &[]);
        let seed = format!("SEED={seed}");
        let more = ["--timeout", "60s", "--env", &seed, "--env", "CALLS=1000"];
        let observed = case.observe_with(&more);
        assert!(observed.damage.is_empty(), "{seed}: {:?}", observed.damage);
        if !is_filtered() {
            continue;
        }
        let ended = (observed.report.exit_code, &observed.attempts);
        assert_eq!(ended.0, Some(0), "{seed}: {:?}", observed.report);
        assert_eq!(ended.1["a child after all of them"], "ok", "{seed}");
        let worked: BTreeSet<u32> = ended.1["those that worked"]
            .split(' ')
            .map(|number| number.parse().unwrap())
            .collect();
        println!("K-07 {seed}: {worked:?}");
        assert!(!worked.is_empty(), "{seed}: nothing worked");
        for number in worked {
            let known = NEVER_WORK.contains(&number) || END_THE_PROGRAM.contains(&number);
            assert!(!known && number < 470, "{seed}: {number} worked");
        }
    }
}
