//! Tests of the pure parts; the groups themselves are exercised by the jail's own tests.

use super::files::{CgroupMount, cgroup_mounts};
use super::*;

const HYBRID: &str = "\
22 27 0:21 / /proc rw,relatime - proc proc rw
32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:5 - cgroup cgroup rw,cpu,cpuacct
35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
39 31 0:36 / /sys/fs/cgroup/pids\\040x rw,relatime - cgroup cgroup rw,pids
41 31 0:38 / /nonexistent/unified rw,relatime - cgroup2 cgroup2 rw
";

#[test]
fn mounts_are_read_with_shared_hierarchies_and_escapes() {
    let mounts = cgroup_mounts(HYBRID);
    assert_eq!(mounts.len(), 4);
    assert!(mounts.contains(&CgroupMount {
        version: 1,
        path: "/sys/fs/cgroup/pids x".into(),
        controllers: vec!["rw".into(), "pids".into()],
    }));
    let Hierarchies::V1(found) = Hierarchies::from_mounts(&mounts) else {
        panic!("version 2 without controllers must not be chosen");
    };
    assert_eq!(found.distinct().count(), 3, "cpu and cpuacct share one");
}

#[test]
fn missing_controllers_are_named() {
    let mounts: Vec<CgroupMount> = cgroup_mounts(HYBRID)
        .into_iter()
        .filter(|mount| !mount.path.ends_with("memory"))
        .collect();
    let Hierarchies::Unusable(reason) = Hierarchies::from_mounts(&mounts) else {
        panic!("memory is missing");
    };
    assert!(reason.contains("controllers memory;"), "{reason}");
}

#[test]
fn version_2_is_preferred_where_it_has_the_controllers() {
    let root = tempfile::tempdir().unwrap();
    std::fs::write(
        root.path().join("cgroup.controllers"),
        "cpuset cpu io memory pids\n",
    )
    .unwrap();
    let mut mounts = cgroup_mounts(HYBRID);
    mounts.push(CgroupMount {
        version: 2,
        path: root.path().into(),
        controllers: Vec::new(),
    });
    mounts.retain(|mount| !mount.path.starts_with("/nonexistent"));
    assert_eq!(
        Hierarchies::from_mounts(&mounts),
        Hierarchies::V2(root.path().into())
    );
}
