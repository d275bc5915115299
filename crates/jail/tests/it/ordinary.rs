//! The same tests as an ordinary user without cgroups: everything that does not need them must be
//! in force exactly as for root.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

/// Nobody else has this id.
const USER: &str = "61177";

/// What an ordinary user lacks, and root on a host without cgroups.
const ACCEPTED: &str = "own-user,memory-limit,process-limit,cpu-limit";

/// Tests of what only a group can do.
const NEED_GROUPS: [&str; 10] = [
    "a_program_that_copes_with_a_refusal_is_not_blamed",
    "cpu_share_is_bounded",
    "files_in_memory_count_as_memory",
    "limits_change",
    "memory_is_bounded_for_all_processes_together",
    "no_process_forks_its_way_out_of_its_groups",
    "output_and_exit_code_come_back",
    "processes_are_bounded",
    "what_is_ended_by_force_is_known_as_far_as_it_was_seen",
    "what_was_written_before_a_limit_is_there",
];

#[test]
fn without_root_all_else_holds() {
    if !rustix::process::geteuid().is_root() {
        // This is such a run already.
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let own = std::env::current_exe().unwrap();
    let launcher = atoll_jail::helper_binary("atoll-launcher").unwrap();
    for (from, name) in [(&own, "tests"), (&launcher, "atoll-launcher")] {
        std::fs::copy(from, place.path().join(name)).unwrap();
    }
    std::fs::set_permissions(place.path(), PermissionsExt::from_mode(0o755)).unwrap();
    let mut tests = Command::new("setpriv");
    tests.args(["--reuid", USER, "--regid", USER, "--clear-groups"]);
    tests
        .args(["--inh-caps=-all", "--"])
        .arg(place.path().join("tests"));
    for test in NEED_GROUPS {
        tests.args(["--skip", test]);
    }
    tests
        .current_dir("/")
        .env("ATOLL_LIBEXEC", place.path())
        .env("ATOLL_RACES", "100")
        .env("ATOLL_TEST_ACCEPT_MISSING", accepted());
    let ran = tests.output().unwrap();
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success(), "{said}");
    let passed = said.matches(" ... ok").count();
    assert!(passed >= 25, "only {passed} tests ran: {said}");
    assert_eq!(processes_of_user(), [""; 0]);
}

/// What the run itself may accept, too.
fn accepted() -> String {
    let more = std::env::var("ATOLL_TEST_ACCEPT_MISSING").unwrap_or_default();
    format!("{ACCEPTED},{more}")
}

fn processes_of_user() -> Vec<String> {
    let is_of_user = |directory: &Path| {
        let status = std::fs::read_to_string(directory.join("status"));
        status.is_ok_and(|text| text.contains(&format!("Uid:\t{USER}\t")))
    };
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    processes
        .map(|entry| entry.path())
        .filter(|path| is_of_user(path))
        .map(|path| path.display().to_string())
        .collect()
}
