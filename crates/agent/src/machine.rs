//! The first process of a virtual machine.
//!
//! It owns the way from a kernel that has just started to an agent that serves: kernel modules, the
//! root directory, and the end of the machine when the agent ends. It reads from top to bottom.
//!
//! The initial file system holds, besides this program as `/init`:
//!
//! ```text
//! /modules/list      names of files beside it, one a line, in the order in which they are loaded
//! /libexec/          what is copied beside the agent: `atoll-launcher`
//! ```
//!
//! The kernel's command line can say where the root directory is: `atoll.root=DEVICE` (`/dev/vda`),
//! and what type of file system it has: `atoll.type=TYPE` (`erofs`).

use std::fs;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags};
use rustix::mount::{MountFlags, mount, mount_move};
use rustix::process::{Resource, Rlimit, WaitOptions, setrlimit, wait};
use rustix::system::RebootCommand;

/// The port of the machine through which the host speaks.
const PORT: &str = "/dev/vport0p1";

/// Where the programs of Atoll's are in the machine.
const LIBEXEC: &str = "/run/atoll";

/// Where the root directory is mounted at first.
const NEW_ROOT: &str = "/root";

/// Devices appear shortly after their modules are loaded.
const DEVICE_TIME: Duration = Duration::from_secs(20);

/// Says something where people can see it: on the machine's console.
pub fn say(text: &str) {
    // Without a console there is nobody to say it to.
    let _ = writeln!(io::stderr(), "{text}");
}

/// Sets the machine up, lets the agent serve in it, and switches the machine off in the end.
///
/// # Errors
/// Never returns one: what failed is said on the console, and the machine is switched off.
pub fn run() -> io::Result<()> {
    if let Err(error) = set_up().and_then(|()| serve()) {
        say(&format!("atoll-agent: {error}"));
    }
    rustix::fs::sync();
    rustix::system::reboot(RebootCommand::PowerOff)?;
    // A machine that cannot be switched off ends with its first process.
    Ok(())
}

fn set_up() -> io::Result<()> {
    special_directories("")?;
    load_modules()?;
    let settings = fs::read_to_string("/proc/cmdline")?;
    let device = Path::new(setting(&settings, "atoll.root=").unwrap_or("/dev/vda"));
    let kind = setting(&settings, "atoll.type=").unwrap_or("erofs");
    wait_for(device)?;
    fs::create_dir_all(NEW_ROOT)?;
    attempt(&format!("mount {}", device.display()), || {
        let flags = MountFlags::RDONLY | MountFlags::NOSUID | MountFlags::NODEV;
        mount(device, NEW_ROOT, kind, flags, c"")
    })?;
    special_directories(NEW_ROOT)?;
    let options = MountFlags::NOSUID | MountFlags::NODEV;
    for (place, data) in [("run", c"mode=755"), ("tmp", c"mode=1777")] {
        let place = format!("{NEW_ROOT}/{place}");
        attempt(&format!("mount {place}"), || {
            mount("tmpfs", &place, "tmpfs", options, data)
        })?;
    }
    move_in()?;
    attempt("change the root directory", || {
        rustix::process::chdir(NEW_ROOT)?;
        mount_move(".", "/")?;
        rustix::process::chroot(".")?;
        rustix::process::chdir("/")
    })?;
    raise_limits()?;
    // Memory that is asked for is granted until a limit says no, as on a machine with more of it.
    fs::write("/proc/sys/vm/overcommit_memory", "1")
}

/// A small machine has small limits of its own; those of its programs are others' business.
fn raise_limits() -> io::Result<()> {
    let all = fs::read_to_string("/proc/sys/fs/nr_open")?;
    let open_files = all.trim().parse().map_err(io::Error::other)?;
    let limits = [
        (Resource::Nofile, Some(open_files)),
        (Resource::Nproc, None),
        (Resource::Sigpending, None),
    ];
    for (resource, bound) in limits {
        let bound = Rlimit {
            current: bound,
            maximum: bound,
        };
        attempt(&format!("raise the resource limit {resource:?}"), || {
            setrlimit(resource, bound)
        })?;
    }
    Ok(())
}

