//! The attempts, by name: one system call each, with arguments that harm nobody should it succeed.
#![allow(
    unsafe_code,
    reason = "what native code may call is tried with system calls by number"
)]

use std::ffi::CString;

use libc::c_long;

/// Makes a system call by its number, whatever it is.
pub(crate) fn call(number: i64, arguments: [i64; 6]) -> Result<i64, i32> {
    let [a, b, c, d, e, f] = arguments;
    // SAFETY: pointers among the arguments come from `Attempt::run`, where what they lead to lives
    // until the call has returned and is as large as the call writes; -1 is no address at all.
    // Calls that change this process itself are its last ones.
    let answer = unsafe { libc::syscall(number as c_long, a, b, c, d, e, f) };
    if answer == -1 {
        Err(std::io::Error::last_os_error().raw_os_error().unwrap_or(0))
    } else {
        Ok(answer)
    }
}

/// Makes all attempts of a list, and says what came of each.
pub(crate) fn all(names: &str) -> String {
    let tried = names.split(',').map(|name| {
        let outcome = attempt(name);
        format!("{name}={}", shown(outcome))
    });
    tried.collect::<Vec<_>>().join(" ")
}

fn shown(outcome: Result<i64, i32>) -> String {
    match outcome {
        Ok(_) => "ok".to_owned(),
        Err(libc::EPERM) => "EPERM".to_owned(),
        Err(libc::ENOENT) => "ENOENT".to_owned(),
        Err(libc::EACCES) => "EACCES".to_owned(),
        Err(libc::EBADF) => "EBADF".to_owned(),
        Err(libc::EINVAL) => "EINVAL".to_owned(),
        Err(libc::ENOSYS) => "ENOSYS".to_owned(),
        Err(libc::EAGAIN) => "EAGAIN".to_owned(),
        Err(error) => error.to_string(),
    }
}

/// A page, to be written by calls that answer in memory.
const PAGE: usize = 4096;

