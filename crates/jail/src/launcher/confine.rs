//! What a process gives up before it becomes the program.

use std::io;

use atoll_types::Layer;
use landlock::{ABI, Access, AccessFs, PathBeneath, PathFd, Ruleset, RulesetCreatedAttr};
use rustix::fs::{Gid, Uid};
use rustix::process::{Resource, Rlimit, setrlimit};
use rustix::thread as kernel;

use crate::host;
use crate::plan::{Failure, GUEST_ID, ResourceLimits};

/// The per-process bounds behind the cgroup's.
pub(super) fn resource_limits(limits: &ResourceLimits) -> Result<(), Failure> {
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

/// Becomes the guest user, with no capability in any set and none to be regained.
pub(super) fn drop_capabilities(own_users: bool) -> Result<(), Failure> {
    let failed = |attempt: &'static str| {
        move |error: rustix::io::Errno| {
            Failure::new(Some(Layer::NoCapabilities), attempt, &error.into())
        }
    };
    // The kernel knows fewer capabilities than 64 and says EINVAL for the first it does not know.
    for capability in kernel::CapabilitySet::all().iter() {
        match kernel::remove_capability_from_bounding_set(capability) {
            Ok(()) | Err(rustix::io::Errno::INVAL) => {}
            Err(error) => return Err(failed("empty the bounding set")(error)),
        }
    }
    kernel::clear_ambient_capability_set().map_err(failed("clear the ambient capabilities"))?;
    if own_users {
        let (user, group) = (Uid::from_raw(GUEST_ID), Gid::from_raw(GUEST_ID));
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

/// Empties the capability sets. The first process keeps its user id, which the program lacks, and
/// has nothing left to do that needs more.
pub(super) fn drop_capabilities_only() -> io::Result<()> {
    let none = kernel::CapabilitySet::empty();
    let sets = kernel::CapabilitySets {
        effective: none,
        permitted: none,
        inheritable: none,
    };
    Ok(kernel::set_capabilities(None, sets)?)
}

/// Programs started from here on cannot gain privileges; also the condition for the two below.
pub(super) fn no_new_privileges() -> Result<(), Failure> {
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

/// Reading and executing what the root holds, writing only to the private files, no TCP at all,
/// no signals and no abstract sockets to the outside: as much of it as this version of the
/// interface knows. The mount, network and process namespaces say the same; this is the second
/// line.
pub(super) fn landlock(version: i32) -> Result<(), Failure> {
    if version == 0 {
        return Ok(());
    }
    restrict(version.into()).map_err(|error| {
        let attempt = "restrict the program with Landlock";
        Failure::new(Some(Layer::Landlock), attempt, &error)
    })
}

fn restrict(version: ABI) -> io::Result<()> {
    let read = AccessFs::from_read(version);
    // Device ioctls stay forbidden everywhere: the only devices are null, zero, full and random.
    let write = AccessFs::from_all(version) & !AccessFs::IoctlDev;
    let mut ruleset = host::landlock_ruleset(version)
        .and_then(Ruleset::create)
        .map_err(io::Error::other)?;
    let mut allow = |path: &str, access| -> io::Result<()> {
        match PathFd::new(path) {
            Ok(directory) => {
                let rule = PathBeneath::new(directory, access);
                (&mut ruleset)
                    .add_rule(rule)
                    .map(|_| ())
                    .map_err(io::Error::other)
            }
            // A jail without devices has no /dev; what is not there needs no rule.
            Err(_) => Ok(()),
        }
    };
    allow("/", read)?;
    for path in WRITABLE {
        allow(path, write)?;
    }
    ruleset
        .restrict_self()
        .map(|_| ())
        .map_err(io::Error::other)
}
