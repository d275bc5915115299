//! What to install or enable for each mechanism.

use atoll_types::Layer;

/// What helps where a mechanism is missing.
pub(super) const fn for_layer(layer: Layer) -> &'static str {
    match layer {
        Layer::UserNamespace => {
            "allow user namespaces: `sysctl user.max_user_namespaces` must not be 0, and on \
             Debian and Ubuntu `kernel.unprivileged_userns_clone` and \
             `kernel.apparmor_restrict_unprivileged_userns` must allow them; or run as root"
        }
        Layer::MountNamespace
        | Layer::PidNamespace
        | Layer::NetworkNamespace
        | Layer::IpcNamespace
        | Layer::UtsNamespace
        | Layer::CgroupNamespace => {
            "use a kernel with this namespace (CONFIG_NAMESPACES and its parts); inside a \
             container, give it the capability SYS_ADMIN or allow nested namespaces"
        }
        Layer::ReadOnlyRoot | Layer::PrivateFiles => {
            "allow mounting in an own namespace: inside a container, give it the capability \
             SYS_ADMIN and a seccomp profile that allows mount and pivot_root"
        }
        Layer::OwnUser => "run as root",
        Layer::NoCapabilities | Layer::NoNewPrivileges => {
            "use Linux 5.13 or newer, and a seccomp profile around Atoll that allows prctl"
        }
        Layer::Seccomp => "use a kernel with CONFIG_SECCOMP_FILTER",
        Layer::Landlock => {
            "use a kernel with CONFIG_SECURITY_LANDLOCK and `landlock` in the boot parameter \
             lsm= (Linux 5.13 or newer)"
        }
        Layer::LandlockScopes => "use Linux 6.12 or newer with Landlock (ABI 6)",
        Layer::ResourceLimits => "allow prlimit for the user who runs Atoll",
        Layer::MemoryLimit | Layer::ProcessLimit | Layer::CpuLimit => {
            "make the memory, pids and cpu cgroups writable: run as root, or as an ordinary user \
             in a group of its own (systemd-run --user --scope -p Delegate=yes atoll ...); inside \
             a container, mount /sys/fs/cgroup read-write"
        }
        Layer::ClosedDescriptors => "use Linux 5.9 or newer (close_range)",
        Layer::WasmInstance => "install atoll-wasm-worker next to the atoll binary",
        Layer::OwnKernel => "no level of this version uses a virtual machine",
    }
}