#[allow(
    clippy::too_many_lines,
    reason = "a table: one line for each attempt says more than parts of it would"
)]
fn attempt(name: &str) -> Result<i64, i32> {
    let text = |text: &str| CString::new(text).unwrap_or_default();
    let mut page = vec![0_u8; PAGE];
    let room = page.as_mut_ptr() as i64;
    let own = i64::from(std::process::id());
    let here = i64::from(libc::AT_FDCWD);
    let passwd = text("/etc/passwd");
    let path = passwd.as_ptr() as i64;
    let root = text("/");
    let top = root.as_ptr() as i64;
    let temporary = text("/tmp");
    let nowhere = text("/nowhere/at/all");
    let filesystem = text("tmpfs");
    let writable = i64::from(libc::PROT_READ | libc::PROT_WRITE);
    let code = writable | i64::from(libc::PROT_EXEC);
    let private = i64::from(libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
    let (number, arguments): (c_long, [i64; 6]) = match name {
        "open" => (libc::SYS_openat, [here, path, 0, 0, 0, 0]),
        "list" => (
            libc::SYS_openat,
            [here, top, libc::O_DIRECTORY.into(), 0, 0, 0],
        ),
        "make" => {
            let flags = libc::O_TMPFILE | libc::O_RDWR;
            (
                libc::SYS_openat,
                [here, temporary.as_ptr() as i64, flags.into(), 0o600, 0, 0],
            )
        }
        "look" => (libc::SYS_statx, [here, path, 0, 0x7ff, room, 0]),
        "link" => (libc::SYS_readlinkat, [here, top, room, 100, 0, 0]),
        "socket" => (libc::SYS_socket, [libc::AF_INET.into(), 1, 0, 0, 0, 0]),
        "unix" => (libc::SYS_socket, [libc::AF_UNIX.into(), 1, 0, 0, 0, 0]),
        "netlink" => (libc::SYS_socket, [libc::AF_NETLINK.into(), 3, 0, 0, 0, 0]),
        "pair" => (
            libc::SYS_socketpair,
            [libc::AF_UNIX.into(), 1, 0, room, 0, 0],
        ),
        "pass" => (libc::SYS_sendmsg, [-1, room, 0, 0, 0, 0]),
        "trace" => (
            libc::SYS_ptrace,
            [libc::PTRACE_TRACEME.into(), 0, 0, 0, 0, 0],
        ),
        "read" => (libc::SYS_process_vm_readv, [own, room, 1, room, 1, 0]),
        "signal" => (libc::SYS_kill, [own, 0, 0, 0, 0, 0]),
        "all" => (libc::SYS_tgkill, [own, own, 0, 0, 0, 0]),
        "exec" => (libc::SYS_execve, [nowhere.as_ptr() as i64, 0, 0, 0, 0, 0]),
        "thread" => {
            let started = std::thread::Builder::new().spawn(|| {});
            return started
                .map(|_| 0)
                .map_err(|error| error.raw_os_error().unwrap_or(0));
        }
        "fork" => (libc::SYS_fork, [0; 6]),
        "namespace" => (
            libc::SYS_unshare,
            [libc::CLONE_NEWUSER.into(), 0, 0, 0, 0, 0],
        ),
        "mount" => (
            libc::SYS_fsopen,
            [filesystem.as_ptr() as i64, 0, 0, 0, 0, 0],
        ),
        "chroot" => (libc::SYS_chroot, [top, 0, 0, 0, 0, 0]),
        "identity" => (libc::SYS_setresuid, [0; 6]),
        "code" => (libc::SYS_mmap, [0, PAGE as i64, code, private, -1, 0]),
        "protect" => {
            let at = call(libc::SYS_mmap, [0, PAGE as i64, writable, private, -1, 0])?;
            (libc::SYS_mprotect, [at, PAGE as i64, code, 0, 0, 0])
        }
        "memory" => (libc::SYS_memfd_create, [top, 0, 0, 0, 0, 0]),
        "ring" => (libc::SYS_io_uring_setup, [1, room, 0, 0, 0, 0]),
        "fault" => (libc::SYS_userfaultfd, [1, 0, 0, 0, 0, 0]),
        "keys" => (libc::SYS_keyctl, [0, -3, 1, 0, 0, 0]),
        "pipe" => (libc::SYS_pipe2, [room, 0, 0, 0, 0, 0]),
        "event" => (libc::SYS_eventfd2, [0; 6]),
        "copy" => (libc::SYS_dup, [1, 0, 0, 0, 0, 0]),
        "control" => (libc::SYS_ioctl, [1, 0x5451, 0, 0, 0, 0]),
        "flags" => (libc::SYS_fcntl, [1, libc::F_GETFD.into(), 0, 0, 0, 0]),
        "bounds" => (libc::SYS_prlimit64, [0, 7, 0, room, 0, 0]),
        "priority" => (libc::SYS_setpriority, [0; 6]),
        "clock" => (libc::SYS_adjtimex, [room, 0, 0, 0, 0, 0]),
        "person" => (libc::SYS_personality, [0xffff_ffff, 0, 0, 0, 0, 0]),
        "filter" => (libc::SYS_seccomp, [2, 0, room, 0, 0, 0]),
        "process" => (
            libc::SYS_prctl,
            [libc::PR_GET_DUMPABLE.into(), 0, 0, 0, 0, 0],
        ),
        "name" => (libc::SYS_uname, [room, 0, 0, 0, 0, 0]),
        "directories" => return directories(room),
        unknown => panic!("no attempt is called {unknown}"),
    };
    let answer = call(number, arguments);
    if name == "fork" && answer == Ok(0) {
        // The child.
        let _ = call(libc::SYS_exit_group, [0; 6]);
    }
    answer
}

/// Whether one of the descriptors that are open is a directory: a way to everything below.
fn directories(room: i64) -> Result<i64, i32> {
    let empty = CString::default();
    let at = i64::from(libc::AT_EMPTY_PATH);
    for descriptor in 0..1024 {
        let looked = call(
            libc::SYS_statx,
            [descriptor, empty.as_ptr() as i64, at, 0x7ff, room, 0],
        );
        // SAFETY: `room` is a page that the caller holds, and the mode is at offset 28 of it.
        let mode = unsafe { std::ptr::read_volatile((room as *const u8).add(28).cast::<u16>()) };
        if looked.is_ok() && u32::from(mode) & libc::S_IFMT == libc::S_IFDIR {
            return Ok(descriptor);
        }
    }
    Err(libc::ENOENT)
}
