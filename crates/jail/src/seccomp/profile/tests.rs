//! Which calls are in which profile.

use super::super::compile;
use super::*;

#[test]
fn every_profile_compiles() {
    for profile in Profile::ALL {
        let (rules, otherwise) = rules(profile);
        compile(&rules, &otherwise).unwrap();
    }
}

fn allowed(profile: Profile) -> Vec<c_long> {
    let (rules, _) = rules(profile);
    let allowed = rules.iter().filter(|rule| rule.action.is_allowed());
    allowed.map(|rule| rule.number.into()).collect()
}

#[test]
fn strict_allows_at_most_80_calls_and_none_that_processes_do_not() {
    let strict = allowed(Profile::Strict);
    println!("strict allows {} system calls", strict.len());
    assert!(strict.len() <= 80, "{}", strict.len());
    assert_eq!(
        Filter::of(Profile::Strict).unwrap().allowed() as usize,
        strict.len()
    );
    let processes = allowed(Profile::Processes {
        writable_code: false,
    });
    assert!(strict.iter().all(|call| processes.contains(call)));
}

#[test]
fn only_a_machine_that_runs_on_kvm_may_make_its_requests() {
    let requests = |profile| {
        let (rules, _) = rules(profile);
        let mut ioctl = rules.into_iter().filter(|rule| {
            c_long::from(rule.number) == libc::SYS_ioctl && profile != Profile::Runtime
        });
        ioctl.next().map(|rule| rule.action)
    };
    let without = arguments::harmless_ioctls(false);
    for profile in Profile::ALL {
        let with_kvm = profile == Profile::Machine { kvm: true };
        let action = requests(profile);
        assert_eq!(action == Some(arguments::harmless_ioctls(true)), with_kvm);
        assert!(with_kvm || action.is_none_or(|action| action == without));
    }
    // KVM_GET_API_VERSION, KVM_CREATE_VM, KVM_RUN, KVM_SET_MSRS; of others, VHOST_SET_OWNER,
    // TIOCSTI and VFIO_GET_API_VERSION.
    let is_of_kvm = |request| arguments::KVM_REQUESTS.holds(&[0, request, 0, 0, 0, 0]);
    assert!(
        [0xae00, 0xae01, 0xae80, 0x4008_ae89]
            .into_iter()
            .all(is_of_kvm)
    );
    assert!(![0xaf01, 0x5412, 0x3b64].into_iter().any(is_of_kvm));
}

#[test]
fn strict_allows_no_thread_no_child_and_no_socket() {
    let strict = allowed(Profile::Strict);
    let forbidden = [
        libc::SYS_clone,
        libc::SYS_clone3,
        #[cfg(target_arch = "x86_64")]
        libc::SYS_fork,
        #[cfg(target_arch = "x86_64")]
        libc::SYS_vfork,
        libc::SYS_execveat,
        libc::SYS_kill,
        libc::SYS_prctl,
        libc::SYS_memfd_create,
        libc::SYS_pkey_mprotect,
        libc::SYS_socket,
        libc::SYS_socketpair,
    ];
    let mut forbidden = forbidden.iter().chain(LOCAL_SOCKETS);
    assert!(!forbidden.any(|call| strict.contains(call)));
    let (rules, _) = rules(Profile::Strict);
    let execve = rules
        .iter()
        .find(|rule| c_long::from(rule.number) == libc::SYS_execve);
    assert_eq!(execve.unwrap().action, only_the_launcher());
}

#[test]
fn calls_that_widen_the_kernel_surface_are_never_allowed() {
    let forbidden = [
        libc::SYS_ptrace,
        libc::SYS_keyctl,
        libc::SYS_add_key,
        libc::SYS_perf_event_open,
        libc::SYS_unshare,
        libc::SYS_process_vm_readv,
        libc::SYS_pidfd_getfd,
        libc::SYS_chroot,
        libc::SYS_setuid,
        libc::SYS_mknodat,
        libc::SYS_personality,
        libc::SYS_shmget,
        libc::SYS_msgget,
        libc::SYS_vmsplice,
        libc::SYS_mincore,
        libc::SYS_clock_settime,
        libc::SYS_sethostname,
    ];
    // A container runtime confines what it starts.
    let of_programs = Profile::ALL.into_iter();
    for profile in of_programs.filter(|profile| *profile != Profile::Runtime) {
        let (rules, otherwise) = rules(profile);
        assert_eq!(otherwise, Action::errno(EPERM));
        for call in forbidden.iter().chain(NEVER) {
            let rule = rules.iter().find(|rule| i64::from(rule.number) == *call);
            let allowed =
                rule.is_some_and(|rule| matches!(rule.action, Action::Allow | Action::AllowIf(..)));
            let confines = profile == Profile::Zygote && CONFINING.contains(call);
            assert!(!allowed || confines, "system call {call} in {profile:?}");
        }
    }
}

#[test]
fn nothing_of_a_runtime_reaches_the_whole_machine() {
    let (rules, otherwise) = rules(Profile::Runtime);
    assert_eq!(otherwise, Action::Allow);
    for call in [
        libc::SYS_bpf,
        libc::SYS_init_module,
        libc::SYS_finit_module,
        libc::SYS_kexec_load,
        libc::SYS_open_by_handle_at,
        libc::SYS_perf_event_open,
        libc::SYS_reboot,
        libc::SYS_io_uring_setup,
        libc::SYS_clock_settime,
    ] {
        let rule = rules.iter().find(|rule| i64::from(rule.number) == call);
        assert_eq!(
            rule.unwrap().action,
            Action::errno(EPERM),
            "system call {call}"
        );
    }
}
