//! The jail's root directory: built on a private tmpfs, entered with pivot_root, made read-only.
//!
//! Order matters throughout: host paths are opened before anything covers them, mount points are
//! made before the root becomes read-only, and the old root is detached last.

use std::fs;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt, chown, symlink};
use std::path::{Component, Path, PathBuf};

use atoll_types::Layer;
use rustix::fs::{CWD, FileType};
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, MountPropagationFlags, MoveMountFlags,
    OpenTreeFlags, UnmountFlags, fsconfig_create, fsconfig_reconfigure, fsconfig_set_string,
    fsmount, fsopen, mount_change, move_mount, open_tree, unmount,
};

use super::device;
use crate::ablation::{self, Part};
use crate::plan::{Bind, DiskLimits, Failure, GUEST_ID, Plan};
use crate::sys::restrict_mount;

/// Any directory that exists everywhere; it is only covered inside the jail's own mount namespace.
const BASE: &str = "/tmp";

/// Where the private files are mounted until their parts have been bound into place.
const SCRATCH: &str = ".scratch";

/// The root of the private files and the directories made in it; the kernel counts them.
const OWN_FILES: u64 = 8;

const READ_ONLY: u64 = libc::MOUNT_ATTR_RDONLY | libc::MOUNT_ATTR_NOSUID;

const DEVICES: [&str; 5] = ["null", "zero", "full", "random", "urandom"];

/// The file system of the private files, until its limits are known.
pub(super) struct PrivateFiles {
    /// A directory of it.
    pub(super) directory: OwnedFd,
    /// What it was mounted with, and can be changed with.
    context: OwnedFd,
}

impl PrivateFiles {
    /// Puts the limits in force. Nobody but this process has written anything yet.
    pub(super) fn limit(&self, bytes: u64, files: u64) -> Result<(), Failure> {
        // Its own root and the directories made here count, too.
        let files = files.saturating_add(OWN_FILES);
        let set = |key: &str, value: u64| {
            fsconfig_set_string(self.context.as_fd(), key, value.to_string())
        };
        set("size", bytes)
            .and_then(|()| set("nr_inodes", files))
            .and_then(|()| fsconfig_reconfigure(self.context.as_fd()))
            .map_err(|error| {
                let attempt = "limit the private files";
                Failure::new(Some(Layer::PrivateFiles), attempt, &error.into())
            })
    }
}

/// Builds the root and enters it. Where each program gets private files of its own, there are only
/// the places for them, and no files yet. `kvm` is a file system with the
/// device of that name, if it was made.
pub(super) fn enter(plan: &Plan, kvm: Option<OwnedFd>) -> Result<Option<PrivateFiles>, Failure> {
    let in_layer = |layer, attempt: &'static str| {
        move |error: io::Error| Failure::new(Some(layer), attempt, &error)
    };
    mount_change(
        "/",
        MountPropagationFlags::PRIVATE | MountPropagationFlags::REC,
    )
    .map_err(|error| error.into())
    .map_err(in_layer(Layer::MountNamespace, "make mounts private"))?;
    let binds = open_binds(plan)?;
    let devices = open_devices(plan, kvm.is_some())?;

    mount_new(
        "tmpfs",
        &[("size", "1m"), ("nr_inodes", "2048"), ("mode", "0755")],
        Path::new(BASE),
    )
    .map_err(in_layer(Layer::ReadOnlyRoot, "mount the new root"))?;
    std::env::set_current_dir(BASE).map_err(in_layer(Layer::ReadOnlyRoot, "enter the new root"))?;
    furnish(plan, binds, devices)
        .and_then(|()| kvm.map_or(Ok(()), |kvm| place_kvm(&kvm)))
        .map_err(in_layer(Layer::ReadOnlyRoot, "build the new root"))?;
    let owner = if plan.stays_root() { 0 } else { GUEST_ID };
    let files = if plan.renews {
        make_places().map(|()| None)
    } else {
        private_files(owner).map(Some)
    };
    let files = files.map_err(in_layer(Layer::PrivateFiles, "mount the private files"))?;
    if shows_processes(plan) {
        make_directories(Path::new("proc"))
            .and_then(|()| mount_proc(plan.runtime))
            .map_err(in_layer(Layer::PidNamespace, "mount /proc"))?;
    }
    seal().map_err(in_layer(Layer::ReadOnlyRoot, "enter and seal the new root"))?;
    Ok(files)
}

fn shows_processes(plan: &Plan) -> bool {
    plan.proc && !ablation::is_off(Part::PidNamespace)
}

fn open_binds(plan: &Plan) -> Result<Vec<(OwnedFd, &Bind)>, Failure> {
    let open = |bind: &Bind| {
        let tree = clone_tree(&bind.host)?;
        let attributes = ablation::attributes(READ_ONLY | libc::MOUNT_ATTR_NODEV);
        restrict_mount(tree.as_fd(), attributes, true)?;
        Ok(tree)
    };
    let failed = |bind: &Bind, error: &io::Error| {
        let attempt = format!("bind {} read-only", bind.host.display());
        Failure::new(Some(Layer::ReadOnlyRoot), attempt, error)
    };
    plan.binds
        .iter()
        .map(|bind| Ok((open(bind).map_err(|error| failed(bind, &error))?, bind)))
        .collect()
}

