//! What a process gives up before it becomes the program.

use std::io;

use atoll_types::Layer;
use landlock::{
    ABI, Access, AccessFs, AccessNet, NetPort, PathBeneath, PathFd, Ruleset, RulesetCreated,
    RulesetCreatedAttr,
};
use rustix::fs::{Gid, Uid};
use rustix::process::{Resource, Rlimit, setrlimit};
use rustix::thread as kernel;

use crate::ablation::{self, Part};
use crate::host;
use crate::plan::{Failure, ResourceLimits};

/// The per-process bounds behind the cgroup's.
pub(crate) fn resource_limits(limits: &ResourceLimits) -> Result<(), Failure> {
    let stack_bytes = 8 << 20;
    let bounds = [
        (Resource::Nofile, limits.open_files),
        (Resource::Nproc, limits.processes),
        (Resource::Cpu, limits.cpu_time_s),
        (Resource::Fsize, limits.file_bytes),
        (Resource::Stack, stack_bytes),
        (Resource::Core, 0),
        (Resource::Msgqueue, 0),
        (Resource::Memlock, 64 << 10),
        (Resource::Rtprio, 0),
        (Resource::Nice, 0),
        (Resource::Sigpending, 1024),
    ];
    let data = limits.data_bytes.map(|bytes| (Resource::Data, bytes));
    for (resource, bound) in bounds.into_iter().chain(data) {
        if ablation::is_off(Part::ResourceLimit(resource)) {
            continue;
        }
        let bound = Rlimit {
            current: Some(bound),
            maximum: Some(bound),
        };
        setrlimit(resource, bound).map_err(|error| {
            let attempt = format!("set the resource limit {resource:?}");
            Failure::new(Some(Layer::ResourceLimits), attempt, &error.into())
        })?;
    }
    Ok(())
}

/// Becomes a user of the jail's own, where there is one, with no capability in any set and none to
/// be regained.
pub(crate) fn drop_capabilities(user: Option<u32>) -> Result<(), Failure> {
    if ablation::is_off(Part::NoCapabilities) {
        return Ok(());
    }
    bound_capabilities(kernel::CapabilitySet::empty())?;
    become_nobody(user)
}

/// The same for a process that has given up regaining any.
pub(crate) fn become_nobody(user: Option<u32>) -> Result<(), Failure> {
    if ablation::is_off(Part::NoCapabilities) {
        return Ok(());
    }
    if let Some(id) = user {
        let (user, group) = (Uid::from_raw(id), Gid::from_raw(id));
        let identity = |error: rustix::io::Errno| {
            Failure::new(Some(Layer::OwnUser), "become the guest user", &error.into())
        };
        kernel::set_thread_groups(&[]).map_err(identity)?;
        kernel::set_thread_res_gid(group, group, group).map_err(identity)?;
        kernel::set_thread_res_uid(user, user, user).map_err(identity)?;
    }
    drop_capabilities_only()
        .map_err(|error| Failure::new(Some(Layer::NoCapabilities), "drop capabilities", &error))
}

/// Keeps the capabilities that confining copies of this process takes, for as long as it is user 0
/// of its namespace, and none of the others.
pub(crate) fn keep_what_confining_takes() -> Result<(), Failure> {
    let kept = kernel::CapabilitySet::SYS_ADMIN
        | kernel::CapabilitySet::SETUID
        | kernel::CapabilitySet::SETGID
        | kernel::CapabilitySet::SETPCAP
        | kernel::CapabilitySet::CHOWN;
    bound_capabilities(kept)?;
    set_capabilities(kept)
        .map_err(|error| Failure::new(Some(Layer::NoCapabilities), "drop capabilities", &error))
}

/// Keeps the capabilities that building a container takes: its mounts, its users, its limits. They
/// reach no further than the jail's own namespaces.
pub(crate) fn keep_what_containers_take() -> Result<(), Failure> {
    use kernel::CapabilitySet as Set;
    let kept = [
        Set::CHOWN,
        Set::DAC_OVERRIDE,
        Set::DAC_READ_SEARCH,
        Set::FOWNER,
        Set::FSETID,
        Set::KILL,
        Set::SETGID,
        Set::SETUID,
        Set::SETPCAP,
        Set::SETFCAP,
        Set::MKNOD,
        Set::NET_ADMIN,
        Set::SYS_CHROOT,
        Set::SYS_PTRACE,
        Set::SYS_ADMIN,
        Set::SYS_RESOURCE,
    ];
    let kept = kept.into_iter().fold(Set::empty(), |all, one| all | one);
    bound_capabilities(kept)?;
    set_capabilities(kept)
        .map_err(|error| Failure::new(Some(Layer::NoCapabilities), "drop capabilities", &error))
}

