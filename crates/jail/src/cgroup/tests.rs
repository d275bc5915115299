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

/// A process in the root of every hierarchy.
const OWN: &str = "3:memory:/\n0::/\n";

#[test]
fn mounts_are_read_with_shared_hierarchies_and_escapes() {
    let mounts = cgroup_mounts(HYBRID);
    assert_eq!(mounts.len(), 4);
    assert!(mounts.contains(&CgroupMount {
        version: 1,
        path: "/sys/fs/cgroup/pids x".into(),
        controllers: vec!["rw".into(), "pids".into()],
    }));
    let Hierarchies::V1(found) = Hierarchies::among(&mounts, OWN, |_| true) else {
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
    let Hierarchies::None(reason) = Hierarchies::among(&mounts, OWN, |_| true) else {
        panic!("memory is missing");
    };
    assert!(
        reason.ends_with("cgroup version 1 lacks memory"),
        "{reason}"
    );
}

#[test]
fn what_may_not_be_written_to_is_not_used() {
    let mounts = cgroup_mounts(HYBRID);
    let found = Hierarchies::among(&mounts, OWN, |mount| !mount.ends_with("memory"));
    let Hierarchies::None(reason) = &found else {
        panic!("the memory controller is not writable: {found:?}");
    };
    assert!(reason.ends_with("memory is not writable"), "{reason}");
    let missing: Vec<Layer> = found
        .missing()
        .into_iter()
        .map(|(layer, _)| layer)
        .collect();
    let limits = [Layer::MemoryLimit, Layer::ProcessLimit, Layer::CpuLimit];
    assert_eq!(missing, limits);
}

/// A group of version 2, as files.
fn group(path: &Path, controllers: &str, handed_down: &str, processes: &str) {
    std::fs::create_dir_all(path).unwrap();
    let write = |file: &str, text: &str| std::fs::write(path.join(file), text).unwrap();
    write("cgroup.controllers", controllers);
    write("cgroup.subtree_control", handed_down);
    write("cgroup.procs", processes);
}

fn version_2(root: &Path) -> Vec<CgroupMount> {
    let mut mounts = cgroup_mounts(HYBRID);
    mounts.retain(|mount| !mount.path.starts_with("/nonexistent"));
    mounts.push(CgroupMount {
        version: 2,
        path: root.into(),
        controllers: Vec::new(),
    });
    mounts
}

#[test]
fn version_2_is_preferred_where_it_has_the_controllers() {
    let root = tempfile::tempdir().unwrap();
    group(root.path(), "cpuset cpu io memory pids\n", "", "");
    let found = Hierarchies::among(&version_2(root.path()), OWN, |_| true);
    assert_eq!(found.slices(), [root.path().join(SLICE)]);
    assert_eq!(found.missing(), []);
    let handed_down = std::fs::read_to_string(root.path().join("cgroup.subtree_control")).unwrap();
    assert_eq!(handed_down, "+memory +pids +cpu");
}

#[test]
fn an_incomplete_version_2_is_better_than_nothing_and_says_what_it_lacks() {
    let root = tempfile::tempdir().unwrap();
    group(root.path(), "memory pids\n", "", "");
    let mut mounts = version_2(root.path());
    let complete = Hierarchies::among(&mounts, OWN, |_| true);
    assert!(matches!(complete, Hierarchies::V1(_)), "{complete:?}");
    mounts.retain(|mount| mount.version == 2);
    let found = Hierarchies::among(&mounts, OWN, |_| true);
    let missing = found.missing();
    let [(Layer::CpuLimit, reason)] = missing.as_slice() else {
        panic!("only the CPU is missing: {missing:?}");
    };
    assert!(reason.ends_with("has no controller cpu"), "{reason}");
}

#[test]
fn an_ordinary_user_gets_what_was_handed_to_its_own_group_or_to_one_above() {
    let root = tempfile::tempdir().unwrap();
    let all = "cpu memory pids";
    let handed = root.path().join("user.slice/handed.scope");
    group(root.path(), all, all, "1\n");
    group(&root.path().join("user.slice"), all, all, "");
    group(&handed, all, all, "");
    group(&handed.join("leaf"), "", "", "17\n18\n");
    // The directories that belong to root are told by what is in them here.
    let writable = |path: &Path| {
        path.ancestors()
            .any(|above| above.ends_with("handed.scope"))
    };
    let mounts = version_2(root.path());
    for own in [
        "0::/user.slice/handed.scope\n",
        "0::/user.slice/handed.scope/leaf\n",
    ] {
        let found = Hierarchies::among(&mounts[3..], own, writable);
        assert_eq!(found.slices(), [handed.join(SLICE)], "{own}");
    }
    let found = Hierarchies::among(&mounts[3..], "0::/user.slice\n", writable);
    let Hierarchies::None(reason) = found else {
        panic!("nothing there belongs to the user");
    };
    assert!(
        reason.starts_with(root.path().to_str().unwrap()),
        "{reason}"
    );
    assert!(reason.contains("user.slice is not writable"), "{reason}");
}

#[test]
fn the_least_limit_around_the_groups_counts() {
    let place = tempfile::tempdir().unwrap();
    let group = place.path().join("outer/inner/atoll");
    std::fs::create_dir_all(&group).unwrap();
    let around = [group.join("group")];
    assert_eq!(memory_limit_above(&[group.join("group")]), None);
    let limit = |directory: &str, file: &str, text: &str| {
        std::fs::write(place.path().join(directory).join(file), text).unwrap();
    };
    limit("outer", "memory.max", "3000000\n");
    limit("outer/inner", "memory.max", "max\n");
    assert_eq!(memory_limit_above(&around), Some(3_000_000));
    limit("outer/inner/atoll", "memory.limit_in_bytes", "2000000\n");
    assert_eq!(memory_limit_above(&around), Some(2_000_000));
}
