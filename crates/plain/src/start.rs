//! Starts a process that has nothing of this one: other user, own streams, resource limits.
//!
//! Owns the moment between fork(2) and execve(2), and the files that are placed before it.

use std::ffi::{CString, OsString};
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::{OpenOptionsExt, fchown};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use atoll_jail::seccomp::Filter;
use atoll_jail::{JailFile, Running, sys};
use atoll_types::Limits;
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{Resource, Rlimit, setrlimit};

use crate::Place;

/// Where the first of a program's extra descriptors is.
const FIRST_DESCRIPTOR: i32 = 3;

/// Places files into the working directory, as the program's own.
pub(crate) fn place_files(place: &Place, files: &[JailFile]) -> io::Result<()> {
    for file in files {
        if file.name.contains(&b'/') {
            let text = "a job's file has a name that is a path";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
        let mode = if file.executable { 0o700 } else { 0o600 };
        let name = OsString::from_vec(file.name.clone());
        let mut placed = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(place.work.join(name))?;
        fchown(&placed, Some(place.user), Some(place.user))?;
        placed.write_all(&file.content)?;
    }
    Ok(())
}

/// Starts a program in the working directory. Answers with its process id and streams.
pub(crate) fn start(
    place: &Place,
    command: &atoll_jail::Command,
    limits: &Limits,
) -> io::Result<(u32, Running)> {
    let path = string(&command.path)?;
    let arguments = strings(&command.arguments)?;
    let environment = strings(&command.environment)?;
    let mut process = Command::new(OsString::from_vec(command.path.clone()));
    let (stdin_in, stdin) = pipe_with(PipeFlags::CLOEXEC)?;
    let (stdout, stdout_in) = pipe_with(PipeFlags::CLOEXEC)?;
    let (stderr, stderr_in) = pipe_with(PipeFlags::CLOEXEC)?;
    process
        .current_dir(&place.work)
        .stdin(Stdio::from(stdin_in))
        .stdout(Stdio::from(stdout_in))
        .stderr(Stdio::from(stderr_in))
        .process_group(0);
    if rustix::process::geteuid().is_root() {
        process.uid(place.user).gid(place.user);
    }
    let descriptors = out_of_the_way(&command.descriptors)?;
    let limits = resource_limits(limits);
    let filter = place.filters.then(|| Filter::of(command.profile));
    let filter = filter.transpose().map_err(io::Error::other)?;
    // SAFETY: between fork and execve it makes system calls, and takes memory only, which fork(3)
    // leaves usable.
    #[allow(unsafe_code, reason = "there is no other place for these calls")]
    unsafe {
        process.pre_exec(move || {
            for (resource, bound) in &limits {
                setrlimit(
                    *resource,
                    Rlimit {
                        current: Some(*bound),
                        maximum: Some(*bound),
                    },
                )?;
            }
            for (target, descriptor) in (FIRST_DESCRIPTOR..).zip(&descriptors) {
                sys::place_descriptor(descriptor.as_fd(), target)?;
            }
            // Last: it may not let this process do anything but execute the program.
            filter.as_ref().map_or(Ok(()), Filter::install)?;
            // The library's own way would take a text for a shell script.
            Err(sys::execute(&path, &arguments, &environment))
        });
    }
    let child = process.spawn()?;
    let running = Running {
        stdin,
        stdout,
        stderr,
    };
    Ok((child.id(), running))
}

fn strings(all: &[Vec<u8>]) -> io::Result<Vec<CString>> {
    all.iter().map(|bytes| string(bytes)).collect()
}

fn string(bytes: &[u8]) -> io::Result<CString> {
    Ok(CString::new(bytes)?)
}

/// Copies of descriptors at numbers that none of them is put at later.
fn out_of_the_way(descriptors: &[OwnedFd]) -> io::Result<Vec<OwnedFd>> {
    let count = i32::try_from(descriptors.len()).map_err(io::Error::other)?;
    let first_free = FIRST_DESCRIPTOR.saturating_add(count);
    descriptors
        .iter()
        .map(|own| Ok(rustix::io::fcntl_dupfd_cloexec(own, first_free)?))
        .collect()
}

fn resource_limits(limits: &Limits) -> [(Resource, u64); 5] {
    [
        (Resource::Core, 0),
        (Resource::Nofile, limits.open_files.into()),
        (Resource::Nproc, limits.processes.into()),
        // A second line behind whoever counts from outside.
        (
            Resource::Cpu,
            limits.cpu_time_ms.div_ceil(1000).saturating_add(1),
        ),
        (Resource::Fsize, limits.disk_bytes),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_placed_below_the_working_directory_only_and_replace_nothing() {
        let work = std::env::temp_dir().join(format!("atoll-plain-{}", std::process::id()));
        std::fs::create_dir(&work).unwrap();
        let place = Place {
            work: work.clone(),
            user: rustix::process::geteuid().as_raw(),
            filters: false,
        };
        let placed = |name: &str| {
            let file = JailFile {
                name: name.as_bytes().to_vec(),
                content: b"content"[..].into(),
                executable: true,
            };
            place_files(&place, &[file])
        };
        assert!(placed("plain").is_ok());
        assert!(placed("plain").is_err());
        std::os::unix::fs::symlink("elsewhere", work.join("link")).unwrap();
        for name in ["../above", "/above", "a/b", "link", ".", "..", ""] {
            assert!(placed(name).is_err(), "{name}");
        }
        assert_eq!(std::fs::read(work.join("plain")).unwrap(), b"content");
        std::fs::remove_dir_all(work).unwrap();
    }
}
