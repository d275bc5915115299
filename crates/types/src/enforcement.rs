//! What a sandbox really enforces, layer by layer.

use serde::{Deserialize, Serialize};

use crate::Level;

/// The report a sandbox gives about itself before it runs anything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enforcement {
    /// The level this sandbox implements.
    pub level: Level,
    /// One entry for each layer the level is made of.
    pub layers: Vec<LayerReport>,
}

impl Enforcement {
    /// The layers that the level needs and this host could not give.
    pub fn missing(&self) -> impl Iterator<Item = &LayerReport> {
        self.layers
            .iter()
            .filter(|report| report.state == LayerState::Missing)
    }

    /// Whether a layer is in force.
    #[must_use]
    pub fn is_enforced(&self, layer: Layer) -> bool {
        let enforced = |report: &LayerReport| report.state == LayerState::Enforced;
        self.layers
            .iter()
            .any(|report| report.layer == layer && enforced(report))
    }

    /// Whether everything the level promises is in force.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.missing().next().is_none()
    }
}

/// The state of one layer in one sandbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayerReport {
    /// Which layer.
    pub layer: Layer,
    /// Whether it is in force.
    pub state: LayerState,
    /// How it is enforced, or why it is missing and what would help.
    pub detail: String,
}

/// Whether a layer is in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LayerState {
    /// In force.
    Enforced,
    /// Needed by the level and not in force.
    Missing,
}

/// One mechanism of isolation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Layer {
    /// Own user namespace: no capability reaches the host.
    UserNamespace,
    /// Own mount namespace with a new root.
    MountNamespace,
    /// Own process ids; the end of the first process ends all.
    PidNamespace,
    /// Own network without interfaces.
    NetworkNamespace,
    /// Own System V and POSIX message queues and shared memory.
    IpcNamespace,
    /// Own host name.
    UtsNamespace,
    /// Own view of control groups.
    CgroupNamespace,
    /// A root directory that holds only what the program needs, read-only.
    ReadOnlyRoot,
    /// Private writable files with a size limit.
    PrivateFiles,
    /// A user id that nothing else on the host has.
    OwnUser,
    /// No capabilities, and none to be gained.
    NoCapabilities,
    /// Programs started inside cannot gain privileges.
    NoNewPrivileges,
    /// An allowlist of system calls.
    Seccomp,
    /// Landlock rules for files and network.
    Landlock,
    /// Landlock scopes: no signals and abstract sockets to the outside.
    LandlockScopes,
    /// Per-process resource limits.
    ResourceLimits,
    /// Memory of the whole tree.
    MemoryLimit,
    /// Number of processes of the whole tree.
    ProcessLimit,
    /// CPU share and CPU time of the whole tree.
    CpuLimit,
    /// No inherited descriptors.
    ClosedDescriptors,
    /// A WebAssembly instance with its own linear memory.
    WasmInstance,
    /// A virtual machine's own kernel.
    OwnKernel,
}

impl Layer {
    /// The layers that a policy may accept to be missing. Without any other one there is no
    /// boundary left, so there is no running without it.
    pub const DISPENSABLE: [Self; 6] = [
        Self::OwnUser,
        Self::Landlock,
        Self::LandlockScopes,
        Self::MemoryLimit,
        Self::ProcessLimit,
        Self::CpuLimit,
    ];

    /// The name used in JSON and output.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::UserNamespace => "user-namespace",
            Self::MountNamespace => "mount-namespace",
            Self::PidNamespace => "pid-namespace",
            Self::NetworkNamespace => "network-namespace",
            Self::IpcNamespace => "ipc-namespace",
            Self::UtsNamespace => "uts-namespace",
            Self::CgroupNamespace => "cgroup-namespace",
            Self::ReadOnlyRoot => "read-only-root",
            Self::PrivateFiles => "private-files",
            Self::OwnUser => "own-user",
            Self::NoCapabilities => "no-capabilities",
            Self::NoNewPrivileges => "no-new-privileges",
            Self::Seccomp => "seccomp",
            Self::Landlock => "landlock",
            Self::LandlockScopes => "landlock-scopes",
            Self::ResourceLimits => "resource-limits",
            Self::MemoryLimit => "memory-limit",
            Self::ProcessLimit => "process-limit",
            Self::CpuLimit => "cpu-limit",
            Self::ClosedDescriptors => "closed-descriptors",
            Self::WasmInstance => "wasm-instance",
            Self::OwnKernel => "own-kernel",
        }
    }
}
