//! A second, narrower filter: for a process in a jail that gives up what it will not need any more.
//!
//! Filters add up, and the stricter answer wins. What has no rule fails with `EPERM`; what only a
//! process that was taken over would try ends it with `SIGSYS`.

use std::io;

use libc::c_long;

use super::compile::{Action, FilterError, Rule};
use super::filter::Filter;

/// Calls that start something or talk to somebody.
const NEVER: &[c_long] = &[
    libc::SYS_execve,
    libc::SYS_execveat,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_fork,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_vfork,
    libc::SYS_socket,
    libc::SYS_socketpair,
    libc::SYS_connect,
    libc::SYS_bind,
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_kill,
];

/// The rules of such a filter. At first nothing is allowed.
#[derive(Debug)]
pub struct Narrow {
    rules: Vec<Rule>,
}

impl Default for Narrow {
    fn default() -> Self {
        Self {
            rules: Rule::each(NEVER, &Action::Kill).collect(),
        }
    }
}

impl Narrow {
    /// Says what becomes of some calls.
    pub fn add(&mut self, calls: &[c_long], action: &Action) {
        self.rules.extend(Rule::each(calls, action));
    }

    /// Compiles the rules.
    ///
    /// # Errors
    /// When two of them contradict each other.
    pub fn filter(&self) -> Result<Filter, FilterError> {
        Filter::new(&self.rules, &Action::errno(libc::EPERM))
    }

    /// Closes the process in, every thread of it, and says how many system calls are left to it.
    ///
    /// # Errors
    /// When the kernel does not take the filter; the process must not go on then.
    pub fn install(&self) -> io::Result<u16> {
        // The jail has done this already; without it the kernel takes no filter from an ordinary
        // user.
        rustix::thread::set_no_new_privs(true)?;
        let filter = self.filter().map_err(io::Error::other)?;
        filter.install()?;
        Ok(filter.allowed())
    }
}
