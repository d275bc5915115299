//! Making a network interface usable, which takes requests that have no safe wrapper.

use std::io;
use std::os::fd::{AsFd, AsRawFd};

use super::check;

/// Makes the loopback interface of the caller's network namespace usable, by way of any socket of
/// that namespace. The kernel gives it 127.0.0.1 itself.
///
/// # Errors
/// The kernel's answer to netdevice(7)'s requests.
pub fn bring_up_loopback(socket: impl AsFd) -> io::Result<()> {
    let socket = socket.as_fd().as_raw_fd();
    // SAFETY: `ifreq` holds integers and a pointer, for all of which zero is a value.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (place, byte) in request.ifr_name.iter_mut().zip(c"lo".to_bytes_with_nul()) {
        *place = byte.cast_signed();
    }
    // SAFETY: the kernel reads the name from the `ifreq` and writes the flags into it.
    check(unsafe { libc::ioctl(socket, libc::SIOCGIFFLAGS, &mut request) }.into())?;
    // SAFETY: the kernel has just written the flags, and any bits are flags.
    let flags = unsafe { request.ifr_ifru.ifru_flags };
    request.ifr_ifru.ifru_flags = flags | UP;
    // SAFETY: the kernel reads the name and the flags, both of which are set.
    check(unsafe { libc::ioctl(socket, libc::SIOCSIFFLAGS, &request) }.into())?;
    Ok(())
}

/// `IFF_UP`, as wide as the flags of a request are.
const UP: libc::c_short = 1;
