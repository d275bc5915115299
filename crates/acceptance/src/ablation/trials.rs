//! Which attempt is made with which layers missing.
//!
//! Every attempt here was thought through first: with all of its layers off it touches nothing but
//! the canaries, or what exists only inside its own sandbox, and it ends by itself.

/// An attempt, and every layer that stands in its way.
#[derive(Debug, Clone, Copy)]
pub struct Trial {
    /// A program of the escape tests.
    pub program: &'static str,
    /// The only attempt it makes.
    pub attempt: &'static str,
    /// What has to be off for it to work.
    pub layers: &'static [&'static str],
    /// How it shows that it worked.
    pub success: Success,
    /// Options of `atoll run`.
    pub options: &'static [&'static str],
    /// Limits that differ from the usual ones.
    pub limits: &'static [(&'static str, &'static str)],
    /// Whether Atoll runs as root of a user namespace that is nobody on the host.
    pub nobody: bool,
    /// Whether another sandbox is beside it, which only copies can have.
    pub neighbour: bool,
}

/// What shows that an attack worked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Success {
    /// The attempt says so.
    Done,
    /// The attempt tells what it saw, in words that begin like this.
    Saw(&'static str),
    /// A process goes on after the run.
    Outlives,
    /// The canary's content was collected.
    Collected,
    /// Nothing is run at all: what is off cannot be missing.
    Refused,
}

pub(super) const fn trial(
    program: &'static str,
    attempt: &'static str,
    layers: &'static [&'static str],
) -> Trial {
    Trial {
        program,
        attempt,
        layers,
        success: Success::Done,
        options: &[],
        limits: &[],
        nobody: false,
        neighbour: false,
    }
}

impl Trial {
    pub(super) const fn saw(mut self, words: &'static str) -> Self {
        self.success = Success::Saw(words);
        self
    }

    pub(super) const fn shows(mut self, success: Success) -> Self {
        self.success = success;
        self
    }

    const fn as_nobody(mut self) -> Self {
        self.nobody = true;
        self
    }

    pub(super) const fn beside_a_neighbour(mut self) -> Self {
        self.neighbour = true;
        self
    }

    pub(super) const fn options(mut self, options: &'static [&'static str]) -> Self {
        self.options = options;
        self
    }

    pub(super) const fn limits(mut self, limits: &'static [(&'static str, &'static str)]) -> Self {
        self.limits = limits;
        self
    }
}

/// Every layer that can be switched off, and what goes with it.
pub const LAYERS: &[(&str, &str)] = &[
    (
        "user-namespace",
        "as root of one that is nobody on the host",
    ),
    (
        "mount-namespace",
        "then nothing can be built, and nothing runs",
    ),
    ("minimal-root", "a directory of the host is shown"),
    ("read-only-root", ""),
    ("private-files", "its limits"),
    (
        "pid-namespace",
        "and /proc, which the kernel mounts for own ones only",
    ),
    ("network-namespace", ""),
    ("ipc-namespace", ""),
    ("uts-namespace", ""),
    ("cgroup-namespace", ""),
    ("own-user", "ids that others have, too"),
    (
        "no-capabilities",
        "user 0 of its namespace: to leave it would drop them",
    ),
    (
        "no-new-privileges",
        "seccomp needs it, and Landlock sets it itself",
    ),
    ("seccomp", ""),
    ("landlock", "files and TCP"),
    ("landlock-scopes", ""),
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
    ("closed-descriptors", ""),
    ("environment", ""),
    ("collected-links", "links are followed"),
];

/// Layers that are not switched off, and why.
pub const NEVER_OFF: &[(&str, &str)] = &[(
    "rlimit-rtprio, rlimit-nice",
    "what a process inherits is zero already, and nobody here may raise it",
)];

