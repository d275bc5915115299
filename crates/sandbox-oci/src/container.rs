//! A container in a jail of its own: the runtime that builds it, everything it starts, and what
//! both leave are inside, so that the end of the jail is the end of all of it.
//!
//! ```text
//! jail: own user, mount, process, network, IPC and host name namespaces, own control groups
//!   /usr, ...       what the runtime needs, read-only
//!   /container      the container's root directory, read-only
//!   /work, /tmp     private files; the container's are among them
//!   `- shell -> runtime -> gVisor's kernel -> first process of the container
//! ```
//!
//! What runs in the container, and what is said to it, is not known here.

use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use atoll_jail::seccomp::Profile;
use atoll_jail::{
    Bind, Command, Jail, JailBeginning, JailError, JailFile, JailSpec, Root, Running,
};
use atoll_types::Limits;

use crate::bundle::Configuration;
use crate::runtime::{Platform, Runtime};

/// The container's name for its runtime, which knows no other.
pub(crate) const CONTAINER_NAME: &str = "sandbox";

/// Where the runtime finds the container's configuration.
pub(crate) const BUNDLE: &str = "/tmp/bundle";

/// Where the runtime keeps what it knows of the container.
pub(crate) const STATE: &str = "/tmp/state";

/// The container's root directory.
const ROOT: &str = "container";

/// Where the first process of the container has what is Atoll's, without the leading slash.
const AGENT: &str = "etc/atoll/agent";

const CONFIGURATION: &str = "config.json";

/// The container's writable places: where they are in the jail, and where in the container. All of
/// them are on the file system whose size is limited.
const WRITABLE: [(&str, &str); 3] = [
    ("/work", "/work"),
    ("/tmp/guest", "/tmp"),
    ("/dev/shm", "/dev/shm"),
];

/// Where `/proc` is seen whole: the kernel lets nobody mount another one who sees none.
const WHOLE_PROC: &str = "whole-proc";

/// Makes the places and becomes the runtime.
const SCRIPT: &str = include_str!("start.sh");

/// Bytes and files of the private files that are not the program's: what the runtime keeps, and
/// the directories that are made for it.
const OWN_DISK_BYTES: u64 = 1 << 20;
const OWN_DISK_FILES: u64 = 24;

/// Threads and processes of the runtime itself, on top of those that it makes for each one of the
/// program's.
const OWN_PROCESSES: u32 = 256;

/// gVisor's tracer makes up to about this many threads of the host for each process of a program,
/// when all of its own are busy. How many processes a program has is held inside.
const PROCESSES_FOR_ONE: u32 = 32;

/// Begins to build a container's jail.
pub(crate) fn begin(
    id: &str,
    runtime: &Runtime,
    root: &Root,
    agent: Option<PathBuf>,
) -> Result<JailBeginning, JailError> {
    let spec = JailSpec {
        name: id.to_owned(),
        root: jail_root(runtime, root, agent),
    };
    Jail::begin_runtime(&spec)
}

/// Processors while a container is built, in hundredths: that is work of Atoll's own, and its
/// program's share holds from then on.
const BUILDING_CPU_PERCENT: u32 = 1_000;

/// The limits of a jail in which a container with such limits is built.
pub(crate) fn building_limits(limits: &Limits, own_memory_bytes: u64) -> Limits {
    Limits {
        cpu_percent: BUILDING_CPU_PERCENT.max(limits.cpu_percent),
        ..jail_limits(limits, own_memory_bytes)
    }
}

/// The limits of the jail of a container with such limits.
pub(crate) fn jail_limits(limits: &Limits, own_memory_bytes: u64) -> Limits {
    Limits {
        memory_bytes: limits.memory_bytes.saturating_add(own_memory_bytes),
        processes: limits
            .processes
            .saturating_mul(PROCESSES_FOR_ONE)
            .saturating_add(OWN_PROCESSES),
        disk_bytes: limits.disk_bytes.saturating_add(OWN_DISK_BYTES),
        disk_files: limits.disk_files.saturating_add(OWN_DISK_FILES),
        ..*limits
    }
}

/// Has the runtime build the container in a jail and start `command` there. Answers with the
/// streams of that process.
pub(crate) async fn start(
    jail: &mut Jail,
    runtime: &Runtime,
    platform: Option<Platform>,
    command: &[&str],
    limits: &Limits,
) -> Result<Running, JailError> {
    let root = format!("/{ROOT}");
    let configuration = Configuration::new(command, &root, &WRITABLE, limits).text();
    let configuration = configuration.map_err(internal("write a container's configuration"))?;
    let groups = if runtime.looks_for_groups() {
        "groups"
    } else {
        "none"
    };
    let shell = ["/bin/sh", "-c", SCRIPT, "sh", groups].map(str::to_owned);
    let arguments = shell.into_iter().chain(runtime.arguments(platform));
    let started = jail.start(Command {
        path: b"/bin/sh".to_vec(),
        arguments: arguments.map(String::into_bytes).collect(),
        environment: [
            "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME=/tmp",
            "TMPDIR=/tmp",
            &format!("MEMORY_KIB={}", limits.memory_bytes >> 10),
        ]
        .map(|variable| variable.as_bytes().to_vec())
        .into(),
        files: vec![JailFile {
            name: CONFIGURATION.as_bytes().to_vec(),
            content: configuration.into(),
            executable: false,
        }],
        descriptors: Vec::<OwnedFd>::new(),
        profile: Profile::Runtime,
        calls: Default::default(),
    });
    started.await
}

/// Where the container finds its first process.
pub(crate) fn agent_place() -> String {
    format!("/{AGENT}")
}

/// The jail's root: what the runtime needs, and the container's root below it.
fn jail_root(runtime: &Runtime, root: &Root, agent: Option<PathBuf>) -> Root {
    let inner = |path: &Path| Path::new(ROOT).join(path);
    let mut whole = root.clone();
    whole.proc = true;
    whole.devices = true;
    whole.binds.extend(root.binds.iter().map(|bind| Bind {
        host: bind.host.clone(),
        guest: inner(&bind.guest),
    }));
    whole.links.extend(
        root.links
            .iter()
            .map(|(name, target)| (inner(name), target.clone())),
    );
    whole.texts.extend(
        root.texts
            .iter()
            .map(|(name, text)| (inner(name), text.clone())),
    );
    whole.directories = [
        "proc",
        "sys",
        "dev",
        "dev/shm",
        "dev/pts",
        "dev/mqueue",
        "work",
        "tmp",
    ]
    .map(|name| inner(Path::new(name)))
    .into();
    let own = ["sys/fs/cgroup", WHOLE_PROC].map(PathBuf::from);
    whole.directories.extend(own);
    // Runtimes insist on a terminal, which no container gets.
    whole.texts.push(("dev/tty".into(), String::new()));
    whole.binds.extend(agent.map(|host| Bind {
        host,
        guest: inner(Path::new(AGENT)),
    }));
    let is_there = ["/usr", "/bin", "/sbin"]
        .iter()
        .any(|held| runtime.path.starts_with(held));
    if !is_there {
        let guest = runtime.path.strip_prefix("/").unwrap_or(&runtime.path);
        whole.binds.push(Bind {
            host: runtime.path.clone(),
            guest: guest.to_owned(),
        });
    }
    whole
}

fn internal(attempt: &str) -> impl FnOnce(io::Error) -> JailError {
    let attempt = attempt.to_owned();
    move |error| JailError::Internal(attempt, error)
}
