//! `/dev/kvm` for a jail whose user is nobody's on the host.
//!
//! Owns that the jail can use the device where only root can, and that nothing changes on the host
//! for it: the jail gets a device of its own, in a file system that is mounted nowhere else.

use std::fs::{self, Metadata};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::MetadataExt;

use rustix::fs::{AtFlags, FileType, Mode, chmodat, mknodat};
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, fsconfig_create, fsconfig_set_string, fsmount,
    fsopen,
};

use crate::plan::{Failure, Plan};

/// Where the host has it.
const KVM: &str = "/dev/kvm";

/// Its name in its file system.
pub(super) const NAME: &str = "kvm";

/// Everybody may read it and write to it: nobody else is where it is.
const FOR_ALL: u32 = 0o666;

/// A file system with the device, mounted nowhere yet. `None` where the jail has no device, or can
/// have the host's: because everybody may use that, or because it has the ids of whoever makes it.
pub(super) fn kvm(plan: &Plan) -> Result<Option<OwnedFd>, Failure> {
    if !plan.kvm || !plan.own_users {
        return Ok(None);
    }
    let made = fs::metadata(KVM).and_then(|found| match found.mode() & 0o006 {
        0o006 => Ok(None),
        _ => file_system(&found).map(Some),
    });
    made.map_err(|error| Failure::new(None, "make /dev/kvm for the jail", &error))
}

fn file_system(found: &Metadata) -> io::Result<OwnedFd> {
    let context = fsopen("tmpfs", FsOpenFlags::FSOPEN_CLOEXEC)?;
    for (key, value) in [("size", "4k"), ("nr_inodes", "4"), ("mode", "0755")] {
        fsconfig_set_string(context.as_fd(), key, value)?;
    }
    fsconfig_create(context.as_fd())?;
    let attributes = MountAttrFlags::MOUNT_ATTR_NOSUID | MountAttrFlags::MOUNT_ATTR_NOEXEC;
    let mount = fsmount(context.as_fd(), FsMountFlags::FSMOUNT_CLOEXEC, attributes)?;
    let mode = Mode::from_raw_mode(FOR_ALL);
    mknodat(&mount, NAME, FileType::CharacterDevice, mode, found.rdev())?;
    chmodat(&mount, NAME, mode, AtFlags::empty())?;
    Ok(mount)
}
