//! Rules for calls, held at the system calls of a program.
//!
//! Where a decision has no such rules, nothing of this is there. Where it has, a second filter
//! lets the system calls that the rules are about wait for an answer, as long as the first one,
//! which allows few, has nothing against them:
//!
//! ```text
//! program --openat--> kernel --"may it?"--> supervisor: a thread of Atoll's process, with the rules
//!                                             |  reads the path from the program's memory
//!                                             |--"where does it lead?"--> hand, inside the jail
//!                                             |<-------------------------   holds what it found
//!                                             |  judges the path that was found
//!                                             |--"open it"--------------> hand
//! program <--descriptor--- kernel <-----------|<-------------------------
//! ```
//!
//! The memory that a system call's path lies in can be changed by another thread once it was read,
//! and so can links on the way. So a call whose fate depends on its path is never left to the
//! kernel: what was judged is what is used. A call whose fate does not depend on an argument goes
//! on in the kernel. Rules that could be held in neither way are [`unenforceable`].

mod check;
mod hand;
mod supervisor;
mod table;
mod talk;
mod target;
mod work;

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use atoll_types::calls::{Call, CallRules, CallSet};

pub use check::unenforceable;
pub use supervisor::Violation;
pub(crate) use supervisor::{Supervised, supervise};

use crate::control::send;
use crate::seccomp::{Action, Filter, FilterError, Rule};
use crate::sys::{self, Side};

/// The filter that lets the calls wait that the rules are about, and for the audit those that bear
/// it. A call that waits can end with `EINTR`, see `supervisor`: shells get signals while they fork
/// and take that for a failure, so starting processes is only hooked where a rule names it.
pub(crate) fn filter(rules: &CallRules) -> Result<Filter, FilterError> {
    let starts: CallSet = [Call::ProcessStart].into_iter().collect();
    let wanted = if rules.audit {
        CallSet::all().without(starts).union(rules.named())
    } else {
        rules.named()
    };
    let asked: Vec<Rule> = table::all()
        .filter(|hooked| wanted.contains(hooked.call))
        .filter_map(|hooked| {
            Some(Rule {
                number: u32::try_from(hooked.number).ok()?,
                action: Action::Ask,
            })
        })
        .collect();
    Filter::new(&asked, &Action::Allow)
}

/// Makes the hand, in the process that is to be the program and has given up all that the program
/// is not to have. Its parent is that process's own, which collects it.
///
/// # Errors
/// When there is no room for another process.
pub(crate) fn grow_hand(socket: &OwnedFd) -> io::Result<()> {
    match sys::clone_process(libc::CLONE_PARENT, None)? {
        Side::Parent { .. } => Ok(()),
        Side::Child => hand::serve(socket),
    }
}

/// Lets calls wait from now on, and tells the supervisor where.
///
/// # Errors
/// When the kernel cannot do so, or the supervisor is gone.
pub(crate) fn install(filter: &Filter, socket: &OwnedFd) -> io::Result<()> {
    let listener = filter.install_asking()?;
    send(socket.as_fd(), &talk::Told::Listener, &[listener.as_fd()])
}
