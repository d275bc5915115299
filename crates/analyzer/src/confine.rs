//! Gives up the system calls that reading a program does not take.
//!
//! The jail's own filter already holds; this one is put in place when the program is in memory and
//! nothing has looked at it yet. It owns the list of what a reader needs.

use std::io;

use atoll_jail::seccomp::{Action, Narrow, Test};
use libc::c_long;

/// Memory, one more thread, randomness for hash tables, and the answer.
const READING: &[c_long] = &[
    libc::SYS_brk,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_madvise,
    libc::SYS_futex,
    libc::SYS_rseq,
    libc::SYS_set_robust_list,
    libc::SYS_sigaltstack,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_restart_syscall,
    libc::SYS_sched_getaffinity,
    libc::SYS_clock_gettime,
    libc::SYS_getrandom,
    libc::SYS_write,
    libc::SYS_close,
    libc::SYS_exit,
    libc::SYS_exit_group,
];

/// Closes the process in, every thread of it.
///
/// # Errors
/// When the kernel does not take the filter; nothing may be read then.
pub(crate) fn confine() -> io::Result<()> {
    rules().install().map(|_| ())
}

fn rules() -> Narrow {
    let mut rules = Narrow::default();
    rules.add(READING, &Action::Allow);
    rules.add(&[libc::SYS_mmap, libc::SYS_mprotect], &no_code());
    rules.add(&[libc::SYS_clone], &only_threads());
    // The library falls back to clone, whose flags can be seen here.
    rules.add(&[libc::SYS_clone3], &Action::errno(libc::ENOSYS));
    rules
}

/// Nothing is compiled here, so memory never becomes code.
fn no_code() -> Action {
    let test = Test::low(2, libc::PROT_EXEC.cast_unsigned(), 0);
    Action::allow_if(vec![test], libc::EPERM)
}

/// A thread shares everything with its process, and ends with it.
fn only_threads() -> Action {
    let thread = libc::CLONE_THREAD.cast_unsigned();
    Action::allow_if(vec![Test::low(0, thread, thread)], libc::EPERM)
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::net::UdpSocket;
    use std::os::unix::process::ExitStatusExt;
    use std::process::{Command, ExitStatus};
    use std::thread;

    use super::*;

    const ROLE: &str = "ATOLL_TEST_CONFINED";

    /// Stated here so that the list does not grow unnoticed.
    const ALLOWED: u16 = 21;

    /// Runs this test program again, as a process that confines itself and then does one thing.
    fn confined(test: &str) -> ExitStatus {
        let name = format!("confine::tests::{test}");
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", &name, "--test-threads=1", "--nocapture"])
            .env(ROLE, "1")
            .output()
            .unwrap()
            .status
    }

    fn is_confined() -> bool {
        let is_role = std::env::var_os(ROLE).is_some();
        if is_role {
            confine().unwrap();
        }
        is_role
    }

    #[test]
    fn no_call_has_two_rules_and_few_are_allowed() {
        assert_eq!(rules().filter().unwrap().allowed(), ALLOWED);
    }

    #[test]
    fn a_socket_ends_a_confined_process() {
        if is_confined() {
            let _ = UdpSocket::bind("127.0.0.1:0");
            std::process::exit(0);
        }
        let status = confined("a_socket_ends_a_confined_process");
        assert_eq!(status.signal(), Some(libc::SIGSYS), "{status:?}");
    }

    #[test]
    fn a_confined_process_has_threads_and_starts_nothing_else() {
        if is_confined() {
            let thread = thread::Builder::new().stack_size(64 << 20);
            let thread = thread.spawn(|| vec![7; 1 << 20].len()).unwrap();
            let is_file = File::open("/etc/passwd").is_ok();
            let is_process = Command::new("/bin/true").status().is_ok();
            let is_right = thread.join().unwrap() == 1 << 20 && !is_file && !is_process;
            std::process::exit(if is_right { 77 } else { 1 });
        }
        let status = confined("a_confined_process_has_threads_and_starts_nothing_else");
        assert_eq!(status.code(), Some(77), "{status:?}");
    }
}
