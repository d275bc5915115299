//! What a container runtime may not do: the other profiles say what may be done, and this one
//! cannot, since every runtime builds its containers in its own way.

use libc::{EPERM, c_long};

use crate::seccomp::compile::{Action, Rule};

/// Calls that are about the whole machine, or that hand out more of its kernel than any container
/// needs.
pub(super) const OUT_OF_REACH: &[c_long] = &[
    libc::SYS_acct,
    libc::SYS_add_key,
    libc::SYS_adjtimex,
    libc::SYS_bpf,
    libc::SYS_clock_adjtime,
    libc::SYS_clock_settime,
    libc::SYS_delete_module,
    libc::SYS_fanotify_init,
    libc::SYS_finit_module,
    libc::SYS_init_module,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_io_uring_setup,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_ioperm,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_iopl,
    libc::SYS_kexec_load,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_kexec_file_load,
    libc::SYS_lookup_dcookie,
    libc::SYS_move_pages,
    libc::SYS_open_by_handle_at,
    libc::SYS_perf_event_open,
    libc::SYS_quotactl,
    libc::SYS_reboot,
    libc::SYS_request_key,
    libc::SYS_settimeofday,
    libc::SYS_swapoff,
    libc::SYS_swapon,
    libc::SYS_syslog,
    libc::SYS_userfaultfd,
    libc::SYS_vhangup,
];

pub(super) fn rules() -> (Vec<Rule>, Action) {
    let refused = OUT_OF_REACH.iter().filter_map(|call| {
        Some(Rule {
            number: u32::try_from(*call).ok()?,
            action: Action::Errno(EPERM as u16),
        })
    });
    (refused.collect(), Action::Allow)
}