/// Mounts what every program expects below `root`.
fn special_directories(root: &str) -> io::Result<()> {
    let plain = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    let mut mounts = vec![
        ("proc", "proc", plain, c""),
        ("sysfs", "sys", plain, c""),
        ("devtmpfs", "dev", MountFlags::NOSUID, c"mode=755"),
    ];
    if !root.is_empty() {
        mounts.push(("tmpfs", "dev/shm", plain, c"mode=1777"));
        mounts.push(("cgroup2", "sys/fs/cgroup", plain, c"nsdelegate"));
    }
    for (kind, place, flags, data) in mounts {
        let place = format!("{root}/{place}");
        if root.is_empty() || place.ends_with("/shm") {
            fs::create_dir_all(&place)?;
        }
        attempt(&format!("mount {place}"), || {
            mount(kind, &place, kind, flags, data)
        })?;
    }
    Ok(())
}

fn load_modules() -> io::Result<()> {
    let list = match fs::read_to_string("/modules/list") {
        Ok(list) => list,
        // Everything is built in.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    for name in list.lines().filter(|name| !name.is_empty()) {
        let module = fs::File::open(Path::new("/modules").join(name))?;
        attempt(
            &format!("load {name}"),
            || match rustix::system::finit_module(&module, c"", 0) {
                Err(rustix::io::Errno::EXIST) => Ok(()),
                loaded => loaded,
            },
        )?;
    }
    Ok(())
}

/// Brings Atoll's own programs from the initial file system, whose memory is given back.
fn move_in() -> io::Result<()> {
    let place = format!("{NEW_ROOT}{LIBEXEC}");
    fs::create_dir_all(&place)?;
    let mut programs = vec![("/init".into(), "atoll-agent".into())];
    for entry in fs::read_dir("/libexec")? {
        let entry = entry?;
        programs.push((entry.path(), entry.file_name()));
    }
    for (from, name) in programs {
        let to = Path::new(&place).join(name);
        fs::copy(&from, &to)?;
        fs::set_permissions(&to, fs::Permissions::from_mode(0o755))?;
        fs::remove_file(&from)?;
    }
    // What is not there needs no memory.
    let _ = fs::remove_dir_all("/modules");
    Ok(())
}

/// Starts the agent and waits until it ends; whatever else loses its parent is waited for, too.
fn serve() -> io::Result<()> {
    let agent = Command::new(format!("{LIBEXEC}/atoll-agent"))
        .args(["machine", PORT])
        .env_clear()
        .env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin")
        .spawn()?;
    loop {
        match wait(WaitOptions::empty()) {
            Ok(Some((ended, status)))
                if ended.as_raw_nonzero().get() == agent.id().cast_signed() =>
            {
                return match status.exit_status() {
                    Some(0) => Ok(()),
                    _ => Err(io::Error::other(format!("the agent ended: {status:?}"))),
                };
            }
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// The port, for reading and for writing.
///
/// # Errors
/// When it does not appear, or cannot be opened.
pub fn open_port(port: &Path) -> io::Result<(OwnedFd, OwnedFd)> {
    wait_for(port)?;
    let flags = OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOCTTY;
    let input = attempt(&format!("open {}", port.display()), || {
        rustix::fs::open(port, flags, Mode::empty())
    })?;
    let output = input.try_clone()?;
    Ok((input, output))
}

/// Waits until a device is there.
pub(crate) fn wait_for(device: &Path) -> io::Result<()> {
    let until = Instant::now() + DEVICE_TIME;
    while !device.exists() {
        if Instant::now() > until {
            let text = format!("{} does not appear", device.display());
            return Err(io::Error::new(io::ErrorKind::NotFound, text));
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok(())
}

/// The value of a setting of the kernel's command line.
fn setting<'a>(settings: &'a str, name: &str) -> Option<&'a str> {
    settings
        .split_whitespace()
        .find_map(|word| word.strip_prefix(name))
}

/// Says of an error what failed.
pub(crate) fn attempt<T>(what: &str, run: impl FnOnce() -> rustix::io::Result<T>) -> io::Result<T> {
    run().map_err(|error| {
        let error = io::Error::from(error);
        io::Error::new(error.kind(), format!("failed to {what}: {error}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_whole_words_of_the_command_line() {
        let settings = "quiet xatoll.root=/dev/no atoll.root=/dev/vdb atoll.type=\n";
        assert_eq!(setting(settings, "atoll.root="), Some("/dev/vdb"));
        assert_eq!(setting(settings, "atoll.type="), Some(""));
        assert_eq!(setting("quiet", "atoll.root="), None);
    }

    #[test]
    fn a_device_that_is_there_needs_no_waiting() {
        wait_for(Path::new("/dev/null")).unwrap();
    }
}
