//! Where a level with a kernel of its own answers otherwise than the level `process`, and why that
//! does no harm. Whatever is answered there, the host is looked at as it is at `process`.

/// The level that is attacked: `process`, or what `ATOLL_ATTACKED_LEVEL` says.
pub(crate) fn level() -> String {
    std::env::var("ATOLL_ATTACKED_LEVEL").unwrap_or_else(|_| "process".to_owned())
}

/// Attempts of a program, or all of them, and its end.
const ALL: &[&str] = &["*"];

/// What gVisor's kernel does itself, for the programs of one container.
const ITS_OWN: &str = "the container's kernel does it for the container alone";

/// What gVisor's kernel bounds by nothing but the memory that its container has.
const IN_ITS_MEMORY: &str = "it is the container's own memory, which is limited from outside";

/// The agent is in the machine or container with the program, and holds no secret.
const AGENT: &str = "it is the agent that is seen";

/// The guest's kernel may be too old for it, and what is mounted read-only answers then.
const NO_LANDLOCK: &str = "the file system refuses what Landlock would have";

/// The limit is met all the same.
const SLOW_START: &str = "an emulated interpreter takes longer to start than the program has";

/// At which level, which attempts of which program, and why they may be answered otherwise.
const DIFFERENCES: &[(&str, &str, &[&str], &str)] = &[
    (
        "gvisor",
        "f05_devices.py",
        &["fuse", "make a pipe", "net/tun", "ptmx"],
        ITS_OWN,
    ),
    ("gvisor", "f12_watches.py", &["one watcher"], ITS_OWN),
    (
        "gvisor",
        "f16_descriptors.py",
        &["descriptors of the first process"],
        AGENT,
    ),
    ("gvisor", "g01_release_agent.py", ALL, ITS_OWN),
    ("gvisor", "g03_ipc.py", &["make a queue"], ITS_OWN),
    ("gvisor", "g05_many_namespaces.py", ALL, ITS_OWN),
    (
        "gvisor",
        "i01_other_processes.py",
        &["/proc/1/cmdline", "/proc/1/environ", "/proc/1/maps"],
        AGENT,
    ),
    (
        "gvisor",
        "i01_other_processes.py",
        &["/proc/sys/kernel/hostname", "kernel log"],
        ITS_OWN,
    ),
    (
        "gvisor",
        "i03_mounts_and_groups.py",
        &["groups", "own limits"],
        ITS_OWN,
    ),
    ("gvisor", "i04_own_entries.py", &["oom_score_adj"], ITS_OWN),
    ("gvisor", "i05_firmware.py", ALL, ITS_OWN),
    (
        "gvisor",
        "k01_tracing.py",
        &["be traced", "open itself"],
        ITS_OWN,
    ),
    ("gvisor", "k02_io_uring.py", &["set up"], ITS_OWN),
    ("gvisor", "k05_namespaces.py", ALL, ITS_OWN),
    ("gvisor", "k08_filters.py", ALL, ITS_OWN),
    ("gvisor", "k09_hardware.py", &["writable code"], ITS_OWN),
    ("gvisor", "k10_families.py", ALL, ITS_OWN),
    (
        "gvisor",
        "k13_identity.py",
        &["setreuid to itself", "bar to new privileges"],
        ITS_OWN,
    ),
    (
        "gvisor",
        "n01_loopback.py",
        &["udp", "names of interfaces"],
        ITS_OWN,
    ),
    ("gvisor", "n02_names.py", &["a server of names"], ITS_OWN),
    ("gvisor", "n08_configuration.py", ALL, ITS_OWN),
    (
        "gvisor",
        "p03_orphans.py",
        &["be left others' children"],
        ITS_OWN,
    ),
    ("gvisor", "r02_populate.py", &["huge pages"], ITS_OWN),
    ("gvisor", "r02_shared_memory.py", &["shmget"], ITS_OWN),
    (
        "gvisor",
        "r03_priorities.py",
        &["nice", "setpriority", "priority of others"],
        ITS_OWN,
    ),
    ("gvisor", "r04_waiting.py", &["make a pipe"], ITS_OWN),
    ("gvisor", "t01_clocks.py", &["unshare time"], ITS_OWN),
    (
        "gvisor",
        "x02_shared_files.py",
        &["pages in memory"],
        ITS_OWN,
    ),
    (
        "gvisor",
        "x03_neighbour.py",
        &["processes of a neighbour"],
        AGENT,
    ),
    ("gvisor", "f14_undeletable.py", &["no permissions"], ITS_OWN),
    (
        "gvisor",
        "r02_objects.py",
        &["two thousand timers", "a hundred thousand maps"],
        IN_ITS_MEMORY,
    ),
    (
        "gvisor",
        "r05_descriptors.py",
        &["in flight"],
        IN_ITS_MEMORY,
    ),
    (
        "vm",
        "f11_own_program.py",
        &["write to the interpreter"],
        NO_LANDLOCK,
    ),
    (
        "vm",
        "f15_own_executable.py",
        &["write self", "write by a held descriptor"],
        NO_LANDLOCK,
    ),
    (
        "vm",
        "f06_links.py",
        &["link a setuid program"],
        "there is no such program in a machine",
    ),
    (
        "vm",
        "k13_identity.py",
        &["run a setuid program"],
        "there is no such program in a machine",
    ),
    (
        "vm",
        "r03_time.py",
        &["four seconds of processor time"],
        SLOW_START,
    ),
    ("vm", "r04_three_seconds.py", &["three seconds"], SLOW_START),
];

/// Why an attempt, or the `end` of a program, may be answered otherwise at the attacked level.
pub(crate) fn why(program: &str, attempt: &str) -> Option<&'static str> {
    let level = level();
    let mut fitting = DIFFERENCES.iter().filter(|(at, of, attempts, _)| {
        *at == level && *of == program && (*attempts == ALL || attempts.contains(&attempt))
    });
    fitting.next().map(|(.., why)| *why)
}

/// Whether the program's calls pass the filter of the level `process`.
pub(crate) fn is_filtered() -> bool {
    level() != "gvisor"
}

/// Whether a kernel of the program's own says no in words of its own: any error is one.
pub(crate) fn is_other_kernel() -> bool {
    level() != "process"
}
