//! The two requests by which a kernel takes over random bytes (random(4)).

use std::io;
use std::os::fd::AsFd;

use rustix::io::Errno;
use rustix::ioctl::{IntegerSetter, Setter, ioctl, opcode};

/// Bytes that one request carries.
const BYTES: usize = 64;

/// `struct rand_pool_info`, with room for as many bytes.
#[repr(C)]
struct PoolInfo {
    /// How much of it counts, in bits.
    entropy_bits: i32,
    bytes: i32,
    buffer: [u8; BYTES],
}

/// `RNDADDENTROPY`, which is named by the size of two numbers, not of all that comes along.
const ADD_ENTROPY: rustix::ioctl::Opcode = opcode::write::<[i32; 2]>(b'R', 0x03);

/// `RNDRESEEDCRNG`.
const RESEED: rustix::ioctl::Opcode = opcode::none(b'R', 0x07);

/// Mixes random bytes in and draws everything that follows from them.
///
/// # Errors
/// When the kernel refuses, for instance because this process may not do so.
#[allow(unsafe_code, reason = "these requests have no safe wrapper")]
pub(crate) fn reseed(entropy: &[u8]) -> io::Result<()> {
    let urandom = std::fs::OpenOptions::new()
        .write(true)
        .open("/dev/urandom")?;
    for part in entropy.chunks(BYTES) {
        let mut info = PoolInfo {
            entropy_bits: i32::try_from(part.len() * 8).map_err(|_| Errno::INVAL)?,
            bytes: i32::try_from(part.len()).map_err(|_| Errno::INVAL)?,
            buffer: [0; BYTES],
        };
        let room = info.buffer.get_mut(..part.len()).ok_or(Errno::INVAL)?;
        room.copy_from_slice(part);
        // SAFETY: the kernel reads two numbers and then as many bytes as the second one says, all
        // of which are in `info`.
        unsafe { ioctl(urandom.as_fd(), Setter::<ADD_ENTROPY, PoolInfo>::new(info))? };
    }
    // SAFETY: this request takes no argument.
    unsafe { ioctl(urandom.as_fd(), IntegerSetter::<RESEED>::new_usize(0))? };
    Ok(())
}
