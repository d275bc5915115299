//! What a process gives up before it becomes the program.

use std::io;

use atoll_types::Layer;
use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset,
    RulesetAttr, RulesetCreated, RulesetCreatedAttr, Scope,
};
use rustix::fs::{Gid, Uid};
use rustix::process::{Resource, Rlimit, setrlimit};
use rustix::thread as kernel;

use crate::ablation::{self, Part};
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
    for (resource, bound) in bounds {
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

/// Lets nothing but `kept` ever be gained again.
fn bound_capabilities(kept: kernel::CapabilitySet) -> Result<(), Failure> {
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

/// The newest interface whose rights are used: scopes came with version 6 (Linux 6.12).
const LANDLOCK: ABI = ABI::V6;

/// Where the program may write.
const WRITABLE: [&str; 4] = ["/work", "/tmp", "/dev/shm", "/dev"];

/// Reading and executing what the root holds, writing only to the private files, no TCP at all,
/// no signals and no abstract sockets to the outside. The mount, network and process namespaces
/// say the same; this is the second line.
pub(crate) fn landlock() -> Result<(), Failure> {
    restrict().map_err(|error| {
        Failure::new(
            Some(if landlock_knows(ABI::V5) {
                Layer::LandlockScopes
            } else {
                Layer::Landlock
            }),
            "restrict the program with Landlock, whose version 6 (Linux 6.12) is needed",
            &error,
        )
    })
}

/// Whether the running kernel offers an interface version.
pub(crate) fn landlock_knows(version: ABI) -> bool {
    Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::from_all(version))
        .and_then(|ruleset| {
            if version as i32 >= ABI::V6 as i32 {
                ruleset.scope(Scope::from_all(version))
            } else {
                Ok(ruleset)
            }
        })
        .and_then(Ruleset::create)
        .is_ok()
}

fn restrict() -> io::Result<()> {
    let rules = !ablation::is_off(Part::Landlock);
    let scopes = !ablation::is_off(Part::LandlockScopes);
    if !rules && !scopes {
        return Ok(());
    }
    let mut ruleset = Ruleset::default().set_compatibility(CompatLevel::HardRequirement);
    if rules {
        ruleset = ruleset
            .handle_access(AccessFs::from_all(LANDLOCK))
            .and_then(|ruleset| ruleset.handle_access(AccessNet::from_all(LANDLOCK)))
            .map_err(io::Error::other)?;
    }
    if scopes {
        ruleset = ruleset
            .scope(Scope::from_all(LANDLOCK))
            .map_err(io::Error::other)?;
    }
    let mut ruleset = ruleset.create().map_err(io::Error::other)?;
    if rules {
        allow_files(&mut ruleset)?;
    }
    ruleset
        .restrict_self()
        .map(|_| ())
        .map_err(io::Error::other)
}

fn allow_files(ruleset: &mut RulesetCreated) -> io::Result<()> {
    let read = AccessFs::from_read(LANDLOCK);
    // Device ioctls stay forbidden everywhere: the only devices are null, zero, full and random.
    let write = AccessFs::from_all(LANDLOCK) & !AccessFs::IoctlDev;
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
    WRITABLE.iter().try_for_each(|path| allow(path, write))
}
