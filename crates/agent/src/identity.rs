//! Who the kernel is that the agent runs on.
//!
//! A clone of a snapshot has the memory of what it was copied from: its random numbers, its time
//! and its names. This replaces them, before there is anything of a message.

use std::fs;
use std::io;
use std::path::Path;

use atoll_remote::protocol::{ENTROPY_BYTES_MIN, Identity};
use rustix::time::{ClockId, Timespec, clock_settime};

use crate::random;

/// Where the machine id is kept, and where others look for it (machine-id(5)).
const MACHINE_ID: [&str; 2] = ["/run/machine-id", "/etc/machine-id"];

/// Becomes who the host says.
///
/// # Errors
/// When a part of it cannot be taken on: two clones must not be the same.
pub fn adopt(identity: &Identity) -> io::Result<()> {
    if identity.entropy.len() < ENTROPY_BYTES_MIN {
        let text = format!("at least {ENTROPY_BYTES_MIN} random bytes are needed");
        return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
    }
    random::reseed(&identity.entropy)?;
    let seconds = identity.unix_ns / 1_000_000_000;
    clock_settime(
        ClockId::Realtime,
        Timespec {
            tv_sec: i64::try_from(seconds).map_err(io::Error::other)?,
            tv_nsec: (identity.unix_ns % 1_000_000_000).cast_signed(),
        },
    )?;
    rustix::system::sethostname(identity.hostname.as_bytes())?;
    set_machine_id(identity.machine_id)
}

fn set_machine_id(id: [u8; 16]) -> io::Result<()> {
    let [kept, shown] = MACHINE_ID;
    let hexadecimal: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
    fs::write(kept, format!("{hexadecimal}\n"))?;
    // Mounted once, before the snapshot or here; what is written is seen there.
    if Path::new(shown).exists() && fs::read(shown)? != fs::read(kept)? {
        rustix::mount::mount_bind(kept, shown)?;
    }
    Ok(())
}
