//! Layers that are left out on purpose, to see which attacks notice.
//!
//! Only a build with the feature `ablation` knows how; it is made by `make ablation`, in a place of
//! its own, and is never installed. In every other build nothing is ever off, and the compiler
//! removes what asks. Owns the names of the parts and the variables that list those to leave out:
//! one for the jails that the launcher builds, zygotes among them, and one for their copies.

use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{PermissionsExt as _, chown};

use rustix::process::Resource;

use crate::Bind;
use crate::plan::{DiskLimits, GUEST_ID, WORK_DIRECTORY};
use atoll_types::Limits;

/// What can be left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// The root holds a directory of the host that the program does not need.
    MinimalRoot,
    /// Nothing in the root is read-only.
    ReadOnlyRoot,
    /// The private files have no limits.
    PrivateFiles,
    /// The ids and the capabilities of whoever made the jail.
    UserNamespace,
    /// The mounts of whoever made the jail.
    MountNamespace,
    /// The host's process ids; the kernel mounts no `/proc` for them, so there is none. A copy has
    /// those of its zygote.
    PidNamespace,
    /// The network of whoever started Atoll.
    NetworkNamespace,
    /// The IPC objects of whoever started Atoll.
    IpcNamespace,
    /// The host's name.
    UtsNamespace,
    /// The host's control groups as names.
    CgroupNamespace,
    /// Ids that others have, too.
    OwnUser,
    /// The program stays user 0 of its namespace, with every capability there.
    NoCapabilities,
    /// Nothing forbids new privileges, as far as Landlock does not need it.
    NoNewPrivileges,
    /// No filter of system calls.
    Seccomp,
    /// No rules for files and TCP.
    Landlock,
    /// No scopes.
    LandlockScopes,
    /// No bound on memory.
    MemoryLimit,
    /// No bound on processes.
    ProcessLimit,
    /// No bound on the share of processors.
    CpuLimit,
    /// CPU time is not looked at.
    CpuClock,
    /// Descriptors stay open.
    ClosedDescriptors,
    /// The caller's variables are handed on.
    Environment,
    /// Links are followed when files are collected.
    CollectedLinks,
    /// A copy has the files of its zygote.
    OwnFiles,
    /// A copy has the `/proc` of its zygote.
    OwnProc,
    /// A copy stays in the control groups of its zygote.
    OwnGroups,
    /// One of the bounds of setrlimit(2).
    ResourceLimit(Resource),
}

#[cfg(feature = "ablation")]
mod chosen {
    //! Reads what is to be left out.

    use super::Part;

    /// Names the parts to leave out, separated by commas.
    const VARIABLE: &str = "ATOLL_ABLATION";

    /// Names those that copies leave out. A zygote hears of it by the variable above.
    const OF_COPIES: &str = "ATOLL_ABLATION_COPIES";

    /// Names the directory that a root that is not minimal shows.
    const SHOWN: &str = "ATOLL_ABLATION_SHOWN";

    /// Every part that has a name of its own.
    const NAMES: [(&str, Part); 26] = [
        ("user-namespace", Part::UserNamespace),
        ("minimal-root", Part::MinimalRoot),
        ("read-only-root", Part::ReadOnlyRoot),
        ("private-files", Part::PrivateFiles),
        ("mount-namespace", Part::MountNamespace),
        ("pid-namespace", Part::PidNamespace),
        ("network-namespace", Part::NetworkNamespace),
        ("ipc-namespace", Part::IpcNamespace),
        ("uts-namespace", Part::UtsNamespace),
        ("cgroup-namespace", Part::CgroupNamespace),
        ("own-user", Part::OwnUser),
        ("no-capabilities", Part::NoCapabilities),
        ("no-new-privileges", Part::NoNewPrivileges),
        ("seccomp", Part::Seccomp),
        ("landlock", Part::Landlock),
        ("landlock-scopes", Part::LandlockScopes),
        ("memory-limit", Part::MemoryLimit),
        ("process-limit", Part::ProcessLimit),
        ("cpu-limit", Part::CpuLimit),
        ("cpu-clock", Part::CpuClock),
        ("closed-descriptors", Part::ClosedDescriptors),
        ("environment", Part::Environment),
        ("collected-links", Part::CollectedLinks),
        ("own-files", Part::OwnFiles),
        ("own-proc", Part::OwnProc),
        ("own-groups", Part::OwnGroups),
    ];

    fn list(variable: &str) -> Vec<String> {
        let text = std::env::var(variable).unwrap_or_default();
        let names = text.split(',').filter(|name| !name.is_empty());
        names.map(str::to_owned).collect()
    }

    pub(super) fn is_off(part: Part) -> bool {
        let own = match part {
            Part::ResourceLimit(resource) => format!("rlimit-{resource:?}").to_lowercase(),
            _ => {
                let known = NAMES.iter().find(|(_, known)| *known == part);
                known.map_or_else(String::new, |(name, _)| (*name).to_owned())
            }
        };
        list(VARIABLE).contains(&own)
    }

    /// The first name that is none; a misspelt part must not pass for one that is off.
    pub(super) fn unknown() -> Option<String> {
        let known = |name: &str| {
            name.starts_with("rlimit-") || NAMES.iter().any(|(known, _)| *known == name)
        };
        let mut all = [VARIABLE, OF_COPIES].into_iter().flat_map(list);
        all.find(|name| !known(name))
    }

    /// What a zygote has to know.
    pub(super) fn variable_of_copies() -> Option<Vec<u8>> {
        let left_out = std::env::var(OF_COPIES).ok()?;
        Some(format!("{VARIABLE}={left_out}").into_bytes())
    }