/// Every trial.
#[rustfmt::skip]
pub const TRIALS: &[Trial] = &[
    trial("f02_ways_out.py", "absolute", &["minimal-root"]),
    trial("f02_other_user.py", "a file of another sandbox's user", &["minimal-root", "own-user"]),
    trial("f02_other_user.py", "a file of another sandbox's user",
        &["minimal-root", "no-capabilities", "user-namespace"]).as_nobody(),
    trial("f03_write_outside.py", "own directory", &["mount-namespace"]).shows(Success::Refused),
    trial("f03_write_outside.py", "beside the canary",
        &["minimal-root", "read-only-root", "landlock"]),
    trial("f04_file_handles.py", "ask for a handle", &["seccomp"]),
    trial("f05_devices.py", "make a pipe", &["seccomp"]),
    trial("f07_chroot.py", "chroot", &["seccomp", "no-capabilities"]),
    trial("f08_mounts.py", "mount tmpfs", &["seccomp", "no-capabilities", "landlock"]),
    trial("f09_pivot_root.py", "pivot_root on itself",
        &["seccomp", "no-capabilities", "landlock"]),
    trial("f10_bytes.py", "a gibibyte", &["private-files", "memory-limit"]),
    trial("f10_files.py", "a hundred thousand files", &["private-files"]),
    trial("f10_sparse.py", "truncate to an exbibyte", &["rlimit-fsize"]),
    trial("f12_watches.py", "one watcher", &["seccomp"]),
    trial("f14_undeletable.py", "user attribute", &["seccomp"]),
    trial("f16_descriptors.py", "descriptors from 3", &["closed-descriptors"]).saw("descriptors"),
    trial("f17_held_directory.py", "read the canary", &["closed-descriptors", "landlock"]),
    trial("f22_links.py", "link to the canary", &["collected-links"]).shows(Success::Collected),
    trial("i02_environment.py", "variables of the caller", &["environment"]).saw("saw"),
    trial("i02_environment.py", "name of the host", &["uts-namespace"]).saw("saw"),
    trial("i03_mounts_and_groups.py", "groups", &["cgroup-namespace"]).saw("saw"),
    trial("i04_own_entries.py", "comm", &["landlock"]),
    trial("k01_tracing.py", "take a descriptor", &["seccomp"]),
    trial("k02_io_uring.py", "set up", &["seccomp"]),
    trial("k04_keys.py", "join a session", &["seccomp"]),
    trial("k05_namespaces.py", "unshare user", &["seccomp"]),
    trial("k07_other_tables.py", "32-bit getpid", &["seccomp"]),
    trial("k08_filters.py", "filter", &["seccomp"]),
    trial("k09_hardware.py", "writable code", &["seccomp"]),
    trial("k10_families.py", "netlink", &["seccomp"]),
    trial("k12_signals.py", "kill the host's process",
        &["pid-namespace", "own-user", "landlock-scopes"]),
    trial("k13_identity.py", "setuid", &["seccomp", "no-capabilities"]),
    trial("k13_identity.py", "give a program to root", &["no-capabilities"]),
    trial("k13_identity.py", "bar to new privileges",
        &["no-new-privileges", "seccomp", "landlock", "landlock-scopes"]).saw("saw"),
    trial("g01_release_agent.py", "mount memory", &["seccomp", "no-capabilities", "landlock"]),
    trial("g03_ipc.py", "a segment of the host", &["seccomp", "ipc-namespace"]),
    trial("g03_ipc.py", "make a queue", &["seccomp", "landlock", "rlimit-msgqueue"]),
    trial("g05_many_namespaces.py", "a thousand namespaces", &["seccomp"]),
    trial("n01_loopback.py", "tcp", &["seccomp", "network-namespace", "landlock"]),
    trial("n02_names.py", "a server of names", &["seccomp", "network-namespace"]),
    trial("n04_unix_sockets.py", "abstract name", &["network-namespace", "landlock-scopes"]),
    trial("n04_unix_sockets.py", "path", &["minimal-root"]),
    trial("n08_configuration.py", "netlink route", &["seccomp"]),
    trial("p01_daemon.py", "daemon", &["pid-namespace"]).shows(Success::Outlives),
    trial("p02_zombies.py", "a thousand zombies", &["process-limit", "rlimit-nproc"]),
    trial("p04_exec_chain.py", "take the name", &["landlock"]),
    trial("p05_crashes.py", "core files", &["rlimit-core"]),
    trial("r01_forks.py", "a hundred and fifty children", &["process-limit"]),
    trial("r01_forks.py", "a hundred and fifty zombies", &["process-limit", "rlimit-nproc"])
        .limits(&[("processes", "16")]),
    trial("r02_little.py", "three hundred mebibytes", &["memory-limit"])
        .limits(&[("memory", "\"256MiB\"")]),
    trial("r02_objects.py", "two thousand timers", &["rlimit-sigpending"]),
    trial("r02_populate.py", "mlock", &["rlimit-memlock"]),
    trial("r02_shared_memory.py", "shmget", &["seccomp"]),
    trial("r03_priorities.py", "a thousand threads", &["process-limit", "rlimit-nproc"]),
    trial("r03_share.py", "more than was granted", &["cpu-limit"]).saw("got")
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
    trial("t03_names.py", "sethostname", &["seccomp", "no-capabilities"]),
];

