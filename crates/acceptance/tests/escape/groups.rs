//! Cases G: control groups and namespaces.

use crate::case::Expected::{Denied, Harmless, Invisible, Killed};
use crate::case::{Case, Expected, hold};
use crate::kernel::SIGSYS;

const NOT_PERMITTED: Expected = Denied(&["EPERM"]);

const CASES: &[Case] = &[
    Case::new(
        "g01_release_agent.py",
        &[
            ("mount rdma", Killed(SIGSYS)),
            ("mount memory", Killed(SIGSYS)),
            ("mount cpu", Killed(SIGSYS)),
            ("mount none,name=atoll", Killed(SIGSYS)),
            ("mount version 2", Killed(SIGSYS)),
            ("unshare groups", NOT_PERMITTED),
            ("/sys/fs/cgroup", Invisible),
            ("/sys/fs/cgroup/memory/release_agent", Invisible),
            ("/cgroup", Invisible),
            ("/dev/cgroup", Invisible),
            ("uevent helper", Invisible),
            ("core pattern", Invisible),
            ("modprobe", Invisible),
            ("own groups", Harmless),
        ],
    ),
    Case::new(
        "g02_group_files.py",
        &[
            ("/sys/fs/cgroup", Invisible),
            ("/sys/fs/cgroup/unified", Invisible),
            ("/sys/fs/cgroup/memory", Invisible),
            ("/proc/1/root/sys/fs/cgroup", Invisible),
            ("write a file", Harmless),
        ],
    ),
    Case::new(
        "g03_ipc.py",
        &[
            ("a segment of the host", NOT_PERMITTED),
            ("make a queue", NOT_PERMITTED),
        ],
    ),
    Case::new(
        "g05_many_namespaces.py",
        &[
            ("a thousand namespaces", NOT_PERMITTED),
            ("a thousand times all namespaces", NOT_PERMITTED),
            ("a thousand clones", NOT_PERMITTED),
            ("a thousand mounts", Killed(SIGSYS)),
            ("a thousand user ids", Harmless),
        ],
    ),
];

#[test]
fn control_groups_and_namespaces_are_out_of_reach() {
    hold(CASES);
}
