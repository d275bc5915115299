//! Cases I: what /proc, /sys and the environment say of the host.

use crate::case::Expected::{Denied, Harmless, Invisible};
use crate::case::{Case, Expected, hold};

const NOT_PERMITTED: Expected = Denied(&["EPERM"]);

const CASES: &[Case] = &[
    Case::new(
        "i01_other_processes.py",
        &[
            ("/proc/1/environ", Invisible),
            ("/proc/1/maps", Invisible),
            ("/proc/1/cmdline", Invisible),
            ("/proc/kallsyms", Invisible),
            ("/proc/kcore", Invisible),
            ("/proc/keys", Invisible),
            ("/proc/sys/kernel/hostname", Invisible),
            ("/proc/modules", Invisible),
            ("/dev/kmsg", Invisible),
            ("environ of the host's process", Invisible),
            ("cmdline of the host's process", Invisible),
            ("maps of the host's process", Invisible),
            ("status of the host's process", Invisible),
            ("kernel log", NOT_PERMITTED),
            ("own status", Harmless),
        ],
    ),
    Case::new(
        "i02_environment.py",
        &[
            ("variables of the caller", Invisible),
            ("unexpected variables", Invisible),
            ("initial variables", Invisible),
            ("name of the host", Invisible),
            ("identity of the machine", Invisible),
            ("identity of the boot", Invisible),
            ("users", Invisible),
            ("own arguments", Harmless),
        ],
    ),
    Case::new(
        "i03_mounts_and_groups.py",
        &[
            ("mountinfo", Invisible),
            ("mounts", Invisible),
            ("cgroup", Invisible),
            ("maps", Invisible),
            ("groups", Invisible),
            ("own limits", Harmless),
        ],
    ),
    Case::new(
        "i04_own_entries.py",
        &[
            ("oom_score_adj", Denied(&["EACCES"])),
            ("oom_adj", Denied(&["EACCES"])),
            ("uid_map", Denied(&["EACCES"])),
            ("gid_map", Denied(&["EACCES"])),
            ("setgroups", Denied(&["EACCES"])),
            ("timerslack_ns", Denied(&["EACCES"])),
            ("clear_refs", Denied(&["EACCES"])),
            ("mem", Denied(&["EACCES"])),
            ("attr/current", Denied(&["EACCES"])),
            ("comm", Denied(&["EACCES"])),
            ("coredump_filter", Denied(&["EACCES"])),
            ("autogroup", Denied(&["EACCES"])),
            ("loginuid", Denied(&["EACCES"])),
            ("read oom_score_adj", Harmless),
        ],
    ),
    Case::new(
        "i06_residue.py",
        &[
            ("fresh pages", Invisible),
            ("fresh memory file", Invisible),
            ("fresh heap", Invisible),
            ("files for all", Invisible),
            ("own files", Invisible),
            ("fresh blocks", Invisible),
        ],
    ),
    Case::new(
        "i05_firmware.py",
        &[
            ("/sys", Invisible),
            ("/sys/firmware", Invisible),
            ("/sys/kernel/debug", Invisible),
            ("/sys/kernel/tracing", Invisible),
            ("/sys/fs/cgroup", Invisible),
            ("/sys/firmware/efi/efivars", Invisible),
            ("/sys/class/net", Invisible),
            ("/sys/block", Invisible),
            ("/proc/acpi", Invisible),
            ("/proc/scsi", Invisible),
            ("/proc/sys", Invisible),
            ("/proc/sysrq-trigger", Invisible),
            ("/proc/interrupts", Invisible),
            ("/proc/bus", Invisible),
            ("/run", Invisible),
            ("/boot", Invisible),
            ("/usr", Harmless),
        ],
    ),
];

#[test]
fn nothing_is_learned_of_the_host() {
    hold(CASES);
}