/// Programs without a trial, and why.
#[rustfmt::skip]
pub const UNTRIED: &[(&str, &str)] = &[
    ("d01_false_frames.py", "no layer: output is never read as anything else"),
    ("d03_false_endings.py", "no layer: what a program claims is never asked for"),
    ("f06_links.py", "no layer: links and renames never cross mounts"),
    ("f10_deep.py", "no layer: the kernel's own bounds on names and paths"),
    ("f11_own_program.py", "would change the host's interpreter; f03 stands for it"),
    ("f27_poison.py", "would change the host's libraries; f03 stands for it"),
    ("f15_own_executable.py", "would change the host's interpreter; f03 stands for it"),
    ("g02_group_files.py", "would show the host's groups; f02 stands for it"),
    ("i01_other_processes.py", "would show the host's processes; k12_signals stands for it"),
    ("i06_residue.py", "only copies have a neighbour: tried in those"),
    ("i05_firmware.py", "would show the host's /sys; f02 stands for it"),
    ("k03_privileged.py", "its arguments are wrong on purpose: it must not work anywhere"),
    ("k07_every_call.py", "makes every call: k01 to k10 stand for it"),
    ("k12_kill_all.py", "aims at everything; tried in copies, where that is a neighbour"),
    ("k07_garbage.py", "makes any call: k01 to k10 stand for it"),
    ("k16_names.py", "no layer: names are escaped where they are shown"),
    ("p03_orphans.py", "no attack"),
    ("next_job.py", "no attack"),
    ("p05_ending.py", "no attack"),
    ("r02_buffers_in_children.py", "takes as much as there is; r02_little stands for it"),
    ("r02_many_memfds.py", "takes two gibibytes; r02_little stands for it"),
    ("r02_memfd.py", "takes four gibibytes; f10_sparse stands for it"),
    ("r02_pipes.py", "takes as much as there is; r05_bounds stands for it"),
    ("r03_busy.py", "never ends; r04_three_seconds stands for it"),
    ("r04_deaf.py", "never ends; r04_three_seconds stands for it"),
    ("r04_stopped.py", "never ends; r04_three_seconds stands for it"),
    ("r04_waiting.py", "never ends; r04_three_seconds stands for it"),
    ("r05_descriptors.py", "takes as many as there are; r05_bounds stands for it"),
    ("r06_flood.py", "never ends; r06_little stands for it"),
    ("r06_flood_afterwards.py", "never ends; p01_daemon stands for it"),
    ("x03_neighbour.py", "only copies have a neighbour: tried in those"),
    ("x02_shared_files.py", "no layer alone: the kernel tells only the file's owner"),
];