fn open_devices(plan: &Plan, has_own_kvm: bool) -> Result<Vec<(OwnedFd, Bind)>, Failure> {
    let usual = DEVICES.iter().filter(|_| plan.devices);
    let kvm = (plan.kvm && !has_own_kvm).then_some(device::NAME);
    let open = |name: &str| {
        let host = Path::new("/dev").join(name);
        let tree = clone_tree(&host)?;
        // Not read-only: that would forbid writing to /dev/null through some interfaces.
        restrict_mount(
            tree.as_fd(),
            libc::MOUNT_ATTR_NOSUID | libc::MOUNT_ATTR_NOEXEC,
            false,
        )?;
        let guest = Path::new("dev").join(name);
        Ok((tree, Bind { host, guest }))
    };
    usual
        .copied()
        .chain(kvm)
        .map(|name| {
            open(name).map_err(|error: io::Error| {
                let attempt = format!("bind /dev/{name}");
                Failure::new(Some(Layer::ReadOnlyRoot), attempt, &error)
            })
        })
        .collect()
}

fn clone_tree(path: &Path) -> io::Result<OwnedFd> {
    let flags = OpenTreeFlags::OPEN_TREE_CLONE
        | OpenTreeFlags::OPEN_TREE_CLOEXEC
        | OpenTreeFlags::AT_RECURSIVE;
    Ok(open_tree(CWD, path, flags)?)
}

/// Fills the new root, which is the current directory.
fn furnish(
    plan: &Plan,
    binds: Vec<(OwnedFd, &Bind)>,
    devices: Vec<(OwnedFd, Bind)>,
) -> io::Result<()> {
    for (tree, bind) in binds {
        // The host's path may be covered by now; the tree that was opened before is not.
        let kind = FileType::from_raw_mode(rustix::fs::fstat(&tree)?.st_mode);
        let target = mount_point(&bind.guest, kind.is_dir())?;
        attach(&tree, &target)?;
    }
    for (tree, bind) in devices {
        attach(&tree, &mount_point(&bind.guest, false)?)?;
    }
    for (name, target) in &plan.links {
        make_parents(inside(name)?)?;
        symlink(target, name)?;
    }
    for name in &plan.directories {
        make_directories(inside(name)?)?;
    }
    for (name, text) in &plan.texts {
        make_parents(inside(name)?)?;
        fs::write(name, text)?;
        fs::set_permissions(name, fs::Permissions::from_mode(0o444))?;
    }
    Ok(())
}

/// Shows the device in a file system of its own as if it were beside the others.
fn place_kvm(kvm: &OwnedFd) -> io::Result<()> {
    let place = Path::new("dev/hardware");
    make_directories(place)?;
    attach(kvm, place)?;
    restrict_mount(kvm.as_fd(), libc::MOUNT_ATTR_RDONLY, false)?;
    symlink(Path::new("hardware").join(device::NAME), "dev/kvm")
}

/// Makes an empty file or directory to mount on. The root is only written by this process, so no
/// link can lead astray.
fn mount_point(guest: &Path, directory: bool) -> io::Result<PathBuf> {
    let path = inside(guest)?;
    if directory {
        make_directories(path)?;
    } else {
        make_parents(path)?;
        fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o444)
            .open(path)?;
    }
    Ok(path.to_owned())
}

/// A path that stays below the new root.
fn inside(path: &Path) -> io::Result<&Path> {
    if path
        .components()
        .all(|part| matches!(part, Component::Normal(_)))
    {
        Ok(path)
    } else {
        Err(io::Error::from_raw_os_error(libc::EINVAL))
    }
}

fn make_parents(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), make_directories)
}

fn make_directories(path: &Path) -> io::Result<()> {
    if path.as_os_str().is_empty() {
        return Ok(());
    }
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o755)
        .create(path)
}

/// The parts of the private files: name, where a program finds it, and its mode.
const PARTS: [(&str, &str, u32); 3] = [
    ("work", "work", 0o700),
    ("shm", "dev/shm", 0o1777),
    ("tmp", "tmp", 0o1777),
];

/// Just large enough for the directories of the private files.
const SMALLEST: DiskLimits = DiskLimits {
    bytes: 64 << 10,
    files: 0,
};

/// Where the parts are found.
fn make_places() -> io::Result<()> {
    let mut places = PARTS.iter().map(|(_, place, _)| Path::new(place));
    places.try_for_each(make_directories)
}

/// Mounts one tmpfs, for now just large enough, and binds its parts to the places a program may
/// write.
fn private_files(owner: u32) -> io::Result<PrivateFiles> {
    make_directories(Path::new(SCRATCH))?;
    make_places()?;
    let files = mount_parts(Path::new(SCRATCH), owner, &SMALLEST)?;
    unmount(SCRATCH, UnmountFlags::DETACH)?;
    fs::remove_dir(SCRATCH)?;
    Ok(files)
}

