//! Disks that a machine was given for its job.

use std::fs;
use std::io;
use std::path::Path;

use atoll_remote::protocol::Volume;
use rustix::mount::{MountFlags, mount};

use crate::machine::{attempt, wait_for};

/// Mounts one, so that everybody may read and run what is on it, and nobody may write.
///
/// # Errors
/// When it is not there, or not what it should be.
pub(crate) fn show(volume: &Volume) -> io::Result<()> {
    wait_for(Path::new(&volume.device))?;
    fs::create_dir_all(&volume.place)?;
    let flags = MountFlags::RDONLY | MountFlags::NOSUID | MountFlags::NODEV;
    attempt(&format!("mount {}", volume.device), || {
        mount(&*volume.device, &*volume.place, "erofs", flags, c"")
    })
}
