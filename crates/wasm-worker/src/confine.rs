//! Gives up system calls that the worker will not need any more.
//!
//! The jail's own filter already holds; this one is put in place once threads, files and pipes
//! exist, before the first byte of the program is looked at. It owns the list of what running a
//! guest takes.

use std::io;

use atoll_jail::seccomp::{Action, Narrow, Test};
use libc::c_long;

/// Memory, threads that already run, clocks, randomness, and descriptors that are already open.
const RUNTIME: &[c_long] = &[
    libc::SYS_brk,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_madvise,
    libc::SYS_futex,
    // What a thread does on its first steps, in case it has not come further yet.
    libc::SYS_rseq,
    libc::SYS_set_robust_list,
    libc::SYS_sigaltstack,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_restart_syscall,
    libc::SYS_clock_gettime,
    libc::SYS_getrandom,
    libc::SYS_write,
    libc::SYS_close,
    libc::SYS_exit_group,
    // Makes new code visible to every processor core.
    #[cfg(target_arch = "aarch64")]
    libc::SYS_membarrier,
];

/// What a worker does besides: it sets its timer, takes programs from its socket and talks to it,
/// keeps images of their memory, and reads new seeds for random numbers from a file that is open.
const WORKER: &[c_long] = &[
    libc::SYS_read,
    libc::SYS_setitimer,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_epoll_wait,
    #[cfg(not(target_arch = "x86_64"))]
    libc::SYS_epoll_pwait,
    libc::SYS_ppoll,
    // Streams between the parts of a program come with it.
    libc::SYS_epoll_ctl,
    libc::SYS_recvmsg,
    libc::SYS_sendto,
    libc::SYS_statx,
    libc::SYS_memfd_create,
];

/// Closes the process in, every thread of it, and says how many system calls are left to it.
///
/// # Errors
/// When the kernel does not take the filter; the worker must not go on then.
pub(crate) fn confine(part: Part) -> io::Result<u32> {
    rules(part).install().map(u32::from)
}

/// Which part a process plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// It compiles.
    Compiler,
    /// It runs guests.
    Worker,
}

fn rules(part: Part) -> Narrow {
    let mut rules = Narrow::default();
    rules.add(RUNTIME, &Action::Allow);
    if part == Part::Worker {
        rules.add(WORKER, &Action::Allow);
        rules.add(&[libc::SYS_fcntl], &harmless_fcntl());
        rules.add(&[libc::SYS_prctl], &thread_name());
    }
    rules.add(&[libc::SYS_mmap, libc::SYS_mprotect], &not_writable_code());
    // All threads run already.
    rules.add(&[libc::SYS_clone, libc::SYS_clone3], &Action::Kill);
    rules
}

/// The compiler writes code first and makes it executable then: memory is never both at once.
fn not_writable_code() -> Action {
    let without = |protection: i32| Test::low(2, protection.cast_unsigned(), 0);
    let tests = vec![without(libc::PROT_WRITE), without(libc::PROT_EXEC)];
    Action::allow_if(tests, libc::EPERM)
}

/// Copies of descriptors and seals. No locks, no owners.
fn harmless_fcntl() -> Action {
    let commands = [libc::F_DUPFD_CLOEXEC, libc::F_GET_SEALS, libc::F_ADD_SEALS];
    let tests = commands.map(|command| Test::low(1, u32::MAX, command.cast_unsigned()));
    Action::allow_if(tests.to_vec(), libc::EINVAL)
}

/// A thread names itself when it starts.
fn thread_name() -> Action {
    let test = Test::low(0, u32::MAX, libc::PR_SET_NAME.cast_unsigned());
    Action::allow_if(vec![test], libc::EPERM)
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;
    use std::os::unix::process::ExitStatusExt;
    use std::process::{Command, ExitStatus};

    use super::*;

    const ROLE: &str = "ATOLL_TEST_CONFINED";

    /// Stated here so that the lists do not grow unnoticed.
    const fn allowed(part: Part) -> u32 {
        let own = match part {
            Part::Compiler => 18,
            Part::Worker => 29,
        };
        if cfg!(target_arch = "aarch64") {
            own + 1
        } else {
            own
        }
    }

    /// Runs this test program again, as a process that confines itself and then does one thing.
    fn confined(test: &str, role: &str) -> ExitStatus {
        let name = format!("confine::tests::{test}");
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", &name, "--test-threads=1", "--nocapture"])
            .env(ROLE, role)
            .output()
            .unwrap()
            .status
    }

    fn role() -> Option<String> {
        std::env::var(ROLE).ok()
    }

    #[test]
    fn no_call_has_two_rules_and_few_are_allowed() {
        for part in [Part::Compiler, Part::Worker] {
            let filter = rules(part).filter().unwrap();
            assert_eq!(u32::from(filter.allowed()), allowed(part));
            assert!(allowed(part) <= 30);
        }
    }

    #[test]
    fn a_socket_ends_a_confined_process() {
        if role().is_some() {
            confine(Part::Worker).unwrap();
            let _ = UdpSocket::bind("127.0.0.1:0");
            std::process::exit(0);
        }
        let status = confined("a_socket_ends_a_confined_process", "socket");
        assert_eq!(status.signal(), Some(libc::SIGSYS), "{status:?}");
    }

    #[test]
    fn a_confined_process_cannot_start_another() {
        if role().is_some() {
            confine(Part::Worker).unwrap();
            let _ = Command::new("/bin/true").status();
            std::process::exit(0);
        }
        let status = confined("a_confined_process_cannot_start_another", "process");
        assert_eq!(status.signal(), Some(libc::SIGSYS), "{status:?}");
    }

    #[test]
    fn other_calls_fail_and_the_thread_that_was_there_before_is_confined_too() {
        if role().is_some() {
            let (go, wait) = std::sync::mpsc::channel::<()>();
            let (tell, told) = std::sync::mpsc::channel();
            std::thread::spawn(move || {
                wait.recv().unwrap();
                let answer = rustix::process::getpriority_user(rustix::process::Uid::ROOT);
                tell.send(answer).unwrap();
                // A thread of a confined process does not end before the process does.
                loop {
                    std::thread::park();
                }
            });
            rustix::process::getpriority_user(rustix::process::Uid::ROOT).unwrap();
            let left = confine(Part::Worker).unwrap();
            go.send(()).unwrap();
            let answer = told.recv().unwrap();
            let refused = answer == Err(rustix::io::Errno::PERM);
            std::process::exit(if refused && left == allowed(Part::Worker) {
                77
            } else {
                1
            });
        }
        let test = "other_calls_fail_and_the_thread_that_was_there_before_is_confined_too";
        let status = confined(test, "thread");
        assert_eq!(status.code(), Some(77), "{status:?}");
    }
}
