//! Which attempt is made in copies of an interpreter, with which of their layers missing.
//!
//! What a copy has from its zygote is called so. Where the filters of both are in the way of an
//! attempt, both are named; an attempt that only the copy's own filter stops is one that the zygote
//! may make, because confining copies takes it.

use super::trials::{Success, Trial, trial};

/// Every layer of copies that can be switched off, and what goes with it.
pub const COPY_LAYERS: &[(&str, &str)] = &[
    ("mount-namespace", "mounts in that of the zygote"),
    ("pid-namespace", "born in that of the zygote"),
    ("network-namespace", "stays in that of the zygote"),
    ("cgroup-namespace", "stays in that of the zygote"),
    ("own-groups", "stays in the control groups of the zygote"),
    ("own-files", "writes to the files of the zygote"),
    ("own-proc", "sees the processes of the zygote"),
    ("own-user", "every copy has the same id"),
    ("private-files", "their limits"),
    (
        "no-capabilities",
        "user 0 of the zygote's namespace, with what confining takes",
    ),
    ("landlock", "files and TCP"),
    ("landlock-scopes", ""),
    ("seccomp", "the zygote's stays"),
    ("closed-descriptors", "the zygote's stay open"),
    ("rlimit-nofile", ""),
    ("rlimit-nproc", ""),
    ("rlimit-cpu", ""),
    ("rlimit-fsize", ""),
    ("rlimit-stack", ""),
    ("rlimit-core", ""),
    ("rlimit-msgqueue", ""),
    ("rlimit-memlock", ""),
    ("rlimit-sigpending", ""),
    ("memory-limit", ""),
    ("process-limit", ""),
    ("cpu-limit", ""),
    ("cpu-clock", "held by Atoll"),
    ("wall-clock", "held by Atoll; set far too high"),
    ("output-cap", "held by Atoll; set too high"),
    ("collected-links", "links are followed"),
    ("zygote-minimal-root", "a directory of the host is shown"),
    ("zygote-read-only-root", ""),
    ("zygote-network-namespace", ""),
    ("zygote-ipc-namespace", ""),
    ("zygote-uts-namespace", ""),
    ("zygote-own-user", "ids that others have, too"),
    ("zygote-no-new-privileges", ""),
    ("zygote-seccomp", ""),
    ("zygote-closed-descriptors", ""),
    ("zygote-environment", ""),
];

/// Layers of copies that are not switched off, and why.
pub const COPY_NEVER_OFF: &[(&str, &str)] = &[(
    "zygote-user-namespace",
    "only nobody may be without one, and copies take control groups, which nobody has",
)];

