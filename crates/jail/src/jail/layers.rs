//! What is in force in a jail, layer by layer.

use atoll_types::{Layer, LayerReport, LayerState};

use crate::host::host;
use crate::seccomp::Profile;

/// The profile that is in force for what was asked: where nothing can keep a program from becoming
/// another one, that is let through and said.
pub(super) fn in_force(profile: Profile) -> Profile {
    match profile {
        Profile::Strict if !host().low_page => Profile::StrictOrReplaced,
        _ => profile,
    }
}

/// Whether a program of this profile can see anything of its network namespace.
pub(crate) fn sees_network(profile: Profile) -> bool {
    !profile.is_strict()
}

pub(super) const SHARED: &str =
    "one for all copies of one interpreter, none of which has a system call for it";
pub(super) const SHARED_NETWORK: &str = "no interface is up; one for all copies of one interpreter, none of \
                              which has a socket";

pub(super) const ONE_PORT: &str =
    "only the loopback interface is up; one port, and whoever answers there is outside";
pub(super) const ONE_PORT_FILES: &str = "files and TCP, but for one port";

/// Every layer of the jails of this host.
pub(crate) fn layers(profile: Profile) -> Vec<LayerReport> {
    let host = host();
    let cgroups = host.hierarchies.describe();
    let report = |(layer, detail): (Layer, &str)| {
        let lacking = host.lacks.iter().find(|report| report.layer == layer);
        lacking.cloned().unwrap_or_else(|| LayerReport {
            layer,
            state: LayerState::Enforced,
            detail: match layer {
                Layer::Seccomp => in_force(profile).describe(),
                _ if detail.is_empty() => cgroups.clone(),
                _ => detail.to_owned(),
            },
        })
    };
    LAYERS.map(report).into()
}

/// Every layer of a jail and how it is enforced; an empty text stands for the host's
/// cgroups, or for the system calls of the program.
pub(crate) const LAYERS: [(Layer, &str); 20] = [
    (
        Layer::UserNamespace,
        "no capability inside means anything outside",
    ),
    (Layer::MountNamespace, "own mounts, entered with pivot_root"),
    (
        Layer::PidNamespace,
        "own process ids; the end of the first process ends all",
    ),
    (Layer::NetworkNamespace, "no interface is up"),
    (Layer::IpcNamespace, "own System V IPC and message queues"),
    (Layer::UtsNamespace, "own host name"),
    (
        Layer::CgroupNamespace,
        "own group as the root of what is visible",
    ),
    (
        Layer::ReadOnlyRoot,
        "a tmpfs with read-only binds of what the program needs",
    ),
    (
        Layer::PrivateFiles,
        "a tmpfs with limits on bytes and files",
    ),
    (Layer::OwnUser, "ids that nothing else on this host has"),
    (
        Layer::NoCapabilities,
        "all sets empty, bounding set included",
    ),
    (Layer::NoNewPrivileges, "no_new_privs"),
    (Layer::Seccomp, ""),
    (Layer::Landlock, "files and TCP"),
    (Layer::LandlockScopes, "signals and abstract sockets"),
    (Layer::ResourceLimits, "setrlimit for each process"),
    (Layer::MemoryLimit, ""),
    (Layer::ProcessLimit, ""),
    (Layer::CpuLimit, ""),
    (
        Layer::ClosedDescriptors,
        "nothing is inherited but the standard streams",
    ),
];