/// Lets nothing but `kept` ever be gained again.
pub(crate) fn bound_capabilities(kept: kernel::CapabilitySet) -> Result<(), Failure> {
    let failed = |attempt: &'static str| {
        move |error: rustix::io::Errno| {
            Failure::new(Some(Layer::NoCapabilities), attempt, &error.into())
        }
    };
    // The kernel knows fewer capabilities than 64 and says EINVAL for the first it does not know.
    for capability in (kernel::CapabilitySet::all() & !kept).iter() {
        match kernel::remove_capability_from_bounding_set(capability) {
            Ok(()) | Err(rustix::io::Errno::INVAL) => {}
            Err(error) => return Err(failed("empty the bounding set")(error)),
        }
    }
    kernel::clear_ambient_capability_set().map_err(failed("clear the ambient capabilities"))
}

/// Empties the capability sets. The first process keeps its user id, which the program lacks, and
/// has nothing left to do that needs more.
pub(crate) fn drop_capabilities_only() -> io::Result<()> {
    set_capabilities(kernel::CapabilitySet::empty())
}

fn set_capabilities(kept: kernel::CapabilitySet) -> io::Result<()> {
    let sets = kernel::CapabilitySets {
        effective: kept,
        permitted: kept,
        inheritable: kernel::CapabilitySet::empty(),
    };
    Ok(kernel::set_capabilities(None, sets)?)
}

/// Programs started from here on cannot gain privileges; also the condition for the two below.
pub(crate) fn no_new_privileges() -> Result<(), Failure> {
    if ablation::is_off(Part::NoNewPrivileges) {
        return Ok(());
    }
    kernel::set_no_new_privs(true).map_err(|error| {
        Failure::new(
            Some(Layer::NoNewPrivileges),
            "set no_new_privs",
            &error.into(),
        )
    })
}

/// Where the program may write.
const WRITABLE: [&str; 4] = ["/work", "/tmp", "/dev/shm", "/dev"];

/// Only jails of virtual machines have it.
const KVM_DEVICE: &str = "/dev/kvm";

/// Reading and executing what the root holds, writing only to the private files, no TCP at all but
/// for connecting to the port of a way out, no signals and no abstract sockets to the outside: as
/// much of it as this version of the interface knows. The mount, network and process namespaces say
/// the same; this is the second line.
pub(crate) fn landlock(version: i32, way_out: Option<u16>) -> Result<(), Failure> {
    let is_off = ablation::is_off(Part::Landlock) && ablation::is_off(Part::LandlockScopes);
    if version == 0 || is_off {
        return Ok(());
    }
    restrict(version.into(), way_out).map_err(|error| {
        let attempt = "restrict the program with Landlock";
        Failure::new(Some(Layer::Landlock), attempt, &error)
    })
}

fn restrict(version: ABI, way_out: Option<u16>) -> io::Result<()> {
    let mut ruleset = host::landlock_ruleset(version)
        .and_then(Ruleset::create)
        .map_err(io::Error::other)?;
    if !ablation::is_off(Part::Landlock) {
        allow_files(&mut ruleset, version)?;
        if let Some(port) = way_out.filter(|_| version >= ABI::V4) {
            let rule = NetPort::new(port, AccessNet::ConnectTcp);
            (&mut ruleset).add_rule(rule).map_err(io::Error::other)?;
        }
    }
    ruleset
        .restrict_self()
        .map(|_| ())
        .map_err(io::Error::other)
}

fn allow_files(ruleset: &mut RulesetCreated, version: ABI) -> io::Result<()> {
    let read = AccessFs::from_read(version);
    // Device ioctls stay forbidden on null, zero, full and random; KVM is nothing else.
    let write = AccessFs::from_all(version) & !AccessFs::IoctlDev;
    let mut allow = |path: &str, access| -> io::Result<()> {
        match PathFd::new(path) {
            Ok(directory) => {
                let rule = PathBeneath::new(directory, access);
                (&mut *ruleset)
                    .add_rule(rule)
                    .map(|_| ())
                    .map_err(io::Error::other)
            }
            // A jail without devices has no /dev; what is not there needs no rule.
            Err(_) => Ok(()),
        }
    };
    allow("/", read)?;
    let use_device = AccessFs::ReadFile | AccessFs::WriteFile | AccessFs::IoctlDev;
    allow(KVM_DEVICE, use_device & AccessFs::from_all(version))?;
    WRITABLE.iter().try_for_each(|path| allow(path, write))
}
