//! Cases F: files of the host, and what fills or spoils its own.

use crate::case::Expected::{Denied, Harmless, Invisible, Killed, Limited};
use crate::case::{Case, Expected, hold};
use crate::kernel::SIGSYS;

const NOT_PERMITTED: Expected = Denied(&["EPERM"]);

/// Landlock denies it since Linux 6.2; the root is read-only in any case.
const NOT_CUT: Expected = Denied(&["EACCES", "EROFS"]);

/// More memory than disk, so that it is the limit on the disk that is met.
const ROOMY: &[&str] = &["--memory", "1GiB"];

const CASES: &[Case] = &[
    Case::new(
        "f02_ways_out.py",
        &[
            ("absolute", Invisible),
            ("dots", Invisible),
            ("root of the first process", Invisible),
            ("root of this process", Invisible),
            ("directory of the first process", Invisible),
            ("root of a process of the host", Invisible),
            ("dots by descriptor", Invisible),
            ("symbolic link", Invisible),
            ("own file", Harmless),
        ],
    ),
    Case::new(
        "f02_other_user.py",
        &[("a file of another sandbox's user", Invisible)],
    ),
    Case::new(
        "f03_write_outside.py",
        &[
            ("/", Denied(&["EROFS"])),
            ("/usr", Denied(&["EROFS"])),
            ("/usr/bin", Denied(&["EROFS"])),
            ("/etc", Denied(&["EROFS"])),
            ("/lib", Denied(&["EROFS"])),
            ("/dev", Denied(&["EROFS"])),
            ("/proc", Invisible),
            ("/etc/ssl/certs", Denied(&["EROFS"])),
            ("/sys", Invisible),
            ("beside the canary", Invisible),
            ("truncate an interpreter", NOT_CUT),
            ("change the mode of an interpreter", Denied(&["EROFS"])),
            ("own directory", Harmless),
        ],
    ),
    Case::new(
        "f04_file_handles.py",
        &[
            ("ask for a handle", NOT_PERMITTED),
            ("open the root inode", Killed(SIGSYS)),
            ("open by name", Harmless),
        ],
    ),
    Case::new(
        "f05_devices.py",
        &[
            ("make a disk", NOT_PERMITTED),
            ("make memory", NOT_PERMITTED),
            ("make a pipe", NOT_PERMITTED),
            ("mem", Invisible),
            ("kmsg", Invisible),
            ("kvm", Invisible),
            ("sda", Invisible),
            ("vda", Invisible),
            ("fuse", Invisible),
            ("vsock", Invisible),
            ("vhost-net", Invisible),
            ("net/tun", Invisible),
            ("ptmx", Invisible),
            ("null", Harmless),
        ],
    ),
    Case::new(
        "f06_links.py",
        &[
            ("link a file of the system", Denied(&["EXDEV"])),
            ("link a setuid program", Denied(&["EXDEV"])),
            ("link the canary", Invisible),
            ("link into the system", Denied(&["EROFS"])),
            ("rename into the system", Denied(&["EXDEV"])),
            ("rename onto the canary", Invisible),
            ("rename out of the system", Denied(&["EXDEV"])),
            ("rename a mounted directory", Denied(&["EXDEV"])),
            ("link inside", Harmless),
            ("rename inside", Harmless),
        ],
    ),
    Case::new(
        "f07_chroot.py",
        &[
            ("chroot", NOT_PERMITTED),
            ("change to the held directory", Harmless),
            ("chroot to where that led", NOT_PERMITTED),
            ("read the canary from there", Invisible),
        ],
    ),
    Case::new(
        "f08_mounts.py",
        &[
            ("bind", Killed(SIGSYS)),
            ("mount tmpfs", Killed(SIGSYS)),
            ("mount proc", Killed(SIGSYS)),
            ("mount overlay", Killed(SIGSYS)),
            ("mount cgroup", Killed(SIGSYS)),
            ("mount fuse", Killed(SIGSYS)),
            ("remount writable", Killed(SIGSYS)),
            ("unmount a read-only layer", Killed(SIGSYS)),
            ("mount_setattr", Killed(SIGSYS)),
            ("open_tree", Killed(SIGSYS)),
            ("move_mount", Killed(SIGSYS)),
            ("fsopen", Killed(SIGSYS)),
            ("fsconfig", Killed(SIGSYS)),
            ("fsmount", Killed(SIGSYS)),
            ("fspick", Killed(SIGSYS)),
            ("read the mounts", Harmless),
        ],
    ),
    Case::new(
        "f09_pivot_root.py",
        &[
            ("pivot_root", Killed(SIGSYS)),
            ("pivot_root on itself", Killed(SIGSYS)),
            ("make a directory", Harmless),
        ],
    ),
    Case::new(
        "f10_bytes.py",
        &[
            ("one small file", Harmless),
            ("a gibibyte", Limited("disk")),
        ],
    )
    .options(ROOMY),
    Case::new(
        "f10_deep.py",
        &[
            ("a name of 255 bytes", Harmless),
            ("a name of 256 bytes", Limited("length of a name")),
            ("a path of 5000 bytes", Limited("length of a name")),
            ("three thousand directories deep", Harmless),
        ],
    ),
    Case::new(
        "f10_files.py",
        &[
            ("a hundred thousand files", Limited("disk")),
            ("remove one", Harmless),
        ],
    ),
    Case::new(
        "f10_sparse.py",
        &[
            ("truncate to an exbibyte", Limited("size of a file")),
            ("write at an exbibyte", Limited("size of a file")),
            ("allocate a tebibyte", Limited("size of a file")),
            ("allocate all and more", Limited("disk")),
            ("allocate a page", Harmless),
        ],
    )
    .options(ROOMY),
    Case::new(
        "f11_own_program.py",
        &[
            ("delete the program", Harmless),
            ("replace the program", Harmless),
            ("delete the interpreter", Denied(&["EROFS"])),
            ("write to the interpreter", Denied(&["EACCES"])),
            ("replace the interpreter", Denied(&["EXDEV"])),
        ],
    ),
    Case::new(
        "f12_watches.py",
        &[
            ("fanotify_init", NOT_PERMITTED),
            ("fanotify_mark", NOT_PERMITTED),
            ("one watcher", Denied(&["ENOSYS"])),
            ("one watch", Denied(&["ENOSYS"])),
            ("a hundred thousand watchers", Denied(&["ENOSYS"])),
            ("a signal at each access", Denied(&["EINVAL"])),
            ("a lease", Denied(&["EINVAL"])),
        ],
    ),
    Case::new(
        "f14_undeletable.py",
        &[
            ("user attribute", Denied(&["ENOTSUP"])),
            ("access list", Denied(&["ENOTSUP"])),
            ("capability", Denied(&["ENOTSUP"])),
            ("immutable", Denied(&["ENOTTY"])),
            ("no permissions", Harmless),
            ("setuid bit", Harmless),
        ],
    ),
    Case::new(
        "f15_own_executable.py",
        &[
            ("write self", Denied(&["EACCES"])),
            ("truncate self", NOT_CUT),
            ("write 1", Invisible),
            ("truncate 1", Invisible),
            ("write by a held descriptor", Denied(&["EACCES"])),
            ("read self", Harmless),
        ],
    ),
    Case::new(
        "f16_descriptors.py",
        &[
            ("descriptors from 3", Invisible),
            ("what the standard streams lead to", Invisible),
            ("standard streams", Harmless),
            ("descriptors of the first process", Invisible),
        ],
    ),
    Case::new(
        "f27_poison.py",
        &[
            ("bytecode", Denied(&["EROFS", "EACCES"])),
            ("site customisation", Denied(&["EROFS", "ENOENT"])),
            ("packages of the site", Denied(&["EROFS", "ENOENT"])),
            ("start-up file", Denied(&["EROFS"])),
            ("loader", Denied(&["EROFS"])),
            ("beside the program", Harmless),
            ("in its home", Harmless),
        ],
    ),
    Case::new(
        "x02_shared_files.py",
        &[
            ("pages in memory", NOT_PERMITTED),
            ("state of the cache", NOT_PERMITTED),
            ("a lease", Denied(&["EINVAL"])),
            ("time of access", Denied(&["EROFS"])),
            ("an attribute", Denied(&["ENOTSUP"])),
            ("a writable map", Denied(&["EACCES"])),
            ("a lock", Harmless),
        ],
    ),
    // Here there is no neighbour; copies have one in `make ablation`.
    Case::new(
        "x03_neighbour.py",
        &[
            ("a file of a neighbour", Invisible),
            ("a socket of a neighbour", Denied(&["ECONNREFUSED"])),
            ("processes of a neighbour", Invisible),
            ("kill a neighbour", Invisible),
        ],
    ),
    Case::new(
        "f17_held_directory.py",
        &[
            ("read the canary", Denied(&["EBADF"])),
            ("climb from there", Denied(&["EBADF"])),
        ],
    ),
];

/// F-22: what is collected is what the program wrote, never what its links lead to.
#[test]
fn links_are_not_followed_when_files_are_collected() {
    let case = Case::new(
        "f22_links.py",
        &[
            ("link to the canary", Harmless),
            ("link by way of a directory", Harmless),
            ("link that climbs", Harmless),
            ("link to a device", Harmless),
            ("link to itself", Harmless),
            ("own file", Harmless),
        ],
    );
    let place = tempfile::tempdir().unwrap();
    let collected = place.path().join("collected");
    let observed = case.observe_with(&["--output", collected.to_str().unwrap()]);
    assert_eq!(case.faults(&observed), [""; 0]);
    let names = std::fs::read_dir(&collected).unwrap();
    let names: Vec<_> = names.map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["own"]);
    assert_eq!(std::fs::read(collected.join("own")).unwrap(), b"own");
    let skipped = observed.report.skipped().unwrap();
    let reasons: Vec<_> = skipped.iter().map(|(_, reason)| reason.as_str()).collect();
    assert_eq!(reasons, ["symbolic-link"; 5], "{skipped:?}");
}

#[test]
fn no_file_of_the_host_is_reached_or_changed() {
    hold(CASES);
}
