//! The one way out of a jail: a port of the loopback interface of its own network namespace, where
//! somebody outside answers.
//!
//! Owns the interface and the listening socket. Who answers there, and what is let through, is not
//! known here.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::OwnedFd;

use atoll_types::Layer;
use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, ipproto, listen, socket_with};

use crate::plan::Failure;
use crate::sys;

/// Connections that wait until somebody takes them.
const BACKLOG: i32 = 64;

/// Makes the loopback interface usable and listens at a port of it. There is no other interface,
/// and no route to anywhere else.
pub(super) fn open_way_out(port: u16) -> Result<OwnedFd, Failure> {
    let failed = |attempt: &'static str| {
        move |error: std::io::Error| Failure::new(Some(Layer::NetworkNamespace), attempt, &error)
    };
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let stream = SocketType::STREAM;
    let socket = socket_with(AddressFamily::INET, stream, flags, Some(ipproto::TCP))
        .map_err(|error| failed("make a socket for the way out")(error.into()))?;
    sys::bring_up_loopback(&socket).map_err(failed("bring up the loopback interface"))?;
    bind(&socket, &SocketAddrV4::new(Ipv4Addr::LOCALHOST, port))
        .and_then(|()| listen(&socket, BACKLOG))
        .map_err(|error| failed("listen for the way out")(error.into()))?;
    Ok(socket)
}