/// Mounts a tmpfs and binds its parts to their places, below the current directory.
fn mount_parts(scratch: &Path, owner: u32, limits: &DiskLimits) -> io::Result<PrivateFiles> {
    let (bytes, files) = (
        limits.bytes.to_string(),
        // Its own root and the directories made here count, too.
        limits.files.saturating_add(OWN_FILES).to_string(),
    );
    let options = [("size", &*bytes), ("nr_inodes", &*files), ("mode", "0755")];
    let context = mount_new("tmpfs", &options, scratch)?;
    let directory = |part: &str| scratch.join(part);
    for (part, _, mode) in PARTS {
        let directory = directory(part);
        fs::create_dir(&directory)?;
        fs::set_permissions(&directory, fs::Permissions::from_mode(mode))?;
        chown(&directory, Some(owner), Some(owner))?;
    }
    let work = fs::OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_PATH | libc::O_DIRECTORY | libc::O_CLOEXEC)
        .open(directory("work"))?;
    for (part, place, _) in PARTS {
        attach(&clone_tree(&directory(part))?, Path::new(place))?;
    }
    Ok(PrivateFiles {
        directory: work.into(),
        context,
    })
}

/// Covers the places that a zygote may write, and its processes, by those of a copy of it. Answers
/// with the working directory.
pub(crate) fn furnish_copy(owner: u32, limits: DiskLimits) -> Result<OwnedFd, Failure> {
    let shared = ablation::shared_work()
        .map_err(|error| Failure::new(Some(Layer::PrivateFiles), "share the files", &error))?;
    let processes = !ablation::is_off(Part::OwnProc);
    match shared {
        Some(shared) => show_processes(processes).map(|()| shared),
        None => Ok(cover(owner, &limits, processes)?.directory),
    }
}

/// Covers the empty places for private files, and the keeper's processes, by those of the next
/// program.
pub(super) fn furnish_next(plan: &Plan) -> Result<PrivateFiles, Failure> {
    cover(GUEST_ID, &SMALLEST, shows_processes(plan))
}

/// Mounts private files and `/proc` over what is there, in a mount namespace of this process's own.
fn cover(owner: u32, limits: &DiskLimits, processes: bool) -> Result<PrivateFiles, Failure> {
    std::env::set_current_dir("/")
        .map_err(|error| Failure::new(Some(Layer::PrivateFiles), "enter the root", &error))?;
    // The last part covers the tmpfs itself.
    let files = mount_parts(Path::new("tmp"), owner, limits).map_err(|error| {
        let attempt = "mount the private files";
        Failure::new(Some(Layer::PrivateFiles), attempt, &error)
    })?;
    show_processes(processes)?;
    Ok(files)
}

fn show_processes(wanted: bool) -> Result<(), Failure> {
    let failed = |error: io::Error| Failure::new(Some(Layer::PidNamespace), "mount /proc", &error);
    if wanted {
        mount_proc(false).map_err(failed)?;
    }
    Ok(())
}

/// Only the processes of this namespace, and nothing of the machine; all of it where a container
/// runtime mounts others, which the kernel lets nobody do who does not see all.
fn mount_proc(whole: bool) -> io::Result<()> {
    let options: &[(&str, &str)] = if whole {
        &[]
    } else {
        &[("subset", "pid"), ("hidepid", "invisible")]
    };
    mount_new("proc", options, Path::new("proc"))?;
    Ok(())
}

/// Mounts a new file system; the answer can change its options later.
fn mount_new(kind: &str, options: &[(&str, &str)], target: &Path) -> io::Result<OwnedFd> {
    let context = fsopen(kind, FsOpenFlags::FSOPEN_CLOEXEC)?;
    for (key, value) in options {
        fsconfig_set_string(context.as_fd(), *key, *value)?;
    }
    fsconfig_create(context.as_fd())?;
    let attributes = MountAttrFlags::MOUNT_ATTR_NOSUID | MountAttrFlags::MOUNT_ATTR_NODEV;
    let mount = fsmount(context.as_fd(), FsMountFlags::FSMOUNT_CLOEXEC, attributes)?;
    attach(&mount, target)?;
    Ok(context)
}

fn attach(tree: &OwnedFd, target: &Path) -> io::Result<()> {
    move_mount(
        tree,
        "",
        CWD,
        target,
        MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH,
    )?;
    Ok(())
}

/// Makes the current directory the root, lets go of the old one, and forbids changes.
fn seal() -> io::Result<()> {
    rustix::process::pivot_root(".", ".")?;
    unmount(".", UnmountFlags::DETACH)?;
    std::env::set_current_dir("/")?;
    let root = fs::File::open("/")?;
    let attributes = READ_ONLY | libc::MOUNT_ATTR_NODEV | libc::MOUNT_ATTR_NOEXEC;
    let attributes = ablation::attributes(attributes);
    restrict_mount(root.as_fd(), attributes, false)
}