/// Every trial in copies.
#[rustfmt::skip]
pub const COPY_TRIALS: &[Trial] = &[
    trial("f02_ways_out.py", "absolute", &["zygote-minimal-root"]),
    trial("f02_other_user.py", "a file of another sandbox's user",
        &["zygote-minimal-root", "zygote-own-user"]),
    trial("f03_write_outside.py", "beside the canary",
        &["zygote-minimal-root", "zygote-read-only-root", "landlock"]),
    trial("f04_file_handles.py", "ask for a handle", &["seccomp", "zygote-seccomp"]),
    trial("f08_mounts.py", "fsopen", &["seccomp", "no-capabilities"]),
    trial("f10_bytes.py", "a gibibyte", &["private-files", "memory-limit"]),
    trial("f10_files.py", "a hundred thousand files", &["private-files"]),
    trial("f10_sparse.py", "truncate to an exbibyte", &["rlimit-fsize"]),
    trial("f16_descriptors.py", "descriptors from 3", &["closed-descriptors"]).saw("descriptors"),
    trial("f17_held_directory.py", "read the canary",
        &["closed-descriptors", "zygote-closed-descriptors", "landlock"]),
    trial("f22_links.py", "link to the canary", &["collected-links"]).shows(Success::Collected),
    trial("g01_release_agent.py", "mount memory",
        &["seccomp", "zygote-seccomp", "no-capabilities", "landlock"]),
    trial("g03_ipc.py", "a segment of the host",
        &["seccomp", "zygote-seccomp", "zygote-ipc-namespace"]),
    trial("g03_ipc.py", "make a queue",
        &["seccomp", "zygote-seccomp", "landlock", "rlimit-msgqueue"]),
    trial("g05_many_namespaces.py", "a thousand namespaces", &["seccomp"]),
    trial("i02_environment.py", "variables of the caller", &["zygote-environment"]).saw("saw"),
    trial("i02_environment.py", "name of the host", &["zygote-uts-namespace"]).saw("saw"),
    trial("i03_mounts_and_groups.py", "groups", &["cgroup-namespace"]).saw("saw"),
    trial("i04_own_entries.py", "comm", &["landlock"]),
    trial("i06_residue.py", "files for all", &["mount-namespace"])
        .saw("saw").beside_a_neighbour(),
    trial("i06_residue.py", "files for all", &["own-files"]).saw("saw").beside_a_neighbour(),
    trial("k01_tracing.py", "take a descriptor", &["seccomp", "zygote-seccomp"]),
    trial("k02_io_uring.py", "set up", &["seccomp", "zygote-seccomp"]),
    trial("k05_namespaces.py", "unshare user", &["seccomp"]),
    trial("k08_filters.py", "filter", &["seccomp"]),
    trial("k09_hardware.py", "writable code", &["seccomp", "zygote-seccomp"]),
    // Whoever else has its id is its neighbour; the zygote has another.
    trial("k12_kill_all.py", "kill all", &["pid-namespace", "own-user", "landlock-scopes"])
        .beside_a_neighbour(),
    trial("k13_identity.py", "setresuid", &["seccomp", "no-capabilities"]),
    trial("k13_identity.py", "give a program to root", &["no-capabilities"]),
    trial("k13_identity.py", "bar to new privileges",
        &["zygote-no-new-privileges", "seccomp", "landlock", "landlock-scopes"]).saw("saw"),
    trial("n01_loopback.py", "tcp",
        &["seccomp", "zygote-seccomp", "network-namespace", "zygote-network-namespace",
          "landlock"]),
    trial("n04_unix_sockets.py", "abstract name",
        &["network-namespace", "zygote-network-namespace", "landlock-scopes"]),
    trial("n04_unix_sockets.py", "path", &["zygote-minimal-root"]),
    trial("p04_exec_chain.py", "take the name", &["landlock"]),
    trial("p05_crashes.py", "core files", &["rlimit-core"]),
    trial("r01_forks.py", "a hundred and fifty children", &["process-limit"]),
    trial("r01_forks.py", "a hundred and fifty children", &["own-groups"]),
    trial("r01_forks.py", "a hundred and fifty zombies", &["process-limit", "rlimit-nproc"])
        .limits(&[("processes", "16")]),
    trial("r02_little.py", "three hundred mebibytes", &["memory-limit"])
        .limits(&[("memory", "\"256MiB\"")]),
    trial("r02_little.py", "three hundred mebibytes", &["own-groups"])
        .limits(&[("memory", "\"256MiB\"")]),
    trial("r02_objects.py", "two thousand timers", &["rlimit-sigpending"]),
    trial("r02_populate.py", "mlock", &["rlimit-memlock"]),
    trial("r03_share.py", "more than was granted", &["cpu-limit"]).saw("got")
        .limits(&[("cpu_percent", "25")]).options(&["--env", "GRANTED=0.25"]),
    trial("r03_share.py", "more than was granted", &["own-groups"]).saw("got")
        .limits(&[("cpu_percent", "25")]).options(&["--env", "GRANTED=0.25"]),
    trial("r03_time.py", "four seconds of processor time", &["cpu-clock", "rlimit-cpu"])
        .limits(&[("cpu_time", "\"1s\"")]),
    trial("r04_three_seconds.py", "three seconds", &["wall-clock"])
        .limits(&[("wall_time", "\"1s\"")]),
    trial("r05_bounds.py", "three hundred descriptors", &["rlimit-nofile"]),
    trial("r05_bounds.py", "two thousand signals", &["rlimit-sigpending"]),
    trial("r05_bounds.py", "a larger stack", &["rlimit-stack"]),
    trial("r06_little.py", "seventeen mebibytes", &["output-cap"]),
    trial("t01_clocks.py", "unshare time", &["seccomp", "no-capabilities"]),
    trial("t03_names.py", "sethostname", &["seccomp", "zygote-seccomp", "no-capabilities"]),
    trial("x03_neighbour.py", "a file of a neighbour", &["mount-namespace"]).beside_a_neighbour(),
    trial("x03_neighbour.py", "a file of a neighbour", &["own-files"]).beside_a_neighbour(),
    trial("x03_neighbour.py", "a socket of a neighbour",
        &["network-namespace", "landlock-scopes"]).beside_a_neighbour(),
    trial("x03_neighbour.py", "processes of a neighbour",
        &["pid-namespace", "own-user", "landlock", "landlock-scopes"])
        .saw("saw").beside_a_neighbour(),
    trial("x03_neighbour.py", "processes of a neighbour",
        &["own-proc", "own-user", "landlock", "landlock-scopes"])
        .saw("saw").beside_a_neighbour(),
    trial("x03_neighbour.py", "kill a neighbour",
        &["pid-namespace", "own-user", "landlock-scopes"]).beside_a_neighbour(),
];