    /// What the launcher has to know.
    pub(super) fn variables() -> Vec<(&'static str, std::ffi::OsString)> {
        let value = |name| std::env::var_os(name).map(|value| (name, value));
        [VARIABLE, SHOWN].into_iter().filter_map(value).collect()
    }

    pub(super) fn shown() -> Option<std::path::PathBuf> {
        std::env::var_os(SHOWN).map(Into::into)
    }
}

#[cfg(not(feature = "ablation"))]
mod chosen {
    //! Nothing is ever left out.

    use super::Part;

    pub(super) const fn is_off(_: Part) -> bool {
        false
    }

    pub(super) const fn unknown() -> Option<String> {
        None
    }

    pub(super) const fn variable_of_copies() -> Option<Vec<u8>> {
        None
    }

    pub(super) const fn variables() -> [(&'static str, &'static str); 0] {
        []
    }

    pub(super) const fn shown() -> Option<std::path::PathBuf> {
        None
    }
}

/// Whether a part is left out.
pub(crate) fn is_off(part: Part) -> bool {
    chosen::is_off(part)
}

/// Refuses names that no part has.
pub(crate) fn check() -> io::Result<()> {
    chosen::unknown().map_or(Ok(()), |name| {
        Err(io::Error::other(format!("no part is called {name}")))
    })
}

/// Hands what is to be left out on to the launcher.
pub(crate) fn tell(launcher: &mut std::process::Command) {
    launcher.envs(chosen::variables());
}

/// The namespaces that remain.
pub(crate) fn namespaces(all: i32) -> i32 {
    let parts = [
        (Part::UserNamespace, libc::CLONE_NEWUSER),
        (Part::MountNamespace, libc::CLONE_NEWNS),
        (Part::CgroupNamespace, libc::CLONE_NEWCGROUP),
        (Part::PidNamespace, libc::CLONE_NEWPID),
        (Part::NetworkNamespace, libc::CLONE_NEWNET),
        (Part::IpcNamespace, libc::CLONE_NEWIPC),
        (Part::UtsNamespace, libc::CLONE_NEWUTS),
    ];
    parts.into_iter().fold(
        all,
        |rest, (part, flag)| {
            if is_off(part) { rest & !flag } else { rest }
        },
    )
}

/// The user that a copy becomes, and whose its files are.
pub(crate) fn user_of_copy(own: u32) -> u32 {
    if is_off(Part::NoCapabilities) {
        // A zygote's own, which it keeps.
        0
    } else if is_off(Part::OwnUser) {
        GUEST_ID
    } else {
        own
    }
}

/// The working directory of a copy that has no files of its own: its zygote's, open to all.
pub(crate) fn shared_work() -> io::Result<Option<OwnedFd>> {
    if !is_off(Part::OwnFiles) {
        return Ok(None);
    }
    chown(WORK_DIRECTORY, Some(0), Some(0))?;
    fs::set_permissions(WORK_DIRECTORY, fs::Permissions::from_mode(0o777))?;
    let flags = rustix::fs::OFlags::PATH | rustix::fs::OFlags::CLOEXEC;
    let work = rustix::fs::open(WORK_DIRECTORY, flags, rustix::fs::Mode::empty())?;
    Ok(Some(work))
}

/// The attributes of mounts that remain.
pub(crate) fn attributes(all: u64) -> u64 {
    if is_off(Part::ReadOnlyRoot) {
        all & !libc::MOUNT_ATTR_RDONLY
    } else {
        all
    }
}

/// What the root shows.
pub(crate) fn binds(mut binds: Vec<Bind>) -> Vec<Bind> {
    if is_off(Part::MinimalRoot)
        && let Some(host) = chosen::shown()
    {
        let guest = host.strip_prefix("/").unwrap_or(&host).to_owned();
        binds.push(Bind { host, guest });
    }
    binds
}

/// The limits that control groups get. What is "off" is far more than any attack takes.
pub(crate) fn group_limits(limits: &Limits) -> Limits {
    let mut limits = *limits;
    if is_off(Part::MemoryLimit) {
        limits.memory_bytes = limits.memory_bytes.saturating_mul(16);
    }
    if is_off(Part::ProcessLimit) {
        limits.processes = limits.processes.saturating_mul(16);
    }
    if is_off(Part::CpuLimit) {
        limits.cpu_percent = limits.cpu_percent.saturating_mul(100);
    }
    limits
}

/// The CPU time that Atoll sees.
pub(crate) fn cpu_time_us(used_us: u64) -> u64 {
    if is_off(Part::CpuClock) { 0 } else { used_us }
}

/// The limits that private files get.
pub(crate) fn disk_limits(limits: DiskLimits) -> DiskLimits {
    if is_off(Part::PrivateFiles) {
        DiskLimits {
            bytes: limits.bytes.saturating_mul(16),
            files: limits.files.saturating_mul(16),
        }
    } else {
        limits
    }
}

/// The variables a program gets.
pub(crate) fn variables(mut own: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    use std::os::unix::ffi::OsStringExt as _;
    if is_off(Part::Environment) {
        own.extend(std::env::vars_os().map(|(name, value)| {
            let mut variable = name.into_vec();
            variable.push(b'=');
            variable.extend(value.into_vec());
            variable
        }));
    }
    own
}

/// The variables a zygote gets: with what its copies have to leave out.
pub(crate) fn variables_of_zygote(mut own: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    own.extend(chosen::variable_of_copies());
    own
}
