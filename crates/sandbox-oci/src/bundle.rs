//! What a container is made of, as the OCI runtime specification has it.
//!
//! Only the fields that are used: <https://github.com/opencontainers/runtime-spec>. The container's
//! root directory and its writable places are those of its jail; nothing else of the host is in it.

use atoll_types::Limits;
use serde::Serialize;

/// The version of the specification, which every runtime of the last years knows.
const VERSION: &str = "1.0.2";

/// `config.json`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Configuration {
    oci_version: &'static str,
    process: Process,
    root: Root,
    hostname: &'static str,
    mounts: Vec<Mount>,
    linux: Linux,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Process {
    terminal: bool,
    user: User,
    args: Vec<String>,
    env: Vec<String>,
    cwd: &'static str,
    capabilities: Capabilities,
    rlimits: Vec<ResourceLimit>,
    no_new_privileges: bool,
}

#[derive(Debug, Serialize)]
struct User {
    uid: u32,
    gid: u32,
}

#[derive(Debug, Serialize)]
struct Capabilities {
    bounding: Vec<&'static str>,
    effective: Vec<&'static str>,
    permitted: Vec<&'static str>,
}

#[derive(Debug, Serialize)]
struct ResourceLimit {
    #[serde(rename = "type")]
    name: &'static str,
    soft: u64,
    hard: u64,
}

#[derive(Debug, Serialize)]
struct Root {
    path: String,
    readonly: bool,
}

#[derive(Debug, Serialize)]
struct Mount {
    destination: String,
    #[serde(rename = "type")]
    kind: &'static str,
    source: String,
    options: Vec<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Linux {
    namespaces: Vec<Namespace>,
    masked_paths: Vec<&'static str>,
    readonly_paths: Vec<&'static str>,
}

#[derive(Debug, Serialize)]
struct Namespace {
    #[serde(rename = "type")]
    kind: &'static str,
}

/// What the first process may do inside: become the program's user, end it, and give it its files.
const CAPABILITIES: [&str; 6] = [
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_FOWNER",
    "CAP_KILL",
    "CAP_SETGID",
    "CAP_SETUID",
];

/// What `/proc` would tell of the host, where the runtime does not make one up.
const MASKED: [&str; 8] = [
    "/proc/acpi",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/proc/timer_list",
    "/sys/firmware",
];

const READ_ONLY: [&str; 5] = [
    "/proc/bus",
    "/proc/fs",
    "/proc/irq",
    "/proc/sys",
    "/proc/sysrq-trigger",
];

impl Configuration {
    /// A container whose first process is `command`, with `root` as its root directory and
    /// `writable` places: where they are in the jail, and where in the container.
    pub(crate) fn new(
        command: &[&str],
        root: &str,
        writable: &[(&str, &str)],
        limits: &Limits,
    ) -> Self {
        let mut mounts = vec![
            mount("/proc", "proc", "proc", &["nosuid", "noexec", "nodev"]),
            mount(
                "/dev",
                "tmpfs",
                "tmpfs",
                &["nosuid", "strictatime", "mode=755", "size=65536k"],
            ),
        ];
        mounts.extend(
            writable
                .iter()
                .map(|(source, place)| mount(place, "bind", source, &["rbind", "rw", "nosuid"])),
        );
        Self {
            oci_version: VERSION,
            process: Process {
                terminal: false,
                user: User { uid: 0, gid: 0 },
                args: command.iter().map(|&part| part.to_owned()).collect(),
                env: vec!["PATH=/usr/local/bin:/usr/bin:/bin".to_owned()],
                cwd: "/",
                capabilities: Capabilities {
                    bounding: CAPABILITIES.into(),
                    effective: CAPABILITIES.into(),
                    permitted: CAPABILITIES.into(),
                },
                rlimits: resource_limits(limits),
                no_new_privileges: true,
            },
            root: Root {
                path: root.to_owned(),
                readonly: true,
            },
            hostname: "atoll",
            mounts,
            linux: Linux {
                namespaces: ["pid", "network", "ipc", "uts", "mount"]
                    .map(|kind| Namespace { kind })
                    .into(),
                masked_paths: MASKED.into(),
                readonly_paths: READ_ONLY.into(),
            },
        }
    }

    /// The text of the file.
    pub(crate) fn text(&self) -> std::io::Result<Vec<u8>> {
        Ok(serde_json::to_vec(self)?)
    }
}

/// The program's resource limits, as far as they hold for the first process as well: that is
/// started with them, and the program inherits them.
fn resource_limits(limits: &Limits) -> Vec<ResourceLimit> {
    let bound = |name, value| ResourceLimit {
        name,
        soft: value,
        hard: value,
    };
    vec![
        bound("RLIMIT_CORE", 0),
        bound("RLIMIT_STACK", 8 << 20),
        // The first process has a few descriptors of its own.
        bound("RLIMIT_NOFILE", u64::from(limits.open_files).max(64)),
    ]
}

fn mount(destination: &str, kind: &'static str, source: &str, options: &[&str]) -> Mount {
    Mount {
        destination: destination.to_owned(),
        kind,
        source: source.to_owned(),
        options: options.iter().map(|&option| option.to_owned()).collect(),
    }
}
